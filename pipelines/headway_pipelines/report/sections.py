"""Retention, funnels, active people and the account of the run, as objects a page can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from headway.errors import InputError
from headway.models.durations import describe_duration
from headway_pipelines.report.model import Calendar
from headway_pipelines.report.numbers import (
    DASH,
    amount,
    bounds,
    count,
    day,
    decimals,
    duration,
    finite,
    week,
)

SHADES = 10
"""Steps of the heat map's colour scale above its lightest."""

COHORTS = 26
"""Cohorts shown: half a year of weeks."""


@dataclass(frozen=True)
class HeatCell:
    """One cell of a retention triangle.

    Attributes:
        text: Share, empty where the period lies beyond the data.
        detail: The share with interval and people.
        shade: Step of the colour scale, None without a share.
        complete: Whether the period is over.
        suppressed: Whether it is hidden.
    """

    text: str
    detail: str = ""
    shade: int | None = None
    complete: bool = True
    suppressed: bool = False


@dataclass(frozen=True)
class HeatMap:
    """One retention question.

    Attributes:
        title: Title.
        unit: day, week or month.
        periods: Column heads.
        rows: Label of the cohort, its people, its cells.
        top: The share that has the darkest shade.
        older: Cohorts that are not shown.
    """

    title: str
    unit: str
    periods: tuple[int, ...]
    rows: tuple[tuple[str, str, tuple[HeatCell, ...]], ...]
    top: str
    older: int

    @property
    def incomplete(self) -> bool:
        """Whether any cell is not over yet."""
        return any(not cell.complete and cell.text for _, _, cells in self.rows for cell in cells)

    @property
    def hidden(self) -> bool:
        """Whether any cell is suppressed."""
        return any(cell.suppressed for _, _, cells in self.rows for cell in cells)


@dataclass(frozen=True)
class FunnelStep:
    """One step of a funnel, as texts; `width` is the share of the first step, None where hidden."""

    number: int
    event: str
    people: str
    width: float | None
    from_first: str
    from_previous: str
    median: str
    suppressed: bool


@dataclass(frozen=True)
class FunnelView:
    """One funnel."""

    title: str
    within: str
    steps: tuple[FunnelStep, ...]

    @property
    def empty(self) -> bool:
        """Whether nobody took the first step."""
        return not self.steps or self.steps[0].people == "0"


@dataclass(frozen=True)
class ActivePoint:
    """People active in the days that end with one.

    Attributes:
        day: The last day of the window.
        value: Distinct people, None where hidden.
        covered: Whether the data begin at or before the window.
        complete: Whether the day is over.
        words: The value in words.
    """

    day: date
    value: float | None
    covered: bool
    complete: bool
    words: str

    @property
    def whole(self) -> bool:
        """Whether the data cover the whole window."""
        return self.covered and self.complete


@dataclass(frozen=True)
class ActiveSeries:
    """People active in windows of one length."""

    window_days: int
    points: tuple[ActivePoint, ...]

    @property
    def label(self) -> str:
        """The window in words."""
        return "1 day" if self.window_days == 1 else f"{self.window_days} days"

    @property
    def latest(self) -> ActivePoint | None:
        """The latest day whose window the data cover."""
        return next((point for point in reversed(self.points) if point.whole), None)

    @property
    def week_before(self) -> ActivePoint | None:
        """The same, seven days earlier."""
        if self.latest is None:
            return None
        wanted = self.latest.day - timedelta(days=7)
        return next((point for point in self.points if point.day == wanted and point.whole), None)


def heat_maps(cells: pl.DataFrame, hidden: str) -> list[HeatMap]:
    """Reads the retention triangles.

    Args:
        cells: ``retention_cells``.
        hidden: What a suppressed cell says.

    Returns:
        One heat map per question, in the order of the table; every cohort of it a row, every period a column.
    """
    return [_heat_map(group, hidden) for group in _groups(cells, "retention")]


def _heat_map(group: pl.DataFrame, hidden: str) -> HeatMap:
    first = group.row(0, named=True)
    starts = group["cohort_start"].unique().sort().to_list()
    kept = starts[-COHORTS:]
    periods = group["period"].unique().sort().to_list()
    top = _top_rate(group, kept)
    by_place = {(row["cohort_start"], row["period"]): row for row in group.iter_rows(named=True)}
    rows = []
    for start in kept:
        found = [by_place.get((start, period)) for period in periods]
        size = next((row["cohort_people"] for row in found if row), None)
        shown = "hidden" if size is None else count(size)
        rows.append(
            (_cohort(start, first["period_unit"]), shown, tuple(_heat_cell(r, top, hidden) for r in found))
        )
    return HeatMap(
        title=first["title"],
        unit=first["period_unit"],
        periods=tuple(periods),
        rows=tuple(rows),
        top=amount(top, "percent", 0),
        older=len(starts) - len(kept),
    )


