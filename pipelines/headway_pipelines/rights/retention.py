"""Retention: what is older than the plan keeps is written away, file by file, and does not come back.

Which days are gone is kept in ``state/``, so that the gate drops what is older when logs are read again. Values of
metrics over periods that begin before are kept as they were: they are numbers about groups, and computed again from
what is left they would change without a reason anybody could see.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import bind, literal, load
from headway.models.durations import parse_retention
from headway.models.plan import SUBJECTS, load_plan
from headway_pipelines.lake.day_files import FORMAT
from headway_pipelines.lake.ledger import BLOCKED, Account, Ledger
from headway_pipelines.rights.journal import RETENTION, receipts_folder
from headway_pipelines.rights.kept_values import keep_values
from headway_pipelines.rights.limits import limits_in_force, limits_on, put_limits_in_force
from headway_pipelines.sources.shape import EXPIRED
from headway_pipelines.workspace import Workspace, sync_file, sync_folder, write_atomically

_HERE = "headway_pipelines.rights"
_COMPACT = "(FORMAT parquet, COMPRESSION zstd)"


@dataclass(frozen=True)
class Expired:
    """What was written away.

    Attributes:
        events: Events.
        days: UTC days whose files changed.
        statements: Statements about people and accounts.
        links: Links between devices and users.
        held_back: Batches whose staged rows were deleted.
    """

    events: int = 0
    days: tuple[str, ...] = ()
    statements: int = 0
    links: int = 0
    held_back: int = 0


def expire(workspace: Workspace, ledger: Ledger, *, today: date | None = None) -> Expired:
    """Writes away what is older than the tracking plan keeps.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        today: The present day, UTC.

    Returns:
        What was written away; nothing where the plan enforces no limit.
    """
    plan, day = load_plan(workspace.plan_file), today or _today()
    if plan.limits is None:
        return Expired()
    held_back = _held_back(workspace, ledger, plan.limits.held_back, day)
    if plan.limits.events == "off":
        return Expired(held_back=held_back)
    limits = limits_on(plan, limits_in_force(workspace), day)
    stamp = {name: first.isoformat() for name, first in limits.items()}
    known = ledger.get_json(RETENTION)
    if known is not None and known["limits"] == stamp:
        return Expired(held_back=held_back)
    keep_values(workspace, max(first for name, first in limits.items() if name))
    # The state first: a killed run writes away again what the gate lets in no more.
    put_limits_in_force(workspace, limits)
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        with guarded("write expired rows away"):
            done = _write_away(con, workspace, ledger, limits, {"on": day.isoformat(), "limits": stamp})
    finally:
        con.close()
    if done.events or done.statements or done.links:
        # What is kept of values stands on what went.
        shutil.rmtree(workspace.kept, ignore_errors=True)
        _receipt(workspace, done, day)
    return Expired(done.events, done.days, done.statements, done.links, held_back)


def _write_away(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    limits: Mapping[str, date],
    noted: Mapping[str, object],
) -> Expired:
    rows = {"event": list(limits), "first_day": list(limits.values())}
    con.register("limits", pl.DataFrame(rows, {"event": pl.String, "first_day": pl.Date}).to_arrow())
    latest = max(first for name, first in limits.items() if name).isoformat()
    live = ledger.lake_files("events")
    old = {str(workspace.warehouse / path): path for path, day in live.items() if day < latest}
    found = con.execute(load(_HERE, "expired_rows.sql"), {"files": list(old)}).fetchall() if old else []
    added: dict[str, tuple[str, int]] = {}
    for file in sorted({file for file, _, _ in found}):
        added |= _without_expired(con, workspace, Path(file), live[old[file]])
    before = datetime.combine(limits[""], datetime.min.time())
    links, gone_links = _filtered(
        con, workspace, ledger, "links", "coalesce(last_at, logout_at, first_at)", before
    )
    statements = {kind: _filtered(con, workspace, ledger, kind, "valid_from", before) for kind in SUBJECTS}
    with ledger.transaction():
        ledger.swap_files("events", added, sorted({old[file] for file, _, _ in found}))
        replaced: dict[str, dict[str, str]] = {"links": links}
        replaced |= {kind: files for kind, (files, _) in statements.items()}
        for kind, files in replaced.items():
            ledger.swap_files(kind, dict.fromkeys(files.values(), ("", 0)), list(files))
        for _, batch, n in found:
            ledger.add_account(batch, Account(outcomes={"event": -n, EXPIRED: n}))
        ledger.put_json(RETENTION, noted)
    days = tuple(sorted({live[old[file]] for file, _, _ in found}))
    return Expired(sum(n for _, _, n in found), days, sum(n for _, n in statements.values()), gone_links)


def _without_expired(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, file: Path, day: str
) -> dict[str, tuple[str, int]]:
    target = file.with_name(f"{secrets.token_hex(6)}.parquet")
    query = (
        f"SELECT l.* FROM read_parquet({literal(str(file))}, hive_partitioning = false) l "
        "ANTI JOIN limits k ON k.event = l.event AND l.occurred_at < k.first_day"
    )
    rows = con.execute(f"COPY ({query}) TO {literal(str(target))} {FORMAT}").fetchall()[0][0]
    if not rows:
        target.unlink()
        return {}
    sync_file(target)
    sync_folder(target.parent)
    return {target.relative_to(workspace.warehouse).as_posix(): (day, int(rows))}


def _filtered(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    kind: str,
    moment: str,
    before: datetime,
) -> tuple[dict[str, str], int]:
    """Writes files of a kind without old rows; returns old file -> new file, and how many rows went."""
    files: dict[str, str] = {}
    gone = 0
    for path in ledger.lake_files(kind):
        source = f"read_parquet({literal(str(workspace.warehouse / path))}, hive_partitioning = false)"
        old = bind(f"coalesce({moment} < $before, FALSE)", {"before": before})
        n = int(con.execute(f"SELECT count(*) FROM {source} WHERE {old}").fetchall()[0][0])
        if n:
            target = workspace.people / f"{kind}-{secrets.token_hex(6)}.parquet"
            con.execute(f"COPY (FROM {source} WHERE NOT {old}) TO {literal(str(target))} {_COMPACT}")
            sync_file(target)
            sync_folder(target.parent)
            files[path] = target.relative_to(workspace.warehouse).as_posix()
            gone += n
    return files, gone


def _held_back(workspace: Workspace, ledger: Ledger, limit: str | None, today: date) -> int:
    """Deletes staged rows of batches that are held back for too long; the batches stay on the list."""
    if limit is None:
        return 0
    first = parse_retention(limit).before(today)
    groups = ledger.groups(b.batch for b in ledger.batches(BLOCKED))
    only = set(groups) - set(
        ledger.groups(b.batch for b in ledger.batches() if b.state not in (BLOCKED, "promoted"))
    )
    deleted = 0
    for name in only:
        folder = workspace.staging / name
        if folder.is_dir() and _day(folder.stat().st_mtime) < first:
            shutil.rmtree(folder)
            deleted += 1
    return deleted


def expire_raw(workspace: Workspace, ledger: Ledger) -> int:
    """Deletes raw files that were read and are older than the plan lets them lie there; off unless the plan says so.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Number of files deleted. What a link below ``raw/`` points at elsewhere is left. A file is as old as the time
        since it landed: a copy may bear the date of the log that it is a copy of.
    """
    from headway_pipelines.ingest import landed, path_id
    from headway_pipelines.lake.ledger import PROMOTED
    from headway_pipelines.privacy.keys import load_key

    limits = load_plan(workspace.plan_file).limits
    if limits is None or limits.raw is None:
        return 0
    first, key = parse_retention(limits.raw).before(_today()), load_key(workspace, create=False)
    read = {b.path_id for b in ledger.batches(PROMOTED)}
    deleted = 0
    for file in landed(workspace):
        stat = file.path.stat()
        old = _day(max(stat.st_mtime, stat.st_ctime)) < first
        inside = file.path.resolve().is_relative_to(workspace.raw.resolve())
        if old and inside and path_id(key, file.relative) in read:
            file.path.unlink()
            deleted += 1
    return deleted


def expire_history(workspace: Workspace) -> int:
    """Deletes runs of Dagster, and all it noted of them, that are older than the plan keeps them.

    Args:
        workspace: The workspace.

    Returns:
        Number of runs deleted.
    """
    limits = load_plan(workspace.plan_file).limits
    if limits is None or limits.dagster_history is None:
        return 0
    import dagster as dg

    first = parse_retention(limits.dagster_history).before(_today())
    until = datetime.combine(first, datetime.min.time(), UTC)
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs(filters=dg.RunsFilter(created_before=until))
        done = [run for run in runs if run.is_finished]
        for run in done:
            instance.delete_run(run.run_id)
            shutil.rmtree(workspace.dagster_home / "storage" / run.run_id, ignore_errors=True)
    if done:
        _without_traces(workspace, {run.run_id for run in done})
    return len(done)


def _without_traces(workspace: Workspace, runs: set[str]) -> None:
    """Deletes the databases of runs, and writes those of all runs anew: deleted rows stay in their freed pages."""
    for path in sorted(workspace.dagster_home.rglob("*.db")):
        if path.stem in runs:
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink()
            continue
        # Somebody else may be writing: then the night after does it.
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, timeout=5)) as con:
            con.execute("VACUUM")
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def sweep_limits(workspace: Workspace, ledger: Ledger) -> dict[str, int]:
    """Deletes what is too old outside the warehouse's tables: runs of Dagster and, where asked for, raw files.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Counts by name.
    """
    return {"runs_deleted": expire_history(workspace), "raw_files_deleted": expire_raw(workspace, ledger)}


def _receipt(workspace: Workspace, done: Expired, day: date) -> None:
    folder = receipts_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + len(list(folder.glob("retention-*.json")))
    told = {"on": day.isoformat(), "events": done.events, "days": len(done.days)}
    content = json.dumps(told | {"statements": done.statements, "links": done.links}, indent=2)
    path = folder / f"retention-{number:06d}.json"
    write_atomically(path, content + "\n")
    path.chmod(0o600)


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _today() -> date:
    return datetime.now(UTC).date()
