"""Two arms compared: the difference, its interval and its p-value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from headway.errors import InputError
from headway.statistics.differences import mover
from headway.statistics.intervals import Floats, wilson


class Comparison(NamedTuple):
    """What two arms differ by.

    Attributes:
        effect: The first arm minus the second, in the unit of the means.
        low: Lower end of its interval; NaN where it is not defined.
        high: Upper end.
        error: Standard error of the effect.
        p_value: Probability of a difference at least as large where there is none, two-sided.
        degrees: Degrees of freedom of Student's distribution; infinite for the normal one.
    """

    effect: Floats
    low: Floats
    high: Floats
    error: Floats
    p_value: Floats
    degrees: Floats


def welch(
    n: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    n0: ArrayLike,
    mean0: ArrayLike,
    variance0: ArrayLike,
    confidence: float = 0.95,
) -> Comparison:
    """Compares two means whose variances may differ.

    Args:
        n: Units of the first arm.
        mean: Their mean.
        variance: Their sample variance.
        n0: Units of the second arm.
        mean0: Their mean.
        variance0: Their sample variance.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        The comparison; all but the effect NaN where an arm has fewer than 2 units or no variance.

    Raises:
        InputError: Confidence is out of range.

    References:
        Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances are
        involved. Biometrika 34, 28-35; degrees of freedom by Satterthwaite (1946).

    Examples:
        >>> found = welch(100, 2.0, 4.0, 100, 1.0, 4.0)
        >>> round(float(found.low), 3), round(float(found.high), 3), round(float(found.p_value), 5)
        (0.442, 1.558, 0.00051)
    """
    level(confidence)
    arrays = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (n, mean, variance, n0, mean0, variance0))
    )
    n, mean, variance, n0, mean0, variance0 = arrays
    known = (n >= 2) & (n0 >= 2) & (variance > 0) & (variance0 > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(known, variance / n, np.nan)
        part0 = np.where(known, variance0 / n0, np.nan)
        error = np.sqrt(part + part0)
        degrees = (part + part0) ** 2 / (part**2 / (n - 1) + part0**2 / (n0 - 1))
    effect = mean - mean0
    half = special.stdtrit(degrees, (1 + confidence) / 2) * error
    p_value = 2 * special.stdtr(degrees, -np.abs(effect / error))
    return Comparison(effect, effect - half, effect + half, error, p_value, degrees)


def two_proportions(
    successes: ArrayLike, n: ArrayLike, successes0: ArrayLike, n0: ArrayLike, confidence: float = 0.95
) -> Comparison:
    """Compares two proportions.

    The interval is Newcombe's hybrid of two Wilson intervals, which keeps its coverage for few units and rare
    outcomes; the p-value is that of the score test, with the pooled proportion.

    Args:
        successes: Units of the first arm that did it.
        n: Its units.
        successes0: Units of the second arm that did it.
        n0: Its units.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        The comparison; NaN where an arm is empty, and no p-value where nobody or everybody did it.

    Raises:
        InputError: Successes exceed units, or confidence is out of range.

    References:
        Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
        Medicine 17, 873-890, method 10.

    Examples:
        >>> found = two_proportions(20034, 44700, 20119, 45489)
        >>> round(float(found.effect), 4), round(float(found.p_value), 4)
        (0.0059, 0.0744)
    """
    level(confidence)
    arrays = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (successes, n, successes0, n0))
    )
    y, n, y0, n0 = arrays
    ends, ends0 = wilson(y, n, confidence), wilson(y0, n0, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, share0 = y / n, y0 / n0
        pooled = (y + y0) / (n + n0)
        z = (share - share0) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n0))
        error = np.sqrt(share * (1 - share) / n + share0 * (1 - share0) / n0)
    low, high = mover(share, ends.low, ends.high, share0, ends0.low, ends0.high)
    p_value = 2 * special.ndtr(-np.abs(np.where(np.isfinite(z), z, np.nan)))
    return Comparison(share - share0, low, high, error, p_value, np.full(share.shape, np.inf))


class Lift(NamedTuple):
    """A relative effect: 0.1 is ten per cent more than the control.

    Attributes:
        lift: First mean divided by the second, minus 1; NaN where the second is not above 0.
        low: Lower end of its interval.
        high: Upper end.
        error: Standard error; NaN where the method has none.
    """

    lift: Floats
    low: Floats
    high: Floats
    error: Floats


def lift_delta(
    mean: ArrayLike,
    error: ArrayLike,
    mean0: ArrayLike,
    error0: ArrayLike,
    confidence: float = 0.95,
    degrees: ArrayLike = np.inf,
) -> Lift:
    """Relative difference of two independent means, the control's own error propagated (delta method).

    Args:
        mean: The first mean.
        error: Its standard error.
        mean0: The control's mean; a lift over nothing, or less, has no meaning.
        error0: Its standard error.
        confidence: Nominal coverage, between 0 and 1.
        degrees: Degrees of freedom of Student's quantile; infinite: the normal one.

    Returns:
        The lift.

    Raises:
        InputError: Confidence is out of range.

    References:
        Casella, G. and Berger, R. L. (2002). Statistical Inference, 2nd edition, example 5.5.27.

    Examples:
        >>> found = lift_delta(1.1, 0.05, 1.0, 0.05)
        >>> round(float(found.lift), 3), round(float(found.low), 3), round(float(found.high), 3)
        (0.1, -0.046, 0.246)
    """
    level(confidence)
    m, e, m0, e0, k = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (mean, error, mean0, error0, degrees))
    )
    m0 = np.where(m0 > 0, m0, np.nan)
    ratio = m / m0
    spread = np.sqrt(e**2 + ratio**2 * e0**2) / m0
    half = _quantile(k, confidence) * spread
    return Lift(ratio - 1, ratio - 1 - half, ratio - 1 + half, spread)


def lift_fieller(
    mean: ArrayLike,
    error: ArrayLike,
    mean0: ArrayLike,
    error0: ArrayLike,
    confidence: float = 0.95,
    degrees: ArrayLike = np.inf,
) -> Lift:
    """Relative difference of two independent means by Fieller's theorem: exact where both means are normal.

    Args:
        mean: The first mean.
        error: Its standard error.
        mean0: The control's mean.
        error0: Its standard error.
        confidence: Nominal coverage, between 0 and 1.
        degrees: Degrees of freedom of Student's quantile; infinite: the normal one.

    Returns:
        The lift; no interval where the control's mean could be 0, because any lift would be possible then.

    Raises:
        InputError: Confidence is out of range.

    References:
        Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B 16,
        175-185.

    Examples:
        >>> found = lift_fieller(1.1, 0.05, 1.0, 0.05)
        >>> round(float(found.low), 3), round(float(found.high), 3)
        (-0.036, 0.257)
    """
    level(confidence)
    m, e, m0, e0, k = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (mean, error, mean0, error0, degrees))
    )
    m0 = np.where(m0 > 0, m0, np.nan)
    ratio, t = m / m0, _quantile(k, confidence)
    g = (t * e0 / m0) ** 2
    left = np.where(g < 1, 1 - g, np.nan)
    half = t / m0 * np.sqrt(e**2 * left + ratio**2 * e0**2)
    return Lift(ratio - 1, (ratio - half) / left - 1, (ratio + half) / left - 1, np.full(ratio.shape, np.nan))


def _quantile(degrees: Floats, confidence: float) -> Floats:
    p = (1 + confidence) / 2
    return np.where(
        np.isinf(degrees), special.ndtri(p), special.stdtrit(np.where(np.isinf(degrees), 1, degrees), p)
    )


def level(confidence: float) -> float:
    """Checks a confidence level.

    Args:
        confidence: Between 0 and 1.

    Returns:
        The same.

    Raises:
        InputError: It is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, not {confidence}")
    return confidence


