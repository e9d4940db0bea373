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
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.product import BusinessHours
from headway.periods import EPOCH, weekday
from headway.statistics.intervals import Floats
from headway.statistics.quantiles import clustered_quantile, survival_quantile, trimmed_mean

STILL_OPEN = "too many are not over yet"

_OBSERVED = identifier("headway_metric_observed")
_HERE = "headway.frameworks"
_US = 1_000_000.0
Ints = NDArray[np.int64]


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
        offsets = self.calendar.offsets(first, last)
        since = np.array([each.since for each in offsets], dtype=np.int64)
        shift = np.array([each.microseconds for each in offsets], dtype=np.int64)

        def worked(instants: Ints) -> Floats:
            local = instants + shift[np.clip(np.searchsorted(since, instants, side="right") - 1, 0, None)]
            day = local // MICROSECONDS_PER_DAY
            begin = int(first // MICROSECONDS_PER_DAY) - 2
            days = np.arange(begin, int(last // MICROSECONDS_PER_DAY) + 3)
            open_days = self._open(days)
            before = np.concatenate([[0.0], np.cumsum(open_days * (self._closes - self._opens))])
            time = np.clip(local % MICROSECONDS_PER_DAY / _US - self._opens, 0, self._closes - self._opens)
            at = day - begin
            return np.asarray(before[at] + open_days[at] * time, dtype=np.float64)

        return worked(end) - worked(start)

    def _open(self, days: Ints) -> Floats:
        """Says which local days are working days."""
        # 1970-01-01, day 0, was a Thursday.
        known = [(weekday(name) - 3) % 7 for name in self.business.days]
        working = np.isin(days % 7, known) & ~np.isin(days, list(self.holidays))
        return working.astype(np.float64)

    @property
    def _opens(self) -> float:
        return _seconds_of(self.business.opens)

    @property
    def _closes(self) -> float:
        return _seconds_of(self.business.closes)


def _seconds_of(time_of_day: str) -> float:
    hours, minutes = time_of_day.split(":")
    return int(hours) * 3_600.0 + int(minutes) * 60.0


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
    frame = connection.sql(text).pl()
    for (label, grain, start_day), group in frame.group_by(
        "label", "grain", "start_day", maintain_order=True
    ):
        start = EPOCH + timedelta(days=int(str(start_day)))
        values, people = group["y"].to_numpy(), group["person"].to_numpy()
        open_ = group["x"].to_numpy() == 1
        beyond, effective = None, None
        if plan.trim is not None:
            found, method = trimmed_mean(values, plan.trim, people=people), "tukey mclaughlin"
            beyond, effective = _kept(values, people, plan.trim)
        elif censored:
            found, method = survival_quantile(values, open_, plan.q), "brookmeyer crowley"
        else:
            found, method = clustered_quantile(values, people, plan.q), "woodruff"
        number = int(np.unique(people).size)
        yield (
            dimension.segment(str(label)),
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


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _kept(values: Floats, people: Ints, trim: float) -> tuple[int, float | None]:
    """Counts the people of whom a trimmed mean speaks, and those by the size of what they add to it."""
    cut = int(trim * values.size + 1e-9)
    kept = slice(cut, values.size - cut)
    _, codes = np.unique(people[kept], return_inverse=True)
    sums = np.bincount(codes, weights=values[kept])
    squares = float(sums @ sums)
    return sums.size, float(sums.sum()) ** 2 / squares if squares > 0 else None


def _beyond(values: Floats, people: Ints, quantile: float) -> int:
    """Counts the people on the side of a quantile that has fewer: it speaks of them."""
    if np.isnan(quantile):
        return int(np.unique(people).size)
    sides = (values <= quantile, values >= quantile)
    return min(int(np.unique(people[side]).size) for side in sides)
