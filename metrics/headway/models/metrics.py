"""The kinds of metric a product can declare, each with its definition as one plain sentence."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import (
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from headway.errors import InputError
from headway.models.durations import describe_duration, parse_duration
from headway.models.explain import did_you_mean
from headway.models.yaml_file import Definition
from headway.selectors import Event

STAGES: Mapping[str, tuple[str, ...]] = {
    "aarrr": ("acquisition", "activation", "retention", "referral", "revenue"),
    "heart": ("happiness", "engagement", "adoption", "retention", "task_success"),
}
"""Stages of each framework, in the order a report shows them."""

Period = Literal["day", "week"]


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
        length = parse_duration(text)
    except InputError as error:
        raise ValueError(str(error)) from None
    if length == 0 and not allow_zero:
        raise ValueError(f"{text!r} is no time at all; write at least one second")
    return text


class EventSelector(Definition):
    """Events by name and condition: ``name``, ``[names]`` or ``{event: ..., where: ...}``.

    Attributes:
        event: Names; an event with any of them matches.
        where: Condition on the event's properties, or None.
    """

    event: tuple[StrictStr, ...]
    where: StrictStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: object) -> object:
        if isinstance(data, str | list | tuple):
            data = {"event": data}
        if isinstance(data, dict) and isinstance(data.get("event"), str):
            data = {**data, "event": [data["event"]]}
        if not isinstance(data, dict | EventSelector):
            raise ValueError("must be an event's name, a list of names, or {event: ..., where: ...}")
        return data

    @field_validator("event")
    @classmethod
    def _names_something(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or not all(names):
            raise ValueError("name at least one event")
        return names

    def selector(self) -> Event:
        """Returns the same selection for `headway.selectors.condition`."""
        return Event(self.event, where=self.where)

    @property
    def label(self) -> str:
        """The events in a sentence."""
        names = ", ".join(repr(name) for name in self.event)
        named = f"any of {names}" if len(self.event) > 1 else names
        return f"{named} (where {self.where})" if self.where else named

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Lets editors accept the short forms too."""
        full = handler.resolve_ref_schema(handler(core_schema))
        names: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        full["properties"]["event"] = {"anyOf": [{"type": "string"}, names]}
        return {"anyOf": [{"type": "string"}, names, full]}


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

    framework: Literal["aarrr", "heart"]
    stage: StrictStr

    _stage = field_validator("stage")(_stage_of_framework)


class Target(Definition):
    """A value to reach by a date, in one kind of period; percent targets are fractions."""

    value: StrictFloat | StrictInt
    by: dt.date
    period: Period = "week"


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


class _Metric(Definition):
    """What every kind of metric declares."""

    framework: Literal["aarrr", "heart"] | None = None
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

    _stage = field_validator("stage")(_stage_of_framework)

    @model_validator(mode="after")
    def _is_reported_somewhere(self) -> _Metric:
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
    def _unit_and_target_fit(self) -> _Metric:
        needed = _UNITS.get(getattr(self, "kind", ""))
        if needed and self.unit != needed:
            raise ValueError(f"unit {self.unit!r} does not fit this kind of metric; write unit: {needed}")
        value = self.target.value if self.target else 0
        if self.unit == "percent" and not 0 <= value <= 1:
            raise ValueError(f"target {value}: percent targets are fractions; write 0.45 for 45 %")
        if self.unit == "points" and not -100 <= value <= 100:
            raise ValueError(f"target {value}: points lie between -100 and 100")
        return self

    def places(self) -> tuple[tuple[str, str], ...]:
        """Returns the (framework, stage) pairs under which the metric is reported."""
        if self.framework is not None and self.stage is not None:
            return ((self.framework, self.stage),)
        return tuple((place.framework, place.stage) for place in self.report)

    def selectors(self) -> Mapping[str, EventSelector]:
        """Returns the events the metric is about, by the name of the field."""
        return {
            name: value
            for name in type(self).model_fields
            if isinstance(value := getattr(self, name), EventSelector)
        }

    @abstractmethod
    def measured(self) -> Measured:
        """Returns what the metric measures, in words; every kind has its own."""

    def definition(self) -> str:
        """Returns one sentence with numerator, denominator, window and the rule when a value is final."""
        value, window, wait = self.measured()
        final = "the period is over" if wait == 0 else f"the period and {_length(wait)} after it are over"
        return f"{value}, {window}; a value is complete once {final}."


