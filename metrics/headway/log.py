"""The event log a question is asked of.

An `EventLog` stands on a Polars frame, Parquet files, a DuckDB relation, or the explore file of a workspace. It
gives every insight the same view of the events, the *prelude*: integers instead of dates and time zones.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlglot import exp

from headway import clocks
from headway.engine import bind, guarded, identifier, load, with_inputs
from headway.engine.sql import DIALECT
from headway.errors import HeadwayWarning, InputError
from headway.models.plan_checks import SUBJECTS, Subject
from headway.periods import Moment, Period, Span, utc_us, weekday, zone
from headway.selectors import names_of, parse_where
from headway.sources import LINE, Source, opened, relation_name
from headway.subjects import History, with_properties

if TYPE_CHECKING:
    from headway.insights.explorer import ExplorerResult
    from headway.store import PersonStore

_RESERVED = ("person", "event", "us", "day", "seq", "period", "breakdown")


class ExcludedEventsWarning(HeadwayWarning):
    """Events without a person, a name or a time were left out."""


@dataclass(frozen=True)
class _Extent:
    usable: int
    no_person: int
    no_name: int
    no_time: int
    first_us: int | None
    last_us: int | None


class EventLog:
    """Events of people over time, ready for questions.

    Attributes:
        timezone: Reporting time zone of days, weeks and months.
        week_start: The day weeks start on.
        relation: Quoted name under which `sql` finds the events.
        store: The same events ordered by person and time, for quicker answers; None where there is none.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "user": ["ann", "ann", "bob"],
        ...     "event": ["Signed Up", "Payment", "Signed Up"],
        ...     "at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 3)],
        ... })
        >>> with EventLog(frame, person="user", time="at") as log:
        ...     log.events().rows()
        [('Payment', 1, 1), ('Signed Up', 2, 2)]
    """

    store: PersonStore | None = None

    def __init__(
        self,
        source: Source,
        *,
        person: str = "person",
        event: str = "event",
        time: str = "occurred_at",
        timezone: str = "UTC",
        week_start: str = "monday",
        horizon: datetime | None = None,
        account: str = "account",
        person_properties: pl.DataFrame | str | None = None,
        account_properties: pl.DataFrame | str | None = None,
    ) -> None:
        """Opens a log.

        Args:
            source: A Polars frame, a Parquet path, glob or list of paths, a DuckDB relation (copied into
                memory), or a DuckDB connection and the name of a table or view in it (read in place).
            person: Column that says who; rows without one are left out, with a warning.
            event: Column with the name of the event.
            time: Column with the instant; without a time zone it is UTC.
            timezone: Reporting time zone.
            week_start: The day weeks start on.
            horizon: All data received before this instant is in the log (naive means UTC); None takes the
                time of the last event. A period is complete when it ends at or before the horizon.
            account: Column that says for which account, where there are `account_properties`.
            person_properties: What was true of people since when: a frame, or the name of a relation on the log's
                connection, with the columns ``person``, ``valid_from`` (UTC) and one a property. Conditions and
                breakdowns then know ``person.x`` (as of the event) and ``person_latest.x``.
            account_properties: The same of accounts, with the column ``account``.

        Raises:
            InputError: The source cannot be read, a column is missing, or an option is unknown.
        """
        zone(timezone)
        weekday(week_start)
        self.timezone = timezone
        self.week_start = week_start
        self._con, self.relation = opened(source)
        self._names = {"person": person, "event": event, "time": time}
        with guarded(f"read the columns of {self.relation}"):
            self.columns: dict[str, str] = {
                name: str(kind)
                for name, kind, *_ in self._con.execute(f"DESCRIBE FROM {self.relation}").fetchall()
            }
        for name in self._names.values():
            if name not in self.columns:
                raise InputError.unknown("column", name, self.columns)
        if not self.columns[time].startswith("TIMESTAMP") and self.columns[time] != "DATE":
            raise InputError(f"column {time!r} is {self.columns[time]}; make it a timestamp first")
        self._horizon_us = None if horizon is None else utc_us(horizon)
        self._kept: set[str] = set()
        self._keys = {"person": person, "account": account}
        told = (person_properties, account_properties)
        self._histories = [
            self._history(subject, each)
            for subject, each in zip(SUBJECTS, told, strict=True)
            if each is not None
        ]
        for history in self._histories:
            self.columns |= history.names
        self._warn_excluded()

    @property
    def properties(self) -> list[str]:
        """Columns a condition or a breakdown may use."""
        return [name for name in self.columns if name not in (*self._names.values(), LINE)]

    @property
    def dated(self) -> frozenset[str]:
        """The properties that are those of people and accounts, such as ``person.plan``."""
        return frozenset(name for history in self._histories for name in history.names)

    @property
    def horizon_us(self) -> int | None:
        """The horizon in epoch microseconds; None where the log is empty and none was given."""
        return self._horizon_us if self._horizon_us is not None else self._extent.last_us

    @property
    def first_us(self) -> int | None:
        """Time of the first event, epoch microseconds; None where the log is empty."""
        return self._extent.first_us

    @property
    def last_us(self) -> int | None:
        """Time of the last event, epoch microseconds; None where the log is empty."""
        return self._extent.last_us

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the events that occur."""
        return frozenset(self.events()["event"].to_list())

    def events(self) -> pl.DataFrame:
        """Lists the events by name.

        Returns:
            Columns ``event``, ``events`` (how many) and ``people`` (how many distinct), sorted by name.
        """
        if self.store is not None and (found := self.store.events()) is not None:
            names, events, people = zip(*found, strict=True) if found else ((), (), ())
            # Column by column: finding out the kinds of rows takes longer than counting a small log.
            return pl.DataFrame(
                [
                    pl.Series("event", names, pl.String),
                    pl.Series("events", events, pl.Int64),
                    pl.Series("people", people, pl.Int64),
                ]
            )
        person, event = identifier(self._names["person"]), identifier(self._names["event"])
        return self.sql(
            f"SELECT CAST({event} AS VARCHAR) AS event, count(*) AS events, count(DISTINCT {person}) AS people "
            f"FROM {self.relation} WHERE {self._usable().sql(DIALECT)} GROUP BY 1 ORDER BY 1"
        )

    def sql(self, query: str) -> pl.DataFrame:
        """Runs a query on the log's connection.

        Args:
            query: One SELECT; the events are in `relation`.

        Returns:
            The rows.

        Raises:
            EngineError: The database refused the query; the message carries no values.
        """
        with guarded("run the query"):
            frame: pl.DataFrame = self._con.sql(query).pl()
        return frame

    def prelude(
        self,
        properties: Collection[str] = (),
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        timezone: str | None = None,
        where: str | None = None,
        period: Period | None = None,
        week_start: str | None = None,
        unit: str = "person",
        who: str | None = None,
    ) -> str:
        """Writes the query that gives an insight its events, as relation ``ev``.

        Args:
            properties: Property columns to carry along under their own names.
            since: First day or instant; None starts with the log.
            until: Last day or instant, included; None ends with the log.
            timezone: Reporting time zone; None takes the log's.
            where: Condition on the properties of all events; others do not exist for the question.
            period: Adds a column ``period`` with the number of the local day, week or month.
            week_start: The day weeks start on; None takes the log's.
            unit: What is counted: ``"person"``, or another column such as ``"account"``; events without it are
                left out.
            who: Adds a column of that name that says who, where something else is counted.

        Returns:
            A query with the columns ``person``, ``event``, ``us`` (epoch microseconds UTC), ``day`` (days
            since 1970-01-01 on the local calendar), ``seq`` (order of equal times), ``period`` where asked
            for, and the properties.

        Raises:
            InputError: A property is unknown or has the name of one of those columns, or an option is wrong.

        Examples:
            >>> frame = pl.DataFrame({"person": [1], "event": ["a"], "occurred_at": [datetime(1970, 1, 2, 23)]})
            >>> with EventLog(frame, timezone="Europe/Berlin") as log:
            ...     log.sql(log.prelude(period="week")).rows()
            [(1, 'a', 169200000000, 2, 0, 0)]
        """
        timezone = timezone or self.timezone
        utc = self._utc()
        local = utc if timezone == "UTC" else clocks.at_zone(clocks.at_zone(utc, "UTC"), timezone)
        more = [exp.alias_(self._order(), "seq")]
        if period is not None:
            number = clocks.period_of(local, period, week_start or self.week_start)
            more.append(exp.alias_(number, "period"))
        more += [self._property(name) for name in properties]
        more += [] if who is None else [exp.alias_(self._unit("person"), who, quoted=True)]
        span = Span.parse(since, until, timezone)
        counted = self._unit(unit)
        tests = [self._usable(), *clocks.within(utc, span)]
        used = set(properties)
        if unit != "person":
            tests.append(counted.copy().is_(exp.null()).not_())
        if where is not None:
            tests.append(exp.Paren(this=parse_where(where, self.properties)))
            used |= set(names_of(tests[-1:]))
        ctes, relation = with_properties(self.relation, self._histories, used, keys=self._keys, utc=utc)
        text = bind(
            load("headway", "prelude"),
            {
                "person": counted,
                "event": exp.cast(exp.column(self._names["event"], quoted=True), "VARCHAR"),
                "utc": utc,
                "local": local,
                "more": more,
                "relation": exp.to_table(relation, dialect=DIALECT),
                "condition": exp.and_(*tests),
            },
        )
        return with_inputs(text, ctes) if ctes else text

    def calendar(
        self,
        period: Period,
        first: int,
        last: int,
        *,
        timezone: str | None = None,
        week_start: str | None = None,
    ) -> str:
        """Writes the query that lists periods, as relation ``calendar``.

        Args:
            period: Length of the periods.
            first: Number of the first one, see `headway.periods.period_number`.
            last: Number of the last one; before `first` there are none.
            timezone: Reporting time zone; None takes the log's.
            week_start: The day weeks start on; None takes the log's.

        Returns:
            A query with the columns ``period``, ``period_start`` (date), ``first_day`` and ``last_day`` (days
            since 1970-01-01), ``starts_us`` and ``ends_us`` (instants, the end excluded).

        Examples:
            >>> frame = pl.DataFrame({"person": [1], "event": ["a"], "occurred_at": [datetime(1970, 1, 2)]})
            >>> with EventLog(frame) as log:
            ...     log.sql(log.calendar("month", 1, 1)).rows()
            [(1, datetime.date(1970, 2, 1), 31, 58, 2678400000000, 5097600000000)]
        """
        return clocks.calendar(period, first, last, timezone or self.timezone, week_start or self.week_start)

    def explore(self, **options: Any) -> ExplorerResult:
        """Lists what exists: event by event how often, by how many people, with which properties and values.

        Args:
            **options: Those of `headway.Explorer`, such as ``event``, ``properties``, ``since``.

        Returns:
            The result, with ``frame``, ``properties`` and ``values``.
        """
        from headway.insights.explorer import Explorer

        return Explorer(**options).run(self)

    def keep_people(self, ids: Collection[str]) -> str:
        """Keeps a list of people beside the events, for queries that ask of them.

        Args:
            ids: Their ids, as text.

        Returns:
            The quoted name of a relation with the column ``person``; the same list has the same name.

        Raises:
            InputError: Nobody on the list is in this log.
        """
        name = f"people {sha256(json.dumps(sorted(ids)).encode()).hexdigest()[:16]}"
        if name in self._kept:
            return identifier(name)
        self._con.register(name, pl.DataFrame({"person": sorted(ids)}, schema={"person": pl.String}))
        person = identifier(self._names["person"])
        known = f"SELECT 1 FROM {self.relation} WHERE CAST({person} AS VARCHAR) IN (FROM {identifier(name)}) LIMIT 1"
        if ids and self.sql(known).is_empty():
            raise InputError(
                f"none of the {len(ids)} people on the list is in this log: is the list of another log, "
                "or of something other than people?"
            )
        self._kept.add(name)
        return identifier(name)

    def close(self) -> None:
        """Closes the log's connection; a connection the caller gave stays open."""
        self._con.close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EventLog({self._extent.usable} events, timezone={self.timezone!r}, week_start={self.week_start!r})"

    def _repr_html_(self) -> str:
        return f"<p>{self._extent.usable:,} events, days in {self.timezone}</p>{self.events()._repr_html_()}"

    @cached_property
    def _extent(self) -> _Extent:
        person, event, time = (identifier(name) for name in self._names.values())
        utc = self._utc().sql(DIALECT)
        with guarded("read the range of the log"):
            row = self._con.execute(
                f"SELECT count(*) FILTER (WHERE {self._usable().sql(DIALECT)}), "
                f"count(*) FILTER (WHERE {person} IS NULL), count(*) FILTER (WHERE {event} IS NULL), "
                f"count(*) FILTER (WHERE {time} IS NULL), "
                f"epoch_us(min({utc}) FILTER (WHERE {self._usable().sql(DIALECT)})), "
                f"epoch_us(max({utc}) FILTER (WHERE {self._usable().sql(DIALECT)})) FROM {self.relation}"
            ).fetchall()[0]
        return _Extent(*row)

    def _warn_excluded(self) -> None:
        extent = self._extent
        missing = {"person": extent.no_person, "name": extent.no_name, "time": extent.no_time}
        if told := [f"{count} have no {what}" for what, count in missing.items() if count]:
            warnings.warn(
                f"some events cannot be used and were left out: {', '.join(told)}",
                ExcludedEventsWarning,
                stacklevel=3,
            )

    def _usable(self) -> exp.Expr:
        present = [exp.column(name, quoted=True).is_(exp.null()).not_() for name in self._names.values()]
        return exp.and_(*present)

    def _utc(self) -> exp.Expr:
        name = self._names["time"]
        column = exp.column(name, quoted=True)
        kind = self.columns[name]
        if kind == "TIMESTAMP":
            return column
        if kind == "TIMESTAMP WITH TIME ZONE":
            return clocks.at_zone(column, "UTC")
        zoned = kind.startswith("TIMESTAMPTZ")
        return (
            clocks.at_zone(exp.cast(column, "TIMESTAMPTZ"), "UTC") if zoned else exp.cast(column, "TIMESTAMP")
        )

    def _order(self) -> exp.Expr:
        return exp.cast(
            exp.column(LINE, quoted=True) if LINE in self.columns else exp.Literal.number(0), "BIGINT"
        )

    def _unit(self, unit: str) -> exp.Expr:
        if unit != "person" and unit not in self.columns:
            raise InputError.unknown("unit", unit, ["person", *self.columns])
        if "." in unit:
            raise InputError(f"{unit!r} changes over time and cannot be what is counted")
        return exp.column(self._names["person"] if unit == "person" else unit, quoted=True)

    def _history(self, subject: Subject, told: pl.DataFrame | str) -> History:
        if self._keys[subject] not in self.columns:
            raise InputError.unknown("column", self._keys[subject], self.columns)
        name = f"{subject}_properties"
        if isinstance(told, pl.DataFrame):
            self._con.register(name, told)
            told = name
        return History.of(self._con, subject, relation_name(told))

    def _property(self, name: str) -> exp.Expr:
        if name not in self.properties:
            raise InputError.unknown("property", name, self.properties)
        if name.lower() in _RESERVED:
            raise InputError(
                f"property {name!r} has a name Headway uses itself; give the column another name"
            )
        return exp.column(name, quoted=True)