def sample_ratio(counts: ArrayLike, shares: ArrayLike) -> tuple[Floats, Floats]:
    """Tests whether units were split as planned (Pearson's chi-squared test).

    Args:
        counts: Units per arm; the last axis runs over the arms.
        shares: Planned shares, any positive numbers; they are divided by their sum.

    Returns:
        The statistic and the p-value; NaN where fewer than 5 units would be expected in an arm.

    Raises:
        InputError: A share is not positive, or there are fewer than two arms.

    References:
        Fabijan, A. et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments. KDD 2019.

    Examples:
        >>> statistic, p_value = sample_ratio([44700, 45489], [1, 1])
        >>> round(float(statistic), 3), round(float(p_value), 4)
        (6.902, 0.0086)
    """
    observed = np.asarray(counts, dtype=np.float64)
    planned = np.asarray(shares, dtype=np.float64)
    if (
        planned.ndim != 1
        or planned.size < 2
        or not np.all(planned > 0)
        or observed.shape[-1:] != planned.shape
    ):
        raise InputError("a sample ratio needs two arms or more, each with a planned share above 0")
    expected = observed.sum(-1, keepdims=True) * planned / planned.sum()
    enough = (expected >= 5).all(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(enough, ((observed - expected) ** 2 / expected).sum(-1), np.nan)
    return statistic, np.asarray(stats.chi2.sf(statistic, planned.size - 1), dtype=np.float64)
