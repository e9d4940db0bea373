"""The query of a trend, put together from its parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.insights.question import Scope
from headway.insights.trend_measures import Measure
from headway.insights.trend_range import range_before
from headway.periods import EPOCH, period_start
from headway.selectors import as_event

if TYPE_CHECKING:
    from headway.insights.trend import Trend

_PACKAGE = "headway.insights"
COLUMNS = ("period_start", "value", "value_before", "change", "change_share", "complete")


def trend_query(asked: Trend, scope: Scope) -> str:
    """Writes the query.

    Args:
        asked: The trend.
        scope: Its options applied to a log.

    Returns:
        A query with the columns of `TrendResult.frame`, and ``touch``, the group, first.

    Raises:
        InputError: An event never occurs, a property is unknown or no number, or an option is wrong.
    """
    if asked.compare is None:
        ctes = _cells(asked, scope)
        return with_inputs(bind(load(_PACKAGE, "trend"), {"columns": _columns(asked)}), ctes)
    ctes = _cells(asked, scope)
    earlier = _cells(asked, replace(scope, span=range_before(scope, asked.period)), ranked=scope)
    text = bind(
        load(_PACKAGE, "trend_compared"),
        {
            "columns": _columns(asked),
            "first": _first(asked, scope),
            "none": Measure.parse(asked.measure).none,
            "observed_us": scope.observed_us,
        },
    )
    everything = "SELECT touch, place, value\nFROM shown"
    inputs = {"now": with_inputs(everything, ctes), "before": with_inputs(everything, earlier)}
    return with_inputs(text, {**inputs, "calendar": ctes["calendar"]})


def _columns(asked: Trend) -> list[exp.Expr]:
    """The group and the columns of the frame."""
    compared = () if asked.compare else ("value_before", "change", "change_share")
    names = [name for name in COLUMNS if name not in compared]
    if asked.period is None:
        names.remove("period_start")
    return [exp.column("touch"), *map(exp.column, names)]


def _cells(asked: Trend, scope: Scope, ranked: Scope | None = None) -> dict[str, str]:
    """The relations up to ``shown``: one row per breakdown value and period.

    Where only the largest groups are kept, they are those of the range `ranked`.
    """
    measure = Measure.parse(asked.measure)
    ctes = _matched(asked, scope, measure, ranked if asked.top is not None else None)
    counted, aggregate = "matched", measure.aggregate()
    if measure.per_person:
        ctes["per_person"], counted = load(_PACKAGE, "trend_per_person"), "per_person"
    if asked.cumulative and measure.kind == "people":
        ctes["joined"], counted = load(_PACKAGE, "trend_joined"), "joined"
        aggregate = Measure("total").aggregate()
    ctes["calendar"] = _calendar(asked, scope)
    ctes["measured"] = (
        bind(load(_PACKAGE, "trend_rolling"), {"days": asked.window, "last_day": scope.last_day()})
        if asked.window is not None
        else bind(load(_PACKAGE, "trend_measured"), {"measure": aggregate, "counted": exp.to_table(counted)})
    )
    ctes["groups"] = load(_PACKAGE, "trend_everybody" if asked.by is None else "trend_groups")
    cells = bind(
        load(_PACKAGE, "trend_cells"),
        {"first": _first(asked, scope), "none": measure.none, "observed_us": scope.observed_us},
    )
    if not asked.cumulative:
        return {**ctes, "shown": cells}
    order = exp.Order(expressions=[exp.Ordered(this=exp.column("place"))])
    running: exp.Expr = exp.Window(
        this=exp.Sum(this=exp.column("value")), partition_by=[exp.column("touch")], order=order
    )
    if measure.kind != "sum":
        running = exp.cast(running, "BIGINT")
    return {**ctes, "cells": cells, "shown": bind(load(_PACKAGE, "trend_cumulative"), {"running": running})}


def _matched(asked: Trend, scope: Scope, measure: Measure, ranked: Scope | None) -> dict[str, str]:
    """The events in question, or the first ones of people."""
    event = as_event(asked.event)
    matches = scope.matches(event)
    values: dict[str, exp.Expr | int] = {
        "touch": scope.breakdown(asked.by, COLUMNS),
        "matches": matches,
        "period": 0 if asked.period is None else exp.column("period"),
    }
    if measure.kind == "first_time":
        candidate = matches if asked.first == "matching" else scope.matches(replace(event, where=None))
        ev = _events(asked, ranked or scope, matches, candidate, ever=True)
        values |= {"candidate": candidate, "inside": scope.inside()}
        return {"ev": ev, "matched": bind(load(_PACKAGE, "trend_first"), values)}
    amount = measure.number(scope.log)
    source = _reaching_back(asked, scope)
    if ranked is None:
        ev = _events(asked, source, matches, amount, ranked_in=scope)
    else:
        # Groups are ranked by another range than the one that is counted, so that both are needed.
        ev = _events(asked, _reaching_back(asked, ranked), matches, amount, ranked_in=ranked, ever=True)
        values["matches"] = exp.and_(exp.paren(matches), source.inside())
    return {"ev": ev, "matched": bind(load(_PACKAGE, "trend_matched"), {**values, "amount": amount})}


def _events(
    asked: Trend,
    scope: Scope,
    matches: exp.Expr,
    used: exp.Expr,
    *,
    ranked_in: Scope | None = None,
    ever: bool = False,
) -> str:
    # What a window reaches back to is counted, but ranks no groups.
    counted = matches if ranked_in is None else exp.and_(matches, ranked_in.inside())
    return scope.events(
        [matches, used], by=asked.by, top=asked.top, counted=counted, period=asked.period, ever=ever
    )


def _reaching_back(asked: Trend, scope: Scope) -> Scope:
    """The scope whose events begin with the first day of the first window, if people are counted in windows."""
    if asked.window is None:
        return scope
    first, last = scope.periods(asked.period or "day")
    look = scope.last_day()
    if asked.period is not None and first <= last:
        after = period_start(first + 1, asked.period, scope.week_start)
        look = min(look, (after - EPOCH).days - 1)
    return scope.reaching_back(look - asked.window + 1)


def _first(asked: Trend, scope: Scope) -> int:
    return 0 if asked.period is None else scope.periods(asked.period)[0]


def _calendar(asked: Trend, scope: Scope) -> str:
    if asked.period is not None:
        return scope.calendar(asked.period)
    # An open end is the end of the log: what is known of such a range is all there is of it.
    until = scope.span.until_us
    ends = scope.observed_us if until is None else until + 1
    known = scope.log.horizon_us is not None
    return bind(
        load(_PACKAGE, "trend_whole"),
        {"last_day": scope.last_day(), "ends_us": ends if known else ends + 1},
    )
