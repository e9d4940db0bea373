"""Where a log's events come from: frames, files, relations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
from sqlglot import exp
from sqlglot.errors import ParseError

from headway.engine import bind, connect, guarded, identifier, load
from headway.engine.sql import DIALECT
from headway.errors import InputError

LINE = "line"
_RELATION = "events"


class Opened(NamedTuple):
    """A connection of the log's own and the relation in it.

    Attributes:
        connection: Closed by the log.
        relation: Quoted name of the relation with the events.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str


Source = (
    pl.DataFrame
    | pl.LazyFrame
    | str
    | Path
    | Sequence[str | Path]
    | duckdb.DuckDBPyRelation
    | tuple[duckdb.DuckDBPyConnection, str]
    | Opened
)


def opened(source: Source) -> Opened:
    """Makes events readable through a DuckDB connection.

    Rows of frames and files that have no column ``line`` get one: the order of events with equal times.

    Args:
        source: A Polars frame, a Parquet path, glob or list of them, a DuckDB relation, or a connection and the
            name of a relation in it.

    Returns:
        The connection to query and the relation's name.

    Raises:
        InputError: The source is none of these, or a path does not exist.
        EngineError: DuckDB cannot read it.

    Examples:
        >>> opened(pl.DataFrame({"event": ["a"]})).relation
        '"events"'
        >>> opened("nothing.parquet")
        Traceback (most recent call last):
            ...
        headway.errors.InputError: no file at 'nothing.parquet'
    """
    if isinstance(source, Opened):
        return source
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], duckdb.DuckDBPyConnection):
        with guarded("use the connection"):
            return Opened(source[0].cursor(), relation_name(source[1]))
    con = connect()
    with guarded("read the events"):
        if isinstance(source, duckdb.DuckDBPyRelation):
            # A relation is bound to a connection that cannot be reached from it.
            con.register(_RELATION, source.to_arrow_table())
        elif isinstance(source, pl.DataFrame | pl.LazyFrame):
            lined = LINE in source.collect_schema().names()
            con.register(_RELATION, source if lined else source.with_row_index(LINE))
        elif isinstance(source, str | Path | list | tuple):
            _view_of_files(con, [source] if isinstance(source, str | Path) else list(source))
        else:
            raise InputError(
                "a log needs a Polars frame, a Parquet path, a DuckDB relation or (connection, name), "
                f"not a {type(source).__name__}"
            )
    return Opened(con, identifier(_RELATION))


def _view_of_files(con: duckdb.DuckDBPyConnection, paths: list[Any]) -> None:
    for path in paths:
        if not isinstance(path, str | Path):
            raise InputError(f"a list of Parquet files holds paths, not a {type(path).__name__}")
        if not any(mark in str(path) for mark in "*?[") and not Path(path).is_file():
            raise InputError(f"no file at {str(path)!r}")
    if not paths:
        raise InputError("an empty list of Parquet files")
    files = exp.Array(expressions=[exp.Literal.string(str(path)) for path in paths])
    present = con.execute(bind("DESCRIBE FROM read_parquet($files, union_by_name = true)", {"files": files}))
    lined = any(name == LINE for name, *_ in present.fetchall())
    con.execute(bind(load("headway", "files" if not lined else "files_with_lines"), {"files": files}))


def relation_name(name: str) -> str:
    """Quotes the name of a table or view, with or without its schema and database.

    Args:
        name: The name as SQL writes it.

    Returns:
        The name, every part quoted.

    Raises:
        InputError: It is no such name.

    Examples:
        >>> relation_name("main.events")
        '"main"."events"'
    """
    wrong = InputError(f"{name!r} is not the name of a table or view")
    try:
        table = exp.to_table(name, dialect=DIALECT)
    except ParseError:
        raise wrong from None
    parts = {part: value for part, value in table.args.items() if value}
    if not all(part in ("this", "db", "catalog") for part in parts) or not all(
        isinstance(value, exp.Identifier) for value in parts.values()
    ):
        raise wrong
    return table.sql(dialect=DIALECT, identify=True)
