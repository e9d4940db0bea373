"""What `cohort`, `by` and `top` mean must be the same for every insight: one set of tests for all of them."""

from __future__ import annotations

import inspect
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import headway as hw
from headway import insights
from headway.insights import Question, Result
from headway.log import EventLog

START = datetime(2026, 3, 27)
SINCE, UNTIL = "2026-03-28", "2026-04-03"
EXAMPLES = 300 if os.environ.get("HEADWAY_FULL") else 3
RANGE: dict[str, Any] = {"since": SINCE, "until": UNTIL, "timezone": "Europe/Berlin"}


class Row(NamedTuple):
    person: str
    event: str
    hours: int
    plan: str | None = None

    @property
    def at(self) -> datetime:
        return START + timedelta(hours=self.hours)


# z does everything, long before the range, so that every event is known; z is in every cohort that is asked for.
KNOWN = [Row("z", event, -2000, "pro") for event in ("Visit", "Payment", "Refund")]


@dataclass(frozen=True)
class Case:
    """An insight, and what holds of its breakdown.

    Attributes:
        question: Asked in every test.
        adds_up: Columns whose groups add up to the whole, where each event has one group.
        ranked: Name of the event by whose people groups are ranked, or None for any.
        by: Whether it takes breakdowns.
    """

    question: Any
    adds_up: tuple[str, ...] = ()
    ranked: str | None = "Visit"

    @property
    def by(self) -> bool:
        return "by" in {field.name for field in fields(self.question)}


CASES = {
    "ActivePeople": Case(hw.ActivePeople(["Visit", "Payment"], windows=(1, 3), **RANGE)),
    "Explorer": Case(hw.Explorer(**RANGE)),
    "Funnel": Case(hw.Funnel(["Visit", "Payment"], within="2d", **RANGE), ("people",)),
    "GrowthAccounting": Case(hw.GrowthAccounting("Visit", period="day", **RANGE)),
    "Lifecycle": Case(hw.Lifecycle("Visit", period="day", **RANGE)),
    "PowerUsers": Case(hw.PowerUsers("Visit", days=4, **RANGE)),
    "Retention": Case(
        hw.Retention("Visit", "Payment", period="day", periods=3, **RANGE), ("cohort_people", "people")
    ),
    "Sessions": Case(hw.Sessions(**RANGE)),
    "Stickiness": Case(hw.Stickiness("Visit", period="week", **RANGE)),
    "UsageInterval": Case(hw.UsageInterval("Visit", longest=7, **RANGE)),
    "Trend": Case(hw.Trend("Visit", **RANGE), ("value",)),
}
BROKEN_DOWN = {name: case for name, case in CASES.items() if case.by}

histories = st.lists(
    st.builds(
        Row,
        person=st.sampled_from("abcde"),
        event=st.sampled_from(["Visit", "Visit", "Payment", "Refund"]),
        hours=st.integers(0, 24 * 9),
        plan=st.sampled_from(["pro", "free", 'it\'s; "odd"', None]),
    ),
    min_size=10,
    max_size=60,
)
every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
broken_down = pytest.mark.parametrize("case", BROKEN_DOWN.values(), ids=BROKEN_DOWN)


def make_log(rows: list[Row]) -> EventLog:
    frame = pl.DataFrame(
        [(row.person, row.event, row.at, row.plan) for row in rows],
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us"), "plan": pl.String},
        orient="row",
    )
    return EventLog(frame, horizon=START + timedelta(days=9))


def frames(result: Result) -> dict[str, pl.DataFrame]:
    """Every frame a result offers without being asked for more."""
    names = [
        name for name, _ in inspect.getmembers(type(result), lambda part: isinstance(part, cached_property))
    ]
    found = {name: getattr(result, name) for name in ["frame", *names]}
    return {name: frame for name, frame in found.items() if isinstance(frame, pl.DataFrame)}


