"""Instants written as numbers since 1970."""

from __future__ import annotations

#: Microseconds per unit.
UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

#: The last instant that is written down: in the year 290,325, far beyond any that is judged to be one.
_LAST_US = 9_099_000_000_000_000_000
#: More digits than nanoseconds since 1970 have: no time in any unit.
_NO_TIME = 10**19
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
