"""Numbered Parquet files that together are one table of ``state/``: each carries the first digits of its SHA-256.

A segment is added, or written anew without some of its rows; it is never changed where it lies. What is missing or
damaged is noticed before anything is built on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from headway.errors import HeadwayError
from headway_pipelines.workspace import sync_folder, write_atomically

_DIGITS = 16
_NEW = ".new"


def segments_of(folder: Path, what: str) -> list[Path]:
    """Lists the segments of a folder, after finishing what a killed process left half-done.

    Args:
        folder: Where they are.
        what: The table in messages: the name of its folder in ``state/``.

    Returns:
        The files, in order of their numbers.

    Raises:
        HeadwayError: A segment is missing or was changed since it was written.
    """
    _mend(folder)
    segments = sorted(folder.glob("[0-9]*.parquet"))
    for number, segment in enumerate(segments, 1):
        if number_of(segment) != number:
            raise HeadwayError(
                f"segment {number:06d} of the {what} is missing in state/{what}/: the people in it would become "
                "new ones. Restore state/ from a backup."
            )
        if segment.stem.split("-")[-1] != _digest(segment.read_bytes()):
            raise HeadwayError(
                f"the {what} segment state/{what}/{segment.name} is damaged: its content does not match its checksum. "
                "Restore state/ from a backup."
            )
    return segments


def number_of(segment: Path) -> int:
    """The number of a segment, from its name."""
    return int(segment.name.removeprefix(".").split("-")[0])


def add_segment(folder: Path, number: int, rows: pl.DataFrame, columns: Sequence[str]) -> Path:
    """Writes one more segment.

    Args:
        folder: Where the segments are; made when missing.
        number: Its number.
        rows: Its rows.
        columns: The columns to write.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = _written(rows.select(columns))
    path = folder / f"{number:06d}-{_digest(content)}.parquet"
    write_atomically(path, content)
    sync_folder(folder)
    return path


def replace_segment(segment: Path, rows: pl.DataFrame) -> None:
    """Writes a segment anew; a reader finds the old rows or the new ones, also after a kill.

    Args:
        segment: The segment there is.
        rows: What stays in it; may be nothing, so that the numbers stay without gaps.
    """
    content = _written(rows)
    final = segment.with_name(f"{number_of(segment):06d}-{_digest(content)}.parquet")
    if final == segment:
        return
    beside = final.with_name(f".{final.name}{_NEW}")
    write_atomically(beside, content)
    segment.unlink()
    beside.rename(final)
    sync_folder(final.parent)


def _mend(folder: Path) -> None:
    """Puts a segment in place whose old version is gone; forgets one whose old version is still there."""
    for beside in folder.glob(f".[0-9]*.parquet{_NEW}"):
        if list(folder.glob(f"{number_of(beside):06d}-*.parquet")):
            beside.unlink()
        else:
            beside.rename(folder / beside.name.removeprefix(".").removesuffix(_NEW))


def _written(rows: pl.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    # No column statistics: a Parquet footer would show the smallest and largest hash in clear.
    rows.write_parquet(sink, compression="zstd", statistics=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
