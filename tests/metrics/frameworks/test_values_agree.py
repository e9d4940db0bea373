"""Metric values against a naive second implementation in plain Python, on generated histories."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headway.engine import connect
from headway.frameworks import metric_values
from headway.models.metrics import (
    Conversion,
    EventSelector,
    Mean,
    Metric,
    NewPeople,
    PromoterScore,
    Retained,
    Share,
)
from headway.models.product import Product

HOUR = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Row:
    person: int
    event: str
    us: int
    line: int
    tie: int
    amount: float | None
    score: int | None


@dataclass(frozen=True)
class Told:
    person: int
    us: int
    plan: str | None


@dataclass(frozen=True)
class World:
    rows: tuple[Row, ...]
    channels: Mapping[int, str | None]
    plans: tuple[Told, ...]
    timezone: str
    week_start: str
    horizon: int


METRICS: Mapping[str, Mapping[str, object]] = {
    "arrivals": {"kind": "new_people", "unit": "people"},
    "both": {"kind": "share", "of": "A", "did": {"event": ["B", "A"], "where": "amount > 1"}},
    "converted": {"kind": "conversion", "start": "A", "reach": "B", "within": "24h"},
    "repeated": {"kind": "conversion", "start": ["A", "B"], "reach": ["B", "C"], "within": "2h"},
    "returned": {"kind": "retention", "start": "A", "returning": "B", "after": "1h", "within": "23h"},
    "returned_at_once": {
        "kind": "retention", "start": "A", "returning": ["A", "C"], "after": "0h", "within": "2h"
    },
    "spent": {"kind": "mean", "of": ["A", "B"], "event": "B", "measure": "sum", "value": "amount", "unit": "EUR"},
    "times": {"kind": "mean", "of": "A", "event": ["A", "C"], "measure": "count", "unit": "events"},
    "days": {"kind": "mean", "of": ["A", "C"], "event": "A", "measure": "days", "unit": "days"},
    "happy": {"kind": "nps", "event": "C", "score": "score", "unit": "points"},
}  # fmt: skip


def make_product(
    timezone: str = "UTC", week_start: str = "monday", names: Iterable[str] = METRICS
) -> Product:
    common = {"framework": "aarrr", "stage": "activation", "title": "t", "unit": "percent"}
    return Product.model_validate(
        {
            "name": "Toy",
            "timezone": timezone,
            "week_start": week_start,
            "currency": "EUR",
            "activity": "A",
            "channels": [{"name": "email", "where": "amount > 0"}],
            "segments": {"plan": {"person": "plan", "top": 1}},
            "grains": ["day", "week", "month", "rolling_7d", "rolling_28d"],
            "metrics": {name: {**common, **METRICS[name]} for name in names},
        }
    )


def load(world: World) -> duckdb.DuckDBPyConnection:
    con = connect()
    con.execute(
        "CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, line UINTEGER, event_id UUID, "
        "amount DOUBLE, score BIGINT)"
    )
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    frame = pl.DataFrame(
        [(str(UUID(int=r.person)), r.event, r.us, r.line, str(UUID(int=r.tie)), r.amount, r.score) for r in world.rows],
        schema={
            "person": pl.String(), "event": pl.String(), "us": pl.Int64(), "line": pl.UInt32(),
            "tie": pl.String(), "amount": pl.Float64(), "score": pl.Int64(),
        },
        orient="row",
    )  # fmt: skip
    con.register("rows", frame)
    con.execute(
        "INSERT INTO events SELECT person::UUID, event, make_timestamp(us), line, tie::UUID, amount, score FROM rows"
    )
    con.unregister("rows")
    for person, channel in world.channels.items():
        con.execute("INSERT INTO people VALUES (?, ?)", [str(UUID(int=person)), channel])
    con.execute("CREATE TABLE person_properties (person UUID, valid_from TIMESTAMP, plan VARCHAR)")
    for told in world.plans:
        con.execute(
            "INSERT INTO person_properties VALUES (?, make_timestamp(?), ?)",
            [str(UUID(int=told.person)), told.us, told.plan],
        )
    return con


def compute(world: World, names: Iterable[str] = METRICS) -> pl.DataFrame:
    con = load(world)
    try:
        return metric_values(
            con,
            make_product(world.timezone, world.week_start, names),
            horizon=(EPOCH + timedelta(microseconds=world.horizon)).replace(tzinfo=None),
            as_of=datetime(2026, 1, 1),
            code_version="test",
        )
    finally:
        con.close()


# --- The second implementation: loops over people and periods, nothing shared with the code under test. ---


def local_date(us: int, timezone: str) -> date:
    return (EPOCH + timedelta(microseconds=us)).astimezone(ZoneInfo(timezone)).date()


def start_of(day: date, world: World, kind: str) -> date:
    if kind == "day":
        return day
    while day.weekday() != WEEKDAYS.index(world.week_start):
        day -= timedelta(days=1)
    return day


def matches(row: Row, selector: EventSelector) -> bool:
    if row.event not in selector.event:
        return False
    if selector.where is None:
        return True
    assert selector.where == "amount > 1"
    return row.amount is not None and row.amount > 1


Contribution = tuple[float, int]  # what a person adds, and the instant at which the person's segments count


def naive_x(
    metric: Metric, rows: list[Row], inside: Callable[[Row], bool], world: World
) -> Contribution | None:
    """What one person contributes to a period, or None when not in the denominator."""
    now = [row for row in rows if inside(row)]
    if isinstance(metric, NewPeople):
        first = min(rows, key=lambda row: row.us)
        return (1, first.us) if inside(first) else None
    if isinstance(metric, Conversion | Retained):
        return naive_cohort(metric, rows, inside)
    if isinstance(metric, Share | Mean):
        base = [row.us for row in now if matches(row, metric.of)]
        if not base:
            return None
        if isinstance(metric, Share):
            return float(any(matches(row, metric.did) for row in now)), min(base)
        hits = [row for row in now if matches(row, metric.event)]
        if metric.measure == "sum":
            return math.fsum(row.amount for row in hits if row.amount is not None), min(base)
        days = {local_date(row.us, world.timezone) for row in hits}
        return float(len(hits) if metric.measure == "count" else len(days)), min(base)
    assert isinstance(metric, PromoterScore)
    answers = [
        row for row in now if matches(row, metric.event) and row.score is not None and 0 <= row.score <= 10
    ]
    if not answers:
        return None
    score = max(answers, key=lambda row: (row.us, row.line, row.tie)).score
    assert score is not None
    return (1.0 if score >= 9 else -1.0 if score <= 6 else 0.0), min(row.us for row in answers)


def naive_cohort(
    metric: Conversion | Retained, rows: list[Row], inside: Callable[[Row], bool]
) -> Contribution | None:
    starts = [row for row in rows if matches(row, metric.start)]
    if not starts:
        return None
    first = min(row.us for row in starts)
    candidates = [row for row in starts if row.us == first]
    if not inside(candidates[0]):
        return None
    if isinstance(metric, Conversion):
        goal, low, high = metric.reach, first, first + {"24h": 24, "2h": 2}[metric.within] * HOUR + 1
    else:
        opens = {"0h": 0, "1h": 1}[metric.after] * HOUR
        goal, low, high = (
            metric.returning,
            first + opens,
            first + opens + {"23h": 23, "2h": 2}[metric.within] * HOUR,
        )
    reached = any(
        matches(row, goal) and low <= row.us < high and row is not start
        for start in candidates
        for row in rows
    )
    return float(reached), first


def naive_periods(world: World) -> list[tuple[str, date, date]]:
    """Every day, week and month that holds a day of the log, and the windows of days within it."""
    days = sorted(local_date(row.us, world.timezone) for row in world.rows)
    span = [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    found = {("day", day, day) for day in span}
    for day in span:
        start = start_of(day, world, "week")
        found.add(("week", start, start + timedelta(days=6)))
        last = day
        while (last + timedelta(days=1)).month == day.month:
            last += timedelta(days=1)
        found.add(("month", day.replace(day=1), last))
        for length in (7, 28):
            if day - timedelta(days=length - 1) in span:
                found.add((f"rolling_{length}d", day - timedelta(days=length - 1), day))
    return sorted(found)


def naive_segments(person: int, us: int, world: World) -> set[str]:
    """The segments one person counts in: with one value shown, the other plans are one."""
    said: dict[str, set[int]] = defaultdict(set)
    seen = {row.person for row in world.rows}
    for told in world.plans:
        if told.plan is not None and told.person in seen:
            said[told.plan].add(told.person)
    ranked = sorted(said, key=lambda plan: (-len(said[plan]), plan))
    held = [told for told in world.plans if told.person == person and told.us <= us]
    plan = max(held, key=lambda told: told.us).plan if held else None
    label = "(none)" if plan is None else plan if plan == ranked[0] else "(other)"
    return {"all", f"channel={world.channels.get(person) or 'direct'}", f"plan={label}"}


def naive(metric: Metric, world: World) -> dict[tuple[str, str, date], tuple[int, float, bool]]:
    """People, total and completeness of every cell that anybody is in, and of everybody's cells."""
    people: dict[int, list[Row]] = defaultdict(list)
    for row in world.rows:
        people[row.person].append(row)
    wait = 0
    if isinstance(metric, Conversion):
        wait = {"24h": 24, "2h": 2}[metric.within] * HOUR
    elif isinstance(metric, Retained):
        wait = {"0h": 2, "1h": 24}[metric.after] * HOUR
    result = {}
    for kind, start, last in naive_periods(world):
        after = last + timedelta(days=1)
        midnight = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(world.timezone))
        complete = (midnight - EPOCH) // timedelta(microseconds=1) + wait <= world.horizon

        def inside(row: Row, start: date = start, last: date = last) -> bool:
            return start <= local_date(row.us, world.timezone) <= last

        values: dict[str, list[float]] = {"all": []}
        for person, rows in people.items():
            if (found := naive_x(metric, rows, inside, world)) is not None:
                for segment in naive_segments(person, found[1], world):
                    values.setdefault(segment, []).append(found[0])
        for segment, each in values.items():
            result[segment, kind, start] = (len(each), math.fsum(each), complete)
    return result


