"""Arms of an experiment from sums over their units: means, ratios, and what was known of the units before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headway.errors import InputError
from headway.statistics.intervals import Floats

_RELATIVE_ROUNDING = 1e-12

VARIABLES = ("y", "x", "c", "d")
"""What a unit adds: to the numerator and the denominator, and to the same two before its exposure."""


@dataclass(frozen=True)
class ArmSums:
    """Sums over the units of arms; those of disjoint units add up.

    Attributes:
        n: Number of units, one per arm.
        first: Sums of `VARIABLES`; the last axis is the variable.
        second: Sums of their products; the last two axes are the variables.
    """

    n: Floats
    first: Floats
    second: Floats

    @classmethod
    def of_units(
        cls, y: ArrayLike, x: ArrayLike | None = None, c: ArrayLike | None = None, d: ArrayLike | None = None
    ) -> ArmSums:
        """Adds up the units of one arm, or of many: the last axis runs over units.

        Args:
            y: What each adds to the numerator.
            x: What each adds to the denominator; None: 1, so that the ratio is a mean.
            c: Numerator before the exposure; None: 0.
            d: Denominator before the exposure; None: 1.

        Returns:
            The sums.

        Examples:
            >>> ArmSums.of_units([1, 2, 3]).first.tolist()
            [6.0, 3.0, 0.0, 3.0]
        """
        whole = np.asarray(y, dtype=np.float64)
        ones = np.ones_like(whole)
        given = [whole]
        for each, missing in ((x, ones), (c, np.zeros_like(whole)), (d, ones)):
            given.append(
                missing if each is None else np.broadcast_to(np.asarray(each, np.float64), whole.shape)
            )
        units = np.stack(given, axis=-1)
        return cls(
            np.full(whole.shape[:-1], float(whole.shape[-1])),
            units.sum(-2),
            np.einsum("...ui,...uj->...ij", units, units),
        )

    def __add__(self, other: ArmSums) -> ArmSums:
        return ArmSums(self.n + other.n, self.first + other.first, self.second + other.second)


class Moments(NamedTuple):
    """What comparing arms needs.

    Attributes:
        n: Units.
        mean: Mean per unit, or ratio of two sums over units.
        variance: Variance between units, such that variance / n is that of `mean`; NaN below 2 units.
        before: The same mean before the exposure.
        before_variance: Its variance between units.
        covariance: Covariance between units of the two.
    """

    n: Floats
    mean: Floats
    variance: Floats
    before: Floats
    before_variance: Floats
    covariance: Floats


def moments(sums: ArmSums) -> Moments:
    """Turns sums into means and variances; a ratio's by the delta method.

    A unit moves a ratio y / x by (y - r x) / mean of x, so that the variance of these is what the variance of the
    amounts is for a mean. With x = 1 it is exactly the sample variance.

    Args:
        sums: Sums over units.

    Returns:
        One of each per arm; NaN where the denominator is 0 or there are too few units.

    References:
        Deng, A., Knoblich, U. and Lu, J. (2018). Applying the delta method in metric analytics. KDD 2018, section 3.

    Examples:
        >>> found = moments(ArmSums.of_units([1.0, 2.0, 3.0]))
        >>> float(found.mean), float(found.variance)
        (2.0, 1.0)
    """
    n = np.where(sums.n > 0, sums.n, np.nan)
    free = np.where(sums.n > 1, sums.n - 1, np.nan)
    mean, after = _linear(sums, 0, n)
    before, earlier = _linear(sums, 2, n)
    products = sums.second
    found = {
        name: np.einsum("...i,...ij,...j->...", left, products, right) / free
        for name, left, right in (
            ("variance", after, after),
            ("before_variance", earlier, earlier),
            ("covariance", after, earlier),
        )
    }
    for name, weights in (("variance", after), ("before_variance", earlier)):
        scale = np.einsum("...i,...ii,...i->...", weights, products, weights) / free
        # What rounding leaves of units that are all alike is no variance.
        found[name] = np.where(
            found[name] > _RELATIVE_ROUNDING * scale, found[name], np.where(np.isnan(scale), np.nan, 0.0)
        )
    return Moments(sums.n, mean, found["variance"], before, found["before_variance"], found["covariance"])


def within_strata(strata: Sequence[Moments]) -> Moments:
    """Compares arms within strata, such as phases between which the planned split changed.

    Where a variant gets more units later, and later units do more anyway, arms that are added up differ although the
    variant does nothing (Simpson's paradox). Means of strata are weighted by the units of all arms in them, so that
    every arm is as it would be with the same mix; their variances add up with the squared weights.

    Args:
        strata: Moments of the same arms in each stratum.

    Returns:
        Moments of the arms, such that variance / n is the variance of the mean.

    Raises:
        InputError: There is no stratum.

    References:
        Cochran, W. G. (1977). Sampling Techniques, 3rd edition, chapter 5A.8. Miratrix, L. W., Sekhon, J. S. and Yu, B.
        (2013). Adjusting treatment effect estimates by post-stratification in randomized experiments. Journal of the
        Royal Statistical Society B 75, 369-396.

    Examples:
        >>> early = moments(ArmSums.of_units([[0.0, 1, 0, 1], [0, 1, 0, 1]]))
        >>> late = moments(ArmSums.of_units([[5.0, 6, 5, 6], [5, 6, 5, 6]]))
        >>> within_strata([early, late]).mean.tolist()
        [3.0, 3.0]
    """
    if not strata:
        raise InputError("there is no stratum to compare arms in")
    n, mean, variance, before, earlier, covariance = (np.stack(each) for each in zip(*strata, strict=True))
    units = n.sum(axis=0)
    weights = (n.sum(axis=-1) / units.sum(axis=-1))[..., None]
    means = [(weights * each).sum(axis=0) for each in (mean, before)]
    spreads = [units * (weights**2 * each / n).sum(axis=0) for each in (variance, earlier, covariance)]
    return Moments(units, means[0], spreads[0], means[1], spreads[1], spreads[2])


def _linear(sums: ArmSums, at: int, n: Floats) -> tuple[Floats, Floats]:
    """The ratio of two variables, and the weights of all variables in what a unit moves it by."""
    top, bottom = sums.first[..., at], sums.first[..., at + 1]
    bottom = np.where(bottom != 0, bottom, np.nan)
    ratio = top / bottom
    weights = np.zeros_like(sums.first)
    weights[..., at] = n / bottom
    weights[..., at + 1] = -ratio * n / bottom
    return ratio, weights


class Adjusted(NamedTuple):
    """Arms after what was known before is taken off (CUPED).

    Attributes:
        moments: The arms with adjusted means and variances.
        theta: The weight of what was known before.
        correlation: Between what units do after and did before, within arms.
        reduction: Share of the variance that is gone.
    """

    moments: Moments
    theta: Floats
    correlation: Floats
    reduction: Floats


def cuped(arms: Moments) -> Adjusted:
    """Takes off what units did before their exposure, which no variant can have changed.

    The weight is the regression of after on before within arms, common to all arms, so that the difference of arms
    stays an unbiased estimate (up to terms of the order 1 / n), with a variance smaller by the squared correlation.

    Args:
        arms: Moments whose last axis runs over the arms.

    Returns:
        The adjusted arms; as they were, with a weight of 0, where nothing varied before.

    Raises:
        InputError: There is no axis of arms.

    References:
        Deng, A., Xu, Y., Kohavi, R. and Walker, T. (2013). Improving the sensitivity of online controlled experiments
        by utilizing pre-experiment data. WSDM 2013, equations (4) to (6).

    Examples:
        >>> y, c = np.array([[1.0, 2, 3, 4], [2, 3, 4, 5]]), np.array([[1.0, 2, 3, 4], [1, 2, 3, 4]])
        >>> found = cuped(moments(ArmSums.of_units(y, c=c)))
        >>> found.moments.mean.tolist(), float(found.theta)
        ([2.5, 3.5], 1.0)
    """
    if np.ndim(arms.n) < 1:
        raise InputError("adjusting needs an axis of arms: there is nothing to compare")
    free = np.where(arms.n > 1, arms.n - 1, 0)
    within = np.nansum(free * arms.before_variance, axis=-1)
    shared = np.nansum(free * arms.covariance, axis=-1)
    whole = np.nansum(free * arms.variance, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.where(within > 0, shared / np.where(within > 0, within, 1), 0.0)
        correlation = np.where((within > 0) & (whole > 0), shared / np.sqrt(within * whole), 0.0)
    n = np.sum(arms.n, axis=-1)
    centre = np.nansum(arms.n * arms.before, axis=-1) / np.where(n > 0, n, np.nan)
    used = theta[..., None]
    before = np.where(np.isnan(arms.before), 0.0, arms.before - centre[..., None])
    variance = (
        arms.variance
        - 2 * used * np.nan_to_num(arms.covariance)
        + used**2 * np.nan_to_num(arms.before_variance)
    )
    variance = np.where(np.isnan(arms.variance), np.nan, np.maximum(variance, 0.0))
    adjusted = arms._replace(mean=arms.mean - used * before, variance=variance)
    return Adjusted(adjusted, theta, correlation, correlation**2)
