"""Local days and weeks of a reporting time zone, as integers that queries can compute with.

A day is the number of days since 1970-01-01 on the local calendar; an instant is microseconds since
1970-01-01 UTC. Time zone rules come from Python's zoneinfo alone, so that the day of an event and the end
of a period can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from headway.models.durations import MICROSECONDS_PER_DAY
from headway.periods import EPOCH, day_start_us, week_offset, zone

_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STEP = MICROSECONDS_PER_DAY // 2


@dataclass(frozen=True)
class Offset:
    """A stretch of time in which the zone's distance from UTC is constant.

    Attributes:
        since: First instant of the stretch.
        microseconds: Local time minus UTC.
    """

    since: int
    microseconds: int


@dataclass(frozen=True)
class Period:
    """One local day or week.

    Attributes:
        kind: What it is.
        start: Its first day.
        end: First instant after it.
    """

    kind: Literal["day", "week"]
    start: date
    end: int


@dataclass(frozen=True)
class Calendar:
    """Days and weeks of one time zone.

    Attributes:
        timezone: IANA name.
        week_start: English name of the day weeks start on.
    """

    timezone: str
    week_start: str = "monday"

    def offset(self, instant: int) -> int:
        """Returns local time minus UTC at an instant, in microseconds."""
        local = (_EPOCH_UTC + timedelta(microseconds=instant)).astimezone(zone(self.timezone))
        return (local.utcoffset() or timedelta()) // _MICROSECOND

    def offsets(self, first: int, last: int) -> tuple[Offset, ...]:
        """Returns the stretches of constant offset that cover two instants and everything between.

        Args:
            first: Earlier instant.
            last: Later instant.

        Returns:
            Stretches in order; the first one begins at `first`.

        Examples:
            >>> from headway.periods import utc_us
            >>> begin = utc_us(datetime(2026, 3, 1))
            >>> spring = Calendar("Europe/Berlin").offsets(begin, begin + 40 * MICROSECONDS_PER_DAY)
            >>> [each.microseconds // 3_600_000_000 for each in spring]
            [1, 2]
            >>> spring[1].since == utc_us(datetime(2026, 3, 29, 1))
            True
        """
        found = [Offset(first, self.offset(first))]
        at = first
        while at < last:
            upto = min(at + _STEP, last)
            if self.offset(upto) != found[-1].microseconds:
                found.append(Offset(self._change(at, upto), self.offset(upto)))
            at = upto
        return tuple(found)

    def _change(self, before: int, after: int) -> int:
        """Halves the stretch until it holds one microsecond: the first with the new offset."""
        old = self.offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if self.offset(middle) == old else (before, middle)
        return after

    def week(self, day: date) -> date:
        """Returns the first day of the week of a day."""
        return day - timedelta(days=((day - EPOCH).days + week_offset(self.week_start)) % 7)

    def periods(self, first: date, last: date) -> Iterator[Period]:
        """Yields every day, then every week, that holds a day of a range.

        Args:
            first: First day.
            last: Last day, included.

        Yields:
            The periods, each kind in order.

        Examples:
            >>> found = Calendar("UTC").periods(date(2026, 3, 1), date(2026, 3, 2))
            >>> [(each.kind, each.start.isoformat()) for each in found]
            [('day', '2026-03-01'), ('day', '2026-03-02'), ('week', '2026-02-23'), ('week', '2026-03-02')]
        """
        for start in _every(first, last, 1):
            yield Period("day", start, day_start_us(start + timedelta(days=1), self.timezone))
        for start in _every(self.week(first), last, 7):
            yield Period("week", start, day_start_us(start + timedelta(days=7), self.timezone))


def _every(first: date, last: date, step: int) -> Iterator[date]:
    for days in range(0, (last - first).days + 1, step):
        yield first + timedelta(days=days)
