"""The published metric tables as objects a page can show: metrics in order, each with its series of weeks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from headway.models.metrics import STAGES
from headway_pipelines.report.judge import Change, Estimate, Verdict, against_target, difference
from headway_pipelines.report.numbers import finite

ALL = "all"
_CELLS = ("metric", "framework", "stage", "segment", "period")


@dataclass(frozen=True)
class Cell:
    """One published value.

    Attributes:
        start: First local day of its period.
        estimate: The value with its interval, None where there is none.
        people: People behind it, None where hidden.
        complete: Whether its period and the metric's window had elapsed.
        suppressed: Whether it is hidden to protect few people.
        reason: Why there is no value.
    """

    start: date
    estimate: Estimate | None
    people: int | None
    complete: bool
    suppressed: bool
    reason: str


@dataclass(frozen=True)
class Series:
    """The periods of one metric and segment, in order."""

    segment: str
    cells: tuple[Cell, ...] = ()

    @property
    def latest(self) -> Cell | None:
        """The latest complete period."""
        return next((cell for cell in reversed(self.cells) if cell.complete), None)

    @property
    def banded(self) -> bool:
        """Whether any value has an interval."""
        return any(cell.estimate and cell.estimate.low is not None for cell in self.cells)

    @property
    def open(self) -> bool:
        """Whether any value will still change."""
        return any(cell.estimate and not cell.complete for cell in self.cells)

    @property
    def hidden(self) -> int:
        """How many periods are hidden."""
        return sum(cell.suppressed for cell in self.cells)

    def at(self, start: date) -> Cell | None:
        """Returns the period that starts on a day."""
        return next((cell for cell in self.cells if cell.start == start), None)

    @property
    def drawable(self) -> bool:
        """Whether there is any value to draw."""
        return any(cell.estimate for cell in self.cells)


@dataclass(frozen=True)
class Calendar:
    """When the numbers were taken.

    Attributes:
        timezone: The product's reporting time zone.
        horizon: All data received before it is in; local time.
        as_of: When the values were computed; local time.
        first_day: Local day of the first event, None without events.
    """

    timezone: str
    horizon: datetime | None
    as_of: datetime | None
    first_day: date | None

    def local(self, value: object) -> datetime | None:
        """Moves an instant of the tables (naive, UTC) to the reporting time zone."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC).astimezone(ZoneInfo(self.timezone))

    @property
    def today(self) -> date:
        """The day of the computation; the beginning of time where unknown, so that no due date has passed."""
        return self.as_of.date() if self.as_of else date.min


