"""Matched adopters: equal to a weighted regression, better than a naive comparison, and honest about it."""

from __future__ import annotations

import os

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from headway.statistics.intervals import Floats
from headway.statistics.matching import Strata, compare, imbalance

DRAWS = 20_000 if os.environ.get("HEADWAY_FULL") else 2_000
SLACK = 0.015


def _people(seed: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, 4, n)
    arm = (rng.random(n) < 0.2 + 0.15 * stratum).astype(np.int64)
    x = rng.integers(1, 5, n).astype(float)
    y = x * (1.0 + stratum) + 0.5 * arm + rng.standard_normal(n)
    return stratum, arm, np.column_stack([y, x])


def test_the_weighted_difference_is_that_of_a_regression() -> None:
    stratum, arm, rows = _people(1, 300)
    strata = Strata.of_units(stratum, arm, np.column_stack([rows[:, 0], np.ones(300)]))
    weight = strata.weights()[stratum, arm]
    fit = sm.WLS(rows[:, 0], np.column_stack([np.ones(300), arm]), weights=weight).fit()
    assert float(compare(strata, 0, 1).effect) == pytest.approx(fit.params[1], rel=1e-10)


def test_within_strata_the_error_is_neymans() -> None:
    stratum, arm, rows = _people(2, 200)
    strata = Strata.of_units(stratum, arm, np.column_stack([rows[:, 0], np.ones(200)]))
    chose = arm.sum()
    expected = 0.0
    for each in range(4):
        share = ((stratum == each) & (arm == 1)).sum() / chose
        for side in (0, 1):
            own = rows[(stratum == each) & (arm == side), 0]
            expected += share**2 * own.var(ddof=1) / len(own)
    assert float(compare(strata, 0, 1).error) == pytest.approx(np.sqrt(expected), rel=1e-9)


def test_people_without_anybody_alike_are_left_out_and_counted() -> None:
    stratum = np.array([0, 0, 0, 1, 1, 2])
    arm = np.array([0, 1, 1, 1, 1, 0])
    rows = np.column_stack([[1.0, 4, 2, 9, 9, 0], np.ones(6)])
    strata = Strata.of_units(stratum, arm, rows)
    found = compare(strata, 0, 1)
    assert float(found.effect) == 3.0 - 1.0
    assert float(strata.matched) == 0.5


@pytest.mark.parametrize("arm", [0, 1])
def test_with_an_empty_arm_there_is_no_number(arm: int) -> None:
    strata = Strata.of_units(np.array([0, 1]), np.full(2, arm), np.ones((2, 2)))
    found = compare(strata, 0, 1)
    assert np.isnan(found.effect)
    assert all(np.isnan(each) for each in imbalance(strata, 0))


def test_one_unit_with_an_extreme_value_widens_the_interval() -> None:
    stratum, arm, rows = _people(3, 400)
    before = compare(Strata.of_units(stratum, arm, rows), 0, 1)
    rows[np.flatnonzero(arm == 1)[0], 0] = 5_000
    after = compare(Strata.of_units(stratum, arm, rows), 0, 1)
    assert float(after.error) > 10 * float(before.error)
    low, high = after.interval()
    assert low < 0.2 < high


def _confounded(seed: int, effect: float, hidden: float) -> Strata:
    """Draws of worlds in which busy people choose more often and do more anyway, by strata; columns: before, after, 1.

    Sums over the people of a cell are drawn as such: normal sums have normal totals and chi-squared squares.
    """
    rng = np.random.default_rng(seed)
    size = np.array([300, 200, 120, 60])
    odds = np.array([0.08, 0.2, 0.4, 0.6])
    chose = rng.binomial(size, odds, (DRAWS, 4))
    units = np.stack([size - chose, chose], axis=-1).astype(float)
    level = np.array([1.0, 2.0, 4.0, 7.0])[:, None] + hidden * np.array([0.0, 1.0])
    means = np.stack([level + 0 * units, level + effect * np.array([0.0, 1.0]) + 0 * units], axis=-1)
    totals = means * units[..., None] + np.sqrt(units)[..., None] * rng.standard_normal((*units.shape, 2))
    squares = rng.chisquare(np.maximum(units - 1, 0.5)[..., None].repeat(2, axis=-1))
    safe = np.maximum(units, 1)[..., None]
    products = np.zeros((*units.shape, 3, 3))
    for column in (0, 1):
        products[..., column, column] = squares[..., column] + totals[..., column] ** 2 / safe[..., 0]
        products[..., column, 2] = products[..., 2, column] = totals[..., column]
    products[..., 2, 2] = units
    return Strata(units, np.concatenate([totals, units[..., None]], axis=-1), products)


def test_matched_adopters_tell_the_planted_effect_where_a_naive_comparison_does_not() -> None:
    strata = _confounded(31, effect=0.4, hidden=0.0)
    matched, naive = compare(strata, 1, 2), compare(strata, 1, 2, np.ones(strata.units.shape))
    low, high = matched.interval()
    assert np.mean((low <= 0.4) & (high >= 0.4)) == pytest.approx(0.95, abs=SLACK)
    assert float(matched.effect.mean()) == pytest.approx(0.4, abs=0.02)
    assert float(naive.effect.mean()) > 1.5
    before, after = imbalance(strata, 0)
    assert float(before.min()) > 0.25 and np.quantile(np.abs(after), 0.9) < 0.1


def test_what_the_strata_do_not_know_shows_in_the_time_before() -> None:
    calm, fooled = _confounded(32, effect=0.4, hidden=0.0), _confounded(33, effect=0.0, hidden=0.4)
    assert np.mean(compare(calm, 0, 2).p_value < 0.05) == pytest.approx(0.05, abs=SLACK)
    # Believed, a trait that was there before would pass for an effect.
    assert np.mean(compare(fooled, 1, 2).p_value < 0.05) > 0.9
    assert np.mean(compare(fooled, 0, 2).p_value < 0.05) > 0.9
