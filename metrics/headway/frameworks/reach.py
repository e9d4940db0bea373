"""What a metric's cells depend on: on which local days something must happen for a period's cell to change.

Told from the declaration alone, so that a run computes again what its news can have changed, and nothing else. A kind
of metric that nobody has thought about depends on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headway.frameworks.shifts import Ints
from headway.models.durations import MICROSECONDS_PER_DAY, parse_duration
from headway.models.metrics import (
    Amount,
    BaseMetric,
    CohortAmount,
    Conversion,
    CostPer,
    Count,
    CrashFree,
    Duration,
    EventSelector,
    Formula,
    Lifecycle,
    Mean,
    Mrr,
    NewPeople,
    PromoterScore,
    Quantile,
    Ratio,
    Retained,
    Share,
    Stickiness,
    Survey,
    Task,
    TimeOnTask,
)

MARGIN = 2
"""Days before and after a period that are looked at for sessions; one that touches more local days is not bounded."""


@dataclass(frozen=True)
class Reach:
    """On which days the cells of a period depend.

    Attributes:
        whole: On all days there are; then the others say nothing.
        before: On so many local days before the period.
        after: On so many local days after it.
        previous: On the period before as well.
        first: On when each person did this first, ever; None where that does not matter.
        ever: On all days up to the period's last one; of them the events of `log` alone matter.
        log: Events of which all must be at hand, whatever the day: what is counted over the whole log.
    """

    whole: bool = False
    before: int = 0
    after: int = 0
    previous: bool = False
    ever: bool = False
    first: EventSelector | None = None
    log: tuple[EventSelector, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Names of the events of which all must be at hand."""
        return frozenset(name for each in self.log for name in each.event)


Span = Callable[[int], int]
"""The longest time, in microseconds, that so much time of business hours can take."""


def reach_of(metric: BaseMetric, span: Span) -> Reach:
    """Says on what the cells of a metric depend.

    Args:
        metric: The metric; of one that is made of others the answer is about itself, not about them.
        span: How long business hours can take, see `longest`.

    Returns:
        Its reach.

    Examples:
        >>> words = {"framework": "aarrr", "stage": "activation", "title": "Buyers", "unit": "percent"}
        >>> buyers = Conversion.model_validate(
        ...     {**words, "kind": "conversion", "start": "Seen", "reach": "Paid", "within": "7d"})
        >>> reach = reach_of(buyers, lambda _: 0)
        >>> reach.after, reach.before, reach.first.event
        (8, 0, ('Seen',))
    """
    known = _REACHES.get(type(metric))
    return known(metric, span) if known is not None else _everything(metric, span)


def longest(opens: Ints, closes: Ints, first: int, last: int, wanted: int) -> int:
    """Says how long it can take, from any moment, until more than so much time of business hours has passed.

    Args:
        opens: Instants at which work begins, in order, microseconds since 1970.
        closes: Instants at which it ends; what lies after `last` is not looked at.
        first: The first instant that matters.
        last: The last one.
        wanted: Time of business hours, in microseconds.

    Returns:
        Microseconds; from moments after which it has not passed by `last`, the time up to then.

    Examples:
        >>> import numpy as np
        >>> opens, closes = np.array([0, 100, 900]), np.array([10, 110, 910])
        >>> longest(opens, closes, 0, 910, 5), longest(opens, closes, 0, 910, 15)   # from 110 to 905, from 10 to 905
        (795, 895)
    """
    worked, ends, starts = 0, [(0, first)], [(0, first)]
    for begin, end in zip(opens.tolist(), closes.tolist(), strict=True):
        if begin > last:
            break
        worked += end - begin
        ends.append((worked, end))
        starts.append((worked, end))
    found, place = 0, 0
    for before, start in starts:
        while place < len(ends) and ends[place][0] <= before + wanted:
            place += 1
        until = ends[place][1] - (ends[place][0] - before - wanted) if place < len(ends) else last
        found = max(found, until - start)
    return found


def _days(microseconds: int) -> int:
    """Local days that a time can reach into: a day may have 23 hours."""
    return -(-microseconds // MICROSECONDS_PER_DAY) + 1


def _everything(metric: BaseMetric, _: Span) -> Reach:
    return Reach(whole=True, log=tuple(metric.selectors().values()))


def _itself(*_: Any) -> Reach:
    return Reach()


def _priced(*amounts: Amount) -> tuple[EventSelector, ...]:
    """Events whose values are looked at: of them those that had to be left out are counted."""
    priced = [each for each in amounts if each.value is not None]
    return tuple(each for amount in priced for each in (amount.event, amount.minus) if each is not None)


def _answers(metric: PromoterScore | Survey, _: Span) -> Reach:
    return Reach(log=(metric.event,))


def _attempts(metric: Task | TimeOnTask, _: Span) -> Reach:
    # Ends of what never began are counted over the whole log.
    log = tuple(metric.selectors().values()) if isinstance(metric, Task) else ()
    return Reach(after=_days(parse_duration(metric.within)), log=log)


def _duration(metric: Duration, span: Span) -> Reach:
    if metric.within is None or not metric.of_people_once:
        return _everything(metric, span)
    log = tuple(metric.selectors().values())
    return Reach(after=_days(parse_duration(metric.within)), first=metric.start, log=log)


def _conversion(metric: Conversion, _: Span) -> Reach:
    return Reach(after=_days(parse_duration(metric.within)), first=metric.start)


def _retained(metric: Retained, span: Span) -> Reach:
    until = parse_duration(metric.after) + parse_duration(metric.within)
    if metric.answered is not None:
        limit = parse_duration(metric.answered.within)
        until = max(until, span(limit) if metric.answered.hours == "business" else limit)
    return Reach(after=_days(until), first=metric.start)


def _cohort_amount(metric: CohortAmount, _: Span) -> Reach:
    return Reach(after=_days(parse_duration(metric.within)), first=metric.start, log=_priced(metric.of))


def _lifecycle(metric: Lifecycle, _: Span) -> Reach:
    return Reach(previous=True, first=metric.of)


def _mrr(metric: Mrr, _: Span) -> Reach:
    return Reach(ever=True, log=tuple(metric.selectors().values()))


def _crash_free(metric: CrashFree, span: Span) -> Reach:
    if parse_duration(metric.idle) >= MICROSECONDS_PER_DAY // 2:
        return _everything(metric, span)
    return Reach(before=MARGIN, after=MARGIN)


_REACHES: Mapping[type, Callable[[Any, Span], Reach]] = {
    NewPeople: _itself,
    Share: _itself,
    Mean: _itself,
    Stickiness: _itself,
    Quantile: _itself,
    Count: lambda metric, _: Reach(log=_priced(metric.of)),
    Ratio: lambda metric, _: Reach(log=_priced(metric.numerator, metric.denominator)),
    PromoterScore: _answers,
    Survey: _answers,
    Task: _attempts,
    TimeOnTask: _attempts,
    Conversion: _conversion,
    Retained: _retained,
    Duration: _duration,
    CohortAmount: _cohort_amount,
    Lifecycle: _lifecycle,
    Mrr: _mrr,
    CrashFree: _crash_free,
    # What is made of others changes where they do.
    Formula: _itself,
    CostPer: _itself,
}
"""Those that are missing depend on everything: an invitation may be accepted at any time. So does a duration without a
horizon, which grows while it is open."""


def firsts_of(reaches: Iterable[Reach]) -> tuple[EventSelector, ...]:
    """Lists what people may have done first, each once."""
    return tuple(dict.fromkeys(each.first for each in reaches if each.first is not None))
