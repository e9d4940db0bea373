"""Funnels from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from headway.kernels import Attempts, reported_attempts
from headway.models.durations import parse_duration
from headway.selectors import Event, as_event
from headway.store.answers import codes_of, is_plain
from headway.store.person_store import PersonStore, Rows

if TYPE_CHECKING:
    from headway.insights.funnel import Funnel
    from headway.insights.question import Scope

#: In place of a length of time: it takes sessions to tell.
SESSION = "session"
_UNDERSTOOD = {
    "steps": None,
    "within": None,
    "entry": ("best", "first", "latest"),
    "order": ("sequential",),
    "tie": ("0s", None),
    "attribution": None,
    "on_exclusion": None,
    "preset": None,
}


def funnel(question: Funnel, scope: Scope, store: PersonStore) -> pl.DataFrame | None:
    """Counts the people of a funnel.

    Args:
        question: The funnel.
        scope: The funnel applied to its log.
        store: The store.

    Returns:
        What ``funnel.sql`` returns; None where an event can fill two steps, or an option is not known here.
    """
    steps = [as_event(step) for step in question.steps]
    simple = question.within != SESSION and all(_is_simple(step) for step in steps)
    if not simple or not is_plain(question, scope, _UNDERSTOOD):
        return None
    codes = [codes_of(store, step) or [] for step in steps]
    marks = {code: number for number, each in enumerate(codes, start=1) for code in each}
    if len(marks) < sum(map(len, codes)) or len(steps) > np.iinfo(np.int8).max:
        return None
    within_us = parse_duration(question.within)

    def attempts(rows: Rows) -> Attempts | None:
        return reported_attempts(
            rows.person,
            rows.us,
            rows.mark,
            steps=len(steps),
            within_us=within_us,
            entry=question.entry,
            strictly_later=question.tie is None,
        )

    found = store.each_block(
        store.lookup(marks), attempts, since_us=scope.span.since_us, until_us=scope.span.until_us
    )
    known = [each for each in found if each is not None]
    return _counted(known, len(steps)) if len(known) == len(found) else None


def _is_simple(step: Event) -> bool:
    plain = Event(step.event)
    return step.names is not None and step == plain


def _counted(found: list[Attempts], steps: int) -> pl.DataFrame:
    rows = []
    for step in range(1, steps + 1):
        people = sum(int(np.count_nonzero(each.level >= step)) for each in found)
        waited = [each.times[step - 1] - each.times[step - 2] for each in found] if step > 1 else []
        kept = [wait[each.level >= step] for wait, each in zip(waited, found, strict=False)]
        rows.append(
            ("(all)", step, people, *_seconds(np.concatenate(kept) if kept else np.zeros(0, np.int64)))
        )
    schema = {
        "touch": pl.String,
        "step": pl.Int32,
        "people": pl.Int64,
        "seconds_mean": pl.Float64,
        "seconds_median": pl.Float64,
        "seconds_p90": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _seconds(us: npt.NDArray[np.int64]) -> tuple[float | None, float | None, float | None]:
    if not len(us):
        return None, None, None
    # In two halves: the sum of many long times does not fit into 64 bits.
    total = (int((us >> 20).sum()) << 20) + int((us & ((1 << 20) - 1)).sum())
    return total / len(us) / 1e6, quantile(us, 0.5) / 1e6, quantile(us, 0.9) / 1e6


def quantile(values: npt.NDArray[np.int64], share: float) -> float:
    """Finds a quantile, between two values where it falls there.

    Args:
        values: Values, at least one.
        share: Which quantile.

    Returns:
        It.

    Examples:
        >>> quantile(np.array([1, 2, 4, 9]), 0.5)
        3.0
    """
    place = (len(values) - 1) * share
    low, high = int(np.floor(place)), int(np.ceil(place))
    parted = np.partition(values, (low, high))
    return float(parted[low]) * (1 - (place - low)) + float(parted[high]) * (place - low)
