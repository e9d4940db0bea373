"""Planning from a log: by hand, and by trying out what was promised."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.power import NormalIndPower

import headway as hw
from headway.errors import InputError
from headway.experiments.planning import History, aa_test, plan_experiment

START = datetime(2026, 3, 1)


def shop(units: int = 400, seed: int = 1) -> hw.EventLog:
    """Visits spread over 20 days, a third of which buy once; who bought before buys again more often."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, datetime, float | None]] = []
    for unit in range(units):
        at = START + timedelta(days=20 * unit / units)
        rows.append((f"u{unit}", "Visit", at, None))
        taste = rng.random() < 0.5
        if taste:
            rows.append((f"u{unit}", "Order", at - timedelta(days=2), 10.0))
        if rng.random() < (0.55 if taste else 0.15):
            rows.append((f"u{unit}", "Order", at + timedelta(days=1), float(rng.gamma(2, 10))))
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at", "amount"], orient="row")
    return hw.EventLog(frame, horizon=START + timedelta(days=40))


HISTORY = History(
    "Visit", [hw.Outcome("buys", "Order"), hw.Outcome("revenue", "Order", "sum:amount")], window="7d"
)


def test_a_plan_by_hand() -> None:
    with shop() as log:
        row = plan_experiment(log, HISTORY, effect=0.1, days=10).row(0, named=True)
    assert row["units"] == 400 and row["units_per_day"] == pytest.approx(20, rel=0.01)
    assert row["zeros"] == pytest.approx(1 - row["mean"])
    assert row["deviation"] ** 2 == pytest.approx(row["mean"] * (1 - row["mean"]) * 400 / 399)
    left = row["deviation"] * np.sqrt(1 - row["reduction"])
    per_arm = NormalIndPower().solve_power(0.1 * row["mean"] / left, power=0.8, alpha=0.05)
    assert row["units_needed"] == pytest.approx(2 * per_arm, abs=2)
    assert row["days_needed"] == np.ceil(row["units_needed"] / row["units_per_day"]) + 7
    assert 0.05 < row["reduction"] < 0.4


def test_the_smallest_effect_after_as_many_days_as_needed_is_the_effect() -> None:
    with shop() as log:
        first = plan_experiment(log, HISTORY, effect=0.2)
        days = [int(row["units_needed"] / row["units_per_day"]) for row in first.to_dicts()]
        for place, wanted in enumerate(days):
            again = plan_experiment(log, HISTORY, effect=0.2, days=wanted).row(place, named=True)
            assert again["smallest_effect"] == pytest.approx(0.2, rel=0.02)


def test_units_split_at_random_differ_as_seldom_as_promised() -> None:
    with shop() as log:
        found = aa_test(log, HISTORY, draws=2_000)
        again = aa_test(log, HISTORY, draws=2_000)
    assert [each.metric for each in found] == ["buys", "revenue"]
    for each in found:
        assert each.holds and 0.03 < each.error < 0.07 and each.units == 400
        assert "as promised" in each.describe()
    assert found == again


def test_a_single_large_order_breaks_no_promise_that_a_cap_keeps() -> None:
    """One order as large as all others: the test claims less than promised; cut, it is right again."""
    with shop(200) as log:
        frame = log.sql(f"SELECT * FROM {log.relation}").with_columns(
            amount=pl.when(pl.int_range(pl.len()) == pl.col("amount").arg_max()).then(1e6).otherwise("amount")
        )
    with hw.EventLog(frame.drop("line", strict=False), horizon=START + timedelta(days=40)) as log:
        outcome = hw.Outcome("revenue", "Order", "sum:amount")
        bare, cut = (
            aa_test(log, History("Visit", [outcome], cap=cap, before=None))[0] for cap in (None, 0.95)
        )
    assert bare.error < 0.01 < cut.error < 0.07


def test_what_cannot_be_planned_says_why() -> None:
    with shop(30) as log:
        never = History("Visit", [hw.Outcome("later", "Order", after="1d", within="60d")])
        assert (
            plan_experiment(log, never).row(0, named=True)["reason"]
            == "no two units have their window behind them"
        )
        assert aa_test(log, never) == []
        with pytest.raises(InputError, match="effect is a relative effect"):
            plan_experiment(log, HISTORY, effect=0)
    with pytest.raises(InputError, match="only shares, means and ratios"):
        History("Visit", [hw.Outcome("t", "Order", "time")])
