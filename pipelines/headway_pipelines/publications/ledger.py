"""The publication ledger: which cells were ever released, with which numbers and people behind them.

Lies in ``state/publications``: one Parquet file per publication and table, holding only the cells that were new or
changed, and ``releases.jsonl``, one line per publication with the checksums of its files and of the line before.
Nothing is ever rewritten. The counts of people are internal (a published cell need not say how many contributed), the
files therefore 0600.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from headway.errors import HeadwayError
from headway_pipelines.workspace import sync_folder, write_atomically

_FIRST = "0" * 64
_INDEX = "releases.jsonl"
_LOST = (
    "what was published before is not known any more, and a small difference from it could be published. Restore the "
    "folder from a backup; only where nobody can have a copy of an earlier publication, move it away."
)


@dataclass(frozen=True)
class Release:
    """One publication.

    Attributes:
        number: 1, 2, …
        at: As of when its numbers were computed (UTC, ISO 8601).
        cells: Table -> cells that were new or changed.
        files: File name -> SHA-256.
        checksum: SHA-256 over the line before and this one.
    """

    number: int
    at: str
    cells: Mapping[str, int]
    files: Mapping[str, str]
    checksum: str


class PublicationLedger:
    """The publications of a workspace.

    Args:
        folder: Where they are noted, normally ``state/publications``; made on the first release.
        lost: What is not known any more where the ledger is damaged, for the message.

    Raises:
        HeadwayError: A file is missing or was changed since it was written.

    Examples:
        >>> import tempfile
        >>> ledger = PublicationLedger(Path(tempfile.mkdtemp()) / "publications")
        >>> ledger.append(datetime(2026, 3, 2), {"active_people": pl.DataFrame({"window_days": [7], "value": [40]})})
        >>> ledger.append(datetime(2026, 3, 3), {"active_people": pl.DataFrame({"window_days": [7], "value": [52]})})
        >>> ledger.cells("active_people").select("publication_number", "value").rows()
        [(1, 40), (2, 52)]
        >>> ledger.cells("active_people", until=datetime(2026, 3, 2))["value"].to_list()
        [40]
    """

    def __init__(self, folder: Path, lost: str = _LOST) -> None:
        self._folder = folder
        self._lost = lost

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """Every publication, the first one first."""
        index = self._folder / _INDEX
        if not index.exists():
            if any(self._folder.glob("*.parquet")):
                raise self._damaged(_INDEX, "is missing")
            return ()
        found: list[Release] = []
        before = _FIRST
        for line in index.read_text(encoding="utf-8").splitlines():
            release = _read(line, before, len(found) + 1)
            if release is None:
                raise self._damaged(_INDEX, f"was changed: line {len(found) + 1} does not fit its checksum")
            found.append(release)
            before = release.checksum
        for release in found:
            for name, checksum in release.files.items():
                self._verify(name, checksum)
        return tuple(found)

    def cells(self, table: str, *, until: datetime | None = None) -> pl.DataFrame:
        """Returns every cell of a table that was ever released.

        Args:
            table: Name of the published table.
            until: Only what was released as of this instant or before (UTC).

        Returns:
            The cells with the number of their publication in the column ``publication_number``, in order; empty and
            without columns where there is none.
        """
        frames = [
            pl.read_parquet(self._folder / _name(release.number, table)).with_columns(
                publication_number=pl.lit(release.number, dtype=pl.Int64)
            )
            for release in self.releases
            if table in release.cells and (until is None or datetime.fromisoformat(release.at) <= until)
        ]
        return pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()

    def append(self, at: datetime, tables: Mapping[str, pl.DataFrame]) -> None:
        """Notes what is about to be published; nothing where no cell is new or changed.

        Call it before the file is put in place: what was noted and not published does no harm.

        Args:
            at: As of when the numbers were computed (UTC).
            tables: Table -> cells that are new or changed.

        Raises:
            ValueError: A table has the column ``publication_number``, which is that of the ledger.
        """
        if taken := sorted(name for name, frame in tables.items() if "publication_number" in frame.columns):
            raise ValueError(f"the column publication_number is the ledger's own: {', '.join(taken)}")
        known = self.releases
        number = len(known) + 1
        tables = {name: frame for name, frame in tables.items() if frame.height}
        if not tables:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = {}
        for table, frame in tables.items():
            content = _parquet(frame)
            files[_name(number, table)] = hashlib.sha256(content).hexdigest()
            write_atomically(self._folder / _name(number, table), content)
            (self._folder / _name(number, table)).chmod(0o600)
        body = {
            "release": number,
            "at": at.isoformat(),
            "cells": {table: frame.height for table, frame in tables.items()},
            "files": files,
        }
        before = known[-1].checksum if known else _FIRST
        line = json.dumps(body | {"checksum": _checksum(body, before)}, sort_keys=True)
        index = self._folder / _INDEX
        text = index.read_text(encoding="utf-8") if index.exists() else ""
        write_atomically(index, f"{text}{line}\n")
        index.chmod(0o600)
        sync_folder(self._folder)
        del self.__dict__["releases"]

    def _verify(self, name: str, checksum: str) -> None:
        path = self._folder / name
        if not path.exists():
            raise self._damaged(name, "is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            raise self._damaged(name, "was changed since it was written")

    def _damaged(self, name: str, what: str) -> HeadwayError:
        return HeadwayError(f"state/{self._folder.name}/{name} {what}: {self._lost}")


def _parquet(frame: pl.DataFrame) -> bytes:
    sink = BytesIO()
    frame.write_parquet(sink, compression="zstd", statistics=False)
    return sink.getvalue()


def _name(number: int, table: str) -> str:
    return f"{number:06d}-{table}.parquet"


def _checksum(body: Mapping[str, Any], before: str) -> str:
    return hashlib.sha256(f"{before}\n{json.dumps(body, sort_keys=True)}".encode()).hexdigest()


def _read(line: str, before: str, number: int) -> Release | None:
    try:
        body = json.loads(line)
        checksum = body.pop("checksum")
        fits = body["release"] == number and checksum == _checksum(body, before)
    except (ValueError, KeyError, AttributeError, TypeError):
        fits = False
    if not fits:
        return None
    return Release(number, body["at"], body["cells"], body["files"], checksum)
