"""The event lake: one folder a UTC day, immutable Parquet files, each event once.

Promotion writes new files first and makes them live in one ledger transaction. A file the ledger does not list does
not exist for any reader, so a killed promotion changes nothing. Of an event's copies the one with the smallest
arrival wins, then the smallest content: whatever order files come in, the same copy stays.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import identifier, literal, load, with_inputs
from headway.models.plan import SUBJECTS, TrackingPlan, load_plan
from headway_pipelines.lake.copies import CONTESTED, content, count_copies, ranking
from headway_pipelines.lake.day_files import write_day_files
from headway_pipelines.lake.integrity import KINDS
from headway_pipelines.lake.ledger import PASSED, PROMOTED, Ledger
from headway_pipelines.people.properties import smaller_ones, write_statements
from headway_pipelines.sources.config import load_sources
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_HERE = "headway_pipelines.lake"
#: A day with more files than this is written anew when it is touched: late events would splinter it.
MAX_FILES_A_DAY = 8
BASE_COLUMNS = {
    "event_id": "UUID",
    "actor": "UUID",
    "account": "UUID",
    "event": "VARCHAR",
    "occurred_at": "TIMESTAMP",
    "client_at": "TIMESTAMP",
    "received_at": "TIMESTAMP",
    "line": "UINTEGER",
    "batch": "UINTEGER",
    "source": "VARCHAR",
    "traffic": "VARCHAR",
}
"""Columns every lake row has, whatever the plan."""

_FLUSHED_AT_ONCE = 8

#: So many files of links are read side by side; then they become one.
MAX_LINK_FILES = 8

LINK_COLUMNS = {
    "batch": "UINTEGER",
    "device": "UUID",
    "other": "UUID",
    "person_actor": "UUID",
    "first_at": "TIMESTAMP",
    "last_at": "TIMESTAMP",
    "logout_at": "TIMESTAMP",
}
"""Columns of the links between devices and users. What they mean is told in ``privacy/links.sql``."""


def lake_columns(plan: TrackingPlan) -> dict[str, str]:
    """The lake's columns under a plan.

    Args:
        plan: The tracking plan.

    Returns:
        Column name -> DuckDB type.
    """
    return BASE_COLUMNS | {name: column.sql_type for name, column in plan.columns().items()}


def attach_lake(con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger) -> None:
    """Gives a connection the views `lake` and `links` over the live files.

    Args:
        con: A connection.
        workspace: The workspace.
        ledger: Its ledger, which says what is live.
    """
    con.execute(f"CREATE OR REPLACE VIEW lake AS {lake_query(workspace, ledger)}")
    con.execute(f"CREATE OR REPLACE VIEW links AS {link_query(workspace, ledger.lake_files('links'))}")


def lake_query(workspace: Workspace, ledger: Ledger) -> str:
    """A SELECT over the live event files, for a view that outlives the connection.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        The query text, with absolute paths.
    """
    return event_query(workspace, ledger.lake_files("events"))


def event_query(workspace: Workspace, files: Iterable[str]) -> str:
    """A SELECT over files of events.

    Args:
        workspace: The workspace.
        files: Paths below the warehouse.

    Returns:
        The query text, with absolute paths.
    """
    columns = lake_columns(load_plan(workspace.plan_file))
    return _scan([workspace.warehouse / path for path in files], columns)


def link_query(workspace: Workspace, files: Iterable[str]) -> str:
    """A SELECT over files of links.

    Args:
        workspace: The workspace.
        files: Paths below the warehouse.

    Returns:
        The query text, with absolute paths.
    """
    return _scan([workspace.warehouse / path for path in files], LINK_COLUMNS)


def _scan(files: list[Path], columns: dict[str, str]) -> str:
    names = ", ".join(identifier(c) for c in columns)
    if not files:
        empty = ", ".join(f"NULL::{kind} AS {identifier(c)}" for c, kind in columns.items())
        return f"SELECT {empty} LIMIT 0"
    paths = f"[{', '.join(literal(str(f)) for f in files)}]"
    return f"SELECT {names} FROM read_parquet({paths}, hive_partitioning = false)"


def promote(workspace: Workspace, ledger: Ledger, *, memory_limit: str | None = None) -> dict[str, int]:
    """Moves the staged batches that passed their checks into the lake, each event once.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        memory_limit: What DuckDB may use before it spills to disk, for example ``"2GB"``; None takes its default.

    Returns:
        The UTC days whose folder changed -> rows the day has now.
    """
    passed = [b.batch for b in ledger.batches(PASSED)]
    groups = ledger.groups(passed)
    if not passed:
        return {}
    workspace.lake.mkdir(parents=True, exist_ok=True)
    incoming = workspace.lake / f".incoming-{secrets.token_hex(4)}"
    spill = workspace.warehouse / "tmp"
    con = connect(temp_directory=spill, memory_limit=memory_limit)
    try:
        attach_lake(con, workspace, ledger)
        with guarded("bring staged events into the lake"):
            rewritten = _choose(con, workspace, ledger, groups, passed)
            added = _write_days(con, workspace, incoming, groups, rewritten)
            links = _write_links(con, workspace, ledger)
            statements = write_statements(con, workspace, groups, passed)
            copies, contested = count_copies(con, workspace, ledger)
            days = sorted({day for day, _ in added.values()} | set(rewritten))
    finally:
        con.close()
        shutil.rmtree(incoming, ignore_errors=True)
        shutil.rmtree(spill, ignore_errors=True)
    replaced = [p for p, day in ledger.lake_files().items() if day in rewritten]
    with ledger.transaction():
        ledger.swap_files("events", added, replaced)
        ledger.swap_files("links", links, [])
        for subject, said in statements.items():
            ledger.swap_files(subject, said, [])
        if contested:
            ledger.swap_files(CONTESTED, contested, list(ledger.lake_files(CONTESTED)))
        for batch, account in copies.items():
            ledger.add_account(batch, account)
        ledger.move(passed, PROMOTED)
    for group in set(groups) - ledger.waiting_groups():
        shutil.rmtree(workspace.staging / group, ignore_errors=True)
    rows = ledger.rows_per_day()
    return {day: rows.get(day, 0) for day in days}


def _choose(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, groups: list[str], passed: list[int]
) -> list[str]:
    """Makes `candidates` and `ranked` (copies of repeated events, best first); returns the days to write whole."""
    paths = [str(workspace.staging / g / "events.parquet") for g in groups]
    batches = ", ".join(str(int(b)) for b in passed)
    con.execute(
        f"CREATE VIEW candidates AS SELECT * FROM read_parquet([{', '.join(map(literal, paths))}], "
        f"hive_partitioning = false, file_row_number = true, filename = 'from:file') WHERE batch IN ({batches})"
    )
    columns = lake_columns(load_plan(workspace.plan_file))
    sources = load_sources(workspace)
    text = load(_HERE, "ranked_copies.sql").replace("/* order */", ranking(sources, columns))
    con.execute(load(_HERE, "repeated_ids.sql"))
    con.execute(text.replace("/* content */", content(sources, columns)))
    losing = con.execute(
        "SELECT DISTINCT CAST(occurred_at AS DATE)::VARCHAR FROM ranked WHERE is_live AND rank > 1"
    ).fetchall()
    crowded = {
        day for day, files in Counter(ledger.lake_files().values()).items() if files >= MAX_FILES_A_DAY
    }
    if crowded:
        touched = con.execute("SELECT DISTINCT CAST(occurred_at AS DATE)::VARCHAR FROM candidates").fetchall()
        crowded &= {day for (day,) in touched}
    return sorted(crowded | {day for (day,) in losing})


def _write_days(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    incoming: Path,
    groups: Sequence[str],
    rewritten: list[str],
) -> dict[str, tuple[str, int]]:
    columns = lake_columns(load_plan(workspace.plan_file))
    staged = [workspace.staging / group / "events.parquet" for group in groups]
    added: dict[str, tuple[str, int]] = {}
    for day, (source, rows) in write_day_files(con, incoming, staged, columns, rewritten).items():
        target = workspace.lake / f"day={day}" / f"{secrets.token_hex(6)}.parquet"
        target.parent.mkdir(exist_ok=True)
        source.rename(target)
        added[target.relative_to(workspace.warehouse).as_posix()] = (day, rows)
    # All at once: what is flushed together is written together.
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as pool:
        list(pool.map(sync_folder, [(workspace.warehouse / path).parent for path in added]))
    return added


def _write_links(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger
) -> dict[str, tuple[str, int]]:
    """Adds a file with the new links."""
    passed = ", ".join(str(b.batch) for b in ledger.batches(PASSED))
    return _link_file(
        con,
        workspace,
        f"FROM ({_scan(_staged_links(workspace, ledger), LINK_COLUMNS)}) WHERE batch IN ({passed})",
    )


def merge_links(workspace: Workspace, ledger: Ledger) -> tuple[dict[str, tuple[str, int]], list[str]]:
    """Makes one file of many files of links; a file that is larger by far than the others together stays.

    Done after people were derived and not before: which links are new is told from which files are.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        New and replaced files, as `Ledger.swap_files` takes them; nothing where there are few.
    """
    files = list(ledger.lake_files("links"))
    if len(files) <= MAX_LINK_FILES:
        return {}, []
    small = smaller_ones(workspace, files)
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        with guarded("merge files of links"):
            return _link_file(con, workspace, link_query(workspace, small)), small
    finally:
        con.close()


def _link_file(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, linked: str
) -> dict[str, tuple[str, int]]:
    query = with_inputs(load(_HERE, "merged_links.sql"), {"linked": linked})
    workspace.people.mkdir(parents=True, exist_ok=True)
    target = workspace.people / f"links-{secrets.token_hex(6)}.parquet"
    con.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
    sync_file(target)
    sync_folder(target.parent)
    return {target.relative_to(workspace.warehouse).as_posix(): ("", 0)}


def _staged_links(workspace: Workspace, ledger: Ledger) -> list[Path]:
    groups = ledger.groups(b.batch for b in ledger.batches(PASSED))
    return [workspace.staging / g / "links.parquet" for g in groups]


def collect_garbage(workspace: Workspace, ledger: Ledger) -> int:
    """Deletes files of the warehouse that no reader can reach any more.

    Called after publishing, when the explore database shows the new files.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Number of files deleted.
    """
    derived = ("links", *SUBJECTS)
    live = {workspace.warehouse / p for kind in KINDS for p in ledger.lake_files(kind)}
    dead = [p for p in workspace.lake.glob("day=*/*.parquet") if p not in live]
    dead += [p for kind in derived for p in workspace.people.glob(f"{kind}-*.parquet") if p not in live]
    dead += [p for p in workspace.lake.glob(f"{CONTESTED}-*.parquet") if p not in live]
    for path in dead:
        path.unlink()
    for folder in workspace.lake.glob("*"):
        if folder.name.startswith(".incoming-"):
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return len(dead)


def repeated_events(workspace: Workspace, ledger: Ledger, *, memory_limit: str | None = None) -> int:
    """Counts event ids that occur more than once in the lake; there should be none.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        memory_limit: As for `promote`.

    Returns:
        Number of surplus rows.
    """
    con = connect(temp_directory=workspace.warehouse / "tmp", memory_limit=memory_limit)
    try:
        attach_lake(con, workspace, ledger)
        with guarded("look for repeated events"):
            return int(con.execute("SELECT count(*) - count(DISTINCT event_id) FROM lake").fetchall()[0][0])
    finally:
        con.close()


def pending_days(workspace: Workspace, ledger: Ledger) -> list[str]:
    """The UTC days that batches which passed will touch, from the staged files' own columns.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        ISO dates, sorted.
    """
    passed = [b.batch for b in ledger.batches(PASSED)]
    paths = [workspace.staging / g / "events.parquet" for g in ledger.groups(passed)]
    if not paths:
        return []
    con = connect()
    try:
        with guarded("list the staged days"):
            days = con.execute(
                "SELECT DISTINCT CAST(occurred_at AS DATE)::VARCHAR AS day FROM read_parquet($paths) "
                "WHERE list_contains($passed, batch::BIGINT) ORDER BY day",
                {"paths": [str(p) for p in paths], "passed": passed},
            ).fetchall()
    finally:
        con.close()
    return [day for (day,) in days]
