"""Weighted means of people who answered, against other software and by their coverage."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from headway.errors import InputError
from headway.statistics.poststratified import poststratified

DRAWS = 3_000
SHARE, ANSWERING = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.6, 0.3, 0.2, 0.5])
SATISFIED = np.array([0.5, 0.7, 0.85, 0.6])


def test_by_hand() -> None:
    # 80 of 100 were asked in the first channel, of which 10 of 20 are satisfied; in the second 18 of 20.
    found = poststratified(asked=[80, 20, 7], n=[20, 20, 0], y=[10, 18, 0], yy=[10, 18, 0])
    assert float(found.value) == pytest.approx(0.8 * 0.5 + 0.2 * 0.9)
    within = [0.8**2 * (20 / 19 * 0.25) / 20, 0.2**2 * (20 / 19 * 0.09) / 20]
    between = (0.8 * (0.5 - 0.58) ** 2 + 0.2 * (0.9 - 0.58) ** 2) / 100
    variance = sum(within) + between
    freedom = variance**2 / (within[0] ** 2 / 19 + within[1] ** 2 / 19 + between**2 / 100)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    assert (float(found.low), float(found.high)) == pytest.approx((0.58 - half, 0.58 + half))


def test_with_known_weights_it_is_a_contrast_of_group_means() -> None:
    """Very many people asked: the weights are certain, and a regression with HC2 errors gives the same variance."""
    rng = np.random.default_rng(1)
    sizes, weight = np.array([15, 40, 22]), np.array([0.2, 0.3, 0.5])
    member = np.repeat(np.arange(3), sizes)
    answer = rng.normal(5 + member, 1 + member)
    fit = sm.OLS(answer, np.eye(3)[member]).fit(cov_type="HC2")
    contrast = fit.t_test(weight)
    y, yy = (np.bincount(member, answer**power) for power in (1, 2))
    found = poststratified(weight * 1e12, sizes, y, yy)
    assert float(found.value) == pytest.approx(float(contrast.effect[0]))
    squares = np.array([answer[member == group].var(ddof=1) for group in range(3)])
    parts = weight**2 * squares / sizes
    freedom = parts.sum() ** 2 / (parts**2 / (sizes - 1)).sum()
    half = stats.t.ppf(0.975, freedom) * float(contrast.sd[0, 0])
    assert float(found.high) - float(found.value) == pytest.approx(half)


def test_one_stratum_is_a_mean() -> None:
    answer = np.random.default_rng(2).normal(3, 1, 30)
    expected = stats.ttest_1samp(answer, 0).confidence_interval(0.95)
    found = poststratified([1e15], [30], [answer.sum()], [(answer**2).sum()])
    assert (float(found.low), float(found.high)) == pytest.approx((expected.low, expected.high))


def test_no_value_and_no_interval_where_undefined() -> None:
    # Nobody answered; nobody of those who answered was asked; all answers are equal; one answer in all.
    found = poststratified([[5, 5], [0, 9], [5, 5], [5, 5]], [[0, 0], [4, 0], [4, 4], [1, 0]],
                           [[0, 0], [2, 0], [4, 4], [1, 0]], [[0, 0], [2, 0], [4, 4], [1, 0]])  # fmt: skip
    assert np.isnan(found.value).tolist() == [True, True, False, False]
    assert np.isnan(found.low).all() and np.isnan(found.high).all()
    with pytest.raises(InputError, match="between 0 and 1"):
        poststratified([1], [1], [1], [1], confidence=95)


@pytest.mark.parametrize("people", [300, 2_000])
def test_coverage_of_a_share(people: int) -> None:
    rng = np.random.default_rng(3)
    asked = rng.poisson(people * SHARE, (DRAWS, 4))
    n = rng.binomial(asked, ANSWERING)
    y = rng.binomial(n, SATISFIED)
    value, low, high = poststratified(asked, n, y, y)
    truth = float(SHARE @ SATISFIED)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97
    # Those who answer are not like those who were asked: unweighted, the interval's middle misses by far.
    assert abs(float(np.mean(value)) - truth) < 0.002 < abs(float(np.mean(y.sum(1) / n.sum(1))) - truth)


def test_coverage_of_a_mean() -> None:
    rng = np.random.default_rng(4)
    asked = rng.poisson(400 * SHARE, (DRAWS, 4))
    n = rng.binomial(asked, ANSWERING)
    # Normal answers: sums and sums of squares by their own distributions.
    mean = rng.normal(5 * SATISFIED, 1 / np.sqrt(np.maximum(n, 1)))
    y, yy = n * mean, n * mean**2 + rng.chisquare(np.maximum(n - 1, 1)) * (n > 1)
    _, low, high = poststratified(asked, n, y, yy)
    truth = float(SHARE @ (5 * SATISFIED))
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


@pytest.mark.parametrize("people", [400, 2_000])
def test_coverage_of_a_promoter_score(people: int) -> None:
    rng = np.random.default_rng(5)
    asked = rng.poisson(people * SHARE, (DRAWS, 4))
    n = rng.binomial(asked, ANSWERING)
    promoters = rng.binomial(n, SATISFIED)
    detractors = rng.binomial(n - promoters, 0.6)
    _, low, high = poststratified(asked, n, promoters - detractors, promoters + detractors)
    truth = float(SHARE @ (SATISFIED - (1 - SATISFIED) * 0.6))
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97
