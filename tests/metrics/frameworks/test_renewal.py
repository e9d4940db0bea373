"""What news can have changed is computed again, the rest is kept, and every cell is what computing everything gives.

Worlds are generated twice: as they are, and as they were before some events came late, went, changed hands, or were
said of other people. From what was kept of the world before and the news, all values must be those of the world now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import duckdb
import pytest
from metric_generated import generate
from metric_worlds import EPOCH, HOUR, Row, World, load, local_date, make_product

from headway.frameworks import measure
from headway.frameworks.kept import FIRSTS, NEEDED, TOUCHES, News
from headway.frameworks.values import Measured
from headway.models.product import Product
from headway.periods import EPOCH as DAY_0

SEEDS = range(200 if os.environ.get("HEADWAY_FULL") else 3)
DAYS = 100
BEGINS = 20_000 * 24 * HOUR

MONEY = {"event": "A", "measure": "sum", "value": "amount", "currency": "currency", "minus": "B"}
PRO = {"event": "C", "where": "person.plan = 'pro'"}
METRICS: Mapping[str, Mapping[str, object]] = {
    "new": {"kind": "new_people", "unit": "people"},
    "revenue": {"kind": "count", "of": MONEY, "unit": "EUR"},
    "active": {"kind": "count", "of": {"event": ["A", "C"], "measure": "people"}, "unit": "people"},
    "a_day": {"kind": "ratio", "numerator": ["A", "C"], "denominator": {"event": "B", "measure": "days"}, "unit": "x"},
    "share": {"kind": "share", "of": "A", "did": PRO},
    "spent": {"kind": "mean", "of": "B", "event": "A", "measure": "sum", "value": "amount", "unit": "EUR"},
    "nps": {"kind": "nps", "event": ["B", "C"], "score": "score", "unit": "points"},
    "csat": {"kind": "survey", "event": "C", "score": "score", "scale": [1, 5], "top": 4},
    "weighted": {
        "kind": "survey", "event": "C", "score": "score", "scale": [1, 5], "top": 4, "shown": "B", "weighted": True,
    },
    "p75": {"kind": "quantile", "event": "A", "value": "score", "percentile": 75, "unit": "x"},
    "sticky": {"kind": "stickiness", "of": ["A", "C"]},
    "converted": {"kind": "conversion", "start": "A", "reach": "B", "within": "9d"},
    "in_order": {"kind": "conversion", "start": "C", "through": ["A"], "reach": ["B", "D"], "within": "9d"},
    "pros": {"kind": "conversion", "start": PRO, "reach": ["A", "C"], "within": "24h"},
    "back": {"kind": "retention", "start": "B", "returning": ["A", "D"], "after": "2d", "within": "7d"},
    "quick": {
        "kind": "retention", "start": "A", "returning": "C", "after": "24h", "within": "48h",
        "answered": {"by": "B", "key": "key", "within": "3h", "hours": "business"},
    },
    "value": {"kind": "cohort_amount", "start": ["A", "D"], "of": MONEY, "within": "9d", "unit": "EUR"},
    "k": {
        "kind": "referral", "start": ["A", "C"], "sent": "A", "accepted": "B", "key": "key", "part": "k",
        "within": "9d", "unit": "x",
    },
    **{
        f"people_{part}": {"kind": "lifecycle", "of": ["A", "C"], "part": part}
        for part in ("new", "resurrected", "dormant", "churn")
    },
    "so_far": {"kind": "cumulative", "of": {"event": "A", "measure": "people"}, "since": "year", "unit": "people"},
    "mrr": {"kind": "mrr", "event": "A", "value": "amount", "ends": "B", "part": "closing", "unit": "EUR"},
    "reply": {"kind": "duration", "start": "A", "end": "B", "key": "key", "unit": "hours"},
    "got_there": {"kind": "duration", "start": ["A", "C"], "end": ["B", "D"], "within": "9d", "unit": "hours"},
    "kept_at_it": {"kind": "duration", "start": "A", "end": ["A", "B"], "within": "30h", "unit": "hours"},
    "each_in_time": {
        "kind": "duration", "start": "A", "end": "B", "key": "key", "each": "every", "within": "30h", "unit": "hours",
    },
    "done": {
        "kind": "task", "start": "A", "success": "B", "failure": "C", "outcome": "success", "attempts": "first",
        "within": "30h", "key": "key",
    },
    "took": {
        "kind": "time_on_task", "start": "A", "success": "B", "failure": "C", "within": "30h", "key": "key",
        "unit": "hours",
    },
    "stable": {"kind": "crash_free", "of": ["A", "B"], "failure": "D", "idle": "3h"},
    "each": {"kind": "formula", "expression": "revenue / active", "unit": "EUR", "grains": ["week", "rolling_7d"]},
    "both": {"kind": "formula", "expression": "value * share", "unit": "EUR"},
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What is said to be new."""

    days: frozenset[int]
    since: Mapping[int, int]


