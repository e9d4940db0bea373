"""People, derived from the lake and its links alone: written anew at each run, with what changed.

The mapping is a table of its own that is joined when events are read, so that a merge never rewrites history. How it
comes about is in `headway_pipelines.identity`. Its version is a fingerprint of its content.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import literal, load
from headway.frameworks.channels import first_touch_channels
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway_pipelines.identity import Change, Found, attach_actors, compare, map_people
from headway_pipelines.lake import attach_lake
from headway_pipelines.ledger import Ledger
from headway_pipelines.properties import attach_described, create_histories
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_HERE = "headway_pipelines"
TABLES = ("actor_person", "device_spans", "people")
"""Tables of people, each a file of its own below ``warehouse/people``."""


@dataclass(frozen=True)
class Stitched:
    """What stitching found.

    Attributes:
        mode: How users and devices were joined.
        actors: Users and devices that did something.
        version: Fingerprint of the mapping.
        changed: Whether it differs from the mapping before.
        change: How the people differ from those of the run before.
        found: What was set aside instead of being joined.
    """

    mode: str
    actors: int
    version: str
    changed: bool
    change: Change
    found: Found

    @property
    def people(self) -> int:
        """People there are."""
        return self.change.after

    def counts(self) -> dict[str, int]:
        """Every count by name; none of them says anything about one person."""
        return self.change.counts() | asdict(self.found)


def derive_people(workspace: Workspace, ledger: Ledger) -> Stitched:
    """Rebuilds the tables `actor_person`, `device_spans` and `people` from the lake, and the histories of properties.

    Args:
        workspace: The workspace.
        ledger: Its ledger, which also keeps the account of this run's change as the setting ``identity``.

    Returns:
        Counts and the mapping's version.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        attach_lake(con, workspace, ledger)
        with guarded("join actors into people"):
            attach_actors(con, workspace, ledger)
            attach_described(con, workspace, ledger)
            found = map_people(con, product.identity)
            _attach_earlier(con, workspace)
            change = compare(con)
            version, actors = con.execute(load(_HERE, "mapping_version.sql")).fetchall()[0]
            con.execute(
                "CREATE TEMP TABLE actor_person AS SELECT *, $version AS version FROM mapping ORDER BY actor",
                {"version": version},
            )
            con.execute("CREATE TEMP VIEW device_spans AS FROM spans")
            create_people(con, product)
            histories = create_histories(con, workspace, ledger, plan)
            for name in (*TABLES, *histories):
                _write(con, name, workspace.people / f"{name}.parquet")
    finally:
        con.close()
    before = ledger.get("people_version")
    done = Stitched(product.identity.mode, actors, version, before != version, change, found)
    with ledger.transaction():
        ledger.put("people_version", version)
        ledger.put_json("identity", {"mode": done.mode, **done.counts()})
    return done


def _attach_earlier(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Makes the view `earlier`: the mapping of the run before, empty where there was none."""
    path = workspace.people / "actor_person.parquet"
    rows = f"read_parquet({literal(str(path))})" if path.exists() else "mapping LIMIT 0"
    con.execute(f"CREATE TEMP VIEW earlier AS SELECT actor, person FROM {rows}")


def create_people(con: duckdb.DuckDBPyConnection, product: Product) -> None:
    """Makes the temporary table `people` from `lake`, `actor_person` and `device_spans`; bots are none.

    Args:
        con: A connection with all three.
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
