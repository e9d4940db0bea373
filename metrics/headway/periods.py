"""Local days, weeks and months as plain numbers, and the range of time a question is about.

A period is numbered by the local calendar of a reporting time zone: days since 1970-01-01, weeks since the one
that holds 1970-01-01, months since January 1970. Queries compute with these integers only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from headway.errors import InputError

Period = Literal["day", "week", "month"]
Moment = date | datetime | str

EPOCH = date(1970, 1, 1)
#: First day a range may begin with.
EARLIEST = date(1900, 1, 1)
#: The day after the last one of which there are periods: calendars go a little further.
AFTER_LATEST = date(9999, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@cache
def known_zones() -> frozenset[str]:
    """Lists the IANA names of all time zones of this machine; looked for once, because it takes a while.

    Returns:
        The names.

    Examples:
        >>> "Europe/Berlin" in known_zones()
        True
    """
    return frozenset(available_timezones())


@cache
def zone(name: str) -> ZoneInfo:
    """Looks a time zone up.

    Args:
        name: Its IANA name, for example ``"Europe/Berlin"``.

    Returns:
        The time zone.

    Raises:
        InputError: There is none of that name.

    Examples:
        >>> zone("Europe/Berlin").key
        'Europe/Berlin'
    """
    if not isinstance(name, str) or name not in known_zones():
        raise InputError.unknown("time zone", str(name), known_zones())
    return ZoneInfo(name)


def weekday(week_start: str) -> int:
    """Numbers the day a week starts on.

    Args:
        week_start: English name of a weekday in lower case.

    Returns:
        0 for Monday to 6 for Sunday.

    Raises:
        InputError: It is not a weekday.

    Examples:
        >>> weekday("sunday")
        6
    """
    if week_start not in _WEEKDAYS:
        raise InputError.unknown("week start", str(week_start), _WEEKDAYS)
    return _WEEKDAYS.index(week_start)


def check_period(period: str) -> Period:
    """Checks the name of a period.

    Args:
        period: ``"day"``, ``"week"`` or ``"month"``.

    Returns:
        The same name.

    Raises:
        InputError: It is none of these.

    Examples:
        >>> check_period("week")
        'week'
    """
    for name in get_args(Period):
        if period == name:
            return name  # type: ignore[no-any-return]
    raise InputError.unknown("period", str(period), get_args(Period))


def period_number(day: date, period: Period, week_start: str = "monday") -> int:
    """Numbers the period a day falls in.

    Args:
        day: A local day.
        period: Length of the periods.
        week_start: The day weeks start on.

    Returns:
        Days, weeks or months since the one that holds 1970-01-01.

    Examples:
        >>> period_number(date(1970, 1, 8), "week"), period_number(date(1971, 2, 1), "month")
        (1, 13)
    """
    if period == "month":
        return (day.year - EPOCH.year) * 12 + day.month - 1
    days = (day - EPOCH).days
    return days if period == "day" else (days + week_offset(week_start)) // 7


def period_start(number: int, period: Period, week_start: str = "monday") -> date:
    """Finds the first day of a period.

    Args:
        number: Number of the period, see `period_number`.
        period: Length of the periods.
        week_start: The day weeks start on.

    Returns:
        The first local day of it.

    Examples:
        >>> period_start(1, "week"), period_start(13, "month")
        (datetime.date(1970, 1, 5), datetime.date(1971, 2, 1))
    """
    if period == "month":
        return date(EPOCH.year + number // 12, number % 12 + 1, 1)
    return EPOCH + timedelta(days=number if period == "day" else number * 7 - week_offset(week_start))


def week_offset(week_start: str) -> int:
    """Says how many days 1970-01-01, a Thursday, lies behind the start of its week.

    Args:
        week_start: The day weeks start on.

    Returns:
        0 to 6.

    Examples:
        >>> week_offset("monday"), week_offset("friday")
        (3, 6)
    """
    return (EPOCH.weekday() - weekday(week_start)) % 7


def utc_us(moment: datetime) -> int:
    """Counts microseconds since 1970 in UTC.

    Args:
        moment: An instant; without a time zone it is UTC.

    Returns:
        Epoch microseconds.

    Examples:
        >>> utc_us(datetime(1970, 1, 1, 0, 0, 1))
        1000000
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH_UTC) // timedelta(microseconds=1)


