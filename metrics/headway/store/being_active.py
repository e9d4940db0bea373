"""Active people, lifecycle and stickiness from a bit per person and period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from headway.kernels import column_counts, combine, delayed, first_days, trailing
from headway.kernels.bitmaps import BITS
from headway.periods import Period
from headway.store.answers import is_plain, whole_days
from headway.store.periods_of_people import Counts, Periods, activity_of, fits, in_slices

if TYPE_CHECKING:
    from headway.insights.active_people import ActivePeople
    from headway.insights.lifecycle import Lifecycle
    from headway.insights.question import Scope
    from headway.insights.stickiness import PowerUsers, Stickiness
    from headway.store.person_store import PersonStore

_ACTIVE_PEOPLE = {"event": None, "windows": None, "period": None, "preset": None}
_LIFECYCLE = {"event": None, "period": None}
_STICKINESS = {"event": None, "period": None, "interval": None, "cumulative": None}
_POWER_USERS = {"event": None, "days": None}


def active_people(question: ActivePeople, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts active people.

    Args:
        question: The question.
        scope: The question applied to its log.
        store: The store.

    Returns:
        What ``active_people.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    found = activity_of(question.event, scope, store)
    if found is None or not is_plain(question, scope, _ACTIVE_PEOPLE) or not whole_days(scope):
        return None
    lengths = [int(days) for days in question.windows or ()]
    calendar = scope.log.sql(scope.calendar(question.period))
    if calendar.is_empty() or not lengths:
        return None
    days = np.minimum(calendar["last_day"].to_numpy().astype(np.int64), scope.last_day())
    first, last = (int(days.min()) - max(lengths) + 1) // BITS, int(days.max()) // BITS
    if not fits((first, last), store):
        return None
    words = combine(found, store.people, first, last)

    def counts(columns: slice) -> Counts:
        part = words[:, columns]
        return np.concatenate([column_counts(trailing(part, length)) for length in lengths])

    values = in_slices(store.people, counts)[:, days - first * BITS]
    looks = calendar.select("period_start", complete=pl.col("ends_us") <= scope.observed_us)
    windows = [
        looks.with_columns(window_days=pl.lit(length, pl.Int32), value=pl.Series(row, dtype=pl.Int64))
        for length, row in zip(lengths, values, strict=True)
    ]
    frame = pl.concat(windows).select("period_start", "window_days", "value", "complete")
    return frame.sort("period_start", "window_days")


def lifecycle(question: Lifecycle, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts who is new, returning, resurrected and dormant; growth accounting has the same counts.

    Args:
        question: The question.
        scope: The question applied to its log.
        store: The store.

    Returns:
        What ``lifecycle.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    found = activity_of(question.event, scope, store)
    if found is None or not is_plain(question, scope, _LIFECYCLE) or not whole_days(scope):
        return None
    calendar = scope.log.sql(scope.calendar(question.period))
    first, last = scope.periods(question.period)
    # The period before the range says who was active before.
    periods = Periods.of(scope, question.period, first - 1, last, since=False)
    if calendar.is_empty() or not fits(periods.words, store):
        return None
    words, bit = periods.active(found, store.people)

    def counts(columns: slice) -> Counts:
        part = words[:, columns]
        return np.concatenate([column_counts(part), column_counts(part & delayed(part, 1))])

    active, returning = in_slices(store.people, counts)[:, bit : bit + len(periods)]
    begun = first_days(found, store.people)
    inside = begun[(begun >= periods.edges[0]) & (begun < periods.edges[-1])]
    new = np.bincount(np.searchsorted(periods.edges, inside, side="right") - 1, minlength=len(periods))
    now, before = active[1:], active[:-1]
    return pl.DataFrame(
        {
            "period_start": calendar["period_start"],
            "new": new[1:],
            "returning": returning[1:],
            "resurrected": now - returning[1:] - new[1:],
            "dormant": before - returning[1:],
            "active": now,
            "active_before": before,
            "complete": calendar["ends_us"] <= scope.observed_us,
        }
    )


def stickiness(question: Stickiness, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts people by the number of periods they were active in.

    Args:
        question: The question.
        scope: The question applied to its log.
        store: The store.

    Returns:
        What ``stickiness.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    if not is_plain(question, scope, _STICKINESS) or not whole_days(scope):
        return None
    return _by_number(
        question, scope, store, question.interval, *scope.periods(question.interval), since=True
    )


def power_users(question: PowerUsers, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts people by the number of days they were active on.

    Args:
        question: The question.
        scope: The question applied to its log.
        store: The store.

    Returns:
        What ``stickiness.sql`` returns; None where an option is not known here, or days cannot tell.
    """
    if not is_plain(question, scope, _POWER_USERS) or not whole_days(scope) or scope.log.last_us is None:
        return None
    last = scope.last_day()
    return _by_number(question, scope, store, "day", last - question.days + 1, last, since=False)


def _by_number(
    question: Stickiness | PowerUsers,
    scope: Scope,
    store: PersonStore,
    period: Period,
    first: int,
    last: int,
    *,
    since: bool,
) -> pl.DataFrame | None:
    found = activity_of(question.event, scope, store)
    if found is None or last < first:
        return None
    periods = Periods.of(scope, period, first, last, since=since)
    if not fits(periods.words, store):
        return None
    words, _ = periods.active(found, store.people)

    def counts(columns: slice) -> Counts:
        active = np.bitwise_count(words[:, columns]).sum(axis=0, dtype=np.int64)
        return np.bincount(active, minlength=len(periods) + 1)

    people = in_slices(store.people, counts)[1:]
    return pl.DataFrame(
        {
            "periods": np.arange(1, len(periods) + 1),
            "people": people,
            "at_least": np.cumsum(people[::-1])[::-1].copy(),
        }
    )
