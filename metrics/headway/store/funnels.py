"""Funnels from the store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headway.kernels import Attempts, attempts_among, reported_attempts
from headway.models.durations import parse_duration
from headway.selectors import Event, as_event
from headway.store.answers import codes_of, is_plain
from headway.store.person_store import PersonStore, Rows

if TYPE_CHECKING:
    from headway.insights.funnel import Funnel
    from headway.insights.question import Scope

#: In place of a length of time: it takes sessions to tell.
SESSION = "session"
_SECONDS = ("seconds_mean", "seconds_median", "seconds_p90")
_NONE = (None, None, None)
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


def funnel(question: Funnel, scope: Scope, store: PersonStore) -> dict[str, list[Any]] | None:
    """Counts the people of a funnel.

    Args:
        question: The funnel.
        scope: The funnel applied to its log.
        store: The store.

    Returns:
        The columns of what ``funnel.sql`` returns; None where an event can fill two steps or never occurs, or an
        option is not known here.
    """
    steps = [as_event(step) for step in question.steps]
    simple = question.within != SESSION and all(_is_simple(step) for step in steps)
    if not simple or not is_plain(question, scope, _UNDERSTOOD):
        return None
    known = scope.log.names
    if known and not known.issuperset(name for step in steps for name in step.names or ()):
        return None
    codes = [codes_of(store, step) or [] for step in steps]
    marks = {code: number for number, each in enumerate(codes, start=1) for code in each}
    if len(marks) < sum(map(len, codes)) or len(steps) > np.iinfo(np.int8).max:
        return None
    within_us = parse_duration(question.within)
    strictly = question.tie is None
    kept = store.kept(codes) if scope.span.since_us is scope.span.until_us is None else None
    if kept is not None:
        events, instants = kept
        first_us, last_us = store.extent
        # No attempt takes longer than the whole log.
        longest = within_us if within_us < last_us - first_us else None
        tried = attempts_among(
            events, instants, within_us=longest, entry=question.entry, strictly_later=strictly
        )
        return None if tried is None else _counted([tried], len(steps))

    def attempts(rows: Rows) -> Attempts | None:
        return reported_attempts(
            rows.person,
            rows.us,
            rows.mark,
            steps=len(steps),
            within_us=within_us,
            entry=question.entry,
            strictly_later=strictly,
        )

    found = store.each_block(
        store.lookup(marks), attempts, since_us=scope.span.since_us, until_us=scope.span.until_us
    )
    told = [each for each in found if each is not None]
    return _counted(told, len(steps)) if len(told) == len(found) else None


def _is_simple(step: Event) -> bool:
    plain = Event(step.event)
    return step.names is not None and step == plain


def _counted(found: list[Attempts], steps: int) -> dict[str, list[Any]]:
    people, seconds = [], []
    for step in range(1, steps + 1):
        reached = [np.flatnonzero(each.level >= step) for each in found]
        people.append(sum(map(len, reached)))
        waits = [
            each.times[step - 1].take(rows) - each.times[step - 2].take(rows)
            for rows, each in zip(reached, found, strict=True)
        ]
        seconds.append(
            _seconds(waits[0] if len(waits) == 1 else np.concatenate(waits)) if step > 1 else _NONE
        )
    told = {name: list(values) for name, values in zip(_SECONDS, zip(*seconds, strict=True), strict=True)}
    return {"touch": ["(all)"] * steps, "step": list(range(1, steps + 1)), "people": people, **told}


def _seconds(us: npt.NDArray[np.int64]) -> tuple[float | None, float | None, float | None]:
    if not len(us):
        return _NONE
    total = int(us.sum())
    if int(us.max()) * len(us) >= 1 << 63:
        # In two halves: the sum does not fit into 64 bits.
        total = (int((us >> 20).sum()) << 20) + int((us & ((1 << 20) - 1)).sum())
    median, p90 = quantiles(us, (0.5, 0.9))
    return total / len(us) / 1e6, median / 1e6, p90 / 1e6


def quantiles(values: npt.NDArray[np.int64], shares: Sequence[float]) -> list[float]:
    """Finds quantiles, between two values where they fall there.

    Args:
        values: Values, at least one.
        shares: Which quantiles.

    Returns:
        They.

    Examples:
        >>> quantiles(np.array([1, 2, 4, 9]), (0.5, 1.0))
        [3.0, 9.0]
    """
    places = [(len(values) - 1) * share for share in shares]
    ends = [(math.floor(place), math.ceil(place)) for place in places]
    parted = np.partition(values, sorted({end for pair in ends for end in pair}))
    return [
        float(parted[low]) * (1 - (place - low)) + float(parted[high]) * (place - low)
        for place, (low, high) in zip(places, ends, strict=True)
    ]
