"""Arithmetic over trends: a ratio, a difference, a share, period by period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import polars as pl
from sqlglot import exp

from headway.arithmetic import parse_arithmetic
from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.breakdown import By, columns_of, one_column, told_apart
from headway.insights.cohorts import Cohort
from headway.insights.question import Question, Scope
from headway.insights.result import Result
from headway.insights.trend import Trend
from headway.insights.trend_measures import Measure
from headway.insights.trend_sql import COLUMNS, trend_query
from headway.log import EventLog
from headway.periods import Moment, Period

# What the trends must agree on, or their values would not belong together.
_SHARED = ("period", "by", "since", "until", "timezone", "week_start")
_TAKEN = (*COLUMNS, "touch", "trend", "result", "parts", "cells", "computed", "shown")


@dataclass(frozen=True, init=False)
class Formula(Question):
    """A formula over the values of several trends.

    Attributes:
        expression: Names of the trends, numbers, ``+ - * /`` and parentheses. Division by zero gives null, and so does
            a trend without a value.
        trends: The trends by name. They agree in period, breakdown, range and calendar; each may have its own ``where``
            and ``unit``.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "bob", "bob"],
        ...     "event": ["Visit", "Visit", "Payment"],
        ...     "occurred_at": [datetime(2026, 3, 1)] * 3,
        ... })
        >>> share = Formula("paid / seen", paid=Trend("Payment", "people"), seen=Trend("Visit", "people"))
        >>> with EventLog(frame) as log:
        ...     share.run(log).frame["value"].to_list()
        [0.5]
    """

    expression: str
    trends: tuple[tuple[str, Trend], ...]

    def __init__(
        self,
        expression: str,
        trends: Mapping[str, Trend] | tuple[tuple[str, Trend], ...] = (),
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        timezone: str | None = None,
        week_start: str | None = None,
        cohort: Cohort | None = None,
        **named: Any,
    ) -> None:
        """Puts a formula together.

        Args:
            expression: The formula.
            trends: The trends by name, for names that are no Python names or are options.
            since: Start of the range of all trends; None leaves theirs.
            until: End of the range of all trends.
            timezone: Reporting time zone of all trends.
            week_start: The day weeks start on, of all trends.
            cohort: People to ask of, in all trends; None leaves theirs.
            **named: The trends by name.

        Raises:
            InputError: The formula cannot be read, a trend is missing or unused, or the trends do not fit together.
        """
        defaults = {field.name: field.default for field in fields(Question)}
        for option in [name for name in named if name in defaults]:
            if named.pop(option) != defaults[option]:
                raise InputError(f"{option} belongs to each trend of a formula, not to the formula")
        common = {"since": since, "until": until, "timezone": timezone, "week_start": week_start}
        given = {name: value for name, value in {**common, "cohort": cohort}.items() if value is not None}
        together = {**dict(trends), **named}
        for name, trend in together.items():
            if not isinstance(trend, Trend):
                raise InputError(f"{name!r} in a formula must be a Trend, not a {type(trend).__name__}")
            if cohort is not None and trend.cohort not in (None, cohort):
                raise InputError(
                    f"{name!r} has a cohort of its own: give one to the formula or to its trends"
                )
        found = {name: replace(trend, **given) for name, trend in together.items()}
        _check_trends(found)
        _parsed(expression, found)
        for name, default in defaults.items():
            object.__setattr__(self, name, default)
        first = next(iter(found.values()))
        for name in common:
            object.__setattr__(self, name, getattr(first, name))
        object.__setattr__(self, "cohort", cohort)
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "trends", tuple(found.items()))

    @property
    def period(self) -> Period | None:
        """Length of the periods, or None for the whole range as one number."""
        return self.trends[0][1].period

    @property
    def by(self) -> By | None:
        """What to break down by, or None."""
        return self.trends[0][1].by

    def run(self, log: EventLog) -> FormulaResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown or no number, or an option is wrong.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)
        sql = _query(self, log)
        frame = told_apart(_counts(scope, sql), self.by)
        return FormulaResult(frame=frame, sql=sql, insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is computed."""
        told = "; ".join(f"{name}: {_described(trend, self.cohort)}" for name, trend in self.trends)
        return f"{self.expression}, where {told}. A division by zero has no value."


