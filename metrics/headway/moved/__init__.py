"""What moved: changes of metrics, the segments they come from, and days that nobody expected.

All of it is computed from the table ``metric_values`` as it is published, hidden cells null, so that nothing hidden
can be read from it.

`moved_tables` computes the three tables that are published; `moves` lists for a report what moved most.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from headway.frameworks.running import RUNNING
from headway.moved.anomalies import metric_anomalies
from headway.moved.changes import metric_changes
from headway.moved.decomposition import metric_effects
from headway.moved.movers import Effect, Move, moves


def moved_tables(
    values: pl.DataFrame, kinds: Mapping[str, str], *, first_day: date | None = None
) -> dict[str, pl.DataFrame]:
    """Computes everything about what moved.

    Running totals are left out: they grow, and fall where they begin anew, whatever people do.

    Args:
        values: The table ``metric_values`` as it is published, hidden cells null.
        kinds: Metric -> kind of estimate.
        first_day: First local day of the log; a period that began before it is no whole one.

    Returns:
        The tables ``metric_changes``, ``metric_effects`` and ``metric_anomalies``.
    """
    running = [metric for metric, kind in kinds.items() if kind == RUNNING]
    values = values.filter(~pl.col("metric").is_in(running))
    return {
        "metric_changes": metric_changes(values, first_day=first_day),
        "metric_effects": metric_effects(values, kinds, first_day=first_day),
        "metric_anomalies": metric_anomalies(values, kinds, first_day=first_day),
    }


__all__ = [
    "Effect",
    "Move",
    "metric_anomalies",
    "metric_changes",
    "metric_effects",
    "moved_tables",
    "moves",
]
