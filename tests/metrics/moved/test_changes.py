"""Changes of published values: what is compared with what, and what is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moved_oracle import HIDDEN, Row, cell, earlier, hidden, naive_changes, table

from headway.moved import metric_changes
from headway.moved.pairs import BEFORE, CUT, LATEST, NO_PERIOD, REDEFINED

MONDAY = date(2026, 3, 2)


def weeks(*values: float | None, **more: Any) -> list[Row]:
    return [cell(MONDAY + timedelta(7 * n), value, **more) for n, value in enumerate(values)]


def change(frame: pl.DataFrame, start: date, compared_with: str = "previous", **where: str) -> Row:
    return frame.filter(period_start=start, compared_with=compared_with, **where).row(0, named=True)


def test_a_change_is_the_value_minus_the_one_before() -> None:
    row = change(metric_changes(table(weeks(80.0, 100.0))), MONDAY + timedelta(7))
    assert (row["value"], row["value_before"], row["change"], row["relative_change"]) == (100, 80, 20, 0.25)
    assert (row["period_before"], row["reason"], row["low"], row["interval_method"]) == (
        MONDAY,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("period", "start", "previous", "last_year"),
    [
        # A Sunday with the Sunday 52 weeks earlier.
        ("day", date(2026, 3, 1), date(2026, 2, 28), date(2025, 3, 2)),
        ("week", date(2026, 3, 2), date(2026, 2, 23), date(2025, 3, 3)),
        ("month", date(2026, 3, 1), date(2026, 2, 1), date(2025, 3, 1)),
        ("month", date(2026, 1, 1), date(2025, 12, 1), date(2025, 1, 1)),
        # Windows that share no day.
        ("rolling_7d", date(2026, 3, 3), date(2026, 2, 24), date(2025, 3, 4)),
        ("rolling_28d", date(2026, 3, 3), date(2026, 2, 3), date(2025, 3, 4)),
    ],
)
def test_each_kind_of_period_has_its_earlier_ones(
    period: str, start: date, previous: date, last_year: date
) -> None:
    rows = [
        cell(last_year, 1, period=period),
        cell(previous, 2, period=period),
        cell(start, 5, period=period),
    ]
    found = metric_changes(table(rows))
    for compared_with, before, moved in (("previous", previous, 3), ("last year", last_year, 4)):
        row = change(found, start, compared_with)
        assert (row["period_before"], row["change"]) == (before, moved)


def test_a_value_above_0_only_has_a_relative_change() -> None:
    for before, expected in ((0.0, None), (-10.0, None), (5.0, 1.0)):
        row = change(metric_changes(table(weeks(before, 10.0))), MONDAY + timedelta(7))
        assert (row["change"], row["relative_change"]) == (10 - before, expected)


def test_what_cannot_be_compared_says_why() -> None:
    first, second = (row | {"low": 1.0, "high": 200.0} for row in weeks(80.0, 100.0))
    cases: list[tuple[Row, Row, date | None, str]] = [
        (hidden(first), second, None, BEFORE + HIDDEN),
        (first, hidden(second), None, HIDDEN),
        (
            first | {"value": None, "reason": "the denominator is 0"},
            second,
            None,
            BEFORE + "the denominator is 0",
        ),
        (first, second, MONDAY + timedelta(1), BEFORE + CUT),
        (first | {"definition_hash": "b"}, second, None, REDEFINED),
    ]
    for before, after, first_day, reason in cases:
        row = change(metric_changes(table([before, after]), first_day=first_day), MONDAY + timedelta(7))
        assert (row["change"], row["low"], row["relative_change"], row["reason"]) == (
            None,
            None,
            None,
            reason,
        )
    assert change(metric_changes(table(weeks(1.0))), MONDAY)["reason"] == NO_PERIOD


def test_incomplete_periods_are_neither_compared_nor_compared_with() -> None:
    first, second, third = weeks(80.0, 100.0, 10.0)
    found = metric_changes(table([first, second, third | {"complete": False}]))
    assert found["period_start"].max() == MONDAY + timedelta(7)
    found = metric_changes(table([first, second | {"complete": False}, third]))
    row = change(found, MONDAY + timedelta(14))
    assert (row["change"], row["value_before"], row["reason"]) == (
        None,
        None,
        "the earlier period: it is not over yet",
    )


def test_only_the_latest_periods_are_compared() -> None:
    found = metric_changes(table(weeks(*(float(n) for n in range(20)))))
    starts = found.filter(compared_with="previous")["period_start"].to_list()
    assert starts == [MONDAY + timedelta(7 * n) for n in range(12, 20)]


def test_a_metric_reported_in_two_places_has_one_change() -> None:
    rows = weeks(80.0, 100.0)
    assert metric_changes(table([*rows, *(row | {"framework": "heart"} for row in rows)])).height == 4


def test_no_metrics_no_changes() -> None:
    assert metric_changes(table([])).is_empty()


def test_the_interval_comes_from_both_intervals() -> None:
    first, second = weeks(0.6, 0.8)
    first |= {"low": 0.5, "high": 0.7}
    second |= {"low": 0.76, "high": 0.83}
    row = change(metric_changes(table([first, second])), MONDAY + timedelta(7))
    # sqrt(0.04^2 + 0.1^2) and sqrt(0.03^2 + 0.1^2)
    assert (row["low"], row["high"]) == pytest.approx((0.2 - 0.107703, 0.2 + 0.104403), abs=1e-6)
    assert row["interval_method"] == "mover"
    row = change(metric_changes(table([first, second | {"low": None, "high": None}])), MONDAY + timedelta(7))
    assert (row["change"], row["low"], row["high"]) == (pytest.approx(0.2), None, None)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], date | None]:
    periods = draw(st.lists(st.sampled_from(sorted(LATEST)), min_size=1, max_size=2, unique=True))
    rows = []
    for period in periods:
        for n in range(draw(st.integers(1, 4))):
            step = {"week": 7, "month": 31}.get(period, 1)
            start = MONDAY + timedelta(step * n)
            start = start.replace(day=1) if period == "month" else start
            for base in (start, earlier(start, period, "last year")):
                for segment in ("all", "channel=a"):
                    row = cell(base, draw(st.integers(-3, 9)), period=period, segment=segment)
                    row["complete"] = draw(st.sampled_from([True, True, True, False]))
                    row["definition_hash"] = draw(st.sampled_from("aaab"))
                    rows.append(hidden(row) if draw(st.sampled_from([False, False, True])) else row)
    return rows, draw(st.sampled_from([None, MONDAY, date(2025, 3, 4)]))


@settings(max_examples=60)
@given(histories())
def test_equals_plain_python(history: tuple[list[Row], date | None]) -> None:
    rows, first_day = history
    unique = list({(r["period"], r["segment"], r["period_start"]): r for r in rows}.values())
    found = metric_changes(table(unique), first_day=first_day)
    key = ("metric", "segment", "period", "period_start", "compared_with")
    assert dict(zip(found.select(key).rows(), found["change"], strict=True)) == naive_changes(
        unique, first_day, LATEST
    )
    assert (found["change"].is_null() == found["reason"].is_not_null()).all()
