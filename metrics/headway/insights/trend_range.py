"""The range before a range: equally long, and ending where it starts."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

from headway.insights.question import Scope
from headway.periods import Period, Span, local_day, zone

_MICROSECOND = timedelta(microseconds=1)


def range_before(scope: Scope, period: Period | None) -> Span:
    """Finds the range to compare with.

    Whole days stay whole days and wall-clock times wall-clock times. A range of n periods moves by n periods; a range
    that is one number moves by its own length. The last day of a month stays the last day of a month.

    Args:
        scope: The scope of the question; its range has a start.
        period: Length of the periods, or None for the range as one.

    Returns:
        The range before; the range itself where it holds no period.
    """
    first, last = scope.periods(period or "day")
    since, until = scope.span.since, scope.span.until
    if since is None or last < first or scope.log.last_us is None:
        return scope.span
    until = until or max(local_day(scope.log.last_us, scope.timezone), _day(since, scope.timezone))
    if period is None:
        return _own_length(since, until, scope.timezone)
    number = last - first + 1
    start = _moved(since, number, period, scope.timezone, is_end=False)
    return Span(start, _moved(until, number, period, scope.timezone, is_end=True), scope.timezone)


def _own_length(since: date, until: date, timezone: str) -> Span:
    if isinstance(since, datetime) or isinstance(until, datetime):
        span = Span(since, until, timezone)
        start, end = (_instant(us) for us in (span.since_us, span.until_us))
        return Span(start - (end - start) - _MICROSECOND, start - _MICROSECOND, timezone)
    return Span(since - (until - since) - timedelta(days=1), since - timedelta(days=1), timezone)


def _instant(us: int | None) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=us or 0)


def _moved(end: date, number: int, period: Period, timezone: str, *, is_end: bool) -> date:
    if isinstance(end, datetime):
        # Arithmetic within one time zone keeps the wall clock.
        end = end.astimezone(zone(timezone))
    if period != "month":
        return end - timedelta(days=number * (7 if period == "week" else 1))
    months = end.year * 12 + end.month - 1 - number
    year, month = months // 12, months % 12 + 1
    longest = calendar.monthrange(year, month)[1]
    is_last = is_end and end.day == calendar.monthrange(end.year, end.month)[1]
    return end.replace(year=year, month=month, day=longest if is_last else min(end.day, longest))


def _day(moment: date, timezone: str) -> date:
    return moment.astimezone(zone(timezone)).date() if isinstance(moment, datetime) else moment
