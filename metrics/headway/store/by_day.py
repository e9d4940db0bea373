"""Questions on days, from a bit per person and day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from headway.kernels import Activity, column_counts, combine, first_days, grouped, trailing, until_last
from headway.kernels.bitmaps import BITS, Words
from headway.periods import Period, day_number
from headway.selectors import Event, Selector, as_event
from headway.store.answers import codes_of, is_plain, whole_days
from headway.store.person_store import PersonStore, on_all_cores

if TYPE_CHECKING:
    from headway.insights.active_people import ActivePeople
    from headway.insights.question import Scope
    from headway.insights.retention import Retention

Counts = npt.NDArray[np.int64]

_RETENTION = {
    "start": None,
    "returning": None,
    "period": None,
    "periods": None,
    "cohort": ("first_time", "recurring"),
    "criterion": ("on", "on_or_after"),
    "windows": ("calendar",),
    "anchor": None,
    "attribution": None,
    "preset": None,
}
_ACTIVE_PEOPLE = {"event": None, "windows": None, "period": None}
#: Words of all persons that are laid out at most, in bytes.
_MOST_BYTES = 1 << 30
#: Persons worked on at a time.
_SLICE = 1 << 17


@dataclass(frozen=True)
class Periods:
    """The periods of a range.

    Attributes:
        calendar: One row per period, see `headway.log.EventLog.calendar`.
        edges: First day of each period that lies in the range, and the day after the range.
    """

    calendar: pl.DataFrame
    edges: npt.NDArray[np.int64]

    @classmethod
    def of(cls, scope: Scope, period: Period) -> Periods | None:
        """Lists the periods of a question's range.

        Args:
            scope: The question applied to its log.
            period: Length of the periods.

        Returns:
            The periods; None where there are none.
        """
        calendar = scope.log.sql(scope.calendar(period))
        if calendar.is_empty():
            return None
        edges = np.append(calendar["first_day"].to_numpy(), calendar["last_day"][-1] + 1).astype(np.int64)
        since_us, until_us = scope.span.since_us, scope.span.until_us
        if since_us is not None:
            edges[0] = max(int(edges[0]), day_number(since_us, scope.timezone))
        if until_us is not None:
            edges[-1] = min(int(edges[-1]), day_number(until_us, scope.timezone) + 1)
        return cls(calendar, edges)

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def words(self) -> tuple[int, int]:
        """First and last word that holds one of the days."""
        return int(self.edges[0]) // BITS, (int(self.edges[-1]) - 1) // BITS

    def active(self, activities: list[Activity], people: int, period: Period) -> tuple[Words, int]:
        """Lays out in which periods everybody was active.

        Args:
            activities: Active days.
            people: Number of persons.
            period: Length of the periods.

        Returns:
            Words, and the bit of the first period.
        """
        first, last = self.words
        words = combine(activities, people, first, last)
        if period == "day":
            return words, int(self.edges[0]) - first * BITS
        return grouped(words, first, self.edges), 0


def retention(question: Retention, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts the cells of a retention.

    Args:
        question: The retention.
        scope: The retention applied to its log.
        store: The store.

    Returns:
        What ``retention.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    starts, returns = _activity(question.start, scope, store), _activity(question.returning, scope, store)
    if (
        starts is None
        or returns is None
        or not is_plain(question, scope, _RETENTION)
        or not whole_days(scope)
    ):
        return None
    periods = Periods.of(scope, question.period)
    if periods is None or not _fits(periods.words, store):
        return None
    words, bit = periods.active(returns, store.people, question.period)
    if question.criterion == "on_or_after":
        words = until_last(words)
    if question.cohort == "recurring":
        started, first_bit = periods.active(starts, store.people, question.period)
        sizes, counts = _recurring(started, first_bit, words, len(periods))
    else:
        sizes, counts = _first_time(first_days(starts, store.people), words, periods.edges)
    return _cells(question.periods, scope, periods.calendar, sizes, counts[:, bit:])


def active_people(question: ActivePeople, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts active people.

    Args:
        question: The question.
        scope: The question applied to its log.
        store: The store.

    Returns:
        What ``active_people.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    found = _activity(Event(None) if question.event is None else question.event, scope, store)
    if found is None or not is_plain(question, scope, _ACTIVE_PEOPLE) or not whole_days(scope):
        return None
    calendar = scope.log.sql(scope.calendar(question.period))
    if calendar.is_empty():
        return None
    days = np.minimum(calendar["last_day"].to_numpy().astype(np.int64), scope.last_day())
    first, last = (int(days.min()) - max(question.windows) + 1) // BITS, int(days.max()) // BITS
    if not _fits((first, last), store):
        return None
    words = combine(found, store.people, first, last)

    def counts(columns: slice) -> Counts:
        part = words[:, columns]
        return np.concatenate([column_counts(trailing(part, length)) for length in question.windows])

    values = in_slices(store.people, counts)[:, days - first * BITS]
    looks = calendar.select("period_start", complete=pl.col("ends_us") <= scope.observed_us)
    windows = [
        looks.with_columns(window_days=pl.lit(length, pl.Int32), value=pl.Series(row, dtype=pl.Int64))
        for length, row in zip(question.windows, values, strict=True)
    ]
    frame = pl.concat(windows).select("period_start", "window_days", "value", "complete")
    return frame.sort("period_start", "window_days")


def in_slices(people: int, work: Callable[[slice], Counts]) -> Counts:
    """Adds up what is counted of slices of persons, on all cores.

    Args:
        people: Number of persons.
        work: Counts a slice.

    Returns:
        The sum.
    """
    slices = [slice(low, low + _SLICE) for low in range(0, max(people, 1), _SLICE)]
    results = on_all_cores(work, slices)
    return np.sum(results, axis=0)


def _activity(selector: Selector, scope: Scope, store: PersonStore) -> list[Activity] | None:
    event = as_event(selector)
    if event != Event(event.event):
        return None
    try:
        return store.activity(codes_of(store, event), scope.timezone)
    except ValueError:
        return None


def _fits(words: tuple[int, int], store: PersonStore) -> bool:
    return (words[1] - words[0] + 1) * store.people * 8 <= _MOST_BYTES


def _first_time(
    first: npt.NDArray[np.int32], words: Words, edges: npt.NDArray[np.int64]
) -> tuple[Counts, Counts]:
    """Counts cohorts of persons by the period of their first start, and their returns by bit."""
    cohort = np.searchsorted(edges, np.arange(edges[0], edges[-1]), side="right") - 1
    inside = np.flatnonzero((first >= edges[0]) & (first < edges[-1]))
    own = cohort.astype(np.uint16).take(first.take(inside) - int(edges[0]))
    order = np.argsort(own, kind="stable")
    people, own = inside.take(order), own.take(order)
    numbers = np.arange(len(edges) - 1)

    def counts(columns: slice) -> Counts:
        return column_counts(words.take(people[columns], axis=1), np.searchsorted(own[columns], numbers))

    return np.bincount(own, minlength=len(numbers)), in_slices(len(people), counts)


def _recurring(started: Words, bit: int, words: Words, periods: int) -> tuple[Counts, Counts]:
    """Counts cohorts of persons by every period they start in, and their returns by bit."""

    def of_cohort(number: int) -> tuple[int, Counts]:
        word, place = divmod(bit + number, BITS)
        people = np.flatnonzero(started[word] & np.uint64(1 << place))
        return len(people), column_counts(words.take(people, axis=1))[0]

    found = on_all_cores(of_cohort, range(periods))
    return np.array([size for size, _ in found], np.int64), np.stack([counts for _, counts in found])


def _cells(last: int, scope: Scope, calendar: pl.DataFrame, sizes: Counts, counts: Counts) -> pl.DataFrame:
    """Makes the cells of cohorts and the periods after them that begin in the range."""
    size = len(calendar)
    cohort, period = np.divmod(np.arange(size * (last + 1)), last + 1)
    inside = cohort + period < size
    cohort, period = cohort[inside], period[inside]
    ends = calendar["ends_us"].to_numpy()
    return pl.DataFrame(
        {
            "touch": pl.repeat("(all)", len(cohort), eager=True),
            "cohort_start": calendar["period_start"].gather(cohort),
            "cohort_people": sizes[cohort],
            "period": period,
            "people": np.where(period == 0, sizes[cohort], counts[cohort, cohort + period]),
            "complete": ends[cohort + period] <= scope.observed_us,
        }
    )
