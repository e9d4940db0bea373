"""Weighted answers, formulas and costs a second time: what is made of channels, of other metrics, of money spent.

`metric_cells` compares metrics that add up over people or are read off observations. These are made of such cells; here
they are put together again by loops over cells, channels and groups of people.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from metric_attempts import asked_by_channel
from metric_cells import cells_of, units_of
from metric_oracle import naive
from metric_parts import Unit
from metric_worlds import Book, Cell

from headway.arithmetic import names_in
from headway.frameworks.values import Measured
from headway.models.metrics import CostPer, Formula, PromoterScore, Survey
from headway.models.product import Product
from headway.statistics.jackknife import delete_a_group
from headway.statistics.poststratified import poststratified

GROUPS = 32
SCALE = GROUPS / (GROUPS - 1)


def group_of(person: int) -> int:
    """The group that a person is in for good."""
    return (
        int(hashlib.md5(str(UUID(int=person)).encode(), usedforsecurity=False).hexdigest()[:2], 16) % GROUPS
    )


def _known(number: Any) -> float | None:
    return None if number is None or math.isnan(number) else float(number)


# --- Weighted answers. ---


def check_weighted(name: str, metric: Survey | PromoterScore, mine: pl.DataFrame, book: Book) -> None:
    """Compares everybody's weighted cells and the channels' plain ones; other segments say that they have none."""
    asked = asked_by_channel(metric, book)
    plain = naive(metric, book)
    rows = cells_of(metric, plain, book)
    answers = units_of(plain.units, book)
    is_nps = isinstance(metric, PromoterScore)
    bottom, top = (-100.0, 100.0) if isinstance(metric, PromoterScore) else _ends(metric)
    for row in mine.iter_rows(named=True):
        cell = (row["segment"], row["period"], row["period_start"])
        if cell[0].startswith("channel="):
            if cell in rows:
                _same(name, cell, row, rows[cell])
            continue
        if cell[0] != "all":
            reason = "weighted for everybody only; a channel is as it is"
            _same(name, cell, row, {"value": None, "people": 0, "low": None, "reason": reason})
            continue
        units = answers.get(cell, [])
        by_channel: dict[str, list[float]] = {}
        for unit in units:
            by_channel.setdefault(book.world.channels.get(unit.person) or "direct", []).append(unit.y)
        shown = {channel: len(people) for channel, people in asked.get(cell[1:], {}).items()}
        weighed = {channel: shown[channel] for channel in by_channel if channel in shown}
        total = sum(weighed.values())
        mean = {channel: math.fsum(ys) / len(ys) for channel, ys in by_channel.items()}
        value = math.fsum(n * mean[channel] for channel, n in weighed.items()) / total if total else None
        told = [
            number
            for channel in {*shown, *by_channel}
            for number in (
                shown.get(channel, 0),
                abs(shown.get(channel, 0) - len(by_channel.get(channel, []))),
            )
            if number
        ]
        ends = _weighted_ends(shown, by_channel, 100 if is_nps else 1)
        _same(name, cell, row, {
            "value": None if value is None else value * (100 if is_nps else 1),
            "people": len(units),
            "contributors": sum(unit.y != 0 for unit in units),
            "effective": min(told, default=None),
            "numerator": None, "denominator": None,
            "low": None if ends is None else max(ends[0], bottom),
            "high": None if ends is None else min(ends[1], top),
            "interval_method": None if ends is None else "post-stratified",
            "estimate": "weighted",
            "reason": None if value is not None
            else "the denominator is 0" if units else "no people in the denominator",
        })  # fmt: skip


def _ends(metric: Survey) -> tuple[float, float]:
    return (0.0, 1.0) if metric.measure == "top" else (float(metric.scale[0]), float(metric.scale[1]))


def _weighted_ends(
    shown: Mapping[str, int], answers: Mapping[str, list[float]], scale: int
) -> tuple[float, float] | None:
    """The interval's formula has an oracle of its own; here it is fed anew."""
    channels = sorted({*shown, *answers})
    if not channels:
        return None
    ys = [answers.get(channel, []) for channel in channels]
    found = poststratified(
        [shown.get(channel, 0) for channel in channels], [len(y) for y in ys],
        [math.fsum(y) for y in ys], [math.fsum(each * each for each in y) for y in ys],
    )  # fmt: skip
    return None if np.isnan(found.low) else (scale * float(found.low), scale * float(found.high))


# --- Formulas and costs. ---


