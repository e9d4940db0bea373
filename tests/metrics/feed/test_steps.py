"""Steps that broke for somebody: small tables counted by hand, and how often chance is taken for a break."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from headway.feed import feed, step_changes

MONDAYS = [dt.date(2026, 3, 2) + dt.timedelta(weeks=n) for n in range(4)]
CATALOGUE = pl.DataFrame(
    {
        "metric": ["sign_up", "refunds", "income"], "kind": ["conversion", "conversion", "count"],
        "direction": ["up", "down", "up"],
    }
)  # fmt: skip


def cell(
    metric: str, segment: str, start: dt.date, reached: int | None, people: int | None, **said: Any
) -> dict[str, Any]:
    return {
        "metric": metric, "segment": segment, "period": "week", "period_start": start,
        "period_end": start + dt.timedelta(days=6), "numerator": reached, "denominator": people, "complete": True,
        "definition_hash": "d", **said,
    }  # fmt: skip


def values(*cells: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(cells), infer_schema_length=None)


def test_a_step_that_got_worse_for_a_segment_is_broken() -> None:
    before, now = MONDAYS[1:3]
    found = step_changes(
        values(
            cell("sign_up", "all", before, 120, 200), cell("sign_up", "all", now, 90, 200),
            cell("sign_up", "channel=paid", before, 60, 100), cell("sign_up", "channel=paid", now, 25, 100),
            cell("sign_up", "channel=email", before, 60, 100), cell("sign_up", "channel=email", now, 65, 100),
            cell("refunds", "channel=paid", before, 5, 100), cell("refunds", "channel=paid", now, 40, 100),
            cell("income", "channel=paid", before, 50, 100), cell("income", "channel=paid", now, 5, 100),
        ),
        CATALOGUE,
        {"sign_up": ("arrival", 2)},
    )  # fmt: skip
    told = {(r["metric"], r["segment"]): r for r in found.to_dicts()}
    assert set(told) == {
        ("refunds", "channel=paid"),
        ("sign_up", "channel=paid"),
        ("sign_up", "channel=email"),
    }
    paid = told["sign_up", "channel=paid"]
    assert (paid["funnel"], paid["step"], paid["value"], paid["value_before"]) == ("arrival", 2, 0.25, 0.6)
    assert paid["broken"] and told["refunds", "channel=paid"]["broken"]  # fewer refunds would be good
    assert not told["sign_up", "channel=email"]["broken"]
    # Other software: Newcombe's interval, Fisher's test, Holm's correction.
    low, high = confint_proportions_2indep(25, 100, 60, 100, method="newcomb")
    assert (paid["low"], paid["high"]) == (pytest.approx(low), pytest.approx(high))
    assert paid["p_value"] == pytest.approx(stats.fisher_exact(np.array([[25, 75], [60, 40]])).pvalue)
    corrected = multipletests(found["p_value"].to_numpy(), method="holm")[1]
    assert found["adjusted_p"].to_list() == pytest.approx(list(corrected))


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("the week before is missing", {"start": MONDAYS[0]}),
        ("it was hidden", {"reached": None, "people": None}),
        ("it was defined otherwise", {"definition_hash": "other"}),
        ("it is not over", {"complete": False}),
    ],
)
def test_nothing_is_compared_with_what_is_not_comparable(why: str, said: dict[str, Any]) -> None:
    then = cell("sign_up", "channel=paid", MONDAYS[1], 60, 100)
    if "start" in said:
        then = cell("sign_up", "channel=paid", MONDAYS[0], 60, 100)
    elif "people" in said:
        then = cell("sign_up", "channel=paid", MONDAYS[1], None, None)
    else:
        then |= said
    now = cell("sign_up", "channel=paid", MONDAYS[2], 25, 100)
    assert step_changes(values(then, now), CATALOGUE, {}).is_empty(), why


def test_a_segment_that_has_no_value_in_the_latest_week_is_not_told_of_an_older_one() -> None:
    cells = [cell("sign_up", "channel=paid", MONDAYS[n], 60 - 30 * n, 100) for n in (0, 1)]
    latest = cell("sign_up", "all", MONDAYS[2], 60, 100)
    assert step_changes(values(*cells, latest), CATALOGUE, {}).is_empty()


def test_where_nothing_changed_a_run_calls_a_break_seldom() -> None:
    """Twelve segments a run: without correction one run in four would call something broken."""
    rng = np.random.default_rng(20260301)
    runs, called = 40, 0
    for _ in range(runs):
        drawn = rng.binomial(150, 0.4, (12, 2))
        cells = [
            cell("sign_up", f"channel={n}", MONDAYS[week], int(drawn[n, week]), 150)
            for n in range(12)
            for week in (0, 1)
        ]
        called += bool(step_changes(values(*cells), CATALOGUE, {})["broken"].any())
    assert called / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


def test_the_feed_tells_of_a_broken_step_with_its_figures() -> None:
    cells = [cell("sign_up", "channel=paid", MONDAYS[n], (60, 25)[n], 100) for n in (0, 1)]
    steps = step_changes(values(*cells), CATALOGUE, {"sign_up": ("arrival", 2)})
    (item,) = feed({"step_changes": steps}, today=MONDAYS[2])
    assert (item.kind, item.subject, item.outcome, item.label) == ("funnel", "arrival", "2", "channel=paid")
    assert (item.value, item.reference) == (0.25, 0.6)
    assert item.change == pytest.approx(-0.35)
    assert item.good is False and item.low is not None and item.low < item.change < 0  # type: ignore[operator]
