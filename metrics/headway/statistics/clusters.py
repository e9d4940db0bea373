"""Quantiles of many cells at once, of observations several of which may be one person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headway.errors import InputError
from headway.statistics.intervals import Floats, wilson

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """Observations of people in cells: those of one person in one cell follow each other.

    Attributes:
        values: The observations.
        first: Of each person in a cell the place of the first observation.
        cells: Of each person in a cell the cell's number; every number up to the largest is there.
        ranked: The observations by cell, then by size.
        bounds: Where the observations of each cell begin among those, with the end of the last.
    """

    values: Floats
    first: Ints
    cells: Ints
    ranked: Floats
    bounds: Ints


class Quantiles(NamedTuple):
    """One quantile of every cell, with its interval.

    Attributes:
        value: The quantiles, in the unit of the observations.
        low: Lower ends of the intervals; NaN where a cell holds fewer than two people.
        high: Upper ends.
        people: People in each cell.
        beyond: People on the side of the quantile that has fewer of them: it speaks of those.
    """

    value: Floats
    low: Floats
    high: Floats
    people: Ints
    beyond: Ints


def clustered_quantiles(clusters: Clusters, q: float, confidence: float = 0.95) -> Quantiles:
    """The quantile of every cell as `headway.statistics.quantiles.clustered_quantile` finds that of one.

    Args:
        clusters: The observations.
        q: The share up to which observations lie, between 0 and 1.
        confidence: Nominal coverage, between 0 and 1.

    Returns:
        Quantiles by cell.

    Raises:
        InputError: q is not between 0 and 1.

    References:
        See `headway.statistics.quantiles.clustered_quantile`.

    Examples:
        >>> values = np.array([1.0, 2, 3, 4, 5, 6, 7, 5, 6])
        >>> cells = np.array([0, 0, 0, 0, 0, 0, 0, 1])          # the last person has two observations
        >>> first, ranked = np.arange(8), values
        >>> found = clustered_quantiles(Clusters(values, first, cells, ranked, np.array([0, 7, 9])), 0.5)
        >>> found.value.tolist(), found.low.tolist(), found.people.tolist()
        ([4.0, 5.0], [2.0, nan], [7, 1])
    """
    if not 0 < q < 1:
        raise InputError(f"a quantile lies between 0 and 1, not at {q}")
    first, cells, start = clusters.first, clusters.cells, clusters.bounds[:-1]
    size = np.diff(clusters.bounds)
    number = size.size
    value = clusters.ranked[start + _ranks(np.full(number, q), size)]
    own = np.diff(np.append(first, clusters.values.size))
    here = np.repeat(value[cells], own)
    below, above = (_counted(each, first) for each in (clusters.values <= here, clusters.values >= here))
    people = np.bincount(cells, minlength=number)
    share = np.bincount(cells, weights=below, minlength=number) / size
    residuals = below - share[cells] * own
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.bincount(cells, weights=residuals**2, minlength=number)
        variance = people / (people - 1) * spread / size**2.0
        worth = np.where(variance > 0, share * (1 - share) / variance, people.astype(np.float64))
    several = people > 1
    # People are few: what their number leaves open is made up for as Student's quantile does.
    students = special.stdtrit(np.maximum(people - 1, 1), (1 + confidence) / 2)
    worth = np.where(several, worth * (special.ndtri((1 + confidence) / 2) / students) ** 2, 1.0)
    ends = wilson(q * worth, worth, confidence)
    low, high = (
        np.where(several, clusters.ranked[start + _ranks(np.asarray(end), size)], np.nan) for end in ends
    )
    sides = (np.bincount(cells[side > 0], minlength=number) for side in (below, above))
    return Quantiles(value, low, high, people, np.minimum(*sides))


def _counted(there: NDArray[np.bool_], first: Ints) -> Ints:
    """Counts what is there from each place to the next."""
    so_far = np.cumsum(there)
    return np.diff(so_far[np.append(first[1:], there.size) - 1], prepend=0) if first.size else first


def _ranks(shares: Floats, sizes: Ints) -> Ints:
    """Places of the smallest observations up to which shares lie, see `headway.statistics.quantiles`."""
    # A share that is k / n up to rounding is meant as k / n.
    return np.asarray(np.clip(np.ceil(shares * sizes - 1e-9) - 1, 0, sizes - 1), dtype=np.int64)
