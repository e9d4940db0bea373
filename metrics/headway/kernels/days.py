"""Local days of instants, by the offsets a time zone had: the same calendar as the prelude's, on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from headway.models.durations import MICROSECONDS_PER_DAY
from headway.periods import zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
#: Clocks are changed at most once in so many days.
_PROBE_US = 7 * MICROSECONDS_PER_DAY
#: Beyond these years Python has no calendar.
_EARLIEST_US, _LATEST_US = -60_000_000_000 * _SECOND, 250_000_000_000 * _SECOND


@dataclass(frozen=True)
class Offsets:
    """What a time zone adds to UTC.

    Attributes:
        since_us: Instants from which each offset but the first holds.
        offset_us: The offsets, one more than there are instants.
    """

    since_us: npt.NDArray[np.int64]
    offset_us: npt.NDArray[np.int64]


@cache
def utc_offsets(timezone: str, first_us: int, last_us: int) -> Offsets:
    """Finds the offsets a time zone has within a range of time.

    Args:
        timezone: Its IANA name.
        first_us: First instant that matters, epoch microseconds.
        last_us: Last instant that matters.

    Returns:
        The offsets.

    Raises:
        ValueError: The range lies outside of the calendar.

    Examples:
        >>> summer = 1774746000_000000
        >>> offsets = utc_offsets("Europe/Berlin", summer - 10**12, summer + 10**12)
        >>> offsets.since_us.tolist() == [summer], (offsets.offset_us // 3_600_000_000).tolist()
        (True, [1, 2])
    """
    if not _EARLIEST_US <= first_us <= last_us <= _LATEST_US:
        raise ValueError("instants outside of the calendar")
    since, offsets = [], [_offset(timezone, first_us)]
    low = first_us
    while low < last_us:
        high = min(low + _PROBE_US, last_us)
        if (after := _offset(timezone, high)) != offsets[-1]:
            since.append(_change(timezone, low, high))
            offsets.append(after)
        low = high
    return Offsets(np.array(since, np.int64), np.array(offsets, np.int64))


def local_days(us: npt.NDArray[np.int64], offsets: Offsets) -> npt.NDArray[np.int32]:
    """Finds the local day of each instant.

    Args:
        us: Instants, epoch microseconds UTC.
        offsets: What the time zone adds.

    Returns:
        Days since 1970-01-01 on the local calendar.

    Examples:
        >>> berlin = utc_offsets("Europe/Berlin", 0, 10**12)
        >>> local_days(np.array([0, 82_799_999_999, 82_800_000_000]), berlin).tolist()
        [0, 0, 1]
    """
    if len(offsets.since_us):
        local = us + offsets.offset_us.take(np.searchsorted(offsets.since_us, us, side="right"))
    else:
        local = us + offsets.offset_us[0]
    days: npt.NDArray[np.int32] = np.floor_divide(local, MICROSECONDS_PER_DAY).astype(np.int32)
    return days


def _offset(timezone: str, us: int) -> int:
    # An offset may have parts of a second in it no more than a change may: whole seconds are exact.
    moment = (_EPOCH + timedelta(seconds=us // _SECOND)).astimezone(zone(timezone))
    offset = moment.utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def _change(timezone: str, low: int, high: int) -> int:
    """Finds the first instant with another offset than `low`, in whole seconds."""
    before = _offset(timezone, low)
    first, last = low // _SECOND, -(-high // _SECOND)
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(timezone, middle * _SECOND) == before:
            first = middle
        else:
            last = middle
    return last * _SECOND
