"""Plans of counts, running totals and ratios: what each event adds to a numerator and to a denominator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from sqlglot import exp

from headway.arithmetic import names_in, parse_arithmetic
from headway.engine.sql import Replacement, bind, load, with_inputs
from headway.frameworks.kinds.plan import (
    POINTS,
    Planner,
    Running,
    Units,
    bits_of,
    events_of,
    on_events,
    on_tally,
    tally_of,
)
from headway.frameworks.prelude import Prelude
from headway.frameworks.tallied import Listed, Tallied
from headway.models.metrics import Amount, Count, Cumulative, EventSelector, Ratio
from headway.statistics.estimates import Kind

NEGATIVE = "the value is below 0"
NO_RATE = "no exchange rate for the currency and day"

_ONE = exp.Literal.number(1)


def _count(metric: Count, shared: Prelude) -> Units:
    amount = metric.of
    added = added_by(amount, shared)
    columns = [_named(added, "y_add"), _named(added.copy(), "x_add")]
    people = amount.measure == "people"
    modes = {"y_once": people, "x_once": True, "y_once_a_day": False, "x_once_a_day": False}
    query = partial(_added_up, shared, columns, modes, amount)
    estimate: Kind = "count" if people else "total"
    excluded, stamped = exclusions_of(shared, amount), _stamped(shared, amount)
    # The denominator is looked at where the estimate is a total: there it is whether anything was added.
    tallied = _tallied(shared, amount, amount, x_as="any")
    return Units(query, estimate, amount.measure != "sum", excluded, stamped=stamped, tallied=tallied)


def _ratio(metric: Ratio, shared: Prelude) -> Units:
    top, bottom = metric.numerator, metric.denominator
    columns = [_named(added_by(top, shared), "y_add"), _named(added_by(bottom, shared), "x_add")]
    modes = {
        "y_once": top.measure == "people",
        "y_once_a_day": top.measure == "days",
        "x_once": bottom.measure == "people",
        "x_once_a_day": bottom.measure == "days",
    }
    query = partial(_added_up, shared, columns, modes, top, bottom)
    whole, whole_x = "sum" not in (top.measure, bottom.measure), bottom.measure != "sum"
    excluded, stamped = exclusions_of(shared, top, bottom), _stamped(shared, top, bottom)
    tallied = _tallied(shared, top, bottom, x_as=_COUNTED_AS.get(bottom.measure, "times"))
    return Units(query, "ratio", whole, excluded, whole_x=whole_x, stamped=stamped, tallied=tallied)


def _cumulative(metric: Cumulative, shared: Prelude) -> Running:
    amount = metric.of
    columns, keep = [_named(added_by(amount, shared), "y_add")], _events(shared, amount)
    if amount.value is None:
        events = tally_of(shared, columns, keep)
    else:
        events = events_of(shared, [*columns, _named(_ONE.copy(), "n")], keep)
    once = amount.measure == "people"
    fractions = amount.measure == "sum"
    day, days = exp.column("y_add"), exp.column("y", table="days")
    sums: dict[str, Replacement] = {
        "added": _sum(exp.Mul(this=exp.column("n"), expression=day.copy()), day if fractions else None),
        "together": _sum(days, days if fractions else None),
    }
    text = bind(load("headway.frameworks.kinds", "running"), {"once": once, **sums})
    query = with_inputs(text, {"points": f"FROM {POINTS}", "ev": events})
    # As a total in every case: who is new to it is in x.
    units = Units(query, "total", amount.measure != "sum", exclusions_of(shared, amount))
    return Running(units, metric.begins, once)


def _added_up(shared: Prelude, columns: list[exp.Expr], modes: dict[str, bool], *amounts: Amount) -> str:
    """Adds amounts up: numbers of events, people or days out of what people did on each day, values event by event."""
    keep = _events(shared, *amounts)
    if any(amount.value is not None for amount in amounts):
        return on_events("amounts", shared, [*columns, _named(_ONE.copy(), "n")], keep, modes)
    if any(amount.measure == "days" for amount in amounts):
        return on_tally("amounts", shared, columns, keep, modes)
    return on_tally("counted", shared, columns, keep, {name: modes[name] for name in ("y_once", "x_once")})


def _stamped(shared: Prelude, *amounts: Amount) -> bool:
    """Whether amounts are added up out of the tally, and that is stamped."""
    return shared.stamped and all(amount.value is None for amount in amounts)


def _listed(
    shared: Prelude, top: Amount, bottom: Amount, x_as: Literal["any", "times", "days"]
) -> Listed | None:
    """Adds a sum up, and counts something else or the people who add to it."""
    x = () if bottom is top else bits_of(shared, bottom.event)
    columns = [_named(added_by(top, shared), "y_add")]
    query = on_events("amounts_listed", shared, columns, _events(shared, top), periods=False)
    return None if x is None else Listed(query, x_as, x)


_COUNTED_AS: Mapping[str, Literal["any", "days"]] = {"people": "any", "days": "days"}


def _tallied(
    shared: Prelude, top: Amount, bottom: Amount, x_as: Literal["any", "times", "days"]
) -> Tallied | Listed | None:
    """Adds amounts up that are numbers of events, people or days, or such a number and a sum."""
    if shared.stamped and top.value is not None and (bottom is top or bottom.value is None):
        return _listed(shared, top, bottom, x_as)
    if not _stamped(shared, top, bottom):
        return None
    either = bits_of(shared, top.event, bottom.event)
    y, x = bits_of(shared, top.event), bits_of(shared, bottom.event)
    if either is None or y is None or x is None:
        return None
    return Tallied(either, y, _COUNTED_AS.get(top.measure, "times"), x, x_as)


def _sum(what: exp.Expr, by: exp.Expr | None) -> exp.Expr:
    """Adds up, in the order of something."""
    added = (
        what.copy() if by is None else exp.Order(this=what.copy(), expressions=[exp.Ordered(this=by.copy())])
    )
    return exp.func("sum", added)


def _named(added: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(added, name, quoted=True)


def _test(selector: EventSelector, shared: Prelude) -> exp.Expr:
    return shared.marks.test(selector, shared.columns)


def _events(shared: Prelude, *amounts: Amount) -> exp.Expr:
    selectors = [each for amount in amounts for each in (amount.event, amount.minus) if each is not None]
    return exp.or_(*(_test(each, shared) for each in selectors))


def added_by(amount: Amount, shared: Prelude) -> exp.Expr:
    """Writes what an event adds, null where it adds nothing.

    Args:
        amount: What is added up.
        shared: The shared input.

    Returns:
        An expression over the columns of `events`.
    """
    if amount.value is None:
        return exp.Case().when(_test(amount.event, shared), _ONE.copy())
    value = _value(amount, shared)
    good = exp.GTE(this=value.copy(), expression=exp.Literal.number(0))
    test = _test(amount.event, shared)
    if amount.negative == "exclude":
        test = exp.and_(test, good)
    added = exp.Case().when(test, value.copy())
    if amount.minus is not None:
        # What is given back may be told as a positive or as a negative number.
        back = exp.Neg(this=exp.Abs(this=value.copy()))
        added = added.when(_test(amount.minus, shared), back)
    return added


def _value(amount: Amount, shared: Prelude) -> exp.Expr:
    """The value of an event in the product's currency; null where it has none, or no rate is known."""
    text = str(amount.value)
    value: exp.Expr = exp.cast(parse_arithmetic(text, names_in(text), what="value"), "DOUBLE")
    if amount.currency is None:
        return value
    return exp.Mul(this=value, expression=_rate(amount.currency, shared))


