"""Steps that follow each other directly, and steps in any order: where each attempt gets to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from headway.insights.funnel_parts import case, columns, filled, frame, named, over
from headway.insights.funnel_plan import Plan
from headway.insights.funnel_shared import shared_steps

Found = tuple[dict[str, str], str, list[exp.Expr], exp.Expr]


def strict(plan: Plan, source: str) -> Found:
    """Writes the relations for steps that are consecutive events.

    Args:
        plan: What to compute.
        source: Relation with all events.

    Returns:
        Queries by name; the last one; what to take from it for every start; and where attempts start.
    """
    order = ["us", "seq", "event", *(f"s{step}" for step in plan.positions)]
    rest = plan.positions[1:]

    def following(name: str, step: int) -> exp.Expr:
        lead = exp.Lead(this=exp.column(name), offset=exp.convert(step - 1))
        return exp.column(name) if step == 1 else over(lead, plan.unit, order)

    followed = [named(following("us", 1), "u1")]
    followed += [named(following("us", step), f"u{step}") for step in rest]
    followed += [named(following(f"s{step}", step), f"m{step}") for step in rest]
    followed += [
        named(following(f"nx{number}", barrier.after), f"fx{number}")
        for number, barrier in enumerate(plan.barriers, 1)
        if barrier.after > 1
    ]
    taken = []
    for step in rest:
        tests: list[exp.Expr] = columns(f"m{each}" for each in range(2, step + 1))
        if plan.tie_us is None:
            tests += [exp.column(f"u{each}") > exp.column(f"u{each - 1}") for each in range(2, step + 1)]
        taken.append(named(case((exp.and_(*tests), exp.column(f"u{step}"))), f"t{step}"))
    taken += _next_exclusions(plan)
    if plan.carried:
        followed += [named(following("touch", step), f"v{step}") for step in plan.positions]
        taken += [*columns(plan.carried), named(exp.column("seq"), "opened")]
    query = filled("followed", followed=followed, input=exp.to_table(source))
    return {"followed": query}, "followed", taken, exp.column("s1")


def anywhere(plan: Plan, source: str) -> Found:
    """Writes the relations for steps in any order.

    Args:
        plan: What to compute.
        source: Relation with the events that can fill a step; or with instants, where one event could fill several.

    Returns:
        Queries by name; the last one; what to take from it for every start; and where attempts start.
    """
    relations: dict[str, str] = {}
    opens: exp.Expr = exp.or_(*columns(f"s{step}" for step in plan.positions))
    nearest = _nearest(plan)
    if plan.shared:
        relations, nearest, opens = shared_steps(plan, source)
        source = list(relations)[-1]
    ranks = [named(_rank(plan.positions, step), f"r{step}") for step in plan.positions]
    taken = [
        named(
            case(*((exp.column(f"r{step}").eq(place), exp.column(f"d{step}")) for step in plan.positions)),
            f"t{place}",
        )
        for place in plan.positions[1:]
    ]
    taken += _next_exclusions(plan)
    relations["nearest"] = filled("nearest", nearest=nearest, input=exp.to_table(source))
    relations["ranked"] = filled("ranked", ranks=ranks)
    return relations, "ranked", taken, opens


def _nearest(plan: Plan) -> list[exp.Expr]:
    return [
        named(
            over(
                exp.Min(this=case((exp.column(f"s{step}"), exp.column("us")))),
                plan.unit,
                spec=frame(0, "PRECEDING"),
            ),
            f"d{step}",
        )
        for step in plan.positions
    ]


def _rank(positions: Sequence[int], step: int) -> exp.Expr:
    """Builds a step's place among the steps by first instant; equal ones come in the order of the steps."""
    own = exp.column(f"d{step}")
    before = [
        case(
            (
                exp.column(f"d{other}") <= own.copy()
                if other < step
                else exp.column(f"d{other}") < own.copy(),
                exp.convert(1),
            ),
            default=exp.convert(0),
        )
        for other in positions
        if other != step
    ]
    place: exp.Expr = exp.convert(1)
    for each in before:
        place = exp.Add(this=place, expression=each)
    return case((exp.not_(own.copy().is_(exp.null())), place))


def _next_exclusions(plan: Plan) -> list[exp.Expr]:
    return [
        named(exp.column(f"fx{number}" if barrier.after > 1 else f"nx{number}"), f"x{number}")
        for number, barrier in enumerate(plan.barriers, 1)
    ]
