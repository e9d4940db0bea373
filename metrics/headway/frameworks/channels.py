"""The acquisition channel of each person, from the first event that says where they came from."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import literal, load, with_inputs
from headway.frameworks.prelude import log_order, relation_columns
from headway.frameworks.sites import SITES
from headway.models.product import DIRECT, Product
from headway.models.product_checks import TOUCH_COLUMNS
from headway.selectors import names_of, parse_where

GA4_CHANNELS = (
    DIRECT,
    "cross_network",
    "paid_shopping",
    "paid_search",
    "paid_social",
    "paid_video",
    "display",
    "paid_other",
    "organic_shopping",
    "organic_social",
    "organic_video",
    "organic_search",
    "referral",
    "email",
    "affiliates",
    "audio",
    "sms",
    "push",
    "unassigned",
)
"""The channels of the grouping ``ga4``, in the order in which they are tried."""


def first_touch_query(product: Product, columns: tuple[str, ...]) -> str:
    """Renders the query of each person's first touch.

    Args:
        product: The product, whose channel rules are tried in order.
        columns: Columns of `events`.

    Returns:
        One statement over the relation `events`: person, first_seen_at, channel.

    Raises:
        InputError: A rule uses a property that `events` lacks.

    Examples:
        >>> from headway.models.product import Channel
        >>> product = Product(name="Lectern", timezone="UTC", currency="EUR", activity="Signed Up",
        ...     channels=(Channel(name="email", where="utm_medium = 'email'"),))
        >>> print(first_touch_query(product, ("person", "event", "occurred_at", "utm_medium")))
        -- When each person was first seen and the channel of their first touch...
    """
    touches = touches_query(product, columns)
    return with_inputs(load("headway.frameworks", "first_touch"), {"touches": touches})


def touches_query(product: Product, columns: tuple[str, ...], relation: str = "events") -> str | exp.Expr:
    """Renders the query of the events that say where their person came from.

    Args:
        product: The product, whose channel rules are tried in order.
        columns: Columns of the events.
        relation: Their name.

    Returns:
        One statement over that relation: person, occurred_at, _line, _tie, channel.

    Raises:
        InputError: A rule uses a property that `events` lacks.
    """
    if product.channel_grouping:
        return _grouped(touch_columns(product, columns), columns, relation)
    return _by_rules(product, columns, relation)


def touch_columns(product: Product, columns: Collection[str]) -> tuple[str, ...]:
    """Lists the properties that say where people came from.

    Args:
        product: The product with its channel rules.
        columns: Columns of the events.

    Returns:
        Those of them that some rule uses.

    Raises:
        InputError: A rule uses a property that the events lack.
    """
    if product.channel_grouping:
        return tuple(name for name in TOUCH_COLUMNS if name in columns)
    return tuple(names_of(parse_where(channel.where, columns) for channel in product.channels))


def _by_rules(product: Product, columns: tuple[str, ...], relation: str) -> exp.Select:
    rules = [(channel.name, parse_where(channel.where, columns)) for channel in product.channels]
    used = touch_columns(product, columns)
    channel = exp.Case()
    for name, rule in rules:
        channel = channel.when(rule, exp.Literal.string(name), copy=False)
    direct = exp.Literal.string(DIRECT)
    return (
        exp.select(
            exp.column("person", quoted=True),
            exp.column("occurred_at", quoted=True),
            *log_order(columns),
            exp.alias_(channel.else_(direct, copy=False) if rules else direct, "channel", quoted=True),
        )
        .from_(relation)
        .where(_any_of(used))
    )


def _grouped(known: tuple[str, ...], columns: tuple[str, ...], relation: str) -> str:
    """Touches by the channels of Google Analytics 4."""
    marked = exp.select(
        exp.column("person", quoted=True),
        exp.column("occurred_at", quoted=True),
        *log_order(columns),
        *(
            exp.alias_(
                exp.column(name, quoted=True) if name in known else exp.cast(exp.Null(), "VARCHAR"),
                name,
                quoted=True,
            )
            for name in TOUCH_COLUMNS
        ),
    )
    rows = ", ".join(literal(site) for site in SITES.items())
    return with_inputs(
        load("headway.frameworks", "ga4_touches"),
        {
            "marked": marked.from_(relation).where(_any_of(known)),
            "sites": f"SELECT * FROM (VALUES {rows}) AS listed (name, kind)",
        },
    )


def _any_of(columns: Iterable[str]) -> exp.Expr:
    """Whether any of the columns has a value."""
    return exp.or_(*(exp.column(name, quoted=True).is_(exp.Null()).not_() for name in columns), exp.false())


def first_touch_channels(connection: duckdb.DuckDBPyConnection, product: Product) -> duckdb.DuckDBPyRelation:
    """Finds when each person was first seen and through which channel they came.

    The first event (by time, then log order) that carries any property a rule uses decides; the first rule
    that holds for it names the channel. Who has no such event, or whose event no rule matches, came directly.

    Args:
        connection: A connection that knows `events` (person, occurred_at, optionally line and event_id, and
            the properties).
        product: The product with its channel rules.

    Returns:
        A relation of one row per person: person, first_seen_at (UTC), channel.

    Raises:
        InputError: A rule uses a property that `events` lacks.
        EngineError: The database refused the query.
    """
    query = first_touch_query(product, relation_columns(connection, "events"))
    with guarded("find the channel of each person"):
        return connection.sql(query)
