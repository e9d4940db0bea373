"""Making the proof on a workspace's own logs, and remembering when it was made and what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headway_pipelines.ingest import landed
from headway_pipelines.privacy.witnesses import MOST_VALUES, Proof, prove_absent
from headway_pipelines.workspace import Workspace, write_atomically


def prove(workspace: Workspace, *, most: int = MOST_VALUES) -> Mapping[str, Any]:
    """Looks for personal data of the raw logs in every other file of a workspace, and notes what came of it.

    Args:
        workspace: The workspace.
        most: Values that are looked for at most.

    Returns:
        What is noted in ``state/proof.json``: when, counts, and the files in which something was found, as names below
        the workspace.

    Raises:
        InputError: There are no logs under ``raw/``.
    """
    raw = [(file.path, file.source) for file in landed(workspace) if file.source is not None]
    proof = prove_absent(raw, written(workspace), most=most)
    told = _told(workspace, proof)
    workspace.state.mkdir(mode=0o700, exist_ok=True)
    write_atomically(_file(workspace), json.dumps(told, indent=2, sort_keys=True) + "\n")
    _file(workspace).chmod(0o600)
    return told


def last_proof(workspace: Workspace) -> Mapping[str, Any] | None:
    """Reads what the last proof found.

    Args:
        workspace: The workspace.

    Returns:
        See `prove`; None where no proof was made, or its note cannot be read.
    """
    try:
        told = json.loads(_file(workspace).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def written(workspace: Workspace) -> list[Path]:
    """Lists what Headway writes: all of it must be without personal data.

    Args:
        workspace: The workspace.

    Returns:
        Folders and files that exist.
    """
    folders = (workspace.state, workspace.warehouse, workspace.published_db.parent, workspace.report)
    definitions = [p for p in workspace.root.rglob("*.yml") if not _below(p, workspace.raw)]
    return [path for path in (*folders, *definitions) if path.exists()]


def _below(path: Path, folder: Path) -> bool:
    return folder in path.parents


def _told(workspace: Workspace, proof: Proof) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "lines_sampled": proof.lines,
        "values": proof.values,
        "values_by_kind": dict(proof.by_kind),
        "values_by_type": dict(proof.by_type),
        "files": proof.files,
        "bytes": proof.size,
        "hits": proof.hits,
        "found_in": [path.relative_to(workspace.root).as_posix() for path in proof.found_in],
    }


def _file(workspace: Workspace) -> Path:
    return workspace.state / "proof.json"
