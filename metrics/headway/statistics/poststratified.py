"""Means weighted back to the people who were asked, where some kinds of people answer less often than others."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from headway.errors import InputError
from headway.statistics.intervals import Floats

FEW: Final = 10
"""Strata with fewer answers take the variance within all strata for theirs: their own says little."""


class Weighted(NamedTuple):
    """Weighted means with their intervals.

    Attributes:
        value: Means; NaN where nobody answered whose stratum was asked.
        low: Lower ends; NaN where undefined.
        high: Upper ends.
    """

    value: Floats
    low: Floats
    high: Floats


def poststratified(
    asked: ArrayLike, n: ArrayLike, y: ArrayLike, yy: ArrayLike, confidence: float = 0.95
) -> Weighted:
    """The mean answer of each stratum, weighted by the stratum's share of the people who were asked.

    It is right where, within a stratum, answering has nothing to do with the answer. Strata without an answer are left
    out and the others' weights scaled up. People who were asked are a sample too, so the variance has two parts: the
    sum of W_h^2 s_h^2 / n_h over strata, and that between strata, the sum of W_h (mean_h - mean)^2, divided by the
    number of people asked. Student's quantile has Satterthwaite's degrees of freedom.

    Args:
        asked: People asked: strata in the last axis.
        n: People who answered, by stratum.
        y: Sum of their answers.
        yy: Sum of the squares.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Values and ends, of the shape without the last axis; no interval where no stratum has two answers, or where all
        answers are equal: a zero width would claim certainty.

    Raises:
        InputError: Confidence is out of range.

    References:
        Cochran, W. G. (1977). Sampling Techniques, 3rd edition, chapter 5A on stratification after selection of the
        sample, chapter 12 on double sampling for stratification, whose variance has these two parts. Little, R. J. A.
        (1993). Post-stratification: a modeler's perspective. Journal of the American Statistical Association 88,
        1001-1012. Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
        Biometrics Bulletin 2, 110-114.

    Examples:
        >>> found = poststratified(asked=[80, 20], n=[20, 20], y=[10, 18], yy=[10, 18])
        >>> round(float(found.value), 3), round(float(found.low), 3), round(float(found.high), 3)
        (0.58, 0.384, 0.776)
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, not {confidence}")
    shown, people, s1, s2 = np.broadcast_arrays(*(np.asarray(e, dtype=np.float64) for e in (asked, n, y, yy)))
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(people > 0, shown, 0.0).sum(-1)
        weight = np.where(people > 0, shown, 0.0) / np.where(total > 0, total, np.nan)[..., None]
        mean = np.where(people > 0, s1 / people, 0.0)
        value = (weight * mean).sum(-1)
        squares = np.maximum(s2 - s1 * mean, 0.0)
        degrees = np.maximum(people - 1, 0.0)
        pooled = squares.sum(-1) / np.where(degrees.sum(-1) > 0, degrees.sum(-1), np.nan)
        few = people < FEW
        spread = np.where(few, pooled[..., None], squares / degrees)
        within = np.where(weight > 0, weight**2 * spread / people, 0.0)
        between = (weight * (mean - value[..., None]) ** 2).sum(-1) / total
        known = np.where(few, degrees.sum(-1)[..., None], degrees)
        variance = within.sum(-1) + between
        freedom = variance**2 / (np.where(weight > 0, within**2 / known, 0.0).sum(-1) + between**2 / total)
        certain = variance <= 1e-24 * np.maximum(value**2, 1e-300)
        half = stats.t.isf((1 - confidence) / 2, freedom) * np.sqrt(np.where(certain, np.nan, variance))
    return Weighted(value, value - half, value + half)
