"""A second, naive implementation of exposure and outcomes: plain loops over plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

DAY = 86_400_000_000


class Happened(NamedTuple):
    """One event; `us` since 1970 UTC."""

    person: str
    event: str
    us: int
    flag: str | None = None
    variant: str | None = None
    amount: float | None = None
    device: str | None = None


class Unit(NamedTuple):
    """One exposed unit."""

    variant: str
    us: int
    several: bool
    segment: str


@dataclass(frozen=True)
class Asked:
    """What the oracle is asked: the experiment's time and the names of its variants."""

    variants: Sequence[str]
    since: int
    until: int
    horizon: int


def units_of(rows: Sequence[Happened], asked: Asked) -> dict[str, Unit]:
    """First valid exposure per person: the earliest; at one instant the first in the log, and then by name."""
    valid: dict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
    for line, row in enumerate(rows):
        if row.event != "Exposed" or row.flag != "test" or row.variant not in asked.variants:
            continue
        if asked.since <= row.us <= asked.until:
            valid[row.person].append((row.us, line, row.variant or "", row.device or "(none)"))
    found = {}
    for person, seen in valid.items():
        us, _, variant, device = min(seen)
        found[person] = Unit(variant, us, len({each[2] for each in seen}) > 1, device)
    return found


def added(
    rows: Sequence[Happened], person: str, what: Callable[[list[Happened]], float], start: int, end: int
) -> float:
    """What a person adds from one instant up to another, the latter excluded."""
    return what([row for row in rows if row.person == person and start <= row.us < end])


def did(event: str) -> Callable[[list[Happened]], float]:
    return lambda rows: float(any(row.event == event for row in rows))


def count(event: str) -> Callable[[list[Happened]], float]:
    return lambda rows: float(sum(row.event == event for row in rows))


def days(event: str) -> Callable[[list[Happened]], float]:
    return lambda rows: float(len({row.us // DAY for row in rows if row.event == event}))


def total(event: str) -> Callable[[list[Happened]], float]:
    return lambda rows: float(sum(row.amount or 0 for row in rows if row.event == event))


def in_order(chain: Sequence[Sequence[str]]) -> Callable[[list[Happened]], float]:
    """Whether events can be chosen, one for each step and none twice, that do not go back in time."""

    def found(rows: list[Happened], steps: Sequence[Sequence[str]], since: int) -> bool:
        if not steps:
            return True
        return any(
            found(rows[:at] + rows[at + 1 :], steps[1:], row.us)
            for at, row in enumerate(rows)
            if row.us >= since and row.event in steps[0]
        )

    return lambda rows: float(found(rows, chain, 0))


def sums(
    rows: Sequence[Happened],
    asked: Asked,
    top: Callable[[list[Happened]], float],
    bottom: Callable[[list[Happened]], float] | None,
    opens: int,
    closes: int | None,
    before: int,
) -> dict[tuple[str, bool, str], dict[str, float]]:
    """Sums by variant, whether several were seen, and segment: of units whose window is over."""
    found: dict[tuple[str, bool, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for person, unit in units_of(rows, asked).items():
        cell = found[unit.variant, unit.several, unit.segment]
        cell["units"] += 1
        if closes is not None and unit.us + closes > asked.horizon:
            continue
        end = 10**18 if closes is None else unit.us + closes
        one: Callable[[list[Happened]], float] = bottom or (lambda _: 1.0)
        values = {
            "y": added(rows, person, top, unit.us + opens, end),
            "x": added(rows, person, one, unit.us + opens, end),
            "c": added(rows, person, top, unit.us - before, unit.us),
            "d": added(rows, person, one, unit.us - before, unit.us),
        }
        cell["n"] += 1
        for name, value in values.items():
            cell[name] += value
            for other, more in values.items():
                cell[name + other] += value * more
    return found
