"""Breakdowns by several things at once, and the largest groups, against naive computations."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway.insights.breakdown import told_apart
from headway.log import EventLog

START = datetime(2026, 3, 1)
EXAMPLES = 1000 if os.environ.get("HEADWAY_FULL") else 15


class Row(NamedTuple):
    person: str
    event: str
    hours: int
    plan: str | None = None
    channel: str | None = None


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        [(row.person, row.event, START + timedelta(hours=row.hours), row.plan, row.channel) for row in rows],
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "plan": pl.String,
            "channel": pl.String,
        },
        orient="row",
    )
    return EventLog(frame, **options)


VALUES = [None, "pro", "free", 'say "hi"', "a;b", "ü", "[1]", "a b", "a"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=st.lists(
        st.builds(
            Row,
            person=st.sampled_from("abcdef"),
            event=st.sampled_from(["Visit", "Payment"]),
            hours=st.integers(0, 60),
            plan=st.sampled_from(VALUES),
            channel=st.sampled_from(["ads", "mail", None]),
        ),
        max_size=40,
    ),
    by=st.sampled_from(
        ["plan", ["channel"], ["plan", "channel"], ["payer", "plan"], ["channel", "payer"], "payer"]
    ),
    top=st.none() | st.integers(1, 4),
    measure=st.sampled_from(["total", "people"]),
)
def test_a_trends_groups_equal_a_naive_count(rows: list[Row], by: Any, top: int | None, measure: str) -> None:
    rows = [*rows, Row("z", "Visit", 0), Row("z", "Payment", 100)]
    payer = hw.Did("Payment", until="2026-03-02").named("payer")
    names = [by] if isinstance(by, str) else by
    payers = {row.person for row in rows if row.event == "Payment" and row.hours < 48}

    def group(row: Row) -> tuple[str, ...]:
        values = {"plan": row.plan or "(none)", "channel": row.channel or "(none)"}
        values["payer"] = "in" if row.person in payers else "not in"
        return tuple(values[name] for name in names)

    counted = [row for row in rows if row.event == "Visit"]
    people: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in counted:
        people[group(row)].add(row.person)
    ranked = sorted(people, key=lambda g: (-len(people[g]), [v.encode() for v in g]))
    kept = set(ranked if top is None else ranked[:top])
    placed = [
        (group(row) if group(row) in kept else ("(other)",) * len(names), row.person) for row in counted
    ]
    expected = Counter(g for g, _ in (placed if measure == "total" else set(placed)))

    items = [payer if name == "payer" else name for name in names]
    asked = hw.Trend(
        "Visit", measure=measure, period="month", by=items if isinstance(by, list) else items[0], top=top
    )
    with make_log(rows) as log:
        frame = asked.run(log).frame
    assert frame.columns[: len(names)] == names
    assert [(row[:-3], row[-2]) for row in frame.rows()] == sorted(
        expected.items(), key=lambda pair: [v.encode() for v in pair[0]]
    )


def test_groups_are_ranked_by_people_in_the_range_not_by_events() -> None:
    rows = [Row("ann", "Visit", 50, "pro")] * 5 + [Row(p, "Visit", 50, "free") for p in ("bob", "cy")]
    early = [Row(f"early {i}", "Visit", 0, "old") for i in range(9)]
    paid = [Row(f"payer {i}", "Payment", 50, "team") for i in range(9)]
    with make_log(rows + early + paid) as log:
        frame = hw.Trend("Visit", by="plan", top=1, period="month", since="2026-03-03").run(log).frame
    assert frame.select("plan", "value").rows() == [("(other)", 5), ("free", 2)]


def test_a_funnels_groups_are_ranked_by_people_at_step_1() -> None:
    rows = [Row("ann", "Visit", 0, "pro"), Row("bob", "Visit", 0, "pro"), Row("cy", "Visit", 0, "free")]
    rows += [Row(person, "Payment", 1, "free") for person in ("ann", "bob", "cy", "dan")]
    with make_log(rows) as log:
        result = hw.Funnel(["Visit", "Payment"], by=["plan", "channel"], top=1).run(log)
        assert result.durations.columns == ["plan", "channel", "person", "seconds"]
    assert result.frame.select("plan", "channel", "step", "people").rows() == [
        ("(other)", "(other)", 1, 1),
        ("(other)", "(other)", 2, 1),
        ("pro", "(none)", 1, 2),
        ("pro", "(none)", 2, 2),
    ]
    assert (
        "broken down by plan and channel (the group with most people, the rest as (other))"
        in result.describe()
    )
    names = {trace.name for trace in result.figure().data}
    assert names == {"(other) · (other)", "pro · (none)"}


def test_a_property_named_like_the_result_is_refused() -> None:
    with make_log([Row("ann", "Visit", 0)]) as log:
        with pytest.raises(hw.InputError, match="the result has a column of that name"):
            hw.Trend("Visit", by=hw.Did("Visit").named("value")).run(log)
        with pytest.raises(hw.InputError, match="Did you mean 'channel'"):
            hw.Trend("Visit", by=["plan", "chanel"]).run(log)


def test_groups_are_told_apart_whatever_they_hold() -> None:
    frame = pl.DataFrame({"touch": ['["b\\"","[1]"]', "(other)", '["a","(other)"]'], "n": [1, 2, 3]})
    assert told_apart(frame, ["x", "y"]).rows() == [
        ("(other)", "(other)", 2),
        ("a", "(other)", 3),
        ('b"', "[1]", 1),
    ]


def test_questions_about_periods_are_asked_once_per_group() -> None:
    rows = [Row("ann", "Visit", 0, "pro"), Row("ann", "Visit", 24, "free"), Row("bob", "Visit", 24, "free")]
    with make_log([*rows, Row("cy", "Visit", 0, "team")]) as log:
        result = hw.Lifecycle("Visit", period="day", by="plan", top=1).run(log)
        # ann is new in each group she is in.
        assert result.frame.select("plan", "period_start", "new", "dormant").rows() == [
            ("(other)", datetime(2026, 3, 1).date(), 2, 0),
            ("(other)", datetime(2026, 3, 2).date(), 0, 2),
            ("free", datetime(2026, 3, 1).date(), 0, 0),
            ("free", datetime(2026, 3, 2).date(), 2, 0),
        ]
        assert log.sql(result.sql).height == result.frame.height
        assert list(result.groups or {}) == ["(other)", "free"]
        menu = result.figure().layout.updatemenus[0].buttons
    assert [button.label for button in menu] == ["(other)", "free"]
    assert (
        "One such question for each group of events, by plan (the group with most people" in result.describe()
    )


def test_too_many_groups_are_not_asked_one_by_one() -> None:
    with make_log([Row(f"p{n}", "Visit", 0, f"plan {n}") for n in range(101)]) as log:
        with pytest.raises(hw.InputError, match=r"makes 101 groups, .* keep the largest with top="):
            hw.ActivePeople("Visit", by="plan").run(log)
        assert hw.ActivePeople("Visit", by="plan", top=2, windows=(1,)).run(log).frame.height == 3


COHORT_BY = hw.Did("Payment")


@pytest.mark.parametrize(
    "asked",
    [
        hw.Trend("Visit", by=COHORT_BY),
        hw.Retention("Visit", "Payment", by=COHORT_BY),
        hw.Funnel(["Visit", "Payment"], by=COHORT_BY),
        hw.Lifecycle("Visit", by=COHORT_BY),
    ],
    ids=lambda asked: type(asked).__name__,
)
def test_a_cohort_to_break_down_by_is_described(asked: Any) -> None:
    assert f"by {COHORT_BY.label}" in asked.describe()


@pytest.mark.parametrize("name", ["seconds", "seconds_from", "mean", "median", "person"])
def test_a_funnel_is_not_broken_down_by_what_its_times_are_called(name: str) -> None:
    frame = pl.DataFrame(
        {"who": ["a"], "event": ["Visit"], "occurred_at": [datetime(2026, 3, 1)], name: ["x"]}
    )
    taken = pytest.raises(hw.InputError, match="the result has a column of that name")
    with EventLog(frame, person="who") as log, taken:
        hw.Funnel(["Visit"], by=name).run(log)


@pytest.mark.parametrize("name", ["level", "seconds"])
def test_a_funnel_does_not_hold_what_its_lists_are_called(name: str) -> None:
    frame = pl.DataFrame(
        {"person": ["a"], "event": ["Visit"], "occurred_at": [datetime(2026, 3, 1)], name: ["x"]}
    )
    with (
        EventLog(frame) as log,
        pytest.raises(hw.InputError, match="the list of people has a column of that name"),
    ):
        hw.Funnel(["Visit"], hold=name).run(log)


def test_the_ratio_of_active_people_is_that_of_each_group() -> None:
    rows = [
        Row(person, "Visit", 24 * day, plan=plan)
        for person, day, plan in [("a", 0, "x"), ("b", 0, "x"), ("a", 1, "x"), ("c", 0, "y"), ("c", 1, "y")]
    ]
    with make_log(rows) as log:
        ratio = hw.ActivePeople("Visit", windows=(1, 2), by="plan").run(log).ratio(1, 2)
    assert ratio.select("plan", "value").rows() == [("x", 1.0), ("x", 0.5), ("y", 1.0), ("y", 1.0)]
