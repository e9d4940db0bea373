"""One truth in every export format: whatever a tool writes its log like, the numbers are the same.

The demo's world, shared devices, crawlers, retries, late calls and wrong clocks included, is read as the Segment log
the simulator writes and as every format of `exports.py`. Equal must be: every metric value with its interval, hash and
completeness, funnels, retention, active people, everybody's history, and every stored event with its times and
properties. What a format lacks (`Export.lacks`) is asserted to be what differs, and nothing else.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from calls import SIGNED_IN, Call, calls_of, without_crawlers
from exports import EXPORTS, KNOWS_NOBODY, QUICK, Export
from polars.testing import assert_frame_equal
from shop import by_bounds

from headway.engine import connect
from headway_pipelines.demo import Scenario, simulate_scenario
from headway_pipelines.demo.rows import EVENT_NAMES, SERVER_KINDS
from headway_pipelines.ingest import ingest
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import attach_lake, promote
from headway_pipelines.people.derive import derive_people
from headway_pipelines.quality.batches import judge_batches
from headway_pipelines.sources.formats import formats
from headway_pipelines.sources.shape import BEGINNING
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

WORLD = Scenario(people=200, days=21, seed=11, bots=0.01, shared_device=0.1, violation=0.05, retry=0.1)
#: Tables in which nothing depends on the format.
EQUAL = ("metric_values", "funnel_steps", "retention_cells", "active_people", "metric_catalogue")
SERVER_EVENTS = [EVENT_NAMES[kind] for kind in SERVER_KINDS]
Counted = Counter[tuple[Any, ...]]


@dataclass(frozen=True)
class Read:
    """What a workspace says after a run.

    Attributes:
        tables: The computed tables.
        events: Stored events, with their times and properties, without ids.
        ids: Per column of ids, how often each id occurs.
        histories: Per person, what they did and when.
        people: What is said of people, as of when.
        accounts: The same of accounts.
    """

    tables: dict[str, pl.DataFrame]
    events: pl.DataFrame
    ids: dict[str, list[int]]
    histories: Counted
    people: Counted
    accounts: Counted

    def outcome(self, name: str) -> int:
        return int(self.tables["line_outcomes"].filter(outcome=name)["lines"].sum())


@dataclass(frozen=True)
class Original:
    """The world as the simulator wrote it."""

    root: Path
    calls: Sequence[Call]
    read: Read


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    root = tmp_path_factory.mktemp("round-trip") / "segment"
    root.mkdir()
    key = root.parent / "test.key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HEADWAY_KEY_FILE", str(key))
        simulate_scenario(root, WORLD)
        # What metrics of events not every format carries all of are is no question of formats.
        for name in ("metrics", "experiments"):
            shutil.rmtree(root / name)
        yield Original(root, calls_of(root / "raw"), run(root))


def run(root: Path) -> Read:
    """Everything up to the computed tables."""
    workspace = Workspace.at(root)
    ledger = Ledger(workspace.ledger_file)
    con = connect()
    try:
        with by_bounds():
            for step in (ingest, judge_batches, promote, derive_people, compute):
                step(workspace, ledger)
        attach_lake(con, workspace, ledger)
        people = workspace.people
        columns = con.sql("FROM lake").columns
        kinds = dict(zip(columns, map(str, con.sql("FROM lake").types), strict=True))
        ids = [name for name, kind in kinds.items() if kind == "UUID" and name not in ("event_id", "actor")]
        stored = con.sql("FROM lake").pl().drop("event_id", "actor", "line", "batch", "source")
        histories = con.execute(
            f"""SELECT list_sort(list(concat(date_trunc('second', occurred_at), ' ', event)))
            FROM lake JOIN read_parquet('{people}/actor_person.parquet') USING (actor)
            WHERE traffic = 'people' AND event <> '{SIGNED_IN}' GROUP BY person"""
        ).fetchall()
        said = [
            Counter(
                con.sql(f"FROM read_parquet('{people}/{subject}_properties.parquet')")
                .pl()
                .drop(subject)
                .rows()
            )
            for subject in ("person", "account")
        ]
    finally:
        con.close()
        ledger.close()
    return Read(
        tables_of(workspace.metrics_db),
        stored.drop(ids),
        {name: sorted(Counter(stored[name].drop_nulls()).values()) for name in ids},
        Counter(tuple(history) for (history,) in histories),
        *said,
    )


def written(original: Original, export: Export, root: Path) -> Path:
    """The same calls as another tool exports them, in a workspace with the same plan and product."""
    (root / "raw").mkdir(parents=True)
    plan = (original.root / "tracking_plan.yml").read_text(encoding="utf-8")
    for ours, theirs in export.plan.items():
        assert ours in plan
        plan = plan.replace(ours, theirs)
    (root / "tracking_plan.yml").write_text(plan, encoding="utf-8")
    shutil.copy(original.root / "product.yml", root)
    (root / "sources.yml").write_text(json.dumps({"sources": {"log": export.options}}), encoding="utf-8")
    export.write(root / "raw", original.calls)
    return root


def test_every_format_is_here_or_cannot_carry_the_calls() -> None:
    written_in = {export.options["format"] for export in EXPORTS.values()} | {"segment"}
    assert written_in.isdisjoint(KNOWS_NOBODY)
    assert written_in | KNOWS_NOBODY.keys() == set(formats())


@pytest.mark.parametrize("name", EXPORTS if os.environ.get("HEADWAY_FULL") else QUICK)
def test_the_numbers_do_not_depend_on_the_format(original: Original, name: str, tmp_path: Path) -> None:
    export, segment = EXPORTS[name], original.read
    found = run(written(original, export, tmp_path / name))
    assert found.tables["run_info"]["people"][0] == segment.tables["run_info"]["people"][0]
    assert found.histories == segment.histories
    for table in EQUAL:
        expected, told = (read.tables[table].drop("as_of", strict=False) for read in (segment, found))
        if export.lacks & {"traits", "history of traits"} and "segment" in told.columns:
            by_role = pl.col("segment").str.starts_with("role=")
            expected, told = (frame.filter(~by_role) for frame in (expected, told))
        if table == "funnel_steps" and "milliseconds" in export.lacks:
            expected, told = without_durations(expected), without_durations(told)
        assert_frame_equal(told, expected, check_exact=True)
    assert apart(found.events.filter(pl.col("event") != SIGNED_IN), expected_events(original, export)) == (
        [],
        [],
    )
    assert copies_at_other_times(original) > 0
    assert found.outcome("same id, other content") == 0
    assert found.outcome("copy of an event") == expected_copies(original, export) > 0
    assert found.outcome("undeclared event") == segment.outcome("undeclared event") > 0
    assert_what_it_lacks(original, export, found)


def apart(one: pl.DataFrame, other: pl.DataFrame) -> tuple[list[Any], list[Any]]:
    """The first rows that only one of two tables has."""
    a, b = Counter(one.rows()), Counter(other.rows())
    return list((a - b).items())[:3], list((b - a).items())[:3]


def without_durations(funnel: pl.DataFrame) -> pl.DataFrame:
    """Two times that are cut off to seconds are up to a second further apart, or closer."""
    return funnel.drop(pl.selectors.contains("seconds", "time", "duration"))


def expected_events(original: Original, export: Export) -> pl.DataFrame:
    """The events of the Segment log, less what the format does not carry."""
    events, lacks = original.read.events, export.lacks
    if "crawlers" in lacks:
        events = events.filter(traffic="people")
    if "client clock" in lacks:
        events = events.with_columns(client_at=pl.col("occurred_at"))
    if "server clock" in lacks:
        by_server = pl.col("event").is_in(SERVER_EVENTS)
        events = events.with_columns(client_at=pl.when(~by_server).then("client_at"))
    if "arrival" in lacks:
        events = events.with_columns(received_at=pl.lit(None, pl.Datetime("us")))
    if "milliseconds" in lacks:
        events = events.with_columns(pl.col("occurred_at", "client_at").dt.truncate("1s"))
    return events


def expected_copies(original: Original, export: Export) -> int:
    """Retries of declared events the tool takes in, and of logins where a login is an event."""
    lacks, calls = export.lacks, original.calls
    taken = list(without_crawlers(calls)) if "crawlers" in lacks else calls
    ids = [call.id for call in taken if call.event in EVENT_NAMES.values()]
    if "identify" in lacks:
        ids += [call.id for call in taken if call.kind == "identify"]
    return len(ids) - len(set(ids))


def copies_at_other_times(original: Original) -> int:
    """Ids of events of servers whose copies were corrected by different amounts."""
    sent = {(call.id, call.corrected) for call in original.calls if call.event in SERVER_EVENTS}
    return len(sent) - len({message for message, _ in sent})


def untimed(statements: Counted) -> Counted:
    """A login that is sent again may say a little earlier the same of somebody."""
    return Counter(row[1:] for row in statements.elements())


def said_last(original: Original) -> Counted:
    """What was said last of everybody, as if it had always been so."""
    last = {call.user: call.traits for call in original.calls if call.kind == "identify"}
    assert all(traits["address"]["country"] == "DE" for traits in last.values())
    return Counter((BEGINNING, "DE", traits["role"]) for traits in last.values())


def assert_what_it_lacks(original: Original, export: Export, found: Read) -> None:
    """Each lack has its consequence, and without it there is none."""
    segment, lacks = original.read, export.lacks
    crawlers = segment.tables["left_out"].drop("source", strict=False)
    assert crawlers.height == 1
    assert found.tables["left_out"].rows() == ([] if "crawlers" in lacks else crawlers.rows())
    logins = len({call.id for call in original.calls if call.kind == "identify"})
    assert found.events.filter(event=SIGNED_IN).height == (logins if "identify" in lacks else 0)
    assert ("identify" in lacks) == (found.outcome("identify") == 0)
    told, expected = (
        untimed(each.people) if "sending" in lacks else each.people for each in (found, segment)
    )
    if "history of traits" in lacks:
        told, expected = found.people, said_last(original)
    assert told == (Counter() if "traits" in lacks else expected)
    assert found.accounts == (Counter() if "account traits" in lacks else segment.accounts)
    ids = segment.ids | ({"account": []} if "accounts" in lacks else {})
    assert found.ids == ids


def test_without_the_login_event_devices_that_only_a_login_ties_to_somebody_are_people(
    original: Original, tmp_path: Path
) -> None:
    """Formats without identify calls need a declared event: what the plan does not know links nobody."""
    export = replace(EXPORTS["cloudevents"], plan={})
    found = run(written(original, export, tmp_path / "bus"))
    calls = [call for call in without_crawlers(original.calls) if call.event in EVENT_NAMES.values()]
    tied = {call.device for call in calls if call.user}
    by_login = {call.device for call in original.calls if call.kind == "identify"}
    alone = {call.device for call in calls if not call.user} - tied
    people = original.read.tables["run_info"]["people"][0]
    assert found.tables["run_info"]["people"][0] == people + len(alone & by_login) > people