@dataclass(frozen=True)
class Metric:
    """One metric in one stage of a framework.

    Attributes:
        anchor: Identifier of its place in a page: safe characters only, unique.
        name: Name in product.yml.
        framework: aarrr or heart.
        stage: Stage of the framework.
        facts: Its row of the catalogue.
        weeks: Weekly values of everybody.
        days: Daily values of everybody.
        segments: Weekly values by segment, in the order of the table.
        methods: Interval methods used.
        calendar: When the numbers were taken.
    """

    anchor: str
    name: str
    framework: str
    stage: str
    facts: Mapping[str, Any]
    weeks: Series
    days: Series
    segments: tuple[Series, ...]
    methods: tuple[str, ...]
    calendar: Calendar

    @property
    def title(self) -> str:
        """Title for people."""
        return str(self.facts["title"])

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return str(self.facts["unit"])

    @property
    def direction(self) -> str:
        """Which way is good."""
        return str(self.facts["direction"])

    @property
    def target(self) -> float | None:
        """The target's value."""
        return finite(self.facts["target_value"])

    @property
    def target_period(self) -> str:
        """Kind of period the target speaks of."""
        return str(self.facts["target_period"] or "week")

    @property
    def targeted(self) -> Cell | None:
        """The cell that the target is compared with."""
        return (self.days if self.target_period == "day" else self.weeks).latest

    @property
    def estimate(self) -> Estimate | None:
        """The latest complete week's value."""
        return self.weeks.latest.estimate if self.weeks.latest else None

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the target is met."""
        cell = self.targeted
        return against_target(
            cell.estimate if cell else None,
            self.target,
            direction=self.direction,
            due=self.facts["target_by"],
            today=self.calendar.today,
        )

    @property
    def before(self) -> Cell | None:
        """The week before the latest complete one."""
        latest = self.weeks.latest
        return self.weeks.at(latest.start - timedelta(days=7)) if latest else None

    @cached_property
    def change(self) -> Change | None:
        """The latest complete week against the one before; None where they cannot be compared."""
        new, old = self.weeks.latest, self.before
        if new is None or old is None or new.estimate is None or old.estimate is None or not old.complete:
            return None
        return None if self.partly_before_data(old) else difference(new.estimate, old.estimate)

    def partly_before_data(self, cell: Cell) -> bool:
        """Whether a week begins before the first event: it cannot stand for a whole week."""
        return self.calendar.first_day is not None and cell.start < self.calendar.first_day

    @property
    def no_change_reason(self) -> str:
        """Why there is no comparison with the week before."""
        new, old = self.weeks.latest, self.before
        if new is None or new.estimate is None:
            return "no value to compare"
        if old is None:
            return "no week before"
        if old.estimate is None:
            return f"week before: {old.reason or 'no value'}"
        if self.partly_before_data(old):
            return "the data begin within the week before"
        return "the week before is incomplete"


def read_calendar(info: Mapping[str, Any]) -> Calendar:
    """Reads when the numbers were taken.

    Args:
        info: The row of ``run_info``.

    Returns:
        The calendar, in the product's time zone.
    """
    bare = Calendar(str(info.get("timezone") or "UTC"), None, None, None)
    first = bare.local(info.get("first_event_at"))
    return replace(
        bare,
        horizon=bare.local(info.get("horizon")),
        as_of=bare.local(info.get("as_of")),
        first_day=first.date() if first else None,
    )


def read_metrics(tables: Mapping[str, pl.DataFrame], calendar: Calendar) -> list[Metric]:
    """Reads every metric of the catalogue with its values.

    Args:
        tables: The published tables.
        calendar: When the numbers were taken.

    Returns:
        Metrics by framework (AARRR, then HEART) and stage, in the catalogue's order within a stage.
    """
    catalogue = tables.get("metric_catalogue", pl.DataFrame())
    values = tables.get("metric_values", pl.DataFrame())
    cells = _cells(values) if values.height else {}
    metrics = [
        _metric(number, row, cells, calendar) for number, row in enumerate(catalogue.iter_rows(named=True))
    ]
    places = [(framework, stage) for framework, stages in STAGES.items() for stage in stages]
    return sorted(metrics, key=lambda m: places.index((m.framework, m.stage)))


_Key = tuple[str, str, str]
_Cells = dict[_Key, dict[tuple[str, str], tuple[Series, tuple[str, ...]]]]


def _cells(values: pl.DataFrame) -> _Cells:
    """Metric and place -> segment and kind of period -> series and methods, in the table's order of segments."""
    found: _Cells = {}
    used = (pl.col("period") == "week") | (pl.col("segment") == ALL)
    groups = values.filter(used).sort("period_start", maintain_order=True).partition_by(_CELLS, as_dict=True)
    for (metric, framework, stage, segment, period), group in sorted(groups.items()):
        series = Series(str(segment), tuple(_read(row) for row in group.iter_rows(named=True)))
        methods = tuple(group["interval_method"].drop_nulls().unique().sort())
        found.setdefault((metric, framework, stage), {})[segment, period] = (series, methods)
    return found


def _read(row: Mapping[str, Any]) -> Cell:
    value = None if row["suppressed"] else finite(row["value"])
    estimate = None if value is None else Estimate(value, finite(row["low"]), finite(row["high"]))
    return Cell(
        start=row["period_start"],
        estimate=estimate,
        people=None if row["suppressed"] else row["people"],
        complete=bool(row["complete"]),
        suppressed=bool(row["suppressed"]),
        reason=str(row["reason"] or ("" if estimate else "no value")),
    )


def _metric(number: int, facts: Mapping[str, Any], cells: _Cells, calendar: Calendar) -> Metric:
    place = (facts["metric"], facts["framework"], facts["stage"])
    found = cells.get(place, {})
    weeks, methods = found.get((ALL, "week"), (Series(ALL), ()))
    days, _ = found.get((ALL, "day"), (Series(ALL), ()))
    return Metric(
        anchor=f"m{number}-{re.sub('[^a-z0-9]+', '-', facts['metric'].lower()).strip('-')}",
        name=facts["metric"],
        framework=facts["framework"],
        stage=facts["stage"],
        facts=facts,
        weeks=weeks,
        days=days,
        segments=tuple(_segments(found)),
        methods=methods,
        calendar=calendar,
    )


def _segments(
    found: Mapping[tuple[str, str], tuple[Series, tuple[str, ...]]],
) -> Iterator[Series]:
    for (segment, period), (series, _) in found.items():
        if period == "week" and segment != ALL:
            yield series