class NewPeople(_Metric):
    """People seen for the first time."""

    kind: Literal["new_people"]

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            "Number of people whose first event ever falls in the period",
            "looking at all retained history",
            0,
        )


class Share(_Metric):
    """Of the people who did one thing, the share who also did another in the same period."""

    kind: Literal["share"]
    of: EventSelector
    did: EventSelector

    def measured(self) -> Measured:
        """See the base class."""
        of, did = self.of.label, self.did.label
        return Measured(
            f"People who did {of} and also {did}, divided by people who did {of}",
            "within the same period and in any order",
            0,
        )


class Conversion(_Metric):
    """Of the people who start in a period, the share who reach something in time."""

    kind: Literal["conversion"]
    start: EventSelector
    reach: EventSelector
    within: StrictStr

    _within = field_validator("within")(checked_duration)

    def measured(self) -> Measured:
        """See the base class."""
        start, reach = self.start.label, self.reach.label
        return Measured(
            f"People who did {reach} after their first {start}, divided by people whose first {start} ever "
            "falls in the period",
            f"within {describe_duration(self.within)} of that first event (inclusive)",
            parse_duration(self.within),
        )


class Retained(_Metric):
    """Of the people who start in a period, the share who come back in a later window."""

    kind: Literal["retention"]
    start: EventSelector
    returning: EventSelector
    after: StrictStr
    within: StrictStr

    _within = field_validator("within")(checked_duration)

    @field_validator("after")
    @classmethod
    def _after_may_be_zero(cls, text: str) -> str:
        return checked_duration(text, allow_zero=True)

    def measured(self) -> Measured:
        """See the base class."""
        start, returning = self.start.label, self.returning.label
        wait = parse_duration(self.after) + parse_duration(self.within)
        opens, closes = describe_duration(self.after), _length(wait)
        return Measured(
            f"People who did {returning} after their first {start}, divided by people whose first {start} ever "
            "falls in the period",
            f"from {opens} (inclusive) to {closes} (exclusive) after that first event",
            wait,
        )


class Mean(_Metric):
    """An amount, a number of events or of active days per person."""

    kind: Literal["mean"]
    of: EventSelector
    event: EventSelector
    measure: Literal["sum", "count", "days"]
    value: StrictStr | None = None

    @model_validator(mode="after")
    def _value_goes_with_sum(self) -> Mean:
        if self.measure == "sum" and self.value is None:
            raise ValueError("measure: sum needs value: the property to add up")
        if self.measure != "sum" and self.value is not None:
            raise ValueError(f"measure: {self.measure} takes no value; remove it or write measure: sum")
        return self

    def measured(self) -> Measured:
        """See the base class."""
        what = {
            "sum": f"Sum of {self.value} over {self.event.label}",
            "count": f"Number of {self.event.label} events",
            "days": f"Number of distinct local days with {self.event.label}",
        }[self.measure]
        return Measured(
            f"{what} by the people who did {self.of.label} in the period, divided by the number of those "
            "people",
            "people with nothing counted as zero",
            0,
        )


class PromoterScore(_Metric):
    """Net promoter score of the last answers."""

    kind: Literal["nps"]
    event: EventSelector
    score: StrictStr

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            f"People whose last {self.score} from 0 to 10 in {self.event.label} is 9 or 10 minus people "
            "whose last is 0 to 6, divided by people who answered, times 100",
            "taking the last answer of each person in the period",
            0,
        )


Metric = Annotated[
    NewPeople | Share | Conversion | Retained | Mean | PromoterScore, Field(discriminator="kind")
]

_UNITS = {
    "new_people": "people",
    "share": "percent",
    "conversion": "percent",
    "retention": "percent",
    "nps": "points",
}

KINDS: tuple[str, ...] = tuple(
    get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Metric)[0])
)
"""Kinds of metric, in the order of the grammar."""


def _length(microseconds: int) -> str:
    """Spells out a length made of two durations in the largest unit that divides it."""
    for name, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if microseconds % (size * 1_000_000) == 0:
            return describe_duration(f"{microseconds // (size * 1_000_000)}{name}")
    raise InputError("a duration has at least second precision")
