"""Lengths of time as people write them in a definition file."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from headway.errors import InputError

MICROSECONDS_PER_DAY = 86_400_000_000

_UNITS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": MICROSECONDS_PER_DAY}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_RETENTION = re.compile(r"([0-9]{1,4}) (day|week|month|year)s?")


def parse_duration(text: str) -> int:
    """Reads an elapsed time such as ``14d``, ``24h``, ``30m`` or ``90s``.

    A day is always 24 hours here: a window is elapsed time, not a number of calendar days.

    Args:
        text: A whole number followed by d, h, m or s.

    Returns:
        The length in microseconds.

    Raises:
        InputError: The text is not such a length.

    Examples:
        >>> parse_duration("30m")
        1800000000
        >>> parse_duration("14d") == 14 * 24 * parse_duration("60m")
        True
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(
            f"{text!r} is not a duration; write a whole number and d, h, m or s, "
            "for example '14d', '24h' or '30m'"
        )
    return int(match[1]) * _UNITS[match[2]]


def describe_duration(text: str) -> str:
    """Spells a duration out for a sentence.

    Args:
        text: A duration as ``parse_duration`` reads it.

    Returns:
        The same length in words.

    Raises:
        InputError: The text is not a duration.

    Examples:
        >>> describe_duration("14d"), describe_duration("1h")
        ('14 days', '1 hour')
    """
    parse_duration(text)
    count, unit = int(text[:-1]), {"d": "day", "h": "hour", "m": "minute", "s": "second"}[text[-1]]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


@dataclass(frozen=True)
class Retention:
    """How long rows may be kept, in calendar units.

    Attributes:
        count: Number of units, at least 1.
        unit: The unit; months and years follow the calendar.
    """

    count: int
    unit: Literal["day", "week", "month", "year"]

    def before(self, day: date) -> date:
        """The first day that is still within the period on some day.

        Args:
            day: The present.

        Returns:
            The day; where its month is too short, the month's last.

        Examples:
            >>> Retention(1, "month").before(date(2026, 3, 31)), Retention(2, "week").before(date(2026, 3, 31))
            (datetime.date(2026, 2, 28), datetime.date(2026, 3, 17))
        """
        if self.unit in ("day", "week"):
            return day - timedelta(days=self.count * (7 if self.unit == "week" else 1))
        months = day.year * 12 + day.month - 1 - self.count * (12 if self.unit == "year" else 1)
        year, month = max(months // 12, 1), months % 12 + 1
        return date(year, month, min(day.day, monthrange(year, month)[1]))


def parse_retention(text: str) -> Retention:
    """Reads a retention period such as ``25 months``.

    Args:
        text: A whole number, a space, and days, weeks, months or years.

    Returns:
        The period.

    Raises:
        InputError: The text is not such a period.

    Examples:
        >>> parse_retention("25 months")
        Retention(count=25, unit='month')
    """
    match = _RETENTION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise InputError(
            f"{text!r} is not a retention period; write a whole number and days, weeks, months or years, "
            "for example '25 months'"
        )
    unit: Literal["day", "week", "month", "year"] = match[2]  # type: ignore[assignment]
    return Retention(int(match[1]), unit)
