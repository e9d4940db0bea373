"""Plans of the metrics about people: new ones, shares, cohorts, means, promoter scores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from sqlglot import exp

from headway.engine.sql import bind, load, with_inputs
from headway.frameworks.kinds.happiness import last_answers, weighted
from headway.frameworks.kinds.plan import (
    Planner,
    Units,
    Weighted,
    any_of,
    bits_of,
    events_of,
    first_starts,
    flag,
    on_events,
    on_people,
    on_tally,
    tally_of,
    tests_of,
)
from headway.frameworks.prelude import Prelude, local_time
from headway.frameworks.tallied import Listed, Tallied
from headway.models.durations import parse_duration
from headway.models.metrics import (
    Answered,
    Conversion,
    EventSelector,
    Mean,
    NewPeople,
    PromoterScore,
    Retained,
    Share,
)
from headway.models.yaml_file import Location


def _new_people(_: NewPeople, shared: Prelude) -> Units:
    first_us = exp.column("first_us", quoted=True)
    first_seen = exp.select(
        exp.column("code", quoted=True).as_("person", quoted=True),
        exp.alias_(first_us, "us", quoted=True),
        exp.alias_(local_time(first_us.copy(), shared.offsets), "local_us", quoted=True),
    ).from_(shared.people)
    return Units(on_people("new_people", shared, first_seen=first_seen), "count")


def _share(metric: Share, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    columns = [flag(tests["of",], "is_of"), flag(tests["did",], "is_counted")]
    return Units(
        partial(on_tally, "per_person", shared, columns, any_of(tests), {"once": True}),
        "proportion",
        stamped=shared.stamped,
        tallied=_counted(shared, metric.of, metric.did, "any"),
    )


def _counted(
    shared: Prelude, of: EventSelector, what: EventSelector, how: Literal["any", "times", "days"]
) -> Tallied | None:
    who, done = bits_of(shared, of), bits_of(shared, what)
    return None if who is None or done is None else Tallied(who, done, how)


def _cohort(metric: Conversion | Retained, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    if isinstance(metric, Conversion) and metric.through is not None:
        return _of_people(_through(metric, tests, shared), shared)
    goal = tests["reach" if isinstance(metric, Conversion) else "returning",]
    columns = [flag(goal, "is_goal")]
    opens, closes = _window(metric)
    params = {"opens": opens, "closes": closes}
    started = first_starts(shared, tests["start",], tally_of(shared, columns, tests["start",]))
    if isinstance(metric, Retained) and metric.answered is not None:
        started = _answered(metric.answered, tests, shared, started)
    return _of_people(
        on_events("cohort_people", shared, [], goal, params, periods=False, started=started), shared
    )


def _of_people(people: str, shared: Prelude) -> Units:
    """Makes a share of people of who they are and whether each reaches the goal."""
    listed = on_people("cohort_listed", shared, periods=False, people=people)
    return Units(
        partial(on_people, "cohort", shared, people=people),
        "proportion",
        tallied=Listed(listed, "rows") if shared.stamped else None,
    )


def _through(metric: Conversion, tests: Mapping[Location, exp.Expr], shared: Prelude) -> str:
    """Follows people from their first start step by step: each is taken as early as the one before allows."""
    started = first_starts(shared, tests["start",], tally_of(shared, [], tests["start",]))
    at = on_people("through_start", shared, periods=False, started=started)
    params = {"closes": _window(metric)[1]}
    steps: list[Location] = [("through", number) for number in range(len(metric.through or ()))]
    for step in (*steps, ("reach",)):
        at = on_events("through_step", shared, [], tests[step], params, periods=False, standing=at)
    return on_people("through_people", shared, periods=False, standing=at)


def _answered(
    asked: Answered, tests: Mapping[Location, exp.Expr], shared: Prelude, started: str | exp.Expr
) -> str:
    """Keeps the starts of people whose first one was answered in time, or of the others."""
    key = exp.column(asked.key or "_person", quoted=True)
    columns = [
        exp.alias_(key, "key", quoted=True),
        flag(tests["start",], "is_start"),
        flag(tests["answered", "by"], "is_end"),
    ]
    begun = exp.or_(tests["start",].copy(), tests["answered", "by"].copy())
    params = {
        "in_business_hours": asked.hours == "business",
        "limit": parse_duration(asked.within),
        "in_time": asked.in_time,
    }
    inputs: dict[str, str | exp.Expr] = {
        "started": started,
        "ev": events_of(shared, columns, begun),
        "shifts": f"FROM {shared.shifts}",
    }
    return with_inputs(bind(load("headway.frameworks.kinds", "answered"), params), inputs)


def _window(metric: Conversion | Retained) -> tuple[int, int]:
    """Returns where the window opens and closes after the start; the closing instant is outside."""
    if isinstance(metric, Conversion):
        return 0, parse_duration(metric.within) + 1
    opens = parse_duration(metric.after)
    return opens, opens + parse_duration(metric.within)


def _mean(metric: Mean, shared: Prelude) -> Units:
    tests = tests_of(metric, shared)
    if metric.value is not None:
        amount = exp.cast(exp.column(metric.value, quoted=True), "DOUBLE")
        adds = exp.alias_(amount, "amount", quoted=True)
        done = tally_of(shared, [], tests["of",])
        return Units(on_events("mean_sum", shared, [adds], tests["event",], done=done), "mean", whole=False)
    columns = [flag(tests["of",], "is_of"), flag(tests["event",], "is_counted")]
    if metric.measure == "days":
        query = partial(on_tally, "days_per_person", shared, columns, any_of(tests))
    else:
        query = partial(on_tally, "per_person", shared, columns, any_of(tests), {"once": False})
    tallied = _counted(shared, metric.of, metric.event, "days" if metric.measure == "days" else "times")
    return Units(query, "mean", stamped=shared.stamped, tallied=tallied)


def _promoter_score(metric: PromoterScore, shared: Prelude) -> Units | Weighted:
    score = exp.column(metric.score, quoted=True)
    # Promoters, passives, detractors.
    worth = (
        exp.Case()
        .when(exp.GTE(this=score.copy(), expression=exp.Literal.number(9)), exp.Literal.number(1))
        .when(exp.LTE(this=score.copy(), expression=exp.Literal.number(6)), exp.convert(-1))
        .else_(exp.Literal.number(0))
    )
    tests = tests_of(metric, shared)
    answers = last_answers(shared, tests["event",], score, (0, 10), worth, "promoter_score")
    return weighted(answers, tests, shared, (-100.0, 100.0), scale=100.0)


PLANNERS: Mapping[type, Planner] = {
    NewPeople: _new_people,
    Share: _share,
    Conversion: _cohort,
    Retained: _cohort,
    Mean: _mean,
    PromoterScore: _promoter_score,
}
"""Planner by kind of metric."""
