"""Whether a number of a short regression is none, with the error that is promised however its errors hang together.

Student's distribution is right for errors whose correlation is known. Of 35 days it is not: a test that weighs all
correlations takes 3 of 100 series of noise for a trend where neighbours do not hang together, and 6 where they do. What
its statistic does by chance can be worked out for each correlation instead, and is weighed as the correlations are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headway.statistics.interrupted import Design, averaged, can_be_told, weighed, whitened
from headway.statistics.intervals import Floats

CORRELATIONS: Final[Floats] = np.append(np.arange(-5, 10) / 10, 0.95)
"""Correlations of neighbouring errors that are thought possible, all equally likely beforehand."""

_DIRECTIONS: Final = 500
_NODES: Final[Floats] = np.concatenate([np.arange(0, 5, 0.25), np.geomspace(5, 200, 12)])
"""Sizes of the statistic at which probabilities are worked out; between them their logarithms are straight."""


def calibrated_p(
    values: Floats, at: NDArray[np.int64], design: Design, weights: Floats | None = None
) -> Floats:
    """Tests whether one number of a regression with autoregressive errors of first order is 0.

    The statistic is the estimate over its error, both weighed over all correlations as by
    `headway.statistics.interrupted.shift`. By how much it exceeds what is seen by chance is worked out for each
    correlation, and these probabilities are weighed by the restricted likelihood: a parametric bootstrap that does not
    pretend to know the correlation. The likelihood knows residuals only, so that the effect that is tested does not
    weaken its own test.

    For one true correlation the estimate by that correlation is independent of the residuals (they are complete and
    ancillary for it), and the residuals' length of their direction. Only directions are drawn, seeded, and over the
    rest the probability is exact.

    Args:
        values: Series in the last dimension, one value a period; none missing.
        at: Number of the period of each value, ascending; gaps are allowed.
        design: What explains them.
        weights: How certain each value is, proportional to one over its variance; None: all equally. What happens by
            chance is worked out for equal ones, which differs little and is the same for many metrics.

    Returns:
        Two-sided p-values, one a series; NaN where `shift` tells nothing.

    References:
        McKnight, S. D., McKean, J. W. and Huitema, B. E. (2000). A double bootstrap method to analyze linear models
        with autoregressive error terms. Psychological Methods 5, 87-101. Bayarri, M. J. and Berger, J. O. (2000). P
        values for composite null models. Journal of the American Statistical Association 95, 1127-1142 (weighing by
        what the statistic does not use). Blackwell, D. (1947). Conditional expectation and unbiased sequential
        estimation. Annals of Mathematical Statistics 18, 105-110 (why drawing directions alone is enough).

    Examples:
        >>> from headway.statistics.interrupted import bend_design, seasonal
        >>> rng = np.random.default_rng(7)
        >>> days = np.arange(35)
        >>> design = bend_design(days, seasonal(days, 7), degree=1)
        >>> noise = rng.standard_normal(35)
        >>> bool(calibrated_p(noise, days, design) > 0.05 > calibrated_p(noise + 0.1 * days, days, design))
        True
    """
    shape = values.shape[:-1]
    if not can_be_told(design):
        return np.full(shape, np.nan)
    found = weighed(values, at, design, weights, CORRELATIONS)
    # The order of the columns does not matter, and without it a weekday is like another.
    order = np.lexsort(design.columns)
    columns, wanted = np.ascontiguousarray(design.columns[:, order]), design.wanted[order]
    start = np.ascontiguousarray(at - at[0], dtype=np.int64)
    tails = _tails(start.tobytes(), columns.tobytes(), wanted.tobytes())
    seen = np.abs(found.effect / found.error)
    beyond = np.exp([np.interp(seen, _NODES, each) for each in tails])
    return np.asarray((found.share * beyond).sum(axis=0)).reshape(shape)


@lru_cache(maxsize=256)
def _tails(at_bytes: bytes, columns_bytes: bytes, wanted_bytes: bytes) -> Floats:
    """Logarithms of the probabilities of a statistic beyond each node, one row a true correlation."""
    at, wanted = np.frombuffer(at_bytes, dtype=np.int64), np.frombuffer(wanted_bytes)
    columns = np.frombuffer(columns_bytes).reshape(len(at), len(wanted))
    freedom = len(at) - len(wanted)
    drawn = np.random.default_rng(len(at)).standard_normal((freedom, _DIRECTIONS))
    drawn /= np.linalg.norm(drawn, axis=0)
    fits = [_of_errors(float(phi), at, columns, wanted) for phi in CORRELATIONS]
    variances = np.array([each.variance for each in fits])[:, None]
    sizes = np.array([each.size for each in fits])[:, None]
    tails = []
    for own in fits:
        errors = own.errors @ drawn
        effects = np.array([each.estimate @ errors for each in fits])
        squares = np.array([((each.residuals @ errors) ** 2).sum(axis=0) for each in fits])
        likelihood = -0.5 * (sizes + freedom * np.log(squares))
        _, off, variance = averaged(likelihood, effects, variances * squares / freedom)
        # Residuals of length 1 add `off` to the estimate by the true correlation, which is Student's variable times
        # this deviation.
        deviation = np.sqrt(own.variance / freedom)
        reach = _NODES[:, None] * np.sqrt(variance)
        sides = [special.stdtr(freedom, (side * off - reach) / deviation) for side in (-1, 1)]
        tails.append(np.log((sides[0] + sides[1]).mean(axis=1)))
    return np.array(tails)


class _Fit(NamedTuple):
    """The least squares of one correlation.

    Attributes:
        errors: From residuals without correlation to errors that have it; nothing in them looks like a column.
        residuals: From errors to residuals without correlation, as many as there are degrees of freedom.
        estimate: From errors to the estimate.
        variance: Of the estimate, for errors of variance 1.
        size: Logarithm of the determinants in the restricted likelihood.
    """

    errors: Floats
    residuals: Floats
    estimate: Floats
    variance: float
    size: float


def _of_errors(phi: float, at: NDArray[np.int64], columns: Floats, wanted: Floats) -> _Fit:
    spread, (white, x) = whitened(phi, at, np.eye(len(at)), columns)
    gram = x.T @ x
    weights = np.linalg.solve(gram, wanted)
    # An orthogonal basis of what no column explains.
    basis = np.linalg.qr(x, mode="complete")[0][:, x.shape[1] :]
    return _Fit(
        errors=np.linalg.solve(white, basis),
        residuals=basis.T @ white,
        estimate=(x @ weights) @ white,
        variance=float(wanted @ weights),
        size=float(2 * np.log(spread).sum() + np.linalg.slogdet(gram)[1]),
    )
