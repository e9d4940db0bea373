"""Requests of Plausible's script: one HTTP request a line, each with one event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headway.engine import load
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.wire.envelope import with_requests

#: What is read of a request.
REQUEST = {
    "headers": dict.fromkeys(("user-agent", "x-forwarded-for", "x-plausible-ip"), "VARCHAR"),
    "body": dict.fromkeys(("n", "name", "u", "url", "d", "domain", "r", "referrer"), "VARCHAR")
    | dict.fromkeys(("p", "props", "m", "meta", "$", "revenue"), "JSON"),
}


def plausible_wire(name: str = "plausible_wire", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes recorded requests of Plausible's script.

    A line is a JSON object with `received_at`, `responded`, `headers` and `body`. The script knows nobody: the actor is
    a device for one UTC day, network address (the first of `x-forwarded-for`, where it was recorded) and user agent
    together, hashed with the workspace's key at the gate. Two people behind one address with one browser are one
    device, and who is behind it on the next day is not known, so retention cannot be asked of this source.

    There is no id either. A request that was recorded twice, with the same time, is told apart from two requests only
    by how often it occurs in a file.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> plausible_wire().format
        'plausible_wire'
    """
    text = with_requests(load("headway_pipelines.sources.wire", "plausible.sql"), REQUEST)
    return Source(name, "plausible_wire", text, files=files)


class PlausibleWireSource(FileSet):
    """Requests of Plausible's script, see `plausible_wire`."""

    format: Literal["plausible_wire"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return plausible_wire(name, self.files)


def recognise(sample: Sample) -> str | None:
    """Knows requests by Plausible's path and the site and name in their body.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> request = {"path": "/api/event", "body": {"n": "pageview", "u": "https://a.example/", "d": "a.example"}}
        >>> recognise(Sample("a.jsonl", ("…",), (request,)))
        "lines are HTTP requests to /api/event with names and sites, as Plausible's script sends them"
    """
    if sample.share(_sent) < 0.9:
        return None
    return "lines are HTTP requests to /api/event with names and sites, as Plausible's script sends them"


def _sent(line: Mapping[str, Any]) -> bool:
    body, path = line.get("body"), line.get("path")
    if (
        not isinstance(body, Mapping)
        or not isinstance(path, str)
        or not path.rstrip("/").endswith("/api/event")
    ):
        return False
    return {"n", "d"} <= body.keys() or {"name", "domain"} <= body.keys()
