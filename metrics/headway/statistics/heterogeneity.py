"""Effects of several groups: do they differ, and what is left of each once chance is taken off."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from headway.errors import InputError
from headway.statistics.comparisons import level
from headway.statistics.intervals import Floats


class Shrunk(NamedTuple):
    """Effects of groups, drawn towards what they have in common.

    Attributes:
        common: The effect they have in common.
        spread: Standard deviation of the true effects between groups; 0 where chance alone explains how they differ.
        p_value: Cochran's test that all are equal.
        effect: Each group's shrunken effect.
        low: Lower ends of their intervals.
        high: Upper ends.
    """

    common: float
    spread: float
    p_value: float
    effect: Floats
    low: Floats
    high: Floats


def shrunken(effects: ArrayLike, errors: ArrayLike, confidence: float = 0.95) -> Shrunk:
    """Shrinks effects of groups to their common mean, the more the less each group tells (empirical Bayes).

    How much the true effects differ is itself an estimate: shrinkage is held back by (k - 3) / (k - 1) for k groups,
    and the intervals are widened by what that estimate leaves open. Fewer than four groups are not shrunk at all.

    Args:
        effects: One estimate per group; NaN where there is none.
        errors: Their standard errors.
        confidence: Nominal coverage on average over groups, between 0 and 1.

    Returns:
        The shrunken effects; NaN for groups without an estimate, and for all where fewer than two have one.

    Raises:
        InputError: The arrays do not match.

    References:
        DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7, 177-188,
        for the spread; Morris, C. N. (1983). Parametric empirical Bayes inference. Journal of the American Statistical
        Association 78, 47-55, equations (1.17) and (5.7), for shrinkage and intervals.

    Examples:
        >>> found = shrunken([0.10, 0.14, 0.40, 0.12], [0.05, 0.05, 0.30, 0.05])
        >>> round(found.common, 3), found.spread, found.effect.round(3).tolist()
        (0.123, 0.0, [0.108, 0.134, 0.308, 0.121])
    """
    level(confidence)
    d, e = (np.asarray(each, dtype=np.float64) for each in (effects, errors))
    if d.ndim != 1 or d.shape != e.shape:
        raise InputError("every effect needs a standard error of its own")
    empty = np.full(d.shape, np.nan)
    known = np.isfinite(d) & np.isfinite(e) & (e > 0)
    if known.sum() < 2:
        return Shrunk(np.nan, np.nan, np.nan, empty, empty.copy(), empty.copy())
    x, v = d[known], e[known] ** 2
    w = 1 / v
    q = float(w @ (x - (w @ x) / w.sum()) ** 2)
    k = x.size - 1
    spread2 = max(0.0, (q - k) / (w.sum() - (w @ w) / w.sum()))
    weight = 1 / (v + spread2)
    common = float(weight @ x / weight.sum())
    held = max(k - 2, 0) / k
    drawn = held * v / (v + spread2)
    off = x - common
    # The mean of the variances about it, against each group's own: groups that tell more tell more of the spread.
    weighed = (float(weight @ v / weight.sum()) + spread2) / (v + spread2)
    variance = v * (1 - k / x.size * drawn)
    if k > 2:
        variance = variance + 2 / (k - 2) * drawn**2 * weighed * off**2
    shrunk, low, high = empty.copy(), empty.copy(), empty.copy()
    shrunk[known] = common + (1 - drawn) * off
    half = float(special.ndtri((1 + confidence) / 2)) * np.sqrt(variance)
    low[known], high[known] = shrunk[known] - half, shrunk[known] + half
    return Shrunk(common, float(np.sqrt(spread2)), float(stats.chi2.sf(q, k)), shrunk, low, high)
