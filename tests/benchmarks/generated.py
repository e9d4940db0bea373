"""What the benchmarks' logs have in common: they are computed, the same in every run, and no raw log is read."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def number(*of: object) -> str:
    """Writes a number from 0 to below 1 that looks like chance and is the same in every run.

    Args:
        of: SQL expressions that it depends on.

    Returns:
        SQL text.
    """
    return f"(hash({', '.join(map(str, of))}) / 18446744073709551616.0)"


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Writes a query's rows as a Parquet file, its folder, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def add_file(root: Path, kind: str, query: str, folder: str, label: str, rows: int) -> None:
    """Adds a file to a workspace's warehouse, as a run would.

    Args:
        root: The workspace.
        kind: What the ledger calls such files: ``events`` or ``links``.
        query: The rows.
        folder: Below the warehouse.
        label: The day the ledger notes, if any.
        rows: How many rows the ledger notes.
    """
    from headway.engine import connect
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    path = workspace.warehouse / folder / f"{kind}-{secrets.token_hex(6)}.parquet"
    ledger = Ledger(workspace.ledger_file)
    with connect() as con:
        write(con, query, path)
    with ledger.transaction():
        ledger.swap_files(kind, {path.relative_to(workspace.warehouse).as_posix(): (label, rows)}, [])
    ledger.close()
