"""Intervals of differences against other software, and by their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.rates import confint_poisson_2indep

from headway.statistics import Interval, mean_t, nps, poisson_exact, wilson
from headway.statistics.differences import mover
from headway.statistics.intervals import Floats

DRAWS = 4_000


def coverage(interval: Interval, truth: float) -> float:
    return float(np.mean((interval.low <= truth) & (truth <= interval.high)))


def difference(first: Floats, one: Interval, second: Floats, two: Interval) -> Interval:
    return mover(first, *one, second, *two)


@pytest.mark.parametrize(
    ("x", "n", "y", "m"), [(56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (0, 10, 0, 10)]
)
def test_of_wilson_it_is_newcombes_interval(x: int, n: int, y: int, m: int) -> None:
    # Newcombe (1998), table II, row (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339.
    low, high = mover(x / n, *wilson(x, n), y / m, *wilson(y, m))
    expected = confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff")
    assert (float(low), float(high)) == pytest.approx(expected, abs=1e-9)
    if (x, n) == (56, 70):
        assert (round(float(low), 4), round(float(high), 4)) == (0.0524, 0.3339)


def test_of_garwood_it_is_statsmodels_mover() -> None:
    low, high = mover(60, *poisson_exact(60), 41, *poisson_exact(41))
    expected = confint_poisson_2indep(60, 1, 41, 1, method="mover", compare="diff", method_mover="exact-c")
    assert (float(low), float(high)) == pytest.approx(expected)


def test_no_interval_without_both() -> None:
    low, high = mover([1.0, 1.0], [np.nan, 0.5], [np.nan, 1.5], [0.0, 0.0], [-1.0, np.nan], [1.0, np.nan])
    assert np.isnan(low).all() and np.isnan(high).all()


def test_an_estimate_outside_of_its_interval_has_no_room_there() -> None:
    low, high = mover(1.0, 0.2, 0.9, 0.0, 0.0, 0.0)
    assert (float(low), float(high)) == pytest.approx((0.2, 1.0))


@pytest.mark.parametrize(("p", "q"), [(0.4, 0.45), (0.05, 0.08), (0.9, 0.7)])
def test_coverage_of_shares(p: float, q: float) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.binomial(200, p, DRAWS), rng.binomial(260, q, DRAWS)
    assert 0.93 <= coverage(difference(x / 200, wilson(x, 200), y / 260, wilson(y, 260)), p - q) <= 0.97


def test_coverage_of_means_and_scores() -> None:
    rng = np.random.default_rng(2)
    one, two = rng.gamma(4.0, 10.0, (DRAWS, 80)), rng.gamma(4.0, 12.0, (DRAWS, 60))
    sums = [(a.shape[1], a.sum(1), (a * a).sum(1)) for a in (one, two)]
    found = difference(one.mean(1), mean_t(*sums[0]), two.mean(1), mean_t(*sums[1]))
    assert 0.93 <= coverage(found, 40.0 - 48.0) <= 0.97
    answers = [rng.multinomial(150, p, DRAWS).T for p in ((0.5, 0.3, 0.2), (0.4, 0.3, 0.3))]
    scores = [100 * (up - down) / 150 for up, _, down in answers]
    found = difference(scores[0], nps(*answers[0]), scores[1], nps(*answers[1]))
    assert 0.93 <= coverage(found, 30.0 - 10.0) <= 0.97


def test_coverage_of_counts_is_at_least_nominal() -> None:
    """Garwood's intervals are conservative, and so is their difference."""
    rng = np.random.default_rng(3)
    x, y = rng.poisson(90, DRAWS), rng.poisson(120, DRAWS)
    found = difference(x.astype(float), poisson_exact(x), y.astype(float), poisson_exact(y))
    assert 0.945 <= coverage(found, -30.0) <= 0.98


def test_people_in_both_periods_make_it_conservative() -> None:
    """Half of the people of either period are the same, and do the same in both."""
    rng = np.random.default_rng(4)
    both = rng.binomial(100, 0.4, DRAWS)
    x, y = both + rng.binomial(100, 0.4, DRAWS), both + rng.binomial(100, 0.4, DRAWS)
    assert coverage(difference(x / 200, wilson(x, 200), y / 200, wilson(y, 200)), 0.0) > 0.98
