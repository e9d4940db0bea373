"""The one look at what is new in the log: what people did after something about them is new, and what came last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import DIALECT, bind, identifier, load, with_inputs
from headway.frameworks.calendar import Offset
from headway.frameworks.channels import touch_columns
from headway.frameworks.kept import News
from headway.frameworks.prelude import RECENT, local_time, relation_columns
from headway.models.product import Product

_HERE = "headway.frameworks"
_OWN = ("person", "occurred_at")
_ORDER = ("line", "event_id")


@contextmanager
def recent(
    connection: duckdb.DuckDBPyConnection, product: Product, last_us: int, news: News
) -> Iterator[None]:
    """Writes the events of people after something about them is new, and those from the last known one on.

    Args:
        connection: A connection that knows `events`.
        product: The product.
        last_us: Instant of the last event that was known, microseconds since 1970 UTC.
        news: What is new since.

    Yields:
        Nothing: the table is there meanwhile.

    Raises:
        InputError: A channel's rule uses a property that `events` lacks.
        EngineError: The database refused a statement.
    """
    available = relation_columns(connection, "events")
    told = touch_columns(product, available) if news.touches else ()
    names = dict.fromkeys((*_OWN, *(name for name in _ORDER if name in available), *told))
    table = identifier(RECENT)
    with guarded("look for what is new in the log"):
        ((since,),) = connection.execute(f"SELECT min(since_us) FROM {news.people}").fetchall()
        params = {
            "columns": [exp.column(name, table="events", quoted=True) for name in names],
            "known": last_us,
            "since": last_us if since is None else min(since, last_us),
        }
        query = with_inputs(bind(load(_HERE, "recent"), params), {"news": f"FROM {news.people}"})
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
    try:
        yield
    finally:
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


def active_days(connection: duckdb.DuckDBPyConnection, offsets: tuple[Offset, ...]) -> set[int]:
    """Lists the local days on which people did something after something about them is new.

    Args:
        connection: The connection, within `recent`.
        offsets: Distance from UTC over the time the log covers.

    Returns:
        Days since 1970-01-01.

    Raises:
        EngineError: The database refused the query.
    """
    local = local_time(exp.func("epoch_us", exp.column("occurred_at")), offsets)
    moments = exp.select(exp.alias_(local, "local_us")).from_(
        exp.to_table(identifier(RECENT), dialect=DIALECT)
    )
    with guarded("list the days of people of whom something is new"):
        return days_of(connection, moments.where(exp.column("is_new")))


def days_of(connection: duckdb.DuckDBPyConnection, moments: str | exp.Expr) -> set[int]:
    """Lists the local days of some moments.

    Args:
        connection: The connection.
        moments: Their query: local_us.

    Returns:
        Days since 1970-01-01.
    """
    query = with_inputs(load(_HERE, "local_days"), {"moments": moments})
    return {day for (day,) in connection.execute(query).fetchall()}
