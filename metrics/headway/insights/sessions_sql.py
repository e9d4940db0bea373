"""The queries of sessions: from events to what a session is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import starmap
from typing import TYPE_CHECKING

from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.begun import largest_alone
from headway.insights.breakdown import COLUMN
from headway.insights.question import Scope
from headway.log import EventLog
from headway.models.durations import parse_duration
from headway.periods import Span

if TYPE_CHECKING:
    from headway.insights.sessions import Sessions

_PACKAGE = "headway.insights"
#: What a breakdown cannot be called, because results have such columns.
_COLUMNS = (
    *(
        "person",
        "session",
        "started_at",
        "ended_at",
        "events",
        "seconds",
        "tracker_id",
        "views",
        "reason",
        "complete",
    ),
    *(
        "period_start",
        "sessions",
        "people",
        "events_mean",
        "events_median",
        "bounces",
        "bounce_rate",
        "low",
        "high",
    ),
    *("seconds_mean", "seconds_median", "seconds_p90", "share"),
)
EVER_US = 9_223_372_036_854_775_807
"""Microseconds beyond any time."""


def session_queries(asked: Sessions, log: EventLog) -> tuple[str, str]:
    """Writes the queries of all sessions, those set apart included: the rows of a table that keeps them.

    What becomes of one person depends on nobody else, so the second query may be asked of some people at a time.

    Args:
        asked: What a session is.
        log: The log.

    Returns:
        A query of the events that are activity, and one of the sessions found in the relation ``kept``, which has
        rows of the first. Sessions have the columns of `SessionsResult.frame` without ``complete``, which changes
        as time goes by, and with ``reason``: null, or why the session is set apart. They are sorted by person.

    Raises:
        InputError: An event never occurs, a property is unknown, or an option is wrong.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> from headway import Sessions
        >>> frame = pl.DataFrame({"person": ["ann"], "event": ["Page Viewed"], "occurred_at": [datetime(2026, 3, 1)]})
        >>> with EventLog(frame) as log:
        ...     activity, sessions = session_queries(Sessions(), log)
        ...     log.sql(with_inputs(sessions, {"kept": activity})).select("person", "events").rows()
        [('ann', 1)]
    """
    scope = Scope.of(asked, log)
    relations, told = session_relations(asked, scope), _told(asked, scope)
    changing = {name: each for name, each in told.items() if each.find(exp.Column)}
    kept = bind(
        load(_PACKAGE, "sessions_kept"),
        {
            "columns": [exp.column("person"), exp.column("us"), *starmap(_named, changing.items())],
            "active": _active(asked, scope),
        },
    )
    columns = {name: exp.column(name) if name in changing else each for name, each in told.items()}
    relations["activity"] = _activity(columns, exp.to_table("kept"), exp.true())
    events = relations.pop("ev")
    return with_inputs(kept, {"ev": events}), with_inputs(
        session_listing(asked, scope, set_apart=None), relations
    )


def _told(asked: Sessions, scope: Scope) -> dict[str, exp.Expr]:
    """What an event of activity tells beside who and when: what the question asks for, else something constant."""
    viewed, starts, ends = (
        exp.false() if event is None else scope.matches(event)
        for event in (asked.views, asked.starts, asked.ends)
    )
    tracker: exp.Expr = exp.null() if asked.tracker is None else _property(asked.tracker, scope.log)
    return {
        "seq": exp.Literal.number(0) if asked.by is None else exp.column("seq"),
        "part": exp.column("day") if asked.cut_at_midnight else exp.Literal.number(0),
        "tracker": exp.cast(tracker, "VARCHAR"),
        "viewed": viewed,
        "starts": starts,
        "ends": ends,
        "breakdown": scope.breakdown(asked.by, _COLUMNS),
    }


def _active(asked: Sessions, scope: Scope) -> exp.Expr:
    excluded = exp.false() if asked.exclude is None else scope.matches(asked.exclude)
    active: exp.Expr = exp.not_(exp.paren(excluded))
    if asked.tracker is None:
        return active
    return exp.and_(active, _property(asked.tracker, scope.log).is_(exp.null()).not_())


def _activity(columns: Mapping[str, exp.Expr], events: exp.Expr, active: exp.Expr) -> str:
    return bind(load(_PACKAGE, "sessions_activity"), {**columns, "events": events, "active": active})


def session_relations(asked: Sessions, scope: Scope) -> dict[str, str]:
    """Writes what sessions are made of, step by step.

    Args:
        asked: What a session is.
        scope: The question's common options.

    Returns:
        Relation -> its query, in order; the last one holds the sessions, see `sessions_source`.
    """
    told, active = _told(asked, scope), _active(asked, scope)
    placed, ended = load(_PACKAGE, "sessions_by_tracker"), {}
    if asked.tracker is None:
        placed = _by_idle(asked)
        ended = {} if asked.ends is None else {"ended": load(_PACKAGE, "sessions_ends")}
    longest = None if asked.max_length is None else parse_duration(asked.max_length)
    cut = asked.too_long == "cut" and longest is not None
    grouped = {}
    if asked.top is not None:
        kept = exp.and_(is_kept(set_apart=False), scope.inside("started_us"))
        grouped["grouped"] = largest_alone(asked.by, asked.top, "judged", kept)
    return {
        # sessions are whole whatever the range, so all events are needed
        "ev": _whole(scope).events(
            [active, *(told[name] for name in ("tracker", "viewed", "starts", "ends"))], by=asked.by
        ),
        "activity": _activity(told, exp.to_table("ev"), active),
        **ended,
        "placed": placed,
        "judged": bind(
            load(_PACKAGE, "sessions_judged"),
            {
                "first": _columns("us") if asked.by is None else _columns("us", "seq", "breakdown"),
                "cut_us": longest if cut else EVER_US,
                "longest_us": EVER_US if cut else longest,
                "fastest": asked.max_rate,
            },
        ),
        **grouped,
    }


def _by_idle(asked: Sessions) -> str:
    """Where sessions go by pauses; what a question does not ask for is not computed."""
    ends, midnight = asked.ends is not None, asked.cut_at_midnight
    return bind(
        load(_PACKAGE, "sessions_by_idle"),
        {
            "idle_us": parse_duration(asked.idle),
            "activity": exp.to_table("ended" if ends else "activity"),
            "parted": exp.column("part") > exp.column("last_part") if midnight else exp.false(),
            "ended": exp.column("last_end_us") >= exp.column("last_us") if ends else exp.false(),
        },
    )


def _named(name: str, value: exp.Expr) -> exp.Expr:
    return exp.alias_(value, name)


def _columns(*names: str) -> exp.Expr:
    columns = [exp.column(name) for name in names]
    return columns[0] if len(columns) == 1 else exp.Tuple(expressions=columns)


def session_listing(asked: Sessions, scope: Scope, *, set_apart: bool | None) -> str:
    """Writes the list of sessions.

    Args:
        asked: What a session is.
        scope: The question's common options.
        set_apart: Whether to list those that are set apart, or those that count; None lists both.

    Returns:
        A query over the relations of `session_relations`.
    """
    more: list[exp.Expr] = []
    if asked.tracker is not None:
        more.append(exp.alias_(exp.column("tracker"), "tracker_id"))
    if asked.views is not None:
        more.append(exp.column("views"))
    if set_apart is not False:
        more.append(exp.alias_(exp.column("set_apart"), "reason"))
    if set_apart is not None:
        # The pause is inclusive, and what happens at the horizon itself is not known.
        over = exp.column("ended_us") + parse_duration(asked.idle) < (scope.log.horizon_us or 0)
        more.append(exp.alias_(over, "complete"))
    return bind(
        load(_PACKAGE, "sessions"),
        {
            "keys": [
                exp.column(name) for name in (*([] if asked.by is None else [COLUMN]), "person", "session")
            ],
            "sessions": sessions_source(asked),
            "more": more,
            "kept": exp.true() if set_apart is None else is_kept(set_apart=set_apart),
            "inside": scope.inside("started_us"),
        },
    )


def sessions_source(asked: Sessions) -> exp.Expr:
    """Names the relation that holds the sessions."""
    return exp.to_table("judged" if asked.top is None else "grouped")


def is_kept(*, set_apart: bool) -> exp.Expr:
    """Builds the test whether a session counts, or whether it is set apart."""
    kept = exp.column("set_apart").is_(exp.null())
    return exp.not_(kept) if set_apart else kept


def _whole(scope: Scope) -> Scope:
    """The same scope over all time."""
    return replace(scope, span=Span.parse(None, None, scope.timezone))


def _property(name: str, log: EventLog) -> exp.Expr:
    if name not in log.properties:
        raise InputError.unknown("property", name, log.properties)
    return exp.column(name, quoted=True)
