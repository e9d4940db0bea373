"""The envelope that recorded tracker requests lie in: how recognisers look inside, and how decoders open it.

A line is a JSON object with `received_at`, `method`, `path`, `query`, `headers`, `responded` and `body`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headway.engine import bind, load, with_inputs
from headway_pipelines.sources.sample import Sample

#: So large a part of the first lines must be requests.
MOST = 0.9


def with_requests(query: str, request: Mapping[str, object]) -> str:
    """Puts the opened requests in front of a decoder's own query.

    Args:
        query: A query that reads the input `requests`, see requests.sql.
        request: What it reads of a request beside `received_at` and `responded`, as a structure of types.

    Returns:
        The SELECT over ``frames``.
    """
    structure = json.dumps({"received_at": "VARCHAR", "responded": "BIGINT", **request})
    opened = bind(load("headway_pipelines.sources.wire", "requests.sql"), {"request": structure})
    return with_inputs(query, {"requests": opened})


@dataclass(frozen=True)
class Request:
    """One recorded request. It holds raw values.

    Attributes:
        path: Path of the address that was asked.
        query: Parameters of the address.
        headers: Header lines, names in lower case.
        body: Decoded JSON, a text, or None.
    """

    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any

    def calls(self, *names: str) -> list[Mapping[str, Any]]:
        """The calls it carries: a list, the list under one of some names, or the body itself.

        Args:
            *names: Names of members that may hold a list of calls, for example ``batch``.

        Returns:
            Those calls that are JSON objects.
        """
        body = self.body
        if isinstance(body, Mapping):
            body = next((body[name] for name in names if isinstance(body.get(name), list)), [body])
        return [call for call in body if isinstance(call, Mapping)] if isinstance(body, list) else []


def wire_requests(sample: Sample) -> tuple[Request, ...]:
    """Reads the recorded requests of a sample.

    Args:
        sample: The beginning of a file.

    Returns:
        The requests; none where the file does not hold recorded requests.

    Examples:
        >>> line = {"received_at": "2026-03-02T09:00:00Z", "method": "POST", "path": "/v1/batch", "body": {}}
        >>> wire_requests(Sample("a.jsonl", ("…",), (line,)))[0].path
        '/v1/batch'
    """
    if sample.share(_is_request) < MOST:
        return ()
    return tuple(_requests(sample))


def wire_reason(sample: Sample, client: str, sent: Callable[[Request], bool]) -> str | None:
    """Says why a sample holds the recorded requests of a client, for recognisers.

    Args:
        sample: The beginning of a file.
        client: Whose requests they are, for people.
        sent: Whether a client of that kind sent a request.

    Returns:
        The reason, None where fewer than half of the requests are the client's: it may also have asked for settings.
    """
    requests = wire_requests(sample)
    mine = sum(map(sent, requests))
    if not requests or mine < len(requests) / 2:
        return None
    return f"recorded requests, and paths and bodies are those of {client}"


def _is_request(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("path"), str) and "received_at" in line and ("body" in line or "query" in line)


def _requests(sample: Sample) -> Iterator[Request]:
    for line in filter(_is_request, sample.objects):
        query, headers = line.get("query"), line.get("headers")
        yield Request(
            line["path"],
            query if isinstance(query, Mapping) else {},
            {str(k).lower(): str(v) for k, v in headers.items()} if isinstance(headers, Mapping) else {},
            line.get("body"),
        )
