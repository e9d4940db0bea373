"""The one pass over the log that every metric shares: integer people and days, and what divides people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

import duckdb
import polars as pl
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import DIALECT, bind, identifier, literal, load, with_inputs
from headway.errors import InputError
from headway.frameworks.calendar import Calendar, Offset
from headway.frameworks.marks import Marks, marks_of
from headway.frameworks.shifts import shifts
from headway.models.metrics import Grain
from headway.models.product import BusinessHours, Product
from headway.periods import EPOCH, local_day
from headway.selectors import condition, names_of
from headway.statistics.jackknife import GROUPS
from headway.subjects import histories_of

_PEOPLE = "headway_metric_people"
EVENTS = "headway_metric_events"
"""Table of the events that are read."""
_TALLY = "headway_metric_tally"
OLDER = "headway_metric_older_events"
"""Table of the events of other days, where only some days are read."""
OLDER_TALLY = "headway_metric_older_tally"
"""View of their tally."""
RECENT = "headway_metric_recent"
"""Table of what is new, see `headway.frameworks.recent`: there where something was known before."""
LOG = "headway_metric_log"
LOG_TALLY = "headway_metric_log_tally"
_PERIODS = "headway_metric_periods"
_RATES = "headway_metric_rates"
_SHIFTS = "headway_metric_shifts"
_BASE = "headway_metric_base"
_OWN = ("person", "event")
_PERIOD = ("grain", "start_day")

GRAIN_TYPE = f"ENUM ({', '.join(literal(grain) for grain in get_args(Grain))})"
"""Type of a kind of period: rows of people and periods are many, and it is a byte in them, not a text."""


class Doubt(Exception):
    """What was computed before is of no use; the text says why."""


@dataclass(frozen=True)
class Stamp:
    """How instants are stamped with the profile that held then: all labels a person had, as one number.

    Attributes:
        spans: Quoted name of the table of profiles: person, since_us, until_us, profile; of each person all time.
        origin: An instant before all others, in microseconds since 1970 UTC.
        width: More than any profile's number; 0 where instants are not stamped, since numbers would become too large.
    """

    spans: str
    origin: int
    width: int


@dataclass(frozen=True)
class Prelude:
    """Where the shared input of all metrics lies while they are computed.

    Attributes:
        people: Quoted name of the table of people: person, code, channel, bucket, first_us, last_us.
        events: Quoted name of the table of events: _person, _us, _line, _tie, _day, bits, properties metrics add up or
            group by, and _at where instants are stamped.
        tally: Quoted name of the table of what people did on each day: _person, _day, _us (the first time), _at (the
            same stamped), _n (how often), bits.
        marks: What the bits say.
        periods: Quoted name of the table of periods: grain, day, start_day, one row for every local day of the log
            and period that holds it.
        columns: Names of the properties that metrics use; those that only decide what is selected are known by bits.
        calendar: The product's days and longer periods.
        offsets: Distance from UTC over the time the log covers.
        first_day: Local day of the first event; None when the log is empty.
        last_day: Local day of the last event.
        first_us: Instant of the first event, microseconds since 1970 UTC.
        last_us: Instant of the last event.
        currency: ISO 4217 code of the product's currency.
        rates: Quoted name of the table of exchange rates: currency, day, rate; every local day of the log for which
            a rate is known.
        shifts: Quoted name of the table of working days: opens_us, closes_us, before_us (time worked before).
        business: The product's business hours.
        holidays: Local days on which nobody works, in days since 1970-01-01.
        base: Quoted name of the table of what metrics that follow each other have in common, see `Units.base`.
        grains: Kinds of period that the metric at hand is computed for.
        log: Quoted name of the relation of the same events and those of other days that count over the whole log;
            `events` itself where no days are left out.
        log_tally: The same of the tally, without stamps where not all days are read.
        stale: Quoted name of the table of the metric's periods that are computed: grain, start_day; empty: all are.
        firsts: By the text of a test over the bits, the query of when people first did that, of those who ever did:
            person, us. Empty where that is found in the events, because they are all there.
        stamp: How instants are stamped; None where nobody asked for it.
    """

    people: str
    events: str
    tally: str
    marks: Marks
    periods: str
    columns: frozenset[str]
    calendar: Calendar
    offsets: tuple[Offset, ...]
    first_day: date | None
    last_day: date | None
    first_us: int | None
    last_us: int | None
    currency: str
    rates: str
    shifts: str
    business: BusinessHours
    holidays: frozenset[int]
    base: str = identifier(_BASE)
    grains: tuple[Grain, ...] = ()
    log: str = identifier(EVENTS)
    log_tally: str = identifier(_TALLY)
    stale: str = ""
    firsts: Mapping[str, exp.Expr] = field(default_factory=dict)
    stamp: Stamp | None = None

    @property
    def stamped(self) -> bool:
        """Whether events and the tally have stamped instants (`_at`)."""
        return self.stamp is not None and self.stamp.width > 0

    @property
    def periods_query(self) -> str:
        """The periods of every local day, for the metric at hand, as far as they are computed."""
        query = self._periods
        if self.stale:
            query = query.join(exp.to_table(self.stale, dialect=DIALECT), using=_PERIOD, join_type="semi")
        return query.sql(DIALECT, pretty=True)

    @property
    def all_periods_query(self) -> str:
        """The periods of every local day, for the metric at hand, be they computed or not."""
        return self._periods.sql(DIALECT, pretty=True)

    @property
    def _periods(self) -> exp.Select:
        names = exp.column("grain", quoted=True).isin(*self.grains)
        return exp.select("grain", "day", "start_day").from_(self.periods).where(names)


@contextmanager
def prelude(
    connection: duckdb.DuckDBPyConnection, product: Product, *, known_last: int | None = None
) -> Iterator[Prelude]:
    """Builds the shared input in temporary tables, but for the events and the tally, and drops all of it afterwards.

    Args:
        connection: A connection that knows the relations `events` and `people`; it may be read-only.
        product: The product.
        known_last: Instant of the last event known before: then `people` says when everybody was first seen, and
            older events are not looked at; the table `RECENT` is there.

    Yields:
        Where the input lies.

    Raises:
        InputError: `events` lacks a column that a metric uses.
        Doubt: The last event known before is gone.
        EngineError: The database refused a statement.
    """
    columns = relation_columns(connection, "events")
    histories = histories_of(connection)
    available = (*columns, *(name for each in histories for name in each.names))
    needed = used_columns(product, available)
    marks = marks_of(product, available)
    calendar = Calendar(product.timezone, product.week_start)
    try:
        first, last = _number_people(connection, known_last)
        offsets: tuple[Offset, ...] = (Offset(0, 0),)
        if first is not None and last is not None:
            offsets = calendar.offsets(first, last)
        shared = Prelude(
            people=identifier(_PEOPLE),
            events=identifier(EVENTS),
            tally=identifier(_TALLY),
            marks=marks,
            periods=identifier(_PERIODS),
            columns=frozenset(needed),
            calendar=calendar,
            offsets=offsets,
            first_day=local_day(first, product.timezone) if first is not None else None,
            last_day=local_day(last, product.timezone) if last is not None else None,
            first_us=first,
            last_us=last,
            currency=product.currency,
            rates=identifier(_RATES),
            shifts=identifier(_SHIFTS),
            business=product.business_hours,
            holidays=_holidays(connection),
        )
        _list_periods(connection, product, shared)
        _list_rates(connection, shared)
        _list_shifts(connection, shared, first, last)
        yield shared
    finally:
        for view in (LOG, LOG_TALLY, OLDER_TALLY):
            connection.execute(f"DROP VIEW IF EXISTS temp.{identifier(view)}")
        for table in (OLDER, _BASE, _SHIFTS, _RATES, _PERIODS, _TALLY, EVENTS, _PEOPLE):
            connection.execute(f"DROP TABLE IF EXISTS temp.{identifier(table)}")


def _number_people(
    connection: duckdb.DuckDBPyConnection, known_last: int | None
) -> tuple[int | None, int | None]:
    """Writes the table of people; returns the instants of the first event and of the last one."""
    people = identifier(_PEOPLE)
    name = "everyone" if known_last is None else "everyone_known"
    with guarded("number the people"):
        text = bind(load("headway.frameworks", name), {"groups": GROUPS})
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {people} AS {text}")
        ((first, last),) = connection.execute(f"SELECT min(first_us), max(last_us) FROM {people}").fetchall()
        if known_last is not None:
            newest = bind(load("headway.frameworks", "newest"), {"known": known_last})
            recent = {"recent": f"FROM {identifier(RECENT)}"}
            ((last,),) = connection.execute(with_inputs(newest, recent)).fetchall()
            if first is None or last is None:
                raise Doubt("the last event is gone")
    return first, last


def _list_periods(connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude) -> None:
    """Writes which periods every local day belongs to, for all kinds of period that any metric has."""
    grains = {grain for name in product.metrics for grain in product.grains_of(name)}
    rows: list[tuple[str, int, int]] = []
    if shared.first_day is not None and shared.last_day is not None:
        first, last = ((day - EPOCH).days for day in (shared.first_day, shared.last_day))
        for period in shared.calendar.periods(shared.first_day, shared.last_day, grains):
            start, end = (period.start - EPOCH).days, (period.last - EPOCH).days
            rows += [(period.grain, day, start) for day in range(max(start, first), min(end, last) + 1)]
    frame = pl.DataFrame(
        rows, schema={"grain": pl.String, "day": pl.Int32, "start_day": pl.Int32}, orient="row"
    )
    with guarded("list the periods"):
        connection.register("headway_periods", frame.to_arrow())
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {shared.periods} AS "
            f"SELECT CAST(grain AS {GRAIN_TYPE}) AS grain, day, start_day FROM headway_periods"
        )
        connection.unregister("headway_periods")


def _holidays(connection: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """Reads the local days on which nobody works, as far as `holidays` says some."""
    with guarded("list the holidays"):
        if not knows(connection, "holidays"):
            return frozenset()
        days = connection.execute("SELECT DISTINCT day FROM holidays WHERE day IS NOT NULL").fetchall()
    return frozenset((day - EPOCH).days for (day,) in days)


def knows(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Says whether a connection knows a relation.

    Args:
        connection: The connection.
        relation: Its name.

    Returns:
        Whether there is one.
    """
    known = connection.execute("SELECT 1 FROM duckdb_columns() WHERE table_name = ? LIMIT 1", [relation])
    return bool(known.fetchall())


