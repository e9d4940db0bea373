"""From sufficient statistics to estimates, on cells counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from headway.errors import InputError
from headway.statistics import SufficientStatistics, estimate, mean_t, nps, poisson_exact, wilson
from headway.statistics.estimates import NOBODY, Kind


def test_proportion() -> None:
    result = estimate("proportion", SufficientStatistics.of([10, 0], [4, 0], [4, 0]))
    assert result.value[0] == 0.4
    assert (result.low[0], result.high[0]) == wilson(4, 10)
    assert result.method.tolist() == ["wilson", None]
    assert result.reason.tolist() == [None, NOBODY]


def test_a_count_of_nobody_is_zero() -> None:
    result = estimate("count", SufficientStatistics.of([0, 7], [0, 7], [0, 7]))
    assert result.value.tolist() == [0, 7]
    assert result.low.tolist() == poisson_exact([0, 7]).low.tolist()
    assert result.method.tolist() == ["poisson exact"] * 2
    assert result.reason.tolist() == [None, None]


def test_mean_has_no_interval_without_spread() -> None:
    # 1, 2, 3; then one person; two people with 0.1 each; nobody.
    result = estimate("mean", SufficientStatistics.of([3, 1, 2, 0], [6, 5, 0.2, 0], [14, 25, 0.02, 0]))
    assert result.value[:3].tolist() == [2, 5, 0.1]
    assert (result.low[0], result.high[0]) == mean_t(3, 6, 14)
    assert np.isnan(result.low).tolist() == [False, True, True, True]
    assert result.method.tolist() == ["student t", None, None, None]
    assert result.reason.tolist() == [None, None, None, NOBODY]


def test_promoter_score_from_sums() -> None:
    # 5 promoters, 3 passives, 2 detractors: sum of x is 3, sum of squares 7.
    result = estimate("promoter_score", SufficientStatistics.of(10, 3, 7))
    assert result.value.tolist() == [30]
    assert (result.low[0], result.high[0]) == nps(5, 3, 2)


@pytest.mark.parametrize("kind", ["proportion", "mean", "promoter_score"])
def test_nobody_is_never_zero_or_infinite(kind: Kind) -> None:
    result = estimate(kind, SufficientStatistics.of(0, 0, 0))
    assert np.isnan([result.value, result.low, result.high]).all()
    assert result.reason.tolist() == [NOBODY]


def test_statistics_add_up_over_disjoint_people() -> None:
    left, right, both = (np.array([2, 3.5, 6.25]), np.array([4, 1.0, 2.0]), np.array([6, 4.5, 8.25]))
    assert (
        estimate("mean", SufficientStatistics.of(*(left + right))).low
        == estimate("mean", SufficientStatistics.of(*both)).low
    )


def test_impossible_statistics_are_refused() -> None:
    with pytest.raises(InputError, match="0 or more"):
        SufficientStatistics.of(-1, 0, 0)
    with pytest.raises(InputError, match="unknown kind of estimate 'median'"):
        estimate("median", SufficientStatistics.of(1, 1, 1))  # type: ignore[arg-type]
