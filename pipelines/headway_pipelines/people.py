"""Who is who: actors (what a tracker saw) joined into people, derived from the lake alone.

A device belongs to the user it was last seen with; a user is a person. The mapping is a table of its own that is
joined when events are read, so that a merge never rewrites history. Its version is a fingerprint of its content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import literal, load
from headway.frameworks.channels import first_touch_channels
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway_pipelines.lake import attach_lake
from headway_pipelines.ledger import Ledger
from headway_pipelines.properties import create_histories
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_HERE = "headway_pipelines"


@dataclass(frozen=True)
class Stitched:
    """What stitching found.

    Attributes:
        actors: Users and devices that did something.
        people: People they are.
        version: Fingerprint of the mapping.
        changed: Whether it differs from the mapping before.
    """

    actors: int
    people: int
    version: str
    changed: bool


def derive_people(workspace: Workspace, ledger: Ledger) -> Stitched:
    """Rebuilds the tables `actor_person` and `people` from the lake, and the histories of properties.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Counts and the mapping's version.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    con = connect()
    try:
        attach_lake(con, workspace, ledger)
        with guarded("join actors into people"):
            con.execute(f"CREATE TEMP TABLE mapping AS {load(_HERE, 'actor_person.sql')}")
            version, actors, people = con.execute(load(_HERE, "mapping_version.sql")).fetchall()[0]
            con.execute(
                "CREATE TEMP TABLE actor_person AS SELECT *, $version AS version FROM mapping ORDER BY actor",
                {"version": version},
            )
            create_people(con, product)
            histories = create_histories(con, workspace, ledger, plan)
            for name in ("actor_person", "people", *histories):
                _write(con, name, workspace.people / f"{name}.parquet")
    finally:
        con.close()
    before = ledger.get("people_version")
    ledger.put("people_version", version)
    return Stitched(actors, people, version, before != version)


def create_people(con: duckdb.DuckDBPyConnection, product: Product) -> None:
    """Makes the temporary table `people` from the views `lake` and `actor_person`; bots are none.

    Args:
        con: A connection with both.
        product: Whose channel rules apply.
    """
    con.execute(f"CREATE OR REPLACE TEMP VIEW events AS {load(_HERE, 'events.sql')}")
    first_touch_channels(con, product).create_view("channels", replace=True)
    con.execute(f"CREATE OR REPLACE TEMP TABLE people AS {load(_HERE, 'people.sql')}")


def _write(con: duckdb.DuckDBPyConnection, relation: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    con.execute(f"COPY (FROM {relation}) TO {literal(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
    sync_file(temporary)
    temporary.replace(path)
    sync_folder(path.parent)
