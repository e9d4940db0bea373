"""The store as a question sees it: parts laid over each other, read block by block on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from headway.kernels import (
    Activity,
    Instants,
    StepEvents,
    active_days,
    local_days,
    shared_instants,
    step_events,
    together,
    utc_offsets,
)
from headway.store.part import ANY, Part, next_cut

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")
#: Rows of the largest part in a block: what a step works on should stay in a core's cache.
_BLOCK_ROWS = 400_000
#: Where a block has more cells of person and name than this many a row, sorting finds the few that are not empty.
_CELLS_PER_ROW = 4


@dataclass(frozen=True)
class Rows:
    """Events that match something, ordered by person and time; those of one instant come in any order.

    Attributes:
        person: Number of the person.
        us: Epoch microseconds.
        mark: What each was looked up as.
    """

    person: npt.NDArray[np.uint32]
    us: npt.NDArray[np.int64]
    mark: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PersonStore:
    """Events of people, ordered by person and time.

    Attributes:
        parts: Parts, older first.
        names: Names of the events, by code.
        people: Number of persons there are; their numbers are below it.
        timezone: Reporting time zone of the days that were rolled up.
        behaviours: Codes whose days were rolled up, and `ANY`.
        version: Fingerprint of what the store was made from.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    people: int
    timezone: str
    behaviours: frozenset[int]
    version: str = ""

    @property
    def rows(self) -> int:
        """Rows there are, those that no longer count included."""
        return sum(map(len, self.parts))

    @cached_property
    def extent(self) -> tuple[int, int]:
        """First and last instant; (0, -1) where there are no events."""
        filled = [part for part in self.parts if len(part)]
        if not filled:
            return 0, -1
        return min(int(part.us.min()) for part in filled), max(int(part.us.max()) for part in filled)

    def codes(self, names: Iterable[str]) -> list[int]:
        """Looks up the codes of events; names that never occur have none.

        Args:
            names: Names.

        Returns:
            Codes.
        """
        wanted = set(names)
        return [code for code, name in enumerate(self.names) if name in wanted]

    def lookup(self, marks: Mapping[int, int]) -> npt.NDArray[np.uint8]:
        """Makes the table that says what each code is looked up as.

        Args:
            marks: Mark by code; other codes have 0.

        Returns:
            A table of all codes.
        """
        table = np.zeros(max(len(self.names), 1), np.uint8)
        for code, mark in marks.items():
            table[code] = mark
        return table

    def each_block(
        self,
        table: npt.NDArray[np.uint8],
        work: Callable[[Rows], _Result],
        *,
        since_us: int | None = None,
        until_us: int | None = None,
    ) -> list[_Result]:
        """Does something with the events of each block of persons, on all cores.

        Args:
            table: What to look up each code as; rows looked up as 0 are left out.
            work: What to do.
            since_us: First instant; None starts with the log.
            until_us: Last instant, included; None ends with the log.

        Returns:
            One result per block, in order of persons.
        """

        def of_block(bounds: tuple[int, int]) -> _Result:
            return work(self._rows(table, bounds, since_us, until_us))

        return on_all_cores(of_block, list(self._blocks()))

    def kept(self, steps: Sequence[Sequence[int]]) -> tuple[list[StepEvents], Instants | None] | None:
        """Looks up where the events of steps lie, which a small store keeps from one question to the next.

        Args:
            steps: Codes of each step.

        Returns:
            The events of each step, and which share an instant; None where the store is not small, or in parts.
        """
        if len(self.parts) != 1 or len(self.parts[0].dead) or self.rows > _BLOCK_ROWS or not all(steps):
            return None
        return [together([self._lie(code) for code in codes]) for codes in steps], self._instants

    def _lie(self, code: int) -> StepEvents:
        if code not in self._lying:
            (part,) = self.parts
            self._lying[code] = step_events(part.person, part.us, part.code == code)
        return self._lying[code]

    @cached_property
    def _lying(self) -> dict[int, StepEvents]:
        return {}

    @cached_property
    def _instants(self) -> Instants | None:
        (part,) = self.parts
        return shared_instants(part.person, part.us)

    def events(self) -> list[tuple[str, int, int]] | None:
        """Counts the events by name.

        Returns:
            Name, events and people of each event that occurs, in order of names; None where there are too many names.
        """
        size = len(self.names)
        if size > np.iinfo(np.uint8).max:
            return None
        table = self.lookup({code: code + 1 for code in range(size)})

        def of_block(bounds: tuple[int, int]) -> npt.NDArray[np.int64]:
            if len(self.parts) == 1 and not len(self.parts[0].dead):
                rows = _range(self.parts[0], *bounds)
                return _counts_by_code(self.parts[0].person[rows], self.parts[0].code[rows], size)
            merged = self._rows(table, bounds)
            return _counts_by_code(merged.person, merged.mark - np.uint8(1), size)

        events, people = np.sum(on_all_cores(of_block, list(self._blocks())), axis=0).tolist()
        found = zip(self.names, events, people, strict=True)
        return sorted(each for each in found if each[1])

    def activity(self, codes: Collection[int] | None, timezone: str) -> list[Activity]:
        """Finds the active days of a behaviour.

        Args:
            codes: Events that make a person active, any of them; None takes any event.
            timezone: Whose days.

        Returns:
            Activities to be combined: from what was rolled up where it was, else from the events.

        Raises:
            ValueError: Events lie outside of the calendar.
        """
        wanted = [ANY] if codes is None else sorted(codes)
        if timezone == self.timezone and self.behaviours.issuperset(wanted):
            return [
                _alive(each, part.dead)
                for part in self.parts
                for code in wanted
                for each in part.activity.get(code, ())
            ]
        table = self.lookup(dict.fromkeys(range(len(self.names)) if codes is None else codes, 1))
        offsets = utc_offsets(timezone, *self.extent) if self.extent[0] <= self.extent[1] else None
        if offsets is None:
            return []
        found = self.each_block(table, lambda rows: active_days(rows.person, local_days(rows.us, offsets)))
        return [each for block in found for each in block]

    def _rows(
        self,
        table: npt.NDArray[np.uint8],
        bounds: tuple[int, int],
        since_us: int | None = None,
        until_us: int | None = None,
    ) -> Rows:
        found = [_matching(part, table, bounds, since_us, until_us) for part in self.parts]
        return _merged([rows for rows in found if len(rows.us)])

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """Cuts the persons into ranges of about as many rows."""
        largest = max(self.parts, key=len, default=None)
        first, row = 0, _BLOCK_ROWS
        while largest is not None and row < len(largest):
            cut = next_cut(largest, row)
            if cut < len(largest):
                after = int(largest.person[cut])
                yield first, after
                first = after
            row = cut + _BLOCK_ROWS
        yield first, 1 << 32


