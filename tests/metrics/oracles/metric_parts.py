"""What the second implementations of metrics are made of: what people add, what is observed, which events match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from metric_worlds import Book, Row

from headway.models.metrics import EventSelector
from headway.statistics.estimates import Kind

CONDITIONS: Mapping[str, Callable[[Row], bool]] = {
    "amount > 1": lambda row: row.amount is not None and row.amount > 1,
    "amount < 2": lambda row: row.amount is not None and row.amount < 2,
    "score > 5": lambda row: row.score is not None and row.score > 5,
}
VALUES: Mapping[str, Callable[[Row], float | None]] = {
    "amount": lambda row: row.amount,
    "score": lambda row: row.score,
    "amount * score": lambda row: None if row.amount is None or row.score is None else row.amount * row.score,
}
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}

Period = tuple[str, date]


class Unit(NamedTuple):
    """What one person adds to a period; `at` is the instant at which the person's segments count."""

    person: int
    period: Period
    at: int
    y: float
    x: float = 1


class Seen(NamedTuple):
    """One observation, and whether it is still open."""

    person: int
    period: Period
    at: int
    value: float
    is_open: bool = False


@dataclass
class Expected:
    """What a metric should come to.

    Attributes:
        kind: How sums become a value; ``quantile`` for observations.
        wait: Time after a period's end until its value is complete.
        units: What people add.
        seen: What is observed.
        left_out: Events left out, by reason.
        once: Of a running total: whether people are counted.
        unbegun: Periods that end before a running total begins.
    """

    kind: Kind | str
    wait: int = 0
    units: list[Unit] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    once: bool = False
    unbegun: set[Period] = field(default_factory=set)


def matches(row: Row, selector: EventSelector | None) -> bool:
    if selector is None or row.event not in selector.event:
        return False
    return selector.where is None or CONDITIONS[selector.where](row)


def each_person(book: Book, keep: Callable[[Row], bool]) -> Iterator[tuple[int, Period, list[Row]]]:
    """Goes through people and the periods in which they did something."""
    for person, rows in book.people.items():
        for period, found in book.grouped(filter(keep, rows)).items():
            yield person, period, found


def first_ever(rows: Iterable[Row], selector: EventSelector) -> Row | None:
    return next((row for row in rows if matches(row, selector)), None)
