"""Requests of Segment clients: one HTTP request a line, each with one call or a batch of calls."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictBool

from headway.engine import bind, load
from headway_pipelines.sources.shape import FileSet, Source


def segment_wire(
    name: str = "segment_wire", files: tuple[str, ...] = ("**/*",), *, page: bool = False
) -> Source:
    """Describes recorded requests of Segment clients.

    A line is a JSON object with `received_at`, `responded` (the HTTP status that was answered) and `body` (decoded
    JSON: one call, or ``{"batch": [...], "sentAt": ...}``). A refused request (status 400 or more) is counted and not
    read, because its client sends the same calls again.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        page: Whether `url`, `referrer` and `title` of the page around a call are properties of calls without them.

    Returns:
        The source.

    Examples:
        >>> segment_wire().format
        'segment_wire'
    """
    text = bind(load("headway_pipelines.sources.wire", "segment.sql"), {"surroundings": page})
    return Source(name, "segment_wire", text, files=files)


class SegmentWireSource(FileSet):
    """Requests of Segment clients, see `segment_wire`.

    Attributes:
        page: Whether the page around a call is part of its properties.
    """

    format: Literal["segment_wire"]
    page: StrictBool = False

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return segment_wire(name, self.files, page=self.page)