def _rate(currency: str, shared: Prelude) -> exp.Expr:
    """Looks the rate of an event's day up; that of the product's own currency is 1."""
    code = exp.column(currency, table="events", quoted=True)
    own = exp.EQ(this=code, expression=exp.Literal.string(shared.currency))
    rate = (
        exp.select(exp.column("rate", table="rates"))
        .from_(f"{shared.rates} AS rates")
        .where(
            exp.EQ(this=exp.column("currency", table="rates"), expression=code.copy()),
            exp.EQ(this=exp.column("day", table="rates"), expression=exp.column("_day", table="events")),
        )
    )
    return exp.Paren(this=exp.Case().when(own, exp.cast(_ONE.copy(), "DOUBLE")).else_(rate.subquery()))


def exclusions_of(shared: Prelude, *amounts: Amount) -> dict[str, str]:
    """Writes the queries that count what had to be left out.

    Args:
        shared: The shared input.
        *amounts: What is added up.

    Returns:
        Query by reason.
    """
    found: dict[str, list[exp.Expr]] = {}
    for amount in amounts:
        if amount.value is None:
            continue
        text = amount.value
        plain = parse_arithmetic(text, names_in(text), what="value")
        test = _events(shared, amount)
        if amount.currency is not None:
            missing = exp.Is(this=_rate(amount.currency, shared), expression=exp.Null())
            present = exp.Not(this=exp.Is(this=plain.copy(), expression=exp.Null()))
            found.setdefault(NO_RATE, []).append(exp.and_(test.copy(), present, missing))
        if amount.negative == "exclude":
            below = exp.LT(this=plain.copy(), expression=exp.Literal.number(0))
            found.setdefault(NEGATIVE, []).append(exp.and_(_test(amount.event, shared), below))
    return {reason: count_of(shared, exp.or_(*tests)) for reason, tests in found.items()}


def count_of(shared: Prelude, test: exp.Expr) -> str:
    """Writes the query that counts the events for which a condition holds.

    Args:
        shared: The shared input.
        test: The condition, over the columns of `events`.

    Returns:
        One statement with one number.
    """
    dropped = exp.select("*").from_(f"{shared.log} AS events").where(test)
    return with_inputs(load("headway.frameworks.kinds", "excluded"), {"dropped": dropped})


PLANNERS: Mapping[type, Planner] = {Count: _count, Cumulative: _cumulative, Ratio: _ratio}
"""Planner by kind of metric."""
