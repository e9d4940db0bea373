"""Whether the files the ledger lists are still there and whole, told from their first and last bytes.

Imports nothing heavy: it runs before every run, also before one that finds nothing to do.
"""

from __future__ import annotations

import os
from pathlib import Path

from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.workspace import Workspace

_MAGIC = b"PAR1"
KINDS = ("events", "links", "person", "account", "contested")
"""Kinds of files that are live: events, who was seen where, what was said of whom, ids with differing copies."""


def damaged_files(workspace: Workspace, ledger: Ledger) -> dict[str, str]:
    """Finds live files of the warehouse that are gone, cut short or overwritten.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Path below the warehouse -> UTC day (empty for tables without days).
    """
    live = {path: day for kind in KINDS for path, day in ledger.lake_files(kind).items()}
    return {path: day for path, day in live.items() if not whole(workspace.warehouse / path)}


def whole(path: Path) -> bool:
    """Says whether a file begins and ends as Parquet does, which is written front to back.

    Args:
        path: The file.

    Returns:
        False where it is gone, cut short or overwritten.
    """
    try:
        with path.open("rb") as handle:
            first = handle.read(len(_MAGIC))
            handle.seek(-len(_MAGIC), os.SEEK_END)
            return first == handle.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False
