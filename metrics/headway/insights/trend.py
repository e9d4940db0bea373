"""How often something happens, to how many people, and how much, period by period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from headway.errors import InputError
from headway.insights.breakdown import By, as_by, by_words, one_column, told_apart
from headway.insights.options import flag
from headway.insights.question import Question, Scope, labels
from headway.insights.result import Result, choose
from headway.insights.trend_measures import Measure
from headway.insights.trend_sql import trend_query
from headway.log import EventLog
from headway.periods import Period, check_period
from headway.selectors import Selector, as_event

_FIRST = ("event", "matching")
_LONGEST_WINDOW = 3660


@dataclass(frozen=True)
class Trend(Question):
    """A measure of events over time.

    Distinct people over a longer time are counted anew, never added up from shorter ones.

    Attributes:
        event: Events to measure.
        measure: What of them:

            * ``"total"``: events.
            * ``"people"``: distinct people; with `window`, in the days up to the end of each period.
            * ``"first_time"``: people for whom it is the first time ever, see `first`.
            * ``"sum:x"``, ``"mean:x"``, ``"min:x"``, ``"max:x"``, ``"median:x"``, ``"p90:x"`` (any percentile) of a
              property x; a value that is missing or not finite is no value. Percentiles interpolate between the nearest
              values. Sums of whole numbers and decimals are exact, sums of floating-point numbers right to about 12
              digits.
            * ``"per_person:mean"``, ``"per_person:min"``, ``"per_person:max"``, ``"per_person:median"``,
              ``"per_person:p90"``: of the number of events of each person who has any.
        period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar, or None for the whole range as one number.
        by: Property or cohort to break down by, a list of these, or None.
        top: Number of groups to keep, those with most people in the range; the others become ``"(other)"``.
        window: With ``"people"``: length in local days of the window that ends with each period; days before the range
            count where it reaches back. None counts the period alone.
        first: With ``"first_time"``: ``"event"`` takes a person's first event of that name ever, which then must meet
            the conditions; ``"matching"`` takes the first event that meets them.
        cumulative: Whether values run from the start of the range; people are then those so far.
        compare: ``"previous"`` adds the values of the equally long range right before (it needs ``since``), or None.

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
    period: Period | None = "day"
    by: By | None = None
    top: int | None = None
    window: int | None = None
    first: str = "event"
    cumulative: bool = False
    compare: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "by", as_by(self.by, self.top))
        object.__setattr__(self, "event", as_event(self.event))
        if self.period is not None:
            check_period(self.period)
        flag("cumulative", self.cumulative)
        measure = Measure.parse(self.measure)
        choose("first", self.first, _FIRST)
        if self.first != "event" and measure.kind != "first_time":
            raise InputError("first goes with measure='first_time'")
        if self.window is not None:
            _check_window(self.window, measure, cumulative=self.cumulative)
        if self.cumulative and not measure.adds_up:
            raise InputError(
                f"there is no running {self.measure}: use total, people, first_time or sum:property"
            )
        if self.cumulative and self.period is None:
            raise InputError("cumulative needs a period: the whole range as one number is running already")
        if self.compare is not None:
            choose("compare", self.compare, ("previous",))
            if self.since is None:
                raise InputError(
                    "compare='previous' needs since: the range before ends where the range starts"
                )

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
        sql = trend_query(self, scope)
        frame = told_apart(_counts(scope, sql), self.by)
        return TrendResult(frame=frame, sql=sql, insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is measured."""
        measure = Measure.parse(self.measure)
        words = measure.words(labels([self.event])[0], self.window)
        per = f"per local {self.period}" if self.period else "over the whole range"
        told = [f"{words} {per}"]
        if measure.kind == "first_time" and self.first == "matching":
            told.append("the first event that meets the conditions")
        elif measure.kind == "first_time":
            told.append("the first event of that name, if it meets the conditions")
        if self.cumulative:
            told.append("running from the start of the range")
        if self.by is not None:
            told.append(by_words(self.by, self.top))
        if self.compare:
            told.append("beside the equally long range before")
        return f"{', '.join(told)}."


@dataclass(frozen=True, repr=False)
class TrendResult(Result):
    """What a trend found.

    Attributes:
        frame: One row per period (after the breakdown value): ``period_start`` (date; left out where the range is one
            number), ``value`` (0 without events for counts and sums, null for the rest), with a comparison
            ``value_before``, ``change`` (difference) and ``change_share`` (as a share of the value before, null where
            that is 0), then ``complete``.
        insight: The question.
    """

    insight: Trend

    def _draw(self) -> Any:
        from headway.charts import number_figure, trend_figure

        draw = trend_figure if self.insight.period else number_figure
        frame, by = one_column(self.frame, self.insight.by)
        # The figure says itself what it is broken down by.
        return draw(frame, by=by, title=replace(self.insight, by=None, top=None).describe())

    def _caveat(self) -> str:
        if Measure.parse(self.insight.measure).kind != "first_time":
            return super()._caveat()
        return f" Nothing is known of what people did before the log begins.{super()._caveat()}"


def _counts(scope: Scope, sql: str) -> pl.DataFrame:
    return scope.log.sql(sql)


def _check_window(window: object, measure: Measure, *, cumulative: bool) -> None:
    if measure.kind != "people":
        raise InputError(
            "window goes with measure='people': distinct people in the days up to each period's end"
        )
    if type(window) is not int or not 1 <= window <= _LONGEST_WINDOW:
        raise InputError(f"window is a whole number of days from 1 to {_LONGEST_WINDOW}, or None")
    if cumulative:
        raise InputError(
            "window and cumulative exclude each other: people are counted in a window or from the start"
        )
