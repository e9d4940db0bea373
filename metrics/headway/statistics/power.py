"""How much data is enough: power, smallest effect that can be seen, units needed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from headway.errors import InputError
from headway.statistics.intervals import Floats


def power_of(
    effect: ArrayLike, variance: ArrayLike, n: ArrayLike, n0: ArrayLike, alpha: float = 0.05
) -> Floats:
    """Probability of finding an effect that is there.

    Args:
        effect: The true difference of means.
        variance: Variance between units, the same in both arms.
        n: Units of one arm.
        n0: Units of the other.
        alpha: Two-sided error probability.

    Returns:
        Probabilities.

    Raises:
        InputError: A variance or number of units is not above 0, or alpha is out of range.

    References:
        Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapter 2, with the
        normal distribution in place of Student's.

    Examples:
        >>> round(float(power_of(0.5, 1.0, 63, 63)), 3)
        0.801
    """
    d, v, units, units0 = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (effect, variance, n, n0))
    )
    if not (np.all(v > 0) and np.all(units > 0) and np.all(units0 > 0)):
        raise InputError("power needs a variance and numbers of units above 0")
    z = special.ndtri(1 - _alpha(alpha) / 2)
    distance = np.abs(d) / np.sqrt(v * (1 / units + 1 / units0))
    return np.asarray(special.ndtr(distance - z) + special.ndtr(-distance - z), dtype=np.float64)


def smallest_effect(
    variance: ArrayLike, n: ArrayLike, n0: ArrayLike, alpha: float = 0.05, power: float = 0.8
) -> Floats:
    """Smallest true effect that is found with a given probability (minimum detectable effect).

    Args:
        variance: Variance between units.
        n: Units of one arm.
        n0: Units of the other.
        alpha: Two-sided error probability.
        power: Probability of finding it.

    Returns:
        Effects in the unit of the mean.

    Raises:
        InputError: A number is out of range.

    Examples:
        >>> round(float(smallest_effect(1.0, 63, 63)), 3)
        0.499
    """
    v, units, units0 = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (variance, n, n0))
    )
    return np.asarray(_distance(alpha, power) * np.sqrt(v * (1 / units + 1 / units0)), dtype=np.float64)


def units_needed(
    effect: float,
    variance: float,
    shares: tuple[float, float] = (0.5, 0.5),
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Units of both arms together that find an effect with a given probability.

    Args:
        effect: The true difference of means.
        variance: Variance between units.
        shares: Shares of the two arms; any positive numbers.
        alpha: Two-sided error probability.
        power: Probability of finding it.

    Returns:
        Whole units, rounded up.

    Raises:
        InputError: A number is out of range.

    Examples:
        >>> units_needed(0.5, 1.0)
        126
    """
    if not (math.isfinite(effect) and effect != 0):
        raise InputError(
            "an effect of nothing needs more units than there are; say the smallest one worth finding"
        )
    if not variance > 0 or min(shares) <= 0:
        raise InputError("units needed follow from a variance and shares above 0")
    first, second = (share / sum(shares) for share in shares)
    return math.ceil(_distance(alpha, power) ** 2 * variance * (1 / first + 1 / second) / effect**2 - 1e-9)


def _distance(alpha: float, power: float) -> float:
    if not _alpha(alpha) / 2 < power < 1:
        raise InputError("power must be between alpha and 1")
    return float(special.ndtri(1 - alpha / 2) + special.ndtri(power))


def _alpha(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise InputError(f"alpha must be between 0 and 1, not {alpha}")
    return alpha
