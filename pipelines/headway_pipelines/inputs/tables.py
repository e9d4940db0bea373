"""Which side inputs there are, and what their columns may hold."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from headway.frameworks.segments import channel_names
from headway.models.product import Product
from headway_pipelines.inputs.cells import Column, Table, UnusableCellError, day, ids, number
from headway_pipelines.inputs.release_tables import release_tables

_CURRENCY = re.compile("[A-Z]{3}")


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise UnusableCellError("currency is no currency code; write three capital letters such as EUR")
    return text


TABLES: Final = ("spend", "exchange_rates", "holidays", "releases", "incidents", "work")
"""Names of the side inputs that may lie under ``inputs/``."""


def tables(product: Product) -> dict[str, Table]:
    """Declares the side inputs of a product.

    Args:
        product: The product; it says which channels there are and what amounts are in by default.

    Returns:
        Tables by name.

    Examples:
        >>> from headway.models.product import Product
        >>> shop = Product(name="Shop", timezone="UTC", currency="EUR", activity={"event": ["Paid"]})
        >>> list(tables(shop)["exchange_rates"].columns)
        ['day', 'currency', 'rate']
    """
    channels = channel_names(product)

    def channel(text: str) -> str:
        if text not in channels:
            raise UnusableCellError("channel is none of the product's")
        return text

    def foreign(text: str) -> str:
        if _currency(text) == product.currency:
            raise UnusableCellError("currency is the product's own, whose rate is 1")
        return text

    def tickets(text: str) -> float:
        if not (found := number("tickets", text, zero=True)).is_integer():
            raise UnusableCellError("tickets is no whole number")
        return found

    days = Column(day, pl.Date())
    return {
        "spend": Table(
            "spend",
            "Money spent to win people of a channel on a local day",
            {
                "day": days,
                "channel": Column(channel, pl.String()),
                "amount": Column(lambda text: number("amount", text, zero=True), pl.Float64()),
                "currency": Column(_currency, pl.String(), optional=True, absent=product.currency),
            },
            unread=frozenset({"campaign", "note"}),
        ),
        "exchange_rates": Table(
            "exchange_rates",
            "Units of the product's currency that one unit of another was worth on a day",
            {
                "day": days,
                "currency": Column(foreign, pl.String()),
                "rate": Column(lambda text: number("rate", text, zero=False), pl.Float64()),
            },
            unread=frozenset({"source", "note"}),
            once=("day", "currency"),
        ),
        "holidays": Table(
            "holidays",
            "A local day on which nobody works",
            {"day": days},
            unread=frozenset({"name", "note"}),
            once=("day",),
        ),
        **release_tables(product),
        "work": Table(
            "work",
            "Tickets that a team closed on a local day: one row a ticket, or their number",
            {
                "day": days,
                "team": ids("team", optional=True),
                "tickets": Column(tickets, pl.Float64(), optional=True, absent=1.0),
            },
            unread=frozenset({"ticket", "title", "url", "kind", "note"}),
        ),
    }
