"""Stays: one person in one period, found in what people did day by day.

A diary lists what each person did on each day, in the order of people and days. Periods of one kind without overlap
are a layer. All that one person did in one period of a layer follows each other, so that what SQL groups by person and
period is a stretch of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """Periods of one kind that do not overlap.

    Attributes:
        starts: First day of each, ascending, in days since 1970-01-01.
        first: The first local day that `places` speaks of.
        places: Of each local day from `first` on the place of its period among `starts`; -1 where it is in none.
    """

    starts: Ints
    first: int
    places: Ints

    @property
    def number(self) -> int:
        """How many periods there are."""
        return self.starts.size

    def place_of(self, day: npt.NDArray[np.integer]) -> Ints:
        """Returns the place of the period of each day; -1 where it is in none."""
        at = day.astype(np.int64) - self.first
        known = (at >= 0) & (at < self.places.size)
        return self.places[at] if known.all() else np.where(known, self.places[np.where(known, at, 0)], -1)

    @cached_property
    def sizes(self) -> Ints:
        """How many days each period has."""
        return np.bincount(self.places[self.places >= 0], minlength=self.number)


@dataclass(frozen=True)
class Diary:
    """What people did, in the order of people and days.

    Attributes:
        person: Whose each row is: numbers from 0 on, or any others that are not negative.
        day: The local day.
        at: When it was done first, or a number that orders as instants do.
        times: How often.
        marks: Columns of bits, a bit for each thing that can have been done.
        adds: What each row adds to a sum; nothing where nothing is added up.
    """

    person: npt.NDArray[np.integer]
    day: npt.NDArray[np.integer]
    at: Ints
    times: npt.NDArray[np.integer]
    marks: Sequence[Ints] = ()
    adds: Floats | None = None

    def at_rows(self, rows: Ints | npt.NDArray[np.bool_]) -> Diary:
        """Returns some rows, without marks."""
        adds = None if self.adds is None else self.adds[rows]
        return Diary(self.person[rows], self.day[rows], self.at[rows], self.times[rows], adds=adds)

    def of(self, bits: Sequence[int]) -> Diary:
        """Returns the rows that carry any of some bits, given column by column."""
        there = [column & bit for column, bit in zip(self.marks, bits, strict=True) if bit]
        rows = np.flatnonzero(np.bitwise_or.reduce(there)) if there else np.zeros(0, dtype=np.int64)
        return self.at_rows(rows)


class Stays:
    """Who was there in which period of a layer, and what there is of it: ordered by person, then by period.

    Args:
        done: What people did to be there.
        layer: The periods.

    Examples:
        >>> week = Layer(np.array([0, 7]), 0, np.repeat([0, 1], 7))
        >>> days = np.array([1, 1, 3, 9, 2])
        >>> diary = Diary(np.array([4, 4, 4, 4, 5]), days, 10 * days, np.array([2, 1, 1, 1, 1]))
        >>> stays = Stays(diary, week)
        >>> stays.person.tolist(), stays.period.tolist(), stays.at.tolist()
        ([4, 4, 5], [0, 1, 0], [10, 90, 20])
        >>> stays.times.tolist(), stays.days.tolist()
        ([4, 1, 1], [2, 1, 1])
    """

    def __init__(self, done: Diary, layer: Layer) -> None:
        place = layer.place_of(done.day)
        if place.size and place.min() < 0:
            kept = place >= 0
            place = place[kept]
            done = done.at_rows(kept)
        self.layer = layer
        self._done = done
        rows = done.person.astype(np.int64) * layer.number + place
        self._begins = _changes(rows)
        self._first = np.flatnonzero(self._begins)
        self.key = rows[self._first]
        """Person and period of each stay in one number, ascending."""

    @property
    def size(self) -> int:
        """How many stays there are."""
        return self.key.size

    @cached_property
    def person(self) -> Ints:
        """Whose each stay is."""
        return self.key // self.layer.number

    @cached_property
    def period(self) -> Ints:
        """The place of its period."""
        return self.key % self.layer.number

    @cached_property
    def at(self) -> Ints:
        """When the first thing was done in it."""
        return _reduced(np.minimum, self._done.at, self._first)

    @cached_property
    def times(self) -> Ints:
        """How often anything was done in it."""
        return _reduced(np.add, self._done.times.astype(np.int64), self._first)

    @cached_property
    def days(self) -> Ints:
        """On how many days."""
        anew = self._begins | _changes(self._done.day)
        return _reduced(np.add, anew.astype(np.int64), self._first)

    @cached_property
    def added(self) -> Floats:
        """What is added up in it: first by day, then by stay, smallest first: equal rows give equal bits.

        What adds nothing is left out, which changes nothing.
        """
        if self._done.adds is None:
            return np.zeros(self.size)
        anew = self._begins | _changes(self._done.day)
        day, stay = np.cumsum(anew) - 1, np.cumsum(self._begins[anew]) - 1
        return _smallest_first(_smallest_first(self._done.adds, day, stay.size), stay, self.size)

    def found(self, others: Stays) -> tuple[Ints, Ints]:
        """Looks other stays of the same layer up.

        Args:
            others: The others.

        Returns:
            Places of those of the others that are here too, and their places here.
        """
        if not self.size:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.key, others.key), self.size - 1)
        theirs = np.flatnonzero(self.key[at] == others.key)
        return theirs, at[theirs]


def together(one: Stays, other: Stays) -> tuple[Ints, Ints]:
    """Puts stays of two kinds in one layer together.

    Args:
        one: Some stays.
        other: Others of the same layer.

    Returns:
        The keys of all of them, ascending, and when the first thing of either kind was done.
    """
    # Both are in order, which this kind of sorting notices.
    both = np.sort(np.concatenate([one.key, other.key]), kind="stable")
    key = both[_changes(both)]
    at = np.full(key.size, np.iinfo(np.int64).max)
    for each in (one, other):
        place = np.searchsorted(key, each.key)
        at[place] = np.minimum(at[place], each.at)
    return key, at


def _smallest_first(values: Floats, groups: Ints, number: int) -> Floats:
    """Adds values up by group, the smallest of each first, one after the other."""
    adding = np.flatnonzero(values)
    order = adding[np.argsort(values[adding], kind="stable")]
    return np.asarray(np.bincount(groups[order], weights=values[order], minlength=number), dtype=np.float64)


def _changes(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Says of each row whether it differs from the one before; the first one does."""
    changed = np.ones(rows.size, dtype=np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=changed[1:])
    return changed


