"""From what each person adds to the cells of a metric: sums by segment and period, then values with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import bind, identifier, load, with_inputs
from headway.frameworks.kinds.plan import Units
from headway.frameworks.prelude import Prelude
from headway.frameworks.segments import ALL, Dimension
from headway.periods import EPOCH
from headway.statistics.estimates import Kind, SufficientStatistics, estimate

_UNITS = identifier("headway_metric_units")
_SUMS = ("n", "y", "yy", "x", "xx", "xy", "contributors")
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
    if plan.base in ("", ready):
        return ready
    with guarded(f"compute the metric {name}"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {shared.base} AS {plan.base}")
    return plan.base


@contextmanager
def units_of(connection: duckdb.DuckDBPyConnection, name: str, plan: Units) -> Iterator[None]:
    """Keeps what each person adds in a temporary table, for `cells_of_units` and `groups_of_units`.

    Args:
        connection: The connection of the prelude.
        name: The metric's name, for messages.
        plan: What each person adds.

    Yields:
        Nothing.

    Raises:
        EngineError: The database refused a query.
    """
    with guarded(f"compute the metric {name}"):
        try:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {_UNITS} AS {plan.query}")
            yield
        finally:
            connection.execute(f"DROP TABLE IF EXISTS temp.{_UNITS}")


def cells_of_units(
    connection: duckdb.DuckDBPyConnection, plan: Units, dimensions: Sequence[Dimension]
) -> pl.DataFrame:
    """Adds up what people contribute, for everybody and in every segment; within `units_of`.

    Args:
        connection: The connection of the prelude.
        plan: What each person adds.
        dimensions: Ways to divide people.

    Returns:
        One row per segment, kind of period and first day that holds anybody: n (people), y, yy, x, xx, xy (sums over
        people), contributors (people who add something to y).
    """
    text = load("headway.frameworks", "cells_whole" if plan.whole else "cells_fractional")
    if plan.whole:
        text = bind(text, {"x": exp.column("x") if plan.estimate in ("ratio", "total") else 1})
    by_label = [each for each in dimensions if each.name != ALL] if plan.whole else dimensions
    found = []
    for dimension in by_label:
        query = with_inputs(text, {"labelled": dimension.labelled(f"FROM {_UNITS}")})
        found.append(_named(connection.sql(query).pl(), dimension, _SUMS))
    return pl.concat([_everybody(found[0]), *found] if plan.whole else found)


def _everybody(cells: pl.DataFrame) -> pl.DataFrame:
    """Adds the labels of a dimension up: everybody is under one of them, and whole numbers add up exactly."""
    sums = cells.group_by("period", "period_start").agg(pl.col(_SUMS).sum())
    return sums.select(pl.lit(ALL).alias("segment"), "period", "period_start", *_SUMS)


def groups_of_units(
    connection: duckdb.DuckDBPyConnection, dimensions: Sequence[Dimension], people: str, by: str
) -> pl.DataFrame:
    """Adds up the same by group of people; within `units_of`.

    Args:
        connection: The connection of the prelude.
        dimensions: Ways to divide people.
        people: Quoted name of the table of people.
        by: Its column with the group: ``bucket`` or ``channel``.

    Returns:
        One row per segment, kind of period, first day and group that holds anybody: member (the group), n (people), y,
        yy, x (sums over people).
    """
    text = load("headway.frameworks", "cells_grouped")
    members = f"SELECT code AS person, {identifier(by)} AS member FROM {people}"
    found = []
    for dimension in dimensions:
        query = with_inputs(text, {"labelled": dimension.labelled(f"FROM {_UNITS}"), "members": members})
        found.append(_named(connection.sql(query).pl(), dimension, ("member", "n", "y", "yy", "x")))
    return pl.concat(found)


def _named(cells: pl.DataFrame, dimension: Dimension, columns: Sequence[str]) -> pl.DataFrame:
    labels = cells["label"].unique().to_list()
    return cells.select(
        segment=pl.col("label").replace_strict(
            labels, [dimension.segment(label) for label in labels], return_dtype=pl.String
        ),
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
    filled = cells.with_columns(pl.col(_SUMS).fill_null(0))
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
