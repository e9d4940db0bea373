"""Local time in SQL: the number of an instant's period, the calendar of periods, and ranges of time.

Only the prelude and the calendar meet dates and time zones; everything built on them counts in integers.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from headway.engine import bind, load
from headway.engine.sql import DIALECT
from headway.periods import Period, Span, check_period, utc_text, week_offset

# 700,000 days keep the week's integer division, which cuts towards zero, away from negative numbers.
_PERIODS = {
    "day": "CAST(:local AS DATE) - DATE '1970-01-01'",
    "week": "(CAST(:local AS DATE) - DATE '1970-01-01' + :offset + 700000) // 7 - 100000",
    "month": "year(:local) * 12 + month(:local) - 1 - 1970 * 12",
}
_STARTS = {
    "day": "DATE '1970-01-01' + CAST(:period AS INTEGER)",
    "week": "DATE '1970-01-01' + CAST((:period) * 7 - :offset AS INTEGER)",
    "month": "DATE '1970-01-01' + to_months(CAST(:period AS INTEGER))",
}


def period_of(local: exp.Expr, period: Period, week_start: str) -> exp.Expr:
    """Builds the number of the period a local time falls in.

    Args:
        local: The local time.
        period: Length of the periods.
        week_start: The day weeks start on.

    Returns:
        A number as `headway.periods.period_number` counts.
    """
    return _filled(_PERIODS[check_period(period)], local=local, offset=week_offset(week_start))


def calendar(period: Period, first: int, last: int, timezone: str, week_start: str) -> str:
    """Writes the query that lists periods.

    Args:
        period: Length of the periods.
        first: Number of the first one.
        last: Number of the last one; before `first` there are none.
        timezone: Reporting time zone.
        week_start: The day weeks start on.

    Returns:
        A query with the columns of ``calendar.sql``.
    """
    start, offset = _STARTS[check_period(period)], week_offset(week_start)
    return bind(
        load("headway", "calendar"),
        {
            "timezone": timezone,
            "starts_on": _filled(start, period=exp.column("period"), offset=offset),
            "ends_on": _filled(start, period=exp.column("period") + 1, offset=offset),
            "first": first,
            "after": max(last + 1, first),
        },
    )


def at_zone(moment: exp.Expr, timezone: str) -> exp.Expr:
    """Builds the change between an instant and a local time, whichever `moment` is not."""
    return exp.AtTimeZone(this=exp.Paren(this=moment.copy()), zone=exp.Literal.string(timezone))


def within(utc: exp.Expr, span: Span) -> list[exp.Expr]:
    """Builds the tests whether an instant lies in a range, both ends included."""
    ends = ((exp.GTE, span.since_us), (exp.LTE, span.until_us))
    return [
        test(this=utc.copy(), expression=exp.cast(exp.Literal.string(utc_text(bound)), "TIMESTAMP"))
        for test, bound in ends
        if bound is not None
    ]


def _filled(text: str, **values: exp.Expr | int) -> exp.Expr:
    tree = sqlglot.parse_one(text, read=DIALECT)
    return exp.replace_placeholders(tree, **values)
