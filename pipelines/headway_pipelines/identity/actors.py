"""Who did something, and since when: kept beside the lake file by file, so that only new files are read."""

from __future__ import annotations

from pathlib import Path

import duckdb

from headway.engine.sql import bind, literal, load
from headway_pipelines.integrity import whole
from headway_pipelines.ledger import Ledger
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
    folder = workspace.people / "actors"
    folder.mkdir(parents=True, exist_ok=True)
    live = {folder / Path(p).name: workspace.warehouse / p for p in ledger.lake_files("events")}
    known = {path for path in folder.iterdir() if whole(path)}
    for target in sorted(set(live) - known):
        _list_actors(con, live[target], target)
    for dead in set(folder.iterdir()) - set(live):
        dead.unlink()
    con.execute("CREATE OR REPLACE TEMP TABLE actors (actor UUID, first_at TIMESTAMP)")
    if live:
        files = {"files": [str(path) for path in sorted(live)]}
        con.execute(f"INSERT INTO actors {load(_HERE, 'actors.sql')}", files)


def _list_actors(con: duckdb.DuckDBPyConnection, lake_file: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}")
    query = bind(load(_HERE, "file_actors.sql"), {"file": str(lake_file)})
    con.execute(f"COPY ({query}) TO {literal(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
    sync_file(temporary)
    temporary.replace(target)