def _range(part: Part, first: int, after: int) -> slice:
    """The rows of a range of persons."""
    low, high = 0, len(part)
    if first > 0 or after < 1 << 32:
        low = int(np.searchsorted(part.person, np.uint32(first)))
        high = high if after >= 1 << 32 else int(np.searchsorted(part.person, np.uint32(after)))
    return slice(low, high)


def _matching(
    part: Part,
    table: npt.NDArray[np.uint8],
    bounds: tuple[int, int],
    since_us: int | None,
    until_us: int | None,
) -> Rows:
    inside = _range(part, *bounds)
    person, us = part.person[inside], part.us[inside]
    mark = table.take(part.code[inside], mode="clip")
    wanted = mark != 0
    if not wanted.all():
        rows = np.flatnonzero(wanted)
        person, us, mark = person.take(rows), us.take(rows), mark.take(rows)
    tests = []
    if since_us is not None:
        tests.append(us >= since_us)
    if until_us is not None:
        tests.append(us <= until_us)
    if len(part.dead):
        tests.append(~_is_in(person, part.dead))
    if not tests:
        return Rows(person, us, mark)
    kept = np.flatnonzero(np.logical_and.reduce(tests))
    return Rows(person, us, mark) if len(kept) == len(us) else _of(Rows(person, us, mark), kept)


def _of(rows: Rows, kept: npt.NDArray[np.intp]) -> Rows:
    return Rows(rows.person.take(kept), rows.us.take(kept), rows.mark.take(kept))


def _counts_by_code(
    person: npt.NDArray[np.uint32], code: npt.NDArray[np.integer], size: int
) -> npt.NDArray[np.int64]:
    """Counts events and people by code; persons are ascending."""
    if not len(person):
        return np.zeros((2, size), np.int64)
    first = person[0]
    cells = (int(person[-1]) - int(first) + 1) * size
    if cells > _CELLS_PER_ROW * len(person):
        return _counts_of_few(person, code, size)
    # One cell for each person and name.
    place = (person - first if first else person) * np.uint32(size)
    place += code
    times = np.bincount(place, minlength=cells).reshape(-1, size)
    return np.stack([times.sum(axis=0), np.count_nonzero(times, axis=0)])


def _counts_of_few(
    person: npt.NDArray[np.uint32], code: npt.NDArray[np.integer], size: int
) -> npt.NDArray[np.int64]:
    order = np.argsort(code, kind="stable")
    code, person = code.take(order), person.take(order)
    begins = np.ones(len(code), np.bool_)
    np.not_equal(person[1:], person[:-1], out=begins[1:])
    begins[1:] |= code[1:] != code[:-1]
    return np.stack([np.bincount(code, minlength=size), np.bincount(code[begins], minlength=size)])


def _merged(found: list[Rows]) -> Rows:
    if not found:
        return Rows(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0, np.uint8))
    if len(found) == 1:
        return found[0]
    person = np.concatenate([rows.person for rows in found])
    us = np.concatenate([rows.us for rows in found])
    mark = np.concatenate([rows.mark for rows in found])
    order = in_order(person, us)
    return Rows(person.take(order), us.take(order), mark.take(order))


def in_order(person: npt.NDArray[np.uint32], us: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Orders rows by person and time; a few runs that are in order already are merged quickly.

    Args:
        person: Persons.
        us: Instants.

    Returns:
        Row numbers.
    """
    first, base = int(person.min()), int(us.min())
    span = int(us.max()) - base + 1
    if (int(person.max()) - first + 1) * span >= 1 << 63:
        return np.lexsort((us, person))
    return np.argsort((person - np.uint32(first)).astype(np.int64) * span + (us - base), kind="stable")


def _is_in(person: npt.NDArray[np.uint32], dead: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    place = np.searchsorted(dead, person)
    found: npt.NDArray[np.bool_] = dead.take(place, mode="clip") == person
    return found


def _alive(activity: Activity, dead: npt.NDArray[np.uint32]) -> Activity:
    if not len(dead):
        return activity
    keep = ~_is_in(activity.persons, dead)
    return Activity(activity.first_word, activity.persons[keep], activity.words[:, keep])


def on_all_cores(work: Callable[[_Argument], _Result], arguments: Sequence[_Argument]) -> list[_Result]:
    """Does the same with each of several things, side by side: NumPy lets go of the interpreter while it works.

    Args:
        work: What to do.
        arguments: With what.

    Returns:
        One result each, in the same order.
    """
    if len(arguments) < 2:
        return [work(each) for each in arguments]
    with ThreadPoolExecutor(_cores()) as pool:
        return list(pool.map(work, arguments))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
