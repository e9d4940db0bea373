"""Sessions of people, derived from the lake after stitching.

All sessions of whoever has new events or other members are computed again, so late events and merges of people never
leave half a session behind; those of everybody else stay. When everybody's are, the reason is told (`basis`).

In a large lake people come in bundles, one after the other, so that memory does not grow with the lake.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from headway import Sessions
from headway.engine import connect, guarded
from headway.engine.sql import bind, literal, load
from headway.errors import EngineError
from headway.insights.sessions_sql import session_queries
from headway.models.plan import TrackingPlan, load_plan
from headway.models.product import Product, load_product
from headway_pipelines.lake.integrity import whole
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import attach_lake
from headway_pipelines.people.basis import (
    ALL_PEOPLE,
    FIRST,
    NOT_OURS,
    RULES,
    UNREADABLE,
    changes_file,
    code_stamp,
    mark_of,
    read_basis,
)
from headway_pipelines.people.part import attach_members
from headway_pipelines.people.tables import read_table, readable, table_file
from headway_pipelines.warehouse.compute import PlannedLog
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_HERE = "headway_pipelines.people"
_SETTING = "sessions_basis"
_AT_ONCE = 12_000_000
"""Events of a bundle of people, about: DuckDB keeps some 110 bytes of each while it looks for their sessions."""


@dataclass(frozen=True)
class Visits:
    """What was found.

    Attributes:
        sessions: Sessions that count.
        set_apart: Sessions that are no visits, by the rules of the product.
        anew: Why everybody's were derived; empty where only those of people who changed were, or none.
    """

    sessions: int
    set_apart: int
    anew: str = ""


def session_question(product: Product) -> Sessions:
    """Turns the product's rules into the question.

    Args:
        product: The product.

    Returns:
        The question.
    """
    rules = product.sessions
    return Sessions(
        idle=rules.idle,
        tracker=rules.tracker_id,
        max_length=rules.max_length,
        too_long=rules.too_long,
        max_rate=rules.max_rate,
        cut_at_midnight=rules.cut_at_midnight,
        exclude=rules.exclude or None,
    )


def derive_sessions(workspace: Workspace, ledger: Ledger) -> Visits:
    """Brings the table `sessions` up to date with the lake and its people.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Counts.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    known = ledger.get_json(_SETTING)
    basis = read_basis(ledger)
    number = basis.number if basis else 0
    stamps = {"code": code_stamp(), "plan": plan.hash, "sessions": _rules_stamp(product)}
    anew = _why_anew(workspace, known, number, stamps)
    if not anew and known["number"] == number:
        return Visits(known["sessions"], known["set_apart"])
    since = 0 if anew else int(known["number"])
    try:
        counts = _write(workspace, ledger, plan, product, [] if anew else range(since + 1, number + 1))
    except EngineError:
        # damage inside a file shows only when it is read
        if anew or readable([workspace.sessions_file]):
            raise
        anew = UNREADABLE
        counts = _write(workspace, ledger, plan, product, [])
    target = workspace.sessions_file
    _beside(target).replace(target)
    sync_folder(target.parent)
    noted = {"number": number, "stamps": stamps, "mark": mark_of(target), "derived_anew": anew}
    ledger.put_json(_SETTING, noted | {"sessions": counts[0], "set_apart": counts[1]})
    for path in (workspace.people / "changes").glob("*.parquet"):
        if path.stem.isdigit() and int(path.stem) <= number:
            path.unlink()
    return Visits(*counts, anew)


def _why_anew(
    workspace: Workspace, known: Mapping[str, Any] | None, number: int, stamps: Mapping[str, str]
) -> str:
    """Says why all sessions must be derived; empty where those of people who changed suffice."""
    if known is None:
        return FIRST
    for name, stamp in stamps.items():
        if known["stamps"].get(name) != stamp:
            return RULES[name]
    mark = mark_of(workspace.sessions_file)
    if mark is None or list(mark) != known["mark"]:
        return NOT_OURS
    changes = (changes_file(workspace, n) for n in range(known["number"] + 1, number + 1))
    return "" if known["number"] <= number and all(map(whole, changes)) else ALL_PEOPLE


