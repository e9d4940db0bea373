"""Metrics as objects a page can show: each with its series of periods, what it is compared with, and its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from headway_pipelines.report.grains import CHARTED, GRAINS, Grain
from headway_pipelines.report.judge import (
    Change,
    Estimate,
    Guard,
    Verdict,
    against_limit,
    against_target,
    difference,
)
from headway_pipelines.report.numbers import finite

ALL = "all"


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
        redefined: Whether the value was computed by an earlier definition of the metric.
    """

    start: date
    estimate: Estimate | None
    people: int | None
    complete: bool
    suppressed: bool
    reason: str
    redefined: bool = False


@dataclass(frozen=True)
class Series:
    """The periods of one kind of one metric and segment, in order."""

    segment: str
    grain: Grain
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
        framework: aarrr, heart, customer or quality.
        stage: Stage of the framework.
        facts: Its row of the catalogue.
        main: Values of everybody, by the kind of period the metric is shown by.
        others: Values of everybody, by other kinds of period.
        segments: Values by segment, by the same kind of period, in the order of the table.
        methods: Interval methods used.
        left_out: Reason and number of events the metric had to leave out; None where few.
        calendar: When the numbers were taken.
    """

    anchor: str
    name: str
    framework: str
    stage: str
    facts: Mapping[str, Any]
    main: Series
    others: Mapping[str, Series]
    segments: tuple[Series, ...]
    methods: tuple[str, ...]
    left_out: tuple[tuple[str, int | None], ...]
    calendar: Calendar

    @property
    def grain(self) -> Grain:
        """The kind of period the metric is shown by."""
        return self.main.grain

    @property
    def charted(self) -> tuple[Series, ...]:
        """The series that have a chart: weeks and months, and whatever the metric is shown by."""
        more = [s for name, s in self.others.items() if name in CHARTED and s.cells]
        return tuple(sorted((self.main, *more), key=lambda s: list(GRAINS).index(s.grain.name)))

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
    def counted(self) -> bool:
        """Whether values are running totals: nothing of them is estimated, and they grow whatever people do."""
        return self.facts.get("kind") == "cumulative"

    def judged(self, cell: Cell | None) -> Estimate | None:
        """What of a cell is compared with a target or a limit: a total that was counted is its own interval."""
        found = cell.estimate if cell else None
        return Estimate(found.value, found.value, found.value) if found and self.counted else found

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
        if self.target_period == self.grain.name:
            return self.main.latest
        return self.others[self.target_period].latest if self.target_period in self.others else None

    @property
    def estimate(self) -> Estimate | None:
        """The latest complete period's value."""
        return self.main.latest.estimate if self.main.latest else None

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the target is met."""
        return against_target(
            self.judged(self.targeted),
            self.target,
            direction=self.direction,
            due=self.facts["target_by"],
            today=self.calendar.today,
        )

    @property
    def limit(self) -> float | None:
        """What the value must not fall below, or exceed where less is better."""
        return finite(self.facts.get("limit_value"))

    @cached_property
    def guard(self) -> Guard:
        """Whether the latest complete period keeps the limit."""
        return against_limit(self.judged(self.main.latest), self.limit, direction=self.direction)

    @property
    def before(self) -> Cell | None:
        """The period before the latest complete one."""
        latest = self.main.latest
        return self.main.at(self.grain.before(latest.start)) if latest else None

    @cached_property
    def change(self) -> Change | None:
        """The latest complete period against the one before; None where they cannot be compared."""
        new, old = self.main.latest, self.before
        if new is None or old is None or new.estimate is None or old.estimate is None or not old.complete:
            return None
        if self.counted:
            return None
        if self.partly_before_data(old) or new.redefined or old.redefined:
            return None
        return difference(new.estimate, old.estimate)

    def partly_before_data(self, cell: Cell) -> bool:
        """Whether a period begins before the first event: it cannot stand for a whole one."""
        return self.calendar.first_day is not None and cell.start < self.calendar.first_day

    @property
    def no_change_reason(self) -> str:
        """Why there is no comparison with the period before."""
        new, old, one = self.main.latest, self.before, self.grain.one
        if new is None or new.estimate is None:
            return "no value to compare"
        if self.counted:
            return "a running total"
        if old is None:
            return f"no {one} before"
        if old.estimate is None:
            return f"{one} before: {old.reason or 'no value'}"
        if new.redefined or old.redefined:
            return "the definition has changed"
        if self.partly_before_data(old):
            return f"the data begin within the {one} before"
        return f"the {one} before is incomplete"
