"""Retention from a bit per person and period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from headway.kernels import column_counts, first_days, until_last
from headway.kernels.bitmaps import BITS, Words
from headway.store.answers import is_plain, whole_days
from headway.store.periods_of_people import Counts, Periods, activity_of, fits, in_slices
from headway.store.person_store import PersonStore, on_all_cores

if TYPE_CHECKING:
    from headway.insights.question import Scope
    from headway.insights.retention import Retention

#: Cohorts times bits of their periods: a stray date centuries away would make billions of cells that SQL never has.
_MOST_CELLS = 1 << 24
_UNDERSTOOD = {
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


def retention(question: Retention, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts the cells of a retention.

    Args:
        question: The retention.
        scope: The retention applied to its log.
        store: The store.

    Returns:
        What ``retention.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    starts, returns = activity_of(question.start, scope, store), activity_of(question.returning, scope, store)
    if (
        starts is None
        or returns is None
        or not is_plain(question, scope, _UNDERSTOOD)
        or not whole_days(scope)
    ):
        return None
    calendar = scope.log.sql(scope.calendar(question.period))
    periods = Periods.of(scope, question.period, *scope.periods(question.period))
    cells = len(calendar) * (periods.words[1] - periods.words[0] + 1) * BITS
    if calendar.is_empty() or cells > _MOST_CELLS or not fits(periods.words, store):
        return None
    words, bit = periods.active(returns, store.people)
    if question.criterion == "on_or_after":
        words = until_last(words)
    if question.cohort == "recurring":
        started, first_bit = periods.active(starts, store.people)
        sizes, counts = _recurring(started, first_bit, words, len(periods))
    else:
        sizes, counts = _first_time(first_days(starts, store.people), words, bit, periods.edges)
    return _cells(question.periods, scope, calendar, sizes, counts[:, bit:])


def _first_time(
    first: npt.NDArray[np.int32], words: Words, bit: int, edges: npt.NDArray[np.int64]
) -> tuple[Counts, Counts]:
    """Counts cohorts of persons by the period of their first start, and their returns by bit.

    Bits of whole words before a cohort are not looked at: no cell of it needs them.
    """
    cohort = np.searchsorted(edges, np.arange(edges[0], edges[-1]), side="right") - 1
    inside = np.flatnonzero((first >= edges[0]) & (first < edges[-1]))
    own = cohort.astype(np.uint16).take(first.take(inside) - int(edges[0]))
    order = np.argsort(own, kind="stable")
    people, own = inside.take(order), own.take(order)
    numbers = np.arange(len(edges) - 1)

    def counts(columns: slice) -> Counts:
        result = np.zeros((len(numbers), len(words) * BITS), np.int64)
        if len(whose := own[columns]):
            # Cohorts ascend, so that the first person's tells which words any of them needs.
            skipped = (bit + int(whose[0])) // BITS
            needed = words[skipped:].take(people[columns], axis=1)
            result[:, skipped * BITS :] = column_counts(needed, np.searchsorted(whose, numbers))
        return result

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
            "period": period.astype(np.int32),
            "people": np.where(period == 0, sizes[cohort], counts[cohort, cohort + period]),
            "complete": ends[cohort + period] <= scope.observed_us,
        }
    )
