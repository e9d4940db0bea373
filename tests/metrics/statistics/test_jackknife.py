"""The delete-a-group jackknife, against a loop over people, the delta method, and by its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from headway.arithmetic import evaluate, parse_arithmetic
from headway.errors import InputError
from headway.statistics.estimates import Kind, SufficientStatistics, estimate
from headway.statistics.intervals import Floats, Interval
from headway.statistics.jackknife import GROUPS, delete_a_group, leave_one_out
from headway.statistics.ratios import ratio_delta

DRAWS = 3_000


def grouped(member: NDArray[np.int64], *columns: ArrayLike) -> list[Floats]:
    """Sums by group."""
    weights = [np.asarray(column, dtype=np.float64) for column in columns]
    return [np.bincount(member, each, GROUPS).astype(np.float64) for each in weights]


def test_it_equals_a_loop_that_leaves_people_out() -> None:
    """Revenue per visitor times the share who are happy: three estimates, two of them of other people."""
    rng = np.random.default_rng(1)
    member = rng.integers(0, GROUPS, 300)
    visits, paid, asked = rng.random(300) < 0.8, rng.random(300) < 0.4, rng.random(300) < 0.5
    amount, happy = rng.gamma(2, 10, 300) * paid, (rng.random(300) < 0.6) & asked

    def value(kept: NDArray[np.bool_], scale: float) -> float:
        revenue, visitors = (amount * kept).sum() * scale, (visits & kept).sum() * scale
        return float(revenue / visitors * (happy & kept).sum() / (asked & kept).sum())

    full = value(np.full(300, True), 1.0)
    each = [value(member != group, GROUPS / (GROUPS - 1)) for group in range(GROUPS)]
    half = stats.t.ppf(0.975, GROUPS - 1) * np.sqrt(
        (GROUPS - 1) / GROUPS * sum((one - full) ** 2 for one in each)
    )
    n_paid, revenue, n_visits = grouped(member, paid, amount, visits)
    n_asked, n_happy = grouped(member, asked, happy)
    without = evaluate(
        parse_arithmetic("revenue / visitors * happy", ["revenue", "visitors", "happy"]),
        {
            "revenue": leave_one_out("total", n_paid, revenue, n_paid),
            "visitors": leave_one_out("count", n_visits, n_visits, n_visits),
            "happy": leave_one_out("proportion", n_asked, n_happy, n_asked),
        },
    )
    low, high = delete_a_group(full, without, GROUPS)
    assert (float(low), float(high)) == pytest.approx((full - half, full + half))


@pytest.mark.parametrize("kind", ["count", "total", "proportion", "mean", "promoter_score", "ratio"])
def test_an_estimate_without_a_group_is_that_of_the_other_people(kind: Kind) -> None:
    rng = np.random.default_rng(2)
    n, y, x = rng.integers(5, 9, 4), rng.integers(0, 5, 4), rng.integers(5, 9, 4)
    for group, found in enumerate(leave_one_out(kind, n, y, x)):
        rest = np.arange(4) != group
        sums = [float(each[rest].sum()) for each in (n, y, y, x, x, y)]
        expected = estimate(kind, SufficientStatistics.of(*sums)).value[0]
        assert found == pytest.approx(expected * (4 / 3 if kind in ("count", "total") else 1))


def test_it_comes_to_the_delta_method_with_groups_as_clusters() -> None:
    rng = np.random.default_rng(3)
    x = rng.poisson(60, GROUPS).astype(float)
    y = x * rng.normal(20, 1, GROUPS)
    low, high = delete_a_group(y.sum() / x.sum(), leave_one_out("ratio", x, y, x), GROUPS)
    expected = ratio_delta(GROUPS, y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())
    assert float(low) == pytest.approx(float(expected.low), rel=0.002)
    assert float(high - low) == pytest.approx(float(expected.high - expected.low), rel=0.02)


def test_with_everybody_a_group_of_their_own_a_mean_has_students_interval() -> None:
    y = np.random.default_rng(4).normal(10, 3, GROUPS)
    expected = stats.ttest_1samp(y, 0).confidence_interval(0.95)
    found = delete_a_group(y.mean(), leave_one_out("mean", np.ones(GROUPS), y, np.ones(GROUPS)), GROUPS)
    assert (float(found.low), float(found.high)) == pytest.approx((expected.low, expected.high))


def test_no_interval_where_undefined() -> None:
    # One group only; no value without the second group; no group makes a difference.
    without = [[1.0, 2.0], [1.0, np.nan], [3.0, 3.0]]
    low, high = delete_a_group([1.5, 1.5, 3.0], without, [1, 2, 2])
    assert np.isnan(low).all() and np.isnan(high).all()
    with pytest.raises(InputError, match="two groups or more"):
        leave_one_out("mean", [1], [1], [1])
    with pytest.raises(InputError, match="unknown kind of estimate 'median'"):
        leave_one_out("median", [1, 1], [1, 1], [1, 1])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="between 0 and 1"):
        delete_a_group(1, [1, 1], 2, confidence=95)


def coverage(interval: Interval, truth: float) -> float:
    return float(np.mean((interval.low <= truth) & (truth <= interval.high)))


@pytest.mark.parametrize("people", [120, 400, 5_000])
def test_coverage_of_revenue_per_new_person(people: int) -> None:
    """People come by chance; three in ten pay. Both numbers grow with those who come."""
    rng = np.random.default_rng(5)
    n = rng.poisson(people / GROUPS, (DRAWS, GROUPS))
    payers = rng.binomial(n, 0.3)
    y = np.where(payers > 0, rng.gamma(2.0 * np.maximum(payers, 1), 10.0), 0.0)
    without = leave_one_out("total", payers, y, payers) / leave_one_out("count", n, n, n)
    found = delete_a_group(y.sum(1) / n.sum(1), without, (n > 0).sum(1))
    assert 0.93 <= coverage(found, 0.3 * 20.0) <= 0.97


@pytest.mark.parametrize("people", [300, 3_000])
def test_coverage_of_a_difference_of_shares_of_the_same_people(people: int) -> None:
    rng = np.random.default_rng(6)
    n = rng.poisson(people / GROUPS, (DRAWS, GROUPS))
    both = rng.binomial(n, 0.2)
    first = both + rng.binomial(n - both, 0.375)
    without = leave_one_out("proportion", n, first, n) - leave_one_out("proportion", n, both, n)
    found = delete_a_group((first - both).sum(1) / n.sum(1), without, (n > 0).sum(1))
    assert 0.93 <= coverage(found, 0.8 * 0.375) <= 0.97


def test_coverage_of_a_product_of_a_count_and_a_mean_of_others() -> None:
    rng = np.random.default_rng(7)
    n, m = rng.poisson(400 / GROUPS, (2, DRAWS, GROUPS))
    y = np.where(m > 0, rng.gamma(np.maximum(3.0 * m, 1), 5.0), 0.0)
    without = leave_one_out("count", n, n, n) * leave_one_out("mean", m, y, m)
    found = delete_a_group(n.sum(1) * y.sum(1) / m.sum(1), without, ((n + m) > 0).sum(1))
    assert 0.93 <= coverage(found, 400 * 15.0) <= 0.97
