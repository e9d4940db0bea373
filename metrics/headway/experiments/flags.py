"""Flags: since when who meets which variant, in which steps they were rolled out, and which nobody meets any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.experiments.exposure import Exposure
from headway.insights.question import Question, Scope
from headway.log import EventLog
from headway.periods import day_number
from headway.selectors import condition

#: p-value below which a day's shares are a new step of a rollout: seldom by chance over hundreds of days.
STEP = 1e-4
#: Days without anybody meeting a flag after which it is called stale.
STALE_DAYS = 14

SCHEMA = {
    "flag": pl.String,
    "step": pl.Int64,
    "since": pl.Date,
    "until": pl.Date,
    "variant": pl.String,
    "units": pl.Int64,
    "share": pl.Float64,
    "last_seen": pl.Date,
    "stale": pl.Boolean,
}


@dataclass(frozen=True, kw_only=True)
class Flags(Question):
    """What flags the log knows.

    Attributes:
        exposure: How exposure is told; its flag property must be named.
    """

    exposure: Exposure

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        return "Flags by step of their rollout: units by the variant they met first."

    def run(self, log: EventLog) -> pl.DataFrame:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            One row per flag, step of its rollout and variant: ``flag``, ``step`` (from 1), ``since`` and ``until``
            (local days), ``variant``, ``units`` who met the flag first then, their ``share``, ``last_seen`` and
            ``stale`` (nobody met it in the last 14 days of the log).

        Raises:
            InputError: A property is unknown.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)
        told = self.exposure.renamed(log.properties)
        exposes = condition(told.event, log.properties)
        flag = exp.cast(exp.column(str(told.flag), quoted=True), "VARCHAR")
        variant = exp.cast(exp.column(told.variant, quoted=True), "VARCHAR")
        named = exp.and_(
            exposes, exp.not_(flag.copy().is_(exp.null())), exp.not_(variant.copy().is_(exp.null()))
        )
        text = bind(
            load("headway.experiments", "flags"), {"flag": flag, "variant": variant, "exposes": named}
        )
        found = log.sql(with_inputs(text, {"ev": scope.events([named], ever=True)}))
        today = day_number(scope.observed_us, scope.timezone)
        rows = [
            row for part in found.partition_by("flag", maintain_order=True) for row in _steps(part, today)
        ]
        day = pl.col("since", "until", "last_seen")
        frame = pl.DataFrame(
            rows, schema={**SCHEMA, **dict.fromkeys(("since", "until", "last_seen"), pl.Int32)}
        )
        return frame.with_columns(day.cast(pl.Date))


def _steps(found: pl.DataFrame, today: int) -> Iterator[dict[str, Any]]:
    """Cuts the days of one flag where the shares of its variants change for more than chance."""
    variants = sorted(found["variant"].unique().to_list())
    days = sorted(found["day"].unique().to_list())
    counts = {
        day: np.array(
            [found.filter(pl.col("day") == day, pl.col("variant") == v)["units"].sum() for v in variants]
        )
        for day in days
    }
    steps: list[tuple[int, int, Any]] = []
    for day in days:
        if steps and not _differs(steps[-1][2], counts[day]):
            steps[-1] = (steps[-1][0], day, steps[-1][2] + counts[day])
        else:
            steps.append((day, day, counts[day]))
    last = int(found["last_day"][0])
    for number, (since, until, units) in enumerate(steps, start=1):
        for variant, some in zip(variants, units.tolist(), strict=True):
            yield {
                "flag": found["flag"][0],
                "step": number,
                "since": since,
                "until": until,
                "variant": variant,
                "units": some,
                "share": some / int(units.sum()),
                "last_seen": last,
                "stale": today - last > STALE_DAYS,
            }


def _differs(before: Any, now: Any) -> bool:
    """Whether a day's units were split otherwise than those before: Pearson's test of both against their sum."""
    whole = before + now
    if len(whole) < 2 or (whole > 0).sum() < 2:
        return False
    used = whole > 0
    statistic = 0.0
    for part in (before, now):
        expected = part.sum() * whole[used] / whole.sum()
        if np.min(expected) < 1:
            return False
        statistic += float(np.sum((part[used] - expected) ** 2 / expected))
    return bool(stats.chi2.sf(statistic, int(used.sum()) - 1) < STEP)
