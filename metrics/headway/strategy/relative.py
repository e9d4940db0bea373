"""Effects as fractions of what would have been, with the error of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from scipy import stats

Three = tuple[float | None, float | None, float | None]
"""A figure and the ends of its 95 % interval."""


def mean_with_error(values: Sequence[float]) -> tuple[float, float] | None:
    """Averages values, and says how far their mean may be off.

    Args:
        values: Values of days, taken for independent; what a weekday does to them counts as error, too, which makes
            it larger rather than smaller.

    Returns:
        The mean and half of its 95 % interval (Student, 1908); None where there are fewer than two, or the mean is not
        above 0.

    Examples:
        >>> mean, half = mean_with_error([4.0, 5.0, 6.0, 5.0])
        >>> mean, round(half, 3)
        (5.0, 1.299)
    """
    if len(values) < 2 or fmean(values) <= 0:
        return None
    error = stdev(values) / math.sqrt(len(values))
    return fmean(values), float(stats.t.isf(0.025, len(values) - 1)) * error


def relative_effect(effect: Three, base: float, base_half: float) -> Three:
    """Divides an effect by what it is an effect on.

    By the delta method the variance of ``r = e / b`` is ``(var(e) - 2 r cov(e, b) + r² var(b)) / b²``. An effect is a
    difference from what was before, and so falls where the base is by chance too high: its covariance with the base
    lies between ``-var(b)``, where the base itself is subtracted, and 0, where something else is. Of both the wider
    interval is taken. Each side keeps the length of its own.

    Args:
        effect: The effect and the ends of its 95 % interval, in the metric's unit.
        base: What it is relative to, above 0.
        base_half: Half of the 95 % interval of the base.

    Returns:
        The relative effect and the ends of its 95 % interval, as fractions; None where the effect has none.

    References:
        Casella, G. and Berger, R. L. (2002). Statistical Inference, 2nd edition, example 5.5.27 (ratio estimator).

    Examples:
        >>> [round(each, 3) for each in relative_effect((10.0, 6.0, 14.0), 50.0, 0.0)]
        [0.2, 0.12, 0.28]
        >>> [round(each, 3) for each in relative_effect((10.0, 6.0, 14.0), 50.0, 5.0)]
        [0.2, 0.096, 0.304]
    """
    value, low, high = effect
    if value is None:
        return None, None, None
    ratio = value / base
    if low is None or high is None:
        return ratio, None, None
    more = math.sqrt(2 * max(ratio, 0.0) + ratio * ratio) * base_half
    return ratio, ratio - math.hypot(value - low, more) / base, ratio + math.hypot(high - value, more) / base


def wider(error_rate: float, at_once: int) -> float:
    """Says how much longer a normal interval must be for several at once (Bonferroni).

    Args:
        error_rate: Probability of being wrong on one side, for one.
        at_once: How many there are, at least 1.

    Returns:
        The factor.

    Examples:
        >>> wider(0.025, 1), round(wider(0.025, 2), 4)
        (1.0, 1.1436)
    """
    return float(stats.norm.isf(error_rate / at_once)) / float(stats.norm.isf(error_rate))


__all__ = ["Three", "mean_with_error", "relative_effect", "wider"]
