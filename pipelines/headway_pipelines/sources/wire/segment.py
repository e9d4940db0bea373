"""Requests of Segment clients: one HTTP request a line, each with one call or a batch of calls."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import StrictBool

from headway.engine import bind, load
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.segment import is_call
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.wire.envelope import Request, wire_reason, with_requests

_PATH = re.compile(r"/v1/(batch|import|track|page|screen|identify|group|alias|[btpsiga])/?")

#: What is read of a request.
REQUEST = {
    "body": {"batch": ["JSON"], "sentAt": "VARCHAR", "messageId": "VARCHAR", "type": "VARCHAR"},
}


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
    text = with_requests(
        bind(load("headway_pipelines.sources.wire", "segment.sql"), {"surroundings": page}), REQUEST
    )
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


def recognise(sample: Sample) -> str | None:
    """Says why a sample holds requests of Segment clients, None where it does not.

    Examples:
        >>> body = {"type": "track", "event": "Paid", "messageId": "1", "userId": "7"}
        >>> line = {"received_at": "2026-03-02T09:00:00Z", "path": "/v1/t", "body": body}
        >>> recognise(Sample("a.jsonl", ("…",), (line,)))
        'recorded requests, and paths and bodies are those of Segment clients'
    """
    return wire_reason(sample, "Segment clients", _sent)


def _sent(request: Request) -> bool:
    calls = request.calls("batch")
    return bool(_PATH.fullmatch(request.path) and calls and is_call(calls[0]))
