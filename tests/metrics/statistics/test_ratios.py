"""Ratios and totals over people, against other software and by their coverage."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from headway.errors import InputError
from headway.statistics.intervals import Floats, Interval
from headway.statistics.ratios import ratio_delta, total_compound

DRAWS = 4_000


def coverage(interval: Interval, truth: float) -> float:
    return float(np.mean((interval.low <= truth) & (truth <= interval.high)))


def of(y: Floats, x: Floats) -> Interval:
    """The interval of each row: people in columns."""
    return ratio_delta(y.shape[-1], y.sum(-1), (y * y).sum(-1), x.sum(-1), (x * x).sum(-1), (x * y).sum(-1))


def test_a_ratio_equals_a_regression_with_people_as_clusters() -> None:
    """The mean of a person's events, weighted by their number, with cluster-robust errors, is the same question."""
    rng = np.random.default_rng(1)
    n = 40
    events = rng.integers(1, 9, n)
    good = rng.binomial(events, rng.beta(2, 3, n))
    outcome = np.concatenate([np.r_[np.ones(g), np.zeros(e - g)] for g, e in zip(good, events, strict=True)])
    person = np.repeat(np.arange(n), events)
    fit = sm.OLS(outcome, np.ones(len(outcome))).fit(
        cov_type="cluster", cov_kwds={"groups": person, "use_correction": False}
    )
    low, high = of(good.astype(float), events.astype(float))
    half = stats.t.ppf(0.975, n - 1) * float(fit.bse[0]) * np.sqrt(n / (n - 1))
    assert float(low) == pytest.approx(float(fit.params[0]) - half)
    assert float(high) == pytest.approx(float(fit.params[0]) + half)


def test_a_ratio_with_one_event_a_person_is_a_mean() -> None:
    y = np.random.default_rng(2).gamma(2.0, 30.0, 25)
    expected = stats.ttest_1samp(y, 0).confidence_interval(0.95)
    low, high = of(y, np.ones(25))
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high))


def test_no_interval_where_undefined() -> None:
    # No denominator; one person; everybody has the same ratio.
    low, high = ratio_delta([3, 1, 2], [1, 1, 6], [1, 1, 20], [0, 2, 3], [0, 4, 5], [0, 2, 10])
    assert np.isnan(low).all() and np.isnan(high).all()
    assert np.isnan(total_compound([0, 1], [0, 5], [0, 25])).all()


def test_impossible_statistics_are_refused() -> None:
    with pytest.raises(InputError, match="0 or more"):
        ratio_delta(-1, 0, 0, 1, 1, 0)
    with pytest.raises(InputError, match="between 0 and 1"):
        total_compound(3, 1, 1, confidence=95)


@pytest.mark.parametrize(("people", "spread"), [(40, 4.0), (200, 1.0), (500, 0.5)])
def test_ratio_coverage_where_people_differ(people: int, spread: float) -> None:
    rng = np.random.default_rng(3)
    x = 1 + rng.negative_binomial(2, 0.3, (DRAWS, people))
    y = rng.binomial(x, rng.beta(3 * spread, 7 * spread, (DRAWS, people)))
    assert 0.93 <= coverage(of(y.astype(float), x.astype(float)), 0.3) <= 0.97


def test_ratio_coverage_of_amounts_and_events() -> None:
    rng = np.random.default_rng(4)
    x = rng.poisson(3, (DRAWS, 300))
    y = x * rng.gamma(2.0, 10.0, (DRAWS, 300))
    assert 0.93 <= coverage(of(y, x.astype(float)), 20.0) <= 0.97


@pytest.mark.parametrize("people", [60, 400])
def test_total_coverage(people: int) -> None:
    rng = np.random.default_rng(5)
    found = []
    for n in rng.poisson(people, DRAWS):
        amounts = rng.gamma(2.0, 10.0, n)
        found.append((n, amounts.sum(), (amounts**2).sum()))
    assert 0.93 <= coverage(total_compound(*np.array(found).T), 20.0 * people) <= 0.97
