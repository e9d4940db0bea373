"""Which side inputs there are, and what their columns may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from headway.frameworks.segments import channel_names
from headway.models.product import Product

_CURRENCY = re.compile("[A-Z]{3}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
Cell = date | float | str


class UnusableCellError(ValueError):
    """A cell that cannot be used; the message says why and never quotes it."""


@dataclass(frozen=True)
class Column:
    """A column of a side input.

    Attributes:
        read: Makes a value of a cell's text; raises `UnusableCellError`.
        dtype: Type of the values.
        optional: Whether a file may lack the column or leave a cell empty; then `absent` stands in.
        absent: What stands in.
    """

    read: Callable[[str], Cell]
    dtype: pl.DataType
    optional: bool = False
    absent: Cell | None = None


@dataclass(frozen=True)
class Table:
    """A side input.

    Attributes:
        name: Its name; the file is ``inputs/<name>.csv``.
        meaning: What a row says.
        columns: Columns by name, in order.
        unread: Columns that a file may have and that are not read.
        once: Columns that together may have one row only; empty where rows add up.
    """

    name: str
    meaning: str
    columns: Mapping[str, Column]
    unread: frozenset[str] = frozenset()
    once: tuple[str, ...] = ()
    schema: Mapping[str, pl.DataType] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", {name: column.dtype for name, column in self.columns.items()})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnusableCellError("day is no date; write 2026-03-31") from None


def _number(name: str, text: str, *, zero: bool) -> float:
    if not _NUMBER.fullmatch(text):
        raise UnusableCellError(f"{name} is no number; write 1250.50")
    number = float(text)
    if not math.isfinite(number):
        raise UnusableCellError(f"{name} is too large")
    if number < 0 or (number == 0 and not zero):
        raise UnusableCellError(f"{name} is below 0" if zero else f"{name} is not above 0")
    return number


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise UnusableCellError("currency is no currency code; write three capital letters such as EUR")
    return text


TABLES: Final = ("spend", "exchange_rates", "holidays")
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

    days = Column(_day, pl.Date())
    return {
        "spend": Table(
            "spend",
            "Money spent to win people of a channel on a local day",
            {
                "day": days,
                "channel": Column(channel, pl.String()),
                "amount": Column(lambda text: _number("amount", text, zero=True), pl.Float64()),
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
                "rate": Column(lambda text: _number("rate", text, zero=False), pl.Float64()),
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
    }
