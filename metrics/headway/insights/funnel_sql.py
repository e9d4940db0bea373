"""The queries of a funnel, one relation after the other.

Every attempt is followed at once, without a row per pair of events: going through a person's instants backwards,
each level's later steps follow from the higher levels' (`funnel_later.sql`). Step numbers are the only thing that
varies, so the lists of columns are built here and everything else is in the ``.sql`` files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import sqlglot
from sqlglot import exp

from headway.engine import bind, load
from headway.engine.sql import DIALECT
from headway.errors import InputError
from headway.selectors import Event

_PACKAGE = "headway.insights"
_MOST_OVERLAPPING = 8
_LATER = "MIN(:at) OVER (PARTITION BY person ORDER BY us ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"


@dataclass(frozen=True)
class Plan:
    """What the queries of a funnel depend on.

    Attributes:
        tests: One condition per step, on relation ``ev``.
        groups: Step numbers that one event might fill alike, in disjoint groups.
        within_us: Length of the window.
        entry: Which attempts count: best, first or latest.
        any_order: Whether events of one instant fill steps in any order; else each step is strictly later.
        touch: The breakdown value of an event, or None.
    """

    tests: tuple[exp.Expr, ...]
    groups: tuple[tuple[int, ...], ...]
    within_us: int
    entry: str
    any_order: bool
    touch: exp.Expr | None

    @property
    def steps(self) -> range:
        """Step numbers, from 1."""
        return range(1, len(self.tests) + 1)


def overlapping(steps: Sequence[Event]) -> tuple[tuple[int, ...], ...]:
    """Groups the steps that one event might fill alike, going by the names.

    Args:
        steps: The steps of a funnel.

    Returns:
        Disjoint groups of step numbers, each sorted.

    Raises:
        InputError: A group is too large.

    Examples:
        >>> overlapping([Event("a"), Event("b"), Event(["a", "c"])])
        ((1, 3), (2,))
    """
    groups: list[set[int]] = []
    for number, step in enumerate(steps, start=1):
        near = [group for group in groups if any(_meet(step, steps[other - 1]) for other in group)]
        groups = [group for group in groups if group not in near] + [{number}.union(*near)]
    if max(map(len, groups)) > _MOST_OVERLAPPING:
        raise InputError(
            f"more than {_MOST_OVERLAPPING} steps of this funnel can be filled by the same events"
        )
    return tuple(sorted(tuple(sorted(group)) for group in groups))


def relations(plan: Plan, ev: str) -> dict[str, str | exp.Expr]:
    """Writes the relations of a funnel.

    Args:
        plan: What to compute.
        ev: Query for the events.

    Returns:
        Queries by name, each using those before it. ``attempts`` has a row per attempt, ``reported`` a row
        per person.
    """
    moves, latest = _instants(plan), f"after_{1}" if len(plan.tests) > 1 else "instants"
    return {"ev": ev, **moves, **_levels(plan), **_attempts(plan, latest)}


def waited(plan: Plan) -> exp.Expr:
    """Builds the time a reported attempt took from the step before to ``step``."""
    case = exp.Case()
    for step in plan.steps[1:]:
        case = case.when(_step_is("step", step), exp.column(f"t{step}") - exp.column(f"t{step - 1}"))
    return case if plan.steps[1:] else exp.cast(exp.null(), "BIGINT")


def _meet(one: Event, other: Event) -> bool:
    return one.names is None or other.names is None or bool(set(one.names) & set(other.names))


def _instants(plan: Plan) -> dict[str, str | exp.Expr]:
    sets = _subsets(plan)
    counts = [_as(exp.CountIf(this=_any_flag(members)), _count_name(members)) for members in sets]
    return {
        "matched": _sql(
            "matched",
            touch=plan.touch or exp.Literal.string("(all)"),
            flags=[_as(test, f"s{step}") for step, test in zip(plan.steps, _flags(plan), strict=True)],
            any=exp.or_(*(test.copy() for test in plan.tests)),
        ),
        "counts": _sql("counts", counts=counts),
        "instants": _sql(
            "instants", furthest=[_as(_far(plan, sets, level), f"far_{level}") for level in _from(plan)]
        ),
    }


def _flags(plan: Plan) -> list[exp.Expr]:
    if plan.entry != "latest":
        return list(plan.tests)
    # An event that can start an attempt restarts it, so it fills no later step.
    restart = exp.Not(this=exp.Paren(this=plan.tests[0].copy()))
    return [plan.tests[0], *(exp.and_(test, restart.copy()) for test in plan.tests[1:])]


def _subsets(plan: Plan) -> list[tuple[int, ...]]:
    """Lists the sets of steps whose events must be counted: one step alone, or several that overlap."""
    sizes = range(1, _MOST_OVERLAPPING + 1) if plan.any_order else range(1, 2)
    return [members for size in sizes for group in plan.groups for members in combinations(group, size)]


def _from(plan: Plan) -> range:
    return range(len(plan.tests))


def _far(plan: Plan, sets: Iterable[tuple[int, ...]], level: int) -> exp.Expr:
    """Builds the furthest step taken within an instant by an attempt that comes to it at a level."""
    last = len(plan.tests) if plan.any_order else level + 1
    case = exp.Case()
    for step in range(level + 1, last + 1):
        # Step by step: of the sets of steps to fill, those that end with this step have not been looked at.
        lacking = [
            exp.column(_count_name(members)) < len(members)
            for members in sets
            if members[0] > level and members[-1] == step
        ]
        case = case.when(exp.or_(*lacking), exp.Literal.number(step - 1))
    return case.else_(exp.Literal.number(last))


def _levels(plan: Plan) -> dict[str, str | exp.Expr]:
    result: dict[str, str | exp.Expr] = {}
    source = "instants"
    for level in reversed(plan.steps[:-1]):
        window = sqlglot.parse_one(_LATER, read=DIALECT)
        later = [
            _as(
                exp.replace_placeholders(window.copy(), at=_taken(plan, level, step)),
                _later_name(step, level),
            )
            for step in plan.steps[level:]
        ]
        result[f"after_{level}"] = _sql("later", later=later, input=exp.to_table(source))
        source = f"after_{level}"
    return result


def _taken(plan: Plan, level: int, step: int) -> exp.Expr:
    """Builds the instant at which an attempt that comes to this instant at a level and moves on takes a step."""
    case = exp.Case().when(exp.column(f"far_{level}") >= step, exp.column("us"))
    for between in range(level + 1, step if plan.any_order else min(step, level + 2)):
        case = case.when(_step_is(f"far_{level}", between), exp.column(_later_name(step, between)))
    return case


def _attempts(plan: Plan, source: str) -> dict[str, str | exp.Expr]:
    rest = plan.steps[1:]
    raw = [_as(exp.column("us"), "t1"), *(_as(_taken(plan, 0, step), f"t{step}") for step in rest)]
    end: exp.Expr = exp.column("t1") + plan.within_us
    if plan.entry == "latest":
        # the last attempt has no restart: nulls are ignored, as DuckDB does by itself
        end = exp.Least(this=end, expressions=[exp.column("restart_us")], ignore_nulls=True)
    in_time = [exp.Case().when(exp.column(f"t{step}") <= end.copy(), exp.column(f"t{step}")) for step in rest]
    level = exp.Case()
    for step in reversed(rest):
        level = level.when(in_time[step - 2].args["ifs"][0].this.copy(), exp.Literal.number(step))
    counts = exp.column("nth").eq(1) if plan.entry == "first" else exp.true()
    result: dict[str, str | exp.Expr] = {
        "starts": _sql("starts", times=raw, input=exp.to_table(source)),
        "attempts": _sql(
            "attempts",
            times=[
                exp.column("t1"),
                *(_as(time, f"t{step}") for step, time in zip(rest, in_time, strict=True)),
            ],
            level=level.else_(exp.Literal.number(1)) if rest else exp.Literal.number(1),
            counts=counts,
        ),
    }
    if plan.touch is None:
        return {**result, "reported": _reported(plan, _as(exp.Literal.string("(all)"), "touch"))}
    return {**result, "chosen": _reported(plan), "reported": _sql("touched", needed=_needed(plan))}


def _reported(plan: Plan, *more: exp.Expr) -> str:
    finish = exp.Case()
    for step in plan.steps:
        finish = finish.when(_step_is("level", step), exp.column(f"t{step}"))
    return _sql("reported", times=[*(exp.column(f"t{step}") for step in plan.steps), *more], finish=finish)


def _needed(plan: Plan) -> exp.Expr:
    """Builds the test whether other steps of the instant need the event that could also start the attempt."""
    if plan.entry == "latest":
        return exp.false()
    tests = [
        exp.and_(
            exp.column(_count_name(members)).eq(len(members)),
            exp.column("far_0") >= members[-1],
            exp.Paren(this=_any_flag(members)),
        )
        for members in _subsets(plan)
        if members[0] > 1 and any(1 in group and members[0] in group for group in plan.groups)
    ]
    return exp.or_(*tests) if plan.any_order and tests else exp.false()


def _sql(name: str, **params: exp.Expr | list[exp.Expr]) -> str:
    return bind(load(_PACKAGE, f"funnel_{name}"), params)


def _as(value: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(value, name)


def _any_flag(members: Sequence[int]) -> exp.Expr:
    return exp.or_(*(exp.column(f"s{step}") for step in members))


def _step_is(column: str, step: int) -> exp.Expr:
    return exp.column(column).eq(step)


def _count_name(members: Sequence[int]) -> str:
    return "n_" + "_".join(map(str, members))


def _later_name(step: int, level: int) -> str:
    return f"t{step}_after_{level}"
