"""How far people get through a series of steps, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.breakdown import By, as_by, by_words, one_column, told_apart
from headway.insights.funnel_sql import Plan, overlapping, relations, waited
from headway.insights.question import Question, Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result, choose, with_interval
from headway.log import EventLog
from headway.models.durations import describe_duration, parse_duration
from headway.periods import Period, check_period
from headway.selectors import Selector, as_event

Entry = Literal["best", "first", "latest"]

_PACKAGE = "headway.insights"
_COUNTS = ("step", "event", "people", "from_first", "from_previous", "low", "high", "dropped")
_COLUMNS: tuple[str, ...] = (*_COUNTS, "seconds_mean", "seconds_median", "seconds_p90")
_ENTRIES = {
    "best": "the attempt that gets furthest counts",
    "first": "only the first attempt counts",
    "latest": "each event of step 1 restarts the attempt, and the one that gets furthest counts",
}


@dataclass(frozen=True)
class Funnel(Question):
    """How many people get through a series of steps.

    An attempt starts at an event that matches step 1. Each later step takes another event, not earlier than the
    one before it and at most `within` after the start (inclusive, elapsed time). A person counts for every step
    up to the furthest one reached.

    Attributes:
        steps: Selectors, in order; a repeated step takes another event.
        within: Length of the window from the first step to the last, such as ``"14d"``, ``"24h"``, ``"30m"``.
        order: ``"sequential"``: other events may lie between the steps.
        entry: ``"best"`` takes the attempt that gets furthest (then finishes earliest, then starts latest);
            ``"first"`` only the attempts of the person's first instant with step 1; ``"latest"`` lets every
            event of step 1 restart the attempt: it then fills no later step, and what lies after a restart
            belongs to the new attempt.
        by: Property or cohort to break down by, a list of these, or None.
        top: Number of groups to keep, those with most people at step 1; the others become ``"(other)"``.
        attribution: ``"first"``: the value on the event the reported attempt starts at.
        tie: ``"0s"``: events of one instant fill steps in any order; None demands strictly later steps.

    References:
        The semantics are those of the repository's definitions of a funnel; Hall, P. (1935). On representatives
        of subsets. Journal of the London Mathematical Society 10, 26-30, for events of one instant.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Signed Up", "Payment", "Signed Up"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 3)],
        ... })
        >>> with EventLog(frame) as log:
        ...     Funnel(["Signed Up", "Payment"], within="7d").run(log).frame["people"].to_list()
        [2, 1]
    """

    steps: Sequence[Selector]
    within: str = "14d"
    order: Literal["sequential"] = "sequential"
    entry: Entry = "best"
    by: By | None = None
    top: int | None = None
    attribution: Literal["first"] = "first"
    tie: Literal["0s"] | None = "0s"

    def __post_init__(self) -> None:
        if isinstance(self.steps, str) or not self.steps:
            raise InputError("a funnel needs a list of steps")
        object.__setattr__(self, "steps", tuple(as_event(step) for step in self.steps))
        object.__setattr__(self, "by", as_by(self.by, self.top))
        parse_duration(self.within)
        choose("order", self.order, ("sequential",))
        choose("entry", self.entry, tuple(_ENTRIES))
        choose("attribution", self.attribution, ("first",))
        choose("tie", self.tie, ("0s", None))

    def run(self, log: EventLog) -> FunnelResult:
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
        plan = self._plan(scope)
        ctes = relations(plan, self._events(plan, scope))
        text = bind(
            load(_PACKAGE, "funnel"),
            {"steps": len(plan.tests), "broken_down": self.by is not None, "waited": waited(plan)},
        )
        sql = with_inputs(text, ctes)
        counts = quick_counts(self, scope)
        frame = _completed(log.sql(sql) if counts is None else counts, labels(self.steps), self.by)
        return FunnelResult(frame=frame, sql=sql, insight=self, scope=scope, ctes=ctes)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        names = " → ".join(labels(self.steps))
        same = "events of the same instant count in any order" if self.tie else "each step is strictly later"
        split = f"; broken down {by_words(self.by, self.top)} on the attempt's first event" if self.by else ""
        return (
            f"People who did {names}, in this order with anything in between, within "
            f"{describe_duration(self.within)} of the first step (inclusive); {_ENTRIES[self.entry]}, {same}, "
            f"and one event fills one step{split}."
        )

    def _events(self, plan: Plan, scope: Scope) -> str:
        return scope.events(plan.tests, by=self.by, top=self.top, counted=plan.tests[0])

    def _plan(self, scope: Scope) -> Plan:
        events = [as_event(step) for step in self.steps]
        return Plan(
            tests=tuple(scope.matches(event) for event in events),
            groups=overlapping(events),
            within_us=parse_duration(self.within),
            entry=self.entry,
            any_order=self.tie is not None,
            touch=None if self.by is None else scope.breakdown(self.by, _COLUMNS),
        )


@dataclass(frozen=True, repr=False)
class FunnelResult(Result):
    """What a funnel found.

    Attributes:
        frame: One row per step (after the breakdown value): ``step``, ``event``, ``people``, ``from_first``
            and ``from_previous`` (shares), ``low`` and ``high`` (95 % Wilson interval of ``from_first``),
            ``dropped`` (people who stopped at the step before), ``seconds_mean``, ``seconds_median``,
            ``seconds_p90`` (from the step before, of the reported attempts).
        insight: The question.
        ctes: The relations the queries build on.
    """

    insight: Funnel
    ctes: dict[str, str | exp.Expr]

    @cached_property
    def people(self) -> pl.DataFrame:
        """Columns ``person`` and ``level`` (furthest step), one row per person who entered."""
        return self.scope.log.sql(with_inputs(load(_PACKAGE, "funnel_people"), self.ctes))

    @cached_property
    def durations(self) -> pl.DataFrame:
        """Columns ``person`` and ``seconds`` from the first to the last step, for people who got there."""
        last = len(self.insight.steps)
        text = bind(load(_PACKAGE, "funnel_durations"), {"last": exp.column(f"t{last}"), "steps": last})
        frame = self.scope.log.sql(with_inputs(text, self.ctes))
        return told_apart(frame, self.insight.by)

    def trend(
        self, period: Period = "week", *, entered: int = 1, converted: int | None = None
    ) -> pl.DataFrame:
        """Follows the funnel over the periods its attempts start in.

        Args:
            period: ``"day"``, ``"week"`` or ``"month"``.
            entered: Step a person must reach to count as entered.
            converted: Step a person must reach to count as converted; None takes the last.

        Returns:
            Columns ``period_start``, ``entered``, ``converted`` (people), ``rate`` and ``complete`` (whether
            the window is over for everyone who started in the period), one row per period of the range. A
            person counts in every period an attempt starts in.

        Raises:
            InputError: The period or a step is unknown.
        """
        last = len(self.insight.steps)
        reach = last if converted is None else converted
        if not 1 <= entered <= reach <= last:
            raise InputError(f"steps of a trend must satisfy 1 <= entered <= converted <= {last}")
        params = {
            "entered": entered,
            "converted": reach,
            "within_us": parse_duration(self.insight.within),
            "observed_us": self.scope.observed_us,
        }
        ctes = {**self.ctes, "calendar": self.scope.calendar(check_period(period))}
        frame = self.scope.log.sql(with_inputs(bind(load(_PACKAGE, "funnel_trend"), params), ctes))
        share = pl.when(pl.col("entered") > 0).then(pl.col("converted") / pl.col("entered"))
        return frame.with_columns(rate=share).select(
            "period_start", "entered", "converted", "rate", "complete"
        )

    def _draw(self) -> Any:
        from headway.charts import funnel_figure

        frame, by = one_column(self.frame, self.insight.by)
        return funnel_figure(frame, by=by)


def _completed(frame: pl.DataFrame, names: list[str], by: By | None) -> pl.DataFrame:
    first, previous = pl.col("people").first().over("touch"), pl.col("people").shift(1).over("touch")
    shares = frame.with_columns(
        event=pl.col("step").replace_strict(dict(enumerate(names, start=1)), return_dtype=pl.String),
        from_first=pl.when(first > 0).then(pl.col("people") / first),
        from_previous=pl.when(pl.col("step") == 1)
        .then(pl.when(first > 0).then(1.0))
        .otherwise(pl.when(previous > 0).then(pl.col("people") / previous)),
        dropped=(previous - pl.col("people")).fill_null(0),
        entered=first,
    )
    return told_apart(with_interval(shares, "people", "entered").select("touch", *_COLUMNS), by)
