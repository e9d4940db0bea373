"""Numbers as people read them: units, and only as many digits as the interval supports."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"

_MAX_DECIMALS = 3


def finite(value: object) -> float | None:
    """Reads a cell: null, NaN and infinity are no number.

    Args:
        value: A value of a table.

    Returns:
        The number, or None.

    Examples:
        >>> finite(2), finite(float("nan")), finite(None)
        (2.0, None, None)
    """
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def decimals(unit: str, value: float, low: float | None = None, high: float | None = None) -> int:
    """Chooses how many decimals are worth showing: the first digit in which the ends of the interval differ.

    Args:
        unit: Unit of the value.
        value: The value; percent as a fraction.
        low: Lower end of its interval.
        high: Upper end.

    Returns:
        Decimals of the shown number, 0 to 3. A number of people is whole (a mean of them need not be); money has
        cents below 100.

    Examples:
        >>> decimals("percent", 0.38, 0.35, 0.41), decimals("percent", 0.382, 0.379, 0.386)
        (0, 1)
        >>> decimals("EUR", 12.4, 11.0, 14.0), decimals("days", 3.4, 3.1, 3.7)
        (2, 1)
        >>> decimals("people", 1204.0, 1137.2, 1273.9), decimals("people", 0.062, 0.041, 0.083)
        (0, 2)
    """
    if unit == "people" and float(value).is_integer():
        return 0
    if is_currency(unit):
        return 2 if abs(value) < 100 else 0
    scale = _scale(unit)
    if low is None or high is None or high <= low:
        width = abs(value) * scale / 10
        whole = math.isclose(value * scale, round(value * scale), abs_tol=1e-9)
        return 0 if whole or width == 0 else _digits(width)
    return _digits((high - low) * scale)


def apart(places: int, unit: str, *pairs: tuple[float | None, float | None]) -> int:
    """Adds decimals until numbers that differ also look different, at most three.

    Otherwise an interval could appear to touch a target that it misses.

    Args:
        places: Decimals to start from.
        unit: Unit of the numbers.
        pairs: Numbers that must be told apart.

    Returns:
        Decimals to show.

    Examples:
        >>> apart(0, "percent", (0.4496, 0.45))
        2
    """
    for more in range(places, _MAX_DECIMALS + 1):
        if all(
            a is None or b is None or a == b or _text(a, unit, more) != _text(b, unit, more) for a, b in pairs
        ):
            return more
    return max(places, _MAX_DECIMALS)


def amount(value: float, unit: str, places: int) -> str:
    """Shows a number with its unit.

    Args:
        value: The number; percent as a fraction.
        unit: Its unit.
        places: Decimals.

    Returns:
        For example ``38 %``, ``1,204 people``, ``12.40 EUR``.

    Examples:
        >>> amount(0.38, "percent", 0), amount(1204.0, "people", 0), amount(-3.0, "points", 0)
        ('38 %', '1,204 people', '−3 points')
    """
    text = _text(value, unit, places)
    if unit == "percent":
        return f"{text} %"
    return f"{text} {noun(unit, one=text.lstrip(MINUS) == '1')}"


def bounds(low: float, high: float, unit: str, places: int) -> str:
    """Shows the ends of an interval, without unit.

    Args:
        low: Lower end.
        high: Upper end.
        unit: Unit of both.
        places: Decimals.

    Returns:
        ``35–41``, or ``−1 to 7`` where a sign is involved.

    Examples:
        >>> bounds(0.35, 0.41, "percent", 0), bounds(-0.01, 0.07, "percent", 0)
        ('35–41', '−1 to 7')
    """
    between = " to " if low < 0 else DASH
    return f"{_text(low, unit, places)}{between}{_text(high, unit, places)}"


def signed(value: float, unit: str, places: int) -> str:
    """Shows a change with its sign and the unit of a difference.

    Args:
        value: The change; percent as a fraction.
        unit: Unit of the values it is the difference of.
        places: Decimals.

    Returns:
        For example ``+4 percentage points``.

    Examples:
        >>> signed(0.04, "percent", 0), signed(-1.0, "people", 0)
        ('+4 percentage points', '−1 person')
    """
    text = _text(abs(value), unit, places)
    zero = not text.strip("0.,")
    sign = "" if zero else "+" if value > 0 else MINUS
    name = "percentage points" if unit == "percent" else unit
    return f"{sign}{text} {noun(name, one=text == '1')}"


def noun(unit: str, *, one: bool) -> str:
    """Puts a unit into the singular where it stands after 1.

    Args:
        unit: The unit, in the plural.
        one: Whether the number is 1.

    Returns:
        The word.

    Examples:
        >>> noun("people", one=True), noun("lessons", one=True), noun("lessons", one=False), noun("EUR", one=True)
        ('person', 'lesson', 'lessons', 'EUR')
    """
    if not one:
        return unit
    return "person" if unit == "people" else unit.removesuffix("s")


def count(number: object) -> str:
    """Shows a whole number with thousands separators; a missing one as an en dash.

    Args:
        number: The number or None.

    Returns:
        The text.

    Examples:
        >>> count(12345), count(None)
        ('12,345', '–')
    """
    value = finite(number)
    return DASH if value is None else f"{round(value):,}".replace("-", MINUS)


def is_currency(unit: str) -> bool:
    """Tells whether a unit is an ISO 4217 currency code."""
    return len(unit) == 3 and unit.isascii() and unit.isalpha() and unit.isupper()


def day(value: date) -> str:
    """Shows a date.

    Args:
        value: The date.

    Returns:
        The text, in English whatever the machine's locale.

    Examples:
        >>> day(date(2026, 3, 9))
        '9 Mar 2026'
    """
    return f"{short_day(value)} {value.year}"


def short_day(value: date) -> str:
    """Shows a date without its year.

    Args:
        value: The date.

    Returns:
        The text.

    Examples:
        >>> short_day(date(2026, 3, 9))
        '9 Mar'
    """
    return f"{value.day} {_MONTHS[value.month - 1]}"


def week(start: date) -> str:
    """Shows the seven days from a date on.

    Args:
        start: First day.

    Returns:
        The range, no longer than needed.

    Examples:
        >>> week(date(2026, 3, 9)), week(date(2026, 3, 30)), week(date(2025, 12, 29))
        ('9–15 Mar 2026', '30 Mar – 5 Apr 2026', '29 Dec 2025 – 4 Jan 2026')
    """
    end = start + timedelta(days=6)
    if start.month == end.month:
        return f"{start.day}{DASH}{day(end)}"
    first = day(start) if start.year != end.year else short_day(start)
    return f"{first} {DASH} {day(end)}"


def month(start: date) -> str:
    """Shows a month by any of its days.

    Args:
        start: The day.

    Returns:
        The text.

    Examples:
        >>> month(date(2026, 3, 1))
        'Mar 2026'
    """
    return f"{_MONTHS[start.month - 1]} {start.year}"


def moment(value: datetime) -> str:
    """Shows an instant to the minute.

    Args:
        value: The instant, already in the zone to show.

    Returns:
        The text.

    Examples:
        >>> moment(datetime(2026, 3, 9, 7, 5))
        '9 Mar 2026, 07:05'
    """
    return f"{day(value)}, {value:%H:%M}"


def duration(seconds: float | None) -> str:
    """Shows a length of time in its largest sensible unit.

    Args:
        seconds: The length, or None.

    Returns:
        The text; an en dash for None.

    Examples:
        >>> duration(42.0), duration(5400.0), duration(200_000.0), duration(None)
        ('42 seconds', '1.5 hours', '2.3 days', '–')
    """
    if seconds is None:
        return DASH
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            text = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{text} {name[:-1] if text == '1' else name}"
    return f"{seconds:.0f} seconds"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _scale(unit: str) -> int:
    return 100 if unit == "percent" else 1


def _text(value: float, unit: str, places: int) -> str:
    text = f"{value * _scale(unit):,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", MINUS)


def _digits(width: float) -> int:
    return min(max(-math.floor(math.log10(width)), 0), _MAX_DECIMALS)
