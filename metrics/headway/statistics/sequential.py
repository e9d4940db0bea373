"""Intervals and p-values that hold at every look at the data, however often one looks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headway.errors import InputError
from headway.statistics.comparisons import level
from headway.statistics.intervals import Floats


class ConfidenceSequence(NamedTuple):
    """An effect at one look.

    Attributes:
        low: Lower end of the interval.
        high: Upper end.
        p_value: Always-valid p-value: 1 minus the largest confidence at which the interval excludes 0.
    """

    low: Floats
    high: Floats
    p_value: Floats


def confidence_sequence(
    effect: ArrayLike, error: ArrayLike, n: ArrayLike, confidence: float = 0.95, tuned_to: float = 5_000
) -> ConfidenceSequence:
    """Asymptotic confidence sequence of an effect: all looks together cover the truth with the given confidence.

    With V the squared error of the effect after n units, the half width is
    sqrt(V 2 (n r + 1) / (n r) log(sqrt(n r + 1) / alpha)), where r is chosen such that the interval is narrowest,
    compared with the fixed-sample one, after `tuned_to` units.

    Args:
        effect: The effect so far.
        error: Its standard error.
        n: Units so far, all arms together.
        confidence: Nominal simultaneous coverage, between 0 and 1.
        tuned_to: Units after which a decision is most likely; it may not be chosen after looking.

    Returns:
        The interval and p-value; NaN where the error is.

    Raises:
        InputError: Confidence or the tuning is out of range.

    References:
        Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H. and Ramdas, A. (2024). Time-uniform central limit
        theory and asymptotic confidence sequences. Annals of Statistics 52, 2613-2640, theorem 2.2 and equation (9).

    Examples:
        >>> found = confidence_sequence(0.03, 0.01, 5_000)
        >>> round(float(found.low), 4), round(float(found.high), 4), round(float(found.p_value), 3)
        (-0.0004, 0.0604, 0.055)
    """
    alpha = 1 - level(confidence)
    if not tuned_to > 0:
        raise InputError("tuned_to must be a number of units above 0")
    d, e, units = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (effect, error, n)))
    rate = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / tuned_to
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(units > 0, units * rate, np.nan)
        wide = (spread + 1) / spread
        half = e * np.sqrt(2 * wide * (np.log(spread + 1) / 2 - math.log(alpha)))
        log_p = np.log(spread + 1) / 2 - (d / e) ** 2 / (2 * wide)
    p_value = np.where(np.isnan(log_p), np.nan, np.exp(np.minimum(log_p, 0.0)))
    return ConfidenceSequence(d - half, d + half, p_value)