def _write(
    workspace: Workspace, ledger: Ledger, plan: TrackingPlan, product: Product, changes: Sequence[int]
) -> tuple[int, int]:
    """Writes the sessions of everybody, or those of whom some changes of the people touched beside the others'."""
    con = connect(temp_directory=workspace.warehouse / "tmp")
    target = workspace.sessions_file
    temporary = literal(str(_beside(target)))
    bundles = workspace.warehouse / "tmp" / "sessions"
    try:
        with guarded("make sessions"):
            activity, sessions = _queries(con, workspace, ledger, plan, product)
            _attach_events(con, workspace, changes)
            con.execute(f"CREATE VIEW kept AS {activity}")
            found = sessions
            events = sum(ledger.rows_per_day().values())
            if events > _AT_ONCE:
                shutil.rmtree(bundles, ignore_errors=True)
                found = _found_in_bundles(con, sessions, bundles, -(-events // _AT_ONCE))
            query = found
            if changes:
                con.execute(f"CREATE TEMP VIEW found AS {found}")
                con.execute(f"CREATE TEMP VIEW known AS FROM {read_table(target)}")
                query = load(_HERE, "sessions_again.sql")
            con.execute(f"COPY ({query}) TO {temporary} (FORMAT parquet, COMPRESSION zstd)")
            counted, set_apart = con.execute(
                f"SELECT count(*) FILTER (reason IS NULL), count(reason) FROM read_parquet({temporary})"
            ).fetchall()[0]
    finally:
        con.close()
        shutil.rmtree(bundles, ignore_errors=True)
    sync_file(_beside(target))
    return int(counted), int(set_apart)


def _queries(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, plan: TrackingPlan, product: Product
) -> tuple[str, str]:
    """Writes the queries of activity and sessions over the view `events`, which `_attach_events` fills."""
    attach_lake(con, workspace, ledger)
    for name in ("actor_person", "device_spans"):
        con.execute(f"CREATE VIEW {name} AS FROM {read_table(table_file(workspace.people, name))}")
    # A log looks through all its events when it is made, which here would only cost time: the lake has no odd ones.
    con.execute(f"CREATE VIEW events AS {load(_HERE, 'events.sql')} LIMIT 0")
    log = PlannedLog((con, "events"), timezone=product.timezone, week_start=product.week_start)
    log.planned = frozenset(plan.events)
    return session_queries(session_question(product), log)


def _attach_events(con: duckdb.DuckDBPyConnection, workspace: Workspace, changes: Sequence[int]) -> None:
    """Makes the view `events` of what people did.

    Where only some changed, `touched_people` is made of them; some events of others are among theirs.
    """
    if changes:
        con.execute(
            "CREATE TEMP TABLE touched_people AS SELECT DISTINCT person FROM read_parquet($files)",
            {"files": [str(changes_file(workspace, number)) for number in changes]},
        )
        for view, table in (("people_after", "actor_person"), ("spans_after", "device_spans")):
            con.execute(f"ALTER VIEW {table} RENAME TO {view}")
        attach_members(con)
    con.execute(f"CREATE OR REPLACE VIEW events AS {load(_HERE, 'events.sql')}")


def _found_in_bundles(con: duckdb.DuckDBPyConnection, sessions: str, folder: Path, number: int) -> str:
    """Finds the sessions of one bundle of people after the other; returns a query of all, sorted by person."""
    folder.mkdir(parents=True)
    query = bind(load(_HERE, "bundled_activity.sql"), {"bundles": number})
    con.execute("SET partitioned_write_flush_threshold = 2000000")
    # Nearly every value is another one: looking for those that come again would take longer than writing them.
    options = "FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1, PARTITION_BY (bundle)"
    con.execute(f"COPY ({query}) TO {literal(str(folder))} ({options})")
    parts = []
    for bundle in range(number):
        files = folder / f"bundle={bundle}"
        if not files.exists():
            continue
        events = f"FROM read_parquet({literal(str(files / '*.parquet'))}, hive_partitioning = false)"
        con.execute(f"CREATE OR REPLACE VIEW kept AS {events}")
        parts.append(str(folder / f"sessions-{bundle}.parquet"))
        con.execute(f"COPY ({sessions}) TO {literal(parts[-1])} (FORMAT parquet, COMPRESSION lz4)")
        shutil.rmtree(files)
    # An empty list of files cannot be read: where nobody did anything, the query itself says what columns there are.
    return f"FROM read_parquet([{', '.join(map(literal, parts))}])" if parts else sessions


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def _rules_stamp(product: Product) -> str:
    rules = product.sessions.model_dump_json()
    return hashlib.sha256(f"{rules}{product.timezone}".encode()).hexdigest()[:16]
