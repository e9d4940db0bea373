"""A naive reading of the demo's raw files: json, dictionaries and loops, nothing shared with the simulator.

Identity here is what a human would do: a line belongs to its user id; a line without one belongs to whoever
logs in next on that device, else to whoever did last, else to the device itself.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

Line = dict[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Event:
    name: str
    at: datetime
    properties: dict[str, Any]
    account: str | None = None

    @property
    def day(self) -> date:
        return self.at.astimezone(BERLIN).date()

    @property
    def week(self) -> date:
        return self.day - timedelta(days=self.day.weekday())


@dataclass
class Reading:
    """What the naive reader found."""

    people: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    channel: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    end: datetime = datetime.min

    def first(self, person: str, matches: Callable[[Event], bool]) -> Event | None:
        return next((event for event in self.people[person] if matches(event)), None)


def parse(line: bytes) -> Line | str:
    """One line, or the kind of malformation."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    try:
        value = json.loads(text)
    except ValueError:
        return "truncated" if text.startswith("{") else "not_json"
    if not isinstance(value, dict):
        return "not_an_object"
    if not value.get("userId") and not value.get("anonymousId"):
        return "no_id"
    try:
        datetime.fromisoformat(value["timestamp"])
    except ValueError:
        return "bad_timestamp"
    return value


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def read(workspace: Path, files: dict[str, bytes]) -> Reading:
    out = Reading()
    messages: dict[str, Line] = {}
    for raw in (line for data in files.values() for line in data.splitlines()):
        out.counts["lines"] += 1
        line = parse(raw)
        if isinstance(line, str):
            out.malformed[line] += 1
            continue
        known = messages.get(line["messageId"])
        out.counts["retries"] += known is not None
        if known is None or instant(line["receivedAt"]) < instant(known["receivedAt"]):
            messages[line["messageId"]] = line
    good = sorted(messages.values(), key=lambda line: instant(line["timestamp"]))
    out.counts["messages"] = len(good)
    out.counts["bot_lines"] = sum(is_bot(line) for line in good)
    good = [line for line in good if not is_bot(line)]
    out.end = datetime(2026, 10, 30, tzinfo=UTC)
    touches: dict[str, list[str]] = defaultdict(list)
    declared = set(YAML(typ="safe").load(workspace / "tracking_plan.yml")["events"])
    for person, line in zip(owners(good), good, strict=True):
        name = "Page Viewed" if line["type"] == "page" else str(line.get("event", line["type"]))
        out.counts[line["type"]] += 1
        late = instant(line["receivedAt"]) - instant(line["timestamp"]) > timedelta(days=1)
        out.counts["late"] += late
        if name not in declared:
            out.counts["undeclared_events"] += line["type"] == "track"
            continue
        account = line["context"].get("groupId")
        out.people[person].append(Event(name, instant(line["timestamp"]), line["properties"], account))
        if line["type"] == "page":
            touches[person] += channel_of(line["properties"])
    out.channel = {person: (touches[person] or ["direct"])[0] for person in out.people}
    return out


def is_bot(line: Line) -> bool:
    return "bot" in line["context"].get("userAgent", "").lower()


def owners(lines: list[Line]) -> list[str]:
    """The person of every line, lines in time order."""
    logins: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for i, line in enumerate(lines):
        if line.get("userId") and line.get("anonymousId"):
            logins[line["anonymousId"]].append((i, line["userId"]))
    out = []
    for i, line in enumerate(lines):
        device = line.get("anonymousId")
        after = [user for at, user in logins.get(device or "", []) if at >= i]
        before = [user for _, user in logins.get(device or "", [])]
        out.append(line.get("userId") or (after[0] if after else before[-1] if before else device))
    return [str(owner) for owner in out]


def channel_of(properties: Line) -> list[str]:
    """The channel a page view speaks for, or nothing if it carries neither campaign nor referrer."""
    query = parse_qs(urlsplit(properties["url"]).query)
    medium, source = query.get("utm_medium", [""])[0], query.get("utm_source", [""])[0]
    if not properties["referrer"] and not any(key.startswith("utm_") for key in query):
        return []
    if medium in ("cpc", "ppc"):
        return ["paid"]
    if medium == "email":
        return ["email"]
    if medium == "referral" or source == "invite":
        return ["referral"]
    host = urlsplit(properties["referrer"]).hostname or ""
    return ["organic" if "google." in host or "bing." in host else "direct"]
