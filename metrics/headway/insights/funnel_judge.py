"""Which steps of an attempt count: the window, the exclusions, the optional steps."""

from __future__ import annotations

from sqlglot import exp

from headway.insights.funnel_parts import case, columns, filled, greatest, is_null, least, named, nothing
from headway.insights.funnel_plan import Barrier, Extra, Plan

_EVER_US = 9_223_372_036_854_775_807


def attempts(plan: Plan) -> str:
    """Writes the relation with one judged attempt a row.

    Args:
        plan: What to compute.

    Returns:
        The query.
    """
    places = list(reversed(plan.positions))
    level = case(
        *((_reaches(plan, place), exp.convert(place)) for place in places[:-1]), default=exp.convert(1)
    )
    times = [named(_time(plan, place), f"t{place}") for place in plan.positions]
    times += [named(_optional(plan, extra), f"o{extra.step}") for extra in plan.extras]
    times += columns([*plan.carried, "opened"] if plan.carried else [])
    first = plan.entry == "first" and plan.count != "totals"
    return filled(
        "attempts",
        unit=columns(plan.unit),
        times=times,
        spoilt=_spoilt(plan),
        ended=_ended(plan) if plan.count == "totals" else nothing(),
        level=level,
        end=least(_ends(plan)),
        counts=exp.column("earlier").eq(0) if first else exp.true(),
    )


def best_first(plan: Plan) -> list[exp.Expr]:
    """Lists how attempts are ordered: furthest, earliest finish, latest start, then earliest steps.

    Args:
        plan: What to compute.

    Returns:
        Items of an ORDER BY.
    """
    finish = case(*((_stands(place), exp.column(f"t{place}")) for place in plan.positions))
    names = [f"t{place}" for place in plan.positions[1:]] + [f"o{extra.step}" for extra in plan.extras]
    keys = [(exp.column("level"), True), (finish, False), (exp.column("t1"), True)]
    keys += [(each, False) for each in columns(names)]
    # Of attempts that start in one instant the last one in the log.
    keys += [(exp.column("opened"), True)] if plan.carried else []
    keys += [(each, True) for each in columns(plan.carried)]
    return [exp.Ordered(this=key, desc=falling) for key, falling in keys]


def _stands(place: int) -> exp.Expr:
    return exp.column("level").eq(place)


def _at(plan: Plan, place: int, path: int) -> exp.Expr:
    """Builds the instant of a step on the way to another one."""
    if place == 1:
        return exp.column("t1")
    return exp.column(f"t{place}_{path}" if plan.choosy else f"t{place}")


def _ends(plan: Plan) -> list[exp.Expr]:
    ends: list[exp.Expr] = [] if plan.within_us is None else [exp.column("t1") + plan.within_us]
    if plan.entry == "latest":
        # The last attempt is not restarted.
        ends.append(exp.Coalesce(this=exp.column("restart_us"), expressions=[exp.convert(_EVER_US)]))
    return ends


def _reaches(plan: Plan, path: int) -> exp.Expr:
    tests: list[exp.Expr] = [exp.not_(is_null(_at(plan, path, path)))]
    if _ends(plan):
        # With a tolerance a later step may be taken earlier.
        places = range(2, path + 1) if plan.tie_us else [path]
        tests += [_at(plan, place, path) <= exp.column("end_us") for place in places]
    if plan.order == "sequential":
        return exp.and_(*tests)
    if plan.step_us is not None:
        tests += [
            _at(plan, each, path) - _at(plan, each - 1, path) <= plan.step_us for each in range(2, path + 1)
        ]
    for number, barrier in enumerate(plan.barriers, 1):
        spoils = exp.column(f"x{number}")
        tests += [
            exp.paren(exp.or_(is_null(spoils.copy()), spoils.copy() >= _at(plan, place, path)))
            for place in range(barrier.after + 1, min(path, barrier.before) + 1)
        ]
    return exp.and_(*tests)


def _time(plan: Plan, place: int) -> exp.Expr:
    if place == 1:
        return exp.column("t1")
    if not plan.choosy:
        return case((exp.column("level") >= place, exp.column(f"t{place}")))
    paths = range(place, len(plan.tests) + 1)
    return case(*((_stands(path), _at(plan, place, path)) for path in paths))


def _excluded(plan: Plan, number: int, level: int) -> exp.Expr:
    """Builds the next instant with an excluded event for an attempt that got to a level."""
    return exp.column(f"x{number}_{level}" if plan.choosy else f"x{number}")


def _standing(plan: Plan, level: int) -> list[tuple[int, Barrier]]:
    """Lists the exclusions an attempt that got to a level stands between the steps of."""
    return [(n, each) for n, each in enumerate(plan.barriers, 1) if each.after <= level < each.before]


def _window_ends(plan: Plan, level: int) -> list[exp.Expr]:
    ends: list[exp.Expr] = [exp.column("end_us")] if _ends(plan) else []
    step = [] if plan.step_us is None else [_at(plan, level, level) + plan.step_us]
    return ends + step


def _spoilt(plan: Plan) -> exp.Expr:
    if not plan.drop:
        return exp.false()
    tests = []
    for level in plan.positions[:-1]:
        ends = _window_ends(plan, level)
        for number, _ in _standing(plan, level):
            spoils = _excluded(plan, number, level)
            inside = spoils <= least(ends) if ends else exp.not_(is_null(spoils))
            tests.append(exp.and_(_stands(level), inside))
    return exp.Coalesce(this=exp.or_(*tests), expressions=[exp.false()]) if tests else exp.false()


def _ended(plan: Plan) -> exp.Expr:
    last = len(plan.tests)
    branches = [(_stands(last), greatest([_at(plan, place, last) for place in plan.positions]))]
    for level in plan.positions[:-1]:
        ends: list[exp.Expr] = [exp.column("t1") + plan.within_us] if plan.within_us is not None else []
        ends += [exp.column("restart_us") - 1] if plan.entry == "latest" else []
        ends += [] if plan.step_us is None else [_at(plan, level, level) + plan.step_us]
        ends += [_excluded(plan, number, level) for number, _ in _standing(plan, level)]
        branches.append((_stands(level), least([*ends, exp.convert(_EVER_US)])))
    return case(*branches)


def _optional(plan: Plan, extra: Extra) -> exp.Expr:
    """Builds the instant of an optional step: between the required steps around it, or until the window ends."""
    branches = []
    for path in range(extra.after, len(plan.tests) + 1):
        name = exp.column(f"o{extra.step}_{path}" if plan.choosy else f"o{extra.step}")
        tests = _in_time(plan, path, name) if path == extra.after else [_precedes(plan, extra, path, name)]
        if plan.step_us is not None:
            tests.append(name.copy() - _at(plan, extra.after, path) <= plan.step_us)
        branches.append((exp.and_(_stands(path), *tests), name))
    return case(*branches)


def _in_time(plan: Plan, level: int, name: exp.Expr) -> list[exp.Expr]:
    tests: list[exp.Expr] = [exp.not_(is_null(name.copy()))]
    if _ends(plan):
        tests.append(name.copy() <= exp.column("end_us"))
    if not plan.drop:
        for number, _ in _standing(plan, level):
            spoils = _excluded(plan, number, level)
            tests.append(exp.paren(exp.or_(is_null(spoils.copy()), name.copy() <= spoils.copy())))
    return tests


def _precedes(plan: Plan, extra: Extra, path: int, name: exp.Expr) -> exp.Expr:
    following = _at(plan, extra.after + 1, path)
    if plan.tie_us is None or not extra.apart:
        return name.copy() < following
    return name.copy() <= following + plan.tie_us
