"""A part of the store: rows of events ordered by person and time, and what was rolled up of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headway.kernels import Activity, Offsets, active_days, local_days
from headway.kernels.bitmaps import CHUNK_WORDS

#: The behaviour "any event", among the codes of events.
ANY = -1
#: Rows whose days are collected at a time.
_ROLLED_UP_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Part:
    """Rows of events.

    Attributes:
        person: Number of the person, ascending.
        us: Epoch microseconds, ascending within a person.
        code: Number of the event's name.
        actor: Number of who the tracker saw; read only when the store is changed.
        activity: Active local days by behaviour: the code of an event, or `ANY`.
        dead: Persons, ascending, whose rows here do not count: a newer part has them all.
    """

    person: npt.NDArray[np.uint32]
    us: npt.NDArray[np.int64]
    code: npt.NDArray[np.integer]
    actor: npt.NDArray[np.uint32]
    activity: Mapping[int, tuple[Activity, ...]] = field(default_factory=dict)
    dead: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))

    def __len__(self) -> int:
        return len(self.us)


def make_part(
    person: npt.NDArray[np.integer],
    us: npt.NDArray[np.integer],
    code: npt.NDArray[np.integer],
    actor: npt.NDArray[np.integer],
    *,
    behaviours: Collection[int],
    offsets: Offsets,
) -> Part:
    """Puts rows in order and rolls them up.

    Args:
        person: Number of the person.
        us: Epoch microseconds.
        code: Number of the event's name.
        actor: Number of the actor.
        behaviours: Codes of events whose active days are kept, and `ANY`.
        offsets: What the reporting time zone adds to UTC.

    Returns:
        The part. Equal rows make equal parts, whatever order they come in.
    """
    order = _order(person, us, code, actor)
    small = code.max(initial=0) <= np.iinfo(np.uint8).max
    part = Part(
        person.take(order).astype(np.uint32),
        us.take(order).astype(np.int64),
        code.take(order).astype(np.uint8 if small else np.uint16),
        actor.take(order).astype(np.uint32),
    )
    rolled_up = {each: tuple(roll_up(part, each, offsets)) for each in sorted(behaviours)}
    return Part(part.person, part.us, part.code, part.actor, rolled_up)


def roll_up(part: Part, behaviour: int, offsets: Offsets) -> list[Activity]:
    """Collects the active days of a behaviour.

    Args:
        part: Rows.
        behaviour: Code of an event, or `ANY`.
        offsets: What the reporting time zone adds to UTC.

    Returns:
        Activities; persons of each are ascending.
    """
    found: list[Activity] = []
    cut = 0
    while cut < len(part):
        low, cut = cut, next_cut(part, cut + _ROLLED_UP_AT_ONCE)
        person, us = part.person[low:cut], part.us[low:cut]
        if behaviour != ANY:
            rows = np.flatnonzero(part.code[low:cut] == behaviour)
            person, us = person.take(rows), us.take(rows)
        found += active_days(person, local_days(us, offsets))
    return joined(found)


def next_cut(part: Part, row: int) -> int:
    """Finds the first row at or after a row that begins a person.

    Args:
        part: Rows.
        row: A row, from 1.

    Returns:
        Its number; the number of rows where no further person begins.
    """
    return (
        int(np.searchsorted(part.person, part.person[row - 1], side="right"))
        if row < len(part)
        else len(part)
    )


def joined(found: list[Activity]) -> list[Activity]:
    """Joins activities of ascending persons, so that each chunk of words is there once.

    Args:
        found: Activities; persons of later ones come after those of earlier ones.

    Returns:
        One activity per chunk of words.
    """
    chunks: dict[int, list[Activity]] = {}
    for each in found:
        chunks.setdefault(each.first_word // CHUNK_WORDS, []).append(each)
    return [_beside(each) for _, each in sorted(chunks.items())]


def _beside(activities: list[Activity]) -> Activity:
    first = min(each.first_word for each in activities)
    last = max(each.first_word + len(each.words) for each in activities)
    words = np.zeros((last - first, sum(len(each.persons) for each in activities)), np.uint64)
    column = 0
    for each in activities:
        top = each.first_word - first
        words[top : top + len(each.words), column : column + len(each.persons)] = each.words
        column += len(each.persons)
    return Activity(first, np.concatenate([each.persons for each in activities]), words)


def _order(
    person: npt.NDArray[np.integer],
    us: npt.NDArray[np.integer],
    code: npt.NDArray[np.integer],
    actor: npt.NDArray[np.integer],
) -> npt.NDArray[np.intp]:
    """Sorts by person, time, event and actor."""
    order = np.lexsort((us, person))
    sorted_person, sorted_us = person.take(order), us.take(order)
    same = np.zeros(len(order), np.bool_)
    np.equal(sorted_us[1:], sorted_us[:-1], out=same[1:])
    same[1:] &= sorted_person[1:] == sorted_person[:-1]
    if same.any():
        member = same.copy()
        member[:-1] |= same[1:]
        rows = np.flatnonzero(member)
        instant = np.cumsum(~same.take(rows))
        chosen = order.take(rows)
        order[rows] = chosen.take(np.lexsort((actor.take(chosen), code.take(chosen), instant)))
    return order
