"""What noisy values have told of a person so far, and what they may still tell.

Cells of one kind of period and one way to divide people that are published at once speak of disjoint people: together
they tell what one of them tells. Everything else adds up. It is counted by calendar month: every cell counts in full in
each month with which it shares a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

GROUP: Final = (
    "metric",
    "definition_hash",
    "publication",
    "period",
    "period_start",
    "period_end",
    "dimension",
    "released_at",
)
"""Columns that name cells of disjoint people, which were published at once."""

_SLACK = 1e-9


@dataclass
class Spent:
    """Epsilon spent.

    Attributes:
        months: (metric, first day of a month) -> what cells that share a day with the month told of a person.
        ever: Metric -> what all its cells told of somebody who is in each of them.
    """

    months: dict[tuple[str, date], float] = field(default_factory=lambda: defaultdict(float))
    ever: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, metric: str, first: date, last: date, epsilon: float) -> None:
        """Spends for cells that were published at once.

        Args:
            metric: The metric.
            first: First day of their period.
            last: Its last day.
            epsilon: What they tell of a person.
        """
        self.ever[metric] += epsilon
        for month in months_of(first, last):
            self.months[metric, month] += epsilon

    def of_all(self, month: date) -> float:
        """Returns what all metrics told by cells of a month."""
        return sum(epsilon for (_, each), epsilon in self.months.items() if each == month)

    def most(self, metric: str) -> float:
        """Returns what a metric told by the month in which it told most."""
        return max((epsilon for (name, _), epsilon in self.months.items() if name == metric), default=0.0)

    def refused(
        self, metric: str, first: date, last: date, epsilon: float, budget: float, budget_of_all: float
    ) -> date | None:
        """Says for want of which month's budget cells may not be published.

        Args:
            metric: The metric.
            first: First day of their period.
            last: Its last day.
            epsilon: What they would tell.
            budget: What the metric may tell by a month.
            budget_of_all: What all metrics may tell by a month.

        Returns:
            First day of the month, or None where they may be published.
        """
        for month in months_of(first, last):
            own = self.months.get((metric, month), 0.0) + epsilon
            if own > budget + _SLACK or self.of_all(month) + epsilon > budget_of_all + _SLACK:
                return month
        return None


def spent_of(cells: pl.DataFrame) -> Spent:
    """Adds up what was spent.

    Args:
        cells: Every noisy cell that was ever published; may be empty and without columns.

    Examples:
        >>> cell = {"metric": "a", "definition_hash": "", "publication": 1, "period": "week", "dimension": "channel",
        ...         "period_start": date(2026, 3, 30), "period_end": date(2026, 4, 5), "released_at": None,
        ...         "epsilon": 0.5}
        >>> spent = spent_of(pl.DataFrame([cell, cell]))       # two channels: nobody is in both
        >>> spent.most("a"), spent.ever["a"], sorted(month.month for _, month in spent.months)
        (0.5, 0.5, [3, 4])
    """
    spent = Spent()
    if cells.is_empty():
        return spent
    groups = cells.group_by(GROUP, maintain_order=True).agg(pl.col("epsilon").max())
    for row in groups.iter_rows(named=True):
        spent.add(row["metric"], row["period_start"], row["period_end"], row["epsilon"])
    return spent


def months_of(first: date, last: date) -> Iterator[date]:
    """Lists the first days of the months with which days share one.

    Args:
        first: The first day.
        last: The last day.

    Examples:
        >>> [month.isoformat() for month in months_of(date(2025, 12, 29), date(2026, 1, 4))]
        ['2025-12-01', '2026-01-01']
    """
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
