"""Requests of Mixpanel clients: one HTTP request a line, each with one call or a list of calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, StrictStr

from headway.engine import load
from headway_pipelines.sources.mixpanel import mixpanel_query
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.times import since_1970
from headway_pipelines.sources.wire.envelope import with_requests

_CALL = dict.fromkeys(
    ["event", "$user_id", "$distinct_id", "$device_id", "$time", "$ip", "$group_id"], "VARCHAR"
)
_CALL |= dict.fromkeys(("$set", "$set_once"), "MAP(VARCHAR, VARCHAR)")
_PATH = re.compile(r"/(track|import|engage|groups)/?([?#].*)?")

#: What is read of a request.
REQUEST = {
    "path": "VARCHAR",
    "body": "JSON",
    "query": {"data": "VARCHAR", "_": "VARCHAR"},
    "headers": {"user-agent": "VARCHAR", "origin": "VARCHAR", "referer": "VARCHAR"},
}


def mixpanel_wire(
    name: str = "mixpanel_wire", files: tuple[str, ...] = ("**/*",), *, account: str | None = None
) -> Source:
    """Describes recorded requests of Mixpanel clients to ``/track``, ``/import``, ``/engage`` and ``/groups``.

    A line is a JSON object with `received_at`, `path`, `query`, `headers`, `responded` (the HTTP status that was
    answered) and `body`. A refused request (status 400 or more) is counted and not read, because its client sends the
    same calls again.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        account: Event property with the id of the customer account (Mixpanel's group key).

    Returns:
        The source.

    Examples:
        >>> mixpanel_wire().format
        'mixpanel_wire'
    """
    calls = with_requests(load("headway_pipelines.sources.wire", "mixpanel.sql"), REQUEST)
    calls = calls.replace("/* profile_time */", since_1970('j."$time"', "auto"))
    query = mixpanel_query(calls, _CALL, since_1970("p.time", "auto"), account)
    return Source(name, "mixpanel_wire", query, files=files)


class MixpanelWireSource(FileSet):
    """Requests of Mixpanel clients, see `mixpanel_wire`.

    Attributes:
        account: Event property with the id of the customer account.
    """

    format: Literal["mixpanel_wire"]
    account: StrictStr | None = Field(default=None, min_length=1)

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return mixpanel_wire(name, self.files, account=self.account)


def recognise(sample: Sample) -> str | None:
    """Knows recorded requests by their path.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> recognise(Sample("a", ("...",), ({"path": "/track/", "responded": 200, "query": {"data": "e30="}},)))
        "lines are HTTP requests with data to /track, /engage and the like, as Mixpanel's clients send them"
    """

    def holds(line: Mapping[str, Any]) -> bool:
        path, body, query = line.get("path"), line.get("body"), line.get("query")
        data = [each for each in (body, query) if isinstance(each, dict) and "data" in each]
        imported = isinstance(path, str) and "/import" in path and isinstance(body, list)
        return (
            "responded" in line
            and isinstance(path, str)
            and _PATH.search(path) is not None
            and (bool(data) or imported)
        )

    if sample.share(holds) > 0.5:
        return "lines are HTTP requests with data to /track, /engage and the like, as Mixpanel's clients send them"
    return None
