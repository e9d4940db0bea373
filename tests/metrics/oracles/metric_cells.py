"""Compares measured values with those of the second implementation, cell by cell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import polars as pl
import pytest
from metric_attempts import trimmed
from metric_oracle import naive
from metric_parts import SECONDS, Expected, Seen, Unit
from metric_sums import quantile_of, time_over
from metric_worlds import Book, Cell, World, compute

from headway.frameworks.running import NOT_BEGUN
from headway.frameworks.values import Measured
from headway.models.durations import parse_duration
from headway.models.metrics import CostPer, Duration, Formula, Metric, Quantile, TimeOnTask
from headway.models.product import Product
from headway.statistics.estimates import NOBODY, SufficientStatistics, estimate
from headway.statistics.quantiles import clustered_quantile, survival_quantile, trimmed_mean

COLUMNS = (
    "people", "contributors", "numerator", "denominator", "value", "effective", "low", "high", "interval_method",
    "reason",
)  # fmt: skip


def check(world: World, product: Product) -> Measured:
    """Measures a product's metrics and compares everything with the second implementation.

    What is weighted by channel or made of other metrics is left to `metric_composed`.

    Args:
        world: The log.
        product: What to measure in it.

    Returns:
        What was measured.
    """
    found = compute(world, product)
    book = Book(world)
    left_out: dict[str, dict[str, int]] = defaultdict(dict)
    for name, reason, number in found.exclusions.iter_rows():
        left_out[name][reason] = number
    for name, metric in product.metrics.items():
        if isinstance(metric, Formula | CostPer):
            continue
        expected = naive(metric, book)
        assert left_out[name] == expected.left_out, name
        mine = found.values.filter(metric=name)
        grains = product.grains_of(name)
        cells = {cell: row for cell, row in cells_of(metric, expected, book).items() if cell[1] in grains}
        _check_grid(name, mine, cells.keys(), expected, book, grains)
        if not getattr(metric, "weighted", False):
            _check_cells(name, mine, cells, expected)
    return found


def _check_grid(
    name: str, mine: pl.DataFrame, wanted: Any, expected: Expected, book: Book, grains: Sequence[str]
) -> None:
    """Every segment has every period, with the right end and completeness."""
    periods = {period: last for period, last in book.periods.items() if period[0] in grains}
    spans = mine.select("period", "period_start", "period_end", "complete").unique()
    assert {(*row[:2],): row[2:] for row in spans.iter_rows()} == {
        period: (last, book.complete(*period, expected.wait)) for period, last in periods.items()
    }, name
    segments = set(mine["segment"])
    assert segments >= {segment for segment, _, _ in wanted} | book.labels(), name
    assert spans.height == len(periods), name
    assert mine.height == mine.select("segment", "period", "period_start").n_unique(), name
    assert mine.height == len(segments) * len(periods), name


def _check_cells(
    name: str, mine: pl.DataFrame, cells: Mapping[Cell, Mapping[str, Any]], expected: Expected
) -> None:
    begun = [
        (row["period"], row["period_start"]) not in expected.unbegun for row in mine.iter_rows(named=True)
    ]
    for row in mine.filter([not each for each in begun]).select(COLUMNS).unique().iter_rows(named=True):
        assert row == {**dict.fromkeys(COLUMNS), "people": 0, "contributors": 0, "reason": NOT_BEGUN}, name
    mine = mine.filter(begun)
    empty = mine.filter(people=0)
    nothing = _empty(expected)
    for row in empty.select(COLUMNS).unique().iter_rows(named=True):
        assert row == nothing, (name, row)
    filled = mine.filter(pl.col("people") > 0)
    for row in filled.iter_rows(named=True):
        cell = (row["segment"], row["period"], row["period_start"])
        assert cell in cells, (name, cell)
        for column, wanted in cells[cell].items():
            assert _equal(row[column], wanted), (name, cell, column, row[column], wanted)
    assert filled.height == len(cells), (
        name,
        cells.keys() - set(filled.select("segment", "period", "period_start").rows()),
    )


def _equal(mine: Any, wanted: Any) -> bool:
    if mine == wanted:
        return True
    if mine is None or wanted is None or isinstance(wanted, str):
        return False
    return bool(mine == pytest.approx(wanted, rel=1e-9, abs=1e-9))


def _empty(expected: Expected) -> dict[str, Any]:
    if expected.kind == "quantile":
        return {**dict.fromkeys(COLUMNS), "people": 0, "contributors": 0, "reason": NOBODY}
    return (
        _of_running([], once=expected.once)
        if expected.kind == "running"
        else _of_units(expected.kind, [[]])[0]
    )


def units_of(units: Sequence[Unit], book: Book) -> dict[Cell, list[Unit]]:
    """Sorts what people add by segment and period."""
    found: dict[Cell, list[Unit]] = defaultdict(list)
    for unit in units:
        for segment in book.segments(unit.person, unit.at):
            found[segment, *unit.period].append(unit)
    return found


def cells_of(metric: Metric, expected: Expected, book: Book) -> dict[Cell, dict[str, Any]]:
    """Adds up what people do by segment and period; cells that nobody is in are left out."""
    units = units_of(expected.units, book)
    seen: dict[Cell, list[Seen]] = defaultdict(list)
    for each in expected.seen:
        for segment in book.segments(each.person, each.at):
            seen[segment, *each.period].append(each)
    if expected.kind == "running":
        return {cell: _of_running(each, once=expected.once) for cell, each in units.items()}
    if expected.kind != "quantile":
        return dict(zip(units, _of_units(expected.kind, list(units.values())), strict=True))
    assert isinstance(metric, Duration | Quantile | TimeOnTask)
    if isinstance(metric, TimeOnTask) and metric.trim is not None:
        return {cell: _of_trimmed(observed, metric.trim) for cell, observed in seen.items()}
    percentile, is_duration = Fraction(str(metric.percentile or 50)) / 100, isinstance(metric, Duration)
    longest = None
    if isinstance(metric, Duration) and metric.within is not None:
        longest = parse_duration(metric.within) / 1e6 / SECONDS[metric.unit]
    return {
        cell: _of_observations(
            tuple(sorted((each.person, each.value, each.is_open) for each in observed)),
            percentile,
            is_duration,
            longest,
        )
        for cell, observed in seen.items()
    }


def _of_units(kind: Any, cells: list[list[Unit]]) -> list[dict[str, Any]]:
    """Turns what people add to each cell into its row."""

    def sums(each: Any) -> list[float]:
        return [math.fsum(each(unit) for unit in units) for units in cells]

    n = [float(len(units)) for units in cells]
    y, x = sums(lambda unit: unit.y), sums(lambda unit: unit.x)
    yy, xx, xy = (sums(each) for each in (lambda u: u.y * u.y, lambda u: u.x * u.x, lambda u: u.x * u.y))
    result = estimate(kind, SufficientStatistics.of(n, y, yy, x, xx, xy))
    found = []
    for k, units in enumerate(cells):
        alike = [one[k] ** 2 / two[k] for one, two in ((y, yy), (x, xx)) if two[k]]
        found.append(
            {
                "people": len(units),
                "contributors": sum(unit.y != 0 for unit in units),
                "numerator": y[k],
                "denominator": None if kind in ("count", "total") else x[k],
                "value": _known(result.value[k]),
                "effective": min(alike, default=None) if kind in ("mean", "ratio", "total") else None,
                "low": _known(result.low[k]),
                "high": _known(result.high[k]),
                "interval_method": result.method[k],
                "reason": result.reason[k],
            }
        )
    return found


def _of_running(units: list[Unit], *, once: bool) -> dict[str, Any]:
    """The row of a running total: x is what each person added since the point before."""
    total = math.fsum(unit.y for unit in units)
    new, squares = math.fsum(unit.x for unit in units), math.fsum(unit.x * unit.x for unit in units)
    return {
        **dict.fromkeys(COLUMNS),
        "people": len(units),
        "contributors": sum(unit.x != 0 for unit in units),
        "numerator": total,
        "value": total,
        "effective": new**2 / squares if squares and not once else None,
    }


def _of_trimmed(observed: list[Seen], share: float) -> dict[str, Any]:
    """The row of a trimmed mean: of those whose observations are kept, and how much each adds to it."""
    values = [(each.value, each.person) for each in observed]
    value, kept = trimmed(values, share)
    adds: dict[int, float] = defaultdict(float)
    for each, person in kept:
        adds[person] += each
    squares = math.fsum(each * each for each in adds.values())
    numbers, people = zip(*values, strict=True)
    ends = trimmed_mean(numbers, share, people=people)
    return {
        **dict.fromkeys(COLUMNS),
        "people": len(set(people)),
        "contributors": len(adds),
        "denominator": len(values),
        "value": value,
        "effective": math.fsum(adds.values()) ** 2 / squares if squares else None,
        "low": _known(ends.low),
        "high": _known(ends.high),
        "interval_method": None if math.isnan(ends.low) else "tukey mclaughlin",
    }


@lru_cache(maxsize=10_000)
def _of_observations(
    seen: tuple[tuple[int, float, bool], ...], q: Fraction, is_duration: bool, longest: float | None
) -> dict[str, Any]:
    people, values, are_open = zip(*seen, strict=True)
    if is_duration:
        value = time_over(values, are_open, q)
        ends, method = survival_quantile(values, are_open, float(q)), "brookmeyer crowley"
    else:
        value = quantile_of(values, q)
        ends, method = clustered_quantile(values, people, float(q)), "woodruff"
    sides = [set(people)]
    if value is not None:
        sides = [
            {person for person, each, _ in seen if each <= value},
            {person for person, each, _ in seen if each >= value},
        ]
    return {
        "people": len(set(people)),
        "contributors": min(len(side) for side in sides),
        "numerator": None,
        "denominator": len(seen),
        "value": value,
        "effective": None,
        "low": _known(ends.low),
        "high": _known(ends.high),
        "interval_method": None if math.isnan(ends.low) else method,
        "reason": None if value is not None else _unreached(seen, q, longest),
    }


def _unreached(seen: tuple[tuple[int, float, bool], ...], q: Fraction, longest: float | None) -> str:
    """Whether the share could still be reached, if all that goes on ended now."""
    could = sum(not is_open or longest is None or value < longest for _, value, is_open in seen)
    return "too many are not over yet" if could >= q * len(seen) else "too few were over in time"


def _known(number: float) -> float | None:
    return None if math.isnan(number) else float(number)
