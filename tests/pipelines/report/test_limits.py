"""Guardrails and running totals on the pages: whether a limit is kept, and how sure that is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

Read = Callable[[Path], str]


@pytest.mark.parametrize(
    ("direction", "limit", "badge", "sure"),
    [
        # 40 of 1,000: 4 % (3.0-5.4)
        ("down", 0.06, "at most 6 % Within its limit", "Kept even by the worse end of the interval"),
        ("down", 0.05, "at most 5 % Not sure", "The limit lies within the interval: it may be kept or not"),
        ("down", 0.02, "at most 2 % Beyond its limit", "Not kept even by the better end of the interval"),
        ("up", 0.025, "at least 2.5 % Within its limit", "Kept even by the worse end of the interval"),
        ("up", 0.07, "at least 7 % Beyond its limit", "Not kept even by the better end of the interval"),
    ],
)
def test_a_limit_has_a_badge_and_says_how_sure(
    published: Any, text: Read, direction: str, limit: float, badge: str, sure: str
) -> None:
    published.metric("slow", framework="quality", stage="speed", direction=direction, limit_value=limit)
    published.weeks((1000, 500), (1000, 40), name="slow")
    index = published.write()
    assert badge in text(index) and sure in text(index)
    assert f"limit {badge}" in text(index.with_name("quality.html"))
    assert sure in text(index.with_name("quality.html"))


def test_without_interval_or_value_nothing_is_called_fine(published: Any, text: Read) -> None:
    # Everybody waited 3 hours; then nobody came.
    published.metric("wait", unit="hours", direction="down", limit_value=5.0)
    published.weeks((100, 300.0), name="wait", kind="mean", squares=(900.0,))
    published.metric("slow", direction="down", limit_value=0.05).weeks((100, 40), None, name="slow")
    page = text(published.write())
    assert "at most 5 hours Not sure Without an interval nobody can say whether it is at most 5 hours" in page
    assert "at most 5 % No value to compare –" in page
    assert "Of 2 limits, 1 is not sure to be kept and 1 is without a value." in page


def test_the_lead_names_what_is_beyond_its_limit(published: Any, text: Read) -> None:
    published.metric("slow", title="Slow pages", direction="down", limit_value=0.02)
    published.metric("crash", direction="up", limit_value=0.5, unit="percent")
    published.weeks((1000, 40), name="slow").weeks((1000, 990), name="crash")
    assert (
        "Of 2 limits, 1 is kept and 1 is not kept: Slow pages is 4 % (3–5), where at most 2 % is allowed."
        in text(published.write())
    )


def test_guardrails_stand_beside_every_outcome(published: Any, text: Read) -> None:
    published.metric("activation").weeks((1000, 400))
    published.metric("slow", framework="quality", stage="speed", direction="down", limit_value=0.05)
    published.metric("back", framework="heart", stage="retention").weeks((1000, 400), name="back")
    published.weeks((1000, 40), name="slow")
    index = published.write()
    for page in ("aarrr", "heart"):
        words = text(index.with_name(f"{page}.html"))
        assert (
            "Guardrails Does anything get worse meanwhile? Slow 4.0 % (3.0–5.4) limit at most 5 % Not sure"
            in words
        )
    # What is on the page anyway is not said twice.
    assert "Guardrails" not in text(index.with_name("quality.html"))


def test_without_limits_there_are_no_guardrails(published: Any, text: Read) -> None:
    published.metric().weeks((1000, 400))
    index = published.write()
    assert "Guardrails" not in text(index) + text(index.with_name("aarrr.html"))
    assert "limit" not in text(index)


def charts(page: Path) -> list[dict[str, Any]]:
    found = re.findall(
        r'<script type="application/json" id="chart-m[^"]+">(.*?)</script>', page.read_text(), re.DOTALL
    )
    return [json.loads(each) for each in found]


def test_the_limit_is_a_line_in_the_chart_beside_the_target(published: Any) -> None:
    published.metric(target_value=0.45, limit_value=0.3).weeks((1000, 400), (1000, 420))
    (chart,) = charts(published.write().with_name("aarrr.html"))
    lines = {(line["y0"], line["line"]["dash"]) for line in chart["layout"]["shapes"]}
    assert lines == {(0.45, "dash"), (0.3, "solid")}
    assert [mark["text"] for mark in chart["layout"]["annotations"]] == ["target", "limit"]
    assert chart["layout"]["yaxis"]["range"][0] == 0


def test_where_values_are_close_to_the_limit_the_axis_shows_on_which_side(published: Any) -> None:
    published.metric(limit_value=0.98).weeks((10_000, 9_900), (10_000, 9_910))
    (chart,) = charts(published.write().with_name("aarrr.html"))
    low, high = chart["layout"]["yaxis"]["range"]
    assert 0.95 < low < 0.98 and 0.99 < high < 1.01


def test_a_running_total_is_counted_and_not_compared(published: Any, read: Read) -> None:
    published.metric(
        "joined",
        kind="cumulative",
        unit="people",
        target_value=150.0,
        target_by=date(2026, 12, 31),
        limit_value=100.0,
    )
    published.as_given = True
    published.weeks((100, 100), (160, 160), name="joined", kind="count")
    for row in published.values:
        row |= {"low": None, "high": None, "interval_method": None}
    page = read(published.write())
    assert "160 people (counted)" in page and "a running total" in page
    assert "150 people by 31 Dec 2026 Met" in page and "at least 100 people Within its limit" in page
    assert "no interval" not in page
