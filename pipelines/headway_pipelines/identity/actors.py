"""Who did something, and since when: kept beside the lake file by file, so that only new files are read."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb

from headway.engine.sql import bind, literal, load, with_inputs
from headway_pipelines.lake.integrity import whole
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.workspace import Workspace, sync_file

_HERE = "headway_pipelines.identity"


def attach_actors(con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger) -> None:
    """Makes the temporary table `actors(actor, first_at)` over the live event files.

    A lake file never changes, so neither does the list of its actors; one that is missing or damaged is made.

    Args:
        con: A connection.
        workspace: The workspace.
        ledger: Its ledger, which says which files are live.
    """
    lists = _lists(con, workspace, ledger.lake_files("events"))
    con.execute("CREATE OR REPLACE TEMP TABLE actors (actor UUID, first_at TIMESTAMP)")
    if lists:
        con.execute(f"INSERT INTO actors {load(_HERE, 'actors.sql')}", {"files": lists})


def attach_moved_actors(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, before: Collection[str], now: Collection[str]
) -> bool:
    """Finds who did something that is new, or no longer did what was known.

    Makes the temporary tables `active(actor)`, `actors_now(actor, first_at)` of the active, and `moved_actors(actor)`:
    those among them that are new, gone or known since another instant.

    Args:
        con: A connection with `earlier_actors(actor, first_at)`.
        workspace: The workspace.
        before: Event files as of `earlier_actors`, below the warehouse.
        now: Live event files, below the warehouse.

    Returns:
        False where this cannot be told, because files that are no longer live are gone.
    """
    added, removed = sorted(set(now) - set(before)), sorted(set(before) - set(now))
    fresh = _lists(con, workspace, added)
    known = f"FROM earlier_actors UNION ALL FROM {_read(fresh)}" if fresh else "FROM earlier_actors"
    if not removed:
        _table(
            con,
            "active",
            load(_HERE, "active.sql") if fresh else "SELECT actor FROM earlier_actors LIMIT 0",
            fresh,
        )
    else:
        dead = [workspace.warehouse / path for path in removed]
        if not added or not all(path.exists() for path in dead):
            return False
        files = {"added": [str(workspace.warehouse / p) for p in added], "removed": [str(p) for p in dead]}
        con.execute(f"CREATE OR REPLACE TEMP TABLE active AS {load(_HERE, 'changed_actors.sql')}", files)
        known = f"FROM {_read(_lists(con, workspace, now))}"
    _table(con, "actors_now", with_inputs(load(_HERE, "actors_now.sql"), {"known": known}))
    _table(con, "moved_actors", load(_HERE, "moved_actors.sql"))
    return True


def forget_lists(workspace: Workspace, ledger: Ledger, *, all_of_them: bool = False) -> None:
    """Deletes lists of files that are no longer live.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        all_of_them: Whether the others go too, because another version of Headway made them.
    """
    folder = workspace.people / "actors"
    if all_of_them:
        shutil.rmtree(folder, ignore_errors=True)
    live = {Path(p).name for p in ledger.lake_files("events")}
    for path in folder.glob("*"):
        if path.name not in live:
            path.unlink()


def _lists(con: duckdb.DuckDBPyConnection, workspace: Workspace, files: Iterable[str]) -> list[str]:
    """The lists of some files, those made that are missing or damaged."""
    folder = workspace.people / "actors"
    folder.mkdir(parents=True, exist_ok=True)
    lists = {folder / Path(path).name: workspace.warehouse / path for path in sorted(files)}
    for target, lake_file in lists.items():
        if not whole(target):
            _list_actors(con, lake_file, target)
    return [str(path) for path in lists]


def _list_actors(con: duckdb.DuckDBPyConnection, lake_file: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}")
    query = bind(load(_HERE, "file_actors.sql"), {"file": str(lake_file)})
    con.execute(f"COPY ({query}) TO {literal(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
    sync_file(temporary)
    temporary.replace(target)


def _read(files: list[str]) -> str:
    return f"read_parquet([{', '.join(map(literal, files))}], hive_partitioning = false)"


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str, files: list[str] | None = None) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", {"files": files} if files else None)
