"""Values of metrics over periods whose events are gone: kept as they were computed last."""

from __future__ import annotations

from datetime import date

import polars as pl
import pyarrow as pa

from headway.engine import connect, guarded
from headway_pipelines.rights.limits import limits_in_force
from headway_pipelines.workspace import Workspace, write_atomically

_NAME = "kept_values.parquet"


def keep_values(workspace: Workspace, first_day: date) -> None:
    """Keeps the values of periods that begin before a day, as they are now, beside those kept before.

    Args:
        workspace: The workspace.
        first_day: The first day all events are kept of from now on.
    """
    if not workspace.metrics_db.exists():
        return
    con = connect(workspace.metrics_db, read_only=True)
    try:
        with guarded("keep values"):
            now: pl.DataFrame = con.sql("FROM metric_values").pl()
    finally:
        con.close()
    kept = with_kept(workspace, now).filter(pl.col("period_start") < first_day)
    if kept.height:
        sink = pa.BufferOutputStream()
        kept.write_parquet(sink, statistics=False)
        write_atomically(workspace.state / _NAME, sink.getvalue().to_pybytes())


def with_kept(workspace: Workspace, values: pl.DataFrame) -> pl.DataFrame:
    """Puts kept values in the place of those computed over the same periods; their `as_of` says from when they are.

    Args:
        workspace: The workspace.
        values: Values computed now.

    Returns:
        Values of periods with all their events as computed, of the others as kept.
    """
    path = workspace.state / _NAME
    limits = {name: day for name, day in limits_in_force(workspace).items() if name}
    if not limits or not path.exists():
        return values
    first = max(limits.values())
    kept = pl.read_parquet(path).select(pl.col(name).cast(kind) for name, kind in values.schema.items())
    names = set(values["metric"]) | set(kept["metric"])
    old = kept.filter((pl.col("period_start") < first) & pl.col("metric").is_in(list(names)))
    return pl.concat([values.filter(pl.col("period_start") >= first), old])
