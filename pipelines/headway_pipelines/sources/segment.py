"""Segment JSON lines: what Segment's own storage destinations write."""

from __future__ import annotations

from typing import Literal

from headway.engine.sql import load
from headway_pipelines.sources.shape import FileSet, Source


def segment(name: str = "segment", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes files with one Segment call a line.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> segment().format
        'segment'
    """
    return Source(name, "segment", load("headway_pipelines.sources", "segment.sql"), files=files)


class SegmentSource(FileSet):
    """Segment JSON lines, see `segment`."""

    format: Literal["segment"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return segment(name, self.files)
