"""Time in the demo: UTC milliseconds inside, local days, weeks and habits through lookup tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
#: Files a received day is split into.
FILES_PER_DAY = 4

Ints = NDArray[np.int64]

# Relative traffic by local hour: quiet nights, a lunch bump and the evening peak of people who learn after work.
_HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 12, 11, 10, 10, 11, 13, 16, 20, 22, 18, 11, 5])
_HOURS_CDF = np.cumsum(_HOURS) / _HOURS.sum()
# Local times are looked up from a day before the range to well after it (refunds, late answers).
_BEFORE, _AFTER = 2, 100


@dataclass(frozen=True)
class Clock:
    """Local time of one export.

    Attributes:
        start: First instant of the export, UTC milliseconds since 1970.
        end: First instant after the export, likewise.
        days: Number of UTC days in between.
        first_monday: Monday of the local week that holds ``start``.
        offset: Local minus UTC milliseconds, one entry an hour from two days before ``start`` on.
    """

    start: int
    end: int
    days: int
    first_monday: date
    offset: Ints

    @classmethod
    def build(cls, start: date, days: int, timezone: str) -> Clock:
        """Makes the tables for a range.

        Args:
            start: First UTC day.
            days: Number of days.
            timezone: IANA name of the reporting time zone; its offsets must change on whole hours.

        Returns:
            The clock.

        Examples:
            >>> clock = Clock.build(date(2026, 8, 31), 60, "Europe/Berlin")
            >>> clock.weeks, clock.first_monday.isoformat()
            (9, '2026-08-31')
        """
        zone = ZoneInfo(timezone)
        first = datetime(start.year, start.month, start.day, tzinfo=UTC)
        begin = int(first.timestamp()) * SECOND
        hours = [first + timedelta(hours=h) for h in range(-24 * _BEFORE, 24 * (days + _AFTER))]
        deltas = [hour.astimezone(zone).utcoffset() or timedelta() for hour in hours]
        offset = np.array([int(delta.total_seconds()) * SECOND for delta in deltas], dtype=np.int64)
        local = first.astimezone(zone).date()
        return cls(begin, begin + days * DAY, days, local - timedelta(days=local.weekday()), offset)

    @property
    def weeks(self) -> int:
        """Number of local weeks the range touches."""
        return int(self.week(np.array([self.end - 1]))[0]) + 1

    def local(self, utc: Ints) -> Ints:
        """Turns instants into local wall-clock milliseconds.

        Args:
            utc: UTC milliseconds since 1970.

        Returns:
            Milliseconds as a local calendar would count them.
        """
        return utc + self._offset_at(utc)

    def from_local(self, local: Ints) -> Ints:
        """Turns local wall-clock milliseconds into instants.

        Args:
            local: Milliseconds as ``local`` gives them; hours in which clocks change are not told apart.

        Returns:
            UTC milliseconds since 1970.
        """
        return local - self._offset_at(local - self._offset_at(local))

    def day(self, utc: Ints) -> Ints:
        """Numbers local days since 1970-01-01.

        Args:
            utc: UTC milliseconds since 1970.

        Returns:
            Day numbers.
        """
        return self.local(utc) // DAY

    def week(self, utc: Ints) -> Ints:
        """Numbers local weeks, Monday first, from the week that holds the start.

        Args:
            utc: UTC milliseconds since 1970.

        Returns:
            Week numbers, 0 for the first.
        """
        return (self.day(utc) - (self.first_monday - date(1970, 1, 1)).days) // 7

    def week_start(self, week: int) -> date:
        """Gives the Monday of a week.

        Args:
            week: Week number; ``weeks`` gives the end of the last one.

        Returns:
            The local date.
        """
        return self.first_monday + timedelta(days=7 * week)

    def week_bounds(self, timezone: str) -> Ints:
        """Gives the instants at which the weeks begin.

        Args:
            timezone: IANA name of the reporting time zone.

        Returns:
            UTC milliseconds, one more than there are weeks: the last is the end of the last week.
        """
        zone = ZoneInfo(timezone)
        mondays = [self.week_start(week) for week in range(self.weeks + 1)]
        stamps = [datetime(m.year, m.month, m.day, tzinfo=zone).timestamp() for m in mondays]
        return np.array([int(stamp) * SECOND for stamp in stamps], dtype=np.int64)

    def at_habitual_hour(self, rng: np.random.Generator, utc: Ints) -> Ints:
        """Moves instants to a likely time of the same local day.

        Args:
            rng: Source of draws.
            utc: UTC milliseconds since 1970.

        Returns:
            Instants of the same local days at hours people use the product.
        """
        offset = self._offset_at(utc)
        hour = np.searchsorted(_HOURS_CDF, rng.random(len(utc)))
        inside = rng.integers(0, HOUR, len(utc))
        return (utc + offset) // DAY * DAY + hour * HOUR + inside - offset

    def file_of(self, received: Ints) -> Ints:
        """Numbers the file a line lands in.

        Args:
            received: UTC milliseconds at which the server got it.

        Returns:
            File numbers, 0 for the first file of the first day.
        """
        return (received - self.start) // (DAY // FILES_PER_DAY)

    def _offset_at(self, utc: Ints) -> Ints:
        hour = (utc - self.start) // HOUR + 24 * _BEFORE
        return self.offset[np.clip(hour, 0, len(self.offset) - 1)]
