"""Plans of answers, attempts and sessions."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from headway.frameworks.kinds.amounts import count_of
from headway.frameworks.kinds.plan import Planner, Units, Weighted, any_of, flag, on_events, tests_of
from headway.frameworks.prelude import Prelude
from headway.models.durations import parse_duration
from headway.models.metrics import CrashFree, Survey, Task

OFF_SCALE = "the answer is not on the scale"


def _survey(metric: Survey, shared: Prelude) -> Units | Weighted:
    tests = tests_of(metric, shared)
    answers = tests["event",]
    score = exp.column(metric.score, quoted=True)
    low, high = (exp.convert(end) for end in metric.scale)
    on_scale = exp.Between(this=score.copy(), low=low, high=high)
    off = exp.and_(answers.copy(), exp.Not(this=exp.Paren(this=on_scale.copy())))
    units = Units(
        last_answers(shared, score, exp.and_(answers.copy(), on_scale), _worth(metric, score)),
        "proportion" if metric.measure == "top" else "mean",
        whole=metric.measure == "top",
        exclusions={OFF_SCALE: count_of(shared, off)},
    )
    if metric.shown is None:
        return units
    shown = tests["shown",]
    columns = [flag(shown, "is_of"), flag(shown, "is_counted")]
    people = on_events("per_person", shared, columns, shown, {"once_a_day": True, "once": True})
    low_end, high_end = (0.0, 1.0) if metric.measure == "top" else metric.scale
    return Weighted(units, Units(people, "count"), (float(low_end), float(high_end)))


def last_answers(shared: Prelude, score: exp.Expr, keep: exp.Expr, worth: exp.Expr) -> str:
    """Writes the query of the last answer of each person in each period.

    Args:
        shared: The shared input.
        score: The answer, over the columns of the events.
        keep: Which events are answers that count.
        worth: What an answer is worth, over the same columns.

    Returns:
        One statement: the rows of `Units`.
    """
    columns = [exp.alias_(score, "score", quoted=True), exp.alias_(worth, "worth", quoted=True)]
    return on_events("last_answers", shared, columns, keep)


def _worth(metric: Survey, score: exp.Expr) -> exp.Expr:
    if metric.top is None:
        return exp.cast(score.copy(), "DOUBLE")
    satisfied = exp.GTE(this=score.copy(), expression=exp.convert(metric.top))
    return exp.Case().when(satisfied, exp.Literal.number(1)).else_(exp.Literal.number(0))


def _task(metric: Task, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    key = exp.column(metric.key or "_person", quoted=True)
    failure = tests.get(("failure",), exp.false())
    columns = [
        exp.alias_(exp.cast(key, "VARCHAR"), "key", quoted=True),
        flag(tests["start",], "is_start"),
        flag(tests["success",], "is_success"),
        flag(failure, "is_failure"),
    ]
    params = {
        "timeout": parse_duration(metric.within),
        "outcome": metric.outcome,
        "first_only": metric.attempts == "first",
    }
    query = on_events("task", shared, columns, any_of(tests), params)
    return Units(query, "proportion" if metric.attempts == "first" else "ratio")


def _crash_free(metric: CrashFree, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    columns = [flag(tests["failure",], "is_failure")]
    params = {"idle": parse_duration(metric.idle)}
    return Units(on_events("crash_free", shared, columns, any_of(tests), params), "ratio")


PLANNERS: Mapping[type, Planner] = {Survey: _survey, Task: _task, CrashFree: _crash_free}
"""Planner by kind of metric."""
