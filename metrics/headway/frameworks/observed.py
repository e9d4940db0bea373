"""Metrics about single observations: from their sizes to quantiles with intervals, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.engine import guarded
from headway.engine.sql import bind, load, with_inputs
from headway.frameworks.calendar import Calendar
from headway.frameworks.cells import KEYS
from headway.frameworks.kinds.plan import Observations
from headway.frameworks.prelude import Prelude
from headway.frameworks.profiles import Profiles
from headway.frameworks.shifts import Ints, shifts
from headway.frameworks.spells import Observed, Spells, grouped, spells_of
from headway.kernels.ordering import order_of_people
from headway.models.product import BusinessHours
from headway.statistics.clusters import Clusters, clustered_quantiles
from headway.statistics.intervals import Floats
from headway.statistics.quantiles import codes_of, survival_quantile, trimmed_mean

STILL_OPEN = "too many are not over yet"
TOO_FEW_IN_TIME = "too few were over in time"

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
    profiles: Profiles,
    shared: Prelude,
    clock: Clock,
) -> pl.DataFrame:
    """Finds the quantile of every cell, for everybody and in every segment.

    Args:
        connection: The connection of the prelude.
        name: The metric's name, for messages.
        plan: What is observed.
        profiles: The profiles of people.
        shared: The shared input.
        clock: How durations are measured.

    Returns:
        One row per segment, kind of period and first day that holds an observation: value, numerator (null),
        denominator (observations), people, contributors (people on the side of the quantile that has fewer, or whose
        observations are not cut off), effective (of a trimmed mean: people who would give the same if all gave
        alike), low, high, interval_method, reason. All observations of a person in a period count under the labels of
        the first one.

    Raises:
        EngineError: The database refused a query.
    """
    with guarded(f"compute the metric {name}"):
        spans = {"profiles": f"FROM {profiles.stamp.spans}"}
        text = load(_HERE, "observed_units")
        if plan.stamped:
            by_stamp = bind(load(_HERE, "observed_by_stamp"), {"width": profiles.stamp.width})
            units = _in_order(connection.sql(with_inputs(by_stamp, {"sized": plan.query})).pl())
        elif plan.clock is None:
            units = connection.sql(with_inputs(text, {"sized": plan.query, **spans})).pl()
        else:
            sized = _sized(connection.sql(plan.query).pl(), plan, clock)
            connection.register("headway_sized", sized.to_arrow())
            try:
                units = connection.sql(with_inputs(text, {"sized": "FROM headway_sized", **spans})).pl()
            finally:
                connection.unregister("headway_sized")
        periods = connection.sql(shared.periods_query).pl().with_columns(pl.col("grain").cast(pl.String))
    observed = Observed(
        *(units[column].to_numpy() for column in ("person", "day", "value", "is_open", "profile"))
    )
    cells = [_cells(spells, plan, profiles) for spells in spells_of(observed, periods)]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *cells])


def _in_order(units: pl.DataFrame) -> pl.DataFrame:
    """Puts observations into the order of people and time: they come from a log that mostly is in order."""
    order = order_of_people(*(units[name].to_numpy() for name in ("person", "at_us", "value", "is_open")))
    return units[order]


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
    """Gives every duration its value: they are measured here, where days and zones are known."""
    start = observed["at_us"].to_numpy().astype(np.int64)
    is_open = observed["until_us"].is_null().to_numpy()
    until = observed["until_us"].fill_null(clock.now).to_numpy().astype(np.int64)
    # What began after all data was in has lasted no time.
    until = np.maximum(until, start)
    if plan.within is not None:
        # Who is late keeps the longer time, and is not taken for one who was there at the last instant.
        is_open |= until > start + plan.within
    measure = clock.calendar_seconds if plan.clock == "calendar" else clock.business_seconds
    return observed.select("person", "at_us", "day").with_columns(
        value=pl.Series(measure(start, until) / plan.unit_seconds, dtype=pl.Float64),
        is_open=pl.Series(is_open),
    )


def _cells(spells: Spells, plan: Observations, profiles: Profiles) -> pl.DataFrame:
    """Finds the cells of some periods, dimension by dimension."""
    found = []
    for dimension, places in zip(profiles.dimensions, profiles.places, strict=True):
        cell_of = places[spells.profile] * spells.starts.size + spells.period
        there = np.bincount(cell_of) > 0
        used, cell_of = np.flatnonzero(there), (np.cumsum(there) - 1)[cell_of]
        look = _quantiles if plan.clock is None and plan.trim is None else _each
        names = np.array([dimension.segment(label) for label in dimension.labels], dtype=np.object_)
        frame = pl.DataFrame(
            {
                "segment": pl.Series(names[used // spells.starts.size].tolist(), dtype=pl.String),
                "period": pl.repeat(spells.grain, used.size, dtype=pl.String, eager=True),
                "period_start": pl.Series(spells.starts[used % spells.starts.size], dtype=pl.Int32).cast(
                    pl.Date
                ),
            }
        )
        found.append(frame.hstack(look(spells, plan, cell_of, used.size)).select(*_SCHEMA))
    return pl.concat(found)


def _quantiles(spells: Spells, plan: Observations, cell_of: Ints, number: int) -> pl.DataFrame:
    """Finds the quantile of every cell at once."""
    small = np.uint16 if number <= np.iinfo(np.uint16).max + 1 else np.int32
    cells = np.repeat(cell_of.astype(small), spells.sizes)
    order, bounds = grouped(cells[spells.by_value], number)
    ranked = spells.ranked[order]
    found = clustered_quantiles(
        Clusters(spells.observed.value, spells.first, cell_of, ranked, bounds), plan.q
    )
    unknown = pl.repeat(None, number, dtype=pl.Float64, eager=True)
    low, high = (pl.Series(each, dtype=pl.Float64).fill_nan(None) for each in (found.low, found.high))
    return pl.DataFrame(
        {
            "value": found.value,
            "numerator": unknown,
            "denominator": np.diff(bounds).astype(np.float64),
            "people": pl.Series(found.people, dtype=pl.Int64),
            "contributors": pl.Series(found.beyond, dtype=pl.Int64),
            "effective": unknown,
            "low": low,
            "high": high,
            "reason": pl.repeat(None, number, dtype=pl.String, eager=True),
        }
    ).with_columns(interval_method=pl.when(pl.col("low").is_not_null()).then(pl.lit("woodruff")))


def _each(spells: Spells, plan: Observations, cell_of: Ints, number: int) -> pl.DataFrame:
    """Looks at one cell after the other."""
    order, bounds = grouped(np.repeat(cell_of, spells.sizes), number)
    observed = spells.observed.at(order)
    rows = [
        _cell(plan, observed.person[begin:end], observed.value[begin:end], observed.is_open[begin:end])
        for begin, end in pairwise(bounds.tolist())
    ]
    schema = {name: dtype for name, dtype in _SCHEMA.items() if name not in KEYS}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _cell(plan: Observations, who: Ints, values: Floats, open_: NDArray[np.bool_]) -> tuple[object, ...]:
    people = codes_of(who)
    beyond, effective = None, None
    if plan.trim is not None:
        found, method = trimmed_mean(values, plan.trim, people=people), "tukey mclaughlin"
        beyond, effective = _kept(values, people, plan.trim)
    else:
        found, method = survival_quantile(values, open_, plan.q), "brookmeyer crowley"
    return (
        _known(found.value),
        None,
        float(values.size),
        int(people.max()) + 1,
        _beyond(values, people, found.value) if beyond is None else beyond,
        effective,
        _known(found.low),
        _known(found.high),
        method if not np.isnan(found.low) else None,
        _unreached(plan, values, open_) if np.isnan(found.value) else None,
    )


def _unreached(plan: Observations, values: Floats, open_: NDArray[np.bool_]) -> str:
    """Says why a share is not reached: it may be later, or cannot be any more, so many having missed the horizon."""
    if plan.within is None:
        return STILL_OPEN
    missed = np.count_nonzero(open_ & (values >= plan.within / _US / plan.unit_seconds))
    return TOO_FEW_IN_TIME if values.size - missed < plan.q * values.size - 1e-9 else STILL_OPEN


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
