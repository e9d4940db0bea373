"""From sufficient statistics to a value with its interval: the one place where a metric becomes a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headway.errors import InputError
from headway.statistics.intervals import Floats, Interval, mean_t, nps, poisson_exact, wilson
from headway.statistics.ratios import ratio_delta, total_compound

Kind = Literal["count", "proportion", "mean", "promoter_score", "ratio", "total"]

NOBODY = "no people in the denominator"
NOTHING = "the denominator is 0"

_RELATIVE_ROUNDING = 1e-12


@dataclass(frozen=True)
class SufficientStatistics:
    """What a query must return about each cell; cells over disjoint people add up.

    A person contributes one y: 1 for a count, 0 or 1 for a proportion, an amount for a mean or total, and -1, 0 or 1
    (detractor, passive, promoter) for a promoter score. For a ratio a person also contributes an x to the
    denominator; for everything else x is 1.

    Attributes:
        n: Number of people, one number per cell.
        y: Sum of y over them.
        yy: Sum of y squared over them.
        x: Sum of x.
        xx: Sum of x squared.
        xy: Sum of x times y.
    """

    n: Floats
    y: Floats
    yy: Floats
    x: Floats
    xx: Floats
    xy: Floats

    @classmethod
    def of(
        cls,
        n: ArrayLike,
        y: ArrayLike,
        yy: ArrayLike,
        x: ArrayLike | None = None,
        xx: ArrayLike | None = None,
        xy: ArrayLike | None = None,
    ) -> SufficientStatistics:
        """Builds the statistics of one or many cells.

        Args:
            n: Number of people.
            y: Sum of y.
            yy: Sum of y squared.
            x: Sum of x; None where each person counts once.
            xx: Sum of x squared, with `x`.
            xy: Sum of x times y, with `x`.

        Returns:
            The statistics as one-dimensional float arrays of one length.

        Raises:
            InputError: A number of people is negative.
        """
        given = (n, y, yy, n if x is None else x, n if xx is None else xx, y if xy is None else xy)
        arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in given))
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

    ``count``: n with Garwood's exact Poisson interval. ``proportion``: y / n with Wilson's interval.
    ``mean``: y / n with Student's t interval; none for a single person or where all have the same amount.
    ``promoter_score``: 100 y / n with the adjusted Wald interval of Agresti and Min. ``ratio``: y / x with the delta
    method's interval, people being what is sampled. ``total``: y with the interval of a compound Poisson sum.

    Args:
        kind: What the metric is.
        statistics: One set of statistics per cell.

    Returns:
        The estimates; a cell without people has no value and says why, except a count or total, which is 0.

    Raises:
        InputError: The kind does not exist or the statistics contradict it.

    Examples:
        >>> cells = SufficientStatistics.of(n=[10, 0], y=[4, 0], yy=[4, 0])
        >>> result = estimate("proportion", cells)
        >>> result.value.tolist(), result.method.tolist(), result.reason.tolist()
        ([0.4, nan], ['wilson', None], [None, 'no people in the denominator'])
    """
    s = statistics
    n = np.where(s.n > 0, s.n, np.nan)
    reason = _where(s.n <= 0, NOBODY)
    if kind == "count":
        value, interval, method = s.n, poisson_exact(s.n), "poisson exact"
    elif kind == "total":
        value, interval, method = s.y, total_compound(s.n, s.y, s.yy), "compound poisson"
    elif kind == "proportion":
        value, interval, method = s.y / n, wilson(s.y, s.n), "wilson"
    elif kind == "mean":
        value, interval, method = s.y / n, _mean(s), "student t"
    elif kind == "promoter_score":
        value, interval, method = 100 * s.y / n, _score(s), "adjusted wald"
    elif kind == "ratio":
        value = s.y / np.where(s.x != 0, s.x, np.nan)
        interval, method = ratio_delta(s.n, s.y, s.yy, s.x, s.xx, s.xy), "delta method"
        reason[(s.n > 0) & (s.x == 0)] = NOTHING
    else:
        raise InputError.unknown("kind of estimate", str(kind), get_args(Kind))
    reason[~np.isnan(value)] = None
    return Estimate(
        value,
        interval.low,
        interval.high,
        _where(~np.isnan(interval.low), method),
        reason,
    )


def _where(mask: NDArray[np.bool_], text: str) -> NDArray[np.object_]:
    """Returns the text where the mask holds, else None."""
    result = np.full(mask.shape, None, dtype=np.object_)
    result[mask] = text
    return result


def _mean(statistics: SufficientStatistics) -> Interval:
    """Withholds the interval where all amounts are equal: its zero width would claim certainty."""
    n, s1, s2 = statistics.n, statistics.y, statistics.yy
    equal = n * s2 - s1**2 <= _RELATIVE_ROUNDING * n * s2
    return mean_t(np.where(equal, 0, n), s1, s2)


def _score(statistics: SufficientStatistics) -> Interval:
    promoters = (statistics.yy + statistics.y) / 2
    detractors = (statistics.yy - statistics.y) / 2
    return nps(promoters, statistics.n - promoters - detractors, detractors)
