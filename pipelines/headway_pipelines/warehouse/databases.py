"""Writing whole database files: built beside the old one, documented, then renamed over it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import duckdb
import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import identifier, literal
from headway_pipelines.publishing.comments import COLUMN_COMMENTS, OWN_COLUMNS, TABLE_COMMENTS
from headway_pipelines.workspace import sync_file, sync_folder


def replace_database(
    path: Path,
    tables: Mapping[str, pl.DataFrame],
    *,
    views: Mapping[str, str] | None = None,
    finish: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    comments: bool = False,
    view_comments: Mapping[str, str] | None = None,
    mode: int = 0o600,
) -> None:
    """Builds a database file from frames and puts it in place of the old one.

    A new file holds nothing but these cells: a database file that is changed keeps old values in freed pages.
    Readers of the old file keep reading it.

    Args:
        path: The database file.
        tables: Table name -> rows.
        views: View name -> query, made after the tables.
        finish: Called with the connection after tables and views are there, for what else belongs into the file.
        comments: Whether every table and column must be documented in the file itself.
        view_comments: View name -> what one row is, where that depends on definitions.
        mode: Permissions of the file.

    Raises:
        EngineError: The file cannot be written.
        KeyError: A comment is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        con = connect(temporary)
        try:
            with guarded(f"write {path.name}"):
                for name, frame in tables.items():
                    con.register("frame", frame.to_arrow())
                    con.execute(f"CREATE TABLE {identifier(name)} AS FROM frame")
                    con.unregister("frame")
                for name, query in (views or {}).items():
                    con.execute(f"CREATE VIEW {identifier(name)} AS {query}")
                if finish is not None:
                    finish(con)
                if comments:
                    con.execute("BEGIN")
                    for statement in _comments(con.execute(_COLUMNS).fetchall(), view_comments or {}):
                        con.execute(statement)
                    con.execute("COMMIT")
                # Closing would write the file too, but says nothing when the disk is full.
                con.execute("CHECKPOINT")
        finally:
            con.close()
        temporary.chmod(mode)
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        for leftover in path.parent.glob(f"{temporary.name}*"):
            leftover.unlink()


_COLUMNS = """
SELECT table_name, internal_kind, column_name FROM (
    SELECT table_name, 'TABLE' AS internal_kind FROM duckdb_tables()
    UNION ALL SELECT view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal
) JOIN duckdb_columns() USING (table_name)
ORDER BY ALL
"""


def _comments(columns: Iterable[tuple[str, str, str]], view_comments: Mapping[str, str]) -> Iterable[str]:
    meanings = {**TABLE_COMMENTS, **view_comments}
    seen = set()
    for table, kind, column in columns:
        if table not in seen:
            seen.add(table)
            yield f"COMMENT ON {kind} {identifier(table)} IS {literal(meanings[table])}"
        text = COLUMN_COMMENTS.get(f"{table}.{column}") or COLUMN_COMMENTS.get(column)
        if column not in OWN_COLUMNS.get(table, [column]):
            text = "Property declared in the tracking plan."
        if text is None:
            raise KeyError(f"{table}.{column} has no comment")
        yield f"COMMENT ON COLUMN {identifier(table)}.{identifier(column)} IS {literal(text)}"
