"""Steps in order with anything in between: where each attempt gets to.

Every attempt is followed at once, without a row per pair of events: going through a unit's events backwards, what
comes after each step follows from what comes after the later steps (`funnel_later.sql`). Where events of one instant
could fill several steps, instants are looked at as a whole (`funnel_instants.sql`).

Taking a step as early as possible is best as long as only the window from the first step counts. With exclusions or a
window from step to step it may lead nowhere; then the times are worked out for each step an attempt might get to. Of
two ways to get to the same step the earlier of each pair of instants is again a way, so that for each of them every
step has an earliest instant, and these belong together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from headway.insights.funnel_parts import (
    case,
    columns,
    filled,
    frame,
    is_null,
    least,
    named,
    over,
)
from headway.insights.funnel_plan import Plan


@dataclass(frozen=True)
class Trail:
    """Something that is followed from step to step.

    Attributes:
        name: Column it ends up in.
        at: Position at whose instant it is read.
        value: Column it is read from.
        path: Position on the way to which; the same as `at` where every way is as good.
    """

    name: str
    at: int
    value: str
    path: int


def trails(plan: Plan) -> list[Trail]:
    """Lists what attempts are followed for: the instants of the steps, the next exclusion, optional steps.

    Args:
        plan: What to compute.

    Returns:
        The trails.
    """
    last = len(plan.tests)
    if not plan.choosy:
        times = [Trail(f"t{step}", step, "us", step) for step in plan.positions[1:]]
        return times + [
            Trail(f"o{extra.step}", extra.after, f"no{extra.step}", extra.after) for extra in plan.extras
        ]
    found = [
        Trail(f"t{step}_{path}", step, "us", path) for path in plan.positions for step in range(2, path + 1)
    ]
    for number, barrier in enumerate(plan.barriers, 1):
        paths = range(barrier.after, barrier.before)
        found += [Trail(f"x{number}_{path}", barrier.after, f"nx{number}", path) for path in paths]
    for extra in plan.extras:
        paths = range(extra.after, last + 1)
        found += [Trail(f"o{extra.step}_{path}", extra.after, f"no{extra.step}", path) for path in paths]
    return found


def sequence(plan: Plan, source: str) -> tuple[dict[str, str], str, list[exp.Expr], exp.Expr]:
    """Writes the relations that follow attempts through the steps.

    Args:
        plan: What to compute.
        source: Relation with the events, or instants, and what lies ahead of them.

    Returns:
        Queries by name; the last one; what to take from it for every start; and where attempts start.
    """
    relations: dict[str, str] = {}
    every = trails(plan)
    for level in reversed(plan.positions[:-1]):
        later = [
            named(_after(plan, level, trail), _name(trail, level)) for trail in every if trail.at > level
        ]
        relations[f"after_{level}"] = filled("later", later=later, input=exp.to_table(source))
        source = f"after_{level}"
    taken = [
        named(exp.column(trail.value) if trail.at == 1 else _taken(plan, 0, trail), trail.name)
        for trail in every
    ]
    return relations, source, taken, _moves(plan, 0, 1)


def instants(plan: Plan) -> dict[str, str]:
    """Writes the relations that look at instants as a whole.

    Args:
        plan: What to compute.

    Returns:
        Queries by name.
    """
    sets = _subsets(plan)
    counts = [named(count_of(any_flag(members)), count_name(members)) for members in sets]
    flags = [f"x{n}" for n in range(1, len(plan.barriers) + 1)] + [f"o{extra.step}" for extra in plan.extras]
    present = [named(count_of(exp.column(flag)) > 0, flag) for flag in flags]
    furthest = [named(_far(plan, sets, level), f"far_{level}") for level in range(len(plan.tests))]
    return {
        "counts": filled("counts", unit=columns(plan.unit), counts=[*counts, *present]),
        "instants": filled("instants", furthest=furthest),
    }


def needed(plan: Plan, position: int) -> tuple[list[tuple[int, ...]], exp.Expr] | None:
    """Builds the test whether other steps of the instant need the event that could also fill a step.

    Args:
        plan: What to compute.
        position: Position of the step.

    Returns:
        The sets of steps whose counts it goes by, see `counted`, and the expression; None where that cannot be.
    """
    if not plan.any_order or (plan.entry == "latest" and position == 1):
        return None
    group = next(group for group in plan.groups if position in group)
    sets = [members for members in _subsets(plan) if set(members) <= set(group) - {position}]
    at = exp.column(f"t{position}", table="chosen")
    tests = [
        exp.and_(
            exp.column(count_name(members), table="value").eq(len(members)),
            # Steps never go back in time: those between the first and the last one are of the instant as well.
            *(exp.column(f"t{end}", table="chosen").eq(at.copy()) for end in {members[0], members[-1]}),
            exp.paren(exp.or_(*columns((f"s{step}" for step in members), "value"))),
        )
        for members in sets
    ]
    return (sets, exp.or_(*tests)) if sets else None


def counted(sets: Iterable[tuple[int, ...]]) -> list[exp.Expr]:
    """Builds the counts of events that can fill steps of some sets.

    Args:
        sets: Sets of steps, see `needed`.

    Returns:
        Columns of ``counts``.
    """
    return [exp.column(count_name(members), table="counts") for members in sorted(set(sets))]


def _after(plan: Plan, level: int, trail: Trail) -> exp.Expr:
    """Builds what a trail shows to an attempt that stands at a level once this row is over."""
    found = _earliest(plan, level, trail)
    ahead = [
        exp.column(f"nx{number}")
        for number, barrier in enumerate(plan.barriers, 1)
        if barrier.after <= level < barrier.before
    ]
    if not ahead:
        return found
    # Later steps later is never better, so that the next step that leads there decides.
    step = _earliest(plan, level, Trail(f"t{level + 1}_{trail.path}", level + 1, "us", trail.path))
    return case((exp.or_(is_null(least(ahead)), step <= least(ahead)), found))


def _earliest(plan: Plan, level: int, trail: Trail) -> exp.Expr:
    return over(exp.Min(this=_taken(plan, level, trail)), plan.unit, spec=_ahead_frame(plan, level))


def _ahead_frame(plan: Plan, level: int) -> exp.WindowSpec:
    end = "UNBOUNDED" if plan.step_us is None else plan.step_us
    if plan.by_instant:
        return frame(1, "FOLLOWING", end, kind="ROWS" if plan.step_us is None else "RANGE")
    # With a tolerance, steps that one event could fill alike are strictly later, so that it fills one.
    alike = any(level in group and level + 1 in group for group in plan.groups)
    if plan.tie_us is None or (plan.tie_us and alike):
        return frame(1, "FOLLOWING", end)
    return frame(plan.tie_us, "PRECEDING", end)


def _taken(plan: Plan, level: int, trail: Trail) -> exp.Expr:
    """Builds what a trail shows to an attempt that comes to this row at a level and moves on."""
    value = exp.column(trail.value)
    ways = range(level + 1, trail.path if plan.any_order else min(trail.path, level + 2))
    if not plan.choosy:
        straight = (_moves(plan, level, trail.at), value)
        return case(straight, *((_stops(plan, level, way), exp.column(_name(trail, way))) for way in ways))
    branches = [
        case(
            (
                _on_the_way(plan, level, way, trail.path),
                value if trail.at <= way else exp.column(_name(trail, way)),
            )
        )
        for way in ways
    ]
    straight = (_moves(plan, level, trail.path), value)
    if not branches:
        return case(straight)
    return case(straight, default=least(branches))


def _moves(plan: Plan, level: int, step: int) -> exp.Expr:
    """Builds the test whether an attempt can move from a level to a step within this row."""
    if plan.by_instant:
        return exp.column(f"far_{level}") >= step
    return exp.column(f"s{step}") if step == level + 1 else exp.false()


def _stops(plan: Plan, level: int, step: int) -> exp.Expr:
    return exp.column(f"far_{level}").eq(step) if plan.by_instant else exp.column(f"s{step}")


def _on_the_way(plan: Plan, level: int, step: int, path: int) -> exp.Expr:
    """Builds the test whether moving to a step within this row leads on to the end of a path."""
    leads = exp.not_(is_null(exp.column(f"t{path}_{path}_after_{step}")))
    clean = [
        exp.not_(exp.column(f"x{number}"))
        for number, barrier in enumerate(plan.barriers, 1)
        if plan.by_instant and barrier.after <= level and step < barrier.before
    ]
    return exp.and_(_moves(plan, level, step), leads, *clean)


def _far(plan: Plan, sets: Sequence[tuple[int, ...]], level: int) -> exp.Expr:
    """Builds the furthest step taken within an instant by an attempt that comes to it at a level."""
    last = len(plan.tests) if plan.any_order else level + 1
    branches = []
    for step in range(level + 1, last + 1):
        # Step by step: of the sets of steps to fill, those that end with this step have not been looked at.
        lacking = [
            exp.column(count_name(members)) < len(members)
            for members in sets
            if members[0] > level and members[-1] == step
        ]
        branches.append((exp.or_(*lacking), exp.convert(step - 1)))
    return case(*branches, default=exp.convert(last))


def _subsets(plan: Plan) -> list[tuple[int, ...]]:
    """Lists the sets of steps whose events must be counted: one step alone, or several that overlap."""
    return [
        members
        for group in plan.groups
        for size in range(1, len(group) + 1 if plan.any_order else 2)
        for members in combinations(group, size)
    ]


def count_of(condition: exp.Expr) -> exp.Expr:
    """Builds the number of events that meet a condition.

    Args:
        condition: The condition.

    Returns:
        An aggregate.
    """
    return exp.Count(this=case((condition, exp.convert(1))))


def any_flag(members: Iterable[int]) -> exp.Expr:
    """Builds the test whether an event can fill one of some steps.

    Args:
        members: Positions of the steps.

    Returns:
        A condition on ``matched``.
    """
    return exp.or_(*columns(f"s{step}" for step in members))


def count_name(members: Iterable[int]) -> str:
    """Names the column with the number of events that can fill one of some steps.

    Args:
        members: Positions of the steps.

    Returns:
        A column of ``counts``.

    Examples:
        >>> count_name((1, 3))
        'n_1_3'
    """
    return "n_" + "_".join(map(str, members))


def _name(trail: Trail, level: int) -> str:
    return f"{trail.name}_after_{level}"
