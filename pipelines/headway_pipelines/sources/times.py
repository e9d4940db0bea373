"""Instants as exports write them: numbers since 1970, texts with and without an offset, local times."""

from __future__ import annotations

from headway.engine import literal
from headway.models.explain import did_you_mean
from headway.periods import known_zones

#: Microseconds per unit.
UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

#: The last instant that is written down: in the year 290,325, far beyond any that is judged to be one.
_LAST_US = 9_099_000_000_000_000_000
#: More digits than nanoseconds since 1970 have: no time in any unit.
_NO_TIME = 10**19
#: A time of day that is followed by an offset or the name of a zone.
_WITH_ZONE = r":[0-9]{2}.*([A-Za-z]|[+-][0-9]{2}(:?[0-9]{2})?)\s*$"
#: As seconds the year 5138, as milliseconds March 1973: no log has both.
_MS_FROM = 100_000_000_000


def since_1970(raw: str, unit: str) -> str:
    """SQL of the instant that a number means.

    A number in a finer unit than said gives an instant thousands of years ahead, never NULL: the gate says of such rows
    that their time is in another unit.

    Args:
        raw: An expression of type VARCHAR.
        unit: ``s``, ``ms``, ``us``, or ``auto``: seconds or milliseconds, by the size of each number.

    Returns:
        An expression of type TIMESTAMP (naive UTC); NULL where the text is no such number.

    Examples:
        >>> from headway.engine import connect
        >>> moments = ", ".join(since_1970(f"'{n}'", "auto") for n in ("1774747800", "1774747800250", "soon"))
        >>> [str(moment) for moment in connect().execute(f"SELECT {moments}").fetchall()[0]]
        ['2026-03-29 01:30:00', '2026-03-29 01:30:00.250000', 'None']
    """
    number = f"TRY_CAST({raw} AS DECIMAL(28, 6))"
    if unit == "auto":
        return f"CASE WHEN abs({number}) >= {_MS_FROM} THEN {since_1970(raw, 'ms')} ELSE {since_1970(raw, 's')} END"
    scale = UNITS[unit]
    capped = f"CASE WHEN {number} < {_NO_TIME} THEN least({number}, {_LAST_US // scale}) ELSE {number} END"
    return f"TRY(make_timestamp(CAST(round(({capped}) * {scale}) AS BIGINT)))"


def iso(raw: str, timezone: str = "UTC") -> str:
    """SQL of the instant that an ISO 8601 text means.

    Args:
        raw: An expression of type VARCHAR.
        timezone: IANA zone of texts that carry none.

    Returns:
        An expression of type TIMESTAMP (naive UTC); NULL where the text is no time.

    Examples:
        >>> iso("j.time")
        'make_timestamp(epoch_us(TRY_CAST(j.time AS TIMESTAMPTZ)))'
    """
    zoned = f"make_timestamp(epoch_us(TRY_CAST({raw} AS TIMESTAMPTZ)))"
    if timezone == "UTC":
        return zoned
    local = in_zone(f"TRY_CAST({raw} AS TIMESTAMP)", timezone)
    return f"CASE WHEN regexp_matches({raw}, {literal(_WITH_ZONE)}) THEN {zoned} ELSE {local} END"


def in_zone(local: str, timezone: str) -> str:
    """SQL of the instant at which clocks of a zone show a time.

    Args:
        local: An expression of type TIMESTAMP.
        timezone: IANA zone.

    Returns:
        An expression of type TIMESTAMP (naive UTC).

    Examples:
        >>> in_zone("t", "UTC")
        't'
    """
    # The cast from TIMESTAMPTZ is to UTC, the session's zone.
    return local if timezone == "UTC" else f"CAST(timezone({literal(timezone)}, {local}) AS TIMESTAMP)"


def known_timezone(name: str) -> str:
    """Checks the name of a zone, for models.

    Args:
        name: Supposed IANA zone.

    Returns:
        The name.

    Raises:
        ValueError: There is no such zone; the message offers a near one.

    Examples:
        >>> known_timezone("Europe/Berlin")
        'Europe/Berlin'
    """
    if name not in known_zones():
        hint = did_you_mean(name, known_zones())
        raise ValueError(f"unknown time zone {name!r}; write an IANA name such as Europe/Berlin{hint}")
    return name
