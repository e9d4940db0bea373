"""The page of what moved: what is sure comes first, says where it comes from, and nothing is made of nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from headway.moved.anomalies import SCHEMA as ANOMALIES
from headway.moved.changes import SCHEMA as CHANGES
from headway.moved.decomposition import SCHEMA as EFFECTS
from headway_pipelines.report import pages
from headway_pipelines.report.pages import moved
from headway_pipelines.report.reading import read_report

MONDAY = date(2026, 3, 2)
LATEST, BEFORE = MONDAY + timedelta(7), MONDAY


def change(
    metric: str, before: float, value: float, low: float | None, high: float | None, **more: Any
) -> dict[str, Any]:
    return {
        "metric": metric, "segment": "all", "period": "week", "period_start": LATEST, "compared_with": "previous",
        "period_before": BEFORE, "value": value, "value_before": before, "change": value - before, "low": low,
        "high": high, **more,
    }  # fmt: skip


def effect(metric: str, label: str, mix: float | None, rate: float | None, effect: float) -> dict[str, Any]:
    return {
        "metric": metric, "dimension": "last_channel", "label": label, "period": "week", "period_start": LATEST,
        "compared_with": "previous", "period_before": BEFORE, "mix_effect": mix, "rate_effect": rate,
        "effect": effect,
    }  # fmt: skip


def day(metric: str, start: date, value: float, *, odd: bool | None) -> dict[str, Any]:
    return {
        "metric": metric, "period": "day", "period_start": start, "value": value, "expected": 100.0, "low": 90.0,
        "high": 110.0, "is_anomaly": odd,
    }  # fmt: skip


@pytest.fixture
def page(published: Any) -> Callable[..., Any]:
    """The page of some changes, effects and judged days: what fills it, and its text."""
    published.metric("activation").metric("errors", direction="down", unit="errors").metric(
        "visits", unit="people"
    )

    def fill(
        changes: Sequence[dict[str, Any]],
        effects: Sequence[dict[str, Any]] = (),
        days: Sequence[dict[str, Any]] = (),
    ) -> tuple[Mapping[str, Any], str]:
        tables = dict(published.tables())
        for name, rows, schema in (
            ("metric_changes", changes, CHANGES),
            ("metric_effects", effects, EFFECTS),
            ("metric_anomalies", days, ANOMALIES),
        ):
            tables[name] = pl.DataFrame(list(rows), schema=schema, orient="row")
        return moved.PAGE.fill(read_report(tables)), pages.render(tables)["moved.html"]

    return fill


def test_what_is_sure_comes_first_and_good_depends_on_the_metric(page: Callable[..., Any]) -> None:
    filled, html = page(
        [
            change("activation", 0.40, 0.44, -0.01, 0.09),
            change("errors", 1.0, 2.0, 0.5, 1.5),
            change("visits", 100, 150, 20, 80),
            change("gone", 1, 2, 0.5, 1.5),
        ]
    )
    (weeks,) = filled["comparisons"]
    assert [(line.metric.name, line.tone) for line in weeks.sure] == [
        ("errors", "worse"),
        ("visits", "better"),
    ]
    assert [line.verdict for line in weeks.sure] == ["worse, more than noise", "better, more than noise"]
    (other,) = weeks.others
    assert (other.metric.name, other.tone, other.verdict) == ("activation", "", "within noise")
    assert (other.before, other.value, other.change, other.interval) == (
        "40 %", "44 %", "+4 percentage points", "(−1 to 9)",
    )  # fmt: skip
    assert "1 change that may be noise" in html and 'href="aarrr.html#' in html
    assert "gone" not in html


def test_without_an_interval_nothing_is_called_sure(page: Callable[..., Any]) -> None:
    filled, _ = page([change("visits", 100, 150, None, None)])
    (line,) = filled["comparisons"][0].others
    assert (line.verdict, line.interval) == ("no interval: cannot tell it from noise", "")


def test_the_largest_effects_are_named_and_tiny_ones_are_not(page: Callable[..., Any]) -> None:
    filled, html = page(
        [change("activation", 0.40, 0.44, 0.01, 0.07), change("visits", 100, 150, 20, 80)],
        [
            effect("activation", "paid", -0.005, 0.035, 0.03),
            effect("activation", "email", 0.004, 0.004, 0.008),
            effect("activation", "<b>", 0.001, 0.0, 0.001),
            effect("visits", "paid", None, None, 50.0),
        ],
    )
    by_metric = {line.metric.name: line.effects for line in filled["comparisons"][0].sure}
    assert by_metric["activation"] == (
        "last channel paid: +3.0 percentage points (+3.5 within it, −0.5 by its share)",
        "last channel email: +0.8 percentage points (+0.4 within it, +0.4 by its share)",
    )
    assert by_metric["visits"] == ("last channel paid: +50 people",)
    assert "<b>" not in html


def test_every_comparison_has_its_place(page: Callable[..., Any]) -> None:
    filled, html = page(
        [
            change("visits", 100, 150, 20, 80),
            change("visits", 90, 150, 20, 80, compared_with="last year", period_before=date(2025, 3, 10)),
            change("visits", 400, 410, -50, 70, period="month", period_start=date(2026, 3, 1)),
        ]
    )
    assert [each.anchor for each in filled["comparisons"]] == [
        "week-previous",
        "month-previous",
        "week-last-year",
    ]
    assert "Nothing moved by more than noise." in html
    assert "Mar 2026" in html and "9–15 Mar 2026" in html


def test_unexpected_days_the_latest_first(page: Callable[..., Any]) -> None:
    days = [
        day("visits", MONDAY, 130, odd=True),
        day("visits", MONDAY + timedelta(1), 100, odd=False),
        day("visits", MONDAY + timedelta(2), 60, odd=True),
        day("visits", MONDAY + timedelta(3), 60, odd=None),
        day("gone", MONDAY, 1, odd=True),
    ]
    filled, html = page([change("visits", 100, 150, 20, 80)], days=days)
    assert [(each.when, each.value, each.interval) for each in filled["surprises"]] == [
        ("4 Mar 2026", "60 people", "(90–110)"),
        ("2 Mar 2026", "130 people", "(90–110)"),
    ]
    assert filled["judged"] == 4 and "of 4 that were judged" in html


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ([], "too little history yet"),
        ([day("visits", MONDAY, 100, odd=False)], "None of 1 values was outside"),
    ],
)
def test_no_unexpected_days_says_why(page: Callable[..., Any], days: list[dict[str, Any]], says: str) -> None:
    assert says in page([change("visits", 100, 150, 20, 80)], days=days)[1]


def test_many_unexpected_days_are_counted(page: Callable[..., Any]) -> None:
    days = [day("visits", MONDAY + timedelta(n), 60, odd=True) for n in range(moved.DAYS_SHOWN + 2)]
    assert "2 earlier ones are in the table" in page([change("visits", 100, 150, 20, 80)], days=days)[1]


def test_without_changes_there_is_no_page(published: Any) -> None:
    assert "moved.html" not in pages.render(published.metric("activation").tables())
