"""Who may be somebody else because of what is new: the only ids of which people are derived again.

What decides about an id is what it hangs together with by links: devices with the users seen on them, users with the
ids of their aliases. So all of that is derived again, and nothing else. Two things keep it small:

* a link that was known, and a later sighting of who was seen last anyway, decide nothing (`touched_ids.sql`);
* through a device of so many users that it is shared in any case, nothing hangs together (`hubs.sql`).
"""

from __future__ import annotations

import duckdb

from headway.engine.sql import bind, load, with_inputs
from headway.models.identity import Identity
from headway_pipelines.identity.components import label_components

_HERE = "headway_pipelines.identity"
_MADE = (
    "fresh",
    "near_before",
    "links_moved",
    "leaders_before",
    "leaders_after",
    "touched_ids",
    "core",
    "hubs",
)


def find_affected(con: duckdb.DuckDBPyConnection, rules: Identity) -> int:
    """Makes the tables `affected(actor)`, and of the links that decide about them `links_before` and `links_after`.

    Args:
        con: A connection that knows `links`, `earlier_links` (those of the last time), `fresh_links` (those that came
            since; `links` are both together), `moved_actors(actor)`: who did something for the first time, or first
            did something at another time than was known, or never did anything any more, and
            `newly_described(actor)`: who is heard of for the first time, and did nothing.
        rules: How users and devices become people.

    Returns:
        Number of ids affected.
    """
    _table(con, "fresh", _gathered("FROM fresh_links"))
    near = load(_HERE, "near.sql")
    _table(con, "near_before", _gathered(near))
    _table(con, "links_moved", load(_HERE, "links_moved.sql"))
    _table(con, "leaders_before", _leaders("FROM near_before"))
    _table(con, "leaders_after", _leaders(_gathered("FROM near_before UNION ALL FROM fresh")))
    _table(con, "touched_ids", load(_HERE, "touched_ids.sql"))
    _table(con, "core", load(_HERE, "core.sql"))
    surely_shared = rules.max_users_per_device * rules.max_users_per_person
    _table(con, "hubs", bind(load(_HERE, "hubs.sql"), {"most": surely_shared}))
    label_components(con, load(_HERE, "core_edges.sql"))
    _table(con, "affected", load(_HERE, "affected.sql"))
    _table(con, "near_hubs", load(_HERE, "near_hubs.sql"))
    for name, some in (("links_before", "earlier_links"), ("links_after", "links")):
        _table(con, name, with_inputs(load(_HERE, "links_of_affected.sql"), {"some_links": f"FROM {some}"}))
    for name in (*_MADE, "near_hubs", "labels"):
        con.execute(f"DROP TABLE {name}")
    return int(con.execute("SELECT count(*) FROM affected").fetchall()[0][0])


def _gathered(rows: str) -> str:
    return with_inputs(load(_HERE, "gathered.sql"), {"gathered": rows})


def _leaders(rows: str) -> str:
    return with_inputs(load(_HERE, "leaders.sql"), {"near": rows})


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
