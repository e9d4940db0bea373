"""How good forecasts are: the Brier score of stated probabilities, and how often stated ranges held."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headway.errors import InputError
from headway.statistics.intervals import wilson


@dataclass(frozen=True)
class Brier:
    """The Brier score of forecasts and the parts that it is made of.

    ``score = reliability - resolution + uncertainty`` holds exactly, forecasts being grouped by their probability
    (Murphy 1973, eq. 12).

    Attributes:
        score: Mean squared distance between probability and what happened; 0 is perfect, 0.25 is saying one half.
        reliability: How far probabilities are from how often it then happened; 0 is calibrated.
        resolution: How far these frequencies are from the overall one; more is better.
        uncertainty: What saying the overall frequency each time would score.
        skill: 1 - score / uncertainty: better than that from 0 upwards; NaN where everything ended alike.
        forecasts: Number of forecasts.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    skill: float
    forecasts: int


def brier(probabilities: Sequence[float], happened: Sequence[bool]) -> Brier:
    """Scores forecasts of yes or no.

    Args:
        probabilities: Stated probabilities, 0 to 1, shape (n,), n >= 1.
        happened: Whether it happened, shape (n,).

    Returns:
        The score and its parts.

    Raises:
        InputError: There is no forecast, the lengths differ, or a probability lies outside of 0 to 1.

    References:
        Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78(1),
        for two classes halved as is usual today; Murphy (1973), A new vector partition of the probability score,
        Journal of Applied Meteorology 12.

    Examples:
        >>> scored = brier([0.9, 0.9, 0.2], [True, True, False])
        >>> round(scored.score, 4), scored.forecasts
        (0.02, 3)
    """
    p = np.asarray(probabilities, dtype=np.float64)
    o = np.asarray(happened, dtype=np.float64)
    if p.ndim != 1 or p.shape != o.shape or not p.size:
        raise InputError(f"needs one outcome for each of at least one forecast, not {p.size} and {o.size}")
    if not np.all((p >= 0) & (p <= 1)):
        raise InputError("a probability lies between 0 and 1")
    overall = float(o.mean())
    reliability, resolution = _parts(p, o, overall)
    uncertainty = overall * (1 - overall)
    score = float(np.mean((p - o) ** 2))
    skill = 1 - score / uncertainty if uncertainty > 0 else math.nan
    return Brier(score, reliability, resolution, uncertainty, skill, p.size)


def _parts(p: NDArray[np.float64], o: NDArray[np.float64], overall: float) -> tuple[float, float]:
    said, group = np.unique(p, return_inverse=True)
    size = np.bincount(group)
    often = np.bincount(group, weights=o) / size
    return (
        float(np.sum(size * (said - often) ** 2) / p.size),
        float(np.sum(size * (often - overall) ** 2) / p.size),
    )


@dataclass(frozen=True)
class RangeCoverage:
    """How often stated ranges held what then was measured.

    Attributes:
        ranges: Number of ranges.
        held: How many of them held.
        share: ``held / ranges``.
        low: Lower end of Wilson's 95 % interval of the share.
        high: Upper end.
        expected: Mean of the stated confidences.
    """

    ranges: int
    held: int
    share: float
    low: float
    high: float
    expected: float

    @property
    def verdict(self) -> str:
        """``overconfident``: ranges are too narrow for sure; ``underconfident``: too wide; else ``unclear``.

        Being right as often as stated cannot be proven, only not contradicted.
        """
        if self.high < self.expected:
            return "overconfident"
        if self.low > self.expected:
            return "underconfident"
        return "unclear"


def range_coverage(held: Sequence[bool], confidences: Sequence[float]) -> RangeCoverage:
    """Counts how often stated ranges held.

    Args:
        held: Whether each range held what was measured, shape (n,), n >= 1.
        confidences: Confidence stated with each range, between 0 and 1.

    Returns:
        The coverage with its interval.

    Raises:
        InputError: There is no range, or the lengths differ.

    Examples:
        >>> coverage = range_coverage([True, False, False, False, False, False], [0.8] * 6)
        >>> round(coverage.share, 2), coverage.verdict
        (0.17, 'overconfident')
    """
    if not held or len(held) != len(confidences):
        raise InputError(
            f"needs one confidence for each of at least one range, not {len(held)} and {len(confidences)}"
        )
    inside = sum(held)
    interval = wilson(inside, len(held))
    return RangeCoverage(
        len(held),
        inside,
        inside / len(held),
        float(interval.low),
        float(interval.high),
        sum(confidences) / len(confidences),
    )
