"""When the team is there to answer: working days with their hours, as instants."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from headway.frameworks.calendar import Calendar
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.product import BusinessHours
from headway.periods import weekday

Ints = NDArray[np.int64]


def shifts(
    calendar: Calendar, business: BusinessHours, holidays: Collection[int], first: int, last: int
) -> tuple[Ints, Ints]:
    """Lists when work begins and ends on each working day between two instants, and a day more at either end.

    A day on which the clocks change is as much shorter or longer as its hours are.

    Args:
        calendar: The product's days.
        business: Its business hours.
        holidays: Local days on which nobody works, in days since 1970-01-01.
        first: First instant, microseconds since 1970-01-01 UTC.
        last: Last instant.

    Returns:
        Instants at which work begins, and at which it ends, in order; never empty.

    Examples:
        >>> opens, closes = shifts(Calendar("UTC"), BusinessHours(), (), 0, 0)   # Wednesday to Friday, 1 and 2 January
        >>> (opens // 3_600_000_000).tolist()[:3]
        [-15, 9, 33]
    """
    one = MICROSECONDS_PER_DAY
    days = np.arange(first // one - 1, last // one + 2)
    # 1970-01-01, day 0, was a Thursday.
    known = [(weekday(name) - 3) % 7 for name in business.days]
    working = days[np.isin(days % 7, known) & ~np.isin(days, list(holidays))]
    opens, closes = (
        np.array([calendar.instant(int(day), time) for day in working], dtype=np.int64)
        for time in (business.opens, business.closes)
    )
    # Always one, that there is something to look at.
    return np.append(opens, last + 4 * one), np.append(closes, last + 4 * one)
