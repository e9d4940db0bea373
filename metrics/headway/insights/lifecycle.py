"""Who is new, returning, resurrected or dormant, and what growth is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import EngineError, InputError
from headway.insights.activity import MOST_EVENTS, PACKAGE, active_periods, any_event, often
from headway.insights.grouped import Grouped, one_by_one
from headway.insights.options import heading, history_words, whole_number
from headway.insights.question import Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result, later
from headway.log import EventLog
from headway.periods import Period, check_period
from headway.selectors import Selector, as_event

_LONGEST = 3660
STATES = ("new", "returning", "resurrected", "dormant")


@dataclass(frozen=True)
class Lifecycle(Grouped):
    """People by how they stand to a period: new, returning, resurrected or dormant.

    New: active for the first time ever, in all retained history and not only in the range. Returning: active in the
    period and in the one before. Resurrected: active, not in the period before, but earlier. Dormant: active in the
    period before and not in this one. Periods are whole: a range that begins inside of one counts all of it.

    Attributes:
        event: Events that make a person active; None takes any event.
        period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.
        min_events: Events a period needs to be active.
        first: Events whose first time ever says in which period a person is new; None takes the activity itself.
            ``hw.Event(None)`` takes anything a person did: who comes back from before the first activity is then
            resurrected, as tools say that go by when a person was created. Who was active the period before is
            returning in any case.
        forget: After so many periods without activity a person is new again, as tools say that look back for so long;
            None never forgets.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Visit"] * 3,
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 1)],
        ... })
        >>> with EventLog(frame) as log:
        ...     Lifecycle("Visit", period="day").run(log).frame.select("new", "returning", "dormant").rows()
        [(2, 0, 0), (0, 1, 1)]
    """

    looks_back: ClassVar[bool] = True

    event: Selector | None = None
    period: Period = "week"
    min_events: int = 1
    first: Selector | None = None
    forget: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", any_event(self.event))
        check_period(self.period)
        self.check_by()
        whole_number("min_events", self.min_events, MOST_EVENTS)
        if self.first is not None:
            object.__setattr__(self, "first", as_event(self.first))
        if self.forget is not None:
            whole_number("forget", self.forget, _LONGEST)
        if self.first is not None and self.forget is not None:
            raise InputError("first and forget exclude each other: both say who counts as new")

    def run(self, log: EventLog) -> LifecycleResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option cannot be used.
            EngineError: The database refused the query, or gave counts that contradict each other.
        """
        if self.by is not None:
            return one_by_one(self, log, type(self).run, counted=self.event)
        scope = Scope.of(self, log)
        frame = _checked(self._counts(scope)).select("period_start", *STATES, "complete")
        return LifecycleResult(frame=frame, sql=later(lambda: _sql(self, scope)), insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        (label,) = labels([any_event(self.event)])
        new = "for the first time ever"
        if self.first is not None:
            new = f"{labels([self.first])[0]} for the first time ever"
        elif self.forget is not None:
            new = f"not in the {self.forget} {self.period}s before"
        return (
            f"People with {label}{often(self.min_events)} per {self.period}: new ({new}), "
            f"returning (also the {self.period} before), resurrected (not the {self.period} before, but earlier); and "
            f"dormant, who had it the {self.period} before and no more.{self.by_sentence()}"
        )

    def _counts(self, scope: Scope) -> pl.DataFrame:
        """Counts the states; a kernel may do the same from a person store."""
        found = quick_counts(self, scope)
        return scope.log.sql(_sql(self, scope)) if found is None else found


@dataclass(frozen=True)
class GrowthAccounting(Lifecycle):
    """What the number of active people is made of, and whether more come than go.

    The counts of `Lifecycle` with the active people, and two identities that are checked on every answer: active =
    new + returning + resurrected, and the change since the period before = new + resurrected - dormant.

    Attributes:
        event: Events that make a person active; None takes any event.
        period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.
        min_events: Events a period needs to be active.
        first: Events whose first time ever makes a person new, see `Lifecycle`.
        forget: Periods without activity after which a person is new again, see `Lifecycle`.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "bob", "cat", "cat"],
        ...     "event": ["Visit"] * 4,
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 1), datetime(2026, 3, 1), datetime(2026, 3, 2)],
        ... })
        >>> with EventLog(frame) as log:
        ...     GrowthAccounting(period="day").run(log).frame["quick_ratio"].to_list()
        [None, 0.0]
    """

    def run(self, log: EventLog) -> GrowthAccountingResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option cannot be used.
            EngineError: The database refused the query, or gave counts that contradict each other.
        """
        if self.by is not None:
            return one_by_one(self, log, type(self).run, counted=self.event)
        scope = Scope.of(self, log)
        gained = pl.col("new") + pl.col("resurrected")
        frame = (
            _checked(self._counts(scope))
            .with_columns(
                change=pl.col("active") - pl.col("active_before"),
                quick_ratio=pl.when(pl.col("dormant") > 0).then(gained / pl.col("dormant")),
                nobody_left=pl.col("dormant") == 0,
            )
            .select("period_start", *STATES, "active", "quick_ratio", "change", "nobody_left", "complete")
        )
        return GrowthAccountingResult(
            frame=frame, sql=later(lambda: _sql(self, scope)), insight=self, scope=scope
        )

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        return (
            f"{super().describe()} Active people are new, returning and resurrected ones; the quick ratio is "
            "(new + resurrected) / dormant, and none where nobody went dormant."
        )


@dataclass(frozen=True, repr=False)
class LifecycleResult(Result):
    """What lifecycle found.

    Attributes:
        frame: One row per period: ``period_start`` (date), ``new``, ``returning``, ``resurrected``, ``dormant``
            (people), ``complete`` (whether the period is over; until then people look dormant who will still come).
        insight: The question.
    """

    insight: Lifecycle

    def _caveat(self) -> str:
        return f" Ever means all retained history{history_words(self.scope)}.{super()._caveat()}"

    def _draw(self) -> Any:
        from headway.charts import lifecycle_figure

        title = heading("Lifecycle", self.insight.event)
        return lifecycle_figure(self.frame, period=self.insight.period, title=title)


@dataclass(frozen=True, repr=False)
class GrowthAccountingResult(LifecycleResult):
    """What growth accounting found.

    Attributes:
        frame: The columns of lifecycle, with ``active`` (people), ``quick_ratio`` (null where nobody went dormant),
            ``change`` (of active people since the period before) and ``nobody_left`` (whether that is why the ratio
            is null).
        insight: The question.
    """

    insight: GrowthAccounting

    def _draw(self) -> Any:
        from headway.charts import growth_figure

        title = heading("Growth accounting", self.insight.event)
        return growth_figure(self.frame, period=self.insight.period, title=title)


def _sql(question: Lifecycle, scope: Scope) -> str:
    ctes = {
        **_activity(question, scope),
        "flows": bind(load(PACKAGE, "lifecycle_flows"), {"is_new": _is_new(question)}),
        "calendar": scope.calendar(question.period),
    }
    return with_inputs(bind(load(PACKAGE, "lifecycle"), {"observed_us": scope.observed_us}), ctes)


def _activity(question: Lifecycle, scope: Scope) -> dict[str, str]:
    if question.first is None:
        return active_periods(scope, question.event, question.period, question.min_events, ever=True)
    active, first = scope.matches(any_event(question.event)), scope.matches(question.first)
    done = bind(load(PACKAGE, "activity"), {"active": active, "min_events": question.min_events})
    return {
        "ev": scope.events([active, first], period=question.period, ever=True),
        "done": done,
        "activity": bind(load(PACKAGE, "lifecycle_begun"), {"first": first}),
    }


def _is_new(question: Lifecycle) -> exp.Expr:
    """Builds the test whether somebody who was not active the period before is new."""
    if question.first is not None:
        return exp.column("begun").eq(exp.column("period"))
    never = exp.column("before").is_(exp.null())
    if question.forget is None:
        return never
    return exp.or_(never, exp.column("period") - exp.column("before") > question.forget)


def _checked(counts: pl.DataFrame) -> pl.DataFrame:
    """Holds the counts against the identities: a wrong answer must not look like an answer."""
    parts = pl.col("new") + pl.col("returning") + pl.col("resurrected") == pl.col("active")
    moved = pl.col("new") + pl.col("resurrected") - pl.col("dormant")
    changed = moved == pl.col("active") - pl.col("active_before")
    if not counts.select((parts & changed).all()).item():
        raise EngineError(
            "the counts contradict each other: active people are not new, returning and resurrected ones"
        )
    return counts
