"""People derived again where something is new: the rest of every table is taken as it was.

What may differ is found first (`identity.find_affected`), by its links and by who did something; then the same steps as
for everybody run over that part, and each table is written from what stays and what was derived.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import xor
from pathlib import Path

import duckdb

from headway.engine.sql import literal, load, with_inputs
from headway.models.product import Product
from headway_pipelines.identity import Change, Found, compare, find_affected, map_affected
from headway_pipelines.identity.actors import attach_moved_actors
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import link_query
from headway_pipelines.people import basis as reasons
from headway_pipelines.people.basis import Basis, Live, changes_file, version_of
from headway_pipelines.people.histories import attach_described
from headway_pipelines.people.tables import (
    ACTORS,
    STRANGERS,
    create_people,
    new_file,
    read_table,
    swap_tables,
    table_file,
    write_table,
)
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.people"
_IDENTITY = "headway_pipelines.identity"
#: Where more of so many actors are touched, deriving everybody is cheaper.
_MANY = 10_000


class Anew(Exception):
    """People must be derived anew; the text says why."""


@dataclass(frozen=True)
class Derived:
    """What was derived and written, but not yet put in its place.

    Attributes:
        pairs: Fingerprint of the mapping.
        stretches: Fingerprint of the spans of devices.
        actors: Users and devices that did something.
        change: How the people differ from those before.
        found: What was set aside instead of being joined.
        again: Users and devices of which people were derived.
        written: Names of the tables that were written.
    """

    pairs: str
    stretches: str
    actors: int
    change: Change
    found: Found
    again: int
    written: tuple[str, ...]

    @property
    def version(self) -> str:
        """The mapping's version."""
        return version_of(self.pairs, self.stretches)


def fingerprint(con: duckdb.DuckDBPyConnection, pairs: str, stretches: str) -> tuple[str, str, int]:
    """Fingerprints a mapping, or a part of one.

    Args:
        con: A connection.
        pairs: Relation of actor and person.
        stretches: Relation of the spans of devices.

    Returns:
        Fingerprints of both, and the number of actors.
    """
    text = load(_HERE, "mapping_fingerprint.sql")
    inputs = {"pairs": f"FROM {pairs}", "stretches": f"FROM {stretches}"}
    a, b, actors = con.execute(with_inputs(text, inputs)).fetchall()[0]
    return a, b, int(actors)


def derive_part(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    product: Product,
    basis: Basis,
    live: Live,
) -> Derived:
    """Derives people where something is new and writes the tables of everybody.

    Makes the relations `actor_person`, `device_spans` and `strangers`, of everybody.

    Args:
        con: A connection with the lake.
        workspace: The workspace.
        ledger: Its ledger.
        product: The product.
        basis: What the tables there are stand on.
        live: The files there are now.

    Returns:
        What was derived.

    Raises:
        Anew: This cannot or should not be done.
    """
    folder = workspace.people
    for name, table in (
        ("earlier_actors", ACTORS),
        ("people_before", "actor_person"),
        ("spans_before", "device_spans"),
        ("strangers_before", STRANGERS),
    ):
        con.execute(f"CREATE VIEW {name} AS FROM {read_table(table_file(folder, table))}")
    if not attach_moved_actors(con, workspace, basis.live.events, live.events):
        raise Anew(reasons.REPLACED)
    attach_described(con, workspace, ledger)
    _table(con, "newly_described", load(_IDENTITY, "newly_described.sql"))
    again = _attach_affected(con, workspace, product, basis, live)
    _table(con, "described", "FROM described SEMI JOIN affected USING (actor)")
    found = map_affected(con, product.identity, basis.found)
    _table(con, "earlier", "SELECT actor, person FROM people_before SEMI JOIN affected USING (actor)")
    _table(con, "earlier_spans", "FROM spans_before SEMI JOIN affected USING (actor)")
    change = _in_all(compare(con), basis.people)
    pairs, stretches, gone = fingerprint(con, "earlier", "earlier_spans")
    more_pairs, more_stretches, come = fingerprint(con, "mapping", "spans")
    derived = Derived(
        _xor(basis.pairs, pairs, more_pairs),
        _xor(basis.stretches, stretches, more_stretches),
        basis.actors - gone + come,
        change,
        found,
        again,
        (),
    )
    return _write_all(con, workspace, product, basis, derived)