@dataclass(frozen=True, repr=False)
class FormulaResult(Result):
    """What a formula gave.

    Attributes:
        frame: One row per period (after the breakdown value): ``period_start`` (left out where the range is one
            number), ``value``, ``complete``, then the value of each trend under its name.
        insight: The question.
    """

    insight: Formula

    def _draw(self) -> Any:
        from headway.charts import number_figure, trend_figure

        draw = trend_figure if self.insight.period else number_figure
        frame, by = one_column(self.frame, self.insight.by)
        return draw(frame, by=by, title=self.insight.expression)


def _counts(scope: Scope, sql: str) -> pl.DataFrame:
    return scope.log.sql(sql)


def _query(asked: Formula, log: EventLog) -> str:
    trends = dict(asked.trends)
    start = exp.column("period_start") if asked.period else exp.cast(exp.null(), "DATE")
    # Values of all trends lie in one column, and must be of one type.
    parts = [
        exp.select(
            exp.alias_(exp.Literal.string(name), "trend"),
            exp.column("touch"),
            exp.alias_(start.copy(), "period_start"),
            exp.alias_(exp.cast(exp.column("value"), "DOUBLE"), "value"),
            exp.column("complete"),
        ).from_(exp.to_identifier(_relation(name), quoted=True))
        for name in trends
    ]
    ctes: dict[str, str | exp.Expr] = {
        _relation(name): trend_query(trend, Scope.of(trend, log)) for name, trend in trends.items()
    }
    ctes["parts"] = parts[0] if len(parts) == 1 else exp.union(*parts, distinct=False)
    columns = [exp.column("touch"), *([exp.column("period_start")] if asked.period else [])]
    columns += [exp.column("value"), exp.column("complete")]
    text = bind(
        load("headway.insights", "formula"),
        {
            "values": [_value(name, trend) for name, trend in trends.items()],
            "formula": _parsed(asked.expression, trends),
            "columns": [*columns, *(exp.column(name, quoted=True) for name in trends)],
        },
    )
    return with_inputs(text, ctes)


def _described(trend: Trend, everywhere: Cohort | str | None) -> str:
    more = [f"events where {trend.where}"] if trend.where else []
    more += [f"counted by {trend.unit}"] if trend.unit != "person" else []
    cohort = trend.asked_of()
    more += [f"of {cohort.label}"] if cohort is not None and cohort != everywhere else []
    return ", ".join([trend.describe().rstrip("."), *more])


def _relation(name: str) -> str:
    return f"trend {name}"


def _value(name: str, trend: Trend) -> exp.Expr:
    """The trend's value in a cell, or the one it has where there is nothing."""
    mine = exp.EQ(this=exp.column("trend"), expression=exp.Literal.string(name))
    value: exp.Expr = exp.Max(this=exp.Case().when(mine, exp.column("value")))
    if Measure.parse(trend.measure).none is not None:
        value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
    return exp.alias_(value, name, quoted=True)


def _check_trends(trends: dict[str, Trend]) -> None:
    if not trends:
        raise InputError('a formula needs trends: Formula("A / B", A=Trend(...), B=Trend(...))')
    for name in trends:
        if not name.isidentifier() or name.lower() in _TAKEN:
            raise InputError(f"a trend in a formula cannot be called {name!r}: use a short word such as A")
    if len({name.lower() for name in trends}) < len(trends):
        raise InputError("names of trends in a formula must differ by more than upper and lower case")
    for option in _SHARED:
        if len({getattr(trend, option) for trend in trends.values()}) > 1:
            raise InputError(f"the trends of a formula differ in {option}: give all of them the same")
    first = next(iter(trends.values()))
    if any(trend.compare for trend in trends.values()):
        raise InputError("the trends of a formula cannot be compared with the range before")
    if any(trend.top is not None for trend in trends.values()):
        raise InputError("top cannot be used in a formula: each trend would keep other groups")
    for column in columns_of(first.by):
        if column.lower() in {name.lower() for name in trends}:
            raise InputError(f"a trend in a formula cannot be called {column!r}, as the breakdown")


def _parsed(text: str, trends: Mapping[str, Trend]) -> exp.Expr:
    """The formula, rebuilt from the few constructs that are allowed."""
    built = parse_arithmetic(text, trends, of="trend in the formula")
    used = {column.name for column in built.find_all(exp.Column)}
    if unused := [name for name in trends if name not in used]:
        raise InputError(f"the formula never uses {', '.join(map(repr, unused))}")
    return built
