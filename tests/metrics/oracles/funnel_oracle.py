"""Funnels a second time, in plain Python: every way to take the steps is tried, straight from the definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from headway.insights import Exclude
from headway.selectors import Event, Selector, as_event

IDLE = 30


class Row(NamedTuple):
    """An event, in minutes."""

    person: str
    event: str
    at: int
    plan: str | None = None
    course: str | None = "c"


@dataclass(frozen=True)
class Asked:
    """A question, in minutes."""

    steps: tuple[Event, ...]
    within: int | None = 10
    within_step: int | None = None
    order: str = "sequential"
    entry: str = "best"
    exclude: tuple[Exclude, ...] = ()
    on_exclusion: str = "drop_person"
    tie: int | None = 0
    hold: bool = False
    count: str = "people"
    by: bool = False
    attribution: str = "first"
    since: int = 0

    @property
    def required(self) -> list[int]:
        return [n for n, step in enumerate(self.steps) if not step.optional]


@dataclass
class Attempt:
    """A way through the steps; `times` are those of the required steps taken."""

    times: tuple[int, ...]
    touch: str = "(all)"
    optional: dict[int, int] = field(default_factory=dict)
    spoilt: bool = False
    ended: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        return len(self.times), -self.times[-1], self.times[0], tuple(-time for time in self.times[1:])


def matches(step: Selector, row: Row) -> bool:
    """The sentences of the definition of a selector; the only conditions used are on plan."""
    event = as_event(step)
    if event.names is not None and row.event not in event.names:
        return False
    return {
        None: True,
        "plan = 'x'": row.plan == "x",
        "plan <> 'x'": row.plan != "x",
        "plan in ('x', 'y')": row.plan in ("x", "y"),
    }[event.where]


@dataclass
class Unit:
    """Where an attempt happens: the events of a person, a session, a value; and which of them fill which step."""

    rows: list[Row]
    fills: list[list[bool]]
    asked: Asked

    def can(self, step: int, n: int) -> bool:
        restarts = self.asked.entry == "latest" and step != 0 and self.fills[n][0]
        return self.fills[n][step] and not restarts

    def spoilers(self, exclusion: Exclude) -> list[int]:
        return [row.at for row in self.rows if matches(exclusion.selector, row)]

    def between(self, exclusion: Exclude) -> tuple[int, int]:
        """Its two steps, numbered among the required ones from 1."""
        required = self.asked.required
        if self.asked.order == "any":
            return 1, len(required)
        ends = exclusion.after - 1, required[-1] if exclusion.before is None else exclusion.before - 1
        return required.index(ends[0]) + 1, required.index(ends[1]) + 1


def answer(rows: Sequence[Row], asked: Asked) -> dict[tuple[Any, ...], list[Attempt]]:
    """The attempts that are reported, by person and whatever else is counted apart."""
    found: dict[tuple[Any, ...], list[Attempt]] = {}
    for key, unit in units(rows, asked):
        found.setdefault(key, []).extend(attempts(unit))
    if asked.count == "totals":
        return {key: list(one_after_the_other(tries)) for key, tries in found.items()}
    clean = {key: [each for each in tries if not each.spoilt] for key, tries in found.items()}
    # Of equal attempts the one that starts last in the log.
    return {key: [max(reversed(tries), key=lambda each: each.key)] for key, tries in clean.items() if tries}


def units(rows: Sequence[Row], asked: Asked) -> Iterator[tuple[tuple[Any, ...], Unit]]:
    """Cuts a log into units; the key says what is counted together."""
    for person in sorted({row.person for row in rows}):
        ever = sorted((row for row in rows if row.person == person), key=lambda row: row.at)
        fills = [[fits(step, n, ever) for step in asked.steps] for n in range(len(ever))]
        parts: dict[tuple[Any, ...], list[int]] = {}
        session, last = None, None
        for n, row in enumerate(ever):
            if row.at < asked.since:
                continue
            if last is None or row.at - last > IDLE:
                session = row.at
            last = row.at
            if asked.hold and row.course is None:
                continue
            apart = asked.within is None or asked.count == "sessions"
            touch = row.plan or "(none)"
            part = (
                row.course if asked.hold else None,
                touch if asked.by and asked.attribution == "all" else None,
                session if apart else None,
            )
            parts.setdefault(part, []).append(n)
        for (course, touch, start), members in parts.items():
            key = (person, course, touch, start if asked.count == "sessions" else None)
            if asked.count == "totals":
                key = (*key[:3], start)
            yield key, Unit([ever[n] for n in members], [fills[n] for n in members], asked)


def fits(step: Event, n: int, ever: list[Row]) -> bool:
    if not matches(step, ever[n]):
        return False
    if step.first_time is None:
        return True
    same = Event(step.event) if step.first_time == "event" else step
    return n == min(m for m, row in enumerate(ever) if matches(same, row))


def attempts(unit: Unit) -> Iterator[Attempt]:
    """One attempt per instant at which one starts (per event where the order is strict)."""
    asked = unit.asked
    first = range(len(asked.steps)) if asked.order == "any" else [0]
    starts = [n for n in range(len(unit.rows)) if any(unit.can(step, n) for step in first)]
    instants = sorted({unit.rows[n].at for n in starts})
    if asked.entry == "first" and asked.count != "totals":
        instants = instants[:1]
    for at in instants:
        end = None if asked.within is None else at + asked.within
        later = [instant for instant in instants if instant > at]
        if asked.entry == "latest" and later:
            end = later[0] if end is None else min(end, later[0])
        own = [n for n in starts if unit.rows[n].at == at]
        if asked.order == "strict":
            tries = [judged(unit, [strictly(unit, n, end)], end) for n in own]
        elif asked.order == "any":
            tries = [judged(unit, [anyhow(unit, at, end)], end)]
        else:
            tries = [judged(unit, list(ways(unit, own, end)), end)]
        if asked.entry == "latest" and later:
            for each in tries:
                each.ended = (
                    min(each.ended, later[0] - 1) if len(each.times) < len(asked.required) else each.ended
                )
        yield from tries


def ways(unit: Unit, starts: list[int], end: int | None) -> Iterator[tuple[int, ...]]:
    """Every way to take steps from an instant that is not spoilt between steps taken, as events."""
    asked = unit.asked
    stack: list[tuple[int, ...]] = [(n,) for n in starts]
    while stack:
        used = stack.pop()
        yield used
        if len(used) == len(asked.required):
            continue
        before = unit.rows[used[-1]].at
        for n, row in enumerate(unit.rows):
            if n in used or not unit.can(asked.required[len(used)], n):
                continue
            strictly_later = asked.tie is None or (asked.tie > 0 and alike(asked, len(used)))
            in_order = row.at > before if strictly_later else row.at >= before - (asked.tie or 0)
            in_time = end is None or row.at <= end
            in_step = asked.within_step is None or row.at - before <= asked.within_step
            if in_order and in_time and in_step and not is_spoilt(unit, (*used, n)):
                stack.append((*used, n))


def alike(asked: Asked, place: int) -> bool:
    """Whether, going by the names, a chain of events leads from one of two neighbouring steps to the other."""
    own = [as_event(asked.steps[n]).names for n in asked.required]
    near = {place - 1}
    for _ in own:
        near |= {n for n, each in enumerate(own) if any(meet(each, own[other]) for other in near)}
    return place in near


def meet(one: Sequence[str] | None, other: Sequence[str] | None) -> bool:
    return one is None or other is None or bool(set(one) & set(other))


def is_spoilt(unit: Unit, used: tuple[int, ...]) -> bool:
    times = [unit.rows[n].at for n in used]
    for exclusion in unit.asked.exclude:
        after, before = unit.between(exclusion)
        last = min(before, len(times))
        if last <= after:
            continue
        if unit.asked.tie:
            spans = [(times[n - 1], times[n]) for n in range(after, last)]
        else:
            spans = [(times[after - 1], times[last - 1])]
        if any(low < at < high for at in unit.spoilers(exclusion) for low, high in spans):
            return True
    return False


def strictly(unit: Unit, start: int, end: int | None) -> tuple[int, ...]:
    """The longest run of steps in consecutive events; those of one instant in the order of the log."""
    asked = unit.asked
    used: tuple[int, ...] = ()
    for step, n in enumerate(range(start, len(unit.rows))):
        if step == len(asked.steps) or not unit.can(step, n):
            break
        times = [unit.rows[each].at for each in (*used, n)]
        if end is not None and times[-1] > end:
            break
        if used and asked.tie is None and times[-1] <= times[-2]:
            break
        if used and asked.within_step is not None and times[-1] - times[-2] > asked.within_step:
            break
        if is_spoilt(unit, (*used, n)):
            break
        used = (*used, n)
    return used


def anyhow(unit: Unit, at: int, end: int | None) -> tuple[int, ...]:
    """For each number of steps the event by which so many different ones can be filled, each by an event of its own."""
    used: tuple[int, ...] = ()
    for last in range(len(unit.rows)):
        until = unit.rows[last].at
        if until < at or (end is not None and until > end):
            continue
        seen = [n for n, row in enumerate(unit.rows) if at <= row.at and n <= last]
        while len(used) < most_filled(unit, seen):
            if is_spoilt(unit, (*used, last)):
                return used
            used = (*used, last)
    return used


def most_filled(unit: Unit, events: list[int]) -> int:
    """The most steps that can be filled by different events: every way to give each event away is tried."""

    @cache
    def best(place: int, free: frozenset[int]) -> int:
        if place == len(events):
            return 0
        ways = [step for step in free if unit.can(step, events[place])]
        return max([best(place + 1, free), *(1 + best(place + 1, free - {step}) for step in ways)])

    return best(0, frozenset(range(len(unit.asked.steps))))


def judged(unit: Unit, tries: list[tuple[int, ...]], end: int | None) -> Attempt:
    """The best way from one instant, what becomes of it, and whose value it has."""
    asked = unit.asked

    def times(used: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(unit.rows[n].at for n in used)

    best = max((times(used) for used in tries), key=lambda each: Attempt(each).key)
    attempt = Attempt(best)
    standing = []
    over = [] if end is None else [end]
    over += [] if asked.within_step is None else [best[-1] + asked.within_step]
    for exclusion in asked.exclude:
        after, before = unit.between(exclusion)
        if after <= len(best) < before:
            standing += [at for at in unit.spoilers(exclusion) if at > best[after - 1]]
    inside = [at for at in standing if not over or at <= min(over)]
    attempt.spoilt = asked.on_exclusion == "drop_person" and bool(inside)
    attempt.ended = min([*over, *standing, 10**9])
    if len(best) == len(asked.required):
        attempt.ended = max(best)
    stop = min(standing, default=10**9) if asked.on_exclusion == "stop_there" else 10**9
    attempt.optional = {
        n: found
        for n, step in enumerate(asked.steps)
        if step.optional and (found := optional(unit, n, best, end, stop)) is not None
    }
    if asked.by and asked.attribution == "all":
        attempt.touch = unit.rows[0].plan or "(none)"
    elif asked.by:
        attempt.touch = touch(unit, [used for used in tries if times(used) == best], attempt)
    return attempt


def optional(unit: Unit, step: int, times: tuple[int, ...], end: int | None, stop: int) -> int | None:
    """When an optional step was taken, given the instants of the required ones."""
    asked = unit.asked
    place = sum(number < step for number in asked.required)
    if place > len(times):
        return None
    low = times[place - 1]
    high = times[place] if place < len(times) else None
    names = {name for n in asked.required for name in as_event(asked.steps[n]).names or ()}
    apart = not names & set(asked.steps[step].names or ()) and all(
        asked.steps[n].names for n in asked.required
    )
    apart = apart and asked.steps[step].names is not None
    slack = asked.tie if apart and asked.tie is not None else None
    found = []
    for n, row in enumerate(unit.rows):
        if not unit.can(step, n):
            continue
        late_enough = row.at > low if slack is None else row.at >= low - slack
        if high is not None:
            early_enough = row.at < high if slack is None else row.at <= high + slack
        else:
            early_enough = (end is None or row.at <= end) and row.at <= stop
        in_step = asked.within_step is None or row.at - low <= asked.within_step
        if late_enough and early_enough and in_step:
            found.append(row.at)
    return min(found, default=None)


def touch(unit: Unit, tries: list[tuple[int, ...]], attempt: Attempt) -> str:
    """The value of the event that fills the step; where several could, the last of them in the log."""
    asked, times = unit.asked, attempt.times
    place = {"first": 0, "last": len(times) - 1}.get(asked.attribution)
    if place is None:
        step = int(asked.attribution.removeprefix("step:")) - 1
        if asked.steps[step].optional:
            at = attempt.optional.get(step)
            own = [r.plan or "(none)" for n, r in enumerate(unit.rows) if r.at == at and unit.can(step, n)]
            return own[-1] if own else "(none)"
        place = asked.required.index(step)
    if place >= len(times):
        return "(none)"
    if asked.order != "any":
        return unit.rows[max(used[place] for used in tries)].plan or "(none)"
    steps = asked.required if asked.order == "any" else [asked.required[place]]
    own = [
        row.plan or "(none)"
        for n, row in enumerate(unit.rows)
        if row.at == times[place] and any(unit.can(step, n) for step in steps)
    ]
    return own[-1]


def one_after_the_other(tries: list[Attempt]) -> Iterator[Attempt]:
    """Attempts that follow each other: the next one starts after the one before is over."""
    over = -(10**9)
    for at in sorted({each.times[0] for each in tries}):
        if at <= over:
            continue
        own = [each for each in reversed(tries) if each.times[0] == at]
        chosen = max(own, key=lambda each: (not each.spoilt, each.key))
        over = chosen.ended
        if not chosen.spoilt:
            yield chosen
