"""How long people stay away between two active days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.activity import MOST_EVENTS, PACKAGE, active_periods, any_event, often
from headway.insights.grouped import Grouped, one_by_one
from headway.insights.options import heading, whole_number
from headway.insights.question import Scope, labels
from headway.insights.result import Result
from headway.log import EventLog
from headway.periods import Period
from headway.selectors import Selector

_LONGEST = 3660
_NATURAL: tuple[tuple[int, Period], ...] = ((1, "day"), (7, "week"), (31, "month"))


@dataclass(frozen=True)
class UsageInterval(Grouped):
    """How often people use a product by its nature: the days between a person's active days.

    A person's usual interval is the median of the days from one active day to the next, rounded up. The product's
    is the shortest one that covers the given share of people; it says whether days, weeks or months suit retention
    and the other questions. People with a single active day have none, and the time since a person's last active day
    is not counted.

    Attributes:
        event: The event people come for; None takes any event.
        share: Share of people the product's interval must cover.
        longest: The longest interval with a row of its own, in days.
        min_events: Events a day needs to be active.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "ann", "bob", "bob"],
        ...     "event": ["Visit"] * 5,
        ...     "occurred_at": [datetime(2026, 3, day) for day in (1, 2, 3, 1, 6)],
        ... })
        >>> with EventLog(frame) as log:
        ...     result = UsageInterval("Visit").run(log)
        >>> result.interval, result.period
        (5, 'week')
    """

    event: Selector | None = None
    share: float = 0.8
    longest: int = 60
    min_events: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", any_event(self.event))
        self.check_by()
        whole_number("longest", self.longest, _LONGEST)
        whole_number("min_events", self.min_events, MOST_EVENTS)
        if not isinstance(self.share, float | int) or not 0 < self.share <= 1:
            raise InputError("share must be a number above 0 and at most 1, such as 0.8")

    def run(self, log: EventLog) -> UsageIntervalResult:
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
        covered = pl.col("people").cum_sum() / pl.col("people").sum()
        frame = counts.with_columns(share=covered.fill_nan(None)).filter(pl.col("days") <= self.longest)
        longer = int(counts.filter(pl.col("days") > self.longest)["people"].sum())
        return UsageIntervalResult(
            frame=frame, sql=self._sql(scope), insight=self, scope=scope, longer=longer
        )

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        (label,) = labels([any_event(self.event)])
        return (
            f"Local days from one day with {label}{often(self.min_events)} to the next, and people by the median of "
            "theirs, rounded up; people with a single such day, and the time since the last one, are not counted."
            f"{self.by_sentence()}"
        )

    def _counts(self, scope: Scope) -> pl.DataFrame:
        """Counts gaps and people; a kernel may do the same from a person store."""
        return scope.log.sql(self._sql(scope))

    def _sql(self, scope: Scope) -> str:
        rows = [(days,) for days in range(1, self.longest + 2)]
        listed = exp.values(rows, alias="listed", columns=["number"])
        ctes = {
            **active_periods(scope, self.event, "day", self.min_events, ever=False),
            "gaps": load(PACKAGE, "usage_interval_gaps"),
            "typical": load(PACKAGE, "usage_interval_typical"),
            "slots": bind(load(PACKAGE, "usage_interval_slots"), {"rows": listed}),
        }
        return with_inputs(bind(load(PACKAGE, "usage_interval"), {"longest": self.longest}), ctes)


@dataclass(frozen=True, repr=False)
class UsageIntervalResult(Result):
    """What the usage interval found.

    Attributes:
        frame: One row per number of days, from 1: ``days``, ``gaps`` (of exactly that many days, of all people),
            ``people`` (whose usual interval it is), ``share`` (of the people with one whose interval is that long or
            shorter).
        insight: The question.
        longer: People whose usual interval is longer than all rows.
    """

    insight: UsageInterval
    longer: int

    @property
    def interval(self) -> int | None:
        """The product's interval in days; None where the rows do not reach it."""
        reached = self.frame.filter(pl.col("share") >= self.insight.share - 1e-12)
        return int(reached["days"][0]) if reached.height else None

    @property
    def period(self) -> Period | None:
        """The shortest period that holds the interval; None where it is longer than a month."""
        days = self.interval
        return next((period for most, period in _NATURAL if days is not None and days <= most), None)

    def _caveat(self) -> str:
        if self.interval is None:
            missed = f"No interval up to {self.insight.longest} days covers {self.insight.share:.0%} of them."
            return f"{super()._caveat()} {missed}"
        natural = f", so look at {self.period}s" if self.period else ", longer than a month"
        days = "1 day" if self.interval == 1 else f"{self.interval} days"
        return (
            f"{super()._caveat()} {self.insight.share:.0%} of them usually come back within {days}{natural}."
        )

    def _draw(self) -> Any:
        from headway.charts import usage_interval_figure

        return usage_interval_figure(
            self.frame,
            interval=self.interval,
            share=self.insight.share,
            longer=self.longer,
            title=heading("Usage interval", self.insight.event),
        )
