"""What a run is told for: what is picked, in which order, and that chance alone tells little."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from headway.feed import Item, feed
from headway.feed.cohorts import shifts

MONDAY = dt.date(2026, 3, 2)
TODAY = dt.date(2026, 3, 10)


def catalogue(**metrics: dict[str, Any]) -> pl.DataFrame:
    rows = [
        {
            "metric": name, "direction": "up", "target_value": None, "target_by": None, "target_period": None,
            "limit_value": None, **said,
        }
        for name, said in metrics.items()
    ]  # fmt: skip
    schema = {
        "metric": pl.String, "direction": pl.String, "target_value": pl.Float64, "target_by": pl.Date,
        "target_period": pl.String, "limit_value": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def values(**metrics: tuple[float | None, float | None, float | None]) -> pl.DataFrame:
    rows = [
        {"metric": name, "segment": "all", "period": "week", "period_start": MONDAY, "complete": True,
         "value": value, "low": low, "high": high}
        for name, (value, low, high) in metrics.items()
    ]  # fmt: skip
    return pl.DataFrame(
        rows,
        schema={
            "metric": pl.String, "segment": pl.String, "period": pl.String, "period_start": pl.Date,
            "complete": pl.Boolean, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
        },
    )  # fmt: skip


def told(items: tuple[Item, ...]) -> list[tuple[str, str, str]]:
    return [(item.kind, item.outcome, item.subject) for item in items]


def test_nothing_published_is_nothing_to_tell() -> None:
    assert feed({}, today=TODAY) == ()


def test_a_broken_limit_is_told_and_one_that_may_be_kept_is_not() -> None:
    tables = {
        "metric_catalogue": catalogue(
            errors={"direction": "down", "limit_value": 0.1}, speed={"direction": "down", "limit_value": 0.1},
            hidden={"limit_value": 0.9},
        ),
        "metric_values": values(errors=(0.2, 0.15, 0.25), speed=(0.2, 0.05, 0.3), hidden=(None, None, None)),
    }  # fmt: skip
    (item,) = feed(tables, today=TODAY)
    assert (item.kind, item.metric, item.value, item.reference, item.good) == (
        "limit",
        "errors",
        0.2,
        0.1,
        False,
    )


@pytest.mark.parametrize(
    ("value", "by", "outcome"),
    [
        (0.5, dt.date(2026, 12, 31), [("target", "met", "m")]),
        (0.3, dt.date(2026, 12, 31), []),  # there is time
        (0.3, dt.date(2026, 3, 9), [("target", "missed", "m")]),
        (0.3, dt.date(2026, 3, 10), []),  # today is the last day for it
        (0.3, dt.date(2026, 1, 1), []),  # no news any more
    ],
)
def test_targets_are_news_when_met_and_when_their_day_is_over(
    value: float, by: dt.date, outcome: list[tuple[str, str, str]]
) -> None:
    tables = {
        "metric_catalogue": catalogue(m={"target_value": 0.4, "target_by": by, "target_period": "week"}),
        "metric_values": values(m=(value, value - 0.05, value + 0.05)),
    }
    assert told(feed(tables, today=TODAY)) == outcome
    # The first page says of such a value that nobody can say.
    unsure = {**tables, "metric_values": values(m=(value, 0.2, 0.6))}
    assert feed(unsure, today=TODAY) == ()


def bet(name: str, verdict: str, horizon: dt.date = dt.date(2026, 3, 1), **said: Any) -> dict[str, Any]:
    return {
        "bet": name, "metric": name, "verdict": verdict, "horizon": horizon, "low": 0.05, "high": 0.2, "effect": 0.1,
        "effect_low": 0.02, "effect_high": 0.18, **said,
    }  # fmt: skip


def test_bets_are_told_worst_first_and_old_ones_not_again() -> None:
    bets = pl.DataFrame(
        [
            bet("a", "hit"), bet("b", "harm"), bet("c", "miss"), bet("d", "open"),
            bet("e", "hit", horizon=dt.date(2026, 1, 1)), bet("f", "hit", low=-0.2, high=-0.05),
        ]
    )  # fmt: skip
    items = feed({"bets": bets}, today=TODAY)
    assert told(items) == [
        ("bet", "harm", "b"),
        ("bet", "miss", "c"),
        ("bet", "hit", "a"),
        ("bet", "hit", "f"),
    ]
    assert [item.reference for item in items] == [0.05, 0.05, 0.05, -0.05]
    assert [item.good for item in items] == [False, False, True, True]


def test_what_a_rule_says_to_stop_and_what_nobody_uses() -> None:
    rules = pl.DataFrame(
        {
            "node": ["editor", "titles"], "metric": ["m", "n"], "period": ["week"] * 2, "period_start": [MONDAY] * 2,
            "value": [0.1, 0.9], "worse_than": [0.2, 0.2], "low": [0.05, 0.8], "high": [0.15, 0.95],
            "state": ["stop", "go on"],
        }
    )  # fmt: skip
    released = pl.DataFrame(
        {
            "option": ["quiz", "editor"], "released": [MONDAY] * 2, "adoption": [0.01, 0.6],
            "cost_per_month": [300.0, None], "goodbye": ["nearly nobody uses it", ""],
        }
    )  # fmt: skip
    items = feed({"strategy_kill_rules": rules, "released_options": released}, today=TODAY)
    assert told(items) == [("kill", "", "editor"), ("goodbye", "", "quiz")]
    assert items[1].label == "nearly nobody uses it"


def moved(names: list[str], change: float = 0.2) -> dict[str, pl.DataFrame]:
    n = len(names)
    changes = pl.DataFrame(
        {
            "metric": names, "segment": ["all"] * n, "period": ["week"] * n, "period_start": [MONDAY] * n,
            "compared_with": ["previous"] * n, "period_before": [MONDAY - dt.timedelta(days=7)] * n,
            "value": [0.5] * n, "value_before": [0.5 - change] * n, "change": [change] * n,
            "relative_change": [0.1] * n, "low": [change - 0.1] * n, "high": [change + 0.1] * n,
        }
    )  # fmt: skip
    effects = pl.DataFrame(
        {
            "metric": [names[0]] * 2, "dimension": ["channel"] * 2, "label": ["paid", "email"], "period": ["week"] * 2,
            "period_start": [MONDAY] * 2, "compared_with": ["previous"] * 2, "effect": [0.15, 0.05],
            "mix_effect": [None, None], "rate_effect": [None, None],
        },
        schema_overrides={"mix_effect": pl.Float64, "rate_effect": pl.Float64},
    )  # fmt: skip
    return {"metric_changes": changes, "metric_effects": effects}


def test_a_move_names_the_segment_that_did_most_of_it() -> None:
    tables = moved(["a"]) | {
        "metric_catalogue": catalogue(a={"direction": "down"}),
        "metric_values": values(),
    }
    (item,) = feed(tables, today=TODAY)
    assert (item.kind, item.change, item.good) == ("move", 0.2, False)
    assert (item.label, item.label_effect) == ("channel=paid", 0.15)
    small = moved(["a"], 0.05) | {"metric_catalogue": catalogue(a={}), "metric_values": values()}
    assert feed(small, today=TODAY) == ()


def test_forty_moves_do_not_hide_a_bet_and_a_metric_is_told_of_once() -> None:
    names = [f"m{n}" for n in range(40)]
    tables = moved(names) | {
        "metric_catalogue": catalogue(**{**{name: {} for name in names}, "m39": {"limit_value": 0.9}}),
        "metric_values": values(m39=(0.5, 0.4, 0.6)),
        "bets": pl.DataFrame([bet("b", "untested", effect=None, effect_low=None, effect_high=None)],
                             schema_overrides={"effect": pl.Float64, "effect_low": pl.Float64,
                                               "effect_high": pl.Float64}),
    }  # fmt: skip
    items = feed(tables, today=TODAY)
    assert told(items)[:2] == [("limit", "", "m39"), ("bet", "untested", "b")]
    assert [item.kind for item in items].count("move") == 4
    assert [item.metric for item in items].count("m39") == 1
    assert len(feed(tables, today=TODAY, most=3)) == 3


def test_days_that_nobody_expected_are_news_for_a_week() -> None:
    days = [dt.date(2026, 3, 8), dt.date(2026, 3, 1), dt.date(2026, 3, 9)]
    anomalies = pl.DataFrame(
        {
            "metric": ["a", "b", "c"], "period": ["day"] * 3, "period_start": days, "value": [9.0, 9.0, 5.0],
            "expected": [5.0, 5.0, 5.0], "low": [4.0, 4.0, 4.0], "high": [6.0, 6.0, 6.0],
            "is_anomaly": [True, True, False],
        }
    )  # fmt: skip
    assert told(feed({"metric_anomalies": anomalies}, today=TODAY)) == [("anomaly", "", "a")]


def cells(*came: tuple[int, int | None]) -> pl.DataFrame:
    starts = [MONDAY + dt.timedelta(days=7 * n) for n in range(len(came))]
    return pl.DataFrame(
        {
            "retention": ["back"] * len(came), "period_unit": ["week"] * len(came), "cohort_start": starts,
            "cohort_people": [people for people, _ in came], "period": [1] * len(came),
            "people": [back for _, back in came], "complete": [True] * len(came),
        },
        schema_overrides={"people": pl.Int64},
    )  # fmt: skip


def test_the_latest_cohort_is_compared_with_all_before_it() -> None:
    (shift,) = shifts(cells((100, 40), (100, 44), (100, 20)))
    assert (shift.rate, shift.before) == (0.2, 0.42)
    assert str(shift.cohort_start) == "2026-03-16"
    expected = confint_proportions_2indep(20, 100, 84, 200, method="newcomb")
    assert (shift.low, shift.high) == pytest.approx(expected, abs=1e-9)
    (item,) = feed({"retention_cells": cells((100, 40), (100, 44), (100, 20))}, today=TODAY)
    assert (item.kind, item.good, item.label) == ("retention", False, "week=1")


def test_a_hidden_or_single_cohort_tells_nothing() -> None:
    assert shifts(cells((100, 40))) == ()
    assert shifts(cells((100, 40), (100, None))) == ()
    assert shifts(cells((100, 40), (0, 0))) == ()


def test_cohorts_that_are_alike_are_seldom_told_apart() -> None:
    rng = np.random.default_rng(11)
    found = sum(
        bool(shifts(cells(*((200, int(came)) for came in rng.binomial(200, 0.3, size=5)))))
        for _ in range(400)
    )
    # 5 % and three standard errors
    assert found / 400 <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
