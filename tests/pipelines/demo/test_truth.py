"""The planted truth against a naive reading of the raw files: json, dictionaries and loops, nothing shared.

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

import pytest
from ruamel.yaml import YAML

from headway_pipelines.demo import Truth

Line = dict[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")
DURATION = {"h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass
class Event:
    name: str
    at: datetime
    properties: dict[str, Any]

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
        out.people[person].append(Event(name, instant(line["timestamp"]), line["properties"]))
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


# The conditions that product.yml uses, written once more by hand.
WHERE: dict[str, Callable[[Line], bool]] = {
    "completed = true or price is not null": lambda p: p.get("completed") is True or "price" in p,
    "role = 'learner'": lambda p: p["role"] == "learner",
    "variant = 'treatment'": lambda p: p["variant"] == "treatment",
}


def selector(spec: Any) -> Callable[[Event], bool]:
    where: Callable[[Line], bool] = lambda p: True  # noqa: E731
    if isinstance(spec, dict):
        spec, where = spec["event"], WHERE[spec["where"]]
    names = [spec] if isinstance(spec, str) else spec
    return lambda event: event.name in names and where(event.properties)


def duration(text: str) -> timedelta:
    return int(text[:-1]) * DURATION[text[-1]]


Cells = dict[str, tuple[float, float]]


def weekly(reading: Reading, person: str, metric: Line) -> Cells:
    """Numerator and denominator a person adds to each local week (its Monday), and overall under "all"."""
    events = reading.people[person]
    kind = metric["kind"]
    if kind in ("new_people", "conversion", "retention"):
        return cohort(reading, person, metric)
    of = selector(metric.get("of", metric.get("event")))
    did = selector(metric.get("did", metric.get("event")))
    out: Cells = {}
    for key in {"all", *(str(event.week) for event in events)}:
        mine = [event for event in events if key in ("all", str(event.week))]
        if not any(of(event) for event in mine):
            continue
        doing = [event for event in mine if did(event)]
        if kind == "share":
            value: float = bool(doing)
        elif kind == "nps":
            score = doing[-1].properties["score"]
            value = (score >= 9) - (score <= 6)
        elif metric["measure"] == "sum":
            value = sum(event.properties[metric["value"]] for event in doing)
        elif metric["measure"] == "days":
            value = len({event.day for event in doing})
        else:
            value = len(doing)
        out[key] = (value, 1)
    return out


def cohort(reading: Reading, person: str, metric: Line) -> Cells:
    kind = metric["kind"]
    start = reading.first(person, selector(metric["start"]) if "start" in metric else lambda event: True)
    if start is None:
        return {}
    if kind == "new_people":
        return {"all": (1, 1), str(start.week): (1, 1)}
    reach = selector(metric["reach"] if kind == "conversion" else metric["returning"])
    begin = start.at + (duration(metric["after"]) if kind == "retention" else timedelta())
    end = begin + duration(metric["within"])
    good = any(
        reach(event) and begin <= event.at and (event.at <= end if kind == "conversion" else event.at < end)
        for event in reading.people[person]
    )
    cells = {str(start.week): (float(good), 1.0)}
    if end <= reading.end:
        cells["all"] = (float(good), 1.0)
    return cells


@pytest.fixture(scope="module")
def reading(workspace: Path, files: dict[str, bytes]) -> Reading:
    return read(workspace, files)


@pytest.fixture(scope="module")
def product(workspace: Path) -> Line:
    loaded: Line = YAML(typ="safe").load(workspace / "product.yml")
    return loaded


def test_every_metric_of_the_product_file_has_a_truth_that_a_naive_reading_finds(
    truth: Truth, reading: Reading, product: Line
) -> None:
    assert set(truth.metrics) == set(product["metrics"])
    for name, metric in product["metrics"].items():
        totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for person in reading.people:
            for key, (above, below) in weekly(reading, person, metric).items():
                for segment in ("all", f"channel={reading.channel[person]}"):
                    totals[segment, key][0] += above
                    totals[segment, key][1] += below
        for segment in ("all", "channel=organic", "channel=paid", "channel=referral", "channel=direct"):
            planted = truth.metrics[name][segment]
            keys = ["all", *truth.range["week_starts"]]
            tops = [planted["numerator"], *planted["weekly_numerator"]]
            bottoms = [planted["denominator"], *planted["weekly_denominator"]]
            found = [totals[segment, key] for key in keys]
            assert [f[0] for f in found] == pytest.approx(tops, abs=0.01), (name, segment)
            assert [f[1] for f in found] == pytest.approx(bottoms), (name, segment)


def test_a_metric_without_any_people_would_be_no_evidence(truth: Truth) -> None:
    for name, table in truth.metrics.items():
        assert table["all"]["denominator"] > 0, name
        assert table["all"]["numerator"] != 0, name


def test_funnels(truth: Truth, reading: Reading, product: Line) -> None:
    for name, funnel in product["funnels"].items():
        steps = [selector(step) for step in funnel["steps"]]
        within = duration(funnel["within"])
        levels = [best_level(events, steps, within) for events in reading.people.values()]
        counts = [sum(level > k for level in levels) for k in range(len(steps))]
        assert counts == truth.funnels[name]["people"]
        assert counts[-1] > 0


def best_level(events: list[Event], steps: list[Callable[[Event], bool]], within: timedelta) -> int:
    """Tries every attempt; after its start the earliest match of each step is best."""
    best = 0
    for i, start in enumerate(events):
        if not steps[0](start):
            continue
        level, used = 1, {i}
        at = start.at
        for step in steps[1:]:
            found = next((j for j, e in enumerate(events) if j not in used and e.at >= at and step(e)), None)
            if found is None or events[found].at > start.at + within:
                break
            level, at = level + 1, events[found].at
            used.add(found)
        best = max(best, level)
    return best


def test_retention_triangle(truth: Truth, reading: Reading, product: Line) -> None:
    spec = product["retentions"]["learning"]
    start, returning = selector(spec["start"]), selector(spec["returning"])
    weeks = truth.range["week_starts"]
    people = [0] * len(weeks)
    returned = [[0] * (len(weeks) - 1 - i) for i in range(len(weeks))]
    for person, events in reading.people.items():
        first = reading.first(person, start)
        if first is None:
            continue
        row = weeks.index(str(first.week))
        people[row] += 1
        for week in {str(event.week) for event in events if returning(event)}:
            k = weeks.index(week) - row
            if k > 0:
                returned[row][k - 1] += 1
    assert truth.retention["learning"] == {"cohort_people": people, "returned": returned}


def test_experiment(truth: Truth, reading: Reading) -> None:
    planted = truth.experiment
    for variant, arm in planted["arms"].items():
        exposed = [
            (person, event)
            for person in reading.people
            if (event := reading.first(person, lambda e: e.name == "Feature Exposed"))
            and event.properties["variant"] == variant
        ]
        assert all(event.at.timestamp() * 1000 >= planted["release_ms"] for _, event in exposed)
        ripe = [(p, e) for p, e in exposed if e.at + timedelta(days=14) <= reading.end]
        published = sum(
            any(
                e.name == "Course Published" and event.at <= e.at <= event.at + timedelta(days=14)
                for e in reading.people[person]
            )
            for person, event in ripe
        )
        found = {"exposed": len(exposed), "window_elapsed": len(ripe), "published": published}
        assert found == {key: arm[key] for key in found}


def test_days(truth: Truth, reading: Reading, product: Line) -> None:
    active = selector(product["activity"])
    found: dict[str, Counter[date]] = defaultdict(Counter)
    for person, events in reading.people.items():
        found["new_people"][events[0].day] += 1
        signed_up = reading.first(person, lambda e: e.name == "Signed Up")
        if signed_up:
            found["sign_ups"][signed_up.day] += 1
        found["active_people"].update({event.day for event in events if active(event)})
    daily = dict(truth.daily)
    first = date.fromisoformat(daily.pop("first_day"))
    for name, counts in daily.items():
        assert counts == [found[name][first + timedelta(days=i)] for i in range(len(counts))], name


def test_counts_of_lines(truth: Truth, reading: Reading) -> None:
    log, counts = truth.log, reading.counts
    for name in (
        "lines",
        "messages",
        "retries",
        "late",
        "bot_lines",
        "identify",
        "group",
        "undeclared_events",
    ):
        # One undeclared event's name is a planted e-mail address; it counts like the others.
        assert counts[name] == log[name], name
    assert dict(reading.malformed) == log["malformed_by_kind"]
    assert min(log["malformed_by_kind"].values()) > 0
    assert len(reading.people) == truth.people["people"]
    names = Counter(event.name for events in reading.people.values() for event in events)
    planned = {name: n for name, n in log["events"].items() if name not in ("Logged In", "Playback Stalled")}
    assert names == Counter(planned)