def _list_rates(connection: duckdb.DuckDBPyConnection, shared: Prelude) -> None:
    """Writes the rate of every currency and local day, as far as `exchange_rates` says one."""
    with guarded("list the exchange rates"):
        text = load("headway.frameworks", "rates")
        told = (
            "FROM exchange_rates"
            if knows(connection, "exchange_rates")
            else load("headway.frameworks", "no_rates")
        )
        span = {"first": shared.first_day or EPOCH, "last": shared.last_day or EPOCH}
        query = with_inputs(bind(text, span), {"told": told})
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {shared.rates} AS {query}")


def _list_shifts(
    connection: duckdb.DuckDBPyConnection, shared: Prelude, first: int | None, last: int | None
) -> None:
    """Writes when the team works over the time of the log."""
    opens, closes = shifts(shared.calendar, shared.business, shared.holidays, first or 0, last or 0)
    frame = pl.DataFrame({"opens_us": opens, "closes_us": closes}).with_columns(
        before_us=(pl.col("closes_us") - pl.col("opens_us")).cum_sum().shift(1, fill_value=0)
    )
    with guarded("list the working days"):
        connection.register("headway_shifts", frame.to_arrow())
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {shared.shifts} AS FROM headway_shifts")
        connection.unregister("headway_shifts")


