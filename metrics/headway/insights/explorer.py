"""What a log holds: its events, how often they occur, their properties and the values of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.question import Question, Scope, labels
from headway.insights.result import Result
from headway.log import EventLog
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_MOST_VALUES = 1000


@dataclass(frozen=True)
class Explorer(Question):
    """What exists in a log: every event's name, how often, by how many people, and what is known with it.

    Attributes:
        event: Events to look at; None looks at all.
        properties: Properties to look at; None looks at every column of the log. Properties of people and accounts are
            looked at where they are named.
        top: Number of values to list per property.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "bob", "ann"],
        ...     "event": ["Visit", "Visit", "Payment"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 1), datetime(2026, 3, 3)],
        ...     "plan": ["pro", None, "pro"],
        ... })
        >>> with EventLog(frame) as log:
        ...     found = Explorer().run(log)
        ...     found.values.select("event", "property", "value", "people").rows()
        [('Payment', 'plan', 'pro', 1), ('Visit', 'plan', 'pro', 1)]
        >>> found.frame.select("event", "events", "people", "per_day").rows()
        [('Payment', 1, 1, [0, 0, 1]), ('Visit', 2, 2, [2, 0, 0])]
    """

    event: Selector | None = None
    properties: Sequence[str] | None = None
    top: int = 5

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", None if self.event is None else as_event(self.event))
        if self.properties is not None:
            if isinstance(self.properties, str) or not all(isinstance(name, str) for name in self.properties):
                raise InputError("properties must be a list of names")
            object.__setattr__(self, "properties", tuple(dict.fromkeys(self.properties)))
        if isinstance(self.top, bool) or not isinstance(self.top, int) or not 1 <= self.top <= _MOST_VALUES:
            raise InputError(f"top must be a whole number from 1 to {_MOST_VALUES}")

    def run(self, log: EventLog) -> ExplorerResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option cannot be used.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)
        self._names(log)
        asked = self._asked(scope)
        ctes = {"ev": scope.events([asked]), "calendar": scope.calendar("day")}
        sql = with_inputs(bind(load(_PACKAGE, "explorer"), {"asked": asked}), ctes)
        seen = [_seen(name, scope.timezone) for name in ("first", "last")]
        frame = log.sql(sql).select("event", "events", "people", *seen, "per_day")
        return ExplorerResult(frame=frame, sql=sql, insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is listed."""
        what = "Every event" if self.event is None else f"Events of {labels([self.event])[0]}"
        return f"{what} by name: how often, by how many people, when first and last, and how often on each local day."

    def _asked(self, scope: Scope) -> exp.Expr:
        return exp.true() if self.event is None else scope.matches(self.event)

    def _names(self, log: EventLog) -> tuple[str, ...]:
        for name in self.properties or ():
            if name not in log.properties:
                raise InputError.unknown("property", name, log.properties)
        if self.properties is not None:
            return tuple(self.properties)
        return tuple(name for name in log.properties if name not in log.dated)


@dataclass(frozen=True, repr=False)
class ExplorerResult(Result):
    """What was found in a log.

    Attributes:
        frame: One row per event: ``event``, ``events``, ``people``, ``first_seen`` and ``last_seen`` (in the reporting
            time zone), ``per_day`` (events on every local day of the range).
        insight: The question.
    """

    insight: Explorer

    @cached_property
    def properties(self) -> pl.DataFrame:
        """One row per event and property that is filled at least once, in the order of the log's columns.

        ``event``, ``property``, ``type`` (of DuckDB), ``events``, ``filled`` (events with a value), ``share`` (of the
        events), ``distinct_values``, all exact.
        """
        found = self._named(load(_PACKAGE, "explorer_properties"))
        types = [self.scope.log.columns[name] for name in found["property"].to_list()]
        share = pl.col("filled") / pl.col("events")
        listed = found.with_columns(share=share, type=pl.Series(types, dtype=pl.String))
        return listed.select("event", "property", "type", "events", "filled", "share", "distinct_values")

    @cached_property
    def values(self) -> pl.DataFrame:
        """The values with most people: ``event``, ``property``, ``rank``, ``value``, ``events``, ``people``."""
        return self._named(bind(load(_PACKAGE, "explorer_values"), {"top": self.insight.top}))

    def _named(self, text: str) -> pl.DataFrame:
        """Runs a query on the values of every property and puts names in place of their numbers."""
        names = self.insight._names(self.scope.log)
        if not names:
            raise InputError("this log has no properties to look at")
        asked = self.insight._asked(self.scope)
        columns = [exp.column(name, quoted=True) for name in names]
        counted = [
            bind(load(_PACKAGE, "explorer_counted"), {"place": place, "property": column, "asked": asked})
            for place, column in enumerate(columns)
        ]
        ctes = {"ev": self.scope.events([asked, *columns]), "counted": "\nUNION ALL\n".join(counted)}
        found = self.scope.log.sql(with_inputs(text, ctes))
        name = pl.Series([names[place] for place in found["place"].to_list()], dtype=pl.String)
        return found.with_columns(property=name).select(
            "event", "property", pl.exclude("event", "property", "place")
        )

    def _draw(self) -> Any:
        from headway.charts.explorer import explorer_figure

        first, last = self.scope.periods("day")
        return explorer_figure(self.frame, first_day=first, days=last - first + 1)


def _seen(which: str, timezone: str) -> pl.Expr:
    utc = pl.from_epoch(f"{which}_us", time_unit="us").dt.replace_time_zone("UTC")
    return utc.dt.convert_time_zone(timezone).alias(f"{which}_seen")
