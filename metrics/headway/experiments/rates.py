"""Exchange rates, for outcomes whose amounts are in several currencies."""

from __future__ import annotations

from datetime import date

from headway.engine import bind, load, with_inputs
from headway.log import EventLog
from headway.periods import local_day

_RELATION = "exchange_rates"
_EPOCH = date(1970, 1, 1)


def rates_of(log: EventLog) -> str:
    """Writes the query of the rate of every currency and local day of a log, as metrics read them.

    Args:
        log: The log; its connection may know ``exchange_rates`` (day, currency, rate).

    Returns:
        Query text with the columns ``currency``, ``day`` and ``rate``; of no row where nobody told any rate.

    Examples:
        >>> import polars as pl
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({"person": [1], "event": ["a"], "occurred_at": [datetime(2026, 3, 1)]})
        >>> with EventLog(frame) as log:
        ...     log.sql(rates_of(log)).height
        0
    """
    told = load("headway.frameworks", "no_rates")
    if log.sql(f"SELECT 1 AS known FROM duckdb_columns() WHERE table_name = '{_RELATION}' LIMIT 1").height:
        told = f"FROM {_RELATION}"
    ends = [_EPOCH if us is None else local_day(us, log.timezone) for us in (log.first_us, log.last_us)]
    text = bind(load("headway.frameworks", "rates"), {"first": ends[0], "last": ends[1]})
    return with_inputs(text, {"told": told})
