"""Visits: runs of one person's activity, with their start, end, length and number of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.begun import begun_words, each_group, figure_of_each
from headway.insights.bins import binned
from headway.insights.breakdown import COLUMN, By, as_by, one_column, told_apart
from headway.insights.options import flag
from headway.insights.question import Question, Scope, labels
from headway.insights.result import Result, choose, with_interval
from headway.insights.sessions_sql import (
    EVER_US,
    is_kept,
    session_listing,
    session_relations,
    sessions_source,
)
from headway.log import EventLog
from headway.models.durations import describe_duration, parse_duration
from headway.periods import Period
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_TOO_LONG = ("set_apart", "cut")
# A visit of one event takes no time: it has a bin of its own. Above, the steps are those one would speak of.
_EDGES: dict[str, tuple[float, ...]] = {
    "seconds": (0, 1e-6, 10, 30, 60, 180, 600, 1800, 3600, 10_800),
    "events": (1, 2, 3, 5, 10, 20, 50, 100),
    "views": (0, 1, 2, 3, 5, 10, 20, 50),
}


@dataclass(frozen=True)
class Sessions(Question):
    """Sessions of people: a session ends when nothing happens for longer than the idle time.

    A session belongs to the period of its start: with ``since`` and ``until``, the whole sessions that start between
    them.

    Attributes:
        idle: How long a pause may be (inclusive).
        tracker: Property with the tracker's own session id; events of one person with the same id are one session
            however long the pauses, and events without one are in none. None goes by the pauses.
        max_length: Longest session, or None for any length.
        too_long: What becomes of a longer one: ``"set_apart"`` counts it apart as no visit, ``"cut"`` ends it at
            `max_length` and leaves out what came later.
        max_rate: Most events a minute, over the session's length and one minute at least; a session with more is set
            apart. None allows any number.
        cut_at_midnight: Whether the local midnight ends a session.
        starts: Events that begin a new session, for example a log-in.
        ends: Events that end the session, for example a log-out: what comes later is a new one. Events of the same
            instant stay together.
        exclude: Events that are no activity, for example a server's.
        views: Events that count as depth in the column `views`, for example page views.
        by: Property or cohort to break down by, a list of these, or None. A session is of the group of its first event.
        top: Number of groups to keep, those with most people; the others become ``"(other)"``.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "ann"],
        ...     "event": ["Page Viewed", "Page Viewed", "Payment"],
        ...     "occurred_at": [datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 9, 20), datetime(2026, 3, 1, 14)],
        ... })
        >>> with EventLog(frame) as log:
        ...     Sessions(idle="30m").run(log).frame.select("session", "events", "seconds").rows()
        [(1, 2, 1200.0), (2, 1, 0.0)]
    """

    idle: str = "30m"
    tracker: str | None = None
    max_length: str | None = "24h"
    too_long: str = "set_apart"
    max_rate: int | None = 600
    cut_at_midnight: bool = False
    exclude: Selector | None = None
    views: Selector | None = None
    starts: Selector | None = None
    ends: Selector | None = None
    by: By | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        parse_duration(self.idle)
        object.__setattr__(self, "by", as_by(self.by, self.top))
        if self.max_length is not None:
            parse_duration(self.max_length)
        flag("cut_at_midnight", self.cut_at_midnight)
        choose("too_long", self.too_long, _TOO_LONG)
        if self.max_rate is not None and (type(self.max_rate) is not int or self.max_rate < 1):
            raise InputError("max_rate is a whole number of events a minute, at least 1, or None")
        for name in ("exclude", "views", "starts", "ends"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, as_event(getattr(self, name)))
        if self.tracker is not None and (self.starts is not None or self.ends is not None):
            raise InputError("starts and ends go with idle: with tracker, its session id alone decides")

    def run(self, log: EventLog) -> SessionsResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option is wrong.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)
        ctes = session_relations(self, scope)
        sql = with_inputs(session_listing(self, scope, set_apart=False), ctes)
        frame = told_apart(log.sql(sql), self.by, COLUMN)
        return SessionsResult(frame=frame, sql=sql, insight=self, scope=scope, relations=ctes)

    def describe(self) -> str:
        """Says in one sentence what a session is."""
        told = [
            f"by the tracker's {self.tracker}"
            if self.tracker
            else f"ended by {describe_duration(self.idle)} without activity"
        ]
        if self.cut_at_midnight:
            told.append("cut at midnight")
        for verb, event in (("starts", self.starts), ("ends", self.ends)):
            if event is not None:
                told.append(f"{labels([event])[0]} {verb} one")
        if self.exclude is not None:
            told.append(f"{labels([self.exclude])[0]} is no activity")
        apart = []
        if self.max_length is not None and self.too_long == "cut":
            told.append(f"at most {describe_duration(self.max_length)} long")
        elif self.max_length is not None:
            apart.append(f"over {describe_duration(self.max_length)} long")
        if self.max_rate is not None:
            apart.append(f"with over {self.max_rate} events a minute")
        left_out = f"; those {' or '.join(apart)} are left out" if apart else ""
        split = begun_words(self.by, self.top, "the first event of a session")
        return f"Sessions of people, {', '.join(told)}{left_out}{split}."


@dataclass(frozen=True, repr=False)
class SessionsResult(Result):
    """What was found about sessions.

    Attributes:
        frame: One row per session, sorted by person and start (after the breakdown value): ``person``, ``session``
            (1, 2, … of that person over the whole log), ``started_at``, ``ended_at`` (first and last event, UTC),
            ``events``, ``seconds``, then ``tracker_id`` and ``views`` where asked for, and ``complete`` (whether the
            idle time has passed since).
        insight: The question.
        relations: The queries the result stands on, by name.
    """

    insight: Sessions
    relations: dict[str, str]

    @cached_property
    def set_apart(self) -> pl.DataFrame:
        """The sessions that are not in `frame`, with the rule that says why in ``reason``."""
        listed = self._ask(session_listing(self.insight, self.scope, set_apart=True))
        return told_apart(listed, self.insight.by, COLUMN)

    def summary(self) -> pl.DataFrame:
        """Counts sessions, people, bounces and depth, and how long sessions take.

        Returns:
            One row (per breakdown value): ``sessions``, ``people``, ``events_mean``, ``events_median``, ``bounces``
            (sessions of one event), ``bounce_rate`` with its interval ``low`` and ``high``, ``seconds_mean``,
            ``seconds_median``, ``seconds_p90``.
        """
        ever = bind(load(_PACKAGE, "sessions_everything"), {"first_us": -EVER_US, "after_us": EVER_US})
        return self._counted(ever).drop("period_start", "complete")

    def trend(self, period: Period = "day") -> pl.DataFrame:
        """Counts the same for every period of the range, by the sessions' start.

        Args:
            period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.

        Returns:
            The columns of `summary` after ``period_start`` (and the breakdown value), and ``complete``.
        """
        return self._counted(self.scope.calendar(period))

    def distribution(self, of: str = "seconds", edges: Sequence[float] | None = None) -> pl.DataFrame:
        """Counts sessions by how long or how deep they are.

        Args:
            of: ``"seconds"``, ``"events"``, or ``"views"`` where they were asked for.
            edges: Lower ends of the bins, rising; the first takes all that is smaller as well. None takes usual ones.

        Returns:
            One row per bin (after the breakdown value), the empty ones included: ``low`` (included), ``high``
            (excluded; null for the last), ``sessions``, ``share`` (null without sessions).

        Raises:
            InputError: There is no such number, or the edges do not rise.
        """
        choose("of", of, [name for name in _EDGES if name in self.frame.columns])
        ends = _EDGES[of] if edges is None else edges
        return each_group(self.frame, self.insight.by, lambda part: binned(part[of], ends))

    def distribution_figure(self, of: str = "seconds", edges: Sequence[float] | None = None) -> Any:
        """Draws `distribution`.

        Args:
            of: See `distribution`.
            edges: See `distribution`.

        Returns:
            A Plotly figure.
        """
        from headway.charts import distribution_figure

        title = "How long sessions are" if of == "seconds" else f"How many {of} sessions have"

        def draw(bins: pl.DataFrame) -> Any:
            return distribution_figure(bins, of=of, title=title)

        return figure_of_each(self.insight.by, draw, self.distribution(of, edges), rank="sessions")

    def _counted(self, calendar: str) -> pl.DataFrame:
        text = bind(
            load(_PACKAGE, "sessions_trend"),
            {
                "sessions": sessions_source(self.insight),
                "broken_down": self.insight.by is not None,
                "kept": is_kept(set_apart=False),
                "inside": self.scope.inside("started_us"),
                "observed_us": self.scope.observed_us,
            },
        )
        counted = self._ask(text, calendar=calendar)
        ends = with_interval(counted, "bounces", "sessions").select("low", "high")
        place = counted.get_column_index("bounce_rate") + 1
        told = counted[:, :place].hstack(ends).hstack(counted[:, place:])
        return told_apart(told, self.insight.by, COLUMN)

    def _ask(self, text: str, **more: str) -> pl.DataFrame:
        return self.scope.log.sql(with_inputs(text, self.relations | more))

    def _draw(self) -> Any:
        from headway.charts import trend_figure

        days, by = one_column(self.trend("day").with_columns(value=pl.col("sessions")), self.insight.by)
        return trend_figure(days, by=by, title="Sessions per local day")
