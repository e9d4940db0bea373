"""Confidence intervals from sufficient statistics, over whole arrays at once.

Every function takes counts or sums (numbers or arrays that broadcast) and returns float arrays of the common
shape. Where an interval is not defined (no trials, one observation of a mean) its ends are NaN: never zero,
never infinity. Ends are clipped to the parameter's range.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from headway.errors import InputError

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Ends of a confidence interval.

    Attributes:
        low: Lower ends, in the parameter's unit; NaN where undefined.
        high: Upper ends, of the same shape.
    """

    low: Floats
    high: Floats


def wilson(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion.

    Its coverage swings around the nominal level and falls below it only near 0 and 1 (Brown, Cai and
    DasGupta 2001).

    Args:
        successes: Number of successes, 0 to trials.
        trials: Number of independent trials; the interval of 0 trials is NaN.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends as fractions between 0 and 1.

    Raises:
        InputError: A count is negative, there are more successes than trials, or confidence is out of range.

    References:
        Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of
        the American Statistical Association 22, 209-212, the interval on p. 210-211; written as equation (4)
        in Brown, L. D., Cai, T. T. and DasGupta, A. (2001). Interval estimation for a binomial proportion.
        Statistical Science 16, 101-133.

    Examples:
        >>> low, high = wilson(8, 10)
        >>> round(float(low), 4), round(float(high), 4)
        (0.4902, 0.9433)
        >>> bool(np.isnan(wilson(0, 0).low))
        True
    """
    x, n = _counts(successes=successes, trials=trials)
    if (x > n).any():
        raise InputError("successes must not exceed trials")
    z = _normal_quantile(confidence)
    n = np.where(n > 0, n, np.nan)
    whole = n + z**2
    center = (x + z**2 / 2) / whole
    half = z / whole * np.sqrt(x * (n - x) / n + z**2 / 4)
    # At 0 and n successes the ends are exactly 0 and 1; rounding would miss them. 0 times NaN is NaN.
    low = np.where(x == 0, 0.0 * n, np.maximum(center - half, 0.0))
    return Interval(low, np.where(x == n, 1.0, np.minimum(center + half, 1.0)))


def poisson_exact(count: ArrayLike, confidence: float = 0.95) -> Interval:
    """Exact interval of the mean of a Poisson count, from the chi-squared distribution.

    Conservative by construction: coverage is at least nominal for every mean, and above it for small ones.

    Args:
        count: Observed counts, 0 or more.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends in the unit of the count; the lower end of a count of 0 is 0.

    Raises:
        InputError: A count is negative or confidence is out of range.

    References:
        Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442: the limits
        chi2(alpha/2; 2k)/2 and chi2(1 - alpha/2; 2k + 2)/2.

    Examples:
        >>> low, high = poisson_exact([0, 10])
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 4.795], [3.689, 18.39])
    """
    (k,) = _counts(count=count)
    tail = (1 - _level(confidence)) / 2
    low = stats.chi2.ppf(tail, 2 * np.where(k > 0, k, np.nan)) / 2
    high = stats.chi2.isf(tail, 2 * k + 2) / 2
    return Interval(np.where(k == 0, 0.0, low), np.asarray(high, dtype=np.float64))


def mean_t(n: ArrayLike, total: ArrayLike, total_of_squares: ArrayLike, confidence: float = 0.95) -> Interval:
    """Student's t interval of a mean, from its count, sum and sum of squares.

    Exact for independent normal observations; for skewed ones (money) it is approximate and improves with n.

    Args:
        n: Number of observations; fewer than 2 give NaN.
        total: Sum of the observations.
        total_of_squares: Sum of their squares.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends in the unit of the observations.

    Raises:
        InputError: A count is negative or confidence is out of range.

    References:
        Student (1908). The probable error of a mean. Biometrika 6, 1-25; in today's form
        mean +- t(1 - alpha/2; n - 1) s / sqrt(n), Fisher, R. A. (1925). Applications of "Student's"
        distribution. Metron 5, 90-104.

    Examples:
        >>> low, high = mean_t(4, 10, 30)      # 1, 2, 3, 4
        >>> round(float(low), 4), round(float(high), 4)
        (0.4457, 4.5543)
    """
    (count,) = _counts(n=n)
    count = np.where(count >= 2, count, np.nan)
    s1, s2 = np.asarray(total, dtype=np.float64), np.asarray(total_of_squares, dtype=np.float64)
    mean = s1 / count
    # Cauchy-Schwarz makes this non-negative; rounding may not.
    variance = np.maximum(s2 - s1 * mean, 0.0) / (count - 1)
    half = stats.t.isf((1 - _level(confidence)) / 2, count - 1) * np.sqrt(variance / count)
    return Interval(mean - half, mean + half)


def nps(
    promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Adjusted Wald interval of a net promoter score, in points.

    The score is a difference of two proportions of one multinomial sample, the same parameter as in matched
    pairs: half an observation is added to promoters and to detractors and one to the passives, then the
    multinomial standard error sqrt((p + d - (p - d)^2) / n) is used. It behaves where the plain interval
    collapses to a point (everybody a promoter). Conservative when nearly everybody answers alike.

    Args:
        promoters: Answers of 9 and 10.
        passives: Answers of 7 and 8.
        detractors: Answers of 0 to 6; no answers at all give NaN.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Ends in points, -100 to 100.

    Raises:
        InputError: A count is negative or confidence is out of range.

    References:
        Agresti, A. and Min, Y. (2005). Simple improved confidence intervals for comparing matched
        proportions. Statistics in Medicine 24, 729-740 (half an observation in each of the four cells);
        compared for this score with other constants by Rocks, B. (2016). Interval estimation for the "Net
        Promoter Score". The American Statistician 70, 365-372.

    Examples:
        >>> low, high = nps(50, 30, 20)
        >>> round(float(low), 2), round(float(high), 2)
        (14.26, 44.56)
        >>> round(float(nps(5, 0, 0).low), 1), float(nps(5, 0, 0).high)
        (27.8, 100.0)
    """
    up, same, down = _counts(promoters=promoters, passives=passives, detractors=detractors)
    answers = up + same + down
    n = np.where(answers > 0, answers + 2, np.nan)
    p, d = (up + 0.5) / n, (down + 0.5) / n
    half = _normal_quantile(confidence) * np.sqrt((p + d - (p - d) ** 2) / n)
    return Interval(100 * np.maximum(p - d - half, -1.0), 100 * np.minimum(p - d + half, 1.0))


def _counts(**named: ArrayLike) -> tuple[Floats, ...]:
    arrays = [np.asarray(value, dtype=np.float64) for value in named.values()]
    for name, array in zip(named, arrays, strict=True):
        # Of nothing there is no smallest count; and one that is not a number is not 0 or more.
        if array.size and not array.min() >= 0:
            raise InputError(f"{name} must be counts of 0 or more")
    if any(array.shape != arrays[0].shape for array in arrays):
        return tuple(np.broadcast_arrays(*arrays))
    return tuple(arrays)


def _level(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, not {confidence}")
    return confidence


# Asked for again with every single interval, and slow.
@cache
def _normal_quantile(confidence: float) -> float:
    return float(stats.norm.isf((1 - _level(confidence)) / 2))