def assert_same(got: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert got.keys() == expected.keys()
    for name, frame in got.items():
        assert_frame_equal(frame, expected[name], rel_tol=1e-9)


def test_no_insight_is_left_out() -> None:
    found = {
        name
        for name in insights.__all__
        if inspect.isclass(kind := getattr(insights, name))
        and issubclass(kind, Question)
        and kind is not Question
    }
    assert set(CASES) == found


Choice = tuple[hw.Cohort, Callable[[list[Row]], bool]]
CHOICES: dict[str, Choice] = {
    "did": (
        hw.Did("Payment"),
        lambda own: any(row.event == "Payment" and row.hours < 24 * 8 - 2 for row in own),
    ),
    "did not": (~hw.Did("Refund", since=SINCE), lambda own: not any(is_late_refund(row) for row in own)),
    "listed": (hw.People(["a", "b", "z"]), lambda own: own[0].person in "abz"),
    "combined": (
        hw.People(["a", "b", "z"]) & ~hw.Did("Refund", since=SINCE),
        lambda own: own[0].person in "abz" and not any(is_late_refund(row) for row in own),
    ),
}


def is_late_refund(row: Row) -> bool:
    # The range in Berlin: winter time until 29 March, summer time after it.
    return row.event == "Refund" and 23 <= row.hours < 24 * 8 - 2


@every
@settings(max_examples=EXAMPLES, deadline=None)
@given(rows=histories, choice=st.sampled_from(sorted(CHOICES)))
def test_a_cohort_is_the_log_without_the_others(case: Case, rows: list[Row], choice: str) -> None:
    rows = rows + KNOWN
    cohort, holds = CHOICES[choice]
    own: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        own[row.person].append(row)
    with make_log(rows) as log, make_log([row for row in rows if holds(own[row.person])]) as less:
        assert_same(frames(replace(case.question, cohort=cohort).run(log)), frames(case.question.run(less)))


@broken_down
@settings(max_examples=EXAMPLES, deadline=None)
@given(rows=histories)
def test_the_group_of_a_cohort_is_the_question_asked_of_it(case: Case, rows: list[Row]) -> None:
    cohort = hw.Did("Payment", until=UNTIL).named("payers")
    with make_log(rows + KNOWN) as log:
        split = replace(case.question, by=cohort).run(log).frame
        for value, those in (("in", cohort), ("not in", ~cohort)):
            group = split.filter(pl.col("payers") == value).drop("payers")
            alone = replace(case.question, cohort=those).run(log).frame
            # A group without anybody has no rows.
            assert_frame_equal(group, alone if group.height else alone.clear(), rel_tol=1e-9)
        assert set(split["payers"]) <= {"in", "not in"}


@broken_down
@settings(max_examples=EXAMPLES, deadline=None)
@given(rows=histories, top=st.none() | st.integers(1, 2))
def test_groups_add_up(case: Case, rows: list[Row], top: int | None) -> None:
    cohort = hw.Did("Payment", until=UNTIL).named("payers")
    with make_log(rows + KNOWN) as log:
        whole = case.question.run(log).frame
        split = replace(case.question, by=["plan", cohort], top=top).run(log).frame
    assert split.columns[:2] == ["plan", "payers"] and split.columns[2:] == whole.columns
    keys = [
        name
        for name in ("step", "cohort_start", "period", "period_start", "window_days", "periods")
        if name in whole
    ]
    sums = split.group_by(keys).agg(pl.col(*case.adds_up).sum()).sort(keys)
    if split.height:
        assert_frame_equal(sums, whole.select(*keys, *case.adds_up), check_dtypes=False)
    else:
        assert whole.select(pl.col(*case.adds_up).sum()).row(0) == (0,) * len(case.adds_up)
    assert split.equals(split.sort(["plan", "payers"], maintain_order=True))


@broken_down
@settings(max_examples=EXAMPLES, deadline=None)
@given(rows=histories, top=st.integers(1, 3))
def test_the_largest_groups_are_kept_and_the_rest_is_one(case: Case, rows: list[Row], top: int) -> None:
    """As if the values of the smaller groups had been written as (other) in the log."""
    rows = rows + KNOWN
    people: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if case.ranked in (None, row.event) and 23 <= row.hours < 24 * 8 - 2:
            people[row.plan or "(none)"].add(row.person)
    kept = sorted(people, key=lambda plan: (-len(people[plan]), plan))[:top]
    written = [row._replace(plan=row.plan if (row.plan or "(none)") in kept else "(other)") for row in rows]
    with make_log(rows) as log, make_log(written) as other:
        got = replace(case.question, by="plan", top=top).run(log)
        assert_same(frames(got), frames(replace(case.question, by="plan").run(other)))
        assert "(other)" in got.describe()


@every
def test_says_whom_it_is_asked_of(case: Case) -> None:
    with make_log([Row("a", "Visit", 30), *KNOWN]) as log:
        told = replace(case.question, cohort=hw.Did("Payment").named("payers")).run(log).describe()
    assert "only people who are in payers (did Payment)." in told


@every
@pytest.mark.parametrize("cohort", ["payers", 3, [hw.Did("Payment")]])
def test_refuses_what_is_no_cohort(case: Case, cohort: Any) -> None:
    with make_log(KNOWN) as log, pytest.raises(hw.InputError, match="cohort"):
        replace(case.question, cohort=cohort).run(log)


@broken_down
def test_draws_groups_of_several(case: Case) -> None:
    with make_log([Row("a", "Visit", 30), Row("a", "Payment", 31), *KNOWN]) as log:
        figure = replace(case.question, by=["plan", hw.Did("Payment").named("payers")]).run(log).figure()
    assert figure.data
