"""Whose data is meant: from the ids that somebody names to every id under which the same person is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import duckdb

from headway.engine import guarded
from headway.engine.sql import literal, load
from headway.errors import InputError
from headway.models.plan import TrackingPlan
from headway.periods import utc_us
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import attach_lake
from headway_pipelines.people.properties import live_statements
from headway_pipelines.people.tables import STRANGERS, read_table, table_file
from headway_pipelines.privacy.tombstones import Window
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.rights"
PERSONAL = ("user", "device")
"""Domains in which an id is looked for unless its kind is told."""

_TABLES = {
    "actor_person": "actor UUID, person UUID",
    "device_spans": "actor UUID, valid_from TIMESTAMP, valid_to TIMESTAMP, person UUID",
    STRANGERS: "actor UUID, valid_from TIMESTAMP, valid_to TIMESTAMP, person UUID",
}


@dataclass(frozen=True)
class Subject:
    """One or more people, or accounts, by everything under which they are known.

    Attributes:
        surrogates: Surrogates of 32 digits that are nobody else's.
        lookups: Domain and keyed hash of each row of the vault that leads to one of them.
        windows: Times in which devices that others use too were theirs.
        people: How many people they are; 0 where only ids were asked for.
        unknown: Places, from 1, of the given ids that are not known.
    """

    surrogates: tuple[str, ...]
    lookups: tuple[tuple[str, str], ...]
    windows: tuple[Window, ...] = ()
    people: int = 0
    unknown: tuple[int, ...] = ()


def find_subject(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    vault: Vault,
    plan: TrackingPlan,
    ids: Sequence[str],
    *,
    kind: str | None = None,
    only: bool = False,
    seeds: Sequence[str] = (),
    now: datetime,
) -> Subject:
    """Finds everything under which the people of some ids are known.

    Args:
        con: The vault's connection.
        workspace: The workspace.
        ledger: Its ledger.
        vault: The vault.
        plan: The tracking plan.
        ids: Ids as the trackers wrote them.
        kind: Domain of the ids; None looks among users and devices, then among ids that are properties of people.
        only: Whether the other ids of the same person are left out.
        seeds: Surrogates of further people.
        now: The present, naive UTC: until then a shared device was theirs.

    Returns:
        The subject; without surrogates where no id is known.

    Raises:
        InputError: An id is an account's although no kind was given, or a device that several people used.
    """
    domains = (kind,) if kind else PERSONAL
    found = vault.entries(ids, domains)
    start = {*seeds, *found["surrogate"]}
    known = set(found["raw"])
    if kind != "account":
        attach_lake(con, workspace, ledger)
        for raw, domain, _, surrogate in vault.entries([i for i in ids if i not in known], None).rows():
            described = _described_by(con, workspace, ledger, plan, domain, surrogate)
            if described:
                known.add(raw)
                start |= {surrogate, *described}
            elif domain == "account" and kind is None:
                place = list(ids).index(raw) + 1
                raise InputError(
                    f"id {place} is an account's. Say so with --kind account: its people keep theirs."
                )
    unknown = tuple(place for place, raw in enumerate(ids, 1) if raw not in known)
    windows: list[Window] = []
    members, people = set(start), 0
    if start and kind != "account" and not only:
        with guarded("find who is meant"):
            members, windows, people = _whole_person(con, workspace, start, now)
    rows = vault.rows()
    mine = rows.filter(rows["surrogate"].is_in(sorted(members)))
    lookups = tuple(sorted((d, lookup) for d, lookup, _ in mine.rows()))
    return Subject(tuple(sorted(members)), lookups, tuple(windows), people, unknown)


def _described_by(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    plan: TrackingPlan,
    domain: str,
    surrogate: str,
) -> set[str]:
    """Of whom a property of people says this id, for example an address that is kept as an id."""
    names = [name for name, column in plan.subject_columns("person").items() if column.domain == domain]
    if not names:
        return set()
    said = live_statements(workspace, ledger, "person")
    query = f"SELECT DISTINCT subject FROM ({said}) WHERE property IN {literal(names)} AND value = $value"
    return {row[0].hex for row in con.execute(query, {"value": str(UUID(surrogate))}).fetchall()}


def _whole_person(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, seeds: set[str], now: datetime
) -> tuple[set[str], list[Window], int]:
    for name, columns in _TABLES.items():
        path = table_file(workspace.people, name)
        names = ", ".join(column.split()[0] for column in columns.split(", "))
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
        if path.exists():
            con.execute(f"INSERT INTO {name} SELECT {names} FROM {read_table(path)}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE seeds AS SELECT unnest($ids)::UUID AS id", {"ids": sorted(seeds)}
    )
    for name, file in (("persons", "persons_of"), ("members", "members_of")):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {load(_HERE, f'{file}.sql')}")
    _refuse_devices_of_several(con)
    while True:
        silent = con.execute(f"INSERT INTO members {load(_HERE, 'silent_members.sql')}").fetchall()
        if not silent[0][0]:
            break
    shared = [row[0].hex for row in con.execute(load(_HERE, "shared_devices.sql")).fetchall()]
    members = {row[0].hex for row in con.execute("FROM members").fetchall()}
    windows = [window for device in shared for window in _windows(con, device, now)]
    people = int(con.execute("SELECT count(*) FROM persons").fetchall()[0][0])
    return members - set(shared), windows, people


def _refuse_devices_of_several(con: duckdb.DuckDBPyConnection) -> None:
    most = con.execute(
        "SELECT coalesce(max(n), 0) FROM (SELECT count(DISTINCT person) AS n FROM "
        "(SELECT actor, person FROM actor_person UNION SELECT actor, person FROM device_spans) "
        "WHERE actor IN (FROM seeds) GROUP BY actor)"
    ).fetchall()[0][0]
    if most > 1:
        raise InputError(
            f"the id is a device's that {most} people used. Name the person by a user id, or take the device alone "
            "with --only-this-id."
        )


def _windows(con: duckdb.DuckDBPyConnection, device: str, now: datetime) -> list[Window]:
    """When a shared device was the person's: all the time but for what was others', or only what was theirs."""
    values = {"device": str(UUID(device))}
    own = con.execute(
        "SELECT count(*) FROM actor_person WHERE actor = $device::UUID AND person IN (FROM persons)", values
    ).fetchall()[0][0]
    spans = con.execute(
        "SELECT epoch_us(valid_from), epoch_us(valid_to), person IN (FROM persons) FROM device_spans "
        "WHERE actor = $device::UUID ORDER BY valid_from NULLS FIRST",
        values,
    ).fetchall()
    windows: list[Window] = [
        (device, low, utc_us(now) if high is None else high) for low, high, theirs in spans if theirs
    ]
    if own:
        start: int | None = None
        for low, high, theirs in spans:
            if not theirs:
                if low is not None:
                    windows.append((device, start, low))
                start = high
        if not spans or spans[-1][1] is not None:
            windows.append((device, start, utc_us(now)))
    return windows
