"""Days on which a metric was not what its weekday and trend let expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from headway.frameworks.segments import ALL
from headway.moved.expectation import expected
from headway.moved.pairs import cells
from headway.periods import EPOCH
from headway.statistics.intervals import Floats

SCHEMA: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "value": pl.Float64(),
    "expected": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "is_anomaly": pl.Boolean(),
    "method": pl.String(),
    "reason": pl.String(),
}
"""Columns and types of the anomalies, in order."""

TOO_LITTLE = "too little history"
NO_NOISE = "the values around it do not vary"


@dataclass(frozen=True)
class Series:
    """How the values of one kind of period are judged.

    Attributes:
        period: The kind of period.
        days: Days of one period.
        history: Latest complete periods that are looked at; they must fit into one trend with one bend.
        judged: Of these, the latest that are judged.
        needed: Values shown among them without which nothing is judged.
        cycle: Periods in a cycle.
        method: What the expectation rests on.
    """

    period: str
    days: int
    history: int
    judged: int
    needed: int
    cycle: int
    method: str


BY_DAY: Final = Series("day", 1, 70, 14, 42, 7, "robust regression on weekday and trend")
BY_WEEK: Final = Series("week", 7, 52, 4, 26, 1, "robust regression on trend")


def metric_anomalies(
    values: pl.DataFrame, kinds: Mapping[str, str], *, first_day: date | None = None
) -> pl.DataFrame:
    """Judges the latest complete days of every metric by what their weekday and trend let expect.

    Of everybody, the latest 14 of 70 days, if 42 of those are shown; of metrics that have no days the latest 4 of
    52 weeks, if 26 are shown, by their trend alone. Hidden values and periods that are not over are left out of the
    expectation and not judged. The range holds 99.8 % of plain noise: of 20 metrics over 14 days one value lies
    outside every other time.

    Numbers and sums are judged as their square roots and shares as the arc sine of theirs, which makes chance equally
    large at all sizes (Anscombe 1948); rates weigh as much as people are behind them. Holidays and seasons of the
    year are not known to it. After a lasting step days are marked until the new level is the usual one.

    Args:
        values: The table ``metric_values`` as it is published, hidden cells null.
        kinds: Metric -> kind of estimate.
        first_day: First local day of the log; a period that began before it is no whole one.

    Returns:
        One row per metric and judged period, see `SCHEMA`: `low` and `high` are the range that the value was
        expected in; `is_anomaly` and these are null where nothing was judged, and `reason` says why.

    References:
        Anscombe, F. J. (1948). The transformation of Poisson, binomial and negative-binomial data. Biometrika 35,
        246-254. For the expectation see `headway.moved.expectation.expected`.
    """
    everybody = cells(values, first_day).filter(pl.col("open").is_null(), segment=ALL)
    rows: list[tuple[object, ...]] = []
    for (metric,), own in everybody.group_by("metric", maintain_order=True):
        how = BY_DAY if (own["period"] == BY_DAY.period).any() else BY_WEEK
        rows += _judged(own.filter(period=how.period).sort("period_start"), kinds.get(str(metric), ""), how)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("metric", "period", "period_start")


def _judged(series: pl.DataFrame, kind: str, how: Series) -> list[tuple[object, ...]]:
    """Judges the latest periods of one metric."""
    if series.is_empty():
        return []
    number = ((series["period_start"] - EPOCH).dt.total_days() // how.days).alias("number")
    recent = series.with_columns(number).filter(pl.col("number") > int(str(number.max())) - how.history)
    shown = recent.filter(pl.col("why").is_null())
    enough = shown.height >= how.needed
    found = _expected(shown, kind, how) if enough else {}
    rows: list[tuple[object, ...]] = []
    for row in recent.filter(pl.col("number") > int(str(number.max())) - how.judged).iter_rows(named=True):
        value, reason = row["value"], row["why"]
        middle, low, high = found.get(row["number"], (None, None, None)) if reason is None else (None,) * 3
        outside = None if middle is None else not low <= value <= high
        reason = reason or (TOO_LITTLE if not enough else NO_NOISE if middle is None else None)
        head = (row["metric"], how.period, row["period_start"], value if row["why"] is None else None)
        rows.append((*head, middle, low, high, outside, how.method if middle is not None else None, reason))
    return rows


def _expected(shown: pl.DataFrame, kind: str, how: Series) -> dict[int, tuple[float, float, float]]:
    """Computes expectation and range of every period shown, where there is one."""
    scale = _scale(kind, shown)
    at = shown["number"].to_numpy().astype(np.int64)
    result = expected(scale.there(_floats(shown, "value")), at, scale.weights, cycle=how.cycle)
    back = [scale.back(each) for each in (result.value, *result.range)]
    return {
        int(number): (float(middle), float(low), float(high))
        for number, middle, low, high in zip(at, *back, strict=True)
        if not np.isnan(middle)
    }


@dataclass(frozen=True)
class Scale:
    """On which scale chance is equally large for all values.

    Attributes:
        weights: How certain each value is, proportional to one over its variance on that scale.
        there: From values to the scale.
        back: From the scale to values.
    """

    weights: Floats
    there: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]


_EIGHTH = 0.375


def _scale(kind: str, shown: pl.DataFrame) -> Scale:
    values = _floats(shown, "value")
    people = np.maximum(np.nan_to_num(_floats(shown, "people"), nan=1.0), 1.0)
    if kind in ("count", "total"):
        if (values < 0).any():
            return _as_it_is(np.ones(values.shape))
        return Scale(
            np.ones(values.shape),
            lambda v: np.sqrt(v + _EIGHTH),
            lambda s: np.maximum(np.maximum(s, 0.0) ** 2 - _EIGHTH, 0.0),
        )
    if kind == "proportion":
        n = _floats(shown, "denominator")
        return Scale(
            n,
            lambda p: np.arcsin(np.sqrt((p * n + _EIGHTH) / (n + 2 * _EIGHTH))),
            lambda s: np.clip(
                (np.sin(np.clip(s, 0, np.pi / 2)) ** 2 * (n + 2 * _EIGHTH) - _EIGHTH) / n, 0, 1
            ),
        )
    return _as_it_is(people)


def _as_it_is(weights: Floats) -> Scale:
    return Scale(weights, lambda v: v, lambda s: s)


def _floats(frame: pl.DataFrame, column: str) -> Floats:
    return frame[column].cast(pl.Float64).to_numpy()
