"""The files of people: written beside those there are, then put in their place together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from headway.engine import connect
from headway.engine.sql import literal, load
from headway.models.product import Product
from headway_pipelines.workspace import sync_file, sync_folder

_HERE = "headway_pipelines.people"
TABLES = ("actor_person", "device_spans", "people")
"""Tables of people that every workspace has, each a file of its own below ``warehouse/people``."""

ACTORS = "actors"
"""Who did something and since when: a table that only the next derivation reads."""

STRANGERS = "strangers"
"""Whose those are that did nothing themselves and of whom something is said: for the histories of properties."""


def table_file(folder: Path, name: str) -> Path:
    """Where a table is."""
    return folder / f"{name}.parquet"


def new_file(folder: Path, name: str) -> Path:
    """Where a table is written before it takes the place of the one there is."""
    return folder / f".{name}.parquet.partial"


def write_table(con: duckdb.DuckDBPyConnection, folder: Path, name: str, query: str) -> int:
    """Writes a table beside the one there is.

    Args:
        con: A connection.
        folder: Where the tables are.
        name: Its name.
        query: Its rows.

    Returns:
        Number of rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = new_file(folder, name)
    rows = con.execute(
        f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()
    sync_file(target)
    return int(rows[0][0])


def swap_tables(folder: Path, names: Iterable[str]) -> None:
    """Puts written tables in the place of those there are.

    Args:
        folder: Where the tables are.
        names: Their names.
    """
    for name in names:
        new_file(folder, name).replace(table_file(folder, name))
    sync_folder(folder)


def read_table(path: Path) -> str:
    """Writes the relation of a table's file."""
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def readable(paths: Iterable[Path]) -> bool:
    """Reads whole tables, to tell damage inside a file from other reasons why a query may fail.

    Args:
        paths: Their files.

    Returns:
        False where one cannot be read.
    """
    con = connect()
    try:
        for path in paths:
            con.execute(f"SELECT bit_xor(hash(*COLUMNS(*))) FROM {read_table(path)}")
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        return False
    finally:
        con.close()
    return True


def create_people(con: duckdb.DuckDBPyConnection, product: Product) -> None:
    """Makes the temporary table `people` from `lake`, `actor_person` and `device_spans`; bots are none.

    Args:
        con: A connection with all three.
        product: Whose channel rules apply.
    """
    con.execute(f"CREATE OR REPLACE TEMP VIEW events AS {load(_HERE, 'events.sql')}")
    # Imported where it is needed: with it comes scipy, which bringing events into the lake has no use for.
    from headway.frameworks.channels import first_touch_channels

    first_touch_channels(con, product).create_view("channels", replace=True)
    con.execute(f"CREATE OR REPLACE TEMP TABLE people AS {load(_HERE, 'people.sql')}")
