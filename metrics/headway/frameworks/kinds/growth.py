"""Plans of growth: lifecycle, stickiness, amounts of cohorts, invitations, recurring revenue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sqlglot import exp

from headway.engine.sql import DIALECT, Replacement, bind, load, with_inputs
from headway.frameworks.kinds.amounts import NEGATIVE, added_by, count_of, exclusions_of
from headway.frameworks.kinds.plan import (
    Planner,
    Text,
    Units,
    any_of,
    bits_of,
    events_of,
    first_flags,
    flag,
    on_base,
    on_events,
    on_tally,
    tests_of,
)
from headway.frameworks.prelude import Prelude
from headway.frameworks.tallied import Moved, Tallied
from headway.models.durations import parse_duration
from headway.models.metrics import CohortAmount, Lifecycle, Mrr, Referral, Stickiness
from headway.statistics.estimates import Kind

_PACKAGE = "headway.frameworks.kinds"
_GONE = ("dormant", "kept")
_CAME = ("new", "resurrected")
# By part: the moves that are looked at, those of the numerator, those of the denominator, and what it is.
_PARTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], Kind]] = {
    "churn": (_GONE, ("dormant",), _GONE, "proportion"),
    "quick_ratio": ((*_CAME, "dormant"), _CAME, ("dormant",), "ratio"),
}
# Rates of recurring revenue: the columns that are divided. The parts of the bridge are columns of their own.
_RATES: Mapping[str, tuple[str, str]] = {
    "net_retention": ("kept", "opening"),
    "gross_retention": ("kept_at_most", "opening"),
}


def _lifecycle(metric: Lifecycle, shared: Prelude) -> Units:
    only = (metric.part,)
    moves, top, bottom, estimate = _PARTS.get(metric.part, (only, only, only, "count"))
    params = {"moves": list(moves), "top": list(top), "bottom": list(bottom)}
    active = any_of(tests_of(metric, shared))
    # Periods are numbered, and one looks back to the one before it: so they are all there.
    found = partial(on_tally, "lifecycle_moves", shared, [], active, periods=shared.all_periods_query)
    base: Text = found
    known = shared.firsts.get(active.sql(DIALECT))
    if known is not None:
        inputs: dict[str, str | exp.Expr] = {
            "firsts": known,
            "wanted": f"FROM {shared.stale}",
            "moves": found(),
        }
        text = bind(load(_PACKAGE, "lifecycle_known"), _unstamped(shared))
        base = with_inputs(text, inputs)
    bits = None if known is not None else bits_of(shared, metric.of)
    moved = None if bits is None else Moved(bits, moves, top, bottom)
    query = partial(on_base, "lifecycle", shared, params)
    return Units(query, estimate, base=base, stamped=shared.stamped, tallied=moved)


def _unstamped(shared: Prelude) -> dict[str, Replacement]:
    """How instants are read that may be stamped."""
    if shared.stamp is None or not shared.stamped:
        return {"origin": 0, "width": 1}
    return {"origin": shared.stamp.origin, "width": shared.stamp.width}


def _stickiness(metric: Stickiness, shared: Prelude) -> Units:
    query = partial(on_tally, "stickiness", shared, [], any_of(tests_of(metric, shared)))
    bits = bits_of(shared, metric.of)
    tallied = None if bits is None else Tallied(bits, bits, "days", x_as="period")
    return Units(query, "ratio", stamped=shared.stamped, tallied=tallied)


def _cohort_amount(metric: CohortAmount, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    columns = [
        flag(tests["start",], "is_start"),
        exp.alias_(added_by(metric.of, shared), "y_add", quoted=True),
    ]
    params = {"closes": parse_duration(metric.within) + 1}
    ev = first_flags(shared, tests["start",], events_of(shared, columns, any_of(tests)))
    query = on_events("cohort_amount", shared, columns, any_of(tests), params, ev=ev)
    return Units(query, "mean", metric.of.measure != "sum", exclusions_of(shared, metric.of))


def _referral(metric: Referral, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    columns = [
        exp.alias_(exp.column(metric.key, quoted=True), "key", quoted=True),
        *(flag(tests[name,], f"is_{name}") for name in ("start", "sent", "accepted")),
    ]
    of = {name: exp.column(name, table="counted", quoted=True) for name in ("sent", "accepted")}
    bottom: exp.Expr = of["sent"] if metric.part == "acceptance" else exp.Literal.number(1)
    params: dict[str, Replacement] = {
        "closes": parse_duration(metric.within) + 1,
        "top": of["sent" if metric.part == "sent" else "accepted"],
        "bottom": bottom,
    }
    query = on_events("referral", shared, columns, any_of(tests), params)
    return Units(query, "ratio" if metric.part == "acceptance" else "mean")


def _mrr(metric: Mrr, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    value = exp.cast(exp.column(metric.value, quoted=True), "DOUBLE")
    good = exp.GTE(this=value.copy(), expression=exp.Literal.number(0))
    said = exp.Case().when(tests["ends",].copy(), exp.Literal.number(0)).when(good, value)
    ends = exp.Paren(this=tests["ends",].copy())
    below = exp.and_(
        tests["event",].copy(),
        exp.Not(this=ends),
        exp.LT(this=value.copy(), expression=exp.Literal.number(0)),
    )
    key = exp.column(metric.account or "_person", quoted=True)
    columns = [
        exp.alias_(key, "key", quoted=True),
        exp.alias_(said, "mrr", quoted=True),
    ]
    top, bottom = _RATES.get(metric.part, (metric.part, "nothing"))
    params = {"top": exp.column(top, quoted=True), "bottom": exp.column(bottom, quoted=True)}
    # Only the parts differ: the bridge is written where its rows are wanted.
    base = partial(_stamped_bridge, shared, columns, any_of(tests))
    query = partial(on_base, "mrr", shared, params)
    estimate: Kind = "ratio" if metric.part in _RATES else "total"
    excluded = {NEGATIVE: count_of(shared, below)}
    return Units(
        query, estimate, whole=False, exclusions=excluded, base=base, whole_x=False, stamped=shared.stamped
    )


def _stamped_bridge(shared: Prelude, columns: list[exp.Expr], keep: exp.Expr) -> str:
    """Writes the query of the bridge, with profiles where instants are stamped: all its parts count under the same."""
    bridge = _bridge(shared, events_of(replace(shared, events=shared.log), columns, keep))
    if shared.stamp is None or not shared.stamped:
        return bridge
    inputs = {"bridge": bridge, "profiles": f"FROM {shared.stamp.spans}"}
    return with_inputs(bind(load(_PACKAGE, "mrr_stamped"), _unstamped(shared)), inputs)


def _bridge(shared: Prelude, told: exp.Expr) -> str:
    """Writes the query of the bridge, as far as its months are computed."""
    text, every = load(_PACKAGE, "mrr_bridge"), shared.all_periods_query
    if not shared.stale:
        return with_inputs(text, {"periods": every, "ev": told})
    wanted = f"FROM {shared.stale}"
    periods = with_inputs(load(_PACKAGE, "bridge_periods"), {"every": every, "wanted": wanted})
    bridge = with_inputs(text, {"periods": periods, "ev": told})
    return with_inputs(load(_PACKAGE, "bridge_wanted"), {"wanted": wanted, "bridge": bridge})


PLANNERS: Mapping[type, Planner] = {
    Lifecycle: _lifecycle,
    Stickiness: _stickiness,
    CohortAmount: _cohort_amount,
    Referral: _referral,
    Mrr: _mrr,
}
"""Planner by kind of metric."""
