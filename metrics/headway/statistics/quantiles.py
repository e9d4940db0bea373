"""Quantiles of observations, several of which may be one person's, and of durations that are not all over yet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from headway.errors import InputError
from headway.statistics.intervals import Floats, wilson

Ints = NDArray[np.int64]


class QuantileEstimate(NamedTuple):
    """One quantile with its interval.

    Attributes:
        value: The quantile, in the unit of the observations; NaN where it is not reached.
        low: Lower end of the interval; NaN where it is not defined.
        high: Upper end; NaN where it is not reached.
    """

    value: float
    low: float
    high: float


NOT_REACHED = QuantileEstimate(np.nan, np.nan, np.nan)


def clustered_quantile(
    values: ArrayLike, people: ArrayLike, q: float, confidence: float = 0.95
) -> QuantileEstimate:
    """A quantile whose interval takes people, not observations, as what is sampled.

    The quantile is the smallest observed value up to which a share q of the observations lies. The share of
    observations up to it is a ratio of two sums over people; its variance says how many independent observations
    these are worth, and Wilson's interval of q for so many, read off the observed distribution, is the quantile's
    (Woodruff's method).

    Args:
        values: The observations.
        people: Whose each observation is.
        q: The share, between 0 and 1.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        The quantile and its interval; no interval for fewer than two people.

    Raises:
        InputError: There are no observations, or q is not between 0 and 1.

    References:
        Woodruff, R. S. (1952). Confidence intervals for medians and other position measures. Journal of the American
        Statistical Association 47, 635-646; with an interval that suits shares near 0 and 1 in place of the normal
        one: Korn, E. L. and Graubard, B. I. (1998). Confidence intervals for proportions with small expected number
        of positive counts estimated from survey data. Survey Methodology 24, 193-201.

    Examples:
        >>> clustered_quantile([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], 0.5)
        QuantileEstimate(value=4.0, low=2.0, high=6.0)
        >>> clustered_quantile([5, 6], [1, 1], 0.5).low
        nan
    """
    x = np.asarray(values, dtype=np.float64)
    who = np.asarray(people)
    if not 0 < q < 1:
        raise InputError(f"a quantile lies between 0 and 1, not at {q}")
    if x.size == 0 or x.shape != who.shape:
        raise InputError("a quantile needs observations, and a person for each")
    order = np.argsort(x, kind="stable")
    ranked = x[order]
    value = ranked[_rank(q, x.size)]
    codes = codes_of(who)
    n = np.bincount(codes)
    if n.size < 2:
        return QuantileEstimate(float(value), np.nan, np.nan)
    below = np.bincount(codes, weights=(x <= value).astype(np.float64))
    share = below.sum() / x.size
    residuals = below - share * n
    variance = n.size / (n.size - 1) * float(residuals @ residuals) / x.size**2
    worth = share * (1 - share) / variance if variance > 0 else float(n.size)
    # People are few: what their number leaves open is made up for as Student's quantile does.
    worth *= (special.ndtri((1 + confidence) / 2) / special.stdtrit(n.size - 1, (1 + confidence) / 2)) ** 2
    ends = wilson(q * worth, worth, confidence)
    low, high = (ranked[_rank(float(end), x.size)] for end in ends)
    return QuantileEstimate(float(value), float(low), float(high))


def codes_of(people: ArrayLike) -> Ints:
    """Numbers the people in a list from 0 on, in their order.

    Args:
        people: Whose each observation is.

    Returns:
        The number of each one's person.

    Examples:
        >>> codes_of([7, 3, 7, 9]).tolist()
        [1, 0, 1, 2]
    """
    who = np.asarray(people)
    if who.size and who.dtype.kind == "i" and who.min() >= 0 and who.max() < 2 * who.size:
        # Small numbers need no sorting.
        return np.asarray((np.cumsum(np.bincount(who) > 0) - 1)[who], dtype=np.int64)
    return np.asarray(np.unique(who, return_inverse=True)[1], dtype=np.int64)


def _rank(q: float, n: int) -> int:
    """Position of the smallest observation up to which a share q lies."""
    # A share that is k / n up to rounding is meant as k / n.
    return int(np.clip(np.ceil(q * n - 1e-9) - 1, 0, n - 1))


def survival_quantile(
    durations: ArrayLike, censored: ArrayLike, q: float, confidence: float = 0.95
) -> QuantileEstimate:
    """The time by which a share q is over, where some durations are not over yet.

    Kaplan and Meier's curve takes the open ones as lasting at least as long as they have so far; leaving them out
    would make everything look quicker than it is. The interval holds the times at which the curve, on the scale of
    the logarithm of its negative logarithm, does not differ from 1 - q.

    Args:
        durations: How long each lasted, or has lasted so far.
        censored: Whether it is still open.
        q: The share, between 0 and 1.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        The quantile and its interval; NaN where the curve does not come down so far.

    Raises:
        InputError: There are no durations, one is negative, or q is not between 0 and 1.

    References:
        Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the
        American Statistical Association 53, 457-481. Brookmeyer, R. and Crowley, J. (1982). A confidence interval for
        the median survival time. Biometrics 38, 29-41; on the log-log scale as in Klein, J. P. and Moeschberger, M. L.
        (2003). Survival Analysis, 2nd edition, section 4.5.

    Examples:
        >>> survival_quantile([1, 2, 3, 4, 10], [False, False, False, False, True], 0.5).value
        3.0
        >>> survival_quantile([1, 9, 9, 9], [False, True, True, True], 0.5).value
        nan
    """
    time = np.asarray(durations, dtype=np.float64)
    open_ = np.asarray(censored, dtype=np.bool_)
    if not 0 < q < 1:
        raise InputError(f"a quantile lies between 0 and 1, not at {q}")
    if time.size == 0 or time.shape != open_.shape or not np.all(time >= 0):
        raise InputError("durations must be 0 or more, at least one, and each open or over")
    times, at_risk, ended = _table(time, open_)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - ended / at_risk)
        greenwood = np.cumsum(np.where(ended > 0, ended / (at_risk * (at_risk - ended)), 0.0))
        # Klein and Moeschberger (2003), equation (4.5.3).
        distance = (
            (np.log(-np.log(survival)) - np.log(-np.log(1 - q))) * survival * np.log(survival) / survival
        )
        deviation = np.abs(distance) / np.sqrt(greenwood)
    reached = np.flatnonzero(survival <= 1 - q + 1e-12)
    value = float(times[reached[0]]) if reached.size else np.nan
    inside = np.flatnonzero(
        (deviation <= special.ndtri((1 + confidence) / 2)) & (survival > 0) & (survival < 1)
    )
    if not inside.size:
        return QuantileEstimate(value, np.nan, np.nan)
    last = inside[-1] + 1
    # The curve keeps its height until the next end; where it never leaves the band, there is no upper end.
    later = np.flatnonzero((np.arange(times.size) >= last) & (ended > 0))
    high = float(times[later[0]]) if later.size else np.nan
    return QuantileEstimate(value, float(times[inside[0]]), high)


def _table(time: Floats, censored: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Times at which something ended, with how many were at risk and how many ended."""
    times, first = np.unique(np.sort(time), return_index=True)
    at_risk = time.size - first.astype(np.float64)
    ended = np.bincount(np.searchsorted(times, time[~censored]), minlength=times.size).astype(np.float64)
    kept = ended > 0
    return times[kept], at_risk[kept], ended[kept]


def trimmed_mean(
    values: ArrayLike, share: float = 0.1, confidence: float = 0.95, *, people: ArrayLike | None = None
) -> QuantileEstimate:
    """The mean without the largest and the smallest observations, which a few extreme ones cannot move.

    Args:
        values: The observations.
        share: Share cut off at either end, 0 or more and less than one half.
        confidence: Nominal coverage of the interval, between 0 and 1.
        people: Whose each observation is: people are then what is sampled; None takes observations for independent.

    Returns:
        The trimmed mean and its interval; no interval where fewer than two observations are left or all left are equal,
        or of fewer than two people.

    Raises:
        InputError: There are no observations, or the share is out of range.

    References:
        Tukey, J. W. and McLaughlin, D. H. (1963). Less vulnerable confidence and significance procedures for location
        based on a single sample: Trimming/Winsorization 1. Sankhya A 25, 331-352. Winsorized residuals are what each
        observation moves the mean by; those of one person are added before they are squared, as in Liang, K.-Y. and
        Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models. Biometrika 73, 13-22.

    Examples:
        >>> trimmed_mean([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000]).value
        5.5
    """
    given = np.asarray(values, dtype=np.float64)
    who = np.arange(given.size) if people is None else np.asarray(people)
    if given.size == 0 or given.shape != who.shape or not 0 <= share < 0.5:
        raise InputError(
            "a trimmed mean needs observations, a person for each if any, and a share to cut off that is less than one "
            "half"
        )
    order = np.argsort(given, kind="stable")
    x = given[order]
    cut = int(share * x.size + 1e-9)
    left = x.size - 2 * cut
    value = float(x[cut : x.size - cut].mean())
    winsorized = np.clip(x, x[cut], x[x.size - cut - 1])
    _, codes = np.unique(who[order], return_inverse=True)
    moved = np.bincount(codes, weights=winsorized - winsorized.mean())
    clusters, spread = moved.size, float(moved @ moved)
    degrees = clusters * left / x.size - 1
    if degrees <= 0 or spread <= 1e-24 * float(winsorized @ winsorized):
        return QuantileEstimate(value, np.nan, np.nan)
    # Of n people with one observation each: error = winsorized deviation / ((1 - 2 share) sqrt(n)).
    error = np.sqrt(clusters / (clusters - 1) * spread) / ((1 - 2 * share) * x.size)
    half = float(stats.t.ppf((1 + confidence) / 2, degrees)) * error
    return QuantileEstimate(value, value - half, value + half)
