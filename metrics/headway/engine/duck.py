"""The one place that opens DuckDB connections.

Every connection gets the same settings, so that no query depends on who opened it:

* ``window_self_join`` is disabled: DuckDB 2.0.0 returns wrong answers for unordered windows over filtered
  Parquet files.
* extensions are neither downloaded nor auto-loaded: a stray query fails at once and names the extension.
* the session time zone is UTC; reporting time zones are explicit in every query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from headway.errors import EngineError

_SETTINGS: dict[str, str | bool] = {
    "disabled_optimizers": "window_self_join",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "TimeZone": "UTC",
}


def connect(
    path: str | Path | None = None,
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: str | None = None,
    temp_directory: str | Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Opens a DuckDB connection with Headway's settings.

    Args:
        path: Database file; None opens an in-memory database.
        read_only: Whether to open the file for reading only.
        threads: Number of threads; None leaves DuckDB's default.
        memory_limit: For example ``"2GB"``; None leaves DuckDB's default.
        temp_directory: Where DuckDB may spill; None leaves its default.

    Returns:
        An open connection; the caller closes it.

    Raises:
        EngineError: The file cannot be opened, for example because another process is writing it.

    Examples:
        >>> con = connect()
        >>> con.execute("SELECT current_setting('TimeZone')").fetchall()
        [('UTC',)]
        >>> con.close()
    """
    target = ":memory:" if path is None else str(path)
    with guarded(f"open {Path(target).name}"):
        con = duckdb.connect(target, read_only=read_only)
    for name, value in _SETTINGS.items():
        con.execute(f"SET {name} = $value", {"value": value})
    # Only where it is on: in a notebook without ipywidgets DuckDB refuses to touch a bar that it cannot draw anyway.
    if con.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        con.execute("SET enable_progress_bar = false")
    for name, option in (
        ("threads", threads),
        ("memory_limit", memory_limit),
        ("temp_directory", temp_directory),
    ):
        if option is not None:
            con.execute(f"SET {name} = $value", {"value": option if isinstance(option, int) else str(option)})
    return con


def connect_again(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Opens another connection to the database of a connection, for a thread of its own.

    Temporary tables, registered frames and the schema in use are each connection's own. A bare cursor would not have
    Headway's time zone.

    Args:
        con: A connection of `connect`.

    Returns:
        An open connection with the same settings; the caller closes it.

    Examples:
        >>> con = connect()
        >>> _ = con.execute("CREATE TABLE days (day DATE)")
        >>> again = connect_again(con)
        >>> again.execute("SELECT count(*), current_setting('TimeZone') FROM days").fetchall()
        [(0, 'UTC')]
        >>> again.close()
        >>> con.close()
    """
    again = con.cursor()
    again.execute("SET TimeZone = $value", {"value": _SETTINGS["TimeZone"]})
    return again


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_WRITE_FAILED = re.compile(
    r"space left|file too large|read-only file|permission denied|could not (write|fsync)|"
    r"failed to (commit|create checkpoint)"
)


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turns DuckDB's exceptions into an EngineError whose text carries no values.

    DuckDB quotes the offending cell in many of its messages, so only the kind of the error is passed on.

    Args:
        what: What was being done, in words that are safe to print.

    Raises:
        EngineError: In place of any ``duckdb.Error`` raised inside the block.
        KeyboardInterrupt: In place of DuckDB's word for it.

    Examples:
        >>> from headway.errors import EngineError
        >>> con = connect()
        >>> try:
        ...     with guarded("cast a column"):
        ...         con.execute("SELECT CAST('alice@example.com' AS INTEGER)").fetchall()
        ... except EngineError as error:
        ...     print(error)
        could not cast a column: ConversionException
        >>> con.close()
    """
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        hint = ""
        text = _QUOTED.sub("", str(error)).lower()
        if _WRITE_FAILED.search(text):
            hint = "; the disk is full or may not be written. Nothing was replaced: make room, then run again"
        elif "lock" in text and isinstance(error, duckdb.IOException):
            hint = "; another process has this database open for writing"
        elif isinstance(error, duckdb.OutOfMemoryException):
            hint = "; not enough memory or disk for this query"
        raise EngineError(f"could not {what}: {type(error).__name__}{hint}") from None
