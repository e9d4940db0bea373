"""What `cohort`, `by` and `top` mean must be the same for every insight: one set of tests for all of them."""

from __future__ import annotations

import inspect
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
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
EXAMPLES = 300 if os.environ.get("HEADWAY_FULL") else 1
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


TOUCHING = ("Visit", "Payment")


@dataclass(frozen=True)
class Case:
    """An insight, and what holds of its breakdown.

    Attributes:
        question: Asked in every test.
        adds_up: Columns whose groups add up to the whole, where each event has one group.
        ranked: Names of the events by whose people groups are ranked.
        by: Whether it takes breakdowns.
    """

    question: Any
    adds_up: tuple[str, ...] = ()
    ranked: tuple[str, ...] = ("Visit",)

    @property
    def by(self) -> bool:
        return "by" in {field.name for field in fields(self.question)}


CASES = {
    "ActivePeople": Case(hw.ActivePeople("Visit", windows=(1, 3), **RANGE)),
    "Explorer": Case(hw.Explorer(**RANGE)),
    "Formula": Case(
        hw.Formula("a / b", a=hw.Trend("Payment", **RANGE), b=hw.Trend("Visit", "people", **RANGE))
    ),
    "Funnel": Case(hw.Funnel(["Visit", "Payment"], within="2d", **RANGE), ("people",)),
    "Funnel, any order": Case(
        hw.Funnel(["Visit", "Payment"], within="2d", order="any", attribution="last", **RANGE),
        ("people",),
        TOUCHING,
    ),
    "Funnel, all values": Case(
        hw.Funnel(["Visit", "Payment"], within="2d", attribution="all", **RANGE), (), TOUCHING
    ),
    "GrowthAccounting": Case(hw.GrowthAccounting("Visit", period="day", **RANGE)),
    "Lifecycle": Case(hw.Lifecycle("Visit", period="day", **RANGE)),
    "Paths": Case(hw.Paths(start="Visit", idle="20h", **RANGE)),
    "PowerUsers": Case(hw.PowerUsers("Visit", days=7, **RANGE)),
    "Retention": Case(
        hw.Retention("Visit", "Payment", period="day", periods=3, **RANGE), ("cohort_people", "people")
    ),
    "Retention, same value": Case(
        hw.Retention("Visit", "Payment", period="day", periods=3, attribution="same", **RANGE)
    ),
    "Sessions": Case(hw.Sessions(**RANGE)),
    "Stickiness": Case(hw.Stickiness("Visit", **RANGE)),
    "Trend": Case(hw.Trend("Visit", **RANGE), ("value",)),
    "Trend of people in a window": Case(hw.Trend("Visit", "people", window=3, **RANGE)),
    "Trend for the first time": Case(hw.Trend("Visit", "first_time", **RANGE), ("value",)),
    "Trend beside the range before": Case(
        hw.Trend("Visit", compare="previous", **RANGE), ("value", "value_before")
    ),
    "UsageInterval": Case(hw.UsageInterval("Visit", longest=9, **RANGE)),
}
BROKEN_DOWN = {name: case for name, case in CASES.items() if case.by}
ADDING_UP = {name: case for name, case in BROKEN_DOWN.items() if case.adds_up}

PLANS = ("pro", "free", 'it\'s; "odd"', None)


def history(seed: int) -> list[Row]:
    """Some people's events; drawn here, so that even the first example is no trivial one."""
    draw = Random(seed)
    return [
        Row(
            draw.choice("abcde"),
            draw.choice(["Visit", "Visit", "Payment", "Refund"]),
            draw.randrange(24 * 9),
            draw.choice(PLANS),
        )
        for _ in range(draw.randrange(20, 60))
    ]


histories = st.integers(0, 10**6).map(history)
every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
broken_down = pytest.mark.parametrize("case", BROKEN_DOWN.values(), ids=BROKEN_DOWN)


