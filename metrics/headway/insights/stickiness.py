"""In how many periods people are active."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import polars as pl

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.activity import MOST_EVENTS, PACKAGE, active_periods, any_event, often
from headway.insights.grouped import Grouped, one_by_one
from headway.insights.options import flag, heading, whole_number
from headway.insights.question import Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result, later
from headway.log import EventLog
from headway.periods import Period, check_period, day_start_us, period_number, period_start
from headway.selectors import Selector

_LONGEST = 3660
_ORDER = ("day", "week", "month")


@dataclass(frozen=True)
class Stickiness(Grouped):
    """People by the number of periods of the range they were active in.

    Attributes:
        event: Events that make a person active; None takes any event.
        period: Length of the parts of the range that `StickinessResult.each` looks at: ``"week"`` or ``"month"``.
            The frame itself is about the whole range.
        interval: What is counted: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.
        cumulative: Whether to count people active in at least that many, instead of in exactly that many.
        min_events: Events an interval needs to be active.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Visit"] * 3,
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 3), datetime(2026, 3, 1)],
        ... })
        >>> with EventLog(frame) as log:
        ...     Stickiness("Visit").run(log).frame.select("periods", "people").rows()
        [(1, 1), (2, 1), (3, 0)]
    """

    event: Selector | None = None
    period: Period = "month"
    interval: Period = "day"
    cumulative: bool = False
    min_events: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", any_event(self.event))
        self.check_by()
        check_period(self.period)
        check_period(self.interval)
        flag("cumulative", self.cumulative)
        whole_number("min_events", self.min_events, MOST_EVENTS)

    def run(self, log: EventLog) -> StickinessResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option cannot be used.
            EngineError: The database refused the query.
        """
        if self.by is not None:
            return one_by_one(self, log, type(self).run, counted=self.event)
        scope = Scope.of(self, log)
        counts = self._counts(scope)
        last = scope.periods(self.interval)[1]
        ends = day_start_us(period_start(last + 1, self.interval, scope.week_start), scope.timezone)
        frame = _shared(counts, self.cumulative).with_columns(complete=pl.lit(ends <= scope.observed_us))
        return StickinessResult(frame=frame, sql=later(lambda: self._sql(scope)), insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        (label,) = labels([any_event(self.event)])
        exact = "at least" if self.cumulative else "exactly"
        often_enough = f"{label}{often(self.min_events)}"
        return (
            f"People by the number of {self.interval}s of the range with {often_enough}: {exact} that many."
            f"{self.by_sentence()}"
        )

    def _counts(self, scope: Scope) -> pl.DataFrame:
        """Counts people by active intervals; a kernel may do the same from a person store."""
        found = quick_counts(self, scope)
        return scope.log.sql(self._sql(scope)) if found is None else found

    def _sql(self, scope: Scope) -> str:
        first, last = scope.periods(self.interval)
        return _sql(self, scope, self.interval, first, last)


@dataclass(frozen=True, repr=False)
class StickinessResult(Result):
    """What stickiness found.

    Attributes:
        frame: One row per number of intervals, from 1 to all of the range: ``periods``, ``people``, ``share`` (of
            all people active in the range), ``complete`` (whether the range is over).
        insight: The question.
    """

    insight: Stickiness

    @cached_property
    def each(self) -> pl.DataFrame:
        """The same for each period of the range: ``period_start``, ``periods``, ``people``, ``share``, ``complete``.

        An interval belongs to the period it begins in; a range that begins or ends inside of a period cuts it.

        Raises:
            InputError: The question's `period` is not longer than its `interval`.
        """
        asked, scope = self.insight, self.scope
        if _ORDER.index(asked.interval) >= _ORDER.index(asked.period):
            raise InputError(f"a {asked.period} holds no {asked.interval}s: ask with a longer period")
        ends = [
            period_start(number, asked.interval, scope.week_start) for number in scope.periods(asked.interval)
        ]
        first, last = (period_number(day, asked.period, scope.week_start) for day in ends)
        options = {"timezone": scope.timezone, "week_start": scope.week_start}
        ctes = {
            **active_periods(scope, asked.event, asked.interval, asked.min_events, ever=False),
            "slots": scope.calendar(asked.interval),
            "calendar": scope.log.calendar(asked.period, first, last, **options),
        }
        text = bind(load(PACKAGE, "stickiness_each"), {"observed_us": scope.observed_us})
        return _shared(scope.log.sql(with_inputs(text, ctes)), asked.cumulative, "period_start")

    def _draw(self) -> Any:
        from headway.charts import stickiness_figure

        asked = self.insight
        title = heading("Stickiness", asked.event)
        return stickiness_figure(
            self.frame, interval=asked.interval, cumulative=asked.cumulative, title=title
        )


@dataclass(frozen=True)
class PowerUsers(Grouped):
    """The power-user curve: people by the days they were active on in the days up to the end of the range.

    Attributes:
        event: Events that make a person active; None takes any event.
        days: Length of the window in local days, its last one the last of the range: 7 gives the curve known as
            L7, 28 the one known as L28, 30 a month's as many tools count it. Days before the range count where the
            window reaches back.
        min_events: Events a day needs to be active.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Visit"] * 3,
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 3), datetime(2026, 3, 1)],
        ... })
        >>> with EventLog(frame) as log:
        ...     result = PowerUsers(days=7).run(log)
        >>> result.frame["people"].to_list(), result.mean
        ([1, 1, 0, 0, 0, 0, 0], 1.5)
    """

    looks_back: ClassVar[bool] = True

    event: Selector | None = None
    days: int = 28
    min_events: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", any_event(self.event))
        self.check_by()
        whole_number("days", self.days, _LONGEST)
        whole_number("min_events", self.min_events, MOST_EVENTS)

    def run(self, log: EventLog) -> PowerUsersResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option cannot be used.
            EngineError: The database refused the query.
        """
        if self.by is not None:
            return one_by_one(self, log, type(self).run, counted=self.event)
        scope = Scope.of(self, log)
        ends = day_start_us(period_start(scope.last_day() + 1, "day"), scope.timezone)
        counts = _shared(self._counts(scope), cumulative=False).rename({"periods": "active_days"})
        frame = counts.with_columns(complete=pl.lit(ends <= scope.observed_us))
        return PowerUsersResult(frame=frame, sql=later(lambda: self._sql(scope)), insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        (label,) = labels([any_event(self.event)])
        return (
            f"People by the number of local days with {label}{often(self.min_events)} among the {self.days} "
            f"that end with the range (L{self.days}); days before the range count where the window reaches back."
            f"{self.by_sentence()}"
        )

    def _counts(self, scope: Scope) -> pl.DataFrame:
        """Counts people by active days; a kernel may do the same from a person store."""
        found = quick_counts(self, scope)
        return scope.log.sql(self._sql(scope)) if found is None else found

    def _sql(self, scope: Scope) -> str:
        last = scope.last_day()
        first = last - self.days + 1
        return _sql(self, scope.reaching_back(first), "day", first, last)


@dataclass(frozen=True, repr=False)
class PowerUsersResult(Result):
    """What the power-user curve found.

    Attributes:
        frame: One row per number of days, from 1 to the whole window: ``active_days``, ``people``, ``share`` (of
            all people active in the window), ``complete`` (whether its last day is over).
        insight: The question.
    """

    insight: PowerUsers

    @property
    def mean(self) -> float | None:
        """Mean number of active days of the people active in the window; None where there are none."""
        people = int(self.frame["people"].sum())
        return int((self.frame["active_days"] * self.frame["people"]).sum()) / people if people else None

    def _draw(self) -> Any:
        from headway.charts import power_users_figure

        return power_users_figure(self.frame, title=heading("Power users", self.insight.event))


def _sql(question: Stickiness | PowerUsers, scope: Scope, interval: Period, first: int, last: int) -> str:
    options = {"timezone": scope.timezone, "week_start": scope.week_start}
    ctes = {
        **active_periods(scope, question.event, interval, question.min_events, ever=False),
        "calendar": scope.log.calendar(interval, first, last, **options),
    }
    return with_inputs(bind(load(PACKAGE, "stickiness"), {"first": first, "last": last}), ctes)


def _shared(counts: pl.DataFrame, cumulative: bool, *keys: str) -> pl.DataFrame:
    everyone = pl.col("at_least").max()
    share = pl.col("people") / (everyone.over(keys) if keys else everyone)
    shown = counts.with_columns(people=pl.col("at_least")) if cumulative else counts
    rest = [name for name in ("complete",) if name in counts.columns]
    return shown.with_columns(share=share.fill_nan(None)).select(*keys, "periods", "people", "share", *rest)
