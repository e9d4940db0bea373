"""Reading whole tables of database files; every command may do so, so this imports next to nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from headway.engine import connect


def tables_of(path: Path, only: tuple[str, ...] | None = None) -> dict[str, pl.DataFrame]:
    """Reads tables of a database file.

    Args:
        path: The file.
        only: Names of those to read, as far as there are any; None for all.

    Returns:
        Table name -> rows.
    """
    con = connect(path, read_only=True)
    try:
        names = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        return {name: con.table(name).pl() for name in names if only is None or name in only}
    finally:
        con.close()
