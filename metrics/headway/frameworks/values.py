"""Metric values: every metric of a product, by day and week, for everybody and for each channel.

One query per metric returns sufficient statistics of the cells that hold people; the grid of all cells is
completed here, and one pure function turns statistics into values and intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import duckdb
import numpy as np
import polars as pl
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import Parameter, bind, load, with_inputs
from headway.frameworks.calendar import Period
from headway.frameworks.prelude import Prelude, day_of, local_time, prelude
from headway.models.durations import parse_duration
from headway.models.metrics import Conversion, Mean, Metric, NewPeople, PromoterScore, Retained, Share
from headway.models.product import DIRECT, Product
from headway.periods import utc_us, week_offset
from headway.selectors import condition
from headway.statistics.estimates import Kind, SufficientStatistics, estimate

ALL: Final = "all"

SCHEMA: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "framework": pl.String(),
    "stage": pl.String(),
    "segment": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "value": pl.Float64(),
    "unit": pl.String(),
    "numerator": pl.Float64(),
    "denominator": pl.Float64(),
    "people": pl.Int64(),
    "contributors": pl.Int64(),
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

_KINDS: dict[type, Kind] = {
    NewPeople: "count",
    Share: "proportion",
    Conversion: "proportion",
    Retained: "proportion",
    Mean: "mean",
    PromoterScore: "promoter_score",
}
_CELL = ("segment", "period", "period_start")
_STATED = ("metric", "framework", "stage", "unit", "suppressed", "as_of", "definition_hash", "code_version")
_COMPUTED = tuple(name for name in SCHEMA if name not in _STATED)

# By channel name (or all), kind of period and first day: n, total, total of squares, contributors.
_Found = dict[tuple[str, str, date], tuple[int, float, float, int]]


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
            event_id, and the properties) and `people` (person, channel). It may be read-only; temporary
            tables are made and dropped.
        product: What to compute.
        horizon: Everything received before this instant is in the log (naive: UTC). A cell is complete when
            its period, and the time its people have, ended at or before it.
        as_of: When the values are computed; carried into the rows.
        code_version: Version of the code; carried into the rows.

    Returns:
        One row per metric, framework and stage, segment (``all`` or ``channel=name``), kind of period and
        period, from the first to the last local day with any event: cells without people are rows too, with a
        null value and the reason (a count is 0). Sorted by these columns; see `SCHEMA`.

    Raises:
        InputError: `events` lacks a property that a metric uses.
        EngineError: The database refused a query.
    """
    with prelude(connection, product) as shared:
        frames = [
            _rows(product, name, cells, utc_us(horizon))
            for name, metric in product.metrics.items()
            if (cells := _grid(product, shared, _cells(connection, name, metric, shared)))
        ]
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    stamped = pl.concat(frames).with_columns(
        suppressed=pl.lit(False),
        as_of=pl.lit(_naive(as_of), dtype=pl.Datetime("us")),
        code_version=pl.lit(code_version),
    )
    keys = ["metric", "framework", "stage", *_CELL]
    return stamped.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort(keys)


def metric_query(metric: Metric, shared: Prelude) -> str:
    """Renders the query that returns a metric's sufficient statistics.

    Args:
        metric: The metric.
        shared: The shared input.

    Returns:
        One statement: channel (null for all), period, start_day, n, total, total_of_squares and contributors (those of
        the n who add something to the total: a sum over few of them speaks of few, however many n is).
    """
    name, flags, keep, params = _plan(metric, shared)
    text = bind(load("headway.frameworks", name), params)
    if isinstance(metric, NewPeople):
        return with_inputs(text, {"first_seen": _first_seen(shared)})
    own = [exp.alias_(exp.column(f"_{column}", quoted=True), column, quoted=True) for column in _PASSED]
    ev = exp.select(*own, *flags).from_(shared.events).where(keep)
    return with_inputs(text, {"ev": ev})


_PASSED = ("person", "channel", "us", "line", "tie", "day", "week")


