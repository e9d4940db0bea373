"""Metric values: every metric of a product, by period, for everybody and in every segment.

A metric's plan says what each person adds to each period; sums over people become values and intervals by one pure
function. The grid of all cells is completed here, so that a cell without people is a row that says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb
import polars as pl

from headway.frameworks.cells import KEYS
from headway.frameworks.computing import Job
from headway.frameworks.kept import Kept, News
from headway.frameworks.prelude import Doubt
from headway.models.composition import leaves_of
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
    "components": pl.String(),
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
    return measure(connection, product, horizon=horizon, as_of=as_of, code_version=code_version).values


@dataclass(frozen=True)
class Measured:
    """What computing a product's metrics gives.

    Attributes:
        values: The metric values, see `SCHEMA`.
        exclusions: Events that metrics had to leave out, by metric and reason, see `EXCLUSIONS`; every reason that
            could have been is listed, with 0 where there was no such event.
        kept: What may be used again, where that was asked for and anything was computed.
        anew: Why everything was computed; empty where only what news can have changed was.
    """

    values: pl.DataFrame
    exclusions: pl.DataFrame
    kept: Kept | None = None
    anew: str = ""


EXCLUSIONS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "reason": pl.String(),
    "n_events": pl.Int64(),
}
"""Columns and types of the events that metrics left out."""


NOTHING_KEPT = "nothing was kept"


def measure(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    *,
    horizon: datetime,
    as_of: datetime,
    code_version: str,
    keep: bool = False,
    kept: Kept | None = None,
    news: News | None = None,
) -> Measured:
    """Computes every metric of a product, and counts what metrics had to leave out.

    With `kept` and `news` only cells are computed that the news can have changed, or that were not complete. Values
    are the same either way; everything is computed where there is doubt about what was kept.

    Args:
        connection: See `metric_values`; where it knows `exchange_rates` (day, currency, rate), `holidays` (day) and
            `spend` (day, channel, amount, currency), amounts, business hours and costs use them.
        product: What to compute.
        horizon: Everything received before this instant is in the log (naive: UTC).
        as_of: When the values are computed; carried into the rows.
        code_version: Version of the code; carried into the rows.
        keep: Whether to hand over what may be used again; the temporary tables of
            `headway.frameworks.kept` are part of it.
        kept: What was handed over before, by the same version, for the same product and side inputs.
        news: What is new since then. `people` then says of everybody in the log when they were first seen
            (first_seen_at).

    Returns:
        Values and exclusions.

    Raises:
        InputError: `events` lacks a property that a metric uses, or a metric is made of itself.
        EngineError: The database refused a query.
    """
    job = Job(connection, product, utc_us(horizon), keep)
    anew, found = NOTHING_KEPT, None
    if kept is not None and news is not None:
        try:
            found, anew = job.again(kept, news), ""
        except Doubt as doubt:
            anew = str(doubt)
    found = found or job.all_of_it()
    ranks = {name: place for place, name in enumerate(product.metrics)}
    exclusions = pl.DataFrame(
        sorted(found.excluded, key=lambda row: ranks[row[0]]), schema=EXCLUSIONS, orient="row"
    )
    if not product.metrics:
        return Measured(pl.DataFrame(schema=SCHEMA), exclusions, anew=anew)
    stamped = _placed(product, found.cells).with_columns(
        suppressed=pl.lit(False),
        as_of=pl.lit(_naive(as_of), dtype=pl.Datetime("us")),
        code_version=pl.lit(code_version),
    )
    values = stamped.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    return Measured(values.sort("metric", "framework", "stage", *KEYS), exclusions, found.kept, anew)


def _placed(product: Product, cells: pl.DataFrame) -> pl.DataFrame:
    """Puts every metric under each framework and stage that reports it."""
    rows = []
    for name, metric in product.metrics.items():
        leaves = leaves_of(name, product.metrics)
        components = ",".join(leaves) if leaves != (name,) else None
        for framework, stage in metric.places():
            rows.append((name, framework, stage, metric.unit, components, product.definition_hash(name)))
    schema = ("metric", "framework", "stage", "unit", "components", "definition_hash")
    places = pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String), orient="row")
    return cells.join(places, on="metric", how="inner")


def _naive(instant: datetime) -> datetime:
    return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)
