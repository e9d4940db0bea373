"""How a column of texts writes points in time, told from its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

#: So large a part of the values must read as times.
FITS = 0.95
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)? ?(Z|UTC|[+-][0-9:]{2,6})?"
)
_NUMBER = re.compile(r"[0-9]{8,17}(\.[0-9]+)?")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAYS = (
    "%d.%m.%Y",
    "%d.%m.%y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%Y%m%d",
)
_OTHERS = ("%d/%b/%Y:%H:%M:%S %z", "%d %b %Y %H:%M:%S", "%d %b %Y", "%b %d, %Y", "%a %b %d %H:%M:%S %Y")
_PATTERNS = (*(day + clock for day in _DAYS for clock in _CLOCKS), *_OTHERS)
#: The years that a count since 1970 is taken for a time in.
_SINCE, _UNTIL = (datetime(year, 1, 1).timestamp() for year in (1990, 2100))


@dataclass(frozen=True)
class Times:
    """How times are written.

    Attributes:
        format: As `mapped.TimeField.format` takes it.
        note: What a person should check; empty where nothing is in doubt.
        telling: Whether the values alone tell; numbers may be anything, so their column must be named like a time.
    """

    format: str
    note: str = ""
    telling: bool = True


def times_of(values: Sequence[str]) -> Times | None:
    """Says how values write points in time.

    Args:
        values: Texts, none of them empty.

    Returns:
        How; None where too few read as times.

    Examples:
        >>> times_of(["2026-03-02T09:00:00Z", "2026-03-02"]).format, times_of(["1772442000123"]).format
        ('iso', 'ms')
        >>> times_of(["31.03.2026 09:00"]).format, times_of(["7", "12"])
        ('%d.%m.%Y %H:%M', None)
    """
    if _most(values, _is_iso):
        zoned = _most(values, lambda value: value[-1:] == "Z" or value.endswith("UTC") or "+" in value)
        return Times("iso", "" if zoned else _LOCAL)
    fitting = list(_fitting(values))
    if fitting:
        doubt = {pattern[:5] for pattern in fitting} >= {"%m/%d", "%d/%m"}
        note = "which of day and month comes first cannot be told from the values; " if doubt else ""
        return Times(fitting[0], note + ("" if "%z" in fitting[0] else _LOCAL), fitting[0] != "%Y%m%d")
    for unit, size in (("s", 1), ("ms", 1_000), ("us", 1_000_000)):
        if _most(values, partial(_since, size)):
            return Times(unit, telling=False)
    return None


_LOCAL = "read as UTC; add timezone: if they are local"


def _fitting(values: Sequence[str]) -> Iterator[str]:
    return (pattern for pattern in _PATTERNS if _most(values, partial(_reads, pattern)))


def _most(values: Sequence[str], holds: Callable[[str], bool]) -> bool:
    missing, most = 0, len(values) * (1 - FITS)
    for value in values:
        missing += not holds(value.strip())
        if missing > most:
            return False
    return bool(values)


def _is_iso(value: str) -> bool:
    if not _ISO.fullmatch(value):
        return False
    with suppress(ValueError):
        return datetime.fromisoformat(value[:10]).year >= 1
    return False


def _reads(pattern: str, value: str) -> bool:
    with suppress(ValueError):
        return 1990 <= datetime.strptime(value, pattern).year <= 2100
    return False


def _since(size: int, value: str) -> bool:
    return bool(_NUMBER.fullmatch(value)) and _SINCE * size <= float(value) < _UNTIL * size
