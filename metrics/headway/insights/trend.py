"""How often something happens, to how many people, and how much, period by period."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.engine.sql import DIALECT
from headway.errors import InputError
from headway.insights.breakdown import By, as_by, by_words, one_column, told_apart
from headway.insights.question import Question, Scope, labels
from headway.insights.result import Result
from headway.log import EventLog
from headway.periods import Period, check_period
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_COUNTS = {"total": "count(*)", "people": "count(DISTINCT person)"}
# fsum adds with compensation, so that the order of parallel work does not move the last digits that are shown.
_AMOUNTS = {
    "sum": "fsum(amount)",
    "mean": "favg(amount)",
    "median": "quantile_cont(amount, 0.5)",
    "p90": "quantile_cont(amount, 0.9)",
}
_WORDS = {"total": "Number of", "people": "People with", "p90": "90th percentile"}
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_NUMBERS = {*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL"}


@dataclass(frozen=True)
class Trend(Question):
    """A measure of events over time.

    Attributes:
        event: Events to measure.
        measure: ``"total"`` (events), ``"people"`` (distinct), or ``"sum:x"``, ``"mean:x"``, ``"median:x"``,
            ``"p90:x"`` of a property x; a value that is missing or not finite is no value, and percentiles
            interpolate between the nearest values.
        period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.
        by: Property or cohort to break down by, a list of these, or None.
        top: Number of groups to keep, those with most people; the others become ``"(other)"``.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "bob"],
        ...     "event": ["Payment", "Payment"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 3)],
        ...     "amount": [10.0, 5.0],
        ... })
        >>> with EventLog(frame) as log:
        ...     Trend("Payment", measure="sum:amount").run(log).frame["value"].to_list()
        [10.0, 0.0, 5.0]
    """

    event: Selector
    measure: str = "total"
    period: Period = "day"
    by: By | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "by", as_by(self.by, self.top))
        object.__setattr__(self, "event", as_event(self.event))
        check_period(self.period)
        kind, _, amount = str(self.measure).partition(":")
        if (kind not in _AMOUNTS or not amount) and self.measure not in _COUNTS:
            known = [*_COUNTS, *(f"{name}:property" for name in _AMOUNTS)]
            raise InputError.unknown("measure", str(self.measure), known)

    def run(self, log: EventLog) -> TrendResult:
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
        matches = scope.matches(self.event)
        touch = scope.breakdown(self.by, ("period_start", "value", "complete"))
        amount = self._amount(log)
        matched = bind(
            load(_PACKAGE, "trend_matched"), {"touch": touch, "amount": amount, "matches": matches}
        )
        text = bind(
            load(_PACKAGE, "trend"),
            {
                "broken_down": self.by is not None,
                "measure": sqlglot.parse_one({**_COUNTS, **_AMOUNTS}[self._kind], read=DIALECT),
                "none": 0 if self._kind in (*_COUNTS, "sum") else None,
                "observed_us": scope.observed_us,
            },
        )
        ctes = {
            "ev": scope.events(
                [matches, amount], by=self.by, top=self.top, counted=matches, period=self.period
            ),
            "matched": matched,
            "calendar": scope.calendar(self.period),
        }
        sql = with_inputs(text, ctes)
        frame = told_apart(log.sql(sql), self.by)
        return TrendResult(frame=frame, sql=sql, insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is measured."""
        (label,) = labels([self.event])
        amount = self.measure.partition(":")[2]
        words = _WORDS.get(self._kind, self._kind.capitalize())
        what = f"{words} of {amount} over {label}" if amount else f"{words} {label}"
        split = f", {by_words(self.by, self.top)}" if self.by else ""
        return f"{what} per local {self.period}{split}."

    @property
    def _kind(self) -> str:
        return self.measure.partition(":")[0]

    def _amount(self, log: EventLog) -> exp.Expr:
        name = self.measure.partition(":")[2]
        if not name:
            return exp.cast(exp.null(), "DOUBLE")
        if name not in log.properties:
            raise InputError.unknown("property", name, log.properties)
        if re.sub(r"\(.*\)$", "", log.columns[name]) not in _NUMBERS:
            raise InputError(f"property {name!r} is {log.columns[name]}; {self._kind} needs numbers")
        number = exp.cast(exp.column(name, quoted=True), "DOUBLE")
        return exp.Case().when(exp.Anonymous(this="isfinite", expressions=[number]), number.copy())


@dataclass(frozen=True, repr=False)
class TrendResult(Result):
    """What a trend found.

    Attributes:
        frame: One row per period (after the breakdown value): ``period_start`` (date), ``value`` (0 without
            events for counts and sums, null for means and percentiles), ``complete``.
        insight: The question.
    """

    insight: Trend

    def _draw(self) -> Any:
        from headway.charts import trend_figure

        frame, by = one_column(self.frame, self.insight.by)
        return trend_figure(frame, by=by, title=self.insight.describe())