def _top_rate(group: pl.DataFrame, kept: list[date]) -> float:
    """The darkest share: period 0 is often everybody and would leave the rest pale."""
    rates = group.filter(pl.col("cohort_start").is_in(kept), pl.col("period") > 0)["rate"].to_list()
    return max((rate for each in rates if (rate := finite(each)) is not None), default=0.0) or 1.0


def _heat_cell(row: Mapping[str, Any] | None, top: float, hidden: str) -> HeatCell:
    if row is None:
        return HeatCell("")
    complete = bool(row["complete"])
    if row["suppressed"]:
        return HeatCell("hidden", hidden, None, complete, True)
    rate, low, high = finite(row["rate"]), finite(row["low"]), finite(row["high"])
    if rate is None:
        return HeatCell(DASH, "nobody in the cohort", None, complete)
    detail = f"{_share(rate, low, high)}, {count(row['people'])} of {count(row['cohort_people'])} people"
    return HeatCell(amount(rate, "percent", 0), detail, min(round(rate / top * SHADES), SHADES), complete)


def _cohort(start: date, unit: str) -> str:
    if unit == "week":
        return week(start)
    return day(start).split(" ", 1)[1] if unit == "month" else day(start)


def funnel_views(steps: pl.DataFrame, hidden: str) -> list[FunnelView]:
    """Reads the funnels.

    Args:
        steps: ``funnel_steps``.
        hidden: What a suppressed step says.

    Returns:
        One view per funnel, in the order of the table.
    """
    views = []
    for group in _groups(steps, "funnel"):
        first = group.row(0, named=True)
        rows = group.sort("step").iter_rows(named=True)
        views.append(
            FunnelView(first["title"], _spelled(first["within"]), tuple(_step(row, hidden) for row in rows))
        )
    return views


def _step(row: Mapping[str, Any], hidden: str) -> FunnelStep:
    if row["suppressed"]:
        return FunnelStep(row["step"], row["event"], "hidden", None, hidden, "", "", True)
    rate, previous = finite(row["from_first"]), finite(row["from_previous"])
    first = row["step"] == 1
    return FunnelStep(
        number=row["step"],
        event=row["event"],
        people=count(row["people"]),
        width=rate,
        from_first="" if first or rate is None else _share(rate, finite(row["low"]), finite(row["high"])),
        from_previous=""
        if first or previous is None
        else amount(previous, "percent", decimals("percent", previous)),
        median="" if first else duration(finite(row["seconds_median"])),
        suppressed=False,
    )


def active_series(table: pl.DataFrame, calendar: Calendar, hidden: str) -> list[ActiveSeries]:
    """Reads people active in trailing windows.

    Args:
        table: ``active_people``.
        calendar: When the data begin: a window that begins before them is not covered in full.
        hidden: What a suppressed day says.

    Returns:
        One series per window, shortest first.
    """
    found = []
    for group in _groups(table.sort("window_days", "period_start") if table.height else table, "window_days"):
        days = group["window_days"][0]
        points = tuple(_active_point(row, days, calendar, hidden) for row in group.iter_rows(named=True))
        found.append(ActiveSeries(days, points))
    return found


def _active_point(row: Mapping[str, Any], days: int, calendar: Calendar, hidden: str) -> ActivePoint:
    ends: date = row["period_start"]
    value = None if row["suppressed"] else finite(row["value"])
    begins = ends - timedelta(days=days - 1)
    covered = calendar.first_day is None or begins >= calendar.first_day
    words = hidden if row["suppressed"] else "no value" if value is None else amount(value, "people", 0)
    return ActivePoint(ends, value, covered, bool(row["complete"]), words)


def _share(rate: float, low: float | None, high: float | None) -> str:
    places = decimals("percent", rate, low, high)
    if low is None or high is None:
        return amount(rate, "percent", places)
    return f"{amount(rate, 'percent', places)} ({bounds(low, high, 'percent', places)})"


def _spelled(within: str) -> str:
    try:
        return describe_duration(within)
    except InputError:
        return within


def _groups(frame: pl.DataFrame, by: str) -> list[pl.DataFrame]:
    return frame.partition_by(by, maintain_order=True) if frame.height else []
