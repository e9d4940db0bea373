"""Requests of Amplitude clients: one HTTP request a line, each with a list of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headway.engine import bind, load, with_inputs
from headway_pipelines.sources.amplitude import EVENT
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.times import since_1970
from headway_pipelines.sources.wire.envelope import with_requests

#: What is read of a request.
REQUEST = {
    "body": {"events": ["JSON"], "client_upload_time": "VARCHAR"},
    "headers": {"user-agent": "VARCHAR", "origin": "VARCHAR", "referer": "VARCHAR"},
}


def amplitude_wire(name: str = "amplitude_wire", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes recorded requests of Amplitude clients (HTTP API v2).

    A line is a JSON object with `received_at`, `responded` (the HTTP status that was answered) and `body` (decoded
    JSON: ``{"events": [...], "client_upload_time": ...}``). A refused request (status 400 or more) is counted and not
    read, because its client sends the same events again.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> amplitude_wire().format
        'amplitude_wire'
    """
    calls = with_requests(
        bind(load("headway_pipelines.sources.wire", "amplitude.sql"), {"event": EVENT}), REQUEST
    )
    calls = calls.replace("/* time */ AS", since_1970("e['time']", "ms") + " AS")
    query = with_inputs(load("headway_pipelines.sources", "amplitude_events.sql"), {"calls": calls})
    return Source(name, "amplitude_wire", query, files=files)


class AmplitudeWireSource(FileSet):
    """Requests of Amplitude clients, see `amplitude_wire`."""

    format: Literal["amplitude_wire"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return amplitude_wire(name, self.files)


def recognise(sample: Sample) -> str | None:
    """Knows recorded requests by the events in their body.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> recognise(Sample("a", ("...",), ({"responded": 200, "body": {"events": [{"event_type": "Signed Up"}]}},)))
        'lines are HTTP requests whose body has events with event_type, as clients of Amplitude send them'
    """

    def holds(line: Mapping[str, Any]) -> bool:
        body = line.get("body")
        events = body.get("events") if isinstance(body, dict) else None
        return (
            "responded" in line
            and isinstance(events, list)
            and any(isinstance(event, dict) and "event_type" in event for event in events)
        )

    if sample.share(holds) > 0.5:
        return (
            "lines are HTTP requests whose body has events with event_type, as clients of Amplitude send them"
        )
    return None
