"""Framing files that are tables: delimited text and Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from headway_pipelines.privacy.framing import Block
from headway_pipelines.sources.shape import Reader


def frame_table(path: Path, reader: Reader) -> Iterator[Block]:
    """Placeholder."""
    raise AssertionError(path, reader)
