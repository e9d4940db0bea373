"""Intervals of ratios and totals whose parts come from the same people."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from headway.errors import InputError
from headway.statistics.intervals import Floats, Interval

_RELATIVE_ROUNDING = 1e-12


def ratio_delta(
    n: ArrayLike,
    y: ArrayLike,
    yy: ArrayLike,
    x: ArrayLike,
    xx: ArrayLike,
    xy: ArrayLike,
    confidence: float = 0.95,
) -> Interval:
    """Interval of a ratio of two sums over people, by the delta method.

    A person may add any amount to either sum, so events of one person need not be independent: people are what is
    sampled. The variance of r = y / x is that of the residuals y - r x, n / (n - 1) times their sum of squares,
    divided by x squared; Student's quantile with n - 1 degrees of freedom makes up for few people.

    Args:
        n: Number of people; fewer than 2 give NaN.
        y: Sum of what they add to the numerator.
        yy: Sum of its squares.
        x: Sum of what they add to the denominator; 0 gives NaN.
        xx: Sum of its squares.
        xy: Sum of the products.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends in the unit of the ratio; NaN where all residuals are 0: a zero width would claim certainty.

    Raises:
        InputError: A count is negative or confidence is out of range.

    References:
        Cochran, W. G. (1977). Sampling Techniques, 3rd edition, equation (2.39) for the variance of a ratio; as
        the delta method for metrics of people with several events: Deng, A., Knoblich, U. and Lu, J. (2018).
        Applying the delta method in metric analytics. KDD 2018, section 3.

    Examples:
        >>> y, x = np.array([1, 0, 2, 1]), np.array([2, 1, 3, 4])
        >>> low, high = ratio_delta(4, y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())
        >>> round(float(low), 3), round(float(high), 3)
        (-0.003, 0.803)
    """
    arrays = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (n, y, yy, x, xx, xy)))
    people, y, yy, x, xx, xy = arrays
    if not np.all(people >= 0):
        raise InputError("n must be counts of 0 or more")
    people = np.where(people >= 2, people, np.nan)
    x = np.where(x != 0, x, np.nan)
    ratio = y / x
    squares = yy - 2 * ratio * xy + ratio**2 * xx
    scale = yy + ratio**2 * xx
    squares = np.where(squares > _RELATIVE_ROUNDING * scale, squares, np.nan)
    half = _t(confidence, people) * np.sqrt(people / (people - 1) * squares) / np.abs(x)
    return Interval(ratio - half, ratio + half)


def total_compound(n: ArrayLike, y: ArrayLike, yy: ArrayLike, confidence: float = 0.95) -> Interval:
    """Interval of a total over people whose number is left to chance as well.

    If people come as a Poisson process and each adds an independent amount, the total is compound Poisson; its
    variance is the expected sum of squares, which the sum of squares estimates.

    Args:
        n: Number of people; fewer than 2 give NaN.
        y: Sum of their amounts.
        yy: Sum of the squares.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends in the unit of the amounts.

    Raises:
        InputError: A count is negative or confidence is out of range.

    References:
        Ross, S. M. (2014). Introduction to Probability Models, 11th edition, section 5.4.2: Var = lambda t E[Y^2].

    Examples:
        >>> low, high = total_compound(3, 60, 1400)      # 10, 20, 30
        >>> round(float(low), 1), round(float(high), 1)
        (-13.3, 133.3)
    """
    people, total, squares = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (n, y, yy)))
    if not np.all(people >= 0):
        raise InputError("n must be counts of 0 or more")
    half = _z(confidence) * np.sqrt(np.where(people >= 2, squares, np.nan))
    return Interval(total - half, total + half)


def _t(confidence: float, people: Floats) -> Floats:
    return np.asarray(stats.t.isf((1 - _level(confidence)) / 2, people - 1), dtype=np.float64)


def _z(confidence: float) -> float:
    return float(stats.norm.isf((1 - _level(confidence)) / 2))


def _level(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, not {confidence}")
    return confidence