def before(world: World, rng: Random) -> World:
    """Makes the world as it was: some days shorter, a few events late, lost or somebody else's, a few things unsaid."""
    rows, plans, channels = list(world.rows), list(world.plans), dict(world.channels)
    cut = max(row.us for row in rows) - rng.choice((0, 1, 3, 20)) * 24 * HOUR
    kept = [row for row in rows if row.us <= cut]
    first: dict[int, int] = {}
    for row in kept:
        first[row.person] = min(row.us, first.get(row.person, row.us))
    # Late ones soon after the person's first more often: windows of what was first hold them.
    soon = [row for row in kept if row.us <= first[row.person] + 9 * 24 * HOUR]
    # And ends on the day after what they end.
    ends = [
        row
        for row in kept
        for other in kept
        if other.key == row.key and other.event == "A" and 12 * HOUR < row.us - other.us < 30 * HOUR
    ]
    for _ in range(rng.choice((0, 1, 4))):
        late = rng.choice(rng.choice((kept, soon, ends or soon)))
        if late not in kept:
            continue
        kept.remove(late)
        if rng.random() < 0.4:
            kept.append(replace(late, us=late.us + rng.choice((-1, 1, 30, 300)) * HOUR, score=3))
        elif rng.random() < 0.5:
            kept.append(replace(late, person=rng.choice(rows).person))
    for _ in range(rng.choice((0, 0, 1))):
        one, other = rng.choice(rows).person, 99
        # A device that was nobody's for a while.
        since = rng.choice(rows).us
        kept = [replace(row, person=other) if row.person == one and row.us < since else row for row in kept]
    if plans and rng.random() < 0.3:
        plans.pop(rng.randrange(len(plans)))
    if channels and rng.random() < 0.3:
        channels[rng.choice(sorted(channels))] = rng.choice(("email", "direct"))
    # The first day and the last before the cut stay, else there is nothing to renew.
    kept += [row for row in (min(rows, key=lambda row: row.order),) if row not in kept]
    horizon = min(world.horizon, cut + rng.choice((0, 24)) * HOUR)
    return replace(world, rows=tuple(kept), plans=tuple(plans), channels=channels, horizon=horizon)


def news_of(was: World, now: World) -> Told:
    """Says what differs between two worlds, as a pipeline would."""
    moved = set(was.rows) ^ set(now.rows)
    since: dict[int, int] = {}

    def note(person: int, us: int) -> None:
        since[person] = min(us, since.get(person, us))

    for row in moved:
        note(row.person, row.us)
    for told in set(was.plans) ^ set(now.plans):
        note(told.person, told.us)
    for person in {*was.channels, *now.channels, *(row.person for row in (*was.rows, *now.rows))}:
        if (was.channels.get(person) or "direct") != (now.channels.get(person) or "direct"):
            for row in (*was.rows, *now.rows):
                if row.person == person:
                    note(person, row.us)
    days = frozenset((local_date(row.us, now.timezone) - DAY_0).days for row in moved)
    return Told(days, since)


def opened(world: World) -> duckdb.DuckDBPyConnection:
    """Opens a world in which it is known when everybody was first seen."""
    con = load(world)
    con.execute("ALTER TABLE people RENAME TO channels")
    con.execute(
        "CREATE TABLE people AS SELECT person, channel, min(occurred_at) AS first_seen_at "
        "FROM events LEFT JOIN channels USING (person) GROUP BY ALL"
    )
    return con


def measured(con: duckdb.DuckDBPyConnection, world: World, product: Product, **more: object) -> Measured:
    """Measures a world."""
    instant = EPOCH.replace(tzinfo=None) + timedelta(microseconds=world.horizon)
    return measure(con, product, horizon=instant, as_of=instant, code_version="test", keep=True, **more)  # type: ignore[arg-type]


EXCEPT = "FROM {} EXCEPT ALL FROM {}"


