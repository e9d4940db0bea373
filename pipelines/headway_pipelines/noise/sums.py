"""Noisy sums of cells, and the values and intervals that follow from them alone.

Whatever is made of noisy sums tells no more than these do (Dwork and Roth, 2014: "The algorithmic foundations of
differential privacy", proposition 2.1), so the exact sums are looked at nowhere but here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from headway.statistics.intervals import Floats, poisson_exact, wilson
from headway_pipelines.noise.mechanism import margin_of, scale_of, with_laplace

STEPS: Final = 2**20
"""Steps into which the most that a person adds is divided, where amounts are no whole numbers."""

_TAIL: Final = 1.959963984540054

SUMS: Final[dict[str, pl.DataType]] = {
    "estimate": pl.String(),
    "epsilon": pl.Float64(),
    "at_most": pl.Float64(),
    "n": pl.Float64(),
    "y": pl.Float64(),
    "n_margin": pl.Float64(),
    "y_margin": pl.Float64(),
}
"""Columns and types of noisy sums.

``n`` is the number of people, ``y`` what they add up to, of a mean its excess over half of the most for each; the
margins say how far the noise moved them at most, 95 times of 100.
"""


@dataclass(frozen=True)
class Bound:
    """What one person adds at most.

    Attributes:
        at_most: The most a person adds to y; 1 where a person counts once.
        whole: Whether what is added is whole numbers.
    """

    at_most: float = 1.0
    whole: bool = True

    @property
    def step(self) -> float:
        """Size of the steps in which y is counted; half of 1 for whole numbers, so that half of the most is whole."""
        return 0.5 if self.whole else self.at_most / STEPS / 2

    @property
    def steps(self) -> int:
        """What a person adds to y at most, in steps; one more for rounding each way where steps are fine."""
        return round(self.at_most / self.step) + (0 if self.whole else 2)


def noisy_sums(cells: pl.DataFrame, bound: Bound, epsilon: float) -> pl.DataFrame:
    """Draws noise for cells of one metric whose people are disjoint.

    Args:
        cells: estimate, people and numerator.
        bound: What one person adds at most.
        epsilon: What they may tell of a person.

    Returns:
        One row per cell, see `SUMS`.

    Raises:
        HeadwayError: OpenDP is missing or refused.
    """
    kind = str(cells["estimate"][0])
    people = [int(each) for each in cells["people"].fill_null(0)]
    y = cells["numerator"].fill_null(0.0).to_list()
    if kind == "count":
        noisy = with_laplace(people, sensitivity=1, epsilon=epsilon)
        return _frame(kind, epsilon, bound, noisy, noisy, (1 / epsilon, 1.0), (1 / epsilon, 1.0))
    if kind == "proportion":
        # A person is either among those who did it or among the others: two numbers at the price of one.
        did = with_laplace([int(each) for each in y], sensitivity=1, epsilon=epsilon)
        rest = with_laplace(
            [n - int(each) for n, each in zip(people, y, strict=True)], sensitivity=1, epsilon=epsilon
        )
        n = [a + b for a, b in zip(did, rest, strict=True)]
        return _frame(kind, epsilon, bound, n, did, (1 / epsilon, 1.0), (1 / epsilon, 1.0))
    half = epsilon / 2
    n = with_laplace(people, sensitivity=1, epsilon=half)
    middle = bound.at_most / 2 if kind == "mean" else 0.0
    steps = bound.steps if kind == "total" else bound.steps // 2 + bound.steps % 2 + (0 if bound.whole else 2)
    counted = [round((each - middle * many) / bound.step) for each, many in zip(y, people, strict=True)]
    noisy_y = [each * bound.step for each in with_laplace(counted, sensitivity=steps, epsilon=half)]
    scales = (scale_of(1, half), 1.0), (scale_of(steps, half), bound.step)
    return _frame(kind, epsilon, bound, n, noisy_y, *scales)


def _frame(
    kind: str,
    epsilon: float,
    bound: Bound,
    n: list[int],
    y: list[int] | list[float],
    n_scale: tuple[float, float],
    y_scale: tuple[float, float],
) -> pl.DataFrame:
    content = {
        "estimate": [kind] * len(n),
        "epsilon": [epsilon] * len(n),
        "at_most": [bound.at_most] * len(n),
        "n": n,
        "y": y,
        "n_margin": [margin_of(*n_scale)] * len(n),
        "y_margin": [margin_of(*y_scale)] * len(n),
    }
    return pl.DataFrame(content, schema=SUMS, strict=False)


def values_of(sums: pl.DataFrame) -> pl.DataFrame:
    """Makes values with intervals of noisy sums.

    The interval holds what could have been by chance and by noise: the root of the sum of squares of both. What chance
    does is told from the noisy sums; for amounts, whose spread was not published, it is the most that it can be: a mean
    m of amounts from 0 to b varies by at most ``m (b - m)`` (Bhatia and Davis, 2000), a sum y by at most ``b y``.

    Args:
        sums: Noisy sums, see `SUMS`.

    Returns:
        One row per cell: value, numerator, denominator, people, low, high, interval_method, noise_margin (how far noise
        moved the value at most, 95 times of 100).
    """
    kinds = sums["estimate"].unique().to_list()
    parts = [_of_kind(kind, sums.with_row_index("at").filter(pl.col("estimate") == kind)) for kind in kinds]
    return pl.concat(parts).sort("at").drop("at") if parts else pl.DataFrame(schema=_VALUES)


_VALUES: Final[dict[str, pl.DataType]] = {
    **dict.fromkeys(("value", "numerator", "denominator"), pl.Float64()),
    "people": pl.Int64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "interval_method": pl.String(),
    "noise_margin": pl.Float64(),
}


def _of_kind(kind: str, sums: pl.DataFrame) -> pl.DataFrame:
    n = np.maximum(sums["n"].to_numpy(), 0.0)
    raw = sums["y"].to_numpy()
    y = np.maximum(raw, 0.0)
    most = sums["at_most"].to_numpy()
    n_margin, y_margin = sums["n_margin"].to_numpy(), sums["y_margin"].to_numpy()
    top, denominator = np.full(len(n), np.inf), None
    some = np.maximum(n, 1.0)
    if kind == "count":
        value, chance, method = n, poisson_exact(n), "poisson exact"
        low, high, margin, numerator = chance.low, chance.high, n_margin, n
    elif kind == "proportion":
        numerator, denominator, top = np.minimum(y, n), n, np.ones(len(n))
        value = numerator / some
        chance, method = wilson(numerator, some), "wilson"
        low, high = chance.low, chance.high
        margin = np.sqrt(value**2 + (1 - value) ** 2) * y_margin / some
    elif kind == "mean":
        value, denominator, top = np.clip(raw / some + most / 2, 0, most), n, most
        numerator = value * n
        half = _TAIL * np.sqrt(value * (most - value) / some)
        low, high, method = value - half, value + half, "largest variance"
        margin = np.sqrt(y_margin**2 + ((value - most / 2) * n_margin) ** 2) / some
    else:
        value, numerator = y, y
        half = _TAIL * np.sqrt(most * y)
        low, high, method, margin = value - half, value + half, "largest variance", y_margin
    content = {
        "at": sums["at"],
        "value": value,
        "numerator": numerator,
        "denominator": np.full(len(n), np.nan) if denominator is None else denominator,
        "people": np.rint(n),
        "low": np.clip(value - _beside(value - low, margin), 0, top),
        "high": np.clip(value + _beside(high - value, margin), 0, top),
        "interval_method": [f"{method}, with noise"] * len(n),
        "noise_margin": margin,
    }
    found = pl.DataFrame(content, schema={"at": pl.UInt32(), **_VALUES}, strict=False)
    return found.with_columns(pl.col(pl.Float64).fill_nan(None))


def _beside(chance: Floats, noise: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(chance) + np.square(noise)), dtype=np.float64)
