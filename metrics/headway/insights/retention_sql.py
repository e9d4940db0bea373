"""The relations retention is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import exp

from headway.engine import bind, load
from headway.insights.breakdown import By
from headway.insights.question import Scope
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.periods import EPOCH, Period, local_day

_PACKAGE = "headway.insights"
_HOUR_US = 3_600_000_000
# Keeps the division of hours, which cuts towards zero, away from negative numbers.
_HOURS_BEFORE = 1_000_000
ROLLING_DAYS = {"day": 1, "week": 7, "month": 30}

Anchor = Literal["instant", "hour", "day"]
Span = tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """A retention question, applied to one log.

    Attributes:
        starts: Test for start events.
        returns: Test for returning events.
        period: Length of the periods.
        recurring: Whether every period with a start is a cohort of the person.
        criterion: ``"on"``, ``"on_or_after"`` or ``"streak"``.
        anchor: What rolling windows count from; None for calendar periods.
        spans: First and last period of each column, column 0 included.
        min_events: Returning events a column needs.
        by: What to break down by, or None.
        top: Number of groups to keep, or None.
        touch: Value of the breakdown, or None.
        same: Whether each value of the breakdown is a question of its own.
    """

    starts: exp.Expr
    returns: exp.Expr
    period: Period
    recurring: bool
    criterion: str
    anchor: Anchor | None
    spans: Sequence[Span]
    min_events: int
    by: By | None
    top: int | None
    touch: exp.Expr | None
    same: bool

    @property
    def bracketed(self) -> bool:
        """Whether some column holds several periods."""
        return any(opens != closes for opens, closes in self.spans)

    @property
    def furthest(self) -> bool:
        """Whether a person counts in all columns up to one, so that ``returned`` needs that one only."""
        return self.criterion == "on_or_after" or self.runs

    @property
    def runs(self) -> bool:
        """Whether streaks are runs of calendar periods."""
        return self.criterion == "streak" and self.anchor is None and not self.bracketed

    @property
    def last(self) -> int:
        """Number of the last column."""
        return len(self.spans) - 1

    @property
    def width(self) -> int:
        """Length of a rolling window, in what its anchor counts."""
        days = ROLLING_DAYS[self.period]
        return {"instant": MICROSECONDS_PER_DAY, "hour": 24, "day": 1}[self.anchor or "instant"] * days

    def keys(self, table: str | None = None) -> list[exp.Expr]:
        """Columns that say who is counted."""
        names = ["person", "touch"] if self.same else ["person"]
        return [exp.column(name, table=table) for name in names]

    def joined(self, one: str, other: str) -> exp.Expr:
        """Test whether rows of two relations are of the same."""
        pairs = zip(self.keys(one), self.keys(other), strict=True)
        return exp.and_(*(exp.EQ(this=left, expression=right) for left, right in pairs))


def relations(plan: Plan, scope: Scope) -> dict[str, str]:
    """Writes the queries from events to the people who returned.

    Args:
        plan: The question.
        scope: Its common options, applied to the log.

    Returns:
        Query texts by name, in an order in which each uses those before it: ``ev``, ``marked``, ``activity``,
        ``entered``, ``starters``, ``spans``, ``returned`` and ``calendar`` among them.
    """
    own = {"own": plan.keys("activity")}
    entered = {**own, "keys": plan.keys(), "same": plan.joined("ever", "activity")}
    rows = [(number, *span) for number, span in enumerate(plan.spans)]
    listed = exp.values(rows, alias="listed", columns=["number", "opens", "closes"])
    return {
        "ev": scope.events(
            [plan.starts, plan.returns],
            by=plan.by,
            top=plan.top,
            counted=plan.starts,
            period=plan.period,
            ever=not plan.recurring,
        ),
        "marked": _marked(plan, scope),
        "activity": _text("activity", keys=plan.keys()),
        "entered": _text("entered_recurring", **own)
        if plan.recurring
        else _text("entered_first_time", **entered),
        "starters": _starters(plan),
        "spans": _text("spans", rows=listed),
        **_returned(plan),
        "calendar": scope.calendar(plan.period),
    }


def reached(plan: Plan, scope: Scope) -> dict[str, str]:
    """Writes the queries that count cells.

    Args:
        plan: The question.
        scope: Its common options, applied to the log.

    Returns:
        ``reached`` and ``cells``, and what they use beyond `relations`.
    """
    if plan.furthest:
        counted = {"reached": _text("reached_on_or_after")}
    else:
        counted = {"kept": kept(plan), "reached": _text("reached")}
    days = ROLLING_DAYS[plan.period]
    over = {"observed_us": scope.observed_us}
    if plan.anchor is None:
        return {**counted, "cells": _text("cells_calendar", **over)}
    last = {
        "instant": exp.column("ends_us", table="cohort"),
        "hour": _hour(exp.column("ends_us", table="cohort") - 1),
        "day": exp.column("last_day", table="cohort"),
    }[plan.anchor]
    rolling = {"last": last, "width": plan.width, "width_days": days, "now": _now(plan.anchor, scope)}
    return {**counted, "cells": _text("cells_rolling", **rolling, **over)}


def kept(plan: Plan) -> str:
    """Writes the query for the people of each cell.

    Args:
        plan: The question.

    Returns:
        Query text.
    """
    if plan.furthest:
        return _text("kept_on_or_after")
    return _text(f"kept_{plan.criterion}", last=plan.last)


def lifetimes(plan: Plan, scope: Scope) -> tuple[str, dict[str, str]]:
    """Writes the query for last returns, for a survival curve.

    Args:
        plan: The question; criterion and brackets play no part.
        scope: Its common options, applied to the log.

    Returns:
        Query text and its relations.
    """
    alone = replace(plan, criterion="on_or_after", spans=[(0, 0), (1, 1)])
    observed: exp.Expr = exp.column("period", table="known") - exp.column("cohort", table="starters")
    if plan.anchor is not None:
        passed = exp.convert(_now(plan.anchor, scope)) - exp.column("point", table="starters")
        # Windows that are over; a start after the horizon makes this negative, whichever way it is cut.
        observed = exp.IntDiv(this=exp.paren(passed), expression=exp.convert(plan.width)) - 1
    text = _text("lifetimes", observed=exp.func("coalesce", observed, -1), observed_us=scope.observed_us)
    return text, relations(alone, scope)


def _now(anchor: Anchor, scope: Scope) -> int:
    """The end of what is known, in what an anchor counts."""
    return {
        "instant": scope.observed_us,
        "hour": scope.observed_us // _HOUR_US + _HOURS_BEFORE,
        "day": (local_day(scope.observed_us, scope.timezone) - EPOCH).days,
    }[anchor]


def _hour(us: exp.Expr) -> exp.Expr:
    return exp.IntDiv(this=exp.paren(us + _HOUR_US * _HOURS_BEFORE), expression=exp.convert(_HOUR_US))


def _marked(plan: Plan, scope: Scope) -> str:
    columns: list[exp.Expr] = [exp.column("period")]
    if plan.touch is not None:
        columns += [exp.column("seq"), exp.alias_(plan.touch, "touch")]
    us = exp.column("us")
    point = {
        "instant": us,
        "hour": _hour(us),
        "day": exp.column("day"),
    }[plan.anchor or "instant"]
    return _text(
        "marked",
        columns=columns,
        point=point,
        starts=plan.starts,
        returns=plan.returns,
        inside=scope.inside(),
        any=exp.or_(plan.starts, plan.returns),
    )


def _starters(plan: Plan) -> str:
    if plan.touch is not None and not plan.same:
        return _text("starters_touched")
    return _text("starters", touch=exp.column("touch") if plan.same else exp.Literal.string("(all)"))


def _returned(plan: Plan) -> dict[str, str]:
    same = plan.joined("starters", "activity")
    least = {"min_events": plan.min_events}
    if plan.anchor is not None:
        windows = _text("later_rolling", width=plan.width, same=plan.joined("starters", "marked"))
        return {"later": windows, "returned": _text("returned", number=_number(plan), **least)}
    if plan.runs:
        joined = {"first": plan.joined("starters", "runs"), "same": plan.joined("runs", "final")}
        streak = _text("returned_streak", keys=plan.keys(), **joined)
        return {"runs": _text("runs", keys=plan.keys(), **least), "returned": streak}
    if plan.criterion == "on_or_after" and (plan.min_events == 1 or not plan.bracketed):
        final = plan.joined("starters", "final")
        return {
            "returned": _text("returned_latest", number=_number(plan), keys=plan.keys(), same=final, **least)
        }
    if plan.bracketed:
        brackets = {"returned": _text("returned", number=_number(plan), **least)}
        return {"later": _text("later_calendar", same=same), **brackets}
    return {"returned": _text("returned_calendar", same=same, last=plan.last, **least)}


def _number(plan: Plan) -> exp.Expr:
    later = exp.column("later")
    if not plan.bracketed:
        return later
    case = exp.Case()
    for number, (_, closes) in enumerate(plan.spans[1:], start=1):
        case = case.when(exp.LTE(this=later.copy(), expression=exp.convert(closes)), exp.convert(number))
    return case.else_(exp.convert(plan.last + 1))


def _text(name: str, **parameters: object) -> str:
    return bind(load(_PACKAGE, f"retention_{name}"), parameters)  # type: ignore[arg-type]
