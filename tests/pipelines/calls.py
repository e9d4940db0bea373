"""The calls of the demo's log, and what all converters to other formats share."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from headway_pipelines.demo.rows import EVENT_NAMES

Row = dict[str, Any]

SIGNED_IN = "Signed In"

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Call:
    """One line of the demo's Segment log.

    Attributes:
        kind: ``track``, ``page``, ``identify`` or ``group``.
        corrected: When it happened, by a clock that the server corrected: of each copy anew, by what its sending told.
        happened: The same as of the copy that arrived first.
        traits: What the call says of somebody.
        known: What calls up to this one said of its user.
        raw: The call as it is.
    """

    kind: str
    event: str
    id: str
    user: str | None
    device: str | None
    account: str | None
    corrected: datetime
    happened: datetime
    client: datetime
    sent: datetime
    received: datetime
    properties: Row
    traits: Row
    page: Mapping[str, str]
    agent: str | None
    ip: str | None
    raw: Row = field(repr=False)
    known: Row = field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        return self.kind in ("track", "page")


def calls_of(raw: Path) -> list[Call]:
    """Reads the calls of a demo's log, in the order of their arrival."""
    lines = [line for path in raw.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).split(b"\n")]
    calls = sorted(filter(None, map(_call, lines)), key=lambda call: (call.received, call.id))
    first: dict[str, datetime] = {}
    known: dict[str | None, Row] = {}
    found = []
    for call in calls:
        if call.kind == "identify":
            known[call.user] = call.traits
        happened = first.setdefault(call.id, call.happened)
        found.append(replace(call, happened=happened, known=known.get(call.user, {})))
    return found


def _call(line: bytes) -> Call | None:
    try:
        raw = json.loads(line)
        context, page = raw["context"], raw["context"].get("page", {})
        times = {
            name: _instant(raw[name]) for name in ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
        }
    except (ValueError, TypeError):
        return None
    user, device = raw.get("userId"), raw.get("anonymousId")
    if not (user or device):
        return None
    return Call(
        kind=raw["type"],
        event="Page Viewed" if raw["type"] == "page" else raw.get("event", ""),
        id=raw["messageId"],
        user=user,
        device=device,
        account=context.get("groupId") or raw.get("groupId"),
        corrected=times["timestamp"],
        happened=times["timestamp"],
        client=times["originalTimestamp"],
        sent=times["sentAt"],
        received=times["receivedAt"],
        properties=raw.get("properties", {}),
        traits=raw.get("traits", {}),
        page=page,
        agent=context.get("userAgent"),
        ip=context.get("ip"),
        raw=raw,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def without_crawlers(calls: Iterable[Call]) -> Iterator[Call]:
    """Calls a tool takes in that turns crawlers away."""
    return (call for call in calls if not re.search("bot|crawl|spider", call.agent or "", re.IGNORECASE))


def snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


#: Names as tools write them that allow no blanks, without views of pages, and with GA4's own name for a login.
SNAKE_NAMES = {snake(name): name for name in EVENT_NAMES.values()} | {"login": SIGNED_IN}


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def flat(values: Mapping[str, Any]) -> Row:
    """Nested names joined by underscores."""
    found: Row = {}
    for name, value in values.items():
        inner = value if isinstance(value, dict) else None
        found |= (
            {f"{snake(name)}_{snake(k)}": v for k, v in inner.items()}
            if inner is not None
            else {snake(name): value}
        )
    return found


def json_lines(
    convert: Callable[[Call], Iterable[Row]], *, crawlers: bool = True
) -> Callable[[Path, Sequence[Call]], None]:
    """Writes JSON lines, a file a week of arrival, so that a retry may come in another file."""

    def write(raw: Path, calls: Sequence[Call]) -> None:
        for name, part in weeks(calls if crawlers else list(without_crawlers(calls))):
            text = "".join(json.dumps(row, default=str) + "\n" for call in part for row in convert(call))
            (raw / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))

    return write


def weeks(calls: Sequence[Call]) -> Iterator[tuple[str, list[Call]]]:
    weeks: dict[str, list[Call]] = {}
    for call in calls:
        weeks.setdefault(call.received.strftime("%G-W%V"), []).append(call)
    return iter(weeks.items())


def without_nulls(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
