"""Relative effects with the error of their base, and guardrails of rare events: simulated."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from headway.strategy import FrozenBet, MeasuredEffect, settle
from headway.strategy.relative import mean_with_error, relative_effect, wider

DRAWS = 20_000 if os.environ.get("HEADWAY_FULL") else 2_000
DAYS = 28


@pytest.mark.parametrize("truth", [-0.3, 0.0, 0.2, 1.0])
def test_a_relative_effect_holds_the_truth_as_often_as_promised(truth: float) -> None:
    """Daily values before and after; the effect is their difference, its interval Welch's."""
    rng = np.random.default_rng(20260401)
    base, noise = 10.0, 6.0
    before, after = (
        rng.normal(base, noise, (DRAWS, DAYS)),
        rng.normal(base * (1 + truth), noise, (DRAWS, DAYS)),
    )
    welch = stats.ttest_ind(after, before, axis=1, equal_var=False).confidence_interval()
    effects = np.column_stack([after.mean(1) - before.mean(1), welch.low, welch.high]).tolist()
    held = without = 0
    for days, (value, worst, best) in zip(before.tolist(), effects, strict=True):
        known = mean_with_error(days)
        assert known is not None
        _, low, high = relative_effect((value, worst, best), *known)
        assert low is not None and high is not None
        held += low <= truth <= high
        without += worst / known[0] <= truth <= best / known[0]
    three_errors = 3 * (0.05 * 0.95 / DRAWS) ** 0.5
    assert held / DRAWS >= 0.95 - three_errors, held / DRAWS
    if truth == 1.0:
        # What the base's error is counted for: without it one in five is missed.
        assert without / DRAWS < 0.85


def test_an_effect_beside_something_else_is_held_too() -> None:
    """Where the base is not what was subtracted, the interval is on the safe side."""
    rng = np.random.default_rng(20260402)
    held = 0
    for _ in range(DRAWS):
        known = mean_with_error(rng.normal(10.0, 6.0, DAYS).tolist())
        assert known is not None
        value = float(rng.normal(5.0, 1.0))
        _, low, high = relative_effect((value, value - 1.96, value + 1.96), *known)
        assert low is not None and high is not None
        held += low <= 0.5 <= high
    assert held / DRAWS >= 0.95 - 3 * (0.05 * 0.95 / DRAWS) ** 0.5


def test_the_delta_method_is_that_of_other_software() -> None:
    """Of a ratio of two means, by the variance that is worked out from its parts."""
    rng = np.random.default_rng(3)
    before, after = rng.normal(10, 2, 400), rng.normal(13, 2, 400)
    known = mean_with_error(before.tolist())
    assert known is not None
    z = stats.norm.isf(0.025)
    half = z * np.hypot(before.std(ddof=1), after.std(ddof=1)) / 20
    value = float(after.mean() - before.mean())
    _, low, high = relative_effect((value, value - half, value + half), *known)
    ratio = after.mean() / before.mean()
    error = np.hypot(after.std(ddof=1), ratio * before.std(ddof=1)) / 20 / before.mean()
    assert low == pytest.approx(ratio - 1 - z * error, rel=2e-3)
    assert high == pytest.approx(ratio - 1 + z * error, rel=2e-3)


def test_a_base_that_cannot_be_divided_by_is_none() -> None:
    assert mean_with_error([3.0]) is None
    assert mean_with_error([0.0, 0.0]) is None
    assert relative_effect((None, None, None), 2.0, 1.0) == (None, None, None)
    assert relative_effect((1.0, None, None), 2.0, 1.0) == (0.5, None, None)


BET = FrozenBet(
    bet="a.m", option="a", initiative="", team=None, metric="m", segment=None, direction="up", definition_hash="d",
    scale="absolute", expect=0.1, low=0.05, high=0.2, confidence=0.8, probability=None, start=None,
    horizon=dt.date(2026, 1, 1), release=None, experiment="e", guardrails=("g0", "g1", "g2", "g3"),
)  # fmt: skip


def rare(x: int, y: int, n: int) -> MeasuredEffect:
    """An experiment's guardrail with few events: Newcombe's interval, the pooled test's p-value."""
    low, high = confint_proportions_2indep(x, n, y, n, method="newcomb")
    share = (x + y) / (2 * n)
    p_value = (
        1.0 if x == y else 2 * float(stats.norm.sf(abs(x - y) / n / np.sqrt(2 * share * (1 - share) / n)))
    )
    return MeasuredEffect(
        "g", (x - y) / n, float(low), float(high), grade="A", direction="down", p_value=p_value
    )


def test_guardrails_of_rare_events_do_harm_as_seldom_as_promised() -> None:
    """Four guardrails at 3 % of 400: their intervals are not symmetric, and nothing of it is stretched."""
    rng = np.random.default_rng(20260403)
    known: dict[tuple[int, int], MeasuredEffect] = {}
    hurt = 0
    for _ in range(DRAWS):
        drawn: Any = rng.binomial(400, 0.03, (4, 2))
        guardrails = {}
        for name, (x, y) in zip(BET.guardrails, drawn.tolist(), strict=True):
            if (x, y) not in known:
                known[x, y] = rare(x, y, 400)
            guardrails[name] = known[x, y]
        hurt += settle(BET, None, guardrails, today=BET.horizon).verdict == "harm"
    assert hurt / DRAWS <= 0.025 + 3 * (0.025 * 0.975 / DRAWS) ** 0.5, hurt / DRAWS
    assert hurt  # it does not keep the rate by never saying anything


def test_a_guardrail_that_really_got_worse_is_found() -> None:
    worse = rare(40, 12, 400)
    assert settle(BET, None, {"g0": worse, "g1": rare(12, 12, 400)}, today=BET.horizon).verdict == "harm"
    # Clear by itself, and not clear enough among four.
    just = MeasuredEffect("g", 0.02, 0.001, 0.039, grade="A", direction="down", p_value=0.04)
    assert settle(BET, None, {"g0": just}, today=BET.horizon).verdict == "harm"
    three = {f"g{n}": rare(12, 12, 400) for n in range(1, 4)}
    assert settle(BET, None, {"g0": just, **three}, today=BET.horizon).verdict == "untested"


def test_without_a_p_value_each_side_is_stretched_by_itself() -> None:
    assert wider(0.025, 1) == 1
    # 0.02 above, 0.005 below: what counts for more being worse is the lower side.
    skewed = MeasuredEffect("g", 0.01, 0.005, 0.03, grade="A", direction="down")
    three = {f"g{n}": MeasuredEffect("g", 0.0, -0.1, 0.1, grade="A", direction="down") for n in range(1, 4)}
    assert settle(BET, None, {"g0": skewed, **three}, today=BET.horizon).verdict == "harm"
