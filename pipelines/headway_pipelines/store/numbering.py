"""Dense numbers for persons and actors. They are used inside the store only; who has one keeps it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from headway.engine.sql import bind, literal, load
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_HERE = "headway_pipelines.store"
_TABLES = ("people", "actors", "owners")


@dataclass(frozen=True)
class Numbers:
    """Who has which number.

    Attributes:
        file: Folder with the tables, in the folder of the store.
        people: Numbers of persons are below it.
        living: Persons there are.
        actors: Numbers of actors are below it.
        changed: Persons, ascending, whose rows belong to somebody else now, or may.
    """

    file: str
    people: int
    living: int
    actors: int
    changed: npt.NDArray[np.uint32]


def number(con: duckdb.DuckDBPyConnection, workspace: Workspace, manifest: Mapping[str, Any]) -> Numbers:
    """Makes the temporary tables `people`, `actors` and `owners`, and writes them beside the store.

    Args:
        con: A connection that knows `actor_person` and `device_spans`.
        workspace: The workspace.
        manifest: What the store says of itself.

    Returns:
        What changed.
    """
    earlier = None if manifest["numbers"] is None else workspace.store / manifest["numbers"]
    persons = "SELECT person AS id FROM actor_person UNION SELECT person FROM device_spans"
    people = _numbered(con, "people", persons, earlier, manifest["people"])
    actors = _numbered(con, "actors", "SELECT actor AS id FROM actor_person", earlier, manifest["actors"])
    con.execute(f"CREATE TEMP TABLE owners AS {load(_HERE, 'owners.sql')}")
    changed = np.zeros(0, np.uint32)
    if earlier is not None:
        con.execute(f"CREATE TEMP VIEW earlier_owners AS FROM {_scan(earlier, 'owners')}")
        changed = np.sort(con.execute(load(_HERE, "changed.sql")).fetchnumpy()["person"].astype(np.uint32))
    living = int(con.execute("SELECT count(*) FROM people").fetchall()[0][0])
    return Numbers(_write(con, workspace.store), people, living, actors, changed)


def _numbered(
    con: duckdb.DuckDBPyConnection, name: str, wanted: str, earlier: Path | None, first: int
) -> int:
    """Makes a table of numbers; returns the number after the last."""
    known = (
        "SELECT NULL::UUID AS id, 0::UINTEGER AS number LIMIT 0"
        if earlier is None
        else f"FROM {_scan(earlier, name)}"
    )
    con.execute(f"CREATE OR REPLACE TEMP VIEW wanted AS {wanted}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW earlier AS {known}")
    con.execute(f"CREATE TEMP TABLE {name} AS {bind(load(_HERE, 'numbers.sql'), {'next': first})}")
    last = con.execute(f"SELECT coalesce(max(number) + 1, 0) FROM {name}").fetchall()[0][0]
    return max(first, int(last))


def _write(con: duckdb.DuckDBPyConnection, store: Path) -> str:
    name = f"numbers-{secrets.token_hex(6)}"
    folder = store / name
    folder.mkdir()
    for table in _TABLES:
        path = folder / f"{table}.parquet"
        con.execute(f"COPY (FROM {table}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        sync_file(path)
    sync_folder(folder)
    return name


def _scan(folder: Path, table: str) -> str:
    return f"read_parquet({literal(str(folder / f'{table}.parquet'))})"