def _plan(
    metric: Metric, shared: Prelude
) -> tuple[str, list[exp.Expr], exp.Expr | None, dict[str, Parameter]]:
    """Returns query name, computed columns of `ev`, its filter, and parameters."""
    tests = {name: condition(each.selector(), shared.columns) for name, each in metric.selectors().items()}
    keep = exp.or_(*(test.copy() for test in tests.values())) if tests else None
    if isinstance(metric, Share):
        return "share", [_flag(tests["of"], "is_of"), _flag(tests["did"], "is_did")], keep, {}
    if isinstance(metric, Conversion | Retained):
        goal = tests["reach" if isinstance(metric, Conversion) else "returning"]
        flags = [_flag(tests["start"], "is_start"), _flag(goal, "is_goal")]
        return "cohort", flags, keep, dict(zip(("opens", "closes"), _window(metric), strict=True))
    if isinstance(metric, Mean) and metric.value is not None:
        amount = exp.Case().when(tests["event"], exp.column(metric.value, quoted=True))
        adds = exp.alias_(exp.cast(amount, "DOUBLE"), "amount", quoted=True)
        return "mean_sum", [_flag(tests["of"], "is_of"), adds], keep, {}
    if isinstance(metric, Mean):
        flags = [_flag(tests["of"], "is_of"), _flag(tests["event"], "is_counted")]
        return "mean_count", flags, keep, {"once_a_day": metric.measure == "days"}
    if isinstance(metric, PromoterScore):
        score = exp.column(metric.score, quoted=True)
        valid = exp.Between(this=score, low=exp.Literal.number(0), high=exp.Literal.number(10))
        return "promoter_score", [exp.alias_(score.copy(), "score", quoted=True)], exp.and_(keep, valid), {}
    return "new_people", [], None, {"week_offset": week_offset(shared.calendar.week_start)}


def _flag(test: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(exp.paren(test), name, quoted=True)


def _window(metric: Conversion | Retained) -> tuple[int, int]:
    """Returns where the window opens and closes after the start; the closing instant is outside."""
    if isinstance(metric, Conversion):
        return 0, parse_duration(metric.within) + 1
    opens = parse_duration(metric.after)
    return opens, opens + parse_duration(metric.within)


def _first_seen(shared: Prelude) -> exp.Expr:
    local = local_time(exp.column("first_us", quoted=True), shared.offsets)
    return exp.select(
        exp.column("code", quoted=True).as_("person", quoted=True),
        exp.column("channel", quoted=True),
        exp.alias_(local, "local_us", quoted=True),
    ).from_(shared.people)


@dataclass(frozen=True)
class _Cell:
    """One cell of the grid with what the query found in it."""

    segment: str
    period: Period
    n: int = 0
    total: float = 0.0
    total_of_squares: float = 0.0
    contributors: int = 0


def _cells(connection: duckdb.DuckDBPyConnection, name: str, metric: Metric, shared: Prelude) -> _Found:
    """Runs a metric's query: statistics by channel number, kind of period and first day."""
    with guarded(f"compute the metric {name}"):
        rows = connection.execute(metric_query(metric, shared)).fetchall()
    return {
        (ALL if channel is None else shared.channels[channel], kind, day_of(day)): (
            n,
            total,
            squares,
            contributors,
        )
        for channel, kind, day, n, total, squares, contributors in rows
    }


def _grid(product: Product, shared: Prelude, found: _Found) -> list[_Cell]:
    """Lists every cell, those without people included."""
    if shared.first_day is None or shared.last_day is None:
        return []
    declared = {channel.name for channel in product.channels} | {DIRECT}
    channels = sorted(declared | set(shared.channels.values()))
    periods = list(shared.calendar.periods(shared.first_day, shared.last_day))
    return [
        _Cell(
            ALL if channel == ALL else f"channel={channel}",
            period,
            *found.get((channel, period.kind, period.start), (0, 0.0, 0.0, 0)),
        )
        for channel in [ALL, *channels]
        for period in periods
    ]


def _rows(product: Product, name: str, cells: list[_Cell], horizon: int) -> pl.DataFrame:
    """Turns the cells of one metric into rows, once for each framework and stage that reports it."""
    metric = product.metrics[name]
    kind = _KINDS[type(metric)]
    wait = metric.measured().wait
    n = np.array([cell.n for cell in cells], dtype=np.int64)
    total = np.array([cell.total for cell in cells], dtype=np.float64)
    result = estimate(kind, SufficientStatistics.of(n, total, [cell.total_of_squares for cell in cells]))
    frame = pl.DataFrame(
        {
            "segment": [cell.segment for cell in cells],
            "period": [cell.period.kind for cell in cells],
            "period_start": [cell.period.start for cell in cells],
            "value": result.value,
            "numerator": total,
            "denominator": n.astype(np.float64),
            "people": n,
            "contributors": [cell.contributors for cell in cells],
            "low": result.low,
            "high": result.high,
            "interval_method": result.method.tolist(),
            "complete": [cell.period.end + wait <= horizon for cell in cells],
            "reason": result.reason.tolist(),
        },
        schema={key: SCHEMA[key] for key in _COMPUTED},
    ).with_columns(pl.col("value", "low", "high").fill_nan(None))
    if kind == "count":
        frame = frame.with_columns(denominator=pl.lit(None, dtype=pl.Float64()))
    places = pl.DataFrame(metric.places(), schema=["framework", "stage"], orient="row")
    return frame.join(places, how="cross").with_columns(
        metric=pl.lit(name),
        unit=pl.lit(metric.unit),
        definition_hash=pl.lit(product.definition_hash(name)),
    )


def _naive(instant: datetime) -> datetime:
    return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)