# --- Generated histories: few people, instants packed around boundaries, ties, two changes of the clock. ---

# A zone and an instant some hours before something happens to its clock; Havana changes at midnight.
SCENES = (
    ("UTC", datetime(2026, 12, 31, 20)),
    ("Asia/Kathmandu", datetime(2026, 2, 28, 12)),
    ("Europe/Berlin", datetime(2026, 3, 28, 18)),
    ("Europe/Berlin", datetime(2026, 10, 24, 18)),
    ("America/New_York", datetime(2026, 3, 7, 20)),
    ("America/New_York", datetime(2026, 10, 31, 20)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 6)),
    ("America/Havana", datetime(2026, 3, 7, 18)),
    ("America/Havana", datetime(2026, 10, 31, 18)),
)

# Hours since the scene's instant: dense, so that windows are met at their exact ends, a later week and a later month.
instants = st.builds(
    lambda hours, shift: hours * HOUR + shift,
    st.sampled_from([0, 0, 1, 1, 2, 3, 4, 9, 10, 11, 12, 24, 24, 25, 26, 48, 9 * 24, 30 * 24]),
    st.sampled_from([0, 0, 0, 0, 0, 1, -1]),
)
rows = st.builds(
    Row,
    person=st.integers(1, 9),
    event=st.sampled_from("AABBCD"),
    us=instants,
    line=st.integers(0, 2),
    tie=st.integers(1, 10**9),
    amount=st.none() | st.sampled_from([0.0, 0.1, 0.2, 1.0, 2.5, -3.0, 1e9]),
    score=st.none() | st.integers(-1, 11),
)
worlds = st.builds(
    World,
    rows=st.lists(rows, min_size=1, max_size=60, unique_by=lambda row: row.tie).map(tuple),
    channels=st.dictionaries(st.integers(1, 9), st.sampled_from(["email", "direct", None])),
    plans=st.lists(
        st.builds(
            Told, person=st.integers(1, 9), us=instants, plan=st.sampled_from(["free", "pro", "team", None])
        ),
        max_size=12,
        unique_by=lambda told: (told.person, told.us),
    ).map(tuple),
    timezone=st.just("UTC"),
    week_start=st.sampled_from(WEEKDAYS),
    horizon=instants,
)


