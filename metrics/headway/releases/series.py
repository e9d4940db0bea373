"""What a series of everybody's values tells of a release: interrupted time series, and before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.periods import EPOCH
from headway.releases.evidence import SIGNIFICANT, Evidence, Rung, judged
from headway.releases.log import Release, Span
from headway.statistics.calibrated import calibrated_p
from headway.statistics.interrupted import Shift, bend_design, seasonal, shift, step_design
from headway.statistics.intervals import Floats

FEWEST_BEFORE, FEWEST_AFTER = 21, 7
"""Daily values on either side without which nothing is said."""

FEW_AFTER: Final = 14
"""Daily values after a release below which what is said is weakened."""

_SIDE: Final = 10
"""Daily values that a start that never was needs on either side."""


@dataclass(frozen=True)
class Daily:
    """Daily values of one metric, everybody's.

    Attributes:
        metric: The metric.
        at: Days since 1970-01-01, ascending.
        values: The values.
        weights: How certain each is, proportional to one over its variance; None: all equally.
        people: People behind each.
        wait: Days that a value needs after its day until it is final.
    """

    metric: str
    at: NDArray[np.int64]
    values: Floats
    weights: Floats | None
    people: NDArray[np.int64]
    wait: int = 0

    def within(self, keep: NDArray[np.bool_]) -> Daily:
        """The days that are marked."""
        weights = None if self.weights is None else self.weights[keep]
        return replace(
            self, at=self.at[keep], values=self.values[keep], weights=weights, people=self.people[keep]
        )


def daily_values(values: pl.DataFrame, metric: str, kind: str, wait: int) -> Daily:
    """Reads the complete daily values of a metric, of everybody.

    Args:
        values: The table ``metric_values``, hidden values null.
        metric: The metric.
        kind: Kind of its estimate; numbers and sums are equally certain, shares and means by their people.
        wait: Days that a value needs after its day until it is final.

    Returns:
        The series; days that are hidden, incomplete or without value are gaps.
    """
    first = values.filter(metric=metric, segment="all", period="day").unique("period_start", keep="first")
    # Values of another definition are another series.
    latest = first.sort("period_start").select(pl.col("definition_hash").last())
    first = first.join(latest, on="definition_hash", how="semi")
    known = first.filter("complete", ~pl.col("suppressed"), pl.col("value").is_finite()).sort("period_start")
    people = known["people"].fill_null(0).to_numpy().astype(np.int64)
    return Daily(
        metric,
        (known["period_start"] - EPOCH).dt.total_days().to_numpy().astype(np.int64),
        known["value"].to_numpy().astype(np.float64),
        None if kind in ("count", "total") else np.maximum(people, 1).astype(np.float64),
        people,
        wait,
    )


def series_evidence(
    release: Release, span: Span, series: Daily, holidays: Collection[date] = ()
) -> Iterator[Evidence]:
    """Reads a release's effect from a series, by both rungs.

    *Interrupted time series*: a step at the release on top of weekday, holidays and one straight trend. Its pre-trend
    test asks whether the trend bent before the release; its placebos are steps at two days of the time before. *Before
    and after*: the same without a trend. Its test asks whether there was one. Days between the first and the last step
    of a rollout belong to neither side, nor do days before the release whose people could still be reached by it.

    Args:
        release: The release.
        span: Its days.
        series: Daily values.
        holidays: Local days on which nobody works.

    Yields:
        The evidence of each rung, refused where nothing can be said.
    """
    for rung in OF_SERIES:
        yield judged(_read(release, span, series, holidays, rung))


OF_SERIES: Final[tuple[Rung, ...]] = ("interrupted", "before_after")
"""Rungs that look at values of everybody alone."""


def _read(release: Release, span: Span, series: Daily, holidays: Collection[date], rung: Rung) -> Evidence:
    empty = Evidence(release.name, series.metric, rung, weakened=span.weakened)
    before, after = _sides(span, series)
    if span.refused:
        return replace(empty, refused=span.refused)
    if before.sum() < FEWEST_BEFORE or after.sum() < FEWEST_AFTER:
        return replace(
            empty,
            refused=f"{int(before.sum())} daily values before and {int(after.sum())} after it are too few; it takes "
            f"{FEWEST_BEFORE} and {FEWEST_AFTER}",
        )
    trend = rung == "interrupted"
    own, then = series.within(before | after), after[before | after]
    found = _step(own, then, holidays, trend=trend)
    if np.isnan(found.effect):
        return replace(empty, refused="the values do not vary, or holidays could explain all of it")
    low, high = found.interval()
    past = series.within(before)
    return replace(
        empty,
        effect=float(found.effect),
        low=float(low),
        high=float(high),
        p_value=float(found.p_value),
        people=int(own.people.min()),
        pre_trend=_known(_bend(past, holidays, degree=2 if trend else 1)),
        placebos=tuple(_placebos(past, holidays, trend=trend)),
        # What all days together do not tell, fewer of them will not, once looking often is paid for.
        days_to_value=_days_to_value(release, own, then, holidays, trend=trend)
        if float(found.p_value) < SIGNIFICANT
        else None,
        weakened=(*span.weakened, *_weakened(after)),
    )


def _sides(span: Span, series: Daily) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Marks the days before, and those after; whoever started within `wait` of the release belongs to neither."""
    first, until, since, last = (
        (day - EPOCH).days for day in (span.first, span.until, span.since, span.last)
    )
    before = (series.at >= first) & (series.at < until - series.wait)
    return before, (series.at >= since) & (series.at <= last)


def _weakened(after: NDArray[np.bool_]) -> tuple[str, ...]:
    days = int(after.sum())
    return () if days >= FEW_AFTER else (f"only {days} days after it are known",)


def _step(series: Daily, after: NDArray[np.bool_], holidays: Collection[date], *, trend: bool) -> Shift:
    season = seasonal(series.at, 7, _holidays(series.at, holidays))
    return shift(series.values, series.at, step_design(series.at, after, season, trend=trend), series.weights)


def _bend(series: Daily, holidays: Collection[date], *, degree: int) -> float:
    season = seasonal(series.at, 7, _holidays(series.at, holidays))
    design = bend_design(series.at, season, degree=degree)
    return float(calibrated_p(series.values, series.at, design, series.weights))


def _placebos(past: Daily, holidays: Collection[date], *, trend: bool) -> Iterator[float]:
    """Tests steps at one and two thirds of the time before, which nothing explains."""
    for share in (1 / 3, 2 / 3):
        place = round(len(past.at) * share)
        if min(place, len(past.at) - place) >= _SIDE:
            found = _step(past, np.arange(len(past.at)) >= place, holidays, trend=trend)
            if not np.isnan(found.effect):
                yield float(found.p_value)


def _days_to_value(
    release: Release, series: Daily, after: NDArray[np.bool_], holidays: Collection[date], *, trend: bool
) -> int | None:
    """Days after which the effect so far can be told from none, looking once a week and correcting for all looks."""
    start = (release.on - EPOCH).days
    looks = range(7, int(series.at[-1]) - start + 2, 7)
    for days in looks:
        keep = ~after | (series.at < start + days)
        if (after & keep).sum() < FEWEST_AFTER:
            continue
        found = _step(series.within(keep), after[keep], holidays, trend=trend)
        if not np.isnan(found.effect) and float(found.p_value) < SIGNIFICANT / len(looks):
            return days + series.wait
    return None


def _holidays(at: NDArray[np.int64], days: Collection[date]) -> NDArray[np.bool_]:
    return np.isin(at, [(day - EPOCH).days for day in days])


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
