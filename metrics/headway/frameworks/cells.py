"""From what each person adds to the cells of a metric: sums by segment and period, then values with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import Replacement, bind, identifier, load, with_inputs
from headway.frameworks.grids import Grid
from headway.frameworks.kinds.plan import Units
from headway.frameworks.ordered_sums import ordered_sums
from headway.frameworks.prelude import Prelude
from headway.frameworks.profiles import Profiles
from headway.frameworks.segments import Dimension
from headway.periods import EPOCH
from headway.statistics.estimates import Kind, SufficientStatistics, estimate
from headway.statistics.intervals import Floats

_UNITS = identifier("headway_metric_units")
_HERE = "headway.frameworks"
_SUMS = ("n", "y", "yy", "x", "xx", "xy", "contributors")
_COUNTED = ("n", "x", "xx", "contributors")
_FRACTIONS = ("y", "yy", "x", "xx", "xy")
KEYS = ("segment", "period", "period_start")


def base_of_units(
    connection: duckdb.DuckDBPyConnection, name: str, plan: Units, shared: Prelude, ready: str
) -> str:
    """Makes the table of what metrics that follow each other have in common, unless it is there already.

    Args:
        connection: The connection of the prelude.
        name: The metric's name, for messages.
        plan: The metric's plan.
        shared: The shared input.
        ready: Query whose rows the table holds; empty where there is none yet.

    Returns:
        The same, for the next metric.

    Raises:
        EngineError: The database refused the query.
    """
    base = plan.base_text
    if base in ("", ready):
        return ready
    with guarded(f"compute the metric {name}"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {shared.base} AS {base}")
    return base


@contextmanager
def units_of(
    connection: duckdb.DuckDBPyConnection, name: str, plan: Units, profiles: Profiles, *, again: bool
) -> Iterator[str]:
    """Says what each person adds, and under which profile.

    Args:
        connection: The connection of the prelude.
        name: The metric's name, for messages.
        plan: What each person adds.
        profiles: The profiles of people.
        again: Whether it is read more than once: then its rows are kept in a temporary table.

    Yields:
        Its query: person, grain, start_day, y, x, profile.

    Raises:
        EngineError: The database refused a query.
    """
    query = profiles.profiled(plan.query_text, stamped=plan.stamped)
    with guarded(f"compute the metric {name}"):
        if not again:
            yield query
            return
        try:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {_UNITS} AS {query}")
            yield f"FROM {_UNITS}"
        finally:
            connection.execute(f"DROP TABLE IF EXISTS temp.{_UNITS}")


def cells_of_units(
    connection: duckdb.DuckDBPyConnection, units: str, plan: Units, profiles: Profiles
) -> pl.DataFrame:
    """Adds up what people contribute, for everybody and in every segment; within `units_of`.

    Args:
        connection: The connection of the prelude.
        units: Query of what each person adds, see `units_of`; kept in a table where it is in fractions.
        plan: What it is.
        profiles: The profiles of people.

    Returns:
        One row per segment, kind of period and first day that holds anybody: n (people), y, yy, x, xx, xy (sums over
        people), contributors (people who add something to y).
    """
    if plan.whole:
        sums = connection.sql(_whole(units, plan)).pl()
        return _named(profiles.by_label(sums, _SUMS), _SUMS)
    counted, adding = (connection.sql(text).pl() for text in _in_fractions(units, plan))
    whole = _named(profiles.by_label(counted, _COUNTED), _COUNTED)
    added = ordered_sums(adding, profiles, profiles.dimensions, ("grain", "start_day"))
    sums = whole.join(_named(added, _FRACTIONS), on=KEYS, how="left", suffix="_added").fill_null(0)
    if not plan.whole_x:
        sums = sums.with_columns(x=pl.col("x_added"), xx=pl.col("xx_added"))
    return sums.select(*KEYS, *_SUMS)


def sums_of_units(
    connection: duckdb.DuckDBPyConnection, units: str, plan: Units, profiles: Profiles, grid: Grid
) -> dict[str, Floats]:
    """The same as `cells_of_units` in every cell of a grid.

    Args:
        connection: The connection of the prelude.
        units: Query of what each person adds, see `units_of`; kept in a table where it is in fractions.
        plan: What it is.
        profiles: The profiles of people.
        grid: The cells.

    Returns:
        n, y, yy, x, xx, xy and contributors of every cell; 0 where nobody is.
    """
    if plan.whole:
        return _on_grid(connection.sql(_whole(units, plan)).pl(), _SUMS, profiles, grid)
    counted, adding = (connection.sql(text).pl() for text in _in_fractions(units, plan))
    sums = _on_grid(counted, _COUNTED, profiles, grid)
    # Smallest first: equal rows give equal bits whatever order they are read in.
    rows, column = grid.placed(adding.sort("y", "x"))
    y, x = rows["y"].to_numpy(), rows["x"].to_numpy()
    fractions = {"y": y, "yy": y * y, "xy": x * y} | ({} if plan.whole_x else {"x": x, "xx": x * x})
    return sums | grid.summed(profiles, rows["profile"].to_numpy(), column, fractions)


def _on_grid(sums: pl.DataFrame, names: Sequence[str], profiles: Profiles, grid: Grid) -> dict[str, Floats]:
    rows, column = grid.placed(sums)
    columns = {name: rows[name].to_numpy() for name in names}
    return grid.summed(profiles, rows["profile"].to_numpy(), column, columns)


def _whole(units: str, plan: Units) -> str:
    x: Replacement = exp.column("x") if plan.estimate in ("ratio", "total") else 1
    return _on_units("cells_whole", units, {"x": x})


def _in_fractions(units: str, plan: Units) -> tuple[str, str]:
    """Queries of what is whole of sums of fractions, and of the fractions."""
    x = exp.column("x") if plan.whole_x else 0
    adds = _adds("y") if plan.whole_x else exp.or_(_adds("y"), _adds("x"))
    return _on_units("cells_counted", units, {"x": x}), _on_units("cells_adding", units, {"adds": adds})


def _adds(column: str) -> exp.Expr:
    return exp.NEQ(this=exp.column(column), expression=exp.Literal.number(0))


def _on_units(text: str, units: str, params: Mapping[str, Replacement]) -> str:
    return with_inputs(bind(load(_HERE, text), params), {"units": units})


def groups_of_units(
    connection: duckdb.DuckDBPyConnection,
    units: str,
    profiles: Profiles,
    dimensions: Sequence[Dimension],
    people: str,
    by: str,
) -> pl.DataFrame:
    """Adds up the same by group of people; within `units_of`.

    Args:
        connection: The connection of the prelude.
        units: Query of what each person adds, see `units_of`.
        profiles: The profiles of people.
        dimensions: Those of them that are asked for.
        people: Quoted name of the table of people.
        by: Its column with the group: ``bucket`` or ``channel``.

    Returns:
        One row per segment, kind of period, first day and group that holds anybody: member (the group), n (people), y,
        yy, x (sums over people).
    """
    members = f"SELECT code AS person, {identifier(by)} AS member FROM {people}"
    text = with_inputs(load(_HERE, "cells_grouped"), {"units": units, "members": members})
    sums = ordered_sums(connection.sql(text).pl(), profiles, dimensions, ("grain", "start_day", "member"))
    return _named(sums, ("member", "n", "y", "yy", "x"))


def _named(sums: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Says of which period sums are."""
    return sums.select(
        "segment",
        period=pl.col("grain").cast(pl.String),
        period_start=pl.lit(EPOCH) + pl.duration(days=pl.col("start_day")),
        **{column: pl.col(column) for column in columns},
    )


