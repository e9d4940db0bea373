"""Segment JSON lines: what Segment's own storage destinations write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headway.engine.sql import load
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source

#: So large a part of the first lines must be calls.
_MOST = 0.8
_TYPES = ("track", "page", "screen", "identify", "group", "alias")


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


def is_call(line: Mapping[str, Any]) -> bool:
    """Says whether a JSON object is a Segment call.

    Args:
        line: The object.

    Returns:
        True where it has a type and an id of its own, and says who called.

    Examples:
        >>> is_call({"type": "track", "event": "Paid", "messageId": "1", "userId": "7"}), is_call({"type": "track"})
        (True, False)
    """
    who = line.keys() & {"userId", "anonymousId", "previousId"}
    return line.get("type") in _TYPES and "messageId" in line and bool(who)


def recognise(sample: Sample) -> str | None:
    """Says why a sample is Segment JSON, None where it is not.

    Examples:
        >>> call = {"type": "page", "messageId": "1", "anonymousId": "a"}
        >>> recognise(Sample("a.json", ("…",), (call,)))
        'Segment calls, one a line: type, messageId, userId or anonymousId'
        >>> recognise(Sample("a.json", ("…",), ({"type": "page"},)))
    """
    if sample.share(is_call) < _MOST:
        return None
    return "Segment calls, one a line: type, messageId, userId or anonymousId"
