"""Metrics made of other metrics: their values cell by cell, and intervals from groups of people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.arithmetic import evaluate, parse_arithmetic
from headway.frameworks.cells import KEYS
from headway.models.composition import parts_of
from headway.models.metrics import Formula
from headway.statistics.estimates import NOTHING, Kind
from headway.statistics.intervals import Floats
from headway.statistics.jackknife import GROUPS, delete_a_group, leave_one_out

METHOD = "delete-a-group jackknife"
NO_GROUPS = "no interval: {} is no sum over people"
NO_PART = "{} has no value"

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Replicates:
    """What the value of each cell would be without each group of people.

    Attributes:
        without: Values: cells by groups; NaN where there is none.
        occupied: Whether a group holds anybody of the cell: cells by groups.
    """

    without: Floats
    occupied: Bools

    def at(self, rows: NDArray[np.int64]) -> Replicates:
        """Returns those of some cells, in their order."""
        return Replicates(self.without[rows], self.occupied[rows])


@dataclass(frozen=True)
class Part:
    """A metric that others may be made of.

    Attributes:
        cells: One row per cell: the keys, period_end, complete, value, people and others.
        replicates: In the order of the cells; None where the metric is no sum over people, or nothing is made of it.
    """

    cells: pl.DataFrame
    replicates: Replicates | None

    def aligned(self, grid: pl.DataFrame) -> Part:
        """Returns the same in the order of other cells, all of which it has."""
        found = grid.select(KEYS).join(
            self.cells.with_row_index("row"), on=KEYS, how="left", maintain_order="left"
        )
        rows = found["row"].to_numpy().astype(np.int64)
        return Part(found.drop("row"), None if self.replicates is None else self.replicates.at(rows))


def replicates_of_sums(kind: Kind, cells: pl.DataFrame, groups: pl.DataFrame) -> Replicates:
    """Leaves out one group of people at a time.

    Args:
        kind: What the metric is.
        cells: Its cells, with the keys.
        groups: Sums over people by cell and group, see `headway.frameworks.cells.groups_of_units`.

    Returns:
        One row per cell.
    """
    placed = groups.join(cells.select(KEYS).with_row_index("row"), on=KEYS, how="inner")
    at = placed["row"].to_numpy(), placed["member"].to_numpy()
    sums = {}
    for column in ("n", "y", "x"):
        sums[column] = np.zeros((cells.height, GROUPS))
        sums[column][at] = placed[column].to_numpy()
    return Replicates(leave_one_out(kind, **sums), sums["n"] > 0)


def formula_part(metric: Formula, parts: Mapping[str, Part], grains: Collection[str]) -> Part:
    """Computes a formula in every cell that all its metrics have.

    Args:
        metric: The formula.
        parts: The metrics it is made of, by name.
        grains: Kinds of period it is computed for.

    Returns:
        Its cells, with the columns of any other metric's, and what each would be without each group of people.
    """
    names = parts_of(metric)
    first = parts[names[0]].cells
    grid = first.filter(pl.col("period").is_in(list(grains))).select(*KEYS, "period_end")
    mine = {name: parts[name].aligned(grid) for name in names}
    parsed = parse_arithmetic(metric.expression, names)
    value = np.broadcast_to(evaluate(parsed, {n: _values(p) for n, p in mine.items()}), (grid.height,))
    replicates = _together(parsed_without(metric, mine), mine)
    cells = grid.with_columns(
        complete=pl.all_horizontal(*(part.cells["complete"] for part in mine.values())),
        value=pl.Series(value, dtype=pl.Float64).fill_nan(None),
        numerator=pl.lit(None, dtype=pl.Float64),
        denominator=pl.lit(None, dtype=pl.Float64),
        people=pl.min_horizontal(*(part.cells["people"] for part in mine.values())),
        contributors=pl.lit(None, dtype=pl.Int64),
        effective=pl.lit(None, dtype=pl.Float64),
        estimate=pl.lit("formula"),
    )
    return Part(_with_interval(cells, value, replicates, _reasons(value, mine)), replicates)


def parsed_without(metric: Formula, parts: Mapping[str, Part]) -> Floats | None:
    """Computes a formula without each group of people; None where some metric cannot leave a group out."""
    without = {name: part.replicates.without for name, part in parts.items() if part.replicates is not None}
    if len(without) < len(parts):
        return None
    return evaluate(parse_arithmetic(metric.expression, tuple(parts)), without)


def _together(without: Floats | None, parts: Mapping[str, Part]) -> Replicates | None:
    if without is None:
        return None
    occupied = [part.replicates.occupied for part in parts.values() if part.replicates is not None]
    return Replicates(without, np.logical_or.reduce(occupied))


def _values(part: Part) -> Floats:
    return part.cells["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _reasons(value: Floats, parts: Mapping[str, Part]) -> pl.Series:
    """Says why a cell has no value, or no interval because of what a metric is."""
    without = next((name for name, part in parts.items() if part.replicates is None), None)
    reason = np.full(value.shape, NO_GROUPS.format(without) if without else None, dtype=np.object_)
    reason[np.isnan(value)] = NOTHING
    for name in reversed(list(parts)):
        reason[np.isnan(_values(parts[name]))] = NO_PART.format(name)
    return pl.Series(reason.tolist(), dtype=pl.String)


def _with_interval(
    cells: pl.DataFrame, value: Floats, replicates: Replicates | None, reasons: pl.Series
) -> pl.DataFrame:
    low = high = np.full(value.shape, np.nan)
    if replicates is not None:
        low, high = delete_a_group(value, replicates.without, replicates.occupied.sum(axis=-1))
    known = ~np.isnan(low)
    return cells.with_columns(
        low=pl.Series(low, dtype=pl.Float64).fill_nan(None),
        high=pl.Series(high, dtype=pl.Float64).fill_nan(None),
        interval_method=pl.Series([METHOD if each else None for each in known], dtype=pl.String),
        reason=reasons,
    )
