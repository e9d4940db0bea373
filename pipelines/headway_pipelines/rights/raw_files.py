"""Erased people in raw files: the files are listed, and rewritten only where that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.errors import InputError
from headway.models.plan import load_plan
from headway_pipelines.ingest import Landed, landed, path_id
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.privacy.detect import safe_path
from headway_pipelines.privacy.gate import Gate, RawFile
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.raw_lines import DamagedFile, Named, find_lines
from headway_pipelines.privacy.raw_rewriting import blank_lines, why_not
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.rights.journal import Erasure
from headway_pipelines.workspace import Workspace


def from_raw_files(workspace: Workspace, ledger: Ledger, key: Key, erasure: Erasure) -> list[dict[str, Any]]:
    """Looks for erased people in every file below ``raw/``; takes their lines out where that was asked for.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        key: The workspace's key.
        erasure: Who was erased.

    Returns:
        One entry a file: ``file``, ``lines`` of theirs, ``named``: other lines that name them, ``emptied`` lines and
        ``left``: why lines were left.
    """
    from headway_pipelines.rights.carry_out import now

    try:
        files = [file for file in landed(workspace) if file.source is not None]
    except InputError:
        return []
    some = Tombstones(workspace.state / "tombstones", key).only(erasure.lookups, erasure.windows)
    held: dict[int, Named] = {}
    with Gate(load_plan(workspace.plan_file), key, workspace.state / "vault", now=now()) as gate:
        for source in dict.fromkeys(file.source for file in files):
            assert source is not None
            mine = [RawFile(f.path, n) for n, f in enumerate(files) if f.source == source]
            held |= find_lines(gate, mine, source, some)
    return [_entry(ledger, key, erasure, files[n], named) for n, named in sorted(held.items())]


def _entry(ledger: Ledger, key: Key, erasure: Erasure, file: Landed, named: Named) -> dict[str, Any]:
    assert file.source is not None
    identity = path_id(key, file.relative)
    emptied, left = 0, "not asked for"
    if erasure.rewrite_raw:
        emptied, left = _emptied(ledger, identity, file, named.own) if named.own else (0, "")
    return {
        "file": file.relative if safe_path(file.relative) else f"file#{identity[:8]}",
        "lines": len(named.own),
        "named": named.others,
        "emptied": emptied,
        "left": left,
    }


def _emptied(ledger: Ledger, identity: str, file: Landed, lines: set[int]) -> tuple[int, str]:
    assert file.source is not None
    try:
        if left := why_not(file.path):
            return 0, left
        emptied, checksum = blank_lines(file.path, lines, file.source)
    except (DamagedFile, OSError) as error:
        return (
            0,
            f"it cannot be rewritten: {error if isinstance(error, DamagedFile) else type(error).__name__}",
        )
    stat = file.path.stat()
    known: Sequence[Any] = [b for b in ledger.batches() if b.path_id == identity]
    with ledger.transaction():
        for batch in known[-1:]:
            ledger.rewritten(batch.batch, stat.st_size, stat.st_mtime_ns, checksum)
    return emptied, "" if emptied == len(lines) else "some rows have no end"
