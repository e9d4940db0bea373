"""Segment JSON lines: what Segment's own storage destinations write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import StrictBool

from headway.engine.sql import bind, load
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source

#: So large a part of the first lines must be calls.
_MOST = 0.8
_WHO = ("userId", "anonymousId", "previousId", "groupId")
_WHEN = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_MAP = "MAP(VARCHAR, VARCHAR)"
#: What the page and the session around a call say, by the names it has as properties.
_AROUND = (
    "[{'key': 'session_id', 'value': j.context.sessionId}, {'key': 'url', 'value': j.context.page.url}, "
    "{'key': 'referrer', 'value': j.context.page.referrer}, {'key': 'title', 'value': j.context.page.title}]"
)
_TYPES = ("track", "page", "screen", "identify", "group", "alias")


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
    return Source(name, "segment", calls(page), hasty_sql=calls(page, hasty=True), files=files)


def calls(surroundings: bool, *, hasty: bool = False) -> str:
    """Writes the query that reads calls, Segment's or RudderStack's.

    Args:
        surroundings: Whether the page and the session around a call become properties.
        hasty: Whether a line that ends as an object does is taken for one; the query fails where it is not.

    Returns:
        Query text.
    """
    text = load("headway_pipelines.sources", "segment.sql")
    text = text.replace(
        "/* around */", _AROUND if surroundings else "NULL::STRUCT(key VARCHAR, value VARCHAR)[]"
    )
    return bind(text, {"structure": _structure(surroundings), "hasty": hasty})


def _structure(surroundings: bool) -> str:
    """What is read out of a line; each member costs more than to find where the line ends."""
    text = "VARCHAR"
    context: dict[str, object] = {
        "groupId": text,
        "userAgent": text,
        "ip": text,
        "consent": "JSON",
        "traits": _MAP,
    }
    if surroundings:
        context["sessionId"] = text
        context["page"] = dict.fromkeys(("url", "referrer", "title"), text)
    names = ("type", "event", "messageId", *_WHO, *_WHEN)
    return json.dumps(
        {**dict.fromkeys(names, text), "context": context, "properties": "JSON", "traits": _MAP}
    )


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