def relation_columns(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[str, ...]:
    """Lists the columns of a relation.

    Args:
        connection: The connection.
        relation: Its name.

    Returns:
        Column names.

    Raises:
        EngineError: There is no such relation.
    """
    with guarded(f"read the columns of {relation}"):
        return tuple(row[0] for row in connection.execute(f"DESCRIBE {identifier(relation)}").fetchall())


def used_columns(product: Product, available: tuple[str, ...]) -> tuple[str, ...]:
    """Lists the property columns that a product's metrics read.

    Args:
        product: The product.
        available: Columns of `events`.

    Returns:
        Column names, sorted.

    Raises:
        InputError: A metric uses a column that `events` lacks.
    """
    used = set(carried(product))
    for metric in product.metrics.values():
        used.update(names_of(condition(each.selector(), available) for each in metric.selectors().values()))
    for name in sorted(used):
        if name not in available:
            raise InputError.unknown("property", name, available)
    return tuple(sorted(used.difference(_OWN)))


def carried(product: Product) -> list[str]:
    """Lists the columns that metrics add up, order or group by: what no bit can say."""
    names = {
        name
        for metric in product.metrics.values()
        for name in (
            *metric.base_columns(),
            *(read for _, read, _ in (*metric.numbers(), *metric.properties())),
        )
    }
    return sorted(names.difference(_OWN))


def local_time(instant: exp.Expr, offsets: tuple[Offset, ...]) -> exp.Expr:
    """Builds the shift of an instant to local time: integers only, the same on every engine.

    Args:
        instant: Microseconds since 1970 UTC.
        offsets: Stretches of constant offset, in order.

    Returns:
        Microseconds since 1970 on the local clock.

    Examples:
        >>> spring = (Offset(0, 3600), Offset(500, 7200))
        >>> local_time(exp.column("us"), spring).sql("duckdb")
        'us + CASE WHEN us < 500 THEN 3600 ELSE 7200 END'
    """
    if len(offsets) == 1:
        return exp.Add(this=instant, expression=exp.Literal.number(offsets[0].microseconds))
    shift = exp.Case()
    for here, after in pairwise(offsets):
        before = exp.LT(this=instant.copy(), expression=exp.Literal.number(after.since))
        shift = shift.when(before, exp.Literal.number(here.microseconds), copy=False)
    shift = shift.else_(exp.Literal.number(offsets[-1].microseconds), copy=False)
    return exp.Add(this=instant, expression=shift)


def instant() -> exp.Expr:
    """Returns the expression of an event's instant in microseconds since 1970 UTC."""
    return exp.func("epoch_us", exp.column("occurred_at", quoted=True))


def log_order(available: tuple[str, ...]) -> list[exp.Expr]:
    """Builds the columns that order events of one instant: `_line` and `_tie`.

    Args:
        available: Columns of `events`; where line or event_id is missing a constant stands in.

    Returns:
        Two aliased expressions.
    """
    return [
        exp.alias_(
            exp.column(name, quoted=True) if name in available else exp.Literal.number(0), alias, quoted=True
        )
        for name, alias in (("line", "_line"), ("event_id", "_tie"))
    ]


def day_of(value: int) -> date:
    """Returns a day number of a query as a date."""
    return EPOCH + timedelta(days=value)
