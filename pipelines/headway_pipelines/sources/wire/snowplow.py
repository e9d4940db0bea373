"""Requests of Snowplow trackers: one HTTP request a line, a POST with many events or a GET with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from headway.engine import load, with_inputs
from headway_pipelines.sources.names import canonical
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import Source
from headway_pipelines.sources.snowplow import OWN_NAMES, SnowplowFiles, events_query
from headway_pipelines.sources.wire.envelope import with_requests

#: What is read of a request.
REQUEST = {
    "body": {"data": ["JSON"]},
    "query": {"e": "VARCHAR"},
    "headers": {"user-agent": "VARCHAR"},
}


def snowplow_wire(
    name: str = "snowplow_wire", files: tuple[str, ...] = ("**/*",), names: Mapping[str, str] | None = None
) -> Source:
    """Describes recorded requests of Snowplow trackers.

    A line is a JSON object with `received_at`, `responded` (the HTTP status that was answered), `headers`, and `body`
    (decoded JSON: ``{"schema": ..., "data": [...]}``) or `query` (the parameters of a GET). A refused request (status
    400 or more) is counted and not read, because its tracker sends the same events again. An event's time is its
    `ttm`, else `dtm` corrected by how far the device's clock was off when it sent (`stm`).

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        names: Snowplow's name of an event -> name in the tracking plan; other names stay.

    Returns:
        The source.

    Examples:
        >>> snowplow_wire().format
        'snowplow_wire'
    """
    here = "headway_pipelines.sources"
    requests = with_requests(load("headway_pipelines.sources.wire", "snowplow.sql"), REQUEST)
    given = with_inputs(load(here, "snowplow_json.sql"), {"given": requests})
    events = canonical(OWN_NAMES, names)
    return Source(name, "snowplow_wire", events_query(given, names), files=files, events=events)


class SnowplowWireSource(SnowplowFiles):
    """Requests of Snowplow trackers, see `snowplow_wire`."""

    format: Literal["snowplow_wire"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return snowplow_wire(name, self.files, self.names)


def recognise(sample: Sample) -> str | None:
    """Knows requests by Snowplow's payload schema, or by the parameters of a GET.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.
    """

    def posted(line: Mapping[str, object]) -> bool:
        body = line.get("body")
        schema = body.get("schema") if isinstance(body, Mapping) else None
        return isinstance(schema, str) and "/payload_data/" in schema

    def fetched(line: Mapping[str, object]) -> bool:
        query = line.get("query")
        return isinstance(query, Mapping) and {"e", "tv"} <= set(query)

    if sample.share(lambda line: posted(line) or fetched(line)) < 0.9:
        return None
    return "lines are HTTP requests with payloads of Snowplow's tracker protocol"
