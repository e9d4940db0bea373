"""RudderStack JSON lines: the calls its warehouses, lakes and webhooks receive, one a line.

RudderStack took over Segment's calls, so they are read by the same SELECT (``segment.sql``). What only RudderStack
sends is read there too: the session's id and the traits in the context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.segment import calls
from headway_pipelines.sources.shape import FileSet, Source

CHANNELS = ("web", "mobile", "server", "sources")


def rudder(name: str = "rudder", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes files with one RudderStack call a line.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> rudder().format
        'rudder'
    """
    return Source(name, "rudder", calls(True), hasty_sql=calls(True, hasty=True), files=files)


class RudderSource(FileSet):
    """RudderStack JSON lines, see `rudder`."""

    format: Literal["rudder"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return rudder(name, self.files)


def is_call(line: Mapping[str, Any]) -> bool:
    """Says whether a JSON object is a RudderStack call.

    Args:
        line: The object.

    Returns:
        True where it is a call with an id and with RudderStack's channel.

    Examples:
        >>> is_call({"type": "track", "messageId": "1", "channel": "web"}), is_call({"type": "track", "messageId": "1"})
        (True, False)
    """
    return {"type", "messageId"} <= line.keys() and line.get("channel") in CHANNELS


def recognise(sample: Sample) -> str | None:
    """Knows RudderStack's calls by their channel, which Segment's calls do not have.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> recognise(Sample("a.json", ("…",), ({"type": "page", "messageId": "1", "channel": "web"},)))
        'RudderStack calls, one a line: type, messageId, channel'
    """
    return "RudderStack calls, one a line: type, messageId, channel" if sample.share(is_call) >= 0.8 else None
