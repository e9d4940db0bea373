"""Running totals: what there has been so far, on histories small enough to count by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from metric_worlds import Row, World, compute, make_product
from pydantic import ValidationError

from headway.models.metrics import Cumulative
from headway.moved import moved_tables
from headway.periods import utc_us

PEOPLE = {"event": "A", "measure": "people"}
SPENT = {"event": "A", "measure": "sum", "value": "amount"}


def row(number: int, person: int, at: str, **more: Any) -> Row:
    return Row(person, "A", utc_us(datetime.fromisoformat(at)), line=0, tie=number, **more)


#: March ends on a Tuesday: the week from 30 March to 5 April is cut by April and by the second quarter.
LOG = (
    row(1, 1, "2026-03-23 10:00", amount=5.0),
    row(2, 1, "2026-03-24 10:00", amount=1.0),
    row(3, 2, "2026-03-31 10:00", amount=2.0, source="mail"),
    row(4, 1, "2026-04-02 10:00", amount=4.0),
    row(5, 3, "2026-04-06 10:00", amount=8.0),
    row(6, 1, "2026-04-07 10:00", amount=16.0),
)


def told(
    metrics: Mapping[str, Mapping[str, object]],
    grains: Sequence[str] = ("week",),
    horizon: str = "2026-04-10",
) -> pl.DataFrame:
    """Computes running totals, and shortens periods to their first days."""
    world = World(LOG, channels={2: "email"}, horizon=utc_us(datetime.fromisoformat(horizon)))
    units = {name: {"unit": "x", "grains": list(grains), **metric} for name, metric in metrics.items()}
    return compute(world, make_product(world, units)).values


def values(
    since: object, of: object = "A", grain: str = "week", segment: str = "all", **more: Any
) -> list[Any]:
    frame = told({"m": {"kind": "cumulative", "of": of, "since": since}}, **more)
    found = frame.filter(segment=segment, period=grain).sort("period_start")
    return found["value"].to_list()


def test_events_so_far_begin_anew_with_the_month_in_which_a_week_ends() -> None:
    # The event of 31 March is in no week that ends in March.
    assert values("month") == [2, 1, 3]
    assert values("year") == values("2026-01-01") == [2, 4, 6]
    assert values("month", grain="month", grains=["month"]) == [3, 3]
    assert values("quarter", grain="month", grains=["month"]) == [3, 3]
    assert values("2026-03-24", grain="day", grains=["day"])[:3] == [None, 1, 1]


def test_people_count_once_and_amounts_add_up() -> None:
    assert values("year", PEOPLE) == [1, 2, 3]
    assert values("quarter", PEOPLE) == [1, 1, 2]
    assert values("year", SPENT) == [6, 12, 36]


def test_a_total_stays_where_it_began() -> None:
    # Person 2 came by e-mail; in the segment of the last touch as well, from the touch of 31 March on.
    assert values("year", segment="channel=email") == [0, 1, 1]
    assert values("year", segment="channel=direct") == [2, 3, 5]
    assert values("year", segment="touched=email") == [0, 1, 1]


def test_a_period_before_the_beginning_says_so() -> None:
    frame = told({"m": {"kind": "cumulative", "of": "A", "since": "2026-03-30"}}).filter(segment="all")
    first = frame.sort("period_start").row(0, named=True)
    assert (first["value"], first["people"], first["reason"]) == (None, 0, "the total has not begun yet")
    assert frame.sort("period_start")["value"].to_list() == [None, 2, 4]


def test_nothing_is_estimated_and_the_last_period_is_incomplete() -> None:
    frame = told({"m": {"kind": "cumulative", "of": PEOPLE, "since": "year"}}).filter(segment="all")
    assert frame["complete"].to_list() == [True, True, False]
    assert (
        frame["low"].null_count()
        == frame["interval_method"].null_count()
        == frame["reason"].null_count()
        == 3
    )


def test_what_is_added_since_the_point_before_is_what_a_total_tells() -> None:
    frame = told({"m": {"kind": "cumulative", "of": SPENT, "since": "year"}}).filter(segment="all")
    # 6 of one person; 2 and 4 of two; 8 and 16 of two.
    assert frame["contributors"].to_list() == [1, 2, 2]
    assert frame["effective"].to_list() == [1, pytest.approx(36 / 20), pytest.approx(24**2 / 320)]


def test_a_formula_divides_totals_with_an_interval() -> None:
    """A total since the beginning of the month is, at its end, the month's: so are formulas of it, interval and all."""

    def each(kind: Mapping[str, object]) -> pl.DataFrame:
        parts = {"spent": {**kind, "of": SPENT}, "people": {**kind, "of": PEOPLE}}
        frame = told({**parts, "each": {"kind": "formula", "expression": "spent / people"}}, grains=["month"])
        return frame.filter(metric="each", segment="all").select(
            "period_start", "value", "low", "high", "people"
        )

    found = each({"kind": "cumulative", "since": "month"})
    assert found["value"].to_list() == [4, 14]
    assert found["low"].null_count() == 0
    assert found.equals(each({"kind": "count"}))


def test_totals_are_left_out_of_what_moved() -> None:
    frame = told({"m": {"kind": "cumulative", "of": "A", "since": "year"}, "n": {"kind": "count", "of": "A"}})
    tables = moved_tables(frame, {"m": "running", "n": "total"})
    assert {name: table["metric"].unique().to_list() for name, table in tables.items()} == {
        "metric_changes": ["n"], "metric_effects": ["n"], "metric_anomalies": ["n"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"since": "week"},
            "'week' is no beginning; write month, quarter, year, or a day such as 2026-01-01",
        ),
        ({"since": 2026}, "2026 is no beginning"),
        ({"since": "year", "of": {"event": "A", "measure": "days"}}, "days of people add up to no total"),
        ({"since": "year", "grains": ["rolling_7d"]}, "rolling_7d makes no sense for this kind of metric"),
    ],
)
def test_what_is_no_running_total(fields: dict[str, object], message: str) -> None:
    declared = {"framework": "aarrr", "stage": "revenue", "title": "T", "unit": "x", "of": "A", **fields}
    with pytest.raises(ValidationError, match=message):
        Cumulative.model_validate({"kind": "cumulative", **declared})


def test_the_definition_in_words() -> None:
    declared = {"kind": "cumulative", "framework": "aarrr", "stage": "revenue", "title": "T", "unit": "x"}
    assert Cumulative.model_validate({**declared, "of": PEOPLE, "since": "quarter"}).definition() == (
        "Number of people who did 'A', from the beginning of the quarter that holds the last day of the period to that "
        "day, as far as the log reaches back; a value is complete once the period is over."
    )
    assert "from 2026-03-01 to the last day of the period" in (
        Cumulative.model_validate({**declared, "of": "A", "since": "2026-03-01"}).definition()
    )
