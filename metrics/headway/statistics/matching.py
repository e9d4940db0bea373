"""Comparing people who chose something with like people who did not, from sums by stratum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from headway.statistics.intervals import Floats


class Strata(NamedTuple):
    """What people did, added up by stratum and arm; arm 0 did not choose it, arm 1 did.

    Leading dimensions, equal everywhere, hold independent comparisons.

    Attributes:
        units: People: strata, 2.
        sums: Sums over people of what is known of each: strata, 2, columns.
        products: Sums over people of the products of these columns: strata, 2, columns, columns.
    """

    units: Floats
    sums: Floats
    products: Floats

    @classmethod
    def of_units(cls, stratum: NDArray[np.int64], arm: NDArray[np.int64], rows: Floats) -> Strata:
        """Adds up rows of people.

        Args:
            stratum: Number of the stratum of each person, from 0.
            arm: 0 or 1.
            rows: What is known of each person: people, columns.

        Returns:
            The sums.
        """
        cell = stratum * 2 + arm
        cells = (int(stratum.max()) + 1) * 2 if len(stratum) else 0
        k = rows.shape[1]
        sums, products = np.zeros((cells, k)), np.zeros((cells, k, k))
        np.add.at(sums, cell, rows)
        np.add.at(products, cell, rows[:, :, None] * rows[:, None, :])
        units = np.bincount(cell, minlength=cells).astype(np.float64)
        return cls(units.reshape(-1, 2), sums.reshape(-1, 2, k), products.reshape(-1, 2, k, k))

    def weights(self) -> Floats:
        """Weight of each person by stratum and arm: 1 for those who chose, and for the others what makes them alike.

        Returns:
            Strata, 2; 0 where a stratum lacks one of the arms.
        """
        both = (self.units > 0).all(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            like = np.where(both, self.units[..., 1] / self.units[..., 0], 0.0)
        return np.stack([like, both.astype(np.float64)], axis=-1)

    @property
    def matched(self) -> Floats:
        """Share of the people who chose for whom there is somebody alike."""
        chose = self.units[..., 1].sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.units * self.weights())[..., 1].sum(axis=-1) / chose)


class Comparison(NamedTuple):
    """A difference between people who chose and like people who did not.

    Attributes:
        effect: Ratio of those who chose minus weighted ratio of the others; NaN where a denominator is 0.
        error: Its standard error.
        chose: Ratio of those who chose.
        others: Weighted ratio of the others.
        freedom: Degrees of freedom: the people of the smaller arm, by weight, less one.
    """

    effect: Floats
    error: Floats
    chose: Floats
    others: Floats
    freedom: Floats

    def interval(self, confidence: float = 0.95) -> tuple[Floats, Floats]:
        """Ends of the interval."""
        half = stats.t.isf((1 - confidence) / 2, self.freedom) * self.error
        return self.effect - half, self.effect + half

    @property
    def p_value(self) -> Floats:
        """Chance of a difference at least this large where there is none, two-sided."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(2 * stats.t.sf(np.abs(self.effect / self.error), self.freedom))


