"""Every option of a funnel, and all of them mixed, against a second implementation and against hand counts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl
import pytest
from funnel_oracle import Asked, Attempt, Row, answer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import Exclude, Funnel, FunnelResult
from headway.log import EventLog
from headway.selectors import Event, Selector, as_event

START = datetime(2026, 3, 27)
UNIT = 20
EXAMPLES = 3000 if os.environ.get("HEADWAY_FULL") else 60
thorough = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        {
            "person": [row.person for row in rows],
            "event": [row.event for row in rows],
            "occurred_at": [START + timedelta(minutes=row.at) for row in rows],
            "plan": [row.plan for row in rows],
            "course": [row.course for row in rows],
        },
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "plan": pl.String,
            "course": pl.String,
        },
    )
    return EventLog(frame, **options)


# Person z makes every name known; far away in time, and left out by the range.
ALL = [Row("z", name, 99_999) for name in "ABCDX"]


def minutes(value: int | None) -> str | None:
    return None if value is None else f"{value}m"


def ask(asked: Asked, log: EventLog) -> FunnelResult:
    return Funnel(
        asked.steps,
        within="session" if asked.within is None else f"{asked.within}m",
        within_step=minutes(asked.within_step),
        order=asked.order,  # type: ignore[arg-type]
        entry=asked.entry,  # type: ignore[arg-type]
        exclude=asked.exclude,
        on_exclusion=asked.on_exclusion,  # type: ignore[arg-type]
        tie=minutes(asked.tie),
        hold="course" if asked.hold else (),
        count=asked.count,  # type: ignore[arg-type]
        by="plan" if asked.by else None,
        attribution=asked.attribution,
        since=START + timedelta(minutes=asked.since),
        until=START + timedelta(minutes=90_000),
    ).run(log)


def time_of(attempt: Attempt, asked: Asked, step: int) -> int | None:
    if asked.steps[step].optional:
        return attempt.optional.get(step)
    place = asked.required.index(step)
    return attempt.times[place] if place < len(attempt.times) else None


def expected(found: list[Attempt], asked: Asked) -> list[tuple[Any, ...]]:
    groups = sorted({each.touch for each in found}) if asked.by else ["(all)"]
    rows = []
    for group in groups:
        members = [each for each in found if each.touch == group]
        for step in range(len(asked.steps)):
            taken = [(each, at) for each in members if (at := time_of(each, asked, step)) is not None]
            before = max((n for n in asked.required if n < step), default=None)
            waits = [] if before is None else [(at - time_of(each, asked, before)) * 60 for each, at in taken]  # type: ignore[operator]
            mean = round(sum(waits) / len(waits), 6) if waits else None
            rows.append((group, step + 1, len(taken), mean))
    return rows


def check(rows: Sequence[Row], asked: Asked) -> None:
    found = answer(rows, asked)
    flat = [each for tries in found.values() for each in tries]
    with make_log([*rows, *ALL]) as log:
        result = ask(asked, log)
        frame = result.frame if asked.by else result.frame.select(pl.lit("(all)").alias("plan"), pl.all())
        got = [
            (group, step, people, None if mean is None else round(mean, 6))
            for group, step, people, mean in frame.select("plan", "step", "people", "seconds_mean").rows()
        ]
        assert got == expected(flat, asked)
        people = sorted(
            (key[0], key[1], asked.required[len(each.times) - 1] + 1)
            for key, tries in found.items()
            for each in tries
        )
        listed = result.people if asked.hold else result.people.with_columns(course=pl.lit(None, pl.String))
        assert sorted(listed.select("person", "course", "level").rows()) == people
        counts = log.sql(Funnel.counts_sql(result.insight, log)).rows()
        assert counts == [row[:3] for row in got if flat]


events = st.builds(
    Row,
    person=st.sampled_from(["p", "q", "r"]),
    event=st.sampled_from(["A", "B", "C", "D", "X"]),
    at=st.integers(0, 9).map(lambda at: at * UNIT),
    plan=st.sampled_from(["x", "y", None]),
    course=st.sampled_from(["c", "d", None]),
)
histories = st.lists(events, min_size=3, max_size=24)
apart = ["A", "B", ["C", "D"], "D", Event("A", where="plan = 'x'")]
names = st.sampled_from(["A", "B", "C", "D"])
wild = st.one_of(
    names,
    st.just(["A", "B"]),
    st.sampled_from([Event("A", where="plan = 'x'"), Event(["B", "C"], where="plan <> 'x'"), Event(None)]),
)
lengths = st.sampled_from([0, 1, 2, 3, 5, 8]).map(lambda n: n * UNIT)


@st.composite
def questions(draw: st.DrawFn, /, **fixed: Any) -> Asked:
    """Any question that goes together."""
    order = fixed.get("order") or draw(
        st.sampled_from(["sequential", "sequential", "sequential", "strict", "any"])
    )
    tie = fixed["tie"] if "tie" in fixed else draw(st.sampled_from([0, 0, None, UNIT]))
    disjoint = order == "any" or (order == "sequential" and tie)
    steps: Sequence[Selector] = draw(st.lists(wild, min_size=1, max_size=4))
    if disjoint:
        steps = draw(st.permutations(["A", "B", "C", "D"]))[: draw(st.integers(2, 4))]
    made = [as_event(step) for step in steps]
    if order == "sequential" and len(made) > 1 and draw(st.booleans()):
        place = draw(st.integers(1, len(made) - 1))
        made[place] = Event(made[place].event, where=made[place].where, optional=True)
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(made) - 1))
        first: Literal["event", "matching"] = draw(st.sampled_from(["event", "matching"]))
        made[place] = Event(made[place].event, made[place].where, made[place].optional, first)
    required = [n for n, step in enumerate(made, 1) if not step.optional]
    exclude = []
    if len(required) > 1:
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            ends = sorted(draw(st.lists(st.sampled_from(required), min_size=2, max_size=2, unique=True)))
            exclude.append(Exclude(draw(st.sampled_from(["X", "X", "D", "B"])), ends[0], ends[1]))
    options: dict[str, Any] = {
        "within": draw(st.one_of(lengths, st.none())),
        "within_step": None
        if order == "any"
        else draw(st.one_of(st.none(), st.none(), lengths.filter(bool))),
        "entry": draw(st.sampled_from(["best", "first"] + ([] if order == "any" else ["latest"]))),
        "on_exclusion": draw(st.sampled_from(["drop_person", "stop_there"])),
        "hold": draw(st.integers(0, 3)) == 0,
        "count": draw(st.sampled_from(["people", "people", "totals", "sessions"])),
        "by": draw(st.booleans()),
        "attribution": draw(st.sampled_from(["first", "last", "all", f"step:{len(made)}"])),
        "since": draw(st.sampled_from([0, 3 * UNIT])),
    }
    options |= {"order": order, "tie": tie, "exclude": tuple(exclude), **fixed}
    return Asked(tuple(made), **options)


PLAIN: dict[str, Any] = {
    "order": "sequential",
    "tie": 0,
    "count": "people",
    "hold": False,
    "by": False,
    "since": 0,
}


@thorough
@given(histories, questions())
def test_all_options_mixed_equal_the_definition(rows: list[Row], asked: Asked) -> None:
    check(rows, asked)
