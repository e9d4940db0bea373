"""Which cells of which metrics a run's news can have changed, and what must be read to compute them again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from headway.frameworks.calendar import Calendar, Period
from headway.frameworks.reach import Reach
from headway.models.composition import parts_of
from headway.models.metrics import Grain
from headway.models.product import Product
from headway.periods import EPOCH

Cells = frozenset[tuple[str, date]]
"""Periods, each as its kind and its first day."""


@dataclass(frozen=True)
class Stale:
    """What is to be computed again.

    Attributes:
        periods: By metric, the periods whose cells are; None where all are.
        days: Local days, in days since 1970-01-01, of which every event must be at hand.
        names: Events of which all must be at hand, whatever the day.
    """

    periods: Mapping[str, Cells | None]
    days: frozenset[int]
    names: frozenset[str]


@dataclass(frozen=True)
class Log:
    """The days a log covers.

    Attributes:
        calendar: Its days and longer periods.
        first: The first local day.
        last: The last one.
    """

    calendar: Calendar
    first: date
    last: date

    @property
    def span(self) -> tuple[int, int]:
        """Both as days since 1970-01-01."""
        return (self.first - EPOCH).days, (self.last - EPOCH).days


def stale(
    product: Product, reaches: Mapping[str, Reach], log: Log, changed: Collection[int], since: int
) -> Stale:
    """Finds the cells that may differ from those computed before.

    Args:
        product: The product.
        reaches: On what each of its metrics depends.
        log: The days the log covers.
        changed: Local days on which something is new, in days since 1970-01-01.
        since: Horizon of what was computed before: what was not complete then is computed again.

    Returns:
        What is to be computed again.

    Examples:
        >>> words = {"framework": "aarrr", "stage": "revenue", "title": "Payers", "unit": "people"}
        >>> payers = {**words, "kind": "count", "of": {"event": "Paid", "measure": "people"}}
        >>> product = Product.model_validate({"name": "Shop", "timezone": "UTC", "currency": "EUR", "activity": "Paid",
        ...     "grains": ["day", "week"], "metrics": {"payers": payers}})
        >>> log = Log(Calendar("UTC"), date(2026, 3, 2), date(2026, 3, 20))
        >>> third = (date(2026, 3, 3) - EPOCH).days
        >>> found = stale(product, {"payers": Reach()}, log, [third], since=10**18)
        >>> sorted((grain, start.isoformat()) for grain, start in found.periods["payers"])
        [('day', '2026-03-03'), ('week', '2026-03-02')]
        >>> len(found.days)
        7
    """
    reader = _Reader(log, frozenset(changed))
    periods = _together(
        product,
        {
            name: None
            if reaches[name].whole
            else reader.of(reaches[name], product.grains_of(name), since - metric.measured().wait)
            for name, metric in product.metrics.items()
        },
    )
    days: set[int] = set()
    for name, cells in periods.items():
        if cells is not None and not reaches[name].ever and not parts_of(product.metrics[name]):
            days |= reader.days(reaches[name], product.grains_of(name), cells)
    names = {name for each in reaches.values() for name in each.names}
    return Stale(periods, frozenset(days), frozenset(names))


class _Reader:
    """Looks periods up, those of each kind listed once."""

    def __init__(self, log: Log, changed: frozenset[int]) -> None:
        self.first, self.last = log.span
        self.log = log
        marks = [day in changed for day in range(self.first, self.last + 1)]
        self.sums = list(accumulate(marks, initial=0))
        self.listed: dict[Grain, list[Period]] = {}
        self.found: dict[object, Cells] = {}

    def of(self, reach: Reach, grains: tuple[Grain, ...], complete_before: int) -> Cells:
        """Finds the periods of a metric that may differ."""
        key = (reach.before, reach.after, reach.previous, reach.ever, grains, complete_before)
        if key not in self.found:
            self.found[key] = frozenset(
                (period.grain, period.start)
                for period, days in self._spans(reach, grains)
                if period.end > complete_before or self._changed(days)
            )
        return self.found[key]

    def days(self, reach: Reach, grains: tuple[Grain, ...], cells: Cells) -> set[int]:
        """Lists the days on which cells depend."""
        found: set[int] = set()
        for period, days in self._spans(reach, grains):
            if (period.grain, period.start) in cells:
                found.update(days)
        return found

    def _spans(self, reach: Reach, grains: tuple[Grain, ...]) -> Iterator[tuple[Period, range]]:
        """Yields every period with the days on which its cells depend."""
        for grain in grains:
            if grain not in self.listed:
                self.listed[grain] = list(self.log.calendar.periods(self.log.first, self.log.last, (grain,)))
            before = None
            for period in self.listed[grain]:
                start = before.start if reach.previous and before is not None else period.start
                before_it = (start - EPOCH).days - reach.before
                first = self.first if reach.ever else max(before_it, self.first)
                yield period, range(first, min((period.last - EPOCH).days + reach.after, self.last) + 1)
                before = period

    def _changed(self, days: range) -> bool:
        return self.sums[days.stop - self.first] > self.sums[days.start - self.first] if days else False


def _together(product: Product, periods: Mapping[str, Cells | None]) -> dict[str, Cells | None]:
    """Gives a metric that is made of others their periods, and the others its own: one is computed from the others."""
    found = dict(periods)
    while True:
        before = dict(found)
        for name, metric in product.metrics.items():
            for part in parts_of(metric):
                one, other = found[name], found[part]
                both = None if one is None or other is None else one | other
                found[name], found[part] = (_own(product, each, both) for each in (name, part))
        if found == before:
            return found


def _own(product: Product, name: str, cells: Cells | None) -> Cells | None:
    grains = product.grains_of(name)
    return None if cells is None else frozenset(cell for cell in cells if cell[0] in grains)
