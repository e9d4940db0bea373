"""Insights for analysts without Python: table macros that stay in the database file.

`FROM funnel(['Signed Up', 'Payment'], INTERVAL 7 DAY)` gives the numbers `headway.Funnel` gives, in any DuckDB client.
"""

from __future__ import annotations

import duckdb

from headway.engine import bind, guarded, identifier, literal, load
from headway.periods import week_offset, zone

MACROS = {
    "funnel": "How many people get how far: funnel([step, ...], within := INTERVAL 14 DAY).",
    "retention": "How many come back: retention(started, returned, period := 'week', periods := 12).",
    "active_people": "Distinct people in trailing windows of days: active_people(did := NULL, windows := [1, 7, 28]).",
    "lifecycle": "New, returning, resurrected and dormant people: lifecycle(did := NULL, period := 'week').",
}
"""The table macros and what they say of themselves; each has a file that tells the rest."""


def add_macros(con: duckdb.DuckDBPyConnection, *, timezone: str, week_start: str) -> None:
    """Creates the macros in a database that has the relations ``events`` and ``horizon``.

    Args:
        con: A connection that may write.
        timezone: Reporting time zone.
        week_start: The day weeks start on.

    Raises:
        InputError: The time zone or the day is unknown.

    Examples:
        >>> from headway.engine import connect
        >>> con = connect()
        >>> _ = con.execute("CREATE TABLE horizon AS SELECT TIMESTAMP '2026-03-09' AS horizon")
        >>> _ = con.execute(
        ...     "CREATE TABLE events AS SELECT * FROM (VALUES (1, 'Visit', TIMESTAMP '2026-03-01'), "
        ...     "(2, 'Visit', TIMESTAMP '2026-03-01'), (1, 'Pay', TIMESTAMP '2026-03-02')) "
        ...     "t(person, event, occurred_at)")
        >>> add_macros(con, timezone="UTC", week_start="monday")
        >>> con.execute("SELECT event, people FROM funnel(['Visit', 'Pay'], INTERVAL 7 DAY)").fetchall()
        [('Visit', 2), ('Pay', 1)]
        >>> con.close()
    """
    zone(timezone)
    calendar: dict[str, str | int] = {"timezone": timezone, "offset": week_offset(week_start)}
    with guarded("create the macros"):
        con.execute(bind(load(__name__, "calendar"), calendar))
        con.execute(load(__name__, "known_events"))
        for name, meaning in MACROS.items():
            con.execute(load(__name__, name))
            con.execute(f"COMMENT ON MACRO TABLE {identifier(name)} IS {literal(meaning)}")
