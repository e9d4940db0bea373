"""Carrying out an erasure, step by step, such that every step may be done again after a kill.

The journal is written first. Then: tombstones, lake, vault, raw files. What follows from the lake is computed again by
the run that comes after, and only then is the proof made and the receipt written.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway.engine import connect
from headway_pipelines.freshness import outdate
from headway_pipelines.lake.ledger import PROMOTED, Ledger
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.rights.journal import Erasure, read_journal, write_journal
from headway_pipelines.rights.lake_rows import make_live, write_without
from headway_pipelines.rights.subject import Subject
from headway_pipelines.workspace import Workspace

ENTANGLED = "entangled"
_SETTING = "erasure"


def resume(workspace: Workspace, ledger: Ledger, key: Key) -> None:
    """Carries out what a killed erasure left undone, up to what has to be computed again.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        key: The workspace's key.
    """
    erasure = read_journal(workspace)
    if erasure is not None:
        carry_out(workspace, ledger, key, erasure)


def carry_out(workspace: Workspace, ledger: Ledger, key: Key, erasure: Erasure) -> Erasure:
    """Takes people out of everything that is not computed again anyway.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        key: The workspace's key.
        erasure: The erasure, as the journal has it.

    Returns:
        The erasure with what was counted.
    """
    con = connect(temp_directory="")
    try:
        vault = Vault(workspace.state / "vault", key, con)
        if "tombstones" not in erasure.done:
            vault.tombstones.add(erasure.lookups, erasure.windows)
            erasure = _note(workspace, erasure, {"tombstones": len(erasure.lookups) + len(erasure.windows)})
        if "lake" not in erasure.done:
            erasure = _note(workspace, erasure, {"lake": _from_lake(workspace, ledger, key, erasure)})
        if "vault_rows" not in erasure.done:
            vault.drop(erasure.surrogates)
            erasure = _note(workspace, erasure, {"vault_rows": len(erasure.lookups)})
    finally:
        con.close()
    if "raw" not in erasure.done:
        from headway_pipelines.rights.raw_files import from_raw_files

        erasure = _note(workspace, erasure, {"raw": from_raw_files(workspace, ledger, key, erasure)})
    return erasure


def _note(workspace: Workspace, erasure: Erasure, counted: Mapping[str, Any]) -> Erasure:
    noted = replace(erasure, done={**erasure.done, **counted})
    write_journal(workspace, noted)
    return noted


def _from_lake(workspace: Workspace, ledger: Ledger, key: Key, erasure: Erasure) -> dict[str, Any]:
    """Writes the lake without them; returns what was counted, also when a killed run did it already."""
    known = ledger.get_json(_SETTING)
    if known is not None and known["number"] == erasure.number and known["asked_at"] == erasure.asked_at:
        return dict(known["counts"])
    subject = Subject(erasure.surrogates, erasure.lookups, erasure.windows)
    without = write_without(workspace, ledger, subject)
    waiting = [b for b in ledger.batches() if b.state not in (PROMOTED, "copy")]
    counts: dict[str, Any] = without.counts() | {
        "read_again": bool(waiting),
        ENTANGLED: without.entangled,
        "days": list(without.days),
        "files_written": {
            path: _sha256(workspace.warehouse / path) for files in without.added.values() for path in files
        },
    }
    with ledger.transaction():
        make_live(ledger, without)
        outdate(ledger)
        if without.entangled and _all_raw_is_there(workspace, ledger, key):
            # Another copy of an event may have to take the place of one that went: only reading all logs again tells.
            ledger.reset()
            counts["read_again"] = True
        ledger.put_json(_SETTING, {"number": erasure.number, "asked_at": erasure.asked_at, "counts": counts})
    # What is kept of values holds people as they were: the next run computes all of them.
    shutil.rmtree(workspace.kept, ignore_errors=True)
    sweep(workspace, ledger)
    return counts


def _all_raw_is_there(workspace: Workspace, ledger: Ledger, key: Key) -> bool:
    from headway.errors import InputError
    from headway_pipelines.ingest import definitions_stamp, landed, path_id

    try:
        present = {path_id(key, file.relative) for file in landed(workspace)}
    except InputError:
        return False
    whole = all(b.path_id in present for b in ledger.batches(PROMOTED))
    return whole and ledger.get("definitions") == definitions_stamp(workspace)


def sweep(workspace: Workspace, ledger: Ledger) -> None:
    """Deletes what killed runs left behind. Files of the lake stay until nobody's views read them.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
    """
    waiting = ledger.waiting_groups()
    if workspace.staging.is_dir():
        for folder in workspace.staging.iterdir():
            if folder.name not in waiting:
                shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(workspace.warehouse / "tmp", ignore_errors=True)
    for folder in (workspace.people, workspace.published_db.parent, workspace.warehouse, workspace.report):
        for leftover in folder.glob(".*"):
            if leftover.is_file() and leftover.name != ".lock":
                leftover.unlink()


def now() -> datetime:
    """The present, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
