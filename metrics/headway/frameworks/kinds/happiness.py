"""Plans of answers, attempts and sessions."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from headway.frameworks.kinds.amounts import count_of
from headway.frameworks.kinds.plan import (
    NO_START,
    Planner,
    Units,
    Weighted,
    any_of,
    ends_without_start,
    flag,
    on_base,
    on_events,
    on_tally,
    tests_of,
)
from headway.frameworks.prelude import Prelude
from headway.frameworks.reach import MARGIN
from headway.frameworks.tallied import Listed
from headway.models.durations import parse_duration
from headway.models.metrics import CrashFree, Survey, Task
from headway.models.yaml_file import Location
from headway.statistics.estimates import Kind

OFF_SCALE = "the answer is not on the scale"


def _survey(metric: Survey, shared: Prelude) -> Units | Weighted:
    score = exp.column(metric.score, quoted=True)
    estimate: Kind = "proportion" if metric.measure == "top" else "mean"
    tests = tests_of(metric, shared)
    answers = last_answers(shared, tests["event",], score, metric.scale, _worth(metric, score), estimate)
    low, high = (0.0, 1.0) if metric.measure == "top" else metric.scale
    return weighted(answers, tests, shared, (float(low), float(high)))


def weighted(
    answers: Units,
    tests: Mapping[Location, exp.Expr],
    shared: Prelude,
    ends: tuple[float, float],
    scale: float = 1.0,
) -> Units | Weighted:
    """Weights answers by the channels of the people who were asked, where the metric says who was.

    Args:
        answers: The plan of the metric as it is.
        tests: Conditions of its selectors by place; ``shown`` is there where it is to be weighted.
        shared: The shared input.
        ends: Smallest and largest value possible.
        scale: What the mean of what people add is multiplied by.

    Returns:
        The plan.
    """
    shown = tests.get(("shown",))
    if shown is None:
        return answers
    columns = [flag(shown, "is_of"), flag(shown, "is_counted")]
    people = on_tally("per_person", shared, columns, shown, {"once": True})
    return Weighted(answers, Units(people, "count", stamped=shared.stamped), ends, scale)


def last_answers(
    shared: Prelude,
    answers: exp.Expr,
    score: exp.Expr,
    scale: tuple[float, float],
    worth: exp.Expr,
    estimate: Kind,
) -> Units:
    """Makes the plan of a metric of the last answer of each person in each period.

    Args:
        shared: The shared input.
        answers: Which events are answers.
        score: The answer, over the columns of the events.
        scale: Lowest and highest answer; others are left out and counted.
        worth: What an answer is worth, over the same columns.
        estimate: How sums over people become a value with its interval.

    Returns:
        The plan.
    """
    low, high = (exp.convert(end) for end in scale)
    on_scale = exp.Between(this=score.copy(), low=low, high=high)
    off = exp.and_(answers.copy(), exp.Not(this=exp.Paren(this=on_scale.copy())))
    columns = [exp.alias_(score, "score", quoted=True), exp.alias_(worth, "worth", quoted=True)]
    query = on_events("last_answers", shared, columns, exp.and_(answers, on_scale))
    return Units(query, estimate, whole=estimate != "mean", exclusions={OFF_SCALE: count_of(shared, off)})


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
        exp.alias_(key, "key", quoted=True),
        flag(tests["start",], "is_start"),
        flag(tests["success",], "is_success"),
        flag(failure, "is_failure"),
    ]
    params = {"outcome": metric.outcome, "first_only": metric.attempts == "first"}
    query = on_base("task", shared, params, periods=True)
    timeout = {"timeout": parse_duration(metric.within)}
    base = on_events("task_attempts", shared, columns, any_of(tests), timeout, periods=False)
    is_end = flag(exp.or_(tests["success",].copy(), failure.copy()), "is_end")
    ends = ends_without_start(shared, [*columns[:2], is_end], any_of(tests))
    return Units(
        query,
        "proportion" if metric.attempts == "first" else "ratio",
        exclusions={NO_START: ends},
        base=base,
    )


def _crash_free(metric: CrashFree, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    columns = [flag(tests["failure",], "is_failure")]
    params = {"idle": parse_duration(metric.idle)}
    base = on_events("crash_free_sessions", shared, columns, any_of(tests), params, periods=False)
    return Units(
        on_base("crash_free", shared, {}, periods=True),
        "ratio",
        base=base,
        further=on_base("long_sessions", shared, {"margin": MARGIN}),
        tallied=Listed(on_base("crash_free_listed", shared, {}), "rows") if shared.stamped else None,
    )


PLANNERS: Mapping[type, Planner] = {Survey: _survey, Task: _task, CrashFree: _crash_free}
"""Planner by kind of metric."""
