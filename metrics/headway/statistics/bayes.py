"""What the data make of a stated prior about an effect."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from headway.errors import InputError
from headway.statistics.comparisons import level
from headway.statistics.intervals import Floats


class Posterior(NamedTuple):
    """What is believed of an effect after the data.

    Attributes:
        mean: Expected effect.
        deviation: Its standard deviation.
        low: Lower end of the equal-tailed credible interval.
        high: Upper end.
        chance: Probability that the effect is above 0.
        loss: Expected loss of taking the variant: the mean of how far the effect is below 0.
        regret: Expected loss of leaving it: the mean of how far the effect is above 0.
    """

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    chance: Floats
    loss: Floats
    regret: Floats


def posterior(
    effect: ArrayLike,
    error: ArrayLike,
    prior_deviation: float = np.inf,
    prior_mean: float = 0.0,
    confidence: float = 0.95,
) -> Posterior:
    """Combines an estimated effect with a normal prior.

    Args:
        effect: The estimate, such as a relative lift.
        error: Its standard error.
        prior_deviation: Standard deviation of the prior; infinite: a flat prior.
        prior_mean: Mean of the prior.
        confidence: Probability within the credible interval.

    Returns:
        The posterior; NaN where the error is not above 0.

    Raises:
        InputError: The prior's deviation is not above 0, or confidence is out of range.

    References:
        Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd edition, equation (2.10). Expected loss of a normal
        posterior: Raiffa, H. and Schlaifer, R. (1961). Applied Statistical Decision Theory, section 5.4.

    Examples:
        >>> found = posterior(0.10, 0.05, prior_deviation=0.3)
        >>> round(float(found.mean), 3), round(float(found.chance), 3), round(float(found.loss), 5)
        (0.097, 0.976, 0.00045)
    """
    level(confidence)
    if not prior_deviation > 0:
        raise InputError("the prior's standard deviation must be above 0; infinite is flat")
    d, e = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (effect, error)))
    e = np.where(e > 0, e, np.nan)
    known, prior = 1 / e**2, 0.0 if np.isinf(prior_deviation) else prior_deviation**-2
    mean = (d * known + prior_mean * prior) / (known + prior)
    deviation = np.sqrt(1 / (known + prior))
    half = special.ndtri((1 + confidence) / 2) * deviation
    z = mean / deviation
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    loss = deviation * density - mean * special.ndtr(-z)
    regret = deviation * density + mean * special.ndtr(z)
    return Posterior(mean, deviation, mean - half, mean + half, special.ndtr(z), loss, regret)
