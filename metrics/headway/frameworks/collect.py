"""The one pass over the log: the events that metrics use, and the tally of what people did on each day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import DIALECT, bind, identifier, load, with_inputs
from headway.frameworks.prelude import (
    LOG,
    LOG_TALLY,
    OLDER,
    OLDER_TALLY,
    Prelude,
    carried,
    instant,
    local_time,
    log_order,
    relation_columns,
    used_columns,
)
from headway.models.product import Product
from headway.periods import EPOCH, day_start_us
from headway.subjects import histories_of, with_properties

_EVER = -9_000_000_000_000_000
"""An instant before all others, in microseconds since 1970 UTC."""


@dataclass(frozen=True)
class Reading:
    """Which events are read, where not all are.

    Attributes:
        ranges: Stretches of time, each with its first instant and the one after its last, in microseconds since 1970
            UTC, in order: of them all events are read.
        names: Events that are read whenever they happened.
    """

    ranges: tuple[tuple[int, int], ...]
    names: frozenset[str]

    @property
    def since(self) -> int:
        """The first instant of them, or one before all others."""
        return self.ranges[0][0] if self.ranges else _EVER

    @classmethod
    def of(cls, days: Iterable[int], names: Iterable[str], timezone: str) -> Reading:
        """Reads local days.

        Args:
            days: Local days, in days since 1970-01-01.
            names: Events that are read whenever they happened.
            timezone: The days' time zone.

        Examples:
            >>> Reading.of([3, 1, 2, 7], [], "UTC").ranges == ((86_400_000_000, 345_600_000_000), (604_800_000_000,
            ...     691_200_000_000))
            True
        """
        stretches: list[list[int]] = []
        for day in sorted(set(days)):
            if stretches and stretches[-1][1] == day:
                stretches[-1][1] = day + 1
            else:
                stretches.append([day, day + 1])
        ranges = tuple((_start(first, timezone), _start(after, timezone)) for first, after in stretches)
        return cls(ranges, frozenset(names))

    def within(self) -> exp.Expr:
        """The condition that an event lies in one of the stretches; their ends, by which files are told, come first."""
        if not self.ranges:
            return exp.false()
        envelope = _between(self.ranges[0][0], self.ranges[-1][1])
        if len(self.ranges) == 1:
            return envelope
        return exp.and_(envelope, exp.or_(*(_between(*each) for each in self.ranges)))

    def outside(self) -> exp.Expr:
        """The condition that an event lies in none of them and has one of the names."""
        if not self.names:
            return exp.false()
        names = exp.column("event", quoted=True).isin(*sorted(self.names))
        return exp.and_(names, exp.not_(exp.paren(self.within())))


def _start(day: int, timezone: str) -> int:
    return day_start_us(EPOCH + timedelta(days=day), timezone)


def _between(first: int, after: int) -> exp.Expr:
    at = exp.column("occurred_at", quoted=True)
    return exp.and_(
        exp.GTE(this=at, expression=_timestamp(first)), exp.LT(this=at.copy(), expression=_timestamp(after))
    )


def _timestamp(us: int) -> exp.Expr:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return exp.cast(exp.Literal.string(moment.replace(tzinfo=None).isoformat(sep=" ")), "TIMESTAMP")


def collect(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    shared: Prelude,
    reading: Reading | None = None,
    *,
    needed: bool = True,
) -> None:
    """Writes the tables of events and of the tally.

    Args:
        connection: The connection of the prelude.
        product: The product.
        shared: The shared input.
        reading: Which events to read; None for all.
        needed: Whether those of other days are read; else their table is there.

    Raises:
        InputError: `events` lacks a column that a metric uses.
        EngineError: The database refused a statement.
    """
    within, since = (None, _EVER) if reading is None else (reading.within(), reading.since)
    _write(connection, product, shared, within, shared.events, since)
    stamped = shared.stamped
    with guarded("list what people did on each day"):
        tally = _tally(shared, shared.events, stamped=stamped)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {shared.tally} AS {tally}")
    if reading is None:
        return
    older = identifier(OLDER), identifier(OLDER_TALLY)
    if needed:
        _write(connection, product, shared, reading.outside(), older[0], _EVER)
    # Few ask how often something was done on days that are not read as a whole.
    tally = _tally(shared, older[0], stamped=False)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {older[1]} AS {tally}")
    # What needs all of the log is computed as a whole, and found under its profiles otherwise than by stamps.
    columns = "* EXCLUDE (_at)" if stamped else "*"
    for view, table, more in ((LOG, shared.events, older[0]), (LOG_TALLY, shared.tally, older[1])):
        both = f"SELECT {columns} FROM {table} UNION ALL FROM {more}"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(view)} AS {both}")


def _write(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    shared: Prelude,
    condition: exp.Expr | None,
    events: str,
    since: int,
) -> None:
    """Writes the events for which a condition holds, none of which is older than an instant."""
    columns = relation_columns(connection, "events")
    histories = histories_of(connection)
    available = (*columns, *(name for each in histories for name in each.names))
    with guarded("collect the events that metrics use"):
        dated, source = with_properties(
            identifier("events"),
            histories,
            used_columns(product, available),
            keys={"person": "person", "account": "account"},
            utc=exp.column("occurred_at", quoted=True),
        )
        stamped = shared.stamped and events != identifier(OLDER)
        template, everyone = _with_profiles(shared, since) if stamped else _without(shared)
        text = with_inputs(
            template,
            {
                **dated,
                "named": shared.marks.named,
                "kept": _kept(product, shared, columns, source).where(condition),
                "everyone": everyone,
            },
        )
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {events} AS {text}")


def _tally(shared: Prelude, events: str, *, stamped: bool) -> str:
    first = [_first(name) for name in (("_us", "_at") if stamped else ("_us",))]
    text = bind(load("headway.frameworks", "tally"), {"first": first, "marks": shared.marks.names})
    return with_inputs(text, {"events": f"FROM {events}"})


def _first(name: str) -> exp.Expr:
    return exp.alias_(exp.func("min", exp.column(name, quoted=True)), name, quoted=True)


def _without(shared: Prelude) -> tuple[str, str]:
    """The query of the events, and of their people."""
    return load("headway.frameworks", "prelude"), f"SELECT person, code FROM {shared.people}"


def _with_profiles(shared: Prelude, since: int) -> tuple[str, str]:
    """The same, where instants are stamped."""
    assert shared.stamp is not None
    stamped = {"origin": shared.stamp.origin, "width": shared.stamp.width}
    inputs = {"people": f"SELECT person, code FROM {shared.people}", "profiles": f"FROM {shared.stamp.spans}"}
    return (
        bind(load("headway.frameworks", "prelude_stamped"), stamped),
        with_inputs(bind(load("headway.frameworks", "everyone_profiled"), {"since": since}), inputs),
    )


def _kept(product: Product, shared: Prelude, available: tuple[str, ...], source: str) -> exp.Select:
    return (
        exp.select(
            exp.column("person", quoted=True),
            exp.alias_(instant(), "_us", quoted=True),
            exp.alias_(local_time(instant(), shared.offsets), "_local_us", quoted=True),
            *log_order(available),
            *(column.copy() for column in shared.marks.columns),
            *(exp.column(name, quoted=True) for name in carried(product)),
        )
        .from_(exp.to_table(source, dialect=DIALECT))
        .join("named", using="event")
    )
