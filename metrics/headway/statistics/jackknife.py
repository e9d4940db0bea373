"""Intervals of arithmetic over several estimates: leave one group of people out at a time."""

from __future__ import annotations

from typing import Final, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from headway.errors import InputError
from headway.statistics.estimates import Kind
from headway.statistics.intervals import Floats, Interval

GROUPS: Final = 32
"""Groups that people are put into, by their pseudonym: the same for every metric."""

_RELATIVE_ROUNDING = 1e-12


def leave_one_out(kind: Kind, n: ArrayLike, y: ArrayLike, x: ArrayLike) -> Floats:
    """What an estimate would be without each group of people.

    Counts and totals without a group are smaller for that alone; they are scaled up to the full number of groups.

    Args:
        kind: What is estimated, see `headway.statistics.estimate`.
        n: Number of people by group: groups in the last axis.
        y: Sum of what they add to the numerator, by group.
        x: Sum of what they add to the denominator, by group.

    Returns:
        Estimates without each group, of the same shape; NaN where nothing is left to divide by.

    Raises:
        InputError: There is no such kind, or fewer than two groups.

    Examples:
        >>> leave_one_out("mean", n=[1, 1, 2], y=[3, 5, 10], x=[1, 1, 2]).round(3).tolist()
        [5.0, 4.333, 4.0]
        >>> leave_one_out("count", n=[1, 1, 2], y=[1, 1, 2], x=[1, 1, 2]).tolist()
        [4.5, 4.5, 3.0]
    """
    people, top, bottom = (_rest(each) for each in (n, y, x))
    groups = people.shape[-1]
    if groups < 2:
        raise InputError("leaving a group out needs two groups or more")
    scale = groups / (groups - 1)
    known = np.where(people > 0, people, np.nan)
    found: dict[str, Floats] = {
        "count": people * scale,
        "total": top * scale,
        "proportion": top / known,
        "mean": top / known,
        "promoter_score": 100 * top / known,
        "ratio": top / np.where(bottom != 0, bottom, np.nan),
    }
    if kind not in found:
        raise InputError.unknown("kind of estimate", str(kind), get_args(Kind))
    return found[kind]


def _rest(sums: ArrayLike) -> Floats:
    """Sums over all groups but each."""
    each = np.asarray(sums, dtype=np.float64)
    return np.asarray(each.sum(axis=-1, keepdims=True) - each)


def delete_a_group(
    value: ArrayLike, without: ArrayLike, occupied: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Interval of any smooth function of estimates over people, by the delete-a-group jackknife.

    The variance is (G - 1) / G times the sum of squared differences between the value without each of G groups and the
    full value. Student's quantile has as many degrees of freedom as groups hold anybody, less one.

    Args:
        value: Full values.
        without: Values without each group: groups in one more, last axis.
        occupied: Number of groups that hold anybody, of the shape of `value`.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends in the unit of the values; NaN where fewer than two groups hold anybody, where there is no value without
        some group, and where no group makes a difference: a zero width would claim certainty.

    Raises:
        InputError: Confidence is out of range.

    References:
        Kott, P. S. (2001). The delete-a-group jackknife. Journal of Official Statistics 17, 521-526; on
        groups and degrees of freedom: Wolter, K. M. (2007). Introduction to Variance Estimation, 2nd edition, section
        4.2 and appendix A.

    Examples:
        >>> low, high = delete_a_group(4.5, [5.0, 13 / 3, 4.0], 3)
        >>> round(float(low), 3), round(float(high), 3)
        (1.948, 7.052)
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, not {confidence}")
    full = np.asarray(value, dtype=np.float64)
    partial = np.asarray(without, dtype=np.float64)
    held = np.asarray(occupied, dtype=np.float64)
    groups = partial.shape[-1]
    squares = np.sum((partial - full[..., None]) ** 2, axis=-1)
    same = squares <= _RELATIVE_ROUNDING**2 * np.sum(partial**2, axis=-1)
    degrees = np.where((held >= 2) & ~same, held - 1, np.nan)
    half = stats.t.isf((1 - confidence) / 2, degrees) * np.sqrt((groups - 1) / groups * squares)
    return Interval(full - half, full + half)
