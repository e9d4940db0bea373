"""What a value should have been, by its weekday and the trend: a regression that outliers cannot bend."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from headway.statistics.intervals import Floats, Interval

CONFIDENCE: Final = 0.998
"""Coverage of the expected range: of plain noise, one value in 500 lies outside of it."""

_CUT = 3.0
_TREND = 2
_ROUNDS = 5
_ROUNDING = 1e-9
_ROUNDING_OF_SUMS = 1e-6
# Who lies far out is known long before the line is known to all digits.
_NEAR_ENOUGH = 1e-4
# Squares of a normal distribution cut off at 3 standard deviations are this much smaller on average.
_CUT_VARIANCE = 1 - 2 * _CUT * float(stats.norm.pdf(_CUT)) / (1 - 2 * float(stats.norm.sf(_CUT)))


class Expected(NamedTuple):
    """What each value should have been.

    Attributes:
        value: Expected values; NaN where nothing can be said.
        range: Ends of the ranges that they should lie in.
    """

    value: Floats
    range: Interval


def expected(
    values: Floats, at: NDArray[np.int64], weights: Floats, *, cycle: int = 7, confidence: float = CONFIDENCE
) -> Expected:
    """Says what each of a series of values should have been, given all others.

    The values are explained by their place in the cycle (the weekday) and a trend with one bend (a polynomial of second
    degree). Huber's M-estimator (statsmodels' ``RLM``) says which values lie far out; the line is then fitted by least
    squares without values more than three standard deviations away, until those stay the same. Each value is judged
    by the line through all others, with Student's prediction interval, so that it cannot vouch for itself.

    Args:
        values: The values, without gaps in the array; days without a value are simply absent.
        at: Number of the period of each value, ascending.
        weights: How certain each value is, proportional to one over its variance.
        cycle: Periods in a cycle; 1 where there is none.
        confidence: Coverage of the range.

    Returns:
        Expectations of the same length; NaN where the values do not vary about the line at all, or where no others
        say what a value should have been.

    References:
        Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35, 73-101.
        Least squares over what a robust line keeps: Rousseeuw, P. J. and Leroy, A. M. (1987). Robust Regression and
        Outlier Detection, on reweighted least squares. Leaving one value out by its leverage: Belsley, D. A., Kuh,
        E. and Welsch, R. E. (1980). Regression Diagnostics, chapter 2.

    Examples:
        >>> week = [10., 12., 11., 12., 9., 4., 3.]
        >>> noise = np.tile([0.5, -0.5, 0.2, -0.3, 0.1], 12)[:56]
        >>> sales = np.tile(week, 8) + noise
        >>> sales[54] = 30                                      # a Saturday
        >>> found = expected(sales, np.arange(56), np.ones(56))
        >>> round(float(found.value[54])), bool(sales[54] > found.range.high[54])
        (4, True)
    """
    root = np.sqrt(weights / weights.mean())
    columns = _columns(at, cycle) * root[:, None]
    scaled = values * root
    keep = _near(columns, scaled)
    unknown = np.full(values.shape, np.nan)
    if keep is None:
        return Expected(unknown, Interval(unknown, unknown))
    for _ in range(_ROUNDS):
        away, error = _by_others(columns, scaled, keep)
        near = np.where(np.isnan(away), keep, np.abs(away) <= _CUT * error)
        if np.array_equal(near, keep) or near.sum() <= columns.shape[1]:
            break
        keep = near
    freedom = int(keep.sum()) - columns.shape[1]
    half = float(stats.t.isf((1 - confidence) / 2, freedom)) * error / root
    middle = values - away / root
    return Expected(middle, Interval(middle - half, middle + half))


def _columns(at: NDArray[np.int64], cycle: int) -> Floats:
    """One column a place in the cycle that occurs, which do without a constant, and the trend's."""
    place = at % cycle
    seasons = (place[:, None] == np.unique(place)).astype(np.float64)
    time = 2 * (at - at[0]) / max(at[-1] - at[0], 1) - 1
    # Legendre's polynomials but the constant.
    trend = np.polynomial.legendre.legvander(time, _TREND)[:, 1:]
    return np.hstack([seasons, trend])


def _near(columns: Floats, values: Floats) -> NDArray[np.bool_] | None:
    """Finds the values near a first robust line; None where most lie right on a line."""
    # Takes half a second to import, which only publishing should pay.
    from statsmodels.robust.norms import HuberT
    from statsmodels.robust.robust_linear_model import RLM

    n, p = columns.shape
    if n <= p or np.linalg.matrix_rank(columns) < p:
        return None
    tolerance = _ROUNDING * float(np.abs(values).max())
    plain = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    if np.median(np.abs(plain)) <= tolerance:
        return None
    away = np.abs(
        values - columns @ np.asarray(RLM(values, columns, M=HuberT()).fit(tol=_NEAR_ENOUGH).params)
    )
    scale = float(np.median(away)) / float(stats.norm.ppf(0.75)) * math.sqrt(n / (n - p))
    near = away <= _CUT * scale
    return near if scale > tolerance and near.sum() > p else None


def _by_others(columns: Floats, values: Floats, keep: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """How far each value lies from the line through all others that are kept, and how far it would by chance."""
    kept = columns[keep]
    gram = kept.T @ kept
    inverse = np.linalg.pinv(gram, hermitian=True)
    # A weekday of which no value is kept says nothing about another one of it.
    told = np.abs(columns - columns @ inverse @ gram).max(axis=1) < _ROUNDING_OF_SUMS
    away = np.where(told, values - columns @ (inverse @ (kept.T @ values[keep])), np.nan)
    spread = np.einsum("ij,jk,ik->i", columns, inverse, columns)
    leverage = np.where(keep, spread, 0.0)
    # A value that alone holds a part of the line has nothing to be compared with.
    others = np.where(leverage < 1 - _ROUNDING_OF_SUMS, 1 - leverage, np.nan)
    freedom = int(keep.sum()) - columns.shape[1]
    variance = float((away[keep] ** 2).sum()) / freedom / _CUT_VARIANCE
    return away / others, np.sqrt(variance * (1 + spread / others))
