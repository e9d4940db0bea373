"""What is on record of erasures: the one under way, and a receipt of each that was carried out.

The journal of the one under way names surrogates and keyed hashes and is deleted with it. A receipt holds counts and
hashes of files, never an id; each names the checksum of the one before it. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.workspace import Workspace, sync_folder, write_atomically

RETENTION = "retention"
"""Setting of the ledger: what was written away last, and on which day that was looked at."""


@dataclass(frozen=True)
class Erasure:
    """An erasure under way.

    Attributes:
        number: Its number.
        asked_at: When it was asked for, UTC.
        reason: Code of the reason.
        key_id: Which key was in use.
        people: How many people it is about; 0 where only ids were named.
        rewrite_raw: Whether lines are taken out of raw files.
        surrogates: Surrogates that go.
        lookups: Domain and keyed hash that lead to them.
        windows: Times in which shared devices were theirs.
        done: What was counted so far, by step; steps that are there need not be done again.
    """

    number: int
    asked_at: str
    reason: str
    key_id: str
    people: int
    rewrite_raw: bool
    surrogates: tuple[str, ...]
    lookups: tuple[tuple[str, str], ...]
    windows: tuple[tuple[str, int | None, int | None], ...]
    done: Mapping[str, Any] = field(default_factory=dict)


def _journal(workspace: Workspace) -> Path:
    return workspace.state / "erasure.json"


def receipts_folder(workspace: Workspace) -> Path:
    """Where receipts are."""
    return workspace.state / "receipts"


def is_pending(workspace: Workspace) -> bool:
    """Whether an erasure was begun and not finished."""
    return _journal(workspace).exists()


def read_journal(workspace: Workspace) -> Erasure | None:
    """Reads the erasure under way.

    Args:
        workspace: The workspace.

    Returns:
        The erasure; None where there is none.
    """
    if not is_pending(workspace):
        return None
    kept = json.loads(_journal(workspace).read_text(encoding="utf-8"))
    for name in ("surrogates", "lookups", "windows"):
        kept[name] = tuple(tuple(each) if isinstance(each, list) else each for each in kept[name])
    return Erasure(**kept)


def write_journal(workspace: Workspace, erasure: Erasure) -> None:
    """Notes how far an erasure is.

    Args:
        workspace: The workspace.
        erasure: The erasure.
    """
    path = _journal(workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(erasure), sort_keys=True))
    path.chmod(0o600)


def next_number(workspace: Workspace) -> int:
    """The number of the next erasure."""
    return 1 + len(list(receipts_folder(workspace).glob("erasure-*.json")))


def write_receipt(workspace: Workspace, erasure: Erasure, told: Mapping[str, Any]) -> Path:
    """Writes the receipt of an erasure and deletes its journal.

    Args:
        workspace: The workspace.
        erasure: The erasure.
        told: What else the receipt says.

    Returns:
        The receipt.
    """
    folder = receipts_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    before = sorted(folder.glob("erasure-*.json"))
    previous = hashlib.sha256(before[-1].read_bytes()).hexdigest() if before else ""
    content = {
        "erasure": erasure.number,
        "asked_at": erasure.asked_at,
        "reason": erasure.reason,
        "key_id": erasure.key_id,
        "people": erasure.people,
        **told,
        "previous_receipt_sha256": previous,
    }
    path = folder / f"erasure-{erasure.number:06d}.json"
    write_atomically(path, json.dumps(content, indent=2, sort_keys=True) + "\n")
    path.chmod(0o600)
    _journal(workspace).unlink()
    sync_folder(workspace.state)
    return path


def is_due(ledger: Ledger, today: date | None = None) -> bool:
    """Whether something may have expired since the last look; imports of the plan are spared on most runs.

    Args:
        ledger: The ledger.
        today: The present day, UTC.

    Returns:
        False where nothing is enforced, or today was looked at already.
    """
    known = ledger.get_json(RETENTION)
    return bool(known) and known["on"] < (today or datetime.now(UTC).date()).isoformat()
