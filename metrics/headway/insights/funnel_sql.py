"""The queries of a funnel, one relation after the other.

Events are matched to steps (`matched`), followed to where each attempt gets (`starts`), judged by the window and the
exclusions (`attempts`), and one attempt a person is reported (`reported`). Step numbers are the only thing that
varies, so the lists of columns are built here and everything else is in the ``.sql`` files.
"""

from __future__ import annotations

import json

from sqlglot import exp

from headway.insights.breakdown import NONE, By, items_of
from headway.insights.funnel_judge import attempts, best_first
from headway.insights.funnel_orders import anywhere, strict
from headway.insights.funnel_parts import case, columns, filled, frame, named, over, same
from headway.insights.funnel_plan import Extra, Plan
from headway.insights.funnel_sequence import counted, instants, needed, sequence
from headway.insights.funnel_shared import shared_instants
from headway.insights.question import Scope
from headway.insights.sessions import Sessions
from headway.models.durations import parse_duration

_ALL = exp.Literal.string("(all)")


def relations(plan: Plan, scope: Scope, by: By | None, top: int | None) -> dict[str, str | exp.Expr]:
    """Writes the relations of a funnel.

    Args:
        plan: What to compute.
        scope: The log and the range.
        by: What to break down by.
        top: Number of groups to keep.

    Returns:
        Queries by name, each using those before it. ``attempts`` has a row per attempt, ``reported`` a row
        per person (or what else is counted).
    """
    events = _events(plan, scope, by, top)
    events["matched"] = _matched(plan, "visited" if plan.sessions else "ev")
    source = "matched"
    if plan.by_instant:
        events |= instants(plan)
        source = "instants"
    elif plan.shared:
        events |= shared_instants(plan)
        source = "counts"
    if ahead := _ahead(plan):
        events["ahead"] = filled("ahead", ahead=ahead, input=exp.to_table(source))
        source = "ahead"
    follow = {"sequential": sequence, "strict": strict, "any": anywhere}[plan.order]
    followed, source, taken, opens = follow(plan, source)
    events |= followed
    events["starts"] = filled(
        "starts",
        columns=[*columns(plan.unit), named(exp.column("us"), "t1"), *taken, *_neighbours(plan)],
        input=exp.to_table(source),
        opens=opens,
    )
    return {**events, "attempts": attempts(plan), **_reported(plan, by)}


def rows_of(steps: int) -> list[exp.Expr]:
    """Lists step numbers as rows of a VALUES.

    Args:
        steps: How many steps.

    Returns:
        The rows.
    """
    return [exp.Tuple(expressions=[exp.convert(step)]) for step in range(1, steps + 1)]


def instant(plan: Plan, step: int) -> exp.Expr:
    """Builds the instant a reported attempt took a step at.

    Args:
        plan: What was computed.
        step: Number of the step.

    Returns:
        A column of ``reported``.
    """
    return exp.column(f"t{plan.numbers.index(step) + 1}" if step in plan.numbers else f"o{step}")


def reached(plan: Plan, step: int) -> exp.Expr:
    """Builds the test whether a reported attempt took a step.

    Args:
        plan: What was computed.
        step: Number of the step.

    Returns:
        A condition on ``reported``.
    """
    if step in plan.numbers:
        return exp.column("level") >= plan.numbers.index(step) + 1
    return exp.not_(instant(plan, step).is_(exp.null()))


def before(plan: Plan, step: int) -> int:
    """Finds the required step before a step.

    Args:
        plan: What was computed.
        step: Number of the step, at least 2.

    Returns:
        Its number.
    """
    return max(number for number in plan.numbers if number < step)


def per_step(plan: Plan, what: str) -> exp.Expr:
    """Builds what depends on the column ``step``.

    Args:
        plan: What was computed.
        what: ``reached``: whether the step was; ``waited``: how long it took from the required step before.

    Returns:
        The expression.
    """
    steps = sorted([*plan.numbers, *(extra.step for extra in plan.extras)])
    column = exp.column("step")
    if what == "reached":
        return case(*((column.copy().eq(step), reached(plan, step)) for step in steps))
    waits = [(step, instant(plan, step) - instant(plan, before(plan, step))) for step in steps[1:]]
    return case(*((column.copy().eq(step), wait) for step, wait in waits))


def level_number(plan: Plan) -> exp.Expr:
    """Builds the number of the furthest required step.

    Args:
        plan: What was computed.

    Returns:
        The expression on ``reported``.
    """
    if not plan.extras:
        return exp.column("level")
    places = enumerate(plan.numbers, 1)
    return case(*((exp.column("level").eq(place), exp.convert(number)) for place, number in places))


