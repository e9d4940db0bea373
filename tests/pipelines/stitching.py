"""Identity without files: calls go through the gate's own link query, the rest is a small lake in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import duckdb

from headway.engine import bind, connect, load, with_inputs
from headway.models.identity import Identity
from headway_pipelines.identity import Found, map_people

START = datetime(2026, 3, 2)


@dataclass(frozen=True)
class Call:
    """One call of a tracker: an event (``out``: a log-out), ``identify`` or ``alias`` of `user` and `other`."""

    kind: str
    user: str | None
    device: str | None
    minute: int
    other: str | None = None

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minute)


def pseudonym(domain: str, name: str) -> UUID:
    return UUID(hashlib.md5(f"{domain}:{name}".encode()).hexdigest())


def user(name: str) -> UUID:
    return pseudonym("user", name)


def device(name: str) -> UUID:
    return pseudonym("device", name)


@dataclass
class Stitching:
    """A lake in memory and what stitching made of it."""

    con: duckdb.DuckDBPyConnection
    found: Found = field(default_factory=Found)

    def stitch(self, batches: Iterable[Sequence[Call]], rules: Identity) -> Stitching:
        con = self.con
        for batch in batches:
            con.execute("DELETE FROM judged")
            con.executemany(
                "INSERT INTO judged VALUES (1, ?, ?, ?, ?, ?, ?, NULL)",
                [
                    (
                        "event" if c.kind in ("event", "out") else c.kind,
                        "Signed Out" if c.kind == "out" else "Page Viewed",
                        *(c.user, c.device, c.other, c.at),
                    )
                    for c in batch
                ],
            )
            values: dict[str, list[str] | str | datetime | int] = {
                "logout": ["Signed Out"],
                "ancient": datetime(1990, 1, 1),
                "now": START,
                "tolerance_us": 86_400_000_000,
                "numbers": "number",
            }
            con.execute(f"INSERT INTO links {bind(load('headway_pipelines.privacy', 'links.sql'), values)}")
            con.executemany(
                "INSERT INTO lake VALUES (1, ?, ?, 'people')",
                [
                    (user(c.user) if c.user else device(c.device or ""), c.at)
                    for c in batch
                    if c.kind in ("event", "out")
                ]
                or [(None, None)],
            )
            con.execute("DELETE FROM lake WHERE actor IS NULL")
        con.execute(
            "CREATE OR REPLACE TABLE actors AS SELECT actor, min(occurred_at) AS first_at FROM lake GROUP BY 1"
        )
        # something is said of everybody who is heard of
        con.execute(
            "CREATE OR REPLACE TABLE described AS FROM (SELECT device AS actor FROM links UNION SELECT other "
            "FROM links UNION SELECT person_actor FROM links) WHERE actor IS NOT NULL"
        )
        self.found = map_people(con, rules)
        return self

    def people(self) -> dict[UUID, UUID]:
        return dict(self.con.execute("SELECT actor, person FROM mapping").fetchall())

    def merge_links(self) -> None:
        merged = with_inputs(load("headway_pipelines.lake", "merged_links.sql"), {"linked": "FROM links"})
        self.con.execute(f"CREATE OR REPLACE TABLE links AS {merged}")

    def events(self) -> list[tuple[UUID, datetime, UUID]]:
        """Actor, instant and person of every event, as readers get them."""
        inputs = {
            "actor_person": "FROM mapping",
            "device_spans": "FROM spans",
        }
        query = with_inputs(load("headway_pipelines.people", "events.sql"), inputs)
        return self.con.execute(f"SELECT actor, occurred_at, person FROM ({query}) ORDER BY ALL").fetchall()


NAMES = ("a", "b", "c", "d", "e", "x", "y", "z", "number", "number2", *(f"n{i}" for i in range(30)))


def database(more: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
    """A database that knows the ids of the calls in `NAMES`, and more."""
    con = connect(threads=1)
    con.execute(
        "CREATE TABLE judged (batch UINTEGER, outcome VARCHAR, event VARCHAR, user_raw VARCHAR, "
        "device_raw VARCHAR, alias_raw VARCHAR, occurred_at TIMESTAMP, received_at TIMESTAMP)"
    )
    con.execute("CREATE TABLE ids (domain VARCHAR, raw VARCHAR, surrogate UUID)")
    con.executemany(
        "INSERT INTO ids VALUES (?, ?, ?)",
        [(d, n, pseudonym(d, n)) for n in (*NAMES, *more) for d in ("user", "device")],
    )
    return con


def fresh(con: duckdb.DuckDBPyConnection) -> Stitching:
    """A stitching of nothing yet."""
    con.execute(
        "CREATE OR REPLACE TABLE lake (batch UINTEGER, actor UUID, occurred_at TIMESTAMP, traffic VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE links (batch UINTEGER, device UUID, other UUID, person_actor UUID, "
        "first_at TIMESTAMP, last_at TIMESTAMP, logout_at TIMESTAMP)"
    )
    return Stitching(con)
