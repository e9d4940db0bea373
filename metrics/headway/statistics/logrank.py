"""Whether two arms take equally long until something happens, where not everybody got there yet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from headway.errors import InputError


class LogRank(NamedTuple):
    """The log-rank test of two arms.

    Attributes:
        p_value: Probability of a difference at least as large where there is none; NaN where nothing happened.
        log_hazard_ratio: Peto's estimate; above 0 where it happens sooner in the first arm.
        error: Its standard error.
    """

    p_value: float
    log_hazard_ratio: float
    error: float


def logrank(events: ArrayLike, at_risk: ArrayLike, events0: ArrayLike, at_risk0: ArrayLike) -> LogRank:
    """Compares two survival curves over all times at which something happened.

    Args:
        events: Units of the first arm to which it happened, by time.
        at_risk: Units of the first arm still waiting just before, by time.
        events0: The same of the second arm, at the same times.
        at_risk0: The same of the second arm.

    Returns:
        The test.

    Raises:
        InputError: The arrays do not match or a count is impossible.

    References:
        Mantel, N. (1966). Evaluation of survival data and two new rank order statistics arising in its consideration.
        Cancer Chemotherapy Reports 50, 163-170. Yusuf, S., Peto, R. et al. (1985). Beta blockade during and after
        myocardial infarction. Progress in Cardiovascular Diseases 27, 335-371, for the hazard ratio.

    Examples:
        >>> found = logrank([1, 1, 1], [3, 2, 1], [0, 1, 0], [3, 3, 2])
        >>> round(found.p_value, 3), found.log_hazard_ratio > 0
        (0.134, True)
    """
    d, n, d0, n0 = (np.asarray(each, dtype=np.float64) for each in (events, at_risk, events0, at_risk0))
    if not d.shape == n.shape == d0.shape == n0.shape or d.ndim != 1:
        raise InputError("events and units at risk need one number per time, for both arms")
    if np.any(d < 0) or np.any(d > n) or np.any(d0 < 0) or np.any(d0 > n0):
        raise InputError("events must be 0 or more, and no more than the units at risk")
    whole, both = d + d0, n + n0
    used = (whole > 0) & (both > 1)
    whole, both, n, n0 = whole[used], both[used], n[used], n0[used]
    variance = float(np.sum(whole * (n / both) * (n0 / both) * (both - whole) / (both - 1)))
    if not variance > 0:
        return LogRank(np.nan, np.nan, np.nan)
    more = float(np.sum(d[used] - whole * n / both))
    p_value = float(stats.chi2.sf(more**2 / variance, 1))
    return LogRank(p_value, more / variance, 1 / np.sqrt(variance))
