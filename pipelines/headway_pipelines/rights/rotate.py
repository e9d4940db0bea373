"""A new key in front of the one in use: everybody keeps their surrogate, and is hashed under the new one when met."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from headway.errors import InputError
from headway_pipelines.freshness import outdate
from headway_pipelines.ingest import landed, path_id
from headway_pipelines.lake.ledger import PROMOTED, Ledger
from headway_pipelines.locking import workspace_lock
from headway_pipelines.privacy.keys import KEY_BYTES, Key, key_file, load_key
from headway_pipelines.workspace import Workspace, write_atomically


@dataclass(frozen=True)
class Rotated:
    """What a rotation did.

    Attributes:
        id: Id of the key that is in use now.
        older: Ids of the keys that are still recognised.
    """

    id: str
    older: tuple[str, ...]


def rotate_key(workspace: Workspace) -> Rotated:
    """Puts a new key in front of the one in use; the next run reads all logs again under it.

    Args:
        workspace: The workspace.

    Returns:
        The ids of the keys.

    Raises:
        InputError: Raw logs whose events are in the lake are gone: their events could not be hashed again.
    """
    with workspace_lock(workspace):
        key = load_key(workspace, create=False)
        _refuse_where_logs_are_gone(workspace, key)
        path = key_file(workspace)
        lines = path.read_text(encoding="ascii").split()
        write_atomically(path, "\n".join([secrets.token_hex(KEY_BYTES), *lines]) + "\n")
        path.chmod(0o600)
        ledger = Ledger(workspace.ledger_file)
        try:
            outdate(ledger)
        finally:
            ledger.close()
        return _told(load_key(workspace, create=False))


def retire_keys(workspace: Workspace) -> Rotated:
    """Forgets the older keys: what was never met again under the new one can no longer be recognised.

    Args:
        workspace: The workspace.

    Returns:
        The ids of the keys.

    Raises:
        InputError: Logs were not read again since the key was rotated, or there is no older key.
    """
    with workspace_lock(workspace):
        key = load_key(workspace, create=False)
        if len(key.ring) == 1:
            raise InputError("there is no older key to retire")
        ledger = Ledger(workspace.ledger_file)
        try:
            if ledger.get("key") != key.id:
                raise InputError("logs were not read again under the new key yet. Run 'headway run' first.")
        finally:
            ledger.close()
        path = key_file(workspace)
        write_atomically(path, path.read_text(encoding="ascii").split()[0] + "\n")
        path.chmod(0o600)
        return _told(load_key(workspace, create=False))


def _refuse_where_logs_are_gone(workspace: Workspace, key: Key) -> None:
    ledger = Ledger(workspace.ledger_file)
    try:
        read = {batch.path_id for batch in ledger.batches(PROMOTED)}
        used = next((each for each in key.ring if each.id == ledger.get("key")), key)
    finally:
        ledger.close()
    if read and not read <= {path_id(used, file.relative) for file in landed(workspace)}:
        raise InputError(
            "files whose events are in the lake are no longer under raw/: under a new key their events could not be "
            "told from copies that come later. Put them back first; the key was not changed."
        )


def _told(key: Key) -> Rotated:
    return Rotated(key.id, tuple(older.id for older in key.ring[1:]))
