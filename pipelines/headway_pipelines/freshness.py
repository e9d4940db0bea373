"""Whether a run has anything to do, told from names, sizes and times alone.

Imports nothing heavy: a scheduled run that finds nothing new should cost next to nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os

from headway_pipelines.lake.integrity import damaged_files
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.workspace import Workspace

_SETTING = "complete"
_BOT_LISTS = ("ua-parser", "ua-parser-builtins", "crawler-user-agents")


def bot_lists() -> str:
    """Names the versions of the lists of known bots: another version may mark other events.

    Returns:
        The versions.
    """
    return " ".join(importlib.metadata.version(name) for name in _BOT_LISTS)


def fingerprint(workspace: Workspace) -> str:
    """Summarises everything a run depends on: raw files as they lie there, the definitions, Headway's version
    and that of the lists of bots.

    Args:
        workspace: The workspace.

    Returns:
        Hexadecimal digits; they change when a file lands, changes or goes, or a definition changes.
    """
    digest = hashlib.sha256(f"{importlib.metadata.version('headway')} {bot_lists()}".encode())
    # As when logs are read: links to files count, links to folders below raw/ are not followed.
    for folder, _, names in sorted(os.walk(workspace.raw)):
        for name in sorted(names):
            try:
                stat = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118  (a Path per file costs more)
            except OSError:  # a link to nothing, or to itself
                continue
            digest.update(
                f"{folder}/{name}:{stat.st_size}:{stat.st_mtime_ns}\n".encode("utf-8", "surrogateescape")
            )
    digest.update(definitions(workspace).encode())
    return digest.hexdigest()


def definitions(workspace: Workspace) -> str:
    """Summarises the files that say what is stored and measured, side inputs among them.

    Args:
        workspace: The workspace.

    Returns:
        Hexadecimal digits; they change when one of the files changes, appears or goes.
    """
    digest = hashlib.sha256()
    for path in workspace.definition_files:
        content = path.read_bytes() if path.exists() else b"absent"
        digest.update(f"{path.name}:{len(content)}:".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()


def is_fresh(workspace: Workspace, ledger: Ledger, now: str) -> bool:
    """Says whether the last complete run saw everything as it is now, and its results are still there.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        now: The fingerprint as of now.

    Returns:
        True when there is nothing to do.
    """
    results = (
        workspace.published_db,
        workspace.explore_db,
        workspace.metrics_db,
        workspace.report / "index.html",
    )
    return (
        ledger.get(_SETTING) == now
        and all(path.exists() for path in results)
        and not damaged_files(workspace, ledger)
    )


def remember(ledger: Ledger, seen: str) -> None:
    """Notes that a run completed.

    Args:
        ledger: The ledger.
        seen: The fingerprint taken when the run began: what landed since is new to the next one.
    """
    ledger.put(_SETTING, seen)


def outdate(ledger: Ledger) -> None:
    """Notes that the results are no longer complete, whatever lies under raw/; may be part of a transaction.

    Args:
        ledger: The ledger.
    """
    ledger.put(_SETTING, "")
