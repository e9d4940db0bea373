"""How many people come back, cohort by cohort."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.cohorts import Cohort
from headway.insights.question import Question, Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result, choose, with_interval
from headway.log import EventLog
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.periods import Period, check_period
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_MOST_PERIODS = 1000
_ROLLING_DAYS = {"day": 1, "week": 7, "month": 30}


@dataclass(frozen=True)
class Retention(Question):
    """How many people of a cohort come back in the periods after it.

    Attributes:
        start: Events that put a person into the cohort of their period.
        returning: Events that count as coming back.
        period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.
        periods: Number of periods after the cohort's own; columns are 0 to `periods`.
        cohort: ``"first_time"``: the period of the first start event ever, where that lies in the range;
            ``"recurring"``: every period with a start event. A cohort such as ``hw.Did(...)`` is the same as `among`.
        criterion: ``"on"``: returned in that period; ``"on_or_after"``: in that period or a later one of the
            range.
        windows: ``"calendar"``: local days, weeks, months; ``"rolling"``: 24 hours, 7 or 30 days, counted from
            the instant of the person's own start (the first one in the cohort's period).
        min_events: Returning events a period needs to count.
        among: People to ask of, as ``cohort`` of the other insights; here that word is taken.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Signed Up", "Payment", "Signed Up"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 1)],
        ... })
        >>> with EventLog(frame) as log:
        ...     frame = Retention("Signed Up", "Payment", period="day", periods=1).run(log).frame
        >>> frame.select("cohort_start", "cohort_people", "period", "people").rows()[:2]
        [(datetime.date(2026, 3, 1), 2, 0, 2), (datetime.date(2026, 3, 1), 2, 1, 1)]
    """

    start: Selector
    returning: Selector
    period: Period = "week"
    periods: int = 12
    cohort: Literal["first_time", "recurring"] | Cohort = field(default="first_time", kw_only=True)
    criterion: Literal["on", "on_or_after"] = "on"
    windows: Literal["calendar", "rolling"] = "calendar"
    min_events: int = 1
    among: Cohort | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.cohort, Cohort):
            object.__setattr__(self, "among", self.cohort if self.among is None else self.among & self.cohort)
            object.__setattr__(self, "cohort", "first_time")
        for name in ("start", "returning"):
            object.__setattr__(self, name, as_event(getattr(self, name)))
        check_period(self.period)
        choose("cohort", self.cohort, ("first_time", "recurring"))
        choose("criterion", self.criterion, ("on", "on_or_after"))
        choose("windows", self.windows, ("calendar", "rolling"))
        for name, value, most in (
            ("periods", self.periods, _MOST_PERIODS),
            ("min_events", self.min_events, 10**6),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise InputError(f"{name} must be a whole number from 1 to {most}")

    def asked_of(self) -> Cohort | None:
        """Says which people the question is asked of; None asks everyone."""
        if self.among is not None and not isinstance(self.among, Cohort):
            raise InputError("among must be a cohort such as hw.Did(...), hw.Where(...) or hw.People(...)")
        return self.among

    def run(self, log: EventLog) -> RetentionResult:
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
        text = bind(load(_PACKAGE, "retention"), {"observed_us": scope.observed_us})
        sql = with_inputs(text, self._relations(scope))
        quick = quick_counts(self, scope)
        counts = with_interval(log.sql(sql) if quick is None else quick, "people", "cohort_people")
        rate = pl.when(pl.col("cohort_people") > 0).then(pl.col("people") / pl.col("cohort_people"))
        columns = ("cohort_start", "cohort_people", "period", "people", "rate", "low", "high", "complete")
        frame = counts.with_columns(rate=rate).select(columns)
        return RetentionResult(frame=frame, sql=sql, insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        start, returning = labels([self.start, self.returning])
        who = (
            "for the first time ever"
            if self.cohort == "first_time"
            else "in the period, whether or not before"
        )
        days = _ROLLING_DAYS[self.period]
        length = "24 hours" if days == 1 else f"{days} days"
        when = (
            f"calendar {self.period}s"
            if self.windows == "calendar"
            else f"windows of {length} since their own start"
        )
        exact = "in that period" if self.criterion == "on" else "in that period or later in the range"
        times = f" at least {self.min_events} times" if self.min_events > 1 else ""
        return (
            f"People by the {self.period} they did {start} {who}, and how many of them did {returning}{times} {exact}, "
            f"counted in {when}."
        )

    def _relations(self, scope: Scope) -> dict[str, str]:
        starts, returns = scope.matches(self.start), scope.matches(self.returning)
        first_time = self.cohort == "first_time"
        days = _ROLLING_DAYS[self.period]
        width = {"width_us": days * MICROSECONDS_PER_DAY} if self.windows == "rolling" else {}
        cells = {**width, "width_days": days} if width else {}
        last = {"periods": self.periods} if self.criterion == "on_or_after" else {}
        marked = {
            "starts": starts,
            "returns": returns,
            "inside": scope.inside(),
            "any": exp.or_(starts, returns),
        }
        return {
            "ev": scope.events([starts, returns], period=self.period, ever=first_time),
            "marked": bind(load(_PACKAGE, "retention_marked"), marked),
            "starters": bind(load(_PACKAGE, "retention_starters"), {"recurring": not first_time}),
            "returned": bind(
                load(_PACKAGE, f"retention_returned_{self.windows}"), {**width, "min_events": self.min_events}
            ),
            "reached": bind(load(_PACKAGE, f"retention_reached_{self.criterion}"), last),
            "calendar": scope.calendar(self.period),
            "cells": bind(
                load(_PACKAGE, f"retention_cells_{self.windows}"), {**cells, "periods": self.periods}
            ),
        }


@dataclass(frozen=True, repr=False)
class RetentionResult(Result):
    """What retention found.

    Attributes:
        frame: One row per cohort and period: ``cohort_start`` (date), ``cohort_people``, ``period`` (0, 1, ...),
            ``people``, ``rate``, ``low`` and ``high`` (95 % Wilson interval), ``complete`` (whether the cell is
            over). Rows end with the range.
        insight: The question.
    """

    insight: Retention

    def _draw(self) -> Any:
        from headway.charts import retention_figure

        return retention_figure(self.frame, period=self.insight.period)
