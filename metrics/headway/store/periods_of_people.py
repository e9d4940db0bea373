"""In which periods of a question's range everybody was active, a bit a period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headway.kernels import Activity, combine, grouped, within
from headway.kernels.bitmaps import BITS, Words
from headway.periods import EPOCH, Period, day_number, period_start
from headway.selectors import Event, Selector, as_event
from headway.store.answers import codes_of
from headway.store.person_store import PersonStore, on_all_cores

if TYPE_CHECKING:
    from headway.insights.question import Scope

Counts = npt.NDArray[np.int64]

#: Words of all persons that are laid out at most, in bytes.
_MOST_BYTES = 1 << 30
#: Persons worked on at a time.
_SLICE = 1 << 17


@dataclass(frozen=True)
class Periods:
    """Some periods one after the other.

    Attributes:
        period: Their length.
        edges: First day of each that counts, and the day after the last one that counts.
    """

    period: Period
    edges: npt.NDArray[np.int64]

    @classmethod
    def of(cls, scope: Scope, period: Period, first: int, last: int, *, since: bool = True) -> Periods:
        """Lists periods; days after the range of the question do not count.

        Args:
            scope: The question applied to its log.
            period: Length of the periods.
            first: Number of the first one.
            last: Number of the last one.
            since: Whether days before the range do not count either.

        Returns:
            The periods.
        """
        starts = [period_start(number, period, scope.week_start) for number in range(first, last + 2)]
        edges = np.array([(day - EPOCH).days for day in starts], np.int64)
        since_us, until_us = scope.span.since_us, scope.span.until_us
        if since and since_us is not None:
            edges = np.maximum(edges, day_number(since_us, scope.timezone))
        if until_us is not None:
            edges = np.minimum(edges, day_number(until_us, scope.timezone) + 1)
        return cls(period, edges)

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def words(self) -> tuple[int, int]:
        """First and last word that holds one of the days."""
        return int(self.edges[0]) // BITS, (int(self.edges[-1]) - 1) // BITS

    def active(self, activities: list[Activity], people: int) -> tuple[Words, int]:
        """Lays out in which periods everybody was active.

        Args:
            activities: Active days.
            people: Number of persons.

        Returns:
            Words, and the bit of the first period.
        """
        first, last = self.words
        words = combine(activities, people, first, last)
        if self.period == "day":
            bit = int(self.edges[0]) - first * BITS
            return within(words, bit, int(self.edges[-1]) - first * BITS), bit
        return grouped(words, first, self.edges), 0


def activity_of(selector: Selector | None, scope: Scope, store: PersonStore) -> list[Activity] | None:
    """Finds the active days of a selector.

    Args:
        selector: Events that make a person active; None takes any.
        scope: The question applied to its log.
        store: The store.

    Returns:
        Activities; None where the selector has a condition, or events lie outside of the calendar.

    Raises:
        InputError: An event name never occurs, or a condition cannot be used.
    """
    event = Event(None) if selector is None else as_event(selector)
    scope.matches(event)
    if event != Event(event.event):
        return None
    try:
        return store.activity(codes_of(store, event), scope.timezone)
    except ValueError:
        return None


def fits(words: tuple[int, int], store: PersonStore) -> bool:
    """Says whether so many words of everybody can be laid out.

    Args:
        words: First and last word.
        store: The store.

    Returns:
        False where they would take too much memory.
    """
    return (words[1] - words[0] + 1) * store.people * 8 <= _MOST_BYTES


def in_slices(people: int, work: Callable[[slice], Counts]) -> Counts:
    """Adds up what is counted of slices of persons, on all cores.

    Args:
        people: Number of persons.
        work: Counts a slice.

    Returns:
        The sum.
    """
    slices = [slice(low, low + _SLICE) for low in range(0, max(people, 1), _SLICE)]
    total: Counts = np.sum(on_all_cores(work, slices), axis=0)
    return total
