"""Segment JSON lines: what Segment's own storage destinations write."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictBool

from headway.engine.sql import bind, load
from headway_pipelines.sources.shape import FileSet, Source


def segment(name: str = "segment", files: tuple[str, ...] = ("**/*",), *, page: bool = False) -> Source:
    """Describes files with one Segment call a line.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        page: Whether `url`, `referrer` and `title` of the page around a call are properties of calls without them.

    Returns:
        The source.

    Examples:
        >>> segment().format
        'segment'
    """
    text = bind(load("headway_pipelines.sources", "segment.sql"), {"surroundings": page})
    return Source(name, "segment", text, files=files)


class SegmentSource(FileSet):
    """Segment JSON lines, see `segment`.

    Attributes:
        page: Whether the page around a call is part of its properties.
    """

    format: Literal["segment"]
    page: StrictBool = False

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return segment(name, self.files, page=self.page)
