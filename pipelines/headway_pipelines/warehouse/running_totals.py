"""Which points of a running total may be shown: who knows two of them knows what was added in between.

A point is shown where what it adds to the last one shown speaks of nobody or of enough people. What is added up may be
told by other metrics too, day by day or week by week: beside them a total may only say what they already say.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from headway.frameworks.running import RUNNING
from headway.models.metrics import (
    Amount,
    CohortAmount,
    Conversion,
    Count,
    Cumulative,
    Mean,
    Metric,
    Ratio,
    Referral,
    Retained,
    Share,
    Stickiness,
)
from headway.models.product import Product

_KEYS: Final = ("metric", "segment", "period", "period_start")
_DAY = timedelta(days=1)
_DOMINATED: Final = 4
"""Effective people up to which one person may be half of a sum."""

Span = tuple[date, int]
"""Last day of a published cell, and its people."""


@dataclass(frozen=True)
class RunningTotal:
    """A running total, and what else tells of what it adds up.

    Attributes:
        metric: Its definition.
        tellers: Other metrics that tell the same of single periods.
        is_first: Whether no other running total of the same was declared before: of several one is published.
    """

    metric: Cumulative
    tellers: tuple[str, ...]
    is_first: bool


def running_totals(product: Product) -> dict[str, RunningTotal]:
    """Lists the running totals of a product.

    Args:
        product: The product.

    Returns:
        Name -> running total.
    """
    found: dict[str, RunningTotal] = {}
    seen: list[Amount] = []
    for name, metric in product.metrics.items():
        if isinstance(metric, Cumulative):
            tellers = tuple(other for other, each in product.metrics.items() if _tells(each, metric.of))
            found[name] = RunningTotal(metric, tellers, metric.of not in seen)
            seen.append(metric.of)
    return found


def _tells(metric: Metric, amount: Amount) -> bool:
    """Whether a metric says how much of an amount there was in a period, or how many people had to do with it."""
    if isinstance(metric, Count):
        return metric.of == amount
    if isinstance(metric, Ratio):
        return amount in (metric.numerator, metric.denominator)
    if amount.measure == "people":
        if isinstance(metric, Conversion | Retained | CohortAmount | Referral):
            return metric.start == amount.event
        return isinstance(metric, Share | Mean | Stickiness) and metric.of == amount.event
    if not isinstance(metric, Mean) or metric.event != amount.event or metric.of != metric.event:
        return False
    same = {"count": "events", "sum": "sum"}.get(metric.measure) == amount.measure
    return same and (metric.value, None, None) == (amount.value, amount.currency, amount.minus)


def hidden_totals(
    cells: pl.DataFrame,
    hidden: pl.DataFrame,
    totals: Mapping[str, RunningTotal],
    min_people: int,
    first_day: date | None = None,
) -> pl.DataFrame:
    """Chooses the cells of running totals to be hidden.

    Of everybody the points are gone through in time: one is shown where, since the last one shown, nobody was new to
    the total or at least `min_people`, and what was added is nobody's or that of as many, none of whom gave half. The
    labels of a segment are shown together: at points of everybody at which that holds for each of them. So no
    difference of cells shown is a small number, be it in time or between labels.

    Args:
        cells: The rows of ``metric_values``, nothing hidden.
        hidden: Cells of other metrics that are hidden: metric, segment, period, period_start.
        totals: The running totals; of others in `cells` everything is hidden.
        min_people: Smallest number of people a cell may speak of.
        first_day: First local day of the log, before which nothing was added.

    Returns:
        Metric, segment, period and period_start of the cells to be hidden.
    """
    running = cells.filter(estimate=RUNNING).unique(_KEYS, keep="first", maintain_order=True)
    told = _visible(cells, hidden, totals, first_day)
    rows = [
        row
        for (metric,), own in running.partition_by("metric", as_dict=True, maintain_order=True).items()
        for row in _hidden(own, totals.get(str(metric)), told, min_people, first_day)
    ]
    return pl.DataFrame(rows, schema={name: running.schema[name] for name in _KEYS}, orient="row")


def _visible(
    cells: pl.DataFrame, hidden: pl.DataFrame, totals: Mapping[str, RunningTotal], first_day: date | None
) -> dict[tuple[str, str], dict[date, list[Span]]]:
    """Metric and segment -> first day -> the cells that are shown of what tells the same as some running total."""
    tellers = {teller for total in totals.values() for teller in total.tellers}
    shown = cells.filter(pl.col("metric").is_in(list(tellers))).join(hidden, on=_KEYS, how="anti")
    found: dict[tuple[str, str], dict[date, list[Span]]] = defaultdict(lambda: defaultdict(list))
    columns = ("metric", "segment", "period_start", "period_end", "people")
    for metric, segment, start, end, people in shown.select(columns).unique().sort(columns).iter_rows():
        begin = start if first_day is None else max(start, first_day)
        found[metric, segment][begin].append((end, people or 0))
    return found


def _hidden(
    cells: pl.DataFrame,
    total: RunningTotal | None,
    told: Mapping[tuple[str, str], Mapping[date, list[Span]]],
    k: int,
    first_day: date | None,
) -> Iterator[tuple[Any, ...]]:
    shown = _Points(cells, total, told, k, first_day).shown() if total and total.is_first else set()
    for row in cells.iter_rows(named=True):
        begun = total is None or total.metric.begins(row["period_end"]) is not None
        if begun and (row["segment"], row["period_end"]) not in shown:
            yield tuple(row[name] for name in _KEYS)


class _Points:
    """The points of one running total, and which of them may be shown."""

    def __init__(
        self,
        cells: pl.DataFrame,
        total: RunningTotal,
        told: Mapping[tuple[str, str], Mapping[date, list[Span]]],
        k: int,
        first_day: date | None,
    ) -> None:
        self.total, self.told, self.k, self.first_day = total, told, k, first_day
        self.at = {(row["segment"], row["period_end"]): row for row in cells.iter_rows(named=True)}
        self.dimensions: dict[str, set[str]] = defaultdict(set)
        self.windows: dict[date, set[date]] = defaultdict(set)
        for segment, end in self.at:
            self.dimensions[segment.split("=")[0]].add(segment)
            begin = total.metric.begins(end)
            if begin is not None:
                self.windows[begin].add(end)
        self.own = dict(self._added())

    def _added(self) -> Iterator[tuple[tuple[str, date], float]]:
        """Yields what was added at each point since the one before."""
        for segments in self.dimensions.values():
            for segment in segments:
                for ends in self.windows.values():
                    before = 0.0
                    for end in sorted(ends):
                        value = self.at[segment, end]["value"]
                        yield (segment, end), value - before
                        before = value

    def shown(self) -> set[tuple[str, date]]:
        """Returns the segments and last days of the points that may be shown."""
        found: set[tuple[str, date]] = set()
        for begin, ends in self.windows.items():
            points = sorted(ends)
            everybody = self._walk(["all"], begin, points, ends)
            for segments in self.dimensions.values():
                chosen = self._walk(sorted(segments), begin, points, everybody)
                found |= {(segment, end) for segment in segments for end in chosen}
        return found

    def _walk(
        self, segments: Sequence[str], begin: date, points: Sequence[date], allowed: set[date]
    ) -> set[date]:
        """Goes through the points of a stretch of time, from the last one shown to the next that may be."""
        chosen: set[date] = set()
        since: date | None = None
        added: list[date] = []
        for end in points:
            added.append(end)
            start = since + _DAY if since else begin if self.first_day is None else max(begin, self.first_day)
            if end in allowed and all(self._fine(segment, since, start, added) for segment in segments):
                chosen.add(end)
                since, added = end, []
        return chosen

    def _fine(self, segment: str, since: date | None, start: date, added: Sequence[date]) -> bool:
        """Whether what was added between two points speaks of nobody, or of enough people."""
        steps = [self.at[segment, end] for end in added]
        before = self.at[segment, since]["people"] if since else 0
        new = steps[-1]["people"] - before
        if 1 <= new < self.k:
            return False
        if self.total.metric.of.measure == "people":
            return all(self._counted(teller, segment, start, added[-1], new) for teller in self.total.tellers)
        return self._many(steps) and self._already_told(segment, start, added[-1])

    def _many(self, steps: Sequence[Mapping[str, Any]]) -> bool:
        """Whether an amount is nobody's, or that of enough people, of whom none gave half.

        How many people there are in several stretches, and how unequal they are, is bounded by what is known of each:
        sums of squares over people grow at most as Minkowski's inequality says.
        """
        most = max(step["contributors"] for step in steps)
        if most == 0:
            return True
        amount, roots = 0.0, 0.0
        for step in steps:
            own = self.own[step["segment"], step["period_end"]]
            amount += own
            if step["contributors"]:
                if not step["effective"]:
                    return False
                roots += abs(own) / math.sqrt(step["effective"])
        alike = (amount / roots) ** 2 if roots else 0.0
        return alike > _DOMINATED and max(most, alike) >= self.k

    def _already_told(self, segment: str, start: date, end: date) -> bool:
        """Whether cells that are shown elsewhere add up to the same stretch of time."""
        tellers = self.total.tellers
        return not tellers or any(self._people(each, segment, start, end) is not None for each in tellers)

    def _counted(self, teller: str, segment: str, start: date, end: date, new: int) -> bool:
        """Whether what is shown of other people of the same stretch differs from it by nobody, or by enough people."""
        people = self._people(teller, segment, start, end)
        return people is not None and not 1 <= abs(people - new) < self.k

    def _people(self, teller: str, segment: str, start: date, end: date) -> int | None:
        """Adds up the people of cells that are shown and make up a stretch of time; None where none do."""
        cells = self.told.get((teller, segment), {})
        reached = {start - _DAY: 0}
        for day in (start + n * _DAY for n in range((end - start).days + 1)):
            if day - _DAY in reached:
                for last, people in cells.get(day, ()):
                    reached.setdefault(last, reached[day - _DAY] + people)
        return reached.get(end)


__all__ = ["RunningTotal", "hidden_totals", "running_totals"]
