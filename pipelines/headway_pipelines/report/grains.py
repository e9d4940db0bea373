"""Kinds of period in words: what one is called, when the one before it began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from headway_pipelines.report.numbers import DASH, day, month, short_day, week


@dataclass(frozen=True)
class Grain:
    """One kind of period.

    Attributes:
        name: Its name in the tables.
        one: What one such period is called.
        many: What several are called.
        by: How a series of them is told, for example ``week by week``.
        recent: How many a small drawing shows.
        words: From a period's first day to its name.
        before: From a period's first day to that of the one before, which shares no day with it.
    """

    name: str
    one: str
    many: str
    by: str
    recent: int
    words: Callable[[date], str]
    before: Callable[[date], date]


def _month_before(start: date) -> date:
    return (start.replace(day=1) - timedelta(days=1)).replace(day=1)


def _window(days: int) -> Grain:
    def words(start: date) -> str:
        end = start + timedelta(days=days - 1)
        first = short_day(start) if start.year == end.year else day(start)
        return f"{first} {DASH} {day(end)}"

    return Grain(
        name=f"rolling_{days}d",
        one="window",
        many="windows",
        by=f"windows of {days} days, one ending with each day",
        recent=91,
        words=words,
        before=lambda start: start - timedelta(days=days),
    )


GRAINS: dict[str, Grain] = {
    grain.name: grain
    for grain in (
        Grain("week", "week", "weeks", "week by week", 13, week, lambda d: d - timedelta(days=7)),
        Grain("month", "month", "months", "month by month", 13, month, _month_before),
        _window(28),
        _window(7),
        Grain("day", "day", "days", "day by day", 91, day, lambda d: d - timedelta(days=1)),
    )
}
"""Kinds of period by name: the first of a metric's is the one it is shown by."""

CHARTED = ("week", "month")
"""Kinds of period that have charts of their own."""


def shown_by(present: set[str], target_period: str | None) -> str:
    """Chooses the kind of period a metric is shown by.

    Args:
        present: Kinds of period that the metric has values for.
        target_period: The kind its target speaks of, None without a target.

    Returns:
        That of the target, unless it is a day: single days say little. Else the first of `GRAINS`.

    Examples:
        >>> shown_by({"day", "week", "month"}, None), shown_by({"day", "month"}, None)
        ('week', 'month')
        >>> shown_by({"day", "week", "month"}, "month"), shown_by({"day", "week"}, "day")
        ('month', 'week')
    """
    if target_period in present and target_period != "day":
        return target_period or "week"
    return next((name for name in GRAINS if name in present), "week")
