"""Requests of PostHog clients: one HTTP request a line, each with one call or several."""

from __future__ import annotations

from typing import Literal

from headway.engine import load
from headway_pipelines.sources.posthog import COMPANY, PosthogFiles, calls_query
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import Source
from headway_pipelines.sources.wire.envelope import with_requests

_PATHS = ("/batch", "/capture", "/track", "/e", "/i/v0/e", "/flags", "/decide", "/array")
_NEARLY_ALL = 0.9

#: What is read of a request.
REQUEST = {"path": "VARCHAR", "query": {"_": "VARCHAR"}, "body": "JSON"}


def posthog_wire(
    name: str = "posthog_wire", files: tuple[str, ...] = ("**/*",), account: str = COMPANY
) -> Source:
    """Describes recorded requests of PostHog clients.

    A line is a JSON object with `received_at`, `responded` (the HTTP status that was answered), `path` and `body`
    (decoded JSON: one call, a list of calls, or ``{"batch": [...], "sent_at": ...}``). A refused request (status 400
    or more) is counted and not read, because its client sends the same calls again; so is a request that carries no
    events, such as one for feature flags. Whose an id is, `posthog.posthog` says.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        account: The group type that is the customer account.

    Returns:
        The source.

    Examples:
        >>> posthog_wire().format
        'posthog_wire'
    """
    text = calls_query(with_requests(load("headway_pipelines.sources.wire", "posthog.sql"), REQUEST), account)
    return Source(name, "posthog_wire", text, files=files)


class PosthogWireSource(PosthogFiles):
    """Requests of PostHog clients, see `posthog_wire`."""

    format: Literal["posthog_wire"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return posthog_wire(name, self.files, self.account)


def recognise(sample: Sample) -> str | None:
    """Knows recorded requests of PostHog clients by their paths and their API key.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> line = {"path": "/batch/", "body": {"api_key": "phc_1", "batch": []}}
        >>> recognise(Sample("a.jsonl", ("",), (line,)))
        'lines are HTTP requests to paths of PostHog, and some carry a PostHog API key'
    """
    paths = sample.share(lambda line: str(line.get("path", "")).rstrip("/").startswith(_PATHS))
    keyed = any(_has_key(line.get("body")) for line in sample.objects)
    if paths >= _NEARLY_ALL and keyed:
        return "lines are HTTP requests to paths of PostHog, and some carry a PostHog API key"
    return None


def _has_key(body: object) -> bool:
    calls = body if isinstance(body, list) else [body]
    first = calls[0] if calls and isinstance(calls[0], dict) else {}
    inside = first.get("properties")
    token = (
        first.get("api_key")
        or first.get("token")
        or (inside.get("token") if isinstance(inside, dict) else None)
    )
    return isinstance(token, str) and token.startswith("phc_")
