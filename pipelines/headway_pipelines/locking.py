"""One run at a time per workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from headway.errors import InputError
from headway_pipelines.workspace import Workspace

_held: dict[str, FileLock] = {}


@contextmanager
def workspace_lock(workspace: Workspace) -> Iterator[None]:
    """Holds the workspace for writing; a process that holds it already may enter again.

    Whatever is written meanwhile is readable by its owner alone, however the process was started.

    Args:
        workspace: The workspace.

    Raises:
        InputError: Another process holds it.
    """
    mask = os.umask(0o077)
    try:
        with _alone(workspace):
            yield
    finally:
        os.umask(mask)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    workspace.warehouse.mkdir(parents=True, exist_ok=True)
    path = str(workspace.warehouse / ".lock")
    lock = _held.setdefault(path, FileLock(path, timeout=0))
    try:
        lock.acquire()
    except Timeout:
        lock = None  # type: ignore[assignment]
    if lock is None:
        raise InputError(
            f"another run is working on {workspace.root}. Wait for it to finish; nothing was changed by this one."
        )
    try:
        yield
    finally:
        lock.release()