def _events(plan: Plan, scope: Scope, by: By | None, top: int | None) -> dict[str, str | exp.Expr]:
    marked = {first.name for first in plan.firsts}
    conditions = [*plan.tests, *(extra.test for extra in plan.extras), *(each.test for each in plan.barriers)]
    conditions = [test for test in conditions if test.name not in marked]
    conditions += [test for first in plan.firsts for test in (first.among, first.test)]
    conditions += [exp.column(name, quoted=True) for name in plan.held]
    counted = None if top is None else _ranked(plan)
    events: dict[str, str | exp.Expr] = {}
    if plan.firsts:
        rank = [
            named(
                exp.and_(
                    first.test,
                    exp.Window(
                        this=exp.Rank(),
                        partition_by=[exp.column("person"), first.among.copy()],
                        order=exp.Order(
                            expressions=[exp.Ordered(this=each) for each in columns(["us", "seq"])]
                        ),
                    ).eq(1),
                ),
                first.name,
            )
            for first in plan.firsts
        ]
        events["ever"] = scope.events(conditions, by=by, top=top, counted=counted, ever=True)
        events["ev"] = filled("first", firsts=rank, inside=scope.inside())
    else:
        events["ev"] = scope.events(conditions, by=by, top=top, counted=counted)
    if plan.sessions:
        usual = Sessions()
        events["visited"] = filled(
            "sessions",
            input=exp.to_table("ev"),
            idle_us=parse_duration(usual.idle),
            longest_us=parse_duration(usual.max_length or "999999d"),
            fastest=usual.max_rate or 1_000_000_000,
        )
    return events


def _matched(plan: Plan, source: str) -> str:
    flags = [named(test.copy(), f"s{step}") for step, test in zip(plan.positions, _flags(plan), strict=True)]
    flags += [named(_later_only(plan, extra.test.copy()), f"o{extra.step}") for extra in plan.extras]
    flags += [named(each.test.copy(), f"x{number}") for number, each in enumerate(plan.barriers, 1)]
    held = [exp.column(name, quoted=True) for name in plan.held]
    keys: list[exp.Expr] = [exp.column("person")]
    keys += [
        named(exp.cast(value.copy(), "VARCHAR"), name)
        for value, name in zip(held, plan.held_names, strict=True)
    ]
    keys += columns(["session_us"]) if plan.sessions else []
    keys += columns(["us", "seq"])
    keys += columns(["event"]) if plan.order == "strict" else []
    tests = [*plan.tests, *(extra.test for extra in plan.extras), *(each.test for each in plan.barriers)]
    kept = exp.true() if plan.order == "strict" else exp.paren(exp.or_(*(test.copy() for test in tests)))
    present = [exp.not_(value.copy().is_(exp.null())) for value in held]
    return filled(
        "matched",
        columns=[*keys, named(plan.touch or _ALL.copy(), "touch"), *flags],
        input=exp.to_table(source),
        kept=exp.and_(kept, *present),
    )


def _flags(plan: Plan) -> list[exp.Expr]:
    return [plan.tests[0], *(_later_only(plan, test) for test in plan.tests[1:])]


def _later_only(plan: Plan, test: exp.Expr) -> exp.Expr:
    if plan.entry != "latest":
        return test
    # An event that can start an attempt restarts it, so it fills no later step.
    return exp.and_(test, exp.Not(this=exp.Paren(this=plan.tests[0].copy())))


def _ahead(plan: Plan) -> list[exp.Expr]:
    def following(flag: str, spec: exp.WindowSpec) -> exp.Expr:
        return over(exp.Min(this=case((exp.column(flag), exp.column("us")))), plan.unit, spec=spec)

    strictly = [
        named(following(f"x{number}", frame(1, "FOLLOWING")), f"nx{number}")
        for number in range(1, len(plan.barriers) + 1)
    ]
    return strictly + [
        named(following(f"o{extra.step}", _extra_frame(plan, extra)), f"no{extra.step}")
        for extra in plan.extras
    ]


def _extra_frame(plan: Plan, extra: Extra) -> exp.WindowSpec:
    if plan.tie_us is None or not extra.apart:
        return frame(1, "FOLLOWING")
    return frame(plan.tie_us, "PRECEDING")


def _neighbours(plan: Plan) -> list[exp.Expr]:
    """Builds the start's place among the unit's starts, where that matters."""
    found: list[exp.Expr] = []
    if plan.entry == "first":
        earlier = over(exp.Count(this=exp.Star()), plan.unit, spec=frame(end=1, end_side="PRECEDING"))
        found.append(named(earlier, "earlier"))
    if plan.entry == "latest":
        restart = over(exp.Min(this=exp.column("us")), plan.unit, spec=frame(1, "FOLLOWING"))
        found.append(named(restart, "restart_us"))
    return found


