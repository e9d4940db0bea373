"""How far each person gets through a series of steps, in a few passes over sorted arrays.

Going through the events in order of time, all that a funnel needs to know at an event of step k is the latest start
that has come to step k-1 by then: a later start has more of its window left. Such starts never go back in time, so
that the latest one belongs to the last event of step k-1 that counted, and a running count finds it. No loop goes
over events; loops go over steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Attempts:
    """The attempt that is reported of each person who started one.

    Attributes:
        person: Persons, ascending.
        level: The furthest step each got to, from 1.
        times: One row per step, one column per person: the instant the step was taken. Beyond a person's level
            it means nothing.
    """

    person: npt.NDArray[np.integer]
    level: npt.NDArray[np.int8]
    times: npt.NDArray[np.int64]


def reported_attempts(
    person: Ints,
    us: Ints,
    step: Ints,
    *,
    steps: int,
    within_us: int,
    entry: Literal["best", "first", "latest"] = "best",
    strictly_later: bool = False,
) -> Attempts | None:
    """Finds each person's furthest attempt; of those the one that finishes earliest, then starts latest.

    An attempt starts at an event of step 1. Each later step takes another event, not earlier than the one before it
    and at most `within_us` after the start.

    Args:
        person: Who, ascending.
        us: When, ascending within a person; events of one instant in any order.
        step: Which step the event fills, from 1; no event fills two.
        steps: Number of steps.
        within_us: Length of the window.
        entry: ``"best"``: every event of step 1 may start an attempt; ``"first"``: only the person's first one;
            ``"latest"``: each restarts the attempt.
        strictly_later: Whether each step must be later than the one before it; otherwise events of one instant count
            in any order.

    Returns:
        The attempts; None where an attempt is restarted in an instant that has later steps as well, which this
        function does not tell apart.

    Examples:
        >>> person, us, step = np.array([1, 1, 1, 2]), np.array([0, 5, 9, 3]), np.array([1, 2, 2, 1])
        >>> found = reported_attempts(person, us, step, steps=2, within_us=5)
        >>> found.person.tolist(), found.level.tolist(), found.times[:, 0].tolist()
        ([1, 2], [2, 1], [0, 5])
    """
    tied = _ties(person, us)
    if tied.any():
        if entry == "latest" and not strictly_later and _restarts_in_a_tie(person, us, step, tied):
            return None
        order = _in_step_order(tied, step, descending=strictly_later)
        step = step if order is None else step.take(order)
    by_step = [np.flatnonzero(step == number) for number in range(1, steps + 1)]
    rows, who = by_step[0], person.take(by_step[0])
    if entry == "first":
        first = _first_of_each(who)
        rows, who = rows[first], who[first]
    start = _Starts(rows, who, us.take(rows))
    reached = _reached(person, us, by_step, start, within_us=within_us, restarts=entry == "latest")
    return _reported(us, by_step, start, reached)


def _ties(person: Ints, us: Ints) -> npt.NDArray[np.bool_]:
    """Marks events at the same instant as the person's event before."""
    tied = np.zeros(len(us), np.bool_)
    np.equal(us[1:], us[:-1], out=tied[1:])
    tied[1:] &= person[1:] == person[:-1]
    return tied


def _in_tie(tied: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Lists the events that share their instant with another."""
    member = tied.copy()
    member[:-1] |= tied[1:]
    return np.flatnonzero(member)


def _in_step_order(
    tied: npt.NDArray[np.bool_], step: Ints, *, descending: bool
) -> npt.NDArray[np.intp] | None:
    """Orders events of one instant by step, so that going through them takes as many steps as can be taken.

    Descending, no event sees one of its own instant that could have come before it.
    """
    rows = _in_tie(tied)
    instant = np.cumsum(~tied.take(rows))
    key = step.take(rows).astype(np.int64)
    sorted_rows = rows.take(np.lexsort((-key if descending else key, instant)))
    if np.array_equal(rows, sorted_rows):
        return None
    order = np.arange(len(step))
    order[rows] = sorted_rows
    return order


def _restarts_in_a_tie(person: Ints, us: Ints, step: Ints, tied: npt.NDArray[np.bool_]) -> bool:
    rows = _in_tie(tied)
    instant = np.cumsum(~tied.take(rows))
    with_start = np.unique(instant[step.take(rows) == 1])
    with_later = np.unique(instant[step.take(rows) != 1])
    return bool(np.intersect1d(with_start, with_later, assume_unique=True).size)


@dataclass(frozen=True)
class _Starts:
    """Events that start attempts: their row numbers, who, and when."""

    rows: npt.NDArray[np.intp]
    person: Ints
    us: Ints


@dataclass(frozen=True)
class _Level:
    """Events at which a step is taken in time: their row numbers, and which start each belongs to, by its place."""

    rows: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]


def _reached(
    person: Ints,
    us: Ints,
    by_step: list[npt.NDArray[np.intp]],
    start: _Starts,
    *,
    within_us: int,
    restarts: bool,
) -> list[_Level]:
    levels = [_Level(start.rows, np.arange(len(start.rows)))]
    for rows in by_step[1:]:
        before = levels[-1]
        if not len(before.rows):
            levels.append(before)
            continue
        place = _before(before.rows, rows, len(us))
        started = before.starts.take(place)
        counts = place >= 0
        counts &= start.person.take(started) == person.take(rows)
        counts &= us.take(rows) - start.us.take(started) <= within_us
        if restarts:
            counts &= started == _before(start.rows, rows, len(us))
        kept = np.flatnonzero(counts)
        levels.append(_Level(rows.take(kept), started.take(kept)))
    return levels


def _before(earlier: npt.NDArray[np.intp], rows: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    """Finds the place of the last of some rows up to each row; -1 where there is none."""
    mark = np.zeros(size, np.int8)
    mark[earlier] = 1
    # Counted in 32 bits, which a core's cache holds more of; indexes must be as wide as NumPy's own.
    return np.subtract(np.add.accumulate(mark, dtype=np.int32).take(rows), 1, dtype=np.intp)


def _first_of_each(person: Ints) -> npt.NDArray[np.bool_]:
    """Marks the first of each person."""
    first = np.ones(len(person), np.bool_)
    np.not_equal(person[1:], person[:-1], out=first[1:])
    return first


def _reported(
    us: Ints, by_step: list[npt.NDArray[np.intp]], start: _Starts, reached: list[_Level]
) -> Attempts:
    begins = _first_of_each(start.person)
    # Which person each start belongs to, counted from 0.
    number_of = np.cumsum(begins) - 1
    chosen = np.flatnonzero(begins)
    level = np.ones(len(chosen), np.int8)
    finish = start.rows.take(chosen)
    for number, each in enumerate(reached[1:], start=2):
        if not len(each.rows):
            break
        whose = number_of.take(each.starts)
        first = np.flatnonzero(_first_of_each(whose))
        place = whose.take(first)
        level[place] = number
        chosen[place] = each.starts.take(first)
        finish[place] = each.rows.take(first)
    times = np.zeros((len(by_step), len(chosen)), np.int64)
    who, row = start.person[begins], start.rows.take(chosen)
    times[0] = us.take(row)
    finished = us.take(finish)
    for number, rows in enumerate(by_step[1:], start=2):
        # Beyond a person's level it means nothing, so that the finish may stand there too.
        times[number - 1] = finished
        between = np.flatnonzero(level > number)
        if len(between):
            # The first event of this step after the one before: it is there, as the attempt got further.
            following = rows.take(_before(rows, row.take(between), len(us)) + 1)
            row[between] = following
            times[number - 1, between] = us.take(following)
    return Attempts(who, level, times)
