"""Quantiles against numpy and statsmodels, and by their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from headway.errors import InputError
from headway.statistics.quantiles import QuantileEstimate, clustered_quantile, survival_quantile, trimmed_mean
from headway.statistics.ratios import ratio_delta


def holds(found: QuantileEstimate, truth: float) -> bool:
    """An end that is not reached lies beyond everything."""
    return bool(found.low <= truth and not found.high < truth)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.9, 0.95])
def test_the_quantile_is_the_smallest_value_with_the_share_below_it(q: float) -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 10, 37):
        values = rng.integers(0, 20, n).astype(float)
        expected = np.quantile(values, q, method="inverted_cdf")
        assert clustered_quantile(values, np.arange(n), q).value == expected


@pytest.mark.parametrize("q", [0.25, 0.5, 0.9])
def test_survival_quantiles_equal_statsmodels(q: float) -> None:
    rng = np.random.default_rng(2)
    # Numbers that no share of people reaches exactly: there, software differs.
    for n in (7, 41, 203):
        ends, stop = rng.exponential(10, n).round(1), rng.exponential(25, n).round(1)
        time, censored = np.minimum(ends, stop), ends > stop
        # The longest is open: a curve that comes down to 0 has no variance there, and software differs.
        censored[np.argmax(time)] = True
        curve = SurvfuncRight(time, ~censored)
        found = survival_quantile(time, censored, q)
        expected = float(curve.quantile(q))
        assert found.value == expected or (np.isnan(found.value) and np.isnan(expected))
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = curve.quantile_ci(q, alpha=0.05, method="cloglog")
        assert found.low == pytest.approx(float(low))
        assert found.high == pytest.approx(float(high) if np.isfinite(high) else np.nan, nan_ok=True)


def test_open_durations_are_not_left_out() -> None:
    # Three were answered at once; five have been waiting for a day. Half of them are not answered.
    found = survival_quantile([1, 1, 1, 24, 24, 24, 24, 24], [False] * 3 + [True] * 5, 0.5)
    assert np.isnan(found.value)


def test_impossible_input_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        clustered_quantile([1], [1], 90)
    with pytest.raises(InputError, match="needs observations"):
        clustered_quantile([], [], 0.5)
    with pytest.raises(InputError, match="0 or more"):
        survival_quantile([-1], [False], 0.5)


@pytest.mark.parametrize(("people", "q"), [(60, 0.5), (200, 0.9)])
def test_coverage_where_people_have_several_observations_alike(people: int, q: float) -> None:
    rng = np.random.default_rng(3)
    # A person's own level decides most of what is observed: seven observations are worth little more than one.
    reference = np.exp(rng.normal(0, 1, 2_000_000) + rng.normal(0, 0.5, 2_000_000))
    truth = float(np.quantile(reference, q))
    hits = 0
    for _ in range(2_000):
        who = np.repeat(np.arange(people), 7)
        values = np.exp(rng.normal(0, 1, people)[who] + rng.normal(0, 0.5, who.size))
        hits += holds(clustered_quantile(values, who, q), truth)
    assert 0.93 <= hits / 2_000 <= 0.975


@pytest.mark.parametrize(("n", "q"), [(60, 0.5), (250, 0.8)])
def test_coverage_of_durations_some_of_which_are_open(n: int, q: float) -> None:
    rng = np.random.default_rng(4)
    truth = -10 * np.log(1 - q)
    hits = 0
    for _ in range(2_000):
        ends, stop = rng.exponential(10, n), rng.uniform(5, 60, n)
        hits += holds(survival_quantile(np.minimum(ends, stop), ends > stop, q), truth)
    assert 0.93 <= hits / 2_000 <= 0.97


def test_trimmed_means_equal_scipy() -> None:
    values = np.random.default_rng(5).lognormal(3, 1, 50)
    found = trimmed_mean(values)
    assert found.value == pytest.approx(stats.trim_mean(values, 0.1))
    low, high = stats.mstats.trimmed_mean_ci(values, limits=(0.1, 0.1), alpha=0.05)
    assert (found.low, found.high) == pytest.approx((float(low), float(high)))
    assert np.isnan(trimmed_mean([3.0]).low)


def test_coverage_of_trimmed_means() -> None:
    rng = np.random.default_rng(6)
    draws = rng.standard_t(3, (2_000, 60)) + 5
    hits = sum(holds(trimmed_mean(each), 5.0) for each in draws)
    assert 0.93 <= hits / 2_000 <= 0.97


def test_a_trimmed_mean_without_cuts_is_a_ratio_over_people() -> None:
    rng = np.random.default_rng(7)
    people = np.repeat(np.arange(30), rng.integers(1, 6, 30))
    values = rng.gamma(2, 3, people.size) + people % 5
    n, y = np.bincount(people), np.bincount(people, weights=values)
    expected = ratio_delta(30, y.sum(), (y * y).sum(), n.sum(), (n * n).sum(), (n * y).sum())
    found = trimmed_mean(values, 0, people=people)
    assert (found.low, found.high) == pytest.approx((float(expected.low), float(expected.high)))
    assert np.isnan(trimmed_mean([1, 2, 3], people=[1, 1, 1]).low)


def test_coverage_of_trimmed_means_of_people_with_several_observations() -> None:
    rng = np.random.default_rng(8)
    people = np.repeat(np.arange(80), 5)
    draws = rng.standard_t(4, (2_000, 80)).repeat(5, axis=1) + rng.standard_t(4, (2_000, 400)) + 9
    hits = sum(holds(trimmed_mean(each, people=people), 9.0) for each in draws)
    naive = sum(holds(trimmed_mean(each), 9.0) for each in draws[:500])
    assert 0.93 <= hits / 2_000 <= 0.97 and naive / 500 < 0.85