def _reported(plan: Plan, by: By | None) -> dict[str, str | exp.Expr]:
    if plan.count == "totals":
        chosen = filled(
            "totals",
            unit=columns(plan.unit),
            best=best_first(plan),
            follows=same(plan.unit, "tried", "following"),
            onward=columns(plan.unit, "walked"),
            linked=same(plan.unit, "linked", "walked"),
        )
    else:
        chosen = filled("reported", counted=columns(plan.counted), best=best_first(plan))
    if "touch" in plan.counted:
        return {"reported": chosen}
    if plan.touch is None:
        return {"chosen": chosen, "reported": exp.select("*", named(_ALL.copy(), "touch")).from_("chosen")}
    return {"chosen": chosen, **_touched(plan, by)}


def _touched(plan: Plan, by: By | None) -> dict[str, str | exp.Expr]:
    found: dict[str, str | exp.Expr] = {}
    if plan.carried and (places := _attributed_positions(plan)):
        level, none = exp.column("level"), exp.Literal.string(_no_value(by))
        own = case(
            *((level.copy() >= place, exp.column(f"v{place}")) for place in reversed(places)), default=none
        )
        return {"reported": exp.select("*", named(own, "touch")).from_("chosen")}
    at, fills = _attributed(plan)
    spare = _needed(plan)
    if spare is not None:
        found["openers"] = filled("openers", same=same(plan.unit, "counts", "matched"), counts=spare[0])
        # A null is a step that was not taken, and needs nothing.
        fills = exp.and_(fills, exp.not_(exp.Coalesce(this=spare[1], expressions=[exp.false()])))
    key = "t1" if plan.count == "totals" else None
    found["reported"] = filled(
        "touched",
        none=_no_value(by),
        events=exp.to_table("openers" if spare is not None else "matched"),
        same=same(plan.unit, "value", "chosen"),
        at=at,
        fills=fills,
        attempt=columns([*plan.counted, *([key] if key else [])], "chosen"),
    )
    return found


def _attributed_positions(plan: Plan) -> list[int]:
    """Lists the positions of the required steps whose value might count."""
    if plan.attribution == "last":
        return list(plan.positions)
    step = 1 if plan.attribution == "first" else int(plan.attribution.removeprefix("step:"))
    return [plan.numbers.index(step) + 1] if step in plan.numbers else []


def _needed(plan: Plan) -> tuple[list[exp.Expr], exp.Expr] | None:
    """Builds the test whether another step needs the event whose value might count, and the counts it goes by."""
    positions = _attributed_positions(plan)
    found = {place: spare for place in positions if (spare := needed(plan, place)) is not None}
    if not found:
        return None
    counts = counted(members for sets, _ in found.values() for members in sets)
    if plan.attribution != "last":
        return counts, found[positions[0]][1]
    level = exp.column("level", table="chosen")
    return counts, case(*((level.copy().eq(place), test) for place, (_, test) in found.items()))


def _no_value(by: By | None) -> str:
    """Writes the group of those without a value as `breakdown` writes groups."""
    several = len(items_of(by))
    return NONE if several < 2 else json.dumps([NONE] * several, separators=(",", ":"))


def _ranked(plan: Plan) -> exp.Expr:
    """Builds the test for the events by whose people groups are ranked: those whose value might count."""
    marks = {first.name: first.test for first in plan.firsts}
    start = plan.attribution == "first" and plan.order != "any"
    tests = [marks.get(test.name, test) for test in (plan.tests[:1] if start else plan.tests)]
    return exp.paren(exp.or_(*(test.copy() for test in tests)))


def _attributed(plan: Plan) -> tuple[exp.Expr, exp.Expr]:
    """Builds the instant of the event whose value counts, and the test whether an event could fill that step."""
    level = exp.column("level", table="chosen")

    def time(position: int) -> exp.Expr:
        return exp.column(f"t{position}", table="chosen")

    def fits(position: int) -> exp.Expr:
        places = plan.positions if plan.order == "any" else [position]
        return exp.or_(*columns((f"s{place}" for place in places), "value"))

    if plan.attribution == "last":
        return (
            case(*((level.copy().eq(place), time(place)) for place in plan.positions)),
            case(*((level.copy().eq(place), fits(place)) for place in plan.positions)),
        )
    step = 1 if plan.attribution == "first" else int(plan.attribution.removeprefix("step:"))
    if step not in plan.numbers:
        optional = f"o{step}"
        return exp.column(optional, table="chosen"), exp.column(optional, table="value")
    position = plan.numbers.index(step) + 1
    return time(position), fits(position)
