"""From sufficient statistics to a value with its interval: the one place where a metric becomes a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headway.errors import InputError
from headway.statistics.intervals import Floats, Interval, mean_t, nps, poisson_exact, wilson

Kind = Literal["count", "proportion", "mean", "promoter_score"]

NOBODY = "no people in the denominator"

_RELATIVE_ROUNDING = 1e-12


@dataclass(frozen=True)
class SufficientStatistics:
    """What a query must return about each cell; cells over disjoint people add up.

    A person contributes one x: 1 for a count, 0 or 1 for a proportion, an amount for a mean, and -1, 0 or 1
    (detractor, passive, promoter) for a promoter score.

    Attributes:
        n: Number of people, one number per cell.
        total: Sum of x over them.
        total_of_squares: Sum of x squared over them.
    """

    n: Floats
    total: Floats
    total_of_squares: Floats

    @classmethod
    def of(cls, n: ArrayLike, total: ArrayLike, total_of_squares: ArrayLike) -> SufficientStatistics:
        """Builds the statistics of one or many cells.

        Args:
            n: Number of people.
            total: Sum of x.
            total_of_squares: Sum of x squared.

        Returns:
            The statistics as one-dimensional float arrays of one length.

        Raises:
            InputError: A number of people is negative.
        """
        arrays = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in (n, total, total_of_squares))
        )
        if not np.all(arrays[0] >= 0):
            raise InputError("the number of people must be 0 or more")
        return cls(*arrays)


@dataclass(frozen=True)
class Estimate:
    """Values with their 95 % intervals, one per cell; NaN where there is none.

    Attributes:
        value: Point estimates: people, fractions, the unit of the mean, or points.
        low: Lower ends of the intervals.
        high: Upper ends.
        method: Name of the interval's method, None where there is no interval.
        reason: Why there is no value, None where there is one.
    """

    value: Floats
    low: Floats
    high: Floats
    method: NDArray[np.object_]
    reason: NDArray[np.object_]


def estimate(kind: Kind, statistics: SufficientStatistics) -> Estimate:
    """Turns sufficient statistics into values and 95 % intervals.

    ``count``: n with Garwood's exact Poisson interval. ``proportion``: total / n with Wilson's interval.
    ``mean``: total / n with Student's t interval; none for a single person or where all have the same amount.
    ``promoter_score``: 100 total / n with the adjusted Wald interval of Agresti and Min.

    Args:
        kind: What the metric is.
        statistics: One set of statistics per cell.

    Returns:
        The estimates; a cell without people has no value and says why, except a count, which is 0.

    Raises:
        InputError: The kind does not exist or the statistics contradict it.

    Examples:
        >>> cells = SufficientStatistics.of(n=[10, 0], total=[4, 0], total_of_squares=[4, 0])
        >>> result = estimate("proportion", cells)
        >>> result.value.tolist(), result.method.tolist(), result.reason.tolist()
        ([0.4, nan], ['wilson', None], [None, 'no people in the denominator'])
    """
    n = np.where(statistics.n > 0, statistics.n, np.nan)
    if kind == "count":
        value, interval, method = statistics.n, poisson_exact(statistics.n), "poisson exact"
    elif kind == "proportion":
        value, interval, method = statistics.total / n, wilson(statistics.total, statistics.n), "wilson"
    elif kind == "mean":
        value, interval, method = statistics.total / n, _mean(statistics), "student t"
    elif kind == "promoter_score":
        value, interval, method = 100 * statistics.total / n, _score(statistics), "adjusted wald"
    else:
        raise InputError.unknown(
            "kind of estimate", str(kind), ("count", "proportion", "mean", "promoter_score")
        )
    return Estimate(
        value,
        interval.low,
        interval.high,
        _where(~np.isnan(interval.low), method),
        _where(np.isnan(value), NOBODY),
    )


def _where(mask: NDArray[np.bool_], text: str) -> NDArray[np.object_]:
    """Returns the text where the mask holds, else None."""
    result = np.full(mask.shape, None, dtype=np.object_)
    result[mask] = text
    return result


def _mean(statistics: SufficientStatistics) -> Interval:
    """Withholds the interval where all amounts are equal: its zero width would claim certainty."""
    n, s1, s2 = statistics.n, statistics.total, statistics.total_of_squares
    equal = n * s2 - s1**2 <= _RELATIVE_ROUNDING * n * s2
    return mean_t(np.where(equal, 0, n), s1, s2)


def _score(statistics: SufficientStatistics) -> Interval:
    promoters = (statistics.total_of_squares + statistics.total) / 2
    detractors = (statistics.total_of_squares - statistics.total) / 2
    return nps(promoters, statistics.n - promoters - detractors, detractors)
