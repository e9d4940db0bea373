"""Spells: what is observed of one person in one period, found in observations that are in the order of people and time.

Periods of one kind may overlap, as windows of days do. They are dealt out to layers without overlap; within a layer
everybody's observations of a period follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.frameworks.layers import layers_of
from headway.kernels.ordering import order_of
from headway.kernels.stays import Layer
from headway.statistics.intervals import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Observed:
    """Observations by person, then by time.

    Attributes:
        person: Whose each is.
        day: The local day it is of, in days since 1970-01-01.
        value: Its size.
        is_open: Whether it is not over yet.
        profile: The profile that the person had then.
    """

    person: Ints
    day: Ints
    value: Floats
    is_open: Bools
    profile: Ints

    def at(self, rows: Ints | Bools) -> Observed:
        """Returns some of them."""
        return Observed(
            self.person[rows], self.day[rows], self.value[rows], self.is_open[rows], self.profile[rows]
        )


@dataclass(frozen=True)
class Spells:
    """The observations of some periods of one kind that do not overlap, by person, then by period.

    Attributes:
        grain: The kind of period.
        starts: First days of the periods, in days since 1970-01-01.
        observed: The observations that lie in any of them.
        first: Of each spell the place of its first observation.
        period: Of each spell the place of its period.
        by_value: Places of the observations in the order of their values.
    """

    grain: str
    starts: Ints
    observed: Observed
    first: Ints
    period: Ints
    by_value: Ints

    @cached_property
    def ranked(self) -> Floats:
        """The observed values in their order."""
        return self.observed.value[self.by_value]

    @property
    def sizes(self) -> Ints:
        """How many observations each spell has."""
        return np.diff(np.append(self.first, self.observed.person.size))

    @property
    def profile(self) -> Ints:
        """The profile under which all of a spell counts: that of its first observation."""
        return self.observed.profile[self.first]


def spells_of(observed: Observed, periods: pl.DataFrame) -> Iterator[Spells]:
    """Finds the spells in observations.

    Args:
        observed: The observations.
        periods: The periods of each local day: grain, day, start_day.

    Yields:
        Layers without overlap, those without any observation left out.
    """
    order = np.argsort(observed.value, kind="stable")
    for grain, layer in layers_of(periods):
        spells = _spells(observed, order, grain, layer)
        if spells.first.size:
            yield spells


def _spells(observed: Observed, order: Ints, grain: str, layer: Layer) -> Spells:
    period = layer.place_of(observed.day)
    if (period < 0).any():
        kept = period >= 0
        # Places of what is left, in the order of values.
        order = (np.cumsum(kept) - 1)[order[kept[order]]]
        observed, period = observed.at(kept), period[kept]
    same = observed.person[1:] == observed.person[:-1]
    if np.any(same & (period[1:] < period[:-1])):
        # Clocks that were put back past midnight: time does not go by days.
        rows = np.lexsort((period, observed.person))
        place = np.empty_like(rows)
        place[rows] = np.arange(rows.size)
        observed, period, order = observed.at(rows), period[rows], place[order]
        same = observed.person[1:] == observed.person[:-1]
    begins = (
        np.append(True, ~same | (period[1:] != period[:-1])) if period.size else np.zeros(0, dtype=np.bool_)
    )
    found = np.flatnonzero(begins)
    return Spells(grain, layer.starts, observed, found, period[found], order)


def grouped(codes: NDArray[np.integer], number: int) -> tuple[Ints, Ints]:
    """Orders rows by a small number that each of them has, and otherwise leaves them as they are.

    Args:
        codes: The numbers.
        number: More than any of them.

    Returns:
        Places of the rows in order, and where the rows of each number begin, with the end of the last.
    """
    return order_of(codes, number), np.append(0, np.cumsum(np.bincount(codes, minlength=number)))