def _attach_affected(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, product: Product, basis: Basis, live: Live
) -> int:
    con.execute(f"CREATE VIEW earlier_links AS {link_query(workspace, basis.live.links)}")
    fresh = sorted(set(live.links) - set(basis.live.links))
    con.execute(f"CREATE VIEW fresh_links AS {link_query(workspace, fresh)}")
    again = find_affected(con, product.identity)
    if again > max(_MANY, basis.actors // 2):
        raise Anew(reasons.TOO_MUCH)
    _table(con, "actors_before", "FROM earlier_actors SEMI JOIN affected USING (actor)")
    _table(
        con, "actors_after", f"FROM ({load(_IDENTITY, 'all_actors.sql')}) SEMI JOIN affected USING (actor)"
    )
    return again


def _write_all(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, product: Product, basis: Basis, derived: Derived
) -> Derived:
    folder, written = workspace.people, [ACTORS, "people"]
    if derived.version != basis.version:
        pairs = f"SELECT actor, person, {literal(derived.version)} AS version FROM"
        query = f"{pairs} people_before ANTI JOIN affected USING (actor) UNION ALL {pairs} mapping"
        _expect(derived.actors, write_table(con, folder, "actor_person", query))
        spans = "FROM spans_before ANTI JOIN affected USING (actor) UNION ALL FROM spans"
        write_table(con, folder, "device_spans", f"FROM ({spans}) ORDER BY actor, valid_from NULLS FIRST")
        written += ["actor_person", "device_spans"]
    written += _write_strangers(con, folder)
    for view, table in (("people_after", "actor_person"), ("spans_after", "device_spans")):
        file = (new_file if table in written else table_file)(folder, table)
        con.execute(f"CREATE VIEW {view} AS FROM {read_table(file)}")
    _expect(derived.actors, write_table(con, folder, ACTORS, load(_IDENTITY, "all_actors.sql")))
    _table(con, "moved", load(_HERE, "moved_people.sql"))
    _table(con, "touched_people", load(_HERE, "touched_people.sql"))
    attach_members(con)
    create_people(con, product)
    stay = f"FROM {read_table(table_file(folder, 'people'))} ANTI JOIN touched_people USING (person)"
    write_table(
        con, folder, "people", f"{stay} UNION ALL FROM people SEMI JOIN touched_people USING (person)"
    )
    changes = changes_file(workspace, basis.number + 1)
    write_table(con, changes.parent, changes.stem, "FROM touched_people")
    swap_tables(changes.parent, [changes.stem])
    con.execute("DROP TABLE actor_person")
    con.execute("CREATE VIEW actor_person AS FROM people_after")
    con.execute("DROP TABLE strangers")
    file = (new_file if STRANGERS in written else table_file)(folder, STRANGERS)
    con.execute(f"CREATE VIEW strangers AS FROM {read_table(file)}")
    return replace(derived, written=tuple(written))


def _write_strangers(con: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Writes whose the silent are, where that changed; returns the table's name then."""
    known = "FROM strangers_before SEMI JOIN affected USING (actor)"
    if not con.execute(
        f"({known} EXCEPT FROM strangers) UNION ALL (FROM strangers EXCEPT ({known})) LIMIT 1"
    ).fetchall():
        return []
    query = "FROM strangers_before ANTI JOIN affected USING (actor) UNION ALL FROM strangers"
    write_table(con, folder, STRANGERS, query)
    return [STRANGERS]


def attach_members(con: duckdb.DuckDBPyConnection) -> None:
    """Makes `actor_person` and `device_spans` of touched people alone, so that no event of anybody else is joined.

    Args:
        con: A connection with `touched_people(person)`, `people_after` and `spans_after`.
    """
    # not temporary: a log asks through a cursor of its own
    con.execute(f"CREATE TABLE actor_person AS {load(_HERE, 'members.sql')}")
    con.execute("CREATE VIEW device_spans AS FROM spans_after")


def _in_all(change: Change, before: int) -> Change:
    """Makes the change of a part that of everybody: who is in no part stayed."""
    stayed = before - change.before
    return replace(change, before=before, after=change.after + stayed)


def _xor(*fingerprints: str) -> str:
    """Takes parts out of a fingerprint, or adds them: both are the same."""
    return str(reduce(xor, map(int, fingerprints)))


def _expect(rows: int, written: int) -> None:
    """Guards against a table that is not what it was: what stays of it and what was derived must add up."""
    if rows != written:
        raise Anew(reasons.NOT_OURS)


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
