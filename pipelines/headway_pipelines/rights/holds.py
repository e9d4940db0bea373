"""Legal holds: people who may not be erased for now, as keyed marks with the code of a reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from headway.errors import InputError
from headway_pipelines.privacy.keys import Key
from headway_pipelines.workspace import Workspace, write_atomically

HoldReason = Literal["litigation", "investigation", "tax", "regulator", "contract"]
HOLD_REASONS: tuple[HoldReason, ...] = get_args(HoldReason)
_DOMAIN = "legal-hold"


def hold(workspace: Workspace, key: Key, lookups: Sequence[tuple[str, str]], reason: HoldReason) -> int:
    """Keeps people from being erased.

    Args:
        workspace: The workspace.
        key: The workspace's key.
        lookups: Domain and keyed hash of their ids.
        reason: Why.

    Returns:
        Number of ids that were not held before.
    """
    held = _read(workspace)
    fresh = {_mark(key, *each) for each in lookups} - held.keys()
    for mark in fresh:
        held[mark] = {"reason": reason, "since": date.today().isoformat()}
    _write(workspace, held)
    return len(fresh)


def release(workspace: Workspace, key: Key, lookups: Iterable[tuple[str, str]]) -> int:
    """Ends holds.

    Args:
        workspace: The workspace.
        key: The workspace's key.
        lookups: Domain and keyed hash of the ids.

    Returns:
        Number of ids that were held.
    """
    held = _read(workspace)
    ended = {_mark(each_key, *each) for each in lookups for each_key in key.ring} & held.keys()
    _write(workspace, {mark: what for mark, what in held.items() if mark not in ended})
    return len(ended)


def refuse_held(workspace: Workspace, key: Key, lookups: Iterable[tuple[str, str]]) -> None:
    """Refuses to erase who is held.

    Args:
        workspace: The workspace.
        key: The workspace's key.
        lookups: Domain and keyed hash of the ids.

    Raises:
        InputError: One of them is held; says why and since when.
    """
    held = _read(workspace)
    for each in lookups if held else ():
        for each_key in key.ring:
            if (found := held.get(_mark(each_key, *each))) is not None:
                raise InputError(
                    f"this person is under a legal hold ({found['reason']}) since {found['since']} and is not erased. "
                    "End it with 'headway hold --release ID' first; nothing was changed."
                )


def _mark(key: Key, domain: str, lookup: str) -> str:
    return key.digest(f"{_DOMAIN}:{domain}", lookup)


def _file(workspace: Workspace) -> Path:
    return workspace.state / "holds.json"


def _read(workspace: Workspace) -> dict[str, dict[str, str]]:
    path = _file(workspace)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _write(workspace: Workspace, held: dict[str, dict[str, str]]) -> None:
    path = _file(workspace)
    if held or path.exists():
        write_atomically(path, json.dumps(held, indent=2, sort_keys=True) + "\n")
        path.chmod(0o600)
