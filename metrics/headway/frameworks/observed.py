"""Metrics about single observations: from their sizes to quantiles with intervals, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.engine import guarded
from headway.engine.sql import identifier, load, with_inputs
from headway.frameworks.calendar import Calendar
from headway.frameworks.kinds.plan import Observations
from headway.frameworks.prelude import Prelude
from headway.frameworks.segments import Dimension
from headway.frameworks.shifts import Ints, shifts
from headway.models.product import BusinessHours
from headway.periods import EPOCH
from headway.statistics.intervals import Floats
from headway.statistics.quantiles import clustered_quantile, codes_of, survival_quantile, trimmed_mean

STILL_OPEN = "too many are not over yet"

_OBSERVED = identifier("headway_metric_observed")
_HERE = "headway.frameworks"
_US = 1_000_000.0


@dataclass(frozen=True)
class Clock:
    """Measures the time between two instants.

    Attributes:
        calendar: The product's days.
        business: Its business hours.
        now: Instant until which open intervals have lasted, at least.
        holidays: Local days on which nobody works, in days since 1970-01-01.
    """

    calendar: Calendar
    business: BusinessHours
    now: int
    holidays: frozenset[int] = frozenset()

    def calendar_seconds(self, start: Ints, end: Ints) -> Floats:
        """Returns the elapsed time between instants."""
        return np.asarray((end - start) / _US, dtype=np.float64)

    def business_seconds(self, start: Ints, end: Ints) -> Floats:
        """Returns the time between instants that lies within business hours.

        Examples:
            >>> from headway.periods import utc_us
            >>> from datetime import datetime
            >>> clock = Clock(Calendar("UTC"), BusinessHours(), 0)
            >>> friday, monday = (utc_us(datetime(2026, 3, day, hour)) for day, hour in ((6, 16), (9, 10)))
            >>> clock.business_seconds(np.array([friday]), np.array([monday])).tolist()   # an hour on either day
            [7200.0]
        """
        if not start.size:
            return np.zeros(0)
        first, last = int(min(start.min(), end.min())), int(max(start.max(), end.max()))
        opens, closes = shifts(self.calendar, self.business, self.holidays, first, last)
        before = np.concatenate([[0], np.cumsum(closes - opens)])

        def worked(instants: Ints) -> Ints:
            at = np.searchsorted(opens, instants, side="right")
            today = np.clip(at - 1, 0, None)
            return np.where(
                at > 0, before[today] + np.minimum(instants, closes[today]) - opens[today], 0
            ).astype(np.int64)

        # Whole microseconds, so that equal durations are equal whatever lies before them.
        return np.asarray((worked(end) - worked(start)) / _US, dtype=np.float64)


def cells_of_observations(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    plan: Observations,
    dimensions: Sequence[Dimension],
    shared: Prelude,
    clock: Clock,
) -> pl.DataFrame:
    """Finds the quantile of every cell, for everybody and in every segment.

    Args:
        connection: The connection of the prelude.
        name: The metric's name, for messages.
        plan: What is observed.
        dimensions: Ways to divide people.
        shared: The shared input.
        clock: How durations are measured.

    Returns:
        One row per segment, kind of period and first day that holds an observation: value, numerator (null),
        denominator (observations), people, contributors (people on the side of the quantile that has fewer, or whose
        observations are not cut off), effective (of a trimmed mean: people who would give the same if all gave
        alike), low, high, interval_method, reason.

    Raises:
        EngineError: The database refused a query.
    """
    with guarded(f"compute the metric {name}"):
        try:
            sized = _sized(connection.sql(plan.query).pl(), plan, clock)
            connection.register("headway_sized", sized.to_arrow())
            text = with_inputs(
                load(_HERE, "observed_units"),
                {"sized": "FROM headway_sized", "periods": shared.periods_query},
            )
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {_OBSERVED} AS {text}")
            connection.unregister("headway_sized")
            rows = [
                row
                for dimension in dimensions
                for row in _cells(connection, plan, dimension, censored=plan.clock is not None)
            ]
        finally:
            connection.execute(f"DROP TABLE IF EXISTS temp.{_OBSERVED}")
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


_SCHEMA = {
    "segment": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "value": pl.Float64(),
    "numerator": pl.Float64(),
    "denominator": pl.Float64(),
    "people": pl.Int64(),
    "contributors": pl.Int64(),
    "effective": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "interval_method": pl.String(),
    "reason": pl.String(),
}


def _sized(observed: pl.DataFrame, plan: Observations, clock: Clock) -> pl.DataFrame:
    """Gives every observation its value: durations are measured here, where days and zones are known."""
    if plan.clock is None:
        return observed.select("person", "at_us", "day", "value", censored=pl.lit(0))
    start = observed["at_us"].to_numpy().astype(np.int64)
    is_open = observed["until_us"].is_null().to_numpy()
    until = observed["until_us"].fill_null(clock.now).to_numpy().astype(np.int64)
    # What began after all data was in has lasted no time.
    until = np.maximum(until, start)
    measure = clock.calendar_seconds if plan.clock == "calendar" else clock.business_seconds
    return observed.select("person", "at_us", "day").with_columns(
        value=pl.Series(measure(start, until) / plan.unit_seconds, dtype=pl.Float64),
        censored=pl.Series(is_open.astype(np.int64)),
    )


def _cells(
    connection: duckdb.DuckDBPyConnection, plan: Observations, dimension: Dimension, *, censored: bool
) -> Iterator[tuple[object, ...]]:
    query = dimension.labelled(f"FROM {_OBSERVED}")
    text = with_inputs(load(_HERE, "observed_cells"), {"labelled": query})
    frame = connection.sql(text).pl().with_columns(pl.col("grain").cast(pl.String))
    keys = frame.select("label", "grain", "start_day").iter_rows()
    for (label, grain, start_day), (who, values, open_) in zip(keys, _split(frame["people"]), strict=True):
        start = EPOCH + timedelta(days=start_day)
        people = codes_of(who)
        beyond, effective = None, None
        if plan.trim is not None:
            found, method = trimmed_mean(values, plan.trim, people=people), "tukey mclaughlin"
            beyond, effective = _kept(values, people, plan.trim)
        elif censored:
            found, method = survival_quantile(values, open_, plan.q), "brookmeyer crowley"
        else:
            found, method = clustered_quantile(values, people, plan.q), "woodruff"
        number = int(people.max()) + 1
        yield (
            dimension.segment(label),
            grain,
            start,
            _known(found.value),
            None,
            float(values.size),
            number,
            _beyond(values, people, found.value) if beyond is None else beyond,
            effective,
            _known(found.low),
            _known(found.high),
            method if not np.isnan(found.low) else None,
            STILL_OPEN if np.isnan(found.value) else None,
        )


def _split(cells: pl.Series) -> Iterator[tuple[Ints, Floats, NDArray[np.bool_]]]:
    """Yields the observations of each cell: whose they are, their values, and which are not over yet."""
    people = cells.explode().struct.unnest()
    rows = people["observations"].explode().struct.unnest()
    sizes = people["observations"].list.len().to_numpy().astype(np.int64)
    who = np.repeat(people["person"].to_numpy(), sizes)
    values, is_open = rows["value"].to_numpy(), rows["is_open"].to_numpy()
    ends = np.cumsum(sizes)[np.cumsum(cells.list.len().to_numpy()).astype(np.int64) - 1]
    begin = 0
    for end in ends:
        yield who[begin:end], values[begin:end], is_open[begin:end]
        begin = end


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _kept(values: Floats, people: Ints, trim: float) -> tuple[int, float | None]:
    """Counts the people of whom a trimmed mean speaks, and those by the size of what they add to it."""
    cut = int(trim * values.size + 1e-9)
    kept = np.lexsort((people, values))[cut : values.size - cut]
    _, codes = np.unique(people[kept], return_inverse=True)
    sums = np.bincount(codes, weights=values[kept])
    squares = float(sums @ sums)
    return sums.size, float(sums.sum()) ** 2 / squares if squares > 0 else None


def _beyond(values: Floats, people: Ints, quantile: float) -> int:
    """Counts the people on the side of a quantile that has fewer: it speaks of them; people are numbered from 0."""
    if np.isnan(quantile):
        return int(people.max()) + 1
    sides = (values <= quantile, values >= quantile)
    return min(int(np.count_nonzero(np.bincount(people[side]))) for side in sides)
