"""What every kind of metric declares: where it is reported, its words, its target, and its definition as a sentence."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple, get_args

from pydantic import (
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from headway.errors import InputError
from headway.models.durations import describe_duration, parse_duration
from headway.models.explain import did_you_mean
from headway.models.metrics.selector import EventSelector
from headway.models.privacy import Privacy
from headway.models.yaml_file import Definition, Location

STAGES: Mapping[str, tuple[str, ...]] = {
    "aarrr": ("acquisition", "activation", "retention", "referral", "revenue"),
    "heart": ("happiness", "engagement", "adoption", "retention", "task_success"),
    "customer": ("responsiveness", "resolution"),
    "quality": ("reliability", "speed", "availability"),
}
"""Stages of each framework, in the order a report shows them.

``customer`` is how people are served when they ask for help; ``quality`` is the product itself as a feature, whose
metrics guard the outcomes of the others.
"""

PRESENTATION = frozenset(
    {
        "framework", "stage", "report", "title", "question", "goal", "signal", "owner", "direction", "target", "limit",
        "grains", "privacy",
    }
)  # fmt: skip
"""Fields that say how a metric is shown and judged, not what it measures."""

Framework = Literal["aarrr", "heart", "customer", "quality"]

Grain = Literal["day", "week", "month", "rolling_7d", "rolling_28d"]
"""Kinds of period: local days, weeks and months, and windows of 7 or 28 days that end with each day."""


def checked_duration(text: str, *, allow_zero: bool = False) -> str:
    """Returns a duration that can be read, else raises what Pydantic collects.

    Args:
        text: A duration.
        allow_zero: Whether no time at all is fine.

    Returns:
        The same text.

    Raises:
        ValueError: It is not a duration.
    """
    try:
        microseconds = parse_duration(text)
    except InputError as error:
        raise ValueError(str(error)) from None
    if microseconds == 0 and not allow_zero:
        raise ValueError(f"{text!r} is no time at all; write at least one second")
    return text


def _stage_of_framework(stage: str, info: ValidationInfo) -> str:
    framework = info.data.get("framework")
    stages = STAGES.get(framework or "", ())
    if stages and stage not in stages:
        raise ValueError(
            f"unknown stage {stage!r} of {framework}; allowed: {', '.join(stages)}{did_you_mean(stage, stages)}"
        )
    return stage


class Place(Definition):
    """One stage of one framework under which a metric is reported."""

    framework: Framework
    stage: StrictStr

    _stage = field_validator("stage")(_stage_of_framework)


class Target(Definition):
    """A value to reach by a date, in one kind of period; percent targets are fractions."""

    value: StrictFloat | StrictInt
    by: dt.date
    period: Grain = "week"


Reads = tuple[tuple[Location, str, EventSelector], ...]
"""Properties that a metric reads: where each is named, its name, and the events that must carry it."""


class Measured(NamedTuple):
    """What one metric counts, in words.

    Attributes:
        value: What is divided by what, or what is counted.
        window: Time a person has; part of the same sentence.
        wait: Time after the period's end until its value is final, in microseconds.
    """

    value: str
    window: str
    wait: int


class BaseMetric(Definition):
    """What every kind of metric declares.

    Attributes:
        framework: Framework under which it is reported; with `stage`, the short form of `report`.
        stage: Stage of that framework.
        report: Frameworks and stages under which it is reported.
        title: Title for people.
        question: The question it answers.
        goal: HEART goal.
        signal: HEART signal.
        owner: Who answers for it.
        unit: Unit of its values.
        direction: Which way is good.
        target: Value to reach by a date.
        limit: Value that must not be fallen below (``direction: up``) or exceeded (``down``).
        grains: Kinds of period it is computed for; None takes those of the product's that make sense for it.
        privacy: How much its published values may tell of any one person; None publishes them exactly.
    """

    #: The unit every metric of this kind has, where there is only one.
    needed_unit: ClassVar[str | None] = None
    #: Kinds of period it makes sense for.
    possible_grains: ClassVar[tuple[Grain, ...]] = get_args(Grain)
    #: Whether a percent value may lie outside of 0 to 100 %: one that is no share of a whole.
    is_no_share: ClassVar[bool] = False

    framework: Framework | None = None
    stage: StrictStr | None = None
    report: tuple[Place, ...] = ()
    title: StrictStr = Field(min_length=1)
    question: StrictStr = ""
    goal: StrictStr = ""
    signal: StrictStr = ""
    owner: StrictStr = ""
    unit: StrictStr = Field(min_length=1)
    direction: Literal["up", "down"] = "up"
    target: Target | None = None
    limit: StrictFloat | StrictInt | None = None
    grains: tuple[Grain, ...] | None = None
    privacy: Privacy | None = None

    _stage = field_validator("stage")(_stage_of_framework)

    @model_validator(mode="after")
    def _is_reported_somewhere(self) -> BaseMetric:
        if (self.framework is None) != (self.stage is None):
            raise ValueError("framework and stage go together")
        if (self.framework is None) == (not self.report):
            raise ValueError(
                "say where it is reported: framework and stage, or report: [{framework: ..., stage: ...}]"
            )
        places = self.places()
        if len(set(places)) < len(places):
            raise ValueError("the same framework and stage are listed twice under report")
        return self

    @model_validator(mode="after")
    def _unit_and_target_fit(self) -> BaseMetric:
        needed = self.needed_unit
        if needed and self.unit != needed:
            raise ValueError(f"unit {self.unit!r} does not fit this kind of metric; write unit: {needed}")
        value = self.target.value if self.target else 0
        if self.unit == "percent" and not self.is_no_share and not 0 <= value <= 1:
            raise ValueError(f"target {value}: percent targets are fractions; write 0.45 for 45 %")
        if self.unit == "percent" and not self.is_no_share and not 0 <= (self.limit or 0) <= 1:
            raise ValueError(f"limit {self.limit}: percent limits are fractions; write 0.45 for 45 %")
        if self.unit == "points" and not -100 <= value <= 100:
            raise ValueError(f"target {value}: points lie between -100 and 100")
        return self

    @model_validator(mode="after")
    def _grains_are_possible(self) -> BaseMetric:
        if self.grains is not None and not self.grains:
            raise ValueError("grains: name at least one kind of period, or remove it")
        for grain in self.grains or ():
            if grain not in self.possible_grains:
                allowed = ", ".join(self.possible_grains)
                raise ValueError(
                    f"grains: {grain} makes no sense for this kind of metric; allowed: {allowed}"
                )
        return self

    def places(self) -> tuple[tuple[str, str], ...]:
        """Returns the (framework, stage) pairs under which the metric is reported."""
        if self.framework is not None and self.stage is not None:
            return ((self.framework, self.stage),)
        return tuple((place.framework, place.stage) for place in self.report)

    def selectors(self) -> Mapping[Location, EventSelector]:
        """Returns the events the metric is about, by their place in its definition: ``("steps", 0)``."""
        return dict(_selectors(self, ()))

    def numbers(self) -> Reads:
        """Returns the numeric properties the metric reads, each with the events that must carry it.

        Kinds that read some override this; the place is where the property's name stands in the definition.
        """
        return ()

    def properties(self) -> Reads:
        """Returns the other properties the metric reads, of any class, in the same form."""
        return ()

    def components(self) -> tuple[tuple[Location, str], ...]:
        """Returns the metrics it is made of, each with the place of its name; none for one computed from events."""
        return ()

    @property
    def is_count(self) -> bool:
        """Whether its values are numbers of people or events, so that money can be divided by them."""
        return False

    def base_columns(self) -> tuple[str, ...]:
        """Returns the columns every event has that the metric reads beside person, name and time."""
        return ()

    @property
    def in_business_hours(self) -> bool:
        """Whether the metric goes by the product's business hours."""
        return False

    @abstractmethod
    def measured(self) -> Measured:
        """Returns what the metric measures, in words; every kind has its own."""

    def definition(self) -> str:
        """Returns one sentence with numerator, denominator, window and the rule when a value is final."""
        value, window, wait = self.measured()
        final = "the period is over" if wait == 0 else f"the period and {length(wait)} after it are over"
        if self.at_most is not None:
            window += f", a person adding {self.at_most:g} at most and nothing below 0"
        return f"{value}, {window}; a value is complete once {final}."

    @property
    def at_most(self) -> float | None:
        """What one person adds to a cell at most; None where nothing is cut off."""
        return self.privacy.at_most if self.privacy is not None else None


def _selectors(model: Definition, at: Location) -> Iterator[tuple[Location, EventSelector]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        for place, each in enumerate(value) if isinstance(value, tuple) else [(None, value)]:
            here = (*at, name) if place is None else (*at, name, place)
            if isinstance(each, EventSelector):
                yield here, each
            elif isinstance(each, Definition):
                yield from _selectors(each, here)


def length(microseconds: int) -> str:
    """Spells out a length made of two durations in the largest unit that divides it."""
    for name, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if microseconds % (size * 1_000_000) == 0:
            return describe_duration(f"{microseconds // (size * 1_000_000)}{name}")
    raise InputError("a duration has at least second precision")
