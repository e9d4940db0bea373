"""The ledger of bets: what was bet, when, and how it ended, as a chain that cannot be rewritten unnoticed.

``state/bets.jsonl`` only ever grows. Each entry holds the hash of the one before, and is signed with the workspace's
key, which is kept elsewhere. Whoever edits, removes or inserts an entry breaks the chain; whoever computes it anew has
no key; whoever cuts off its end is found by the number of entries that the run before had seen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from headway.errors import InputError
from headway_pipelines.privacy.keys import Key
from headway_pipelines.workspace import sync_folder

Kind = Literal["frozen", "changed", "withdrawn", "settled", "revised", "key"]
"""A bet was written down, written anew, taken out of the files; settled, settled otherwise; a new key signs."""

_DOMAIN = "bets"
_NOTHING = "0" * 64


class LedgerError(InputError):
    """The ledger of bets is not what Headway wrote."""


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        number: Its number, from 1.
        at: When it was written, UTC.
        kind: What happened.
        bet: The bet; empty for a new key.
        content: What was frozen or settled.
        key_id: Key that signed it.
        hash: SHA-256 over the entry before and this one.
        signature: Keyed hash of `hash`.
    """

    number: int
    at: datetime
    kind: Kind
    bet: str
    content: Mapping[str, Any]
    key_id: str
    hash: str
    signature: str

    def line(self) -> str:
        """Returns the entry as one line of JSON."""
        said = {
            **_said(self.number, self.at, self.kind, self.bet, self.content, self.key_id),
            "hash": self.hash,
            "signature": self.signature,
        }
        return json.dumps(said, sort_keys=True, ensure_ascii=False) + "\n"


def read_bets(path: Path, key: Key, *, seen: tuple[int, str] | None = None) -> tuple[Entry, ...]:
    """Reads the ledger and checks that it is what was written.

    Args:
        path: The file; there is none before the first bet.
        key: The workspace's key.
        seen: Number and hash of the last entry that an earlier run saw, or None.

    Returns:
        The entries, oldest first.

    Raises:
        LedgerError: An entry was changed, removed, inserted or cut off; the message says which.
    """
    entries = tuple(_entries(path))
    before = _NOTHING
    for position, entry in enumerate(entries, start=1):
        if entry.number != position:
            raise _broken(
                path, position, f"is entry {entry.number}, so that one before it was removed or inserted"
            )
        if entry.hash != _hash(before, entry):
            raise _broken(path, position, "was changed after it was written, or the one before it was")
        if entry.key_id == key.id and not _signed(entry, key):
            raise _broken(path, position, "was not written by Headway with this workspace's key")
        before = entry.hash
    if entries and not any(entry.key_id == key.id for entry in entries) and seen is None:
        raise _broken(
            path,
            len(entries),
            "was signed with another key than this workspace's, and no earlier run of this warehouse has seen it",
        )
    if seen is not None:
        number, last = seen
        if len(entries) < number:
            raise _broken(path, len(entries), f"is the last one, and there were {number} before")
        if entries[number - 1].hash != last:
            raise _broken(path, number, "is another one than an earlier run saw")
    return entries


def append_bets(
    path: Path,
    entries: Sequence[Entry],
    news: Sequence[tuple[Kind, str, Mapping[str, Any]]],
    key: Key,
    at: datetime,
) -> tuple[Entry, ...]:
    """Adds entries at the ledger's end; when this returns they are on disk.

    Args:
        path: The file.
        entries: What `read_bets` returned.
        news: Kind, bet and content of each new entry.
        key: The workspace's key.
        at: Now, UTC without a time zone.

    Returns:
        All entries.
    """
    if not news:
        return tuple(entries)
    if entries and entries[-1].key_id != key.id:
        # Signed by the new key, the chain before it is vouched for: the signature covers it.
        news = [("key", "", {"before": entries[-1].key_id}), *news]
    found = list(entries)
    for kind, bet, content in news:
        found.append(_next(found, kind, bet, content, key, at))
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as handle:
        # What stands behind the last end of a line was being written when a run was killed.
        handle.seek(handle.read().rfind(b"\n") + 1)
        handle.truncate()
        handle.write("".join(entry.line() for entry in found[len(entries) :]).encode())
        handle.flush()
        os.fsync(handle.fileno())
    sync_folder(path.parent)
    return tuple(found)


def _next(
    entries: Sequence[Entry], kind: Kind, bet: str, content: Mapping[str, Any], key: Key, at: datetime
) -> Entry:
    entry = Entry(len(entries) + 1, at, kind, bet, content, key.id, "", "")
    chained = _hash(entries[-1].hash if entries else _NOTHING, entry)
    return Entry(entry.number, at, kind, bet, content, key.id, chained, key.digest(_DOMAIN, chained))


def _said(
    number: int, at: datetime, kind: str, bet: str, content: Mapping[str, Any], key_id: str
) -> dict[str, Any]:
    return {
        "number": number, "at": at.isoformat(), "kind": kind, "bet": bet, "content": dict(content), "key_id": key_id,
    }  # fmt: skip


def _hash(before: str, entry: Entry) -> str:
    said = _said(entry.number, entry.at, entry.kind, entry.bet, entry.content, entry.key_id)
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _signed(entry: Entry, key: Key) -> bool:
    return hmac.compare_digest(entry.signature, key.digest(_DOMAIN, entry.hash))


def _entries(path: Path) -> Iterator[Entry]:
    if not path.exists():
        return
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
        try:
            said = json.loads(line)
            yield Entry(
                int(said["number"]),
                datetime.fromisoformat(said["at"]),
                said["kind"],
                said["bet"],
                said["content"],
                said["key_id"],
                said["hash"],
                said["signature"],
            )
        except (ValueError, KeyError, TypeError):
            raise _broken(path, number, "cannot be read") from None


def _broken(path: Path, line: int, what: str) -> LedgerError:
    return LedgerError(
        f"{path.parent.name}/{path.name}:{line}: this entry {what}. Bets are not settled until the file is as it was: "
        "restore it from a backup."
    )