class Composed:
    """The values of a product's metrics cell by cell, and what they would be without each group of people."""

    def __init__(self, product: Product, book: Book) -> None:
        self.product, self.book = product, book
        self.plain: dict[str, tuple[str, dict[Cell, list[Unit]], dict[Cell, dict[str, Any]]]] = {}
        self.waits: dict[str, int] = {}
        self.lacking: dict[tuple[str, Cell], tuple[list[float | None], set[int]] | None] = {}

    def parts(self, name: str) -> tuple[str, dict[Cell, list[Unit]], dict[Cell, dict[str, Any]]]:
        """How a metric of events is estimated, its units and its rows by cell."""
        if name not in self.plain:
            metric = self.product.metrics[name]
            expected = naive(metric, self.book)
            self.waits[name] = expected.wait
            self.plain[name] = (
                expected.kind,
                units_of(expected.units, self.book),
                cells_of(metric, expected, self.book),
            )
        return self.plain[name]

    def row(self, name: str, cell: Cell) -> dict[str, Any]:
        """Value, people and ends of a metric in a cell."""
        metric = self.product.metrics[name]
        if isinstance(metric, Formula):
            return self.formula(metric, cell)
        if isinstance(metric, CostPer):
            return self.cost(metric, cell)
        kind, _, rows = self.parts(name)
        empty: dict[str, Any] = {
            "value": 0.0 if kind in ("count", "total") else None,
            "people": 0,
            "low": None,
            "high": None,
        }
        if kind == "count":
            empty |= {"low": 0.0, "high": 3.6888794541139363, "interval_method": "poisson exact"}
        return rows.get(cell, empty)

    def without(self, name: str, cell: Cell) -> tuple[list[float | None], set[int]] | None:
        """The value without each group of people, and the groups that hold anybody; None where there are no groups."""
        if (name, cell) not in self.lacking:
            self.lacking[name, cell] = self._without(name, cell)
        return self.lacking[name, cell]

    def _without(self, name: str, cell: Cell) -> tuple[list[float | None], set[int]] | None:
        metric = self.product.metrics[name]
        if isinstance(metric, Formula):
            parts = {each: self.without(each, cell) for each in names_in(metric.expression)}
            if any(part is None for part in parts.values()):
                return None
            known = {each: part for each, part in parts.items() if part is not None}
            values = [
                computed(metric.expression, {each: part[0][g] for each, part in known.items()})
                for g in range(GROUPS)
            ]
            return values, set().union(*(part[1] for part in known.values()))
        if isinstance(metric, CostPer):
            count, spent = self.without(metric.per, cell), self.spent(cell)
            if count is None:
                return None
            return [None if spent is None or not n else spent / n for n in count[0]], count[1]
        kind, units, _ = self.parts(name)
        if kind == "quantile":
            return None
        here = units.get(cell, [])
        return [_estimate(kind, [u for u in here if group_of(u.person) != g]) for g in range(GROUPS)], {
            group_of(unit.person) for unit in here
        }

    def formula(self, metric: Formula, cell: Cell) -> dict[str, Any]:
        """A formula's row in a cell."""
        names = list(dict.fromkeys(names_in(metric.expression)))
        rows = {name: self.row(name, cell) for name in names}
        value = computed(metric.expression, {name: row["value"] for name, row in rows.items()})
        without = self.without_of(metric, cell)
        low = high = None
        if value is not None and without is not None:
            partial = [math.nan if each is None else each for each in without[0]]
            ends = delete_a_group([value], [partial], [len(without[1])])
            low, high = _known(ends.low[0]), _known(ends.high[0])
        reason = next((f"{name} has no value" for name in names if rows[name]["value"] is None), None)
        ungrouped = next((name for name in names if self.without(name, cell) is None), None)
        if reason is None:
            reason = (
                "the denominator is 0" if value is None
                else f"no interval: {ungrouped} is no sum over people" if ungrouped else None
            )  # fmt: skip
        return {
            "value": value, "people": min(row["people"] for row in rows.values()), "low": low, "high": high,
            "reason": reason, "interval_method": None if low is None else "delete-a-group jackknife",
            "numerator": None, "denominator": None, "contributors": None, "effective": None, "estimate": "formula",
        }  # fmt: skip

    def without_of(self, metric: Formula, cell: Cell) -> tuple[list[float | None], set[int]] | None:
        """What a formula that stands by itself would be without each group."""
        name = next(each for each, known in self.product.metrics.items() if known is metric)
        return self.without(name, cell)

    def spent(self, cell: Cell) -> float | None:
        """What was spent on the days of a cell that the log knows; None where nothing is told of them."""
        segment, grain, start = cell
        last, found = self.book.periods[grain, start], []
        for each in self.book.world.spend:
            rate = self.book.rate(each.currency, each.day)
            here = start <= each.day <= last and each.day in self.book.span
            if (
                here
                and each.amount >= 0
                and rate is not None
                and segment in ("all", f"channel={each.channel}")
            ):
                found.append(each.amount * rate)
        return math.fsum(found) if found else None

    def cost(self, metric: CostPer, cell: Cell) -> dict[str, Any]:
        """The cost of each of what a metric counts."""
        count, spent = self.row(metric.per, cell), self.spent(cell)
        n = count["value"] or None
        priced = bool(n and spent)
        reason = (
            "spend is known by channel only" if cell[0] != "all" and not cell[0].startswith("channel=")
            else "no spend" if spent is None else None if n else "the denominator is 0"
        )  # fmt: skip
        low = spent / count["high"] if priced and spent and count["high"] else None
        return {
            "value": None if spent is None or n is None else spent / n, "people": count["people"],
            "numerator": spent, "denominator": count["value"], "contributors": None, "effective": None,
            "low": low, "high": spent / count["low"] if priced and spent and (count["low"] or 0) > 0 else None,
            "interval_method": None if low is None else count["interval_method"], "reason": reason,
            "estimate": "cost",
        }  # fmt: skip

    def complete(self, name: str, cell: Cell) -> bool:
        """Whether a cell is final."""
        metric = self.product.metrics[name]
        if isinstance(metric, Formula):
            return all(self.complete(each, cell) for each in names_in(metric.expression))
        if isinstance(metric, CostPer):
            days = [each.day for each in self.book.world.spend]
            _, grain, start = cell
            told = bool(days) and self.book.periods[grain, start] <= max(days)
            return told and max(start, self.book.first) >= min(days) and self.complete(metric.per, cell)
        self.parts(name)
        return self.book.complete(cell[1], cell[2], self.waits[name])


