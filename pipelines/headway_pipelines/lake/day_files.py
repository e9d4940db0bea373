"""Writing the rows of a promotion, one file a UTC day.

Day by day, because one statement that writes many days at once holds rows of all of them in memory; a few days side by
side, to keep the processors busy. Staged rows lie more or less in order of time, as logs do, but late events spread a
few rows of every day over all of them. So the rows of a bundle of days are picked out of the staged files at once, and
the days are written from those; where that would read the staged files too often, they are sorted first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from headway.engine.sql import bind, identifier, literal, load
from headway_pipelines.workspace import sync_file

#: Each holds its rows in memory.
MOST_DAYS_AT_ONCE = 4
#: Rows times columns that a bundle of days holds in memory: 16 bytes each and what texts take.
MOST_CELLS = 20_000_000
#: For so many bundles a row group of the staged files may be read on average before sorting them is cheaper.
MAX_READINGS = 8
_HERE = "headway_pipelines.lake"
FORMAT = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
"""How files of events are written."""


def write_day_files(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    staged: Sequence[Path],
    columns: Iterable[str],
    rewritten: Iterable[str],
) -> dict[str, tuple[Path, int]]:
    """Writes the candidates that win, and with them all other rows of days that are written whole; flushes the files.

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
    names = [identifier(name) for name in columns]
    counted = con.execute(
        "SELECT CAST(occurred_at AS DATE)::VARCHAR, count(*) FROM candidates GROUP BY ALL"
    ).fetchall()
    rows_of = dict.fromkeys(rewritten, 0) | dict(counted)
    bundles = list(_bundled(rows_of, MOST_CELLS // len(names)))
    _put_in_order(con, folder, staged, len(rows_of) / max(1, len(bundles)))
    done: dict[str, tuple[Path, int]] = {}
    for days in bundles:
        done |= _write_bundle(con, folder, days, ", ".join(names), set(rewritten))
    return {day: (path, rows) for day, (path, rows) in done.items() if rows}


def _bundled(rows_of: dict[str, int], most: int) -> Iterator[list[str]]:
    """Consecutive days that together have no more rows than that; a day of more is alone."""
    bundle: list[str] = []
    held = 0
    for day in sorted(rows_of):
        if bundle and held + rows_of[day] > most:
            yield bundle
            bundle, held = [], 0
        bundle.append(day)
        held += rows_of[day]
    if bundle:
        yield bundle


def _write_bundle(
    con: duckdb.DuckDBPyConnection, folder: Path, days: Sequence[str], names: str, whole: set[str]
) -> dict[str, tuple[Path, int]]:
    """Writes the files of some days; they are all empty where no day has a winner."""
    fresh = _of_days("new_lake_rows.sql", names, days[0], days[-1])
    if len(days) > 1:
        # A day that is alone may be larger than memory.
        con.execute(f"CREATE OR REPLACE TABLE bundle AS {fresh}")

    def write(day: str) -> tuple[Path, int]:
        query = f"SELECT {names} FROM bundle WHERE {_within(day)}" if len(days) > 1 else fresh
        if day in whole:
            query += "\nUNION ALL\n" + _of_days("kept_lake_rows.sql", names, day, day)
        path = folder / f"{day}.parquet"
        with con.cursor() as own:
            rows = own.execute(f"COPY ({query}) TO {literal(str(path))} {FORMAT}").fetchall()[0][0]
        # Here, where another day is written meanwhile: flushing is waiting.
        sync_file(path)
        return path, int(rows)

    # A day is too few rows for DuckDB to share them out: without this one processor writes and the others wait.
    # One more than there are processors, because one waits for the disk.
    workers = min(MOST_DAYS_AT_ONCE, (os.cpu_count() or 1) + 1)
    with ThreadPoolExecutor(workers) as pool:
        writing = {day: pool.submit(write, day) for day in days}
        try:
            return {day: file.result() for day, file in writing.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            con.execute("DROP TABLE IF EXISTS bundle")


def _of_days(name: str, columns: str, first: str, last: str) -> str:
    start, after = _instants(first, last)
    return bind(load(_HERE, name), {"start": start, "after": after}).replace("/* columns */", columns)


def _within(day: str) -> str:
    start, after = _instants(day, day)
    return f"occurred_at >= {literal(start)} AND occurred_at < {literal(after)}"


def _instants(first: str, last: str) -> tuple[datetime, datetime]:
    """The first instant of a day, and the one after the last of another."""
    start, end = (datetime.combine(date.fromisoformat(day), datetime.min.time()) for day in (first, last))
    return start, end + timedelta(days=1)


def _put_in_order(
    con: duckdb.DuckDBPyConnection, folder: Path, staged: Sequence[Path], days_a_bundle: float
) -> None:
    """Makes the view `in_order`: the candidates, such that no row group holds rows of many bundles."""
    spanned = con.execute(load(_HERE, "days_spanned.sql"), {"paths": [str(p) for p in staged]}).fetchall()[0][
        0
    ]
    rows = "candidates"
    if spanned is not None and spanned > MAX_READINGS * days_a_bundle:
        path = literal(str(folder / "in_order.parquet"))
        con.execute(
            f"COPY (FROM candidates ORDER BY occurred_at) TO {path} (FORMAT parquet, COMPRESSION snappy)"
        )
        rows = f"read_parquet({path}, hive_partitioning = false)"
    con.execute(f"CREATE VIEW in_order AS FROM {rows}")