def estimated(kind: Kind, cells: pl.DataFrame) -> pl.DataFrame:
    """Turns sums into values.

    Args:
        kind: What the metric is.
        cells: Sums by cell, null where nobody is in it.

    Returns:
        The cells with value, numerator, denominator (null for counts), people, contributors, effective (people who
        would give the same sums if all gave alike, the fewest of numerator and denominator; null where everybody
        gives alike by definition), low, high, interval_method, reason and estimate in place of the sums.
    """
    filled = cells.with_columns(
        pl.col("y", "yy", "x", "xx", "xy").fill_null(0),
        pl.col("n", "contributors").fill_null(0).cast(pl.Int64),
    )
    sums = SufficientStatistics.of(*(filled[column].to_numpy() for column in _SUMS[:6]))
    result = estimate(kind, sums)
    return filled.drop(_SUMS).with_columns(
        value=pl.Series(result.value, dtype=pl.Float64).fill_nan(None),
        numerator=filled["y"],
        denominator=pl.lit(None, dtype=pl.Float64) if kind in ("count", "total") else filled["x"],
        people=filled["n"],
        contributors=filled["contributors"],
        effective=_effective(kind, filled),
        low=pl.Series(result.low, dtype=pl.Float64).fill_nan(None),
        high=pl.Series(result.high, dtype=pl.Float64).fill_nan(None),
        interval_method=pl.Series(result.method.tolist(), dtype=pl.String),
        reason=pl.Series(result.reason.tolist(), dtype=pl.String),
        estimate=pl.lit(kind),
    )


def _effective(kind: Kind, sums: pl.DataFrame) -> pl.Series:
    """Counts the people behind sums by their size: Kish's effective sample size of the amounts."""
    if kind not in ("mean", "ratio", "total"):
        return pl.Series([None] * sums.height, dtype=pl.Float64)
    top, bottom = (
        pl.when(pl.col(squares) > 0).then(pl.col(total) ** 2 / pl.col(squares))
        for total, squares in (("y", "yy"), ("x", "xx"))
    )
    return sums.select(pl.min_horizontal(top, bottom)).to_series()
