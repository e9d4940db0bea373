"""Steps in any order that one event could fill alike: how many of them different events fill, and when.

A group of g steps that share events can have j of its steps filled by different events up to an instant if, for every
set of its steps, the events that can fill one of them are no fewer than the size of the set less g - j (Hall's theorem,
in Ore's deficiency version). So the instant of the group's j-th step is the latest of those at which these counts are
reached, and what has to be found, for each set and number, is when its so many'th event from a row on happens. Instants
are looked at as a whole, so that events of equal time come in one row.

References:
    Ore, Ø. (1955). Graphs and matching theorems. Duke Mathematical Journal 22, 625-639.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from sqlglot import exp

from headway.errors import InputError
from headway.insights.funnel_parts import case, columns, filled, frame, greatest, is_null, named, over
from headway.insights.funnel_plan import Plan
from headway.insights.funnel_sequence import any_flag, count_name, count_of

Members = tuple[int, ...]
#: Columns of windows at most; five steps of which each could take the events of the others need 80.
_MOST_COLUMNS = 100


def shared_instants(plan: Plan) -> dict[str, str]:
    """Writes the relation with one row per instant, and how many of its events can fill a step of each set.

    Args:
        plan: What to compute.

    Returns:
        The query by its name.

    Raises:
        InputError: There would be too many sets.
    """
    sets = [each for group in plan.groups for each in _sets(plan, group)]
    if sum(map(len, sets)) > _MOST_COLUMNS:
        raise InputError(
            "with order='any' the same events can fill too many different steps of this funnel: use fewer, or "
            "order='sequential'"
        )
    counts = [named(count_of(any_flag(members)), count_name(members)) for members in sets]
    present = [
        named(count_of(exp.column(f"x{number}")) > 0, f"x{number}")
        for number in range(1, len(plan.barriers) + 1)
    ]
    return {"counts": filled("counts", unit=columns(plan.unit), counts=[*counts, *present])}


def shared_steps(plan: Plan, source: str) -> tuple[dict[str, str], list[exp.Expr], exp.Expr]:
    """Writes the relations that find when so many steps of each group are filled.

    Args:
        plan: What to compute.
        source: Relation with one row per instant, see `shared_instants`.

    Returns:
        Queries by name, the last one to be read; the columns d1, d2 ... with the instants, ascending within a group;
        and where attempts start.
    """
    sets = [each for group in plan.groups for each in _sets(plan, group)]
    relations: dict[str, str] = {}
    for number in range(1, max(map(len, sets)) + 1):
        following = [
            named(_following(plan, each, number), _after(each, number))
            for each in sets
            if number <= len(each)
        ]
        relations[f"onward_{number}"] = filled("shared", found=following, input=exp.to_table(source))
        source = f"onward_{number}"
    reached = [
        named(_from_here(each, number), _from(each, number))
        for each in sets
        for number in range(1, len(each) + 1)
    ]
    relations["onward"] = filled("shared", found=reached, input=exp.to_table(source))
    steps = [
        named(_filled(plan, group, place), f"d{step}")
        for group in plan.groups
        for place, step in enumerate(group, 1)
    ]
    opens = [exp.column(count_name(group)) > 0 for group in plan.groups]
    return relations, steps, exp.or_(*opens)


def _sets(plan: Plan, group: Sequence[int]) -> list[Members]:
    """Lists the sets of steps that matter; equal steps are in a set together, or not at all."""

    def same(one: int, other: int) -> bool:
        return plan.tests[one - 1] == plan.tests[other - 1]

    every = [members for size in range(1, len(group) + 1) for members in combinations(group, size)]
    return [
        members
        for members in every
        if not any(same(one, other) for one in members for other in set(group) - set(members))
    ]


def _following(plan: Plan, members: Members, number: int) -> exp.Expr:
    """Builds the instant of a set's so many'th event strictly after a row."""
    at = case(
        (exp.column(count_name(members)) >= number, exp.column("us")),
        *(
            (exp.column(count_name(members)).eq(here), exp.column(_after(members, number - here)))
            for here in range(1, number)
        ),
    )
    return over(exp.Min(this=at), plan.unit, spec=frame(1, "FOLLOWING", kind="ROWS"))


def _from_here(members: Members, number: int) -> exp.Expr:
    """Builds the same from a row on, its own events included."""
    return case(
        (exp.column(count_name(members)) >= number, exp.column("us")),
        *(
            (exp.column(count_name(members)).eq(here), exp.column(_after(members, number - here)))
            for here in range(number)
        ),
    )


def _filled(plan: Plan, group: Sequence[int], place: int) -> exp.Expr:
    """Builds the instant at which so many steps of a group are filled by different events."""
    wanted = [(each, len(each) - len(group) + place) for each in _sets(plan, group)]
    known = [exp.column(_from(each, number)) for each, number in wanted if number > 0]
    missing = exp.or_(*(is_null(each.copy()) for each in known))
    return case((exp.not_(exp.paren(missing)), greatest(known)))


def _after(members: Members, number: int) -> str:
    return f"after_{count_name(members)}_{number}"


def _from(members: Members, number: int) -> str:
    return f"from_{count_name(members)}_{number}"
