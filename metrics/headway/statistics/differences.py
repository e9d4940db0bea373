"""Intervals of the difference of two estimates, from the interval of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headway.statistics.intervals import Interval


def mover(
    value: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    other: ArrayLike,
    other_low: ArrayLike,
    other_high: ArrayLike,
) -> Interval:
    """Interval of a difference `value` - `other`, by the method of variance estimates recovery (MOVER).

    Each side of an interval tells the variance near that side; the difference is lowest where the first is low and
    the second is high, so those two are put together. It needs nothing but both intervals, keeps their asymmetry, and
    has the coverage they have. It takes the two for independent. Where they rise and fall together, as the same people
    counted twice do, it is wider than it need be.

    Args:
        value: The first estimate.
        low: Lower end of its interval; NaN gives NaN.
        high: Upper end of its interval.
        other: What is subtracted.
        other_low: Lower end of its interval.
        other_high: Upper end of its interval.

    Returns:
        Ends in the unit of the estimates, of the confidence of the given intervals.

    References:
        Donner, A. and Zou, G. Y. (2012). Closed-form confidence intervals for functions of the normal mean and
        standard deviation. Statistical Methods in Medical Research 21, 347-359. With Wilson's intervals it is method 10
        of Newcombe, R. G. (1998). Interval estimation for the difference between
        independent proportions. Statistics in Medicine 17, 873-890.

    Examples:
        >>> low, high = mover(0.8, 0.7114, 0.8667, 0.6, 0.5020, 0.6906)
        >>> round(float(low), 3), round(float(high), 3)
        (0.073, 0.319)
    """
    given = (value, low, high, other, other_low, other_high)
    first, l1, u1, second, l2, u2 = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in given)
    )
    difference = first - second
    # An estimate outside of its interval has no room on that side.
    below = np.hypot(np.maximum(first - l1, 0), np.maximum(u2 - second, 0))
    above = np.hypot(np.maximum(u1 - first, 0), np.maximum(second - l2, 0))
    return Interval(difference - below, difference + above)