def compare(strata: Strata, numerator: int, denominator: int, weights: Floats | None = None) -> Comparison:
    """Compares a ratio between the arms, people who did not choose weighted to be like those who did.

    This is coarsened exact matching: within a stratum people are alike in all that the strata are made of. The effect
    is that on those who chose and have somebody alike. It is honest only as far as what the strata know decides who
    chooses; a placebo outcome of the time before shows where it does not.

    Args:
        strata: The sums.
        numerator: Column of the numerator.
        denominator: Column of the denominator.
        weights: Weights by stratum and arm; None: those of `Strata.weights`. Ones compare the arms as they are.

    Returns:
        The difference. Its variance is taken within strata; a stratum with one person in an arm counts with the
        person's distance from the arm's ratio, which errs on the safe side.

    References:
        Iacus, S. M., King, G. and Porro, G. (2012). Causal inference without balance checking: coarsened exact
        matching. Political Analysis 20, 1-24 (strata and weights). Imbens, G. W. and Rubin, D. B. (2015). Causal
        Inference, chapter 17 (variance within blocks).

    Examples:
        >>> busy = np.repeat([0, 0, 1, 1], 50)                  # busy people choose more often, and do more anyway
        >>> chose = np.concatenate([np.repeat([0, 1], [90, 10]), np.repeat([0, 1], [10, 90])])
        >>> did = 1.0 + 5 * busy
        >>> strata = Strata.of_units(busy, chose, np.stack([did, np.ones(200)], axis=1))
        >>> naive = compare(strata, 0, 1, np.ones((2, 2)))
        >>> round(float(naive.effect), 1), round(float(compare(strata, 0, 1).effect), 1)
        (4.0, 0.0)
    """
    weight = strata.weights() if weights is None else weights
    y = (weight * strata.sums[..., numerator]).sum(axis=-2)
    x = (weight * strata.sums[..., denominator]).sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(x != 0, y / x, np.nan)
        each = np.where(x != 0, 1 / x, np.nan)
    square, total = _residuals(strata, numerator, denominator, ratio)
    n = strata.units
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.where(n > 1, n / (n - 1) * np.maximum(square - total**2 / n, 0), square)
    variance = (weight**2 * within).sum(axis=-2) * each**2
    amount = (weight * n).sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = np.maximum((amount**2 / (weight**2 * n).sum(axis=-2)).min(axis=-1) - 1, 1)
    return Comparison(
        ratio[..., 1] - ratio[..., 0],
        np.sqrt(variance.sum(axis=-1)),
        ratio[..., 1],
        ratio[..., 0],
        np.where(np.isnan(freedom), 1.0, freedom),
    )


def _residuals(strata: Strata, y: int, x: int, ratio: Floats) -> tuple[Floats, Floats]:
    """Sums over the people of a stratum and arm of (y - ratio x), squared and as it is."""
    r, p = ratio[..., None, :], strata.products
    square = p[..., y, y] - 2 * r * p[..., x, y] + r**2 * p[..., x, x]
    return np.maximum(square, 0), strata.sums[..., y] - r * strata.sums[..., x]


def imbalance(strata: Strata, column: int) -> tuple[Floats, Floats]:
    """Says how different the arms are in something, in standard deviations.

    Args:
        strata: The sums.
        column: The column.

    Returns:
        The standardised mean difference of the arms as they are, and once weighted; both by the spread of the arms as
        they are. NaN where nobody is left, 0 where nobody differs.

    References:
        Stuart, E. A. (2010). Matching methods for causal inference: a review and a look forward. Statistical Science
        25, 1-21 (0.25 is too much); Austin, P. C. (2009). Balance diagnostics for comparing the distribution of
        baseline covariates. Statistics in Medicine 28, 3083-3107 (0.1 is negligible).

    Examples:
        >>> arm = np.array([0, 0, 1, 1])
        >>> strata = Strata.of_units(np.array([0, 1, 0, 1]), arm, np.array([[1.0], [3.0], [1.0], [3.0]]))
        >>> [float(each) for each in imbalance(strata, 0)]
        [0.0, 0.0]
    """
    n = strata.units.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = strata.sums[..., column].sum(axis=-2) / n
        spread = strata.products[..., column, column].sum(axis=-2) / n - mean**2
        deviation = np.sqrt(np.maximum(spread, 0).mean(axis=-1))
    return tuple(
        _standardised(strata, column, weight, deviation)
        for weight in (np.ones(strata.units.shape), strata.weights())
    )  # type: ignore[return-value]


def _standardised(strata: Strata, column: int, weight: Floats, deviation: Floats) -> Floats:
    amount = (weight * strata.units).sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weight * strata.sums[..., column]).sum(axis=-2) / amount
        gap = mean[..., 1] - mean[..., 0]
        return np.asarray(np.where(deviation > 0, gap / deviation, np.where(gap == 0, 0.0, gap * np.nan)))
