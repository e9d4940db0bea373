"""Which selectors an event matches, found out once: a bit for each, which metrics read instead of names and texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from sqlglot import exp

from headway.engine.sql import DIALECT
from headway.models.metrics import EventSelector
from headway.models.product import Product
from headway.selectors import condition, parse_where

_BITS = 62
"""Selectors in one column: what a BIGINT holds without its sign."""

_NAMED = "named"


@dataclass(frozen=True)
class Marks:
    """The bits of a product's selectors.

    Attributes:
        named: Query of the events that metrics use: event, and columns of the bits that its name allows.
        columns: The columns of bits of an event, each an expression over the log and `named`, under its alias.
        tests: By the text of a selector's condition over the log, the same condition over the bits.
        bits: By the same text the selector's bit, column by column.
        texts: The text of each selector's condition.
    """

    named: exp.Expr
    columns: tuple[exp.Alias, ...]
    tests: Mapping[str, exp.Expr]
    bits: Mapping[str, tuple[int, ...]]
    texts: Mapping[EventSelector, str]

    @property
    def names(self) -> list[exp.Expr]:
        """The columns of bits by name."""
        return [exp.column(column.alias, quoted=True) for column in self.columns]

    def test(self, selector: EventSelector, available: Collection[str]) -> exp.Expr:
        """Writes the test whether an event matches a selector.

        Args:
            selector: A selector of one of the product's metrics, or another one.
            available: Properties that a condition may use.

        Returns:
            The bit's test; for a selector that no metric has, the condition over the columns of the log.

        Raises:
            InputError: The condition uses a property that is not available.
        """
        if selector in self.texts:
            return self.tests[self.texts[selector]].copy()
        plain = condition(selector.selector(), available)
        return self.tests.get(plain.sql(DIALECT), plain).copy()

    def any_of(self, selectors: Iterable[EventSelector]) -> tuple[int, ...] | None:
        """Puts the bits of some selectors together.

        Args:
            selectors: Selectors of the product's metrics.

        Returns:
            The bits, column by column: an event matches one of the selectors where it carries one of them. None where
            a selector is no metric's, and has no bit.
        """
        found = [self.bits[self.texts[each]] if each in self.texts else None for each in selectors]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        return tuple(reduce(or_, column) for column in zip(*known, strict=True))


def marks_of(product: Product, available: Collection[str]) -> Marks:
    """Gives each selector of a product's metrics a bit.

    Args:
        product: The product.
        available: Properties of the log.

    Returns:
        The bits; one column of them even where nothing is selected.

    Raises:
        InputError: A condition uses a property that is not available.

    Examples:
        >>> payers = {"framework": "aarrr", "stage": "revenue", "title": "Payers", "unit": "percent", "kind": "share",
        ...     "of": "Seen", "did": {"event": "Paid", "where": "amount > 1"}}
        >>> shop = {"name": "Shop", "timezone": "UTC", "currency": "EUR", "activity": "Paid"}
        >>> product = Product.model_validate({**shop, "metrics": {"payers": payers}})
        >>> marks = marks_of(product, ["amount"])
        >>> print(marks.columns[0].sql("duckdb", pretty=True))
        named._marks0 - CASE
          WHEN (
            named._marks0 & 2
          ) <> 0
          AND NOT (
            "amount" > 1 AND NOT "amount" IS NULL
          )
          THEN 2
          ELSE 0
        END AS "_marks0"
        >>> marks.test(product.metrics["payers"].of, ["amount"]).sql("duckdb")
        '("_marks0" & 1) <> 0'
    """
    found: dict[str, EventSelector] = {}
    texts: dict[EventSelector, str] = {}
    for metric in product.metrics.values():
        for each in metric.selectors().values():
            if each not in texts:
                texts[each] = condition(each.selector(), available).sql(DIALECT)
                found.setdefault(texts[each], each)
    entries = list(found.items())
    starts = range(0, max(len(entries), 1), _BITS)
    by_name: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(starts))
    columns: list[exp.Alias] = []
    tests: dict[str, exp.Expr] = {}
    bits_of: dict[str, tuple[int, ...]] = {}
    for place, start in enumerate(starts):
        name = f"_marks{place}"
        bits: exp.Expr = exp.column(name, table=_NAMED)
        for bit, (text, selector) in enumerate(entries[start : start + _BITS]):
            value = exp.Literal.number(1 << bit)
            tests[text] = _is_set(exp.column(name, quoted=True), value)
            bits_of[text] = tuple(1 << bit if each == place else 0 for each in range(len(starts)))
            for event in set(selector.event):
                by_name[event][place] |= 1 << bit
            if selector.where is not None:
                allowed = _is_set(exp.column(name, table=_NAMED), value)
                fails = _failing(parse_where(selector.where, available))
                cleared = exp.Case().when(exp.and_(allowed, fails), value.copy()).else_(exp.Literal.number(0))
                bits = exp.Sub(this=bits, expression=cleared)
        columns.append(exp.Alias(this=bits, alias=exp.to_identifier(name, quoted=True)))
    return Marks(_named(by_name, len(starts)), tuple(columns), tests, bits_of, texts)


def _is_set(column: exp.Expr, bit: exp.Expr) -> exp.Expr:
    masked = exp.BitwiseAnd(this=column, expression=bit.copy())
    return exp.NEQ(this=exp.Paren(this=masked), expression=exp.Literal.number(0))


def _failing(test: exp.Expr) -> exp.Expr:
    return exp.Not(this=test if isinstance(test, exp.Paren) else exp.Paren(this=test))


def _named(by_name: Mapping[str, list[int]], width: int) -> exp.Expr:
    """Lists the events by name with the bits that the name allows."""
    names = ["event", *(f"_marks{place}" for place in range(width))]
    # Without any event a row that no event matches, so that there is a query.
    rows = sorted(by_name.items()) or [("", [0] * width)]
    listed = exp.values([(name, *bits) for name, bits in rows], alias="listed", columns=names)
    event, *bits = (exp.column(name) for name in names)
    return exp.select(event, *(exp.alias_(exp.cast(each, "BIGINT"), each.name) for each in bits)).from_(
        listed
    )
