"""On which days the cells of each kind of metric depend, and which cells follow from days that changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import numpy as np
import pytest

from headway.frameworks.calendar import Calendar
from headway.frameworks.reach import MARGIN, Reach, longest, reach_of
from headway.frameworks.stale import Log, stale
from headway.models.metrics import KINDS
from headway.models.product import Product
from headway.periods import EPOCH, utc_us

WORDS = {"framework": "aarrr", "stage": "activation", "title": "t", "unit": "percent"}
MONEY = {"event": "Pay", "measure": "sum", "value": "amount", "minus": "Back"}

# Every kind once, hand-made: what it is, days before and after, the period before, what was first, all of which events.
CASES: Mapping[str, tuple[dict[str, object], Reach | str]] = {
    "new_people": ({"unit": "people"}, "own days"),
    "share": ({"of": "A", "did": "B"}, "own days"),
    "mean": ({"of": "A", "event": "B", "measure": "days", "unit": "x"}, "own days"),
    "stickiness": ({"of": "A"}, "own days"),
    "quantile": ({"event": "A", "value": "v", "percentile": 90}, "own days"),
    "count": ({"of": MONEY, "unit": "EUR"}, "own days, all Back Pay"),
    "ratio": ({"numerator": MONEY, "denominator": "A", "unit": "EUR"}, "own days, all Back Pay"),
    "nps": ({"event": "A", "score": "s", "unit": "points"}, "own days, all A"),
    "survey": ({"event": "A", "score": "s", "scale": [1, 5], "top": 4}, "own days, all A"),
    "task": ({"start": "A", "success": "B", "within": "25h"}, "0 before, 3 after, all A B"),
    "time_on_task": ({"start": "A", "success": "B", "within": "1h", "unit": "hours"}, "0 before, 2 after"),
    "conversion": ({"start": "A", "reach": "B", "within": "7d"}, "0 before, 8 after, first A"),
    "retention": (
        {"start": "A", "returning": "B", "after": "7d", "within": "7d"},
        "0 before, 15 after, first A",
    ),
    "cohort_amount": (
        {"start": "A", "of": MONEY, "within": "28d", "unit": "EUR"},
        "0 before, 29 after, first A, all Back Pay",
    ),
    "lifecycle": ({"of": "A", "part": "new"}, "own days, the period before, first A"),
    "crash_free": ({"of": "A", "failure": "B"}, f"{MARGIN} before, {MARGIN} after"),
    "duration": ({"start": "A", "end": "B", "unit": "hours"}, "everything, all A B"),
    "mrr": ({"event": "A", "value": "v", "ends": "B", "unit": "EUR"}, "all days before, all A B"),
    "referral": (
        {"start": "A", "sent": "B", "accepted": "C", "key": "k", "within": "7d", "unit": "x"},
        "everything, all A B C",
    ),
    "cumulative": ({"of": "A", "since": "year", "unit": "x"}, "everything, all A"),
    "formula": ({"expression": "a / b"}, "own days"),
    "cost_per": ({"per": "a", "unit": "EUR"}, "own days"),
}


def product_of(**metrics: Mapping[str, object]) -> Product:
    return Product.model_validate(
        {
            "name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "A",
            "grains": ["day", "week", "month", "rolling_7d"],
            "metrics": {name: {**WORDS, **metric} for name, metric in metrics.items()},
        }
    )  # fmt: skip


def words(reach: Reach) -> str:
    """Says a reach in words."""
    days = (
        "own days" if not reach.before and not reach.after else f"{reach.before} before, {reach.after} after"
    )
    parts = ["everything"] if reach.whole else ["all days before"] if reach.ever else [days]
    parts += ["the period before"] if reach.previous else []
    parts += [f"first {' '.join(reach.first.event)}"] if reach.first else []
    parts += [f"all {' '.join(sorted(reach.names))}"] if reach.names else []
    return ", ".join(parts)


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_what_the_cells_of_a_kind_depend_on(kind: str) -> None:
    fields, expected = CASES[kind]
    metric = product_of(it={"kind": kind, **fields}).metrics["it"]
    assert words(reach_of(metric, lambda _: 0)) == expected


def test_an_answer_in_business_hours_may_take_longer_than_the_window() -> None:
    asked = {"by": "C", "within": "2h", "hours": "business"}
    back = {
        "kind": "retention",
        "start": "A",
        "returning": "B",
        "after": "0d",
        "within": "24h",
        "answered": asked,
    }
    metric = product_of(it=back).metrics["it"]
    day = 86_400_000_000
    assert reach_of(metric, lambda _: 0).after == 2
    assert reach_of(metric, lambda _: 5 * day).after == 6


def test_a_first_interval_with_a_horizon_depends_on_the_days_up_to_it_and_others_on_everything() -> None:
    wait = {"kind": "duration", "start": "A", "end": "B", "unit": "hours", "within": "7d"}

    def said(**more: object) -> str:
        return words(reach_of(product_of(it={**wait, **more}).metrics["it"], lambda _: 0))

    assert said() == "0 before, 8 after, first A, all A B"
    # Of a ticket, or of one interval after the other, it is not the person's first start that begins them.
    assert said(key="k") == said(each="every") == said(within=None) == "everything, all A B"


def test_steps_on_the_way_depend_on_no_other_days_than_the_goal() -> None:
    through = {"start": "A", "through": ["C", "D"], "reach": "B", "within": "7d", "kind": "conversion"}
    metric = product_of(it=through).metrics["it"]
    assert words(reach_of(metric, lambda _: 0)) == "0 before, 8 after, first A"


def test_sessions_with_long_pauses_depend_on_everything() -> None:
    metric = product_of(it={"kind": "crash_free", "of": "A", "failure": "B", "idle": "12h"}).metrics["it"]
    assert reach_of(metric, lambda _: 0).whole


def test_the_longest_wait_is_over_the_widest_gap() -> None:
    opens, closes = np.array([0, 100, 1000]), np.array([50, 150, 1050])
    assert longest(opens, closes, 0, 1100, 10) == 1010 - 150
    assert longest(opens, closes, 0, 1100, 60) == 1010 - 50
    # All of the second shift is 50, and so it is until the third one begins.
    assert longest(opens, closes, 0, 1100, 50) == 1000 - 50
    # Nothing is known of what lies after 120: from 0 it takes until 110, from 50 at least until 120.
    assert longest(opens, closes, 0, 120, 60) == 110
    # The log may begin long before the first shift.
    assert longest(opens, closes, -5000, 1100, 10) == 5010


LOG = Log(Calendar("UTC"), date(2026, 1, 5), date(2026, 4, 30))
COUNT = {"kind": "count", "of": {"event": "A", "measure": "people"}, "unit": "people"}


def found(
    metrics: Mapping[str, Mapping[str, object]], changed: date, since: date = date(2027, 1, 1)
) -> dict[str, set[str]]:
    """Lists the stale periods by metric, with all complete that end before `since`."""
    product = product_of(**metrics)
    reaches = {name: reach_of(metric, lambda _: 0) for name, metric in product.metrics.items()}
    horizon = utc_us(datetime(since.year, since.month, since.day))
    answer = stale(product, reaches, LOG, [(changed - EPOCH).days], horizon)
    return {
        name: {"all"} if cells is None else {f"{grain} {start:%d %b}" for grain, start in cells}
        for name, cells in answer.periods.items()
    }


def test_a_day_changes_the_periods_that_hold_it() -> None:
    cells = found({"it": COUNT}, date(2026, 3, 4))["it"]
    windows = {
        f"rolling_7d {day}" for day in ("26 Feb", "27 Feb", "28 Feb", "01 Mar", "02 Mar", "03 Mar", "04 Mar")
    }
    assert cells == {"day 04 Mar", "week 02 Mar", "month 01 Mar"} | windows


def test_a_window_reaches_back_to_the_starts_before_the_day() -> None:
    cells = found(
        {"it": {**CASES["conversion"][0], "kind": "conversion", "grains": ["day"]}}, date(2026, 3, 9)
    )["it"]
    assert cells == {f"day {day:02} Mar" for day in range(1, 10)}


def test_a_move_depends_on_the_period_before() -> None:
    life = {"kind": "lifecycle", "of": "A", "part": "new", "grains": ["week", "month"], "unit": "people"}
    assert found({"it": life}, date(2026, 3, 4))["it"] == {
        "week 02 Mar",
        "week 09 Mar",
        "month 01 Mar",
        "month 01 Apr",
    }


def test_what_an_account_pays_holds_in_all_later_months() -> None:
    fields, _ = CASES["mrr"]
    cells = found({"it": {**fields, "kind": "mrr", "grains": ["month"]}}, date(2026, 3, 4))["it"]
    assert cells == {"month 01 Mar", "month 01 Apr"}


def test_what_was_not_complete_is_computed_again() -> None:
    weekly = {"it": {**COUNT, "grains": ["week"]}}
    assert found(weekly, date(2026, 1, 5), since=date(2026, 4, 26))["it"] == {
        "week 05 Jan",
        "week 20 Apr",
        "week 27 Apr",
    }


def test_what_is_made_of_others_changes_with_them_and_they_are_at_hand() -> None:
    late = {**CASES["conversion"][0], "kind": "conversion", "grains": ["day"], "within": "24h"}
    whole = {**CASES["duration"][0], "kind": "duration"}
    both = {"kind": "formula", "expression": "late * count", "unit": "x", "grains": ["day"]}
    waits = {"kind": "formula", "expression": "open / count", "unit": "x", "grains": ["day"]}
    cells = found({"late": late, "count": {**COUNT, "grains": ["day"]}, "both": both}, date(2026, 3, 9))
    assert cells["late"] == cells["count"] == cells["both"] == {"day 07 Mar", "day 08 Mar", "day 09 Mar"}
    assert set().union(
        *found({"open": whole, "count": COUNT, "waits": waits}, date(2026, 3, 9)).values()
    ) == {"all"}


def test_days_to_read_are_those_the_stale_cells_depend_on() -> None:
    product = product_of(it={**CASES["task"][0], "kind": "task", "grains": ["week"]})
    reaches = {name: reach_of(metric, lambda _: 0) for name, metric in product.metrics.items()}
    answer = stale(product, reaches, LOG, [(date(2026, 3, 5) - EPOCH).days], 10**18)
    days = sorted(EPOCH.fromordinal(EPOCH.toordinal() + day) for day in answer.days)
    assert (days[0], days[-1], len(days)) == (date(2026, 3, 2), date(2026, 3, 11), 10)
    assert answer.names == {"A", "B"}
