"""Which step of a funnel broke, and for whom: every conversion in every segment, beside the period before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from scipy import stats

from headway.frameworks.segments import ALL
from headway.statistics.differences import mover
from headway.statistics.intervals import wilson
from headway.statistics.multiplicity import adjusted

ALPHA: Final = 0.05
"""Probability that a run calls any step broken where nothing changed, over all steps and segments together."""

SCHEMA: Final = {
    "metric": pl.String(), "funnel": pl.String(), "step": pl.Int64(), "segment": pl.String(), "period": pl.String(),
    "period_start": pl.Date(), "period_before": pl.Date(), "people": pl.Int64(), "people_before": pl.Int64(),
    "value": pl.Float64(), "value_before": pl.Float64(), "change": pl.Float64(), "low": pl.Float64(),
    "high": pl.Float64(), "p_value": pl.Float64(), "adjusted_p": pl.Float64(), "broken": pl.Boolean(),
}  # fmt: skip
"""Columns of ``step_changes`` and their types, in order."""

Steps = Mapping[str, tuple[str, int]]
"""Conversion metric -> funnel and number of the step that it measures."""


def step_changes(values: pl.DataFrame, catalogue: pl.DataFrame, steps: Steps) -> pl.DataFrame:
    """Compares every conversion in every segment with the period before.

    A conversion leads from one event to another within a time: it is a step of a funnel, whether the funnel is declared
    or not. Only what is published is read: nothing hidden can be worked out from it.

    Args:
        values: The published table ``metric_values``.
        catalogue: The published table ``metric_catalogue``.
        steps: Which declared funnel a metric is a step of.

    Returns:
        One row per conversion and segment whose latest complete week (month where there are no weeks) and the one just
        before it are shown; see `SCHEMA`. The interval of the change is Newcombe's (1998, method 10), the p-value that
        of Fisher's exact test, `adjusted_p` the same by Holm (1979) for all rows together; `broken` where that is
        below `ALPHA` and the change is for the worse.
    """
    directions = dict(
        catalogue.filter(pl.col("kind") == "conversion").select("metric", "direction").unique().iter_rows()
    )
    rows: list[dict[str, Any]] = []
    for metric in sorted(directions):
        funnel, step = steps.get(metric, (None, None))
        own = values.filter(pl.col("metric") == metric)
        rows += [{"metric": metric, "funnel": funnel, "step": step, **row} for row in _compared(own)]
    for row, p_value in zip(rows, adjusted([row["p_value"] for row in rows]) if rows else (), strict=True):
        worse = (row["change"] < 0) == (directions[row["metric"]] == "up")
        row |= {
            "adjusted_p": float(p_value),
            "broken": bool(p_value < ALPHA and worse and row["change"] != 0),
        }
    return pl.DataFrame(rows, schema=SCHEMA)


def _compared(own: pl.DataFrame) -> Iterator[dict[str, Any]]:
    shown = own.filter(
        (pl.col("segment") != ALL) & pl.col("complete") & pl.col("denominator").is_not_null()
        & pl.col("numerator").is_not_null() & (pl.col("denominator") > 0)
    )  # fmt: skip
    for period in ("week", "month"):
        chosen = shown.filter(pl.col("period") == period)
        latest = own.filter((pl.col("period") == period) & pl.col("complete"))["period_start"].max()
        if isinstance(latest, dt.date):
            chosen = chosen.unique(["segment", "period_start"], maintain_order=True).sort(
                "segment", "period_start"
            )
            for (segment,), rows in chosen.group_by(["segment"], maintain_order=True):
                yield from _pair(str(segment), period, rows.tail(2), latest)
            return


def _pair(segment: str, period: str, rows: pl.DataFrame, latest: dt.date) -> Iterator[dict[str, Any]]:
    if rows.height < 2:
        return
    before, now = rows.iter_rows(named=True)
    follows = now["period_start"] == latest and before["period_end"] + dt.timedelta(days=1) == latest
    if not follows or before["definition_hash"] != now["definition_hash"]:
        return
    (n, x), (m, y) = ((int(row["denominator"]), int(row["numerator"])) for row in (now, before))
    one, other = wilson(x, n), wilson(y, m)
    between = mover(x / n, one.low, one.high, y / m, other.low, other.high)
    yield {
        "segment": segment, "period": period, "period_start": now["period_start"],
        "period_before": before["period_start"], "people": n, "people_before": m, "value": x / n, "value_before": y / m,
        "change": x / n - y / m, "low": float(between.low), "high": float(between.high),
        "p_value": float(stats.fisher_exact(np.array([[x, n - x], [y, m - y]])).pvalue),
    }  # fmt: skip


__all__ = ["ALPHA", "SCHEMA", "Steps", "step_changes"]
