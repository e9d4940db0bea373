"""Survival from counts of lost and censored people."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from headway.errors import InputError

Floats = NDArray[np.float64]


class Survival(NamedTuple):
    """A survival curve.

    Attributes:
        at_risk: People neither lost nor censored before each time.
        survival: Share estimated to be still there after it.
        low: Lower ends of the confidence interval; NaN where it is not defined.
        high: Upper ends.
    """

    at_risk: NDArray[np.int64]
    survival: Floats
    low: Floats
    high: Floats


def kaplan_meier(lost: ArrayLike, censored: ArrayLike, confidence: float = 0.95) -> Survival:
    """Kaplan and Meier's estimate of survival, with Greenwood's variance.

    People censored at a time were still seen at it, so they are at risk at it and not afterwards. The interval is
    that of the logarithm of the cumulative hazard, transformed back, which keeps within 0 and 1 (Kalbfleisch and
    Prentice). Before the first loss and where nobody survives it is not defined.

    Args:
        lost: People lost at the times 0, 1, 2, ...
        censored: People last seen at these times and not known to be lost.
        confidence: Nominal coverage of the interval at each time, between 0 and 1.

    Returns:
        The curve at these times.

    Raises:
        InputError: A count is negative, the arrays do not match, or confidence is out of range.

    References:
        Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of
        the American Statistical Association 53, 457-481. Greenwood, M. (1926). The natural duration of cancer.
        Reports on Public Health and Medical Subjects 33, 1-26. Kalbfleisch, J. D. and Prentice, R. L. (2002). The
        Statistical Analysis of Failure Time Data, 2nd edition, section 1.4.

    Examples:
        >>> curve = kaplan_meier([0, 2, 1], [0, 1, 4])
        >>> curve.at_risk.tolist(), curve.survival.tolist()
        ([8, 8, 5], [1.0, 0.75, 0.6000000000000001])
    """
    gone, unknown = (np.asarray(each, dtype=np.int64) for each in (lost, censored))
    if gone.ndim != 1 or gone.shape != unknown.shape or (gone < 0).any() or (unknown < 0).any():
        raise InputError("lost and censored must be counts, one of each per time, none below 0")
    if not 0 < confidence < 1:
        raise InputError("confidence must lie between 0 and 1")
    left = np.cumsum((gone + unknown)[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        steps: Floats = np.where(left > 0, 1 - gone / left, 1.0)
        survival: Floats = np.cumprod(steps, dtype=np.float64)
        variance = np.cumsum(np.where(gone > 0, gone / (left * (left - gone)), 0.0))
        depth = np.log(survival)
        width = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(variance) / np.abs(depth)
        low, high = survival ** np.exp(width), survival ** np.exp(-width)
    defined = (survival > 0) & (survival < 1)
    return Survival(left, survival, np.where(defined, low, np.nan), np.where(defined, high, np.nan))
