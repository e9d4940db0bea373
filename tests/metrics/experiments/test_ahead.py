"""What an experiment would need: as many units as other software says, and as often found as promised."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.power import NormalIndPower

import headway as hw
from headway.errors import InputError
from headway.experiments.ahead import ahead_of_experiment, ahead_of_metric, outlook
from headway.models.experiments import ExperimentDefinition
from headway.models.product import Product

START = datetime(2026, 3, 2)
SHOP = Product.model_validate(
    {
        "name": "Shop", "timezone": "UTC", "currency": "EUR", "activity": "Visit",
        "metrics": {
            "buying": {"framework": "aarrr", "stage": "activation", "title": "Visitors that buy", "unit": "percent",
                       "kind": "conversion", "start": "Visit", "reach": "Order", "within": "7d"},
            "speed": {"framework": "aarrr", "stage": "activation", "title": "Median amount", "kind": "quantile",
                      "unit": "EUR", "event": "Order", "value": "amount", "percentile": 50},
        },
    }
)  # fmt: skip


def shop(units: int = 600, share: float = 0.3) -> hw.EventLog:
    """Thirty visitors a day for twenty days; a share of them buys a day later."""
    rng = np.random.default_rng(3)
    rows: list[tuple[str, str, datetime, float | None]] = []
    for unit in range(units):
        at = START + timedelta(days=20 * unit / units)
        rows.append((f"u{unit}", "Visit", at, None))
        if rng.random() < share:
            rows.append((f"u{unit}", "Order", at + timedelta(days=1), float(rng.gamma(2, 10))))
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at", "amount"], orient="row")
    return hw.EventLog(frame, horizon=START + timedelta(days=40))


def defined(**changed: Any) -> ExperimentDefinition:
    told = {
        "title": "Cart", "hypothesis": "Shorter is better.", "exposure": {"event": "Exposed"}, "eligible": "Visit",
        "start": START.date(), "end": (START + timedelta(days=13)).date(), "window": "7d",
        "variants": {"old": 0.5, "new": 0.5}, "primary": ["buying"], **changed,
    }  # fmt: skip
    return ExperimentDefinition.model_validate(told)


def test_weeks_and_smallest_effects_are_those_of_statsmodels() -> None:
    with shop() as log:
        row = outlook(log, ahead_of_metric("buying", SHOP, effect=0.2), weeks=(2, 6)).row(0, named=True)
    assert row["units"] == 600 and row["units_per_day"] == pytest.approx(30, rel=0.01)
    assert row["variance"] == pytest.approx(row["mean"] * (1 - row["mean"]) * 600 / 599)
    solved = NormalIndPower()
    per_arm = solved.solve_power(0.2 * row["mean"] / row["variance"] ** 0.5, power=0.8, alpha=0.05)
    assert row["units_needed"] == pytest.approx(2 * per_arm, abs=2)
    assert row["weeks_needed"] == np.ceil((row["units_needed"] / row["units_per_day"] + 7) / 7)
    for weeks, smallest in zip((2, 6), row["smallest"], strict=True):
        size = solved.solve_power(nobs1=7 * weeks * row["units_per_day"] / 2, power=0.8, alpha=0.05)
        assert smallest == pytest.approx(size * row["variance"] ** 0.5 / row["mean"], rel=1e-4)


def test_what_is_planned_is_found_as_often_as_promised() -> None:
    with shop(2_000) as log:
        row = outlook(log, ahead_of_metric("buying", SHOP, effect=0.25)).row(0, named=True)
    rng, n = np.random.default_rng(4), row["units_needed"] // 2
    old, new = (rng.binomial(n, share * row["mean"], 4_000) / n for share in (1, 1.25))
    error = np.sqrt((old * (1 - old) + new * (1 - new)) / n)
    # The larger share varies more than the history, on which the plan rests.
    assert np.mean((new - old) / error > 1.96) == pytest.approx(0.8, abs=0.04)


def test_uneven_arms_and_several_variants_cost_more() -> None:
    three = {"old": 0.8, "one": 0.1, "two": 0.1}
    even, uneven = (
        ahead_of_experiment("cart", defined(variants=each), SHOP) for each in (defined().variants, three)
    )
    assert uneven.shares == (0.8, 0.1)
    assert even.alphas == {"buying": 0.05} and uneven.alphas == {"buying": 0.025}
    with shop() as log:
        first, second = (outlook(log, each).row(0, named=True) for each in (even, uneven))
    solved = NormalIndPower().solve_power(
        0.05 * first["mean"] / first["variance"] ** 0.5, power=0.8, alpha=0.025, ratio=1 / 8
    )
    assert second["units_needed"] == pytest.approx(solved * 9 / 8, rel=0.01)
    assert second["weeks_needed"] > first["weeks_needed"]


def test_a_guardrail_is_planned_for_its_margin() -> None:
    guard = {
        "outcome": {"name": "visits", "of": "Visit", "measure": "events", "within": "7d"},
        "margin": 0.25,
    }
    told = defined(
        primary=[{"outcome": {"name": "orders", "of": "Order", "measure": "events"}}], guardrails=[guard]
    )
    ahead = ahead_of_experiment("cart", told, SHOP)
    assert ahead.effects == {"orders": 0.05, "visits": 0.25} and ahead.roles["visits"] == "guardrail"
    worth = ahead_of_experiment("cart", defined(decision={"worthwhile": 0.1}), SHOP)
    assert worth.effects == {"buying": 0.1} and worth.rule.worthwhile == 0.1


def test_an_experiment_without_eligible_events_is_planned_by_those_that_expose() -> None:
    told = ahead_of_experiment("cart", defined(eligible=None), SHOP)
    with shop() as log, pytest.raises(InputError, match="unknown event 'Exposed'"):
        outlook(log, told)
    with shop() as log:
        asked = ahead_of_experiment("cart", defined(eligible=None), SHOP, after="Visit")
        assert outlook(log, asked)["units"].to_list() == [600]


def test_what_cannot_be_planned_is_said() -> None:
    with pytest.raises(InputError, match="cannot be planned by a variance"):
        ahead_of_metric("speed", SHOP)
    ahead = ahead_of_experiment("cart", defined(secondary=["speed"]), SHOP)
    assert [name for name, _ in ahead.left_out] == ["Median amount"]
    with shop(600, share=0.0) as log, pytest.raises(InputError, match="unknown event 'Order'"):
        outlook(log, ahead)
    with shop() as log, pytest.raises(InputError, match="weeks are whole numbers"):
        outlook(log, ahead_of_metric("buying", SHOP), weeks=())
