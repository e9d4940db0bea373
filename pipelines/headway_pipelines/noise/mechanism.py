"""Noise of a known size, drawn by OpenDP from the discrete Laplace distribution.

A person changes a whole number by at most its sensitivity. Noise whose probability falls by the factor
``exp(-1/scale)`` with every step hides that, with ``scale = sensitivity / epsilon`` (Ghosh, Roughgarden and
Sundararajan, 2012: "Universally utility-maximizing privacy mechanisms"). It is drawn exactly, from the operating
system's randomness: floating point Laplace noise tells of the value in its last bits (Mironov, 2012), and noise from a
known seed can be taken off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from headway.errors import HeadwayError

MISSING = (
    "metrics with privacy: need OpenDP, which is not installed; install it with: pip install 'headway[dp]', or take "
    "privacy: away from all metrics"
)


def with_laplace(numbers: Sequence[int], *, sensitivity: int, epsilon: float) -> list[int]:
    """Adds noise to whole numbers, to each its own.

    Args:
        numbers: Numbers, of which one person changes one at most: cells of disjoint people.
        sensitivity: By how much one person changes that one at most.
        epsilon: What the numbers may tell of a person.

    Returns:
        The noisy numbers.

    Raises:
        HeadwayError: OpenDP is missing, or refused a number: too large, or more telling than `epsilon`.
    """
    if not numbers:
        return []
    scale = scale_of(sensitivity, epsilon)
    mechanism = _mechanism(scale)
    try:
        told = float(mechanism.map(d_in=sensitivity))
        found = [int(each) for each in mechanism(list(numbers))]
    except Exception:
        # The library's message holds the number.
        raise HeadwayError("noise cannot be added: a number of a metric with privacy is too large") from None
    if told > epsilon * (1 + 1e-9):
        raise HeadwayError(f"noise of scale {scale:g} tells more of a person than epsilon {epsilon:g}")
    return found


def scale_of(sensitivity: float, epsilon: float) -> float:
    """Returns the scale of noise that hides a sensitivity.

    Args:
        sensitivity: By how much one person changes a number at most.
        epsilon: What it may tell of a person.

    Examples:
        >>> scale_of(1, 0.5)
        2.0
    """
    return sensitivity / epsilon


def margin_of(scale: float, unit: float = 1.0) -> float:
    """Returns how far noise moves a number at most, 95 times of 100.

    Args:
        scale: Scale of the noise, in steps.
        unit: Size of a step.

    Returns:
        The smallest number of steps t with ``P(|noise| > t) <= 0.05``, times the unit; ``P(|noise| > t)`` is
        ``2 a^(t+1) / (1 + a)`` with ``a = exp(-1/scale)``.

    Examples:
        >>> margin_of(2.0)
        6.0
    """
    a = math.exp(-1 / scale)
    return max(0, math.ceil(math.log(0.05 * (1 + a) / 2) / math.log(a) - 1 - 1e-12)) * unit


@cache
def _mechanism(scale: float) -> Any:
    dp = opendp()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    return dp.m.make_laplace(*space, scale)


def opendp() -> Any:
    """Returns OpenDP, which is an extra.

    Raises:
        HeadwayError: It is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError:
        raise HeadwayError(MISSING) from None
    dp.enable_features("contrib")
    return dp