def _estimate(kind: str, units: list[Unit]) -> float | None:
    n, y = len(units), math.fsum(unit.y for unit in units)
    if kind in ("count", "total"):
        return SCALE * (n if kind == "count" else y)
    x = math.fsum(unit.x for unit in units) if kind == "ratio" else n
    return None if not x else y / x * (100 if kind == "promoter_score" else 1)


def computed(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Arithmetic as Python does it; None where something is missing or divided by 0."""
    if any(value is None for value in values.values()):
        return None
    try:
        return float(eval(expression, {"__builtins__": {}}, dict(values)))
    except ZeroDivisionError:
        return None


def check_composed(found: Measured, product: Product, book: Book) -> None:
    """Compares every cell of a product's weighted metrics, formulas and costs.

    Args:
        found: What was measured.
        product: The product.
        book: The world it was measured in.
    """
    composed = Composed(product, book)
    for name, metric in product.metrics.items():
        mine = found.values.filter(metric=name)
        if isinstance(metric, Survey | PromoterScore) and metric.weighted:
            check_weighted(name, metric, mine, book)
        if not isinstance(metric, Formula | CostPer):
            continue
        assert set(mine["period"]) == set(product.grains_of(name)), name
        if isinstance(metric, CostPer):
            left_out = found.exclusions.filter(metric=name).select("reason", "n_events")
            assert dict(left_out.iter_rows()) == left_out_of_spend(book), name
        for row in mine.iter_rows(named=True):
            cell = (row["segment"], row["period"], row["period_start"])
            _same(name, cell, row, composed.row(name, cell) | {"complete": composed.complete(name, cell)})


def left_out_of_spend(book: Book) -> dict[str, int]:
    """Rows of spend that could not be used, of days that the log knows."""
    here = [each for each in book.world.spend if each.day in book.span]
    rateless = [each for each in here if each.amount >= 0 and book.rate(each.currency, each.day) is None]
    return {
        "no exchange rate for the currency and day": len(rateless),
        "the value is below 0": sum(each.amount < 0 for each in here),
    }


def _same(name: str, cell: Any, row: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for column, expected in wanted.items():
        found = row[column]
        equal = found == expected or (
            found is not None and expected is not None and not isinstance(expected, str)
            and found == pytest.approx(expected, rel=1e-9, abs=1e-9)
        )  # fmt: skip
        assert equal, (name, cell, column, found, expected)
