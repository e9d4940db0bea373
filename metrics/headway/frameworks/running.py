"""Running totals: what there has been so far at the end of each period, since the day on which the total began."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import polars as pl

from headway.frameworks.cells import KEYS, cells_of_units, groups_of_units, units_of
from headway.frameworks.formulas import Part, Replicates
from headway.frameworks.kinds.plan import POINTS, Running
from headway.frameworks.prelude import Prelude
from headway.frameworks.profiles import Profiles
from headway.periods import EPOCH
from headway.statistics.jackknife import GROUPS, leave_one_out

NOT_BEGUN = "the total has not begun yet"
RUNNING = "running"
"""What running totals are called where other metrics have the kind of their estimate."""

_WHERE = ("segment", "since", "period_end")


def running_part(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    plan: Running,
    grid: pl.DataFrame,
    profiles: Profiles,
    shared: Prelude,
    *,
    grouped: bool,
) -> Part:
    """Computes a running total in every cell.

    Args:
        connection: The connection of the prelude.
        name: The metric's name, for messages.
        plan: What is added up, and since when.
        grid: All cells: the keys, period_end and complete.
        profiles: The profiles of people.
        shared: The shared input.
        grouped: Whether other metrics are made of it.

    Returns:
        The metric. A total was counted, nothing of it is estimated: there is no interval. `people` are those who have
        added to it so far, `contributors` and `effective` speak of what was added since the point before alone, because
        who knows two totals knows their difference.

    Raises:
        EngineError: The database refused a query.
    """
    begun = grid.select("period_end").unique().with_columns(since=_begins(plan.begins, pl.col("period_end")))
    points = _points(begun, shared)
    connection.register(POINTS, points.to_arrow())
    try:
        again = grouped or not plan.units.whole
        with units_of(connection, name, plan.units, profiles, again=again) as units:
            sums = cells_of_units(connection, units, plan.units, profiles)
            asked = connection, units, profiles, profiles.dimensions, shared.people
            groups = groups_of_units(*asked, "bucket") if grouped else None
    finally:
        connection.unregister(POINTS)
    cells = grid.join(begun, on="period_end", how="left", maintain_order="left")
    told = _totals(cells, _placed(sums), once=plan.once)
    found = cells.join(told, on=_WHERE, how="left", nulls_equal=True, maintain_order="left").drop("since")
    if groups is None:
        return Part(found, None)
    return Part(found, _replicates(cells, _placed(groups), once=plan.once))


def _begins(begins: Callable[[date], date | None], last: pl.Expr) -> pl.Expr:
    return last.map_elements(begins, return_dtype=pl.Date)


def _points(begun: pl.DataFrame, shared: Prelude) -> pl.DataFrame:
    """Says of each local day of the log at the end of which period it is first told, and since when that counts."""
    schema = {"day": pl.Int32, "since_day": pl.Int32, "last_day": pl.Int32}
    if shared.first_day is None or shared.last_day is None:
        return pl.DataFrame(schema=schema)
    first, last = ((day - EPOCH).days for day in (shared.first_day, shared.last_day))
    spans = [
        ((end - EPOCH).days, (since - EPOCH).days)
        for end, since in begun.drop_nulls().sort("period_end").iter_rows()
    ]
    rows = [
        (day, since, end)
        for (before, _), (end, since) in pairwise([(first - 1, 0), *spans])
        for day in range(max(since, before + 1, first), min(end, last) + 1)
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _placed(sums: pl.DataFrame) -> pl.DataFrame:
    """Names the days that stand where other kinds have a period."""
    since = pl.lit(EPOCH) + pl.duration(days=pl.col("period").cast(pl.Int64))
    return sums.with_columns(since=since.cast(pl.Date), period_end=pl.col("period_start")).drop(KEYS[1:])


def _totals(cells: pl.DataFrame, sums: pl.DataFrame, *, once: bool) -> pl.DataFrame:
    """Adds up point by point: one row per segment and point."""
    points = cells.select(_WHERE).unique().sort(_WHERE)
    begun = pl.col("since").is_not_null()
    step = points.join(sums, on=_WHERE, how="left", maintain_order="left").with_columns(
        pl.col("y", "yy", "x", "contributors").fill_null(0)
    )
    total, people = (pl.col(name).cum_sum().over("segment", "since") for name in ("y", "x"))
    squares = None if once else pl.when(pl.col("yy") > 0).then(pl.col("y") ** 2 / pl.col("yy"))
    return step.select(
        *_WHERE,
        value=pl.when(begun).then(total),
        numerator=pl.when(begun).then(total),
        denominator=pl.lit(None, dtype=pl.Float64),
        people=pl.when(begun).then(people).otherwise(0).cast(pl.Int64),
        contributors=pl.col("contributors").cast(pl.Int64),
        effective=pl.lit(None, dtype=pl.Float64) if squares is None else squares,
        low=pl.lit(None, dtype=pl.Float64),
        high=pl.lit(None, dtype=pl.Float64),
        interval_method=pl.lit(None, dtype=pl.String),
        reason=pl.when(~begun).then(pl.lit(NOT_BEGUN)),
        estimate=pl.lit(RUNNING),
    )


def _replicates(cells: pl.DataFrame, groups: pl.DataFrame, *, once: bool) -> Replicates:
    """What each total would be without each group of people."""
    points = cells.select(_WHERE).drop_nulls().unique().sort(_WHERE)
    members = pl.DataFrame({"member": np.arange(GROUPS)}).cast(groups.schema["member"])
    grown = (
        points.join(members, how="cross", maintain_order="left_right")
        .join(groups, on=(*_WHERE, "member"), how="left", maintain_order="left")
        .with_columns(pl.col("x", "y").fill_null(0).cum_sum().over("segment", "since", "member"))
    )
    at = cells.select(_WHERE).join(points.with_row_index("row"), on=_WHERE, how="left", maintain_order="left")
    rows = at["row"].fill_null(points.height).to_numpy().astype(np.int64)
    people, total = (
        np.vstack([grown[name].to_numpy().reshape(points.height, GROUPS), np.zeros(GROUPS)])[rows]
        for name in ("x", "y")
    )
    return Replicates(leave_one_out("count" if once else "total", people, total, people), people > 0)
