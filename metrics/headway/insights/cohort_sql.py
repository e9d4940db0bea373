"""The query of a cohort: one pass over the events, one condition per person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
import sqlglot
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.engine.sql import DIALECT
from headway.errors import InputError
from headway.insights.cohorts import Cohort, Combined, Did, Inverse, People, Where
from headway.log import EventLog
from headway.models.durations import parse_duration
from headway.periods import EPOCH, Moment, Span, local_day
from headway.selectors import Selector, names_of, parse_where

if TYPE_CHECKING:
    from headway.insights.question import Scope

_PACKAGE = "headway.insights"
_PERSON = "person"
# Running, not over all events of the person: what the window looks at never depends on how it is run.
_FIRST = "MIN(:at) OVER (PARTITION BY person ORDER BY us)"


def cohort_query(cohort: Cohort, scope: Scope) -> str:
    """Writes the query of the people in a cohort.

    Args:
        cohort: The cohort.
        scope: The question it is asked for: its log, its time zone and the end of its range.

    Returns:
        A query with one column ``person``, a row per person in it.

    Raises:
        InputError: An event never occurs, a property is unknown, or a list is of other people.
    """
    anchors = {of: f"anchor {i}" for i, of in enumerate(dict.fromkeys(_anchors(cohort)), start=1)}
    log = scope.log
    names = {name for name in names_of(_conditions(cohort, scope)) if name != "event"}
    ctes = {"ev": log.prelude(sorted(names), timezone=scope.timezone)}
    if anchors:
        columns = [_running_first(of, name, scope) for of, name in anchors.items()]
        ctes["anchored"] = bind(load(_PACKAGE, "cohort_anchored"), {"anchors": columns})
    text = bind(
        load(_PACKAGE, "cohort"),
        {
            "events": exp.to_table("anchored" if anchors else "ev"),
            "holds": _holds(cohort, scope, anchors),
        },
    )
    return with_inputs(text, ctes)


def listed(
    cohort: Cohort, log: EventLog, *, until: Moment | None = None, timezone: str | None = None
) -> pl.DataFrame:
    """Lists the people in a cohort.

    Args:
        cohort: The cohort.
        log: The log.
        until: Last day or instant to look at.
        timezone: Time zone of days.

    Returns:
        Column ``person``, sorted.
    """
    from headway.insights.question import Scope

    zone = timezone or log.timezone
    scope = Scope(log, zone, log.week_start, Span.parse(None, until, zone), None)
    return log.sql(cohort_query(cohort, scope)).sort("person")


def _leaves(cohort: Cohort) -> Iterator[Cohort]:
    match cohort:
        case Inverse(part=part):
            yield from _leaves(part)
        case Combined(parts=parts):
            for part in parts:
                yield from _leaves(part)
        case _:
            yield cohort


def _anchors(cohort: Cohort) -> Iterator[Selector | None]:
    """What windows and first times are counted from; None is the person's first event."""
    for did in _leaves(cohort):
        if isinstance(did, Did) and did.within is not None:
            yield did.of
        if isinstance(did, Did) and did.first_time:
            yield did.event


def _conditions(cohort: Cohort, scope: Scope) -> Iterator[exp.Expr]:
    for leaf in _leaves(cohort):
        if isinstance(leaf, Did):
            yield scope.matches(leaf.event)
            yield exp.true() if leaf.of is None else scope.matches(leaf.of)
        if isinstance(leaf, Where):
            yield _latest(leaf.condition, scope.log)


def _running_first(of: Selector | None, name: str, scope: Scope) -> exp.Expr:
    us = exp.column("us")
    at = us if of is None else exp.Case().when(scope.matches(of), us)
    return exp.alias_(
        exp.replace_placeholders(sqlglot.parse_one(_FIRST, read=DIALECT), at=at), name, quoted=True
    )


def _holds(cohort: Cohort, scope: Scope, anchors: dict[Selector | None, str]) -> exp.Expr:
    match cohort:
        case Did():
            return _did(cohort, scope, anchors)
        case Where():
            return _any_event(_latest(cohort.condition, scope.log))
        case People():
            return _any_event(_on_list(cohort, scope.log))
        case Inverse(part=part):
            return exp.Not(this=exp.Paren(this=_holds(part, scope, anchors)))
        case Combined(kind=kind, parts=parts):
            tests = [exp.Paren(this=_holds(part, scope, anchors)) for part in parts]
            return exp.and_(*tests) if kind == "and" else exp.or_(*tests)
    raise InputError(f"a {type(cohort).__name__} is no cohort that can be asked of a log")


def _did(did: Did, scope: Scope, anchors: dict[Selector | None, str]) -> exp.Expr:
    span = Span.parse(did.since, did.until, scope.timezone)
    until_us = span.until_us if did.until is not None else scope.cohort_until_us
    us = exp.column("us")
    tests: list[exp.Expr] = [scope.matches(did.event)]
    tests += [] if span.since_us is None else [us.copy() >= span.since_us]
    tests += [] if until_us is None else [us.copy() <= until_us]
    if did.last_days is not None:
        end = scope.log.last_us or 0 if until_us is None else until_us
        tests.append(exp.column("day") > (local_day(end, scope.timezone) - EPOCH).days - did.last_days)
    # Before an anchor there is null in its place, and what is compared with null does not count.
    if did.within is not None:
        tests.append(us.copy() <= exp.column(anchors[did.of], quoted=True) + parse_duration(did.within))
    if did.first_time:
        tests.append(us.copy().eq(exp.column(anchors[did.event], quoted=True)))
    count = exp.Sum(this=_one_if(exp.and_(*tests)))
    least, most = did.times
    limits: list[exp.Expr] = [count >= least] if least else []
    limits += [count.copy() <= most] if most is not None else []
    return exp.and_(*limits)


def _one_if(test: exp.Expr) -> exp.Expr:
    return exp.Case().when(test, exp.Literal.number(1)).else_(exp.Literal.number(0))


def _any_event(test: exp.Expr) -> exp.Expr:
    return exp.Max(this=_one_if(test)).eq(1)


def _latest(text: str, log: EventLog) -> exp.Expr:
    """The condition on properties of people, read as last known."""
    known = [name for name in log.properties if name.startswith((f"{_PERSON}.", f"{_PERSON}_latest."))]
    tree = parse_where(text, known or log.properties)
    for column in tree.find_all(exp.Column):
        subject, _, name = column.name.partition(".")
        if subject not in (_PERSON, f"{_PERSON}_latest") or not name:
            raise InputError(
                f"{column.name!r} is not a property of people: write person.x, or take people by their events, for "
                'example hw.Did(hw.Event(None, where="..."))'
            )
        column.set("this", exp.to_identifier(f"{_PERSON}_latest.{name}", quoted=True))
    return tree


def _on_list(people: People, log: EventLog) -> exp.Expr:
    kept = exp.select("person").from_(exp.to_table(log.keep_people(people.texts), dialect=DIALECT))
    return exp.In(this=exp.cast(exp.column("person"), "VARCHAR"), query=kept.subquery())
