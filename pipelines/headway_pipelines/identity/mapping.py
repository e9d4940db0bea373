"""From links to people: the steps, each a query beside this module."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from headway.engine.sql import bind, load
from headway.models.identity import Identity
from headway_pipelines.identity.components import label_components

_HERE = "headway_pipelines.identity"
_ALIASED = "SELECT member AS a, other AS b FROM aliases WHERE is_user AND member <> other"
_NOBODY = "SELECT NULL::UUID AS actor LIMIT 0"


@dataclass(frozen=True)
class Found:
    """What was set aside instead of being joined.

    Attributes:
        shared_devices: Devices of more people than one device may have.
        oversized_people: People that would have had too many users; their users stay apart.
        not_one_to_one: In the mode ``strict``: devices and people with more than one counterpart.
    """

    shared_devices: int = 0
    oversized_people: int = 0
    not_one_to_one: int = 0

    def moved(self, before: Found, after: Found) -> Found:
        """Adds what became of a part of what was found.

        Args:
            before: What had been found in that part.
            after: What is found there now.

        Returns:
            What is found in all.

        Examples:
            >>> Found(7, 1, 0).moved(Found(2, 0, 0), Found(3, 0, 0))
            Found(shared_devices=8, oversized_people=1, not_one_to_one=0)
        """
        return Found(
            self.shared_devices - before.shared_devices + after.shared_devices,
            self.oversized_people - before.oversized_people + after.oversized_people,
            self.not_one_to_one - before.not_one_to_one + after.not_one_to_one,
        )


def map_people(con: duckdb.DuckDBPyConnection, rules: Identity) -> Found:
    """Makes the temporary tables `mapping(actor, person)` and `spans(actor, valid_from, valid_to, person)`.

    A third one, `strangers`, is like `spans` for those who did nothing themselves and of whom something is said.

    Args:
        con: A connection that knows `links`, `actors(actor, first_at)` and `described(actor)`.
        rules: How users and devices become people.

    Returns:
        What was not joined, and why.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE heads (member UUID, head UUID)")
    if rules.mode == "none":
        con.execute("CREATE OR REPLACE TEMP TABLE mapping AS SELECT actor, actor AS person FROM actors")
        _table(con, "spans", load(_HERE, "no_spans.sql"))
        _table(con, "strangers", load(_HERE, "strangers_alone.sql"))
        return Found()
    for name in ("numbers", "aliases"):
        _make(con, name)
    oversized = _join(con, _ALIASED, rules.max_users_per_person)
    for name in ("sightings", "seen"):
        _make(con, name)
    _make(con, "shared", most=rules.max_users_per_device)
    _table(con, "crowded", load(_HERE, "crowded.sql") if rules.mode == "strict" else _NOBODY)
    for name in ("kept", "breaks", "stretches", "visits"):
        _make(con, name)
    if rules.mode == "components":
        oversized += _join(con, load(_HERE, "edges.sql"), rules.max_users_per_person)
    for name in ("owners", "mapping", "spans", "strangers"):
        _make(con, name)
    found = Found(_count(con, "shared"), oversized, _count(con, "crowded"))
    for name in (
        "numbers",
        "aliases",
        "sightings",
        "seen",
        "kept",
        "breaks",
        "stretches",
        "visits",
        "owners",
    ):
        con.execute(f"DROP TABLE {name}")
    return found


def map_affected(con: duckdb.DuckDBPyConnection, rules: Identity, found: Found) -> Found:
    """Makes the temporary tables `mapping`, `spans` and `strangers` of `map_people`, of the affected alone.

    What was set aside is counted among them as it was and as it is: the difference is what changed in all.

    Args:
        con: A connection that knows `links_before`, `links_after`, `actors_before`, `actors_after` and `described`,
            all of them restricted to the affected. The relations `links` and `actors` are theirs from now on.
        rules: How users and devices become people.
        found: What was not joined, of everybody, before.

    Returns:
        What is not joined, of everybody, now.
    """
    counted = []
    for when in ("before", "after"):
        for name in ("links", "actors"):
            con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {name}_{when}")
        counted.append(map_people(con, rules))
    return found.moved(*counted)


def _join(con: duckdb.DuckDBPyConnection, edges: str, most: int) -> int:
    """Adds to `heads` what edges join; returns how many components are too large and stay apart."""
    components = label_components(con, edges)
    if not components:
        return 0
    _make(con, "first_seen")
    _make(con, "chosen", most=most)
    kept = con.execute("SELECT count(DISTINCT head) FROM chosen").fetchall()[0][0]
    _table(con, "heads", "FROM chosen UNION ALL FROM heads ANTI JOIN chosen USING (member)")
    return components - int(kept)


def _make(con: duckdb.DuckDBPyConnection, name: str, **values: int) -> None:
    text = load(_HERE, f"{name}.sql")
    _table(con, name, bind(text, values) if values else text)


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])