def make_log(rows: list[Row], plan: str = "plan") -> EventLog:
    frame = pl.DataFrame(
        [(row.person, row.event, row.at, row.plan) for row in rows],
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us"), plan: pl.String},
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
    assert {type(case.question).__name__ for case in CASES.values()} == found


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


@pytest.mark.parametrize("case", ADDING_UP.values(), ids=ADDING_UP)
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
        if row.event in case.ranked and 23 <= row.hours < 24 * 8 - 2:
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


@every
def test_nobody_asked_is_nobody_counted(case: Case) -> None:
    """Of an empty list every frame is that of a log in which nobody does anything in the range."""
    with make_log([Row("a", "Visit", 30), Row("a", "Payment", 31), *KNOWN]) as log, make_log(KNOWN) as idle:
        result = replace(case.question, cohort=hw.People([])).run(log)
        assert_same(frames(result), frames(replace(case.question, cohort=~hw.People(["z"])).run(idle)))
        assert result.figure() is not None


@broken_down
def test_refuses_groups_it_cannot_make(case: Case) -> None:
    with make_log(KNOWN) as log:
        for by, message in (
            ("plam", "Did you mean 'plan'"),
            (["plan", hw.Did("Vist")], "Did you mean 'Visit'"),
            (hw.Did("Visit").named(log_column(case)), "the result has a column of that name"),
            (hw.People(["nobody here"]), "none of the 1 people"),
        ):
            with pytest.raises(hw.InputError, match=message):
                replace(case.question, by=by).run(log)
        wrongs: tuple[dict[str, Any], ...] = (
            {"by": 3},
            {"by": []},
            {"by": ["plan", "plan"]},
            {"top": 3},
            {"by": "plan", "top": 0},
        )
        for wrong in wrongs:
            with pytest.raises(hw.InputError, match=r"\b(by|top) "):
                replace(case.question, **wrong)


def log_column(case: Case) -> str:
    with make_log(KNOWN) as log:
        return str(case.question.run(log).frame.columns[-1])


ODD = ["\"; DROP TABLE events; -- it's $columns", "[1] \\ a.b ünï\u2028cödé 🚢"]


@broken_down
@pytest.mark.parametrize("odd", ODD)
def test_odd_names_and_values_stay_data(case: Case, odd: str) -> None:
    rows = [Row("a", "Visit", 30, odd), Row("a", "Payment", 31, odd), Row("b", "Visit", 30), *KNOWN]
    cohort = (hw.Did("Visit", since=SINCE) - hw.People([odd, "b", "z"])).named(odd + "!")
    with make_log(rows) as log, make_log(rows, plan=odd) as oddly:
        expected = replace(case.question, by=["plan", cohort], top=2, cohort=cohort).run(log).frame
        got = replace(case.question, by=[odd, cohort], top=2, cohort=cohort).run(oddly).frame
    assert_frame_equal(got, expected.rename({"plan": odd}))
    assert got.height and set(got.select(odd, odd + "!").rows()) == {(odd, "in")}


@broken_down
def test_draws_groups_of_several(case: Case) -> None:
    with make_log([Row("a", "Visit", 30), Row("a", "Payment", 31), *KNOWN]) as log:
        figure = replace(case.question, by=["plan", hw.Did("Payment").named("payers")]).run(log).figure()
    assert figure.data


def test_what_is_on_or_off_takes_no_words_for_it() -> None:
    switches = [
        (case.question, field.name)
        for case in CASES.values()
        for field in fields(case.question)
        if isinstance(getattr(case.question, field.name), bool)
    ]
    assert {name for _, name in switches} == {"collapse", "cumulative", "cut_at_midnight"}
    for question, name in switches:
        with pytest.raises(hw.InputError, match=f"{name} must be True or False, not a str"):
            replace(question, **{name: "no"})


def test_a_notebook_shows_every_row_it_does_not_count_as_more() -> None:
    with make_log([Row(f"p{n}", "Visit", -24 * n) for n in range(40)]) as log:
        result = hw.Trend("Visit").run(log)
        shown = result._repr_html_()
    headings = 2
    assert shown.count("<tr>") == headings + 30
    assert f"and {result.frame.height - 30} more rows in .frame" in shown


@pytest.mark.parametrize("ends", [{"since": "2031-01-01"}, {"until": "1999-12-31"}], ids=str)
def test_a_range_outside_the_log_is_said_to_hold_nothing(ends: dict[str, Any]) -> None:
    with make_log([Row("a", "Visit", 0), Row("b", "Visit", 48)]) as log:
        outside = hw.Trend("Visit", **ends).run(log).describe()
        inside = hw.Trend("Visit", since="2026-03-28").run(log).describe()
    assert "No event lies in that range; the log goes from 2026-03-27 to 2026-03-29." in outside
    assert "No event lies" not in inside


@pytest.mark.parametrize(
    "question",
    [hw.PowerUsers(days=7), hw.Trend("Visit", "people", window=7, by="plan"), hw.ActivePeople(windows=(7,))],
    ids=["PowerUsers", "Trend", "ActivePeople"],
)
@pytest.mark.parametrize("ends", [{"until": "1960-01-01"}, {"since": "2040-01-01"}, {"until": "1900-01-03"}])
def test_windows_reach_back_from_a_range_beside_the_log(question: Any, ends: dict[str, str]) -> None:
    with make_log(KNOWN) as log:
        frame = replace(question, **ends).run(log).frame
    assert frame.is_empty() or frame["people"].sum() == 0


def test_a_window_may_reach_back_beyond_the_first_day_a_range_may_begin_with() -> None:
    with make_log(KNOWN) as log:
        for asked in (hw.PowerUsers(days=7), hw.ActivePeople(windows=(7,))):
            frame = replace(asked, since="1900-01-01", until="1900-01-02").run(log).frame
            assert frame.height == {"PowerUsers": 7, "ActivePeople": 2}[type(asked).__name__]


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"timezone": "Mars/Olympus"}, "unknown time zone 'Mars/Olympus'"),
    ({"timezone": "Europe/Berlim"}, "Did you mean 'Europe/Berlin'"),
    ({"week_start": "caturday"}, "unknown week start 'caturday'. Did you mean 'saturday'"),
    ({"since": UNTIL, "until": SINCE}, "since lies after until"),
    ({"since": "2026-02-30"}, "since='2026-02-30' is not a date or an instant"),
    ({"unit": "plam"}, "unknown unit 'plam'. Did you mean 'plan'|unit belongs to each trend"),
    ({"where": "plam = 'pro'"}, "unknown property 'plam'. Did you mean 'plan'|where belongs to each trend"),
    ({"where": "plan = 'pro'; DROP TABLE x"}, "condition|where belongs to each trend"),
]


