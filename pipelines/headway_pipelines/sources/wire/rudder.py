"""Requests of RudderStack clients: one HTTP request a line, each with one call or a batch of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headway.engine import bind, load
from headway_pipelines.sources.rudder import is_call
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.wire.envelope import with_requests
from headway_pipelines.sources.wire.segment import REQUEST


def rudder_wire(name: str = "rudder_wire", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes recorded requests of RudderStack clients, which are those of Segment clients (`segment_wire`).

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> rudder_wire().format
        'rudder_wire'
    """
    text = with_requests(
        bind(load("headway_pipelines.sources.wire", "segment.sql"), {"surroundings": True}), REQUEST
    )
    return Source(name, "rudder_wire", text, files=files)


class RudderWireSource(FileSet):
    """Requests of RudderStack clients, see `rudder_wire`."""

    format: Literal["rudder_wire"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return rudder_wire(name, self.files)


def recognise(sample: Sample) -> str | None:
    """Knows requests whose calls carry RudderStack's channel.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> request = {"body": {"batch": [{"type": "page", "messageId": "1", "channel": "web"}]}}
        >>> recognise(Sample("a.jsonl", ("…",), (request,)))
        'lines are HTTP requests with calls of RudderStack clients'
    """
    return "lines are HTTP requests with calls of RudderStack clients" if sample.share(_sent) >= 0.9 else None


def _sent(line: Mapping[str, Any]) -> bool:
    body = line.get("body")
    calls = body.get("batch", [body]) if isinstance(body, Mapping) else None
    return isinstance(calls, list) and any(isinstance(call, Mapping) and is_call(call) for call in calls)
