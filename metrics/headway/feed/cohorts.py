"""Whether the latest cohort comes back as the ones before it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from headway.statistics.differences import mover
from headway.statistics.intervals import wilson


@dataclass(frozen=True)
class Shift:
    """A cohort that differs from the ones before it for sure.

    Attributes:
        retention: The retention question.
        period_unit: Kind of period.
        cohort_start: First day of the cohort.
        period: Period after the start in which it is compared.
        rate: Share of the cohort that came back then.
        before: The same of the cohorts before it, taken together.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        evidence: Difference by the length of its interval towards 0; above 1.
    """

    retention: str
    period_unit: str
    cohort_start: dt.date
    period: int
    rate: float
    before: float
    low: float
    high: float
    evidence: float


def shifts(cells: pl.DataFrame) -> tuple[Shift, ...]:
    """Compares, for each retention question, the latest cohort whose first period is over with those before it.

    Only the first period after the start is compared: further ones of the same people would be further chances to
    find something. The interval of the difference is Newcombe's (1998, method 10), from Wilson's of both shares.

    Args:
        cells: The published table ``retention_cells``.

    Returns:
        The shifts whose interval excludes 0; cohorts that overlap in people are taken for independent.
    """
    return tuple(_shifts(cells))


def _shifts(cells: pl.DataFrame) -> Iterator[Shift]:
    own = cells.filter((pl.col("period") == 1) & pl.col("complete") & pl.col("people").is_not_null())
    for (retention, unit), rows in own.sort("cohort_start").group_by(
        ["retention", "period_unit"], maintain_order=True
    ):
        if rows.height < 2:
            continue
        *before, (start, people, came) = rows.select("cohort_start", "cohort_people", "people").rows()
        others, came_before = sum(each[1] for each in before), sum(each[2] for each in before)
        if not people or not others:
            continue
        now, then = wilson(came, people), wilson(came_before, others)
        rate, base = came / people, came_before / others
        between = mover(rate, now.low, now.high, base, then.low, then.high)
        low, high = float(between.low), float(between.high)
        if low > 0 or high < 0:
            change = rate - base
            towards = change - low if change > 0 else high - change
            yield Shift(str(retention), str(unit), start, 1, rate, base, low, high, abs(change) / towards)