# A failing history is not shrunk: that takes minutes with a database in the loop.
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(world=worlds, scene=st.sampled_from(SCENES))
def test_every_kind_equals_the_naive_implementation(world: World, scene: tuple[str, datetime]) -> None:
    base = int(scene[1].replace(tzinfo=UTC).timestamp()) * 1_000_000
    moved = tuple(replace(row, us=base + row.us) for row in world.rows)
    plans = tuple(replace(told, us=base + told.us) for told in world.plans)
    world = replace(world, rows=moved, plans=plans, horizon=base + world.horizon, timezone=scene[0])
    frame = compute(world)
    product = make_product(world.timezone, world.week_start)
    for name, metric in product.metrics.items():
        expected = naive(metric, world)
        mine = frame.filter(metric=name)
        cells = {
            (r["segment"], r["period"], r["period_start"]): (r["people"], r["numerator"], r["complete"])
            for r in mine.iter_rows(named=True)
        }
        # Cells that nobody is in are rows as well, whatever segments there are.
        assert cells.keys() >= expected.keys()
        assert all(cells[cell][:2] == (0, 0) for cell in cells.keys() - expected.keys())
        for cell, (people, total, complete) in expected.items():
            assert cells[cell][0] == people, (name, cell)
            assert cells[cell][1] == pytest.approx(total, abs=1e-9, rel=1e-12), (name, cell)
            assert cells[cell][2] == complete, (name, cell)
