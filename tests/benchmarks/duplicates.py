"""What it costs to keep each event once: promotion beside a lake of many keys, under a memory limit.

The lake and the staged events are generated, not read from raw logs. Every figure is a whole process's wall time and
peak memory, measured from outside.

* day     a day's events, half of them copies of events all over the lake, brought into a lake of --keys events
* first   --keys events at once into an empty lake, one in ten of them twice
* check   the check that the lake holds no event twice
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from ingest import Measured, measure

from headway.engine import connect
from headway_pipelines.lake.ledger import PASSED, PROMOTED, Account, Batch, Ledger
from headway_pipelines.lake.promote import LINK_COLUMNS, promote, repeated_events
from headway_pipelines.workspace import Workspace

DAYS = 60
PLAN = """
version: 1
product: bench
defaults: {purpose: bench, owner: bench, retention: 25 months}
events:
  Viewed:
    properties:
      amount: {class: number}
      plan: {class: enum, values: [free, pro]}
"""
ROW = """
    md5({number}::VARCHAR)::UUID AS event_id,
    md5('actor' || {number} % 1000000)::UUID AS actor,
    NULL::UUID AS account,
    'Viewed' AS event,
    TIMESTAMP '2026-01-01' + to_milliseconds(({number} * {step})::BIGINT) AS occurred_at,
    TIMESTAMP '2026-01-01' + to_milliseconds(({number} * {step})::BIGINT) AS client_at,
    TIMESTAMP '2026-01-01' + to_milliseconds(({number} * {step})::BIGINT + {late}) AS received_at,
    ({number} % 1000000)::UINTEGER AS line,
    {batch}::UINTEGER AS batch,
    'segment' AS source,
    NULL::VARCHAR AS traffic,
    ({number} % 997)::DOUBLE AS amount,
    CASE WHEN {number} % 3 = 0 THEN 'pro' ELSE 'free' END AS plan
"""


def row(number: str, keys: int, *, batch: int, late: int = 0) -> str:
    """One event's columns; the same number is the same event. `keys` of them fill the days."""
    return ROW.format(number=number, late=late, batch=batch, step=f"({DAYS} * 86400000.0 / {keys})")


def new_workspace(root: Path) -> Workspace:
    """A workspace without events."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "raw").mkdir(parents=True)
    (root / "tracking_plan.yml").write_text(PLAN)
    (root / "product.yml").write_text("name: Bench\ntimezone: UTC\ncurrency: EUR\nactivity: Viewed\n")
    workspace = Workspace.at(root)
    for folder in (workspace.lake, workspace.people, workspace.staging):
        folder.mkdir(parents=True)
    return workspace


def fill_lake(workspace: Workspace, keys: int) -> None:
    """Writes the live files of a lake, one a day."""
    con, ledger = connect(), Ledger(workspace.ledger_file)
    batch = _batch(ledger, "lake", PROMOTED)
    for day in range(DAYS):
        name = str(date(2026, 1, 1) + timedelta(days=day))
        first, after = (-(-keys * each // DAYS) for each in (day, day + 1))
        path = workspace.lake / f"day={name}" / "a.parquet"
        path.parent.mkdir()
        con.execute(
            f"COPY (SELECT {row('i', keys, batch=batch)} FROM range({first}, {after}) t(i)) "
            f"TO '{path}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )
        with ledger.transaction():
            live = {path.relative_to(workspace.warehouse).as_posix(): (name, after - first)}
            ledger.swap_files("events", live, [])
    ledger.close()
    con.close()


def stage(workspace: Workspace, numbers: str, keys: int, late: int) -> None:
    """Writes a batch that has passed its checks."""
    con, ledger = connect(), Ledger(workspace.ledger_file)
    batch = _batch(ledger, f"staged {late}", PASSED)
    group = workspace.staging / f"group{batch}"
    group.mkdir()
    con.execute(
        f"COPY (SELECT {row('i', keys, batch=batch, late=late)} FROM ({numbers}) t(i)) "
        f"TO '{group}/events.parquet' (FORMAT parquet, COMPRESSION snappy)"
    )
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in LINK_COLUMNS.items())
    con.execute(f"COPY (SELECT {empty} LIMIT 0) TO '{group}/links.parquet' (FORMAT parquet)")
    with ledger.transaction():
        ledger.add_group(group.name, [batch])
        events = con.execute(f"SELECT count(*) FROM ({numbers})").fetchall()[0][0]
        ledger.add_account(batch, Account(events, events, {"event": events}))
    ledger.close()
    con.close()


def _batch(ledger: Ledger, name: str, state: str) -> int:
    with ledger.transaction():
        return ledger.open_batch(Batch(0, name, name, 0, 0, name, "segment", state))


def bring_in(workspace: Workspace, memory: str) -> None:
    """Promotes what is staged; run in a process of its own."""
    ledger = Ledger(workspace.ledger_file)
    promote(workspace, ledger, memory_limit=memory)
    counts = {each["outcome"]: each["lines"] for each in ledger.outcomes()}
    print(f"    rows in the lake: {sum(ledger.rows_per_day().values()):,}; {counts}")
    ledger.close()


def check(workspace: Workspace, memory: str) -> None:
    """Looks for events that are in the lake twice; run in a process of its own."""
    ledger = Ledger(workspace.ledger_file)
    print(f"    repeated events: {repeated_events(workspace, ledger, memory_limit=memory)}")
    ledger.close()


_WORKERS = {"day": bring_in, "first": bring_in, "check": check}


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=1_000_000, help="events in the lake")
    parser.add_argument("--day", type=int, default=50_000, help="events of the new day")
    parser.add_argument("--memory", default="1GB", help="DuckDB's memory limit")
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("worker", nargs="?", choices=list(_WORKERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _WORKERS[options.worker](Workspace.at(options.root), options.memory)
        return
    keys, day = options.keys, options.day
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {keys:,} keys, limit {options.memory}"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bench"
        workspace = new_workspace(root)
        fill_lake(workspace, keys)
        old = f"SELECT i * {keys // (day // 2)} FROM range({day // 2}) t(i)"
        new = f"SELECT {keys} + i FROM range({day // 2}) t(i)"
        stage(workspace, f"{old} UNION ALL {new}", keys, 5000)
        measured = {name: _measured(name, root, options.memory) for name in ("day", "check")}
        workspace = new_workspace(root)
        stage(workspace, f"FROM range({keys})", keys, 0)
        stage(workspace, f"SELECT i * 10 FROM range({keys // 10}) t(i)", keys, 5000)
        measured["first"] = _measured("first", root, options.memory)
    print(f"{'':8}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}")
    for name, each in measured.items():
        print(f"{name:8}{each.wall:9.1f}{each.cpu:9.1f}{each.peak_mb:9.0f}")


def _measured(name: str, root: Path, memory: str) -> Measured:
    print(f"  {name}")
    return measure(
        [sys.executable, __file__, name, "--root", str(root), "--memory", memory], dict(os.environ)
    )


if __name__ == "__main__":
    main()
