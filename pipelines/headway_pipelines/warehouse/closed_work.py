"""Tickets closed: output, to be shown beside outcome."""

from __future__ import annotations

from datetime import date
from typing import Final

import duckdb
import polars as pl

from headway.engine import guarded
from headway.engine.sql import bind, load
from headway_pipelines.inputs import is_attached

CLOSED_WORK: Final = "closed_work"
"""Name of the table."""


def closed_work(connection: duckdb.DuckDBPyConnection, today: date) -> dict[str, pl.DataFrame]:
    """Counts the tickets that teams closed.

    Args:
        connection: A connection that knows the side input `work`, where there is one.
        today: The local day up to which there is data; what is closed later is left for then.

    Returns:
        The table ``closed_work``: month, team, tickets; none where there is no such side input.

    Raises:
        EngineError: The database refused the query.

    Examples:
        >>> from headway.engine import connect
        >>> con = connect()
        >>> closed_work(con, date(2026, 4, 30))
        {}
        >>> _ = con.execute("CREATE VIEW work AS SELECT DATE '2026-03-05' AS day, 'core' AS team, 3.0 AS tickets")
        >>> closed_work(con, date(2026, 4, 30))["closed_work"].rows()
        [(datetime.date(2026, 3, 1), 'core', 3)]
    """
    with guarded("count tickets closed"):
        if not is_attached(connection, "work"):
            return {}
        query = bind(load("headway_pipelines.warehouse", "closed_work.sql"), {"today": today})
        return {CLOSED_WORK: connection.sql(query).pl()}
