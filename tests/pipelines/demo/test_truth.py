"""The planted truth against a naive reading of the raw files: json, dictionaries and loops, nothing shared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from demo_reading import Event, Line, Reading

from headway_pipelines.demo import Truth

DURATION = {"h": timedelta(hours=1), "d": timedelta(days=1)}

# The conditions that product.yml uses, written once more by hand.
WHERE: dict[str, Callable[[Line], bool]] = {
    "completed = true or price is not null": lambda p: p.get("completed") is True or "price" in p,
    "survey = 'nps'": lambda p: p["survey"] == "nps",
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


def test_every_metric_of_the_product_file_has_a_truth_that_a_naive_reading_finds(
    truth: Truth, reading: Reading, product: Line
) -> None:
    assert set(truth.metrics) == set(product["metrics"])
    for name, metric in product["metrics"].items():
        if name == "revenue_per_active":  # in several currencies: test_truth_outcomes.py
            continue
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
