"""Requests of Segment clients: one HTTP request a line, each with one call or a batch of calls."""

from __future__ import annotations

from typing import Literal

from headway.engine import load
from headway_pipelines.sources.shape import FileSet, Source


def segment_wire(name: str = "segment_wire", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes recorded requests of Segment clients.

    A line is a JSON object with `received_at`, `responded` (the HTTP status that was answered) and `body` (decoded
    JSON: one call, or ``{"batch": [...], "sentAt": ...}``). A refused request (status 400 or more) is counted and not
    read, because its client sends the same calls again.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> segment_wire().format
        'segment_wire'
    """
    text = load("headway_pipelines.sources.wire", "segment.sql")
    return Source(name, "segment_wire", text, files=files)


class SegmentWireSource(FileSet):
    """Requests of Segment clients, see `segment_wire`."""

    format: Literal["segment_wire"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return segment_wire(name, self.files)
