"""Writing the rows of a promotion, one file a UTC day.

Day by day, because one statement that writes many days at once holds rows of all of them in memory; a few days side by
side, to keep the processors busy. A day is found quickly where the staged rows lie more or less in order of time, as
logs do; where they do not, they are sorted first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from headway.engine.sql import bind, identifier, literal, load

#: Each holds its rows in memory.
MOST_DAYS_AT_ONCE = 4
#: So many days a row group of the staged files may span on average before sorting them is cheaper.
MAX_DAYS_A_ROW_GROUP = 16
_HERE = "headway_pipelines"
FORMAT = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
"""How files of events are written."""


def write_day_files(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    staged: Sequence[Path],
    columns: Iterable[str],
    rewritten: Iterable[str],
) -> dict[str, tuple[Path, int]]:
    """Writes the candidates that win, and with them all other rows of days that are written whole.

    Args:
        con: A connection with the views `candidates` and `lake` and the table `ranked`.
        folder: Where the files are written.
        staged: The files behind `candidates`.
        columns: The lake's columns.
        rewritten: UTC days to write whole, as ISO dates.

    Returns:
        UTC day -> file and number of rows, for days with rows.
    """
    folder.mkdir()
    _put_in_order(con, folder, staged)
    touched = con.execute("SELECT DISTINCT CAST(occurred_at AS DATE)::VARCHAR FROM candidates").fetchall()
    whole = set(rewritten)
    names = ", ".join(identifier(name) for name in columns)

    def write(day: str) -> tuple[str, Path, int]:
        parts = ["new_lake_rows.sql", *(["kept_lake_rows.sql"] if day in whole else [])]
        query = "\nUNION ALL\n".join(_of_day(name, names, day) for name in parts)
        path = folder / f"{day}.parquet"
        with con.cursor() as own:
            rows = own.execute(f"COPY ({query}) TO {literal(str(path))} {FORMAT}").fetchall()[0][0]
        return day, path, int(rows)

    # A day is too few rows for DuckDB to share them out: without this one processor writes and the others wait.
    workers = min(MOST_DAYS_AT_ONCE, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        days = [pool.submit(write, day) for day in sorted({day for (day,) in touched} | whole)]
        try:
            done = [day.result() for day in days]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {day: (path, rows) for day, path, rows in done if rows}


def _of_day(name: str, columns: str, day: str) -> str:
    start = datetime.combine(date.fromisoformat(day), datetime.min.time())
    text = bind(load(_HERE, name), {"start": start, "after": start + timedelta(days=1)})
    return text.replace("/* columns */", columns)


def _put_in_order(con: duckdb.DuckDBPyConnection, folder: Path, staged: Sequence[Path]) -> None:
    """Makes the view `in_order`: the candidates, such that few row groups hold rows of a day."""
    spanned = con.execute(load(_HERE, "days_spanned.sql"), {"paths": [str(p) for p in staged]}).fetchall()[0][
        0
    ]
    rows = "candidates"
    if spanned is not None and spanned > MAX_DAYS_A_ROW_GROUP:
        path = literal(str(folder / "in_order.parquet"))
        con.execute(
            f"COPY (FROM candidates ORDER BY occurred_at) TO {path} (FORMAT parquet, COMPRESSION snappy)"
        )
        rows = f"read_parquet({path}, hive_partitioning = false)"
    con.execute(f"CREATE VIEW in_order AS FROM {rows}")
