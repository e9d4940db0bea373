"""Local days, weeks, months and windows of a reporting time zone, as integers that queries can compute with.

A day is the number of days since 1970-01-01 on the local calendar; an instant is microseconds since
1970-01-01 UTC. Time zone rules come from Python's zoneinfo alone, so that the day of an event and the end
of a period can never disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args

from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.metrics import Grain
from headway.periods import EPOCH, day_start_us, week_offset, zone

_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STEP = MICROSECONDS_PER_DAY // 2
_DAY = timedelta(days=1)

DAYS: Mapping[str, int] = {"day": 1, "week": 7, "rolling_7d": 7, "rolling_28d": 28}
"""Days of each kind of period that always has the same number."""


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
    """One local day, week or month, or one window of days.

    Attributes:
        grain: What it is.
        start: Its first day.
        last: Its last day.
        end: First instant after it.
    """

    grain: Grain
    start: date
    last: date
    end: int


@dataclass(frozen=True)
class Calendar:
    """Days and longer periods of one time zone.

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

    def instant(self, day: int, time_of_day: str) -> int:
        """Returns the instant at which clocks first show a time of a local day.

        Args:
            day: Days since 1970-01-01.
            time_of_day: ``HH:MM``; ``24:00`` is the next midnight. A time that the clocks skip is counted from before.

        Returns:
            Microseconds since 1970-01-01 UTC.

        Examples:
            >>> berlin = Calendar("Europe/Berlin")
            >>> [berlin.instant(day, "09:00") // 3_600_000_000 % 24 for day in (20540, 20541)]   # 28 and 29 March 2026
            [8, 7]
        """
        hours, minutes = (int(part) for part in time_of_day.split(":"))
        local = datetime.combine(EPOCH + timedelta(days=day + hours // 24), time(hours % 24, minutes))
        return (local.replace(tzinfo=zone(self.timezone)).astimezone(UTC) - _EPOCH_UTC) // _MICROSECOND

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

    def periods(
        self, first: date, last: date, grains: Collection[Grain] = ("day", "week")
    ) -> Iterator[Period]:
        """Yields every period that holds a day of a range, and every window of days that lies within it.

        Args:
            first: First day.
            last: Last day, included.
            grains: Kinds of period.

        Yields:
            The periods, each kind in order.

        Examples:
            >>> found = Calendar("UTC").periods(date(2026, 3, 1), date(2026, 3, 2))
            >>> [(each.grain, each.start.isoformat()) for each in found]
            [('day', '2026-03-01'), ('day', '2026-03-02'), ('week', '2026-02-23'), ('week', '2026-03-02')]
            >>> march = Calendar("UTC").periods(date(2026, 2, 25), date(2026, 3, 4), ["month", "rolling_7d"])
            >>> [(each.start.isoformat(), each.last.isoformat()) for each in march]
            [('2026-02-01', '2026-02-28'), ('2026-03-01', '2026-03-31'), ('2026-02-25', '2026-03-03'),
             ('2026-02-26', '2026-03-04')]
        """
        for grain in get_args(Grain):
            if grain in grains:
                for start, past in self._spans(grain, first, last):
                    yield Period(grain, start, past - _DAY, day_start_us(past, self.timezone))

    def _spans(self, grain: Grain, first: date, last: date) -> Iterator[tuple[date, date]]:
        """Yields the first day of each period and the day after its last."""
        if grain == "month":
            start = first.replace(day=1)
            while start <= last:
                past = (start + 31 * _DAY).replace(day=1)
                yield start, past
                start = past
            return
        days = DAYS[grain]
        step = 7 if grain == "week" else 1
        begin = self.week(first) if grain == "week" else first
        until = last if grain in ("day", "week") else last - (days - 1) * _DAY
        for start in _every(begin, until, step):
            yield start, start + days * _DAY


def _every(first: date, last: date, step: int) -> Iterator[date]:
    for days in range(0, (last - first).days + 1, step):
        yield first + timedelta(days=days)
