"""What each of something cost: money spent, by channel, divided by a count."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import polars as pl

from headway.engine import guarded
from headway.engine.sql import bind, load, with_inputs
from headway.frameworks.cells import KEYS
from headway.frameworks.formulas import Part, Replicates
from headway.frameworks.kinds.amounts import NEGATIVE, NO_RATE
from headway.frameworks.prelude import Prelude, knows
from headway.frameworks.segments import ALL, CHANNEL
from headway.periods import EPOCH
from headway.statistics.estimates import NOTHING

NO_SPEND = "no spend"
NO_SEGMENT = "spend is known by channel only"

_HERE = "headway.frameworks"


def cost_part(connection: duckdb.DuckDBPyConnection, name: str, count: Part, shared: Prelude) -> Part:
    """Divides what was spent in each period by a count, for everybody and by channel.

    The interval is that of the count, what was spent taken as known: ends are spend divided by the count's ends, and
    there is no upper end where the count may be 0.

    Args:
        connection: The connection of the prelude; it may know `spend` (day, channel, amount, currency).
        name: The metric's name, for messages.
        count: The count, with its cells.
        shared: The shared input, with the kinds of period of the metric.

    Returns:
        One row per cell of the count. It is complete where spend is told of days before and after, too.

    Raises:
        EngineError: The database refused a query.
    """
    with guarded(f"compute the metric {name}"):
        spent, first, last = _spent(connection, shared)
        told_from, told_to, begin = (pl.lit(day, dtype=pl.Date) for day in (first, last, shared.first_day))
    grid = count.cells.filter(pl.col("period").is_in(list(shared.grains))).select(KEYS)
    mine = count.aligned(grid)
    joined = mine.cells.join(spent, on=KEYS, how="left", maintain_order="left")
    told = joined["spent"].to_numpy()
    n = pl.when(pl.col("value") > 0).then("value")
    known = (pl.col("period_end") <= told_to) & (pl.max_horizontal("period_start", begin) >= told_from)
    width = pl.when(pl.col("spent") > 0).then("spent")
    cells = joined.with_columns(
        complete=pl.col("complete") & known.fill_null(False),
        numerator=pl.col("spent"),
        denominator=pl.col("value"),
        low=width / pl.when(pl.col("value") > 0).then("high"),
        high=width / pl.when((pl.col("value") > 0) & (pl.col("low") > 0)).then("low"),
        value=pl.col("spent") / n,
        effective=pl.lit(None, dtype=pl.Float64),
        contributors=pl.lit(None, dtype=pl.Int64),
        estimate=pl.lit("cost"),
        reason=pl.when(_other_segment()).then(pl.lit(NO_SEGMENT)).when(pl.col("spent").is_null())
        .then(pl.lit(NO_SPEND)).when(n.is_null()).then(pl.lit(NOTHING)),
    ).with_columns(interval_method=pl.when(pl.col("low").is_not_null()).then("interval_method"))  # fmt: skip
    return Part(cells.drop("spent"), _without(told, mine.replicates))


def _without(spent: np.typing.NDArray[np.float64], count: Replicates | None) -> Replicates | None:
    """What was spent is known: only the count is smaller without a group of people."""
    if count is None:
        return None
    people = np.where(count.without > 0, count.without, np.nan)
    return Replicates(spent[:, None] / people, count.occupied)


def excluded_spend(connection: duckdb.DuckDBPyConnection, shared: Prelude) -> dict[str, str]:
    """Writes the queries that count which rows of spend could not be used.

    Args:
        connection: The connection of the prelude.
        shared: The shared input.

    Returns:
        Query by reason.
    """
    inputs = {
        "told": _told(connection),
        "rates": f"FROM {shared.rates}",
        "days": f"SELECT DISTINCT day FROM {shared.periods}",
    }
    text = load(_HERE, "spend_left_out")
    return {
        reason: with_inputs(bind(text, {"currency": shared.currency, "below": below}), inputs)
        for reason, below in ((NO_RATE, False), (NEGATIVE, True))
    }


def _told(connection: duckdb.DuckDBPyConnection) -> str:
    return "FROM spend" if knows(connection, "spend") else load(_HERE, "no_spend")


def _spent(
    connection: duckdb.DuckDBPyConnection, shared: Prelude
) -> tuple[pl.DataFrame, date | None, date | None]:
    """Adds up what was spent by cell; with the first and the last day of which anything is told."""
    told = _told(connection)
    query = with_inputs(
        bind(load(_HERE, "spend"), {"currency": shared.currency}),
        {"told": told, "rates": f"FROM {shared.rates}", "periods": shared.periods_query},
    )
    found = connection.sql(query).pl()
    ((first, last),) = connection.execute(f"SELECT min(day), max(day) FROM ({told}) AS told").fetchall()
    by_channel = found.select(
        segment=pl.lit(f"{CHANNEL}=") + pl.col("channel"),
        period=pl.col("grain").cast(pl.String),
        period_start=pl.lit(EPOCH) + pl.duration(days=pl.col("start_day")),
        spent=pl.col("spent"),
    )
    everybody = by_channel.sort("segment").group_by("period", "period_start", maintain_order=True)
    total = everybody.agg(pl.col("spent").sum()).select(pl.lit(ALL).alias("segment"), pl.all())
    return pl.concat([by_channel, total]), first, last


def _other_segment() -> pl.Expr:
    segment = pl.col("segment")
    return (segment != ALL) & ~segment.str.starts_with(f"{CHANNEL}=")