def utc_text(us: int) -> str:
    """Writes an instant as text.

    Args:
        us: Epoch microseconds, UTC.

    Returns:
        Date and time in UTC, to the microsecond.

    Examples:
        >>> utc_text(1)
        '1970-01-01 00:00:00.000001'
    """
    return (_EPOCH_UTC + timedelta(microseconds=us)).replace(tzinfo=None).isoformat(sep=" ")


def local_day(us: int, timezone: str) -> date:
    """Finds the local day of an instant.

    Args:
        us: Epoch microseconds, UTC.
        timezone: Reporting time zone.

    Returns:
        The day on a calendar there.

    Examples:
        >>> local_day(1774738800000000 - 1, "Europe/Berlin")
        datetime.date(2026, 3, 28)
    """
    return (_EPOCH_UTC + timedelta(microseconds=us)).astimezone(zone(timezone)).date()


def day_number(us: int, timezone: str) -> int:
    """Numbers the local day of an instant.

    Args:
        us: Epoch microseconds, UTC.
        timezone: Reporting time zone.

    Returns:
        Days since 1970-01-01 on a calendar there.

    Examples:
        >>> day_number(86_400_000_000 - 1, "Europe/Berlin")
        1
    """
    return (local_day(us, timezone) - EPOCH).days


def day_start_us(day: date, timezone: str) -> int:
    """Finds the instant a local day starts.

    Args:
        day: A local day.
        timezone: Reporting time zone.

    Returns:
        Epoch microseconds, UTC. Where clocks skip midnight it is the instant of the jump.

    Examples:
        >>> day_start_us(date(2026, 3, 29), "Europe/Berlin")
        1774738800000000
    """
    return utc_us(datetime(day.year, day.month, day.day, tzinfo=zone(timezone)))


@dataclass(frozen=True)
class Span:
    """The range of time a question is about; both ends included, None leaves an end open.

    A date means the whole local day, an instant means itself.

    Attributes:
        since: First day or instant; an instant is aware.
        until: Last day or instant; an instant is aware.
        timezone: Reporting time zone the days belong to.
    """

    since: date | None
    until: date | None
    timezone: str

    @classmethod
    def parse(cls, since: Moment | None, until: Moment | None, timezone: str) -> Span:
        """Reads both ends.

        Args:
            since: A date, a datetime, or ISO text of either; a datetime without offset is local time.
            until: The same.
            timezone: Reporting time zone.

        Returns:
            The range.

        Raises:
            InputError: An end cannot be read, or the range ends before it starts.

        Examples:
            >>> Span.parse("2026-03-29", "2026-03-29", "Europe/Berlin").until_us
            1774821599999999
        """
        zone(timezone)
        span = cls(_moment("since", since, timezone), _moment("until", until, timezone), timezone)
        if span.since_us is not None and span.until_us is not None and span.since_us > span.until_us:
            raise InputError("since lies after until: the range of time is empty")
        return span

    @property
    def since_us(self) -> int | None:
        """First instant in the range, epoch microseconds."""
        if self.since is None or isinstance(self.since, datetime):
            return None if self.since is None else utc_us(self.since)
        return day_start_us(self.since, self.timezone)

    @property
    def until_us(self) -> int | None:
        """Last instant in the range, epoch microseconds."""
        if self.until is None or isinstance(self.until, datetime):
            return None if self.until is None else utc_us(self.until)
        return day_start_us(self.until + timedelta(days=1), self.timezone) - 1


def _moment(name: str, value: Moment | None, timezone: str) -> date | None:
    if isinstance(value, str):
        text = value.strip()
        try:
            value = date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
        except ValueError:
            raise InputError(
                f"{name}={text!r} is not a date or an instant: write '2026-03-29' or '2026-03-29T12:00:00+02:00'"
            ) from None
    if value is not None and not isinstance(value, date):
        raise InputError(f"{name} must be a date, a datetime or ISO text, not a {type(value).__name__}")
    if value is not None and not EARLIEST.year <= value.year < 9999:
        raise InputError(f"{name} must lie between the years 1900 and 9998")
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone(timezone))
    return value
