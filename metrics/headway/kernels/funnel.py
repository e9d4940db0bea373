"""How far each person gets through a series of steps, in a few passes over sorted arrays.

Going through the events in order of time, all that a funnel needs to know at an event of step k is the latest start
that has come to step k-1 by then: a later start has more of its window left. Such starts never go back in time, so
that the latest one belongs to the last event of step k-1 that counted, and a running count finds it. No loop goes
over events; loops go over steps, and each looks at the events of its own step only. Where these lie does not depend
on the question: a small store keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Entry = Literal["best", "first", "latest"]


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


@dataclass(frozen=True)
class StepEvents:
    """Where the events that fill a step lie among others.

    Attributes:
        rows: Their row numbers, ascending.
        person: Who.
        us: When.
        before: How many of them lie before each row, and last how many there are.
    """

    rows: npt.NDArray[np.intp]
    person: Ints
    us: Ints
    before: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Instants:
    """Which rows share an instant of a person.

    Attributes:
        first: The first row of each row's instant.
        after: The row after its last one.
    """

    first: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]


def reported_attempts(
    person: Ints,
    us: Ints,
    step: Ints,
    *,
    steps: int,
    within_us: int,
    entry: Entry = "best",
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
    events = [step_events(person, us, step == number) for number in range(1, steps + 1)]
    instants = shared_instants(person, us)
    return attempts_among(events, instants, within_us=within_us, entry=entry, strictly_later=strictly_later)


def step_events(person: Ints, us: Ints, filling: npt.NDArray[np.bool_]) -> StepEvents:
    """Finds the events that fill a step.

    Args:
        person: Who, ascending.
        us: When.
        filling: Whether each event fills the step.

    Returns:
        Where they lie.

    Examples:
        >>> found = step_events(np.array([1, 1, 2]), np.array([0, 5, 3]), np.array([True, False, True]))
        >>> found.rows.tolist(), found.before.tolist()
        ([0, 2], [0, 1, 1, 2])
    """
    rows = np.flatnonzero(filling)
    # Counted in 32 bits, which a core's cache holds more of.
    before = np.zeros(len(filling) + 1, np.int32)
    np.add.accumulate(filling.view(np.int8), dtype=np.int32, out=before[1:])
    return StepEvents(rows, person.take(rows), us.take(rows), before)


def together(events: Sequence[StepEvents]) -> StepEvents:
    """Joins events that fill the same step.

    Args:
        events: Events of the same rows, at least one; no row twice.

    Returns:
        All of them.

    Examples:
        >>> person, us = np.array([1, 1, 2]), np.array([0, 5, 3])
        >>> one, other = (step_events(person, us, np.array(mine, bool)) for mine in ([0, 0, 1], [1, 0, 0]))
        >>> together([one, other]).rows.tolist(), together([one, other]).before.tolist()
        ([0, 2], [0, 1, 1, 2])
    """
    if len(events) == 1:
        return events[0]
    rows = np.concatenate([each.rows for each in events])
    order = np.argsort(rows, kind="stable")
    person = np.concatenate([each.person for each in events]).take(order)
    us = np.concatenate([each.us for each in events]).take(order)
    return StepEvents(
        rows.take(order), person, us, np.sum([each.before for each in events], axis=0, dtype=np.int32)
    )


def shared_instants(person: Ints, us: Ints) -> Instants | None:
    """Finds events of a person at the same instant.

    Args:
        person: Who, ascending.
        us: When, ascending within a person.

    Returns:
        Which rows belong together; None where no two do.

    Examples:
        >>> found = shared_instants(np.array([1, 1, 1, 2]), np.array([3, 5, 5, 5]))
        >>> found.first.tolist(), found.after.tolist()
        ([0, 1, 1, 3], [1, 3, 3, 4])
    """
    begins = np.ones(len(us), np.bool_)
    np.not_equal(us[1:], us[:-1], out=begins[1:])
    begins[1:] |= person[1:] != person[:-1]
    if begins.all():
        return None
    edges = np.flatnonzero(begins).astype(np.int32)
    ends = np.append(edges[1:], np.int32(len(us)))
    rows = ends - edges
    return Instants(np.repeat(edges, rows), np.repeat(ends, rows))


def attempts_among(
    events: Sequence[StepEvents],
    instants: Instants | None,
    *,
    within_us: int | None,
    entry: Entry = "best",
    strictly_later: bool = False,
) -> Attempts | None:
    """Finds what `reported_attempts` does, of events that were looked up before.

    Args:
        events: The events of each step; no event fills two.
        instants: Which rows share an instant; None where none do.
        within_us: Length of the window; None where no attempt can take longer.
        entry: See `reported_attempts`.
        strictly_later: See `reported_attempts`.

    Returns:
        See `reported_attempts`.

    Examples:
        >>> person, us, step = np.array([1, 1, 2]), np.array([0, 5, 3]), np.array([1, 2, 1])
        >>> events = [step_events(person, us, step == number) for number in (1, 2)]
        >>> attempts_among(events, None, within_us=None).level.tolist()
        [2, 1]
    """
    start = _starts(events[0], entry)
    if not len(start.rows):
        return Attempts(start.person, np.zeros(0, np.int8), np.zeros((len(events), 0), np.int64))
    levels: list[_Level] = []
    before, latest = events[0].before, start.latest
    for each in events[1:]:
        # Of the rows before this one, those of the step before may lie before its event.
        ends = (
            each.rows
            if instants is None
            else (instants.first if strictly_later else instants.after).take(each.rows)
        )
        if instants is not None and entry == "latest" and not strictly_later:
            began = instants.first.take(each.rows)
            # Restarted in an instant that has later steps as well.
            if (events[0].before.take(ends) > events[0].before.take(began)).any():
                return None
        started = latest.take(before.take(ends))
        counts = started >= 0
        counts &= start.person.take(started) == each.person
        if within_us is not None:
            counts &= each.us - start.us.take(started) <= within_us
        if entry == "latest":
            counts &= started == start.latest.take(events[0].before.take(ends))
        kept = np.flatnonzero(counts)
        taken = _Level(started.take(kept), each.us.take(kept))
        levels.append(taken)
        # How many of them count so far says which one was the last.
        so_far = np.zeros(len(counts) + 1, np.intp)
        np.add.accumulate(counts.view(np.int8), dtype=np.intp, out=so_far[1:])
        before, latest = each.before, np.concatenate(([-1], taken.starts)).take(so_far)
    return _reported(events, start, levels, instants, strictly_later=strictly_later)


@dataclass(frozen=True)
class _Starts:
    """Events that start attempts: their row numbers, who, when, and the last of them by events of step 1 so far."""

    rows: npt.NDArray[np.intp]
    person: Ints
    us: Ints
    latest: npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Level:
    """Events at which a step is taken in time: which start each belongs to, by its place, and when."""

    starts: npt.NDArray[np.intp]
    us: Ints


def _starts(events: StepEvents, entry: Entry) -> _Starts:
    if entry != "first":
        return _Starts(events.rows, events.person, events.us, np.arange(-1, len(events.rows)))
    begins = _first_of_each(events.person)
    first = np.flatnonzero(begins)
    latest = np.full(len(begins) + 1, -1)
    latest[1:] += np.cumsum(begins)
    return _Starts(events.rows.take(first), events.person.take(first), events.us.take(first), latest)


def _first_of_each(person: Ints) -> npt.NDArray[np.bool_]:
    """Marks the first of each person."""
    first = np.ones(len(person), np.bool_)
    np.not_equal(person[1:], person[:-1], out=first[1:])
    return first


def _reported(
    events: Sequence[StepEvents],
    start: _Starts,
    levels: Sequence[_Level],
    instants: Instants | None,
    *,
    strictly_later: bool,
) -> Attempts:
    begins = _first_of_each(start.person)
    # Which person each start belongs to, counted from 0.
    number_of = np.cumsum(begins) - 1
    chosen = np.flatnonzero(begins)
    level = np.ones(len(chosen), np.int8)
    finished = start.us.take(chosen)
    who = start.person.take(chosen)
    for number, taken in enumerate(levels, start=2):
        if not len(taken.us):
            break
        whose = number_of.take(taken.starts)
        first = np.flatnonzero(_first_of_each(whose))
        place = whose.take(first)
        level[place] = number
        chosen[place] = taken.starts.take(first)
        finished[place] = taken.us.take(first)
    times = np.empty((len(events), len(chosen)), np.int64)
    times[0], row = start.us.take(chosen), start.rows.take(chosen)
    for number, each in enumerate(events[1:], start=2):
        # Beyond a person's level it means nothing, so that the finish may stand there too.
        times[number - 1] = finished
        between = np.flatnonzero(level > number)
        if len(between):
            # The first event of this step after the one before: it is there, as the attempt got further.
            at = row.take(between)
            ends = at if instants is None else (instants.after if strictly_later else instants.first).take(at)
            following = each.before.take(ends)
            row[between] = each.rows.take(following)
            times[number - 1, between] = each.us.take(following)
    return Attempts(who, level, times)