def renewed(was: World, now: World, product: Product, folder: Path, *, needed: bool = True) -> Measured:
    """Measures a world from what was kept of the one before, events of which all are needed kept or read again."""
    con = opened(was)
    kept = measured(con, was, product).kept
    for table in (FIRSTS, TOUCHES, NEEDED):
        con.execute(f"COPY {table} TO '{folder}/{table}.parquet'")
    con.close()
    assert kept is not None
    told = news_of(was, now)
    con = opened(now)
    known = {table: f"known_{table}" for table in (FIRSTS, TOUCHES, NEEDED)}
    for table, name in known.items():
        con.execute(f"CREATE TABLE {name} AS FROM '{folder}/{table}.parquet'")
    con.execute("CREATE TABLE news (person UUID, since_us BIGINT)")
    for person, us in told.since.items():
        con.execute("INSERT INTO news VALUES (?, ?)", [str(UUID(int=person)), us])
    try:
        news = News(told.days, "news", known[FIRSTS], known[TOUCHES], known[NEEDED] if needed else "")
        found = measured(con, now, product, kept=kept, news=news)
        if not found.anew and found.kept is not None:
            parts = found.kept.parts if needed else None
            assert parts is None or len(parts) > 0
            rest = "" if parts is None else f"UNION ALL FROM {known[NEEDED]} WHERE part NOT IN {tuple(parts)}"
            con.execute(f"CREATE TABLE renewed AS FROM {NEEDED} {rest}")
            assert measured(con, now, product).kept
            assert con.sql(EXCEPT.format("renewed", NEEDED)).fetchall() == []
            assert con.sql(EXCEPT.format(NEEDED, "renewed")).fetchall() == []
        return found
    finally:
        con.close()


def whole(world: World, product: Product) -> Measured:
    """Measures a world, all of it."""
    con = opened(world)
    try:
        return measured(con, world, product)
    finally:
        con.close()


def worlds(seed: int) -> Iterator[tuple[World, World]]:
    """Yields a world before and after."""
    rng = Random(seed)
    now = generate(seed, people=12, rows=150, hours=[rng.randrange(DAYS * 24) for _ in range(60)], keys=20)
    now = replace(now, horizon=max(row.us for row in now.rows) + rng.choice((-24, 0, 24)) * HOUR)
    yield before(now, rng), now


def same(one: Measured, other: Measured) -> None:
    """Compares all values and what was left out."""
    differing = [
        (a, b) for a, b in zip(one.values.iter_rows(), other.values.iter_rows(), strict=True) if a != b
    ]
    assert not differing, differing[:3]
    assert one.exclusions.equals(other.exclusions)


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_kept_and_what_is_computed_again_are_what_everything_gives(
    seed: int, needed: bool, tmp_path: Path
) -> None:
    for was, now in worlds(seed):
        product = make_product(now, METRICS, grains=["day", "week", "month", "rolling_7d"])
        found = renewed(was, now, product, tmp_path, needed=needed)
        assert found.anew in (
            "",
            "segments have other labels",
            "the log covers other days",
            "the last event is gone",
        )
        same(found, whole(now, product))


FIRST_EVER: Mapping[str, Mapping[str, object]] = {
    "converted": METRICS["converted"],
    "back": {"kind": "retention", "start": "A", "returning": "B", "after": "1h", "within": "9d"},
    "in_order": {"kind": "conversion", "start": "A", "through": ["C"], "reach": "B", "within": "9d"},
    "got_there": {"kind": "duration", "start": "A", "end": "B", "within": "9d", "unit": "hours"},
}


@pytest.mark.parametrize("metric", FIRST_EVER)
def test_who_started_on_a_day_that_is_not_read_does_not_start_again(metric: str, tmp_path: Path) -> None:
    story = [(1, "A", 0), (1, "A", 60), (1, "C", 61), (1, "B", 62), (2, "A", 60), (2, "C", 61), (2, "B", 62)]
    told = [(3, "A", 60), (3, "D", 99)]
    rows = tuple(
        Row(person=person, event=event, us=BEGINS + day * 24 * HOUR, line=0, tie=tie)
        for tie, (person, event, day) in enumerate(story + told)
    )
    now = World(rows=rows, channels={}, horizon=BEGINS + 99 * 24 * HOUR)
    was = replace(now, rows=tuple(row for row in rows if (row.person, row.event) != (3, "A")))
    product = make_product(now, {metric: FIRST_EVER[metric]}, grains=["day"])
    found = renewed(was, now, product, tmp_path)
    assert found.anew == ""
    same(found, whole(now, product))
    day = local_date(BEGINS + 60 * 24 * HOUR, "UTC")
    # Person 1 started long before: of that day are the other two.
    assert found.values.filter(period_start=day, segment="all")["people"].to_list() == [2]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_made_with_a_metric_of_everything_is_computed_from_everything(
    seed: int, tmp_path: Path
) -> None:
    # D is in no metric that needs all events by itself.
    parts = {
        "k": METRICS["k"],
        "active": {**METRICS["active"], "of": {"event": ["C", "D"], "measure": "people"}},
    }
    both = {"kind": "formula", "expression": "k * active", "unit": "x"}
    for was, now in worlds(seed):
        product = make_product(now, {**parts, "both": both}, grains=["day", "week"])
        same(renewed(was, now, product, tmp_path), whole(now, product))
