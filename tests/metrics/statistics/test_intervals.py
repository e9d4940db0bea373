"""Intervals against other software, against hand-computed values, and by their coverage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson
from statsmodels.stats.weightstats import DescrStatsW

from headway.errors import InputError
from headway.statistics import Interval, mean_t, nps, poisson_exact, wilson

DRAWS = 20_000


def coverage(interval: Interval, truth: float) -> float:
    return float(np.mean((interval.low <= truth) & (truth <= interval.high)))


# --- Other software ---


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_wilson_equals_scipy_and_statsmodels(confidence: float) -> None:
    cases = [(x, n) for n in (1, 2, 7, 30, 1000) for x in {0, 1, n // 3, n - 1, n}]
    low, high = wilson([x for x, _ in cases], [n for _, n in cases], confidence)
    for at, (x, n) in enumerate(cases):
        scipy = stats.binomtest(x, n).proportion_ci(confidence, method="wilson")
        assert (low[at], high[at]) == pytest.approx((scipy.low, scipy.high), abs=1e-12)
        other = proportion_confint(x, n, alpha=1 - confidence, method="wilson")
        assert (low[at], high[at]) == pytest.approx(other, abs=1e-12)


def test_wilson_equals_r() -> None:
    # R 4.3: round(prop.test(8, 10, correct = FALSE)$conf.int, 7)
    low, high = wilson(8, 10)
    assert (float(low), float(high)) == pytest.approx((0.4901625, 0.9433178), abs=5e-8)


def test_poisson_equals_statsmodels_and_r() -> None:
    counts = [0, 1, 2, 10, 137, 100_000]
    low, high = poisson_exact(counts)
    for at, count in enumerate(counts):
        if count:
            assert (low[at], high[at]) == pytest.approx(confint_poisson(count, 1, "exact-c"), rel=1e-9)
    # R 4.3: round(poisson.test(10)$conf.int, 6); poisson.test(0)$conf.int
    assert (low[3], high[3]) == pytest.approx((4.795389, 18.390356), abs=5e-7)
    assert (low[0], high[0]) == pytest.approx((0.0, 3.688879), abs=5e-7)


def test_mean_equals_scipy() -> None:
    rng = np.random.default_rng(1)
    for n in (2, 3, 50):
        sample = rng.gamma(2.0, 30.0, n)
        expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
        low, high = mean_t(n, sample.sum(), (sample**2).sum())
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize("answers", [(50, 30, 20), (5, 0, 0), (0, 4, 0), (1, 0, 2), (300, 10, 2)])
def test_nps_equals_a_weighted_mean(answers: tuple[int, int, int]) -> None:
    # The adjustment adds half a promoter, one passive and half a detractor; statsmodels then gives the variance
    # of a mean of +1, 0, -1 with these weights.
    weights = np.array(answers) + np.array([0.5, 1, 0.5])
    sample = DescrStatsW([1.0, 0.0, -1.0], weights=weights, ddof=0)
    half = stats.norm.ppf(0.975) * np.sqrt(sample.var / weights.sum())
    low, high = nps(*answers)
    assert float(low) == pytest.approx(100 * max(-1, sample.mean - half))
    assert float(high) == pytest.approx(100 * min(1, sample.mean + half))


# --- Edges: no estimate instead of a number that looks like one ---


def test_no_estimate_where_undefined() -> None:
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(nps(0, 0, 0)).all()
    low, high = mean_t([0, 1, 2], [0, 3, 4], [0, 9, 10])
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, True, False]


def test_ends_stay_in_range_and_hold_the_estimate() -> None:
    n = np.arange(1, 60)
    assert wilson(0, n).low.tolist() == [0.0] * len(n)
    assert wilson(n, n).high.tolist() == [1.0] * len(n)
    for interval, value in ((nps(n, 0, 0), 100), (nps(0, 0, n), -100), (nps(0, n, 0), 0), (nps(n, 1, n), 0)):
        assert np.all((interval.low <= value) & (value <= interval.high))
        assert np.all((interval.low >= -100) & (interval.high <= 100) & (interval.high > interval.low))


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson(3, 2),
        lambda: wilson(-1, 2),
        lambda: wilson(float("nan"), 2),
        lambda: poisson_exact(-1),
        lambda: mean_t(-1, 0, 0),
        lambda: nps(1, -1, 1),
        lambda: wilson(1, 2, confidence=95),
    ],
)
def test_impossible_counts_are_refused(call: Callable[[], Interval]) -> None:
    with pytest.raises(InputError):
        call()


def test_arrays_broadcast() -> None:
    both: ArrayLike = [[1, 2], [3, 4]]
    assert wilson(both, 10).low.shape == (2, 2)


# --- Coverage over 20,000 seeded draws of the sufficient statistics ---


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (30, 0.2), (100, 0.05), (200, 0.9), (5000, 0.02)])
def test_wilson_coverage(n: int, p: float) -> None:
    draws = np.random.default_rng(2).binomial(n, p, DRAWS)
    assert 0.93 <= coverage(wilson(draws, n), p) <= 0.97


@pytest.mark.parametrize("mean", [0.5, 3, 10])
def test_poisson_coverage_is_conservative(mean: float) -> None:
    draws = np.random.default_rng(3).poisson(mean, DRAWS)
    assert coverage(poisson_exact(draws), mean) >= 0.95


@pytest.mark.parametrize("mean", [60, 400, 20_000])
def test_poisson_coverage(mean: float) -> None:
    draws = np.random.default_rng(4).poisson(mean, DRAWS)
    assert 0.94 <= coverage(poisson_exact(draws), mean) <= 0.97


@pytest.mark.parametrize("n", [2, 5, 40, 1000])
def test_mean_coverage(n: int) -> None:
    rng = np.random.default_rng(5)
    mu, sigma = 12.0, 5.0
    mean = rng.normal(mu, sigma / np.sqrt(n), DRAWS)
    within = sigma**2 * rng.chisquare(n - 1, DRAWS)
    assert 0.93 <= coverage(mean_t(n, n * mean, within + n * mean**2), mu) <= 0.97


def test_mean_coverage_of_skewed_amounts() -> None:
    # Half of the people pay nothing and the rest a log-normal amount: approximate, a little short at n = 300.
    rng = np.random.default_rng(6)
    x = rng.lognormal(3.0, 0.8, (4000, 300)) * rng.integers(0, 2, (4000, 300))
    truth = 0.5 * np.exp(3.0 + 0.8**2 / 2)
    assert 0.93 <= coverage(mean_t(300, x.sum(axis=1), (x**2).sum(axis=1)), truth) <= 0.97


@pytest.mark.parametrize(
    ("n", "promoters", "detractors"),
    [(10, 0.5, 0.2), (20, 0.3, 0.3), (50, 0.7, 0.05), (200, 0.2, 0.6), (2000, 0.9, 0.05)],
)
def test_nps_coverage(n: int, promoters: float, detractors: float) -> None:
    shares = [promoters, 1 - promoters - detractors, detractors]
    draws = np.random.default_rng(7).multinomial(n, shares, DRAWS)
    truth = 100 * (promoters - detractors)
    assert 0.93 <= coverage(nps(*draws.T), truth) <= 0.97


def test_nps_coverage_is_conservative_when_nearly_everybody_agrees() -> None:
    draws = np.random.default_rng(8).multinomial(10, [0.95, 0.04, 0.01], DRAWS)
    assert coverage(nps(*draws.T), 94) >= 0.95
