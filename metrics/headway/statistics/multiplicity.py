"""Many questions asked at once: p-values that take the others into account."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headway.errors import InputError
from headway.statistics.intervals import Floats

Method = Literal["holm", "benjamini-hochberg", "none"]


def adjusted(p_values: ArrayLike, method: Method = "holm") -> Floats:
    """Adjusts p-values of several questions.

    Args:
        p_values: The p-values; NaN where there is none, which then counts as a question not asked.
        method: ``holm`` keeps the probability of any false claim, ``benjamini-hochberg`` the share of false claims
            among the claims, ``none`` leaves them.

    Returns:
        Adjusted p-values, to be compared with the same alpha.

    Raises:
        InputError: There is no such method.

    References:
        Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
        65-70. Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
        Statistical Society B 57, 289-300.

    Examples:
        >>> adjusted([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    if method not in get_args(Method):
        raise InputError.unknown("method for several questions", str(method), get_args(Method))
    given = np.atleast_1d(np.asarray(p_values, dtype=np.float64))
    result = given.copy()
    known = ~np.isnan(given)
    if method != "none" and known.any():
        result[known] = _holm(given[known]) if method == "holm" else _benjamini_hochberg(given[known])
    return result


# statsmodels has both, and collects the garbage of the whole process each time: more than a second in a run.
def _holm(p_values: Floats) -> Floats:
    order = np.argsort(p_values)
    left = len(order) - np.arange(len(order))  # how many are not rejected yet, this one among them
    return _back(np.maximum.accumulate(left * p_values[order]), order)


def _benjamini_hochberg(p_values: Floats) -> Floats:
    order = np.argsort(p_values)
    shares = np.arange(1, len(order) + 1) / len(order)
    return _back(np.minimum.accumulate((p_values[order] / shares)[::-1])[::-1], order)


def _back(values: Floats, order: NDArray[np.intp]) -> Floats:
    found = np.empty_like(values)
    found[order] = np.minimum(values, 1.0)
    return found
