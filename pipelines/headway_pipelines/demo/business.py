"""When agents work: Monday to Friday, 9 to 17 o'clock local time, except on holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from headway_pipelines.demo.clock import DAY, HOUR, Clock, Ints

OPENS, CLOSES = 9 * HOUR, 17 * HOUR
#: Days after which nothing waits any more, and an instant after every range.
_AFTER, _NEVER = 90, 2**62
_HOLIDAYS = (
    (1, 1, "New Year's Day"),
    (5, 1, "Labour Day"),
    (10, 5, "World Teachers' Day"),
    (12, 25, "Christmas Day"),
    (12, 26, "Second Day of Christmas"),
)


def holidays(clock: Clock) -> list[tuple[date, str]]:
    """Lists the holidays of the years that a range and the months after it touch.

    Args:
        clock: Times of the range.

    Returns:
        Local days with their names, in order.
    """
    first, last = (date.fromordinal(_ORDINAL + day) for day in _days(clock))
    return [
        (date(year, month, day), name)
        for year in range(first.year, last.year + 1)
        for month, day, name in _HOLIDAYS
    ]


@dataclass(frozen=True)
class BusinessHours:
    """Business time before every local day, for differences and sums.

    Attributes:
        clock: Times of the range.
        first: The first local day of the table, days since 1970.
        before: Business milliseconds from the first day's beginning to each day's, one more than there are days.
    """

    clock: Clock
    first: int
    before: Ints

    @classmethod
    def build(cls, clock: Clock) -> BusinessHours:
        """Makes the table of a range and some time after it.

        Args:
            clock: Times of the range.

        Returns:
            The business hours.
        """
        first, last = _days(clock)
        day = np.arange(first, last + 1)
        closed = [(at - date.fromordinal(_ORDINAL)).days for at, _ in holidays(clock)]
        # 1970-01-01 was a Thursday.
        works = ((day + 3) % 7 < 5) & ~np.isin(day, closed)
        return cls(clock, first, np.concatenate([[0], np.cumsum(works * (CLOSES - OPENS))]).astype(np.int64))

    def elapsed(self, utc: Ints) -> Ints:
        """Counts business time up to instants.

        Args:
            utc: UTC milliseconds.

        Returns:
            Business milliseconds since some fixed instant; differences are business time in between.
        """
        local = self.clock.local(utc)
        place = np.clip(local // DAY - self.first, 0, len(self.before) - 2)
        inside = np.clip(local % DAY - OPENS, 0, CLOSES - OPENS)
        today = self.before[place + 1] - self.before[place]
        return np.asarray(self.before[place] + np.minimum(inside, today), dtype=np.int64)

    def after(self, utc: Ints, wait: Ints) -> Ints:
        """Lets business time pass.

        Args:
            utc: UTC milliseconds from which on; instants after the table stand for never.
            wait: Business milliseconds, above 0.

        Returns:
            The first instants by which as much business time has passed.
        """
        last = self.clock.end + _AFTER * DAY // 2
        done = self.elapsed(np.minimum(utc, last)) + wait
        place = np.searchsorted(self.before, np.minimum(done, self.before[-1]), side="left") - 1
        local = (self.first + place) * DAY + OPENS + done - self.before[place]
        # Clocks change on Sundays, when nobody works: the offset at that wall-clock time is unambiguous.
        late = (utc > last) | (done > self.before[-1])
        return np.where(late, _NEVER, self.clock.from_local(local))


_ORDINAL = date(1970, 1, 1).toordinal()


def _days(clock: Clock) -> tuple[int, int]:
    ends = clock.day(np.array([clock.start, clock.end], np.int64))
    return int(ends[0]) - 2, int(ends[1]) + _AFTER
