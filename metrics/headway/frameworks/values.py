"""Metric values: every metric of a product, by period, for everybody and in every segment.

A metric's plan says what each person adds to each period; sums over people become values and intervals by one pure
function. The grid of all cells is completed here, so that a cell without people is a row that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import duckdb
import polars as pl

from headway.frameworks.cells import KEYS, cells_of_units, estimated
from headway.frameworks.kinds import plan_of
from headway.frameworks.prelude import Prelude, prelude
from headway.frameworks.segments import Dimension, dimensions
from headway.models.product import Product
from headway.periods import utc_us

SCHEMA: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "framework": pl.String(),
    "stage": pl.String(),
    "segment": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "value": pl.Float64(),
    "unit": pl.String(),
    "numerator": pl.Float64(),
    "denominator": pl.Float64(),
    "people": pl.Int64(),
    "contributors": pl.Int64(),
    "effective": pl.Float64(),
    "estimate": pl.String(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "interval_method": pl.String(),
    "complete": pl.Boolean(),
    "suppressed": pl.Boolean(),
    "reason": pl.String(),
    "as_of": pl.Datetime("us"),
    "definition_hash": pl.String(),
    "code_version": pl.String(),
}
"""Columns and types of the metric values, in order."""


def metric_values(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    *,
    horizon: datetime,
    as_of: datetime,
    code_version: str,
) -> pl.DataFrame:
    """Computes every metric of a product.

    Args:
        connection: A connection that knows `events` (person, event, occurred_at in UTC, optionally line and
            event_id, and the properties) and `people` (person, channel), optionally `person_properties` and
            `account_properties` (person or account, valid_from, and the properties). It may be read-only;
            temporary tables are made and dropped.
        product: What to compute.
        horizon: Everything received before this instant is in the log (naive: UTC). A cell is complete when
            its period, and the time its people have, ended at or before it.
        as_of: When the values are computed; carried into the rows.
        code_version: Version of the code; carried into the rows.

    Returns:
        One row per metric, framework and stage, segment (``all``, ``channel=name``, or a declared segment and its
        label), kind of period and period, from the first to the last local day with any event: cells without people
        are rows too, with a null value and the reason (a count is 0). Sorted by these columns; see `SCHEMA`.

    Raises:
        InputError: `events` lacks a property that a metric uses.
        EngineError: The database refused a query.
    """
    with prelude(connection, product) as shared, dimensions(connection, product, shared) as found:
        frames = [
            _values(connection, product, name, shared, found, utc_us(horizon)) for name in product.metrics
        ]
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    stamped = pl.concat(frames).with_columns(
        suppressed=pl.lit(False),
        as_of=pl.lit(_naive(as_of), dtype=pl.Datetime("us")),
        code_version=pl.lit(code_version),
    )
    return stamped.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort(
        "metric", "framework", "stage", *KEYS
    )


def _values(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    name: str,
    shared: Prelude,
    dimensions: Sequence[Dimension],
    horizon: int,
) -> pl.DataFrame:
    """Computes one metric: rows for each framework and stage that reports it."""
    metric = product.metrics[name]
    shared = replace(shared, grains=product.grains_of(name))
    plan = plan_of(metric, shared)
    cells = cells_of_units(connection, name, plan, dimensions)
    grid = _grid(shared, dimensions, horizon - metric.measured().wait)
    places = pl.DataFrame(metric.places(), schema=["framework", "stage"], orient="row")
    return (
        estimated(plan.estimate, grid.join(cells, on=KEYS, how="left", maintain_order="left"))
        .join(places, how="cross")
        .with_columns(
            metric=pl.lit(name),
            unit=pl.lit(metric.unit),
            definition_hash=pl.lit(product.definition_hash(name)),
        )
    )


def _grid(shared: Prelude, dimensions: Sequence[Dimension], complete_before: int) -> pl.DataFrame:
    """Lists every cell of a metric, those without people included."""
    first, last = shared.first_day, shared.last_day
    periods = [] if first is None or last is None else shared.calendar.periods(first, last, shared.grains)
    spans = pl.DataFrame(
        [(each.grain, each.start, each.last, each.end <= complete_before) for each in periods],
        schema={"period": pl.String, "period_start": pl.Date, "period_end": pl.Date, "complete": pl.Boolean},
        orient="row",
    )
    segments = [each.segment(label) for each in dimensions for label in each.labels]
    return pl.DataFrame({"segment": segments}).join(spans, how="cross")


def _naive(instant: datetime) -> datetime:
    return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)
