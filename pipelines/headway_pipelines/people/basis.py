"""What people were derived from last, so that a run derives again only what its news touch.

Kept in the ledger, written in the same transaction that makes the tables of people the current ones. A table counts as
the one that was written only while its file looks as it did then. Whatever else does not match means that everything
is derived anew, and every reason has its words here.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from headway.models.plan import SUBJECTS, TrackingPlan
from headway.models.product import Product
from headway_pipelines.identity import Found
from headway_pipelines.lake.integrity import whole
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.workspace import Workspace

#: To be raised whenever another way of deriving gives other tables.
SCHEME = 2
_SETTING = "people_basis"

FIRST = "nothing was derived before"
VERSION = "Headway or DuckDB has another version"
READ_ANEW = "the logs were read anew"
NOT_OURS = "a table is missing, damaged or not the one written last"
ALL_PEOPLE = "all people were derived anew"
UNREADABLE = "a table cannot be read"
TOO_MUCH = "most users and devices were touched"
REPLACED = "files of the lake were replaced and are gone"
RULES = {
    "code": VERSION,
    "plan": "the tracking plan changed",
    "identity": "the rules of identity changed",
    "channels": "the rules of channels changed",
    "sessions": "the rules of sessions changed",
}
"""What must be as before -> the reason to derive anew when it is not."""


@dataclass(frozen=True)
class Live:
    """The live files of the lake that people are derived from, each a path below the warehouse.

    Attributes:
        events: Files of events.
        links: Files of links between users and devices.
        statements: Files of what was said of people and accounts.
    """

    events: tuple[str, ...]
    links: tuple[str, ...]
    statements: tuple[str, ...]

    @classmethod
    def of(cls, ledger: Ledger) -> Live:
        """Reads them from the ledger."""
        return cls(
            tuple(sorted(ledger.lake_files("events"))),
            tuple(sorted(ledger.lake_files("links"))),
            tuple(sorted(path for subject in SUBJECTS for path in ledger.lake_files(subject))),
        )


@dataclass(frozen=True)
class Basis:
    """What the tables of people stand on.

    Attributes:
        number: Counts the times that they were changed.
        stamps: Fingerprints of what decides how they are derived, by the names of `RULES`.
        live: The files they were derived from.
        tables: Size and time of each table's file.
        pairs: Fingerprint of the mapping.
        stretches: Fingerprint of the spans of devices.
        actors: Users and devices that did something.
        people: People.
        found: What was set aside.
    """

    number: int
    stamps: Mapping[str, str]
    live: Live
    tables: Mapping[str, tuple[int, int]]
    pairs: str
    stretches: str
    actors: int
    people: int
    found: Found

    @property
    def version(self) -> str:
        """Fingerprint of the mapping as a whole: equal mappings have equal ones, however they came about."""
        return version_of(self.pairs, self.stretches)


def version_of(pairs: str, stretches: str) -> str:
    """The version of a mapping with these fingerprints."""
    return _digest(f"{pairs}:{stretches}")


def read_basis(ledger: Ledger) -> Basis | None:
    """Reads what the tables of people stand on; None where nothing was derived yet.

    Args:
        ledger: The ledger.

    Returns:
        The basis.
    """
    kept = ledger.get_json(_SETTING)
    if kept is None:
        return None
    live = Live(**{name: tuple(paths) for name, paths in kept.pop("live").items()})
    tables = {name: tuple(marks) for name, marks in kept.pop("tables").items()}
    return Basis(live=live, tables=tables, found=Found(**kept.pop("found")), **kept)


def write_basis(ledger: Ledger, basis: Basis) -> None:
    """Notes what the tables of people stand on; part of a transaction.

    Args:
        ledger: The ledger.
        basis: The basis.
    """
    ledger.put_json(_SETTING, asdict(basis))


def stamps_of(product: Product, plan: TrackingPlan) -> dict[str, str]:
    """Fingerprints of what decides how people are derived.

    Args:
        product: The product.
        plan: The tracking plan.

    Returns:
        Name -> fingerprint.
    """
    channels = [channel.model_dump(mode="json") for channel in product.channels]
    return {
        "code": code_stamp(),
        "plan": plan.hash,
        "identity": _digest(product.identity.model_dump(mode="json")),
        "channels": _digest([channels, product.channel_grouping]),
    }


def code_stamp() -> str:
    """Names the versions of what derives."""
    return f"{SCHEME} {importlib.metadata.version('headway')} {duckdb.__version__}"


def why_anew(basis: Basis | None, stamps: Mapping[str, str], live: Live, folder: Path) -> str:
    """Says why people cannot be derived from what was known of them.

    Args:
        basis: What was known.
        stamps: What decides how people are derived now.
        live: The files there are now.
        folder: Where the tables are.

    Returns:
        The reason; empty where there is none.
    """
    if basis is None:
        return FIRST
    for name, stamp in stamps.items():
        if basis.stamps.get(name) != stamp:
            return RULES[name]
    # links are only ever added, but for files merged in the transaction that notes the basis
    if not set(basis.live.links) <= set(live.links):
        return READ_ANEW
    return "" if all(mark_of(folder / name) == mark for name, mark in basis.tables.items()) else NOT_OURS


def mark_of(path: Path) -> tuple[int, int] | None:
    """By what a written file is known again: its size and time; None where it is gone or damaged."""
    if not whole(path):
        return None
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def marks_of(folder: Path, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The marks of several files that are there."""
    return {name: mark for name in names if (mark := mark_of(folder / name)) is not None}


def changes_file(workspace: Workspace, number: int) -> Path:
    """Where the persons are listed whose events or members changed when the tables were changed for the nth time."""
    return workspace.people / "changes" / f"{number}.parquet"


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
