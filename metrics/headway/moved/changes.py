"""By how much every metric changed, and how sure that is."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from headway.moved.pairs import KEYS, pairs
from headway.statistics.differences import mover

SCHEMA: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "segment": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "compared_with": pl.String(),
    "period_before": pl.Date(),
    "value": pl.Float64(),
    "value_before": pl.Float64(),
    "change": pl.Float64(),
    "relative_change": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "interval_method": pl.String(),
    "reason": pl.String(),
}
"""Columns and types of the changes, in order."""


def metric_changes(values: pl.DataFrame, *, first_day: date | None = None) -> pl.DataFrame:
    """Compares the latest complete periods of every metric with the period before and the same period last year.

    Only what is published is read: where a cell is hidden, has no value, is not over, or does not exist, the change is
    null and says why. See `headway.moved.pairs.pairs` for what is compared with what.

    Args:
        values: The table ``metric_values`` as it is published, hidden cells null.
        first_day: First local day of the log; a period that began before it is no whole one.

    Returns:
        One row per metric, segment, period, period start and ``compared_with`` (``previous``, ``last year``), see
        `SCHEMA`: `relative_change` is the change as a fraction of the value before, null unless that is above 0;
        `low` and `high` are the 95 % interval of the change, by `headway.statistics.differences.mover` from the
        published intervals of both values. It takes the two periods for independent; where
        the same people are in both and stay as they are, it is wider than it need be.

    Examples:
        >>> row = {"metric": "sales", "segment": "all", "period": "week", "numerator": None, "denominator": None,
        ...        "people": 9, "complete": True, "reason": None, "definition_hash": "a"}
        >>> weeks = pl.DataFrame([
        ...     {**row, "period_start": date(2026, 3, 2), "value": 100.0, "low": 81.0, "high": 121.0},
        ...     {**row, "period_start": date(2026, 3, 9), "value": 150.0, "low": 127.0, "high": 176.0},
        ... ])
        >>> found = metric_changes(weeks).filter(period_start=date(2026, 3, 9), compared_with="previous")
        >>> found.select("change", "relative_change", pl.col("low", "high").round(1)).rows()
        [(50.0, 0.5, 18.9, 82.2)]
    """
    both = pairs(values, first_day).with_columns(
        pl.when(pl.col("why").is_null()).then("value").alias("value"),
        pl.when(pl.col("why_before").is_null()).then("value_before").alias("value_before"),
    )
    fine = pl.col("reason").is_null()
    changed = both.with_columns(
        change=pl.when(fine).then(pl.col("value") - pl.col("value_before")),
        relative_change=pl.when(fine & (pl.col("value_before") > 0)).then(
            pl.col("value") / pl.col("value_before") - 1
        ),
    )
    sides = (changed[name].to_numpy() for name in _SIDES)
    interval = mover(*sides)
    known = fine & pl.col("low").is_not_null()
    return (
        changed.with_columns(
            low=pl.Series(interval.low).fill_nan(None), high=pl.Series(interval.high).fill_nan(None)
        )
        .with_columns(
            pl.when(fine).then("low").alias("low"),
            pl.when(fine).then("high").alias("high"),
            interval_method=pl.when(known).then(pl.lit("mover")),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort(*KEYS, "compared_with")
    )


_SIDES = ("value", "low", "high", "value_before", "low_before", "high_before")
