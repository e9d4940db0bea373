"""What the queries of a funnel depend on, worked out from the question and the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from headway.errors import InputError
from headway.insights.funnel_options import SESSION, tie_us
from headway.insights.question import Scope
from headway.models.durations import parse_duration
from headway.selectors import Event, as_event

if TYPE_CHECKING:
    from headway.insights.funnel import Funnel

# Columns of what a result lists and measures beside its frame.
_LISTED = ("person", "level", "seconds")
_TIMES = (
    *("person", "seconds", "seconds_from", "seconds_to"),
    *("mean", "min", "p10", "p25", "median", "p75", "p90", "p95", "p99", "max"),
)
_MOST_OVERLAPPING = 8


@dataclass(frozen=True)
class First:
    """A step that only the first event of a kind ever can fill.

    Attributes:
        name: Column that marks the event.
        among: Condition for the events of which it must be the first.
        test: Condition it must meet itself.
    """

    name: str
    among: exp.Expr
    test: exp.Expr


@dataclass(frozen=True)
class Barrier:
    """An exclusion.

    Attributes:
        test: Condition for the events that spoil an attempt.
        after: Position after which they do.
        before: Position before which they do.
    """

    test: exp.Expr
    after: int
    before: int


@dataclass(frozen=True)
class Extra:
    """An optional step.

    Attributes:
        step: Its number.
        test: Condition on its events.
        after: Position of the last required step before it.
        apart: Whether none of its events could fill a required step.
    """

    step: int
    test: exp.Expr
    after: int
    apart: bool


@dataclass(frozen=True)
class Plan:
    """What the queries of a funnel depend on.

    Positions number the required steps from 1; without optional steps they are the steps' numbers.

    Attributes:
        tests: One condition per required step, on relation ``ev``.
        numbers: The required steps' numbers.
        extras: The optional steps.
        firsts: Marks that ``ev`` must carry.
        groups: Positions that one event might fill alike, in disjoint groups.
        barriers: The exclusions.
        drop: Whether a spoilt attempt counts for nothing; else it keeps what it had reached.
        order: sequential, strict or any.
        entry: Which attempts count: best, first or latest.
        tie_us: How much earlier than the step before a step may be; None demands strictly later.
        within_us: Length of the window; None where only the session bounds it.
        step_us: Longest time from one required step to the next, or None.
        count: people, totals or sessions.
        held: Properties whose value must stay the same.
        sessions: Whether attempts stay within a session.
        touch: The breakdown value of an event, or None.
        attribution: Which event's value it is.
    """

    tests: tuple[exp.Expr, ...]
    numbers: tuple[int, ...]
    extras: tuple[Extra, ...]
    firsts: tuple[First, ...]
    groups: tuple[tuple[int, ...], ...]
    barriers: tuple[Barrier, ...]
    drop: bool
    order: str
    entry: str
    tie_us: int | None
    within_us: int | None
    step_us: int | None
    count: str
    held: tuple[str, ...]
    sessions: bool
    touch: exp.Expr | None
    attribution: str

    @property
    def positions(self) -> range:
        """Positions of the required steps, from 1."""
        return range(1, len(self.tests) + 1)

    @property
    def held_names(self) -> list[str]:
        """Columns with the values that stay the same."""
        return [f"held_{number}" for number in range(1, len(self.held) + 1)]

    @property
    def counted(self) -> list[str]:
        """Columns that say what one reported attempt belongs to."""
        own = ["session_us"] if self.count == "sessions" else []
        return ["person", *self.held_names, *own, *self._touched]

    @property
    def unit(self) -> list[str]:
        """Columns within which an attempt stays."""
        own = ["session_us"] if self.sessions else []
        return ["person", *self.held_names, *own, *self._touched]

    @property
    def _touched(self) -> list[str]:
        return ["touch"] if self.touch is not None and self.attribution == "all" else []

    @property
    def carried(self) -> list[str]:
        """Columns of an attempt with the breakdown value of each of its events, where it is known which they are."""
        carries = self.order == "strict" and self.touch is not None and self.attribution != "all"
        return [f"v{position}" for position in self.positions] if carries else []

    @property
    def by_instant(self) -> bool:
        """Whether events of one instant are looked at together, because who fills what matters."""
        if self.order != "sequential" or self.tie_us:
            return False
        overlap = any(len(group) > 1 for group in self.groups)
        return bool(self.barriers) or (overlap and self.tie_us == 0)

    @property
    def shared(self) -> bool:
        """Whether steps in any order could be filled by the same events."""
        return self.order == "any" and any(len(group) > 1 for group in self.groups)

    @property
    def any_order(self) -> bool:
        """Whether several steps may be taken within an instant."""
        return self.by_instant and self.tie_us == 0

    @property
    def choosy(self) -> bool:
        """Whether taking a step as early as possible might lead nowhere."""
        return self.order == "sequential" and (bool(self.barriers) or self.step_us is not None)


def plan_of(asked: Funnel, scope: Scope) -> Plan:
    """Works out what to compute.

    Args:
        asked: The question.
        scope: Its common options, applied to a log.

    Returns:
        The plan.

    Raises:
        InputError: An event never occurs, a property is unknown, or options do not go together.
    """
    steps = [as_event(step) for step in asked.steps]
    firsts = tuple(first for n, step in enumerate(steps, 1) if (first := _first(n, step, scope)))
    tests = [
        exp.column(f"first_{n}") if step.first_time else scope.matches(plain(step))
        for n, step in enumerate(steps, 1)
    ]
    numbers = tuple(n for n, step in enumerate(steps, 1) if not step.optional)
    required = [steps[n - 1] for n in numbers]
    tie = tie_us(asked.tie)
    groups = overlapping(required)
    _check_overlap(groups, asked.order, tie, asked.tie)
    return Plan(
        tests=tuple(tests[n - 1] for n in numbers),
        numbers=numbers,
        extras=_extras(steps, tests, numbers),
        firsts=firsts,
        groups=groups,
        barriers=tuple(_barriers(asked, scope, numbers)),
        drop=asked.on_exclusion == "drop_person",
        order=asked.order,
        entry=asked.entry,
        tie_us=tie,
        within_us=None if asked.within == SESSION else parse_duration(asked.within),
        step_us=None if asked.within_step is None else parse_duration(asked.within_step),
        count=asked.count,
        held=tuple(_held(asked.hold, scope)),
        sessions=asked.within == SESSION or asked.count == "sessions",
        touch=None if asked.by is None else scope.breakdown(asked.by, (*asked.columns, *_TIMES)),
        attribution=asked.attribution,
    )


def plain(step: Event) -> Event:
    """Takes away what only funnels know of an event.

    Args:
        step: A step.

    Returns:
        The same events.
    """
    return replace(step, optional=False, first_time=None)


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


def _meet(one: Event, other: Event) -> bool:
    return one.names is None or other.names is None or bool(set(one.names) & set(other.names))


def _check_overlap(groups: Sequence[Sequence[int]], order: str, tie: int | None, told: str | None) -> None:
    if all(len(group) == 1 for group in groups):
        return
    if order == "sequential" and tie and any(group[-1] - group[0] >= len(group) for group in groups):
        raise InputError(
            f"tie={told!r} cannot be used where one event could fill two steps with others between them: use "
            "tie='0s' or tie=None, or give the steps different events"
        )


def _first(number: int, step: Event, scope: Scope) -> First | None:
    if step.first_time is None:
        return None
    test = scope.matches(plain(step))
    among = test if step.first_time == "matching" else scope.matches(replace(plain(step), where=None))
    return First(f"first_{number}", among, test)


def _extras(steps: list[Event], tests: list[exp.Expr], numbers: Sequence[int]) -> tuple[Extra, ...]:
    found: list[Extra] = []
    for n, step in enumerate(steps, 1):
        if not step.optional:
            continue
        after = sum(number < n for number in numbers)
        if any(other.after == after and _meet(step, steps[other.step - 1]) for other in found):
            raise InputError(
                "two optional steps between the same required steps can be filled by the same events: "
                "give them different events"
            )
        apart = not any(_meet(step, steps[number - 1]) for number in numbers)
        found.append(Extra(n, tests[n - 1], after, apart))
    return tuple(found)


def _barriers(asked: Funnel, scope: Scope, numbers: Sequence[int]) -> list[Barrier]:
    last = len(numbers)
    return [
        Barrier(
            scope.matches(each.selector),
            1 if asked.order == "any" else numbers.index(each.after) + 1,
            last if asked.order == "any" else numbers.index(each.before or numbers[-1]) + 1,
        )
        for each in asked.exclude
    ]


def _held(names: Sequence[str], scope: Scope) -> Sequence[str]:
    for name in names:
        if name not in scope.log.properties:
            raise InputError.unknown("property", name, scope.log.properties)
        if name in _LISTED:
            raise InputError(f"cannot hold {name!r}: the list of people has a column of that name")
    return names