@pytest.fixture(scope="module")
def small() -> Iterator[EventLog]:
    with make_log([Row("a", "Visit", 30), *KNOWN]) as log:
        yield log


@every
def test_common_options_that_cannot_be_used_are_named(case: Case, small: EventLog) -> None:
    for options, message in BAD_OPTIONS:
        with pytest.raises(hw.InputError, match=message):
            replace(case.question, **options).run(small)


ODD_LOGS = {
    "no events": [],
    "nobody": [Row(None, event, 30) for event in ("Visit", "Payment")],  # type: ignore[arg-type]
    "one event each": [Row("a", event, 30) for event in ("Visit", "Payment", "Refund")],
    # 1970, and the end of the next century.
    "long ago and far ahead": [
        Row("a", "Visit", -493_000),
        Row("a", "Payment", 1_500_000),
        Row("b", "Refund", 9),
    ],
}


@pytest.fixture(scope="module", params=list(ODD_LOGS.values()), ids=list(ODD_LOGS))
def odd(request: pytest.FixtureRequest) -> Iterator[EventLog]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = make_log(request.param)
    with opened:
        yield opened


@every
def test_odd_logs_are_answered_shown_and_drawn(case: Case, odd: EventLog) -> None:
    found = case.question.run(odd)
    told = found.describe()
    assert "time zone Europe/Berlin" in told
    assert ("The log holds no events." in told) == (odd.first_us is None)
    assert "<table" in found._repr_html_()
    assert found.figure().layout.title.text
    numbers = found.frame.select(pl.selectors.float())
    assert not any(column.is_nan().any() or column.is_infinite().any() for column in numbers)