def _reduced(how: np.ufunc, values: Ints, first: Ints) -> Ints:
    return how.reduceat(values, first) if first.size else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Moves:
    """How people come, stay, leave and come back, from period to period: one entry per person, period and move.

    Attributes:
        person: Who.
        period: The place of the period.
        at: When the person was active first in the period that the move is told from.
        move: Place of the move in `NAMES`.
    """

    NAMES = ("new", "returning", "resurrected", "kept", "dormant")

    person: Ints
    period: Ints
    at: Ints
    move: npt.NDArray[np.int8]


def moves_of(active: Stays) -> Moves:
    """Finds the moves of people who are active in periods that follow each other without a gap.

    Args:
        active: Who is active when.

    Returns:
        Moves; of the period after the last one none.

    Examples:
        >>> layer = Layer(np.array([0, 1, 2]), 0, np.array([0, 1, 2]))
        >>> ones = np.ones(2, dtype=np.int64)
        >>> found = moves_of(Stays(Diary(ones, np.array([0, 2]), np.array([5, 6]), ones), layer))
        >>> [(int(period), Moves.NAMES[move]) for period, move in zip(found.period, found.move)]
        [(0, 'new'), (2, 'resurrected'), (1, 'dormant')]
    """
    person, period = active.person, active.period
    follows, next_to = np.zeros(active.size, dtype=np.bool_), np.zeros(active.size, dtype=np.bool_)
    np.equal(person[1:], person[:-1], out=follows[1:])
    next_to[1:] = follows[1:] & (period[1:] - period[:-1] == 1)
    came = np.where(follows, np.where(next_to, 1, 2), 0).astype(np.int8)
    goes_on = np.append(next_to[1:], False) if active.size else next_to
    left = np.where(goes_on, 3, 4).astype(np.int8)
    later = period + 1 < active.layer.number
    return Moves(
        np.concatenate([person, person[later]]),
        np.concatenate([period, period[later] + 1]),
        np.concatenate([active.at, active.at[later]]),
        np.concatenate([came, left[later]]),
    )
