"""How many distinct people were active in trailing windows of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.activity import MOST_EVENTS, PACKAGE, active_periods, any_event
from headway.insights.breakdown import columns_of
from headway.insights.grouped import Grouped, one_by_one
from headway.insights.options import fill, heading, whole_number
from headway.insights.question import Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result, later
from headway.log import EventLog
from headway.periods import Period, check_period
from headway.selectors import Selector

_LONGEST = 3660
_DEFAULTS: Mapping[str, object] = {"windows": (1, 7, 28)}
_PRESETS: Mapping[str, Mapping[str, object]] = {
    name: {"windows": (1, 7, 30)} for name in ("posthog", "mixpanel")
}


@dataclass(frozen=True)
class ActivePeople(Grouped):
    """Distinct people active in the days up to the end of each period.

    Attributes:
        event: Events that make a person active; None takes any event.
        windows: Lengths of the windows in local days; 1, 7 and 28 (the default) give daily, weekly and monthly
            actives. Four whole weeks hold as many weekends whenever they end, a month of 30 days does not.
        period: How often to look: at the end of every ``"day"``, ``"week"`` or ``"month"``.
        min_events: Events a local day needs to be active.
        preset: Windows as a tool sets them, where they were not named: ``"posthog"`` and
            ``"mixpanel"`` count a month as 30 days.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "bob"],
        ...     "event": ["Visit", "Visit"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2)],
        ... })
        >>> with EventLog(frame) as log:
        ...     ActivePeople(windows=(1, 7)).run(log).frame["value"].to_list()
        [1, 1, 1, 2]
    """

    looks_back: ClassVar[bool] = True

    event: Selector | None = None
    windows: Sequence[int] | None = None
    period: Period = "day"
    min_events: int = 1
    preset: Literal["posthog", "mixpanel"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", any_event(self.event))
        check_period(self.period)
        self.check_by()
        fill(self, self.preset, _PRESETS, _DEFAULTS)
        whole_number("min_events", self.min_events, MOST_EVENTS)
        windows = self.windows if isinstance(self.windows, list | tuple) else ()
        if not windows or not all(_is_window(days) for days in windows):
            raise InputError(f"windows must be a list of whole numbers of days from 1 to {_LONGEST}")
        object.__setattr__(self, "windows", tuple(sorted(set(windows))))

    def run(self, log: EventLog) -> ActivePeopleResult:
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
        return ActivePeopleResult(
            frame=self._counts(scope), sql=later(lambda: self._sql(scope)), insight=self, scope=scope
        )

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        (label,) = labels([any_event(self.event)])
        days = ", ".join(map(str, self.windows or ()))
        least = f", a day counting with {self.min_events} or more of them" if self.min_events > 1 else ""
        return (
            f"Distinct people with {label} in the {days} local days ending with each {self.period}{least}; days before "
            f"the range count where the window reaches back.{self.by_sentence()}"
        )

    def _counts(self, scope: Scope) -> pl.DataFrame:
        """Counts the windows; a kernel may do the same from a person store."""
        found = quick_counts(self, scope)
        return scope.log.sql(self._sql(scope)) if found is None else found

    def _sql(self, scope: Scope) -> str:
        windows = [int(days) for days in self.windows or ()]
        listed = exp.values([(days,) for days in windows], alias="listed", columns=["window_days"])
        ctes = {
            **active_periods(scope, self.event, "day", self.min_events, ever=True),
            "calendar": scope.calendar(self.period),
            "windows": bind(load(PACKAGE, "active_people_windows"), {"rows": listed}),
        }
        parameters = {
            "longest": max(windows),
            "last_day": scope.last_day(),
            "observed_us": scope.observed_us,
        }
        return with_inputs(bind(load(PACKAGE, "active_people"), parameters), ctes)


@dataclass(frozen=True, repr=False)
class ActivePeopleResult(Result):
    """What active people found.

    Attributes:
        frame: One row per period and window: ``period_start`` (date), ``window_days``, ``value`` (distinct
            people), ``complete`` (whether the period is over; if not, the window ends with the range).
        insight: The question.
    """

    insight: ActivePeople

    def ratio(self, short: int = 1, long: int = 28) -> pl.DataFrame:
        """Divides the people of two windows: with 1 and 28 days the ratio known as DAU/MAU.

        Args:
            short: Length of the window above the line, one of the question's.
            long: Length of the window below it.

        Returns:
            Columns ``period_start`` (after those of a breakdown), ``value`` (null where nobody was active in the
            long window), ``complete``.

        Raises:
            InputError: The question has no such window.
        """
        for days in (short, long):
            if days not in (self.insight.windows or ()):
                raise InputError.unknown("window", str(days), map(str, self.insight.windows or ()))
        keys = [*columns_of(self.insight.by), "period_start"]
        above, below = (self.frame.filter(pl.col("window_days") == days).sort(keys) for days in (short, long))
        value = pl.when(below["value"] > 0).then(above["value"] / below["value"])
        return above.with_columns(value=value).select(*keys, "value", "complete")

    def _draw(self) -> Any:
        from headway.charts import active_people_figure

        return active_people_figure(self.frame, title=heading("Active people", self.insight.event))


def _is_window(days: object) -> bool:
    return isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= _LONGEST
