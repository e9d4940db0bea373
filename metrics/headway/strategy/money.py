"""Time to money: days from start and from release to the first outcome, and until an option has paid for itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from headway.models.strategy import Cost

_DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Income:
    """Money that came in during one whole period.

    Attributes:
        last_day: The period's last day.
        amount: In the product's currency.
    """

    last_day: dt.date
    amount: float


@dataclass(frozen=True)
class TimeToMoney:
    """When an option brought something, and when it had paid for itself.

    Attributes:
        start_to_outcome: Days from the start of work to the first measured outcome, or None.
        release_to_outcome: Days from the release to it, or None.
        start_to_break_even: Days from the start of work to the end of the period in which income reached the cost.
        release_to_break_even: Days from the release to it.
        cost: What it cost up to the last period of income.
        income: What came in from the release to the same day.
    """

    start_to_outcome: int | None
    release_to_outcome: int | None
    start_to_break_even: int | None
    release_to_break_even: int | None
    cost: float
    income: float


def time_to_money(
    cost: Cost,
    released: dt.date,
    incomes: Sequence[Income],
    *,
    start: dt.date | None = None,
    first_outcome: dt.date | None = None,
) -> TimeToMoney:
    """Adds up what an option cost and what came in, period by period.

    Income is what is booked under the metric that the option names, not what the option caused: it says when the
    money is back, not that the option brought it.

    Args:
        cost: What it costs: once to build, and each month of 365.25 / 12 days from the release on.
        released: Day of the release.
        incomes: Whole periods that began on the day of the release or later, in the order of time.
        start: First day of work, or None.
        first_outcome: Day of the first measured outcome, or None.

    Returns:
        The times in days, and the sums.

    Examples:
        >>> day = dt.date(2026, 3, 1)
        >>> weeks = [Income(day + dt.timedelta(days=7 * n + 6), 400.0) for n in range(4)]
        >>> time_to_money(Cost(build=1000), day, weeks).release_to_break_even
        20
    """
    spent, earned = float(cost.build), 0.0
    even = None
    for income in incomes:
        earned += income.amount
        months = ((income.last_day - released).days + 1) / _DAYS_A_MONTH
        spent = float(cost.build) + float(cost.per_month) * months
        if even is None and earned >= spent:
            even = income.last_day
    return TimeToMoney(
        _days(start, first_outcome),
        _days(released, first_outcome),
        _days(start, even),
        _days(released, even),
        spent,
        earned,
    )


def _days(first: dt.date | None, last: dt.date | None) -> int | None:
    return (last - first).days if first is not None and last is not None else None
