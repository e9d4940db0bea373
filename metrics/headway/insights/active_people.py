"""How many distinct people were active in trailing windows of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.question import Question, Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result
from headway.log import EventLog
from headway.periods import Period, check_period
from headway.selectors import Event, Selector, as_event

_PACKAGE = "headway.insights"
_LONGEST = 3660


@dataclass(frozen=True)
class ActivePeople(Question):
    """Distinct people active in the days up to the end of each period.

    Attributes:
        event: Events that make a person active; None takes any event.
        windows: Lengths of the windows in local days; 1, 7 and 28 give daily, weekly and monthly actives.
        period: How often to look: at the end of every ``"day"``, ``"week"`` or ``"month"``.

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

    event: Selector | None = None
    windows: Sequence[int] = (1, 7, 28)
    period: Period = "day"

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", Event(None) if self.event is None else as_event(self.event))
        check_period(self.period)
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
        scope = Scope.of(self, log)
        active = scope.matches(self._event)
        ctes = {
            "ev": scope.events([active], ever=True),
            "active": bind(load(_PACKAGE, "active_people_days"), {"active": active}),
            "calendar": scope.calendar(self.period),
        }
        text = bind(
            load(_PACKAGE, "active_people"),
            {
                "windows": exp.convert(list(self.windows)),
                "longest": max(self.windows),
                "last_day": scope.last_day(),
                "observed_us": scope.observed_us,
            },
        )
        sql = with_inputs(text, ctes)
        counts = quick_counts(self, scope)
        frame = log.sql(sql) if counts is None else counts
        return ActivePeopleResult(frame=frame, sql=sql, insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        (label,) = labels([self._event])
        days = ", ".join(map(str, self.windows))
        return (
            f"Distinct people with {label} in the {days} local days ending with each {self.period}; days before the "
            "range count where the window reaches back."
        )

    @property
    def _event(self) -> Selector:
        return Event(None) if self.event is None else self.event


@dataclass(frozen=True, repr=False)
class ActivePeopleResult(Result):
    """What active people found.

    Attributes:
        frame: One row per period and window: ``period_start`` (date), ``window_days``, ``value`` (distinct
            people), ``complete`` (whether the period is over; if not, the window ends with the range).
        insight: The question.
    """

    insight: ActivePeople

    def _draw(self) -> Any:
        from headway.charts import active_people_figure

        return active_people_figure(self.frame)


def _is_window(days: object) -> bool:
    return isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= _LONGEST
