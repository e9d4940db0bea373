"""Metrics about people: who is new, who did what, who comes back, how much each did."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, StrictStr, field_validator, model_validator

from headway.models.durations import describe_duration, parse_duration
from headway.models.metrics.base import BaseMetric, Measured, Reads, checked_duration, length
from headway.models.metrics.selector import EventSelector
from headway.models.metrics.weighing import Weighable
from headway.models.yaml_file import Definition


class NewPeople(BaseMetric):
    """People seen for the first time."""

    needed_unit = "people"
    kind: Literal["new_people"]

    @property
    def is_count(self) -> bool:
        """See the base class."""
        return True

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            "Number of people whose first event ever falls in the period",
            "looking at all retained history",
            0,
        )


class Share(BaseMetric):
    """Of the people who did one thing, the share who also did another in the same period."""

    needed_unit = "percent"
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


class Conversion(BaseMetric):
    """Of the people who start in a period, the share who reach something in time.

    Attributes:
        start: What begins a person's time: the first one ever.
        reach: What is to be reached.
        through: Steps that must be taken on the way, in this order; at one instant any order counts. Each step takes an
            event of its own, so that none may be named twice. None: the way does not matter.
        within: Time from the first start, inclusive, that all of it may take.
    """

    needed_unit = "percent"
    kind: Literal["conversion"]
    start: EventSelector
    reach: EventSelector
    through: tuple[EventSelector, ...] | None = Field(default=None, min_length=1)
    within: StrictStr

    _within = field_validator("within")(checked_duration)

    @model_validator(mode="after")
    def _steps_are_different_events(self) -> Conversion:
        if self.through is None:
            return self
        places = ["start", *(f"through.{place}" for place in range(len(self.through))), "reach"]
        taken: dict[str, str] = {}
        for place, step in zip(places, (self.start, *self.through, self.reach), strict=True):
            for name in dict.fromkeys(step.event):
                if name in taken:
                    raise ValueError(
                        f"{name!r} is named in {taken[name]} and in {place}; with through, start, every step and "
                        "reach need different events, so that one event is not two steps"
                    )
                taken[name] = place
        return self

    def measured(self) -> Measured:
        """See the base class."""
        start, reach = self.start.label, self.reach.label
        steps = " and then ".join(step.label for step in self.through or ())
        done = f"{steps} and then {reach}" if steps else reach
        order = ", in this order" if steps else ""
        return Measured(
            f"People who did {done} after their first {start}{order}, divided by people whose first {start} ever "
            "falls in the period",
            f"within {describe_duration(self.within)} of that first event (inclusive)",
            parse_duration(self.within),
        )


class Answered(Definition):
    """Whether what a person started had its answer in time: a ticket a reply, an order its delivery.

    Attributes:
        by: The events that are the answer.
        key: Property that says what they answer, such as a ticket's id; None: the person's.
        within: The time that is in time.
        hours: ``calendar`` time, or ``business`` hours of the product.
        in_time: Whether those count who had it in time, or the others.
    """

    by: EventSelector
    key: StrictStr | None = None
    within: StrictStr
    hours: Literal["calendar", "business"] = "calendar"
    in_time: StrictBool = True

    _within = field_validator("within")(checked_duration)

    @property
    def words(self) -> str:
        """Who counts, as a clause."""
        time = f"{describe_duration(self.within)}{' of business hours' if self.hours == 'business' else ''}"
        did = "was" if self.in_time else "was not"
        key = f" of the same {self.key}" if self.key else ""
        return f" and {did} followed by {self.by.label}{key} within {time}"


class Retained(BaseMetric):
    """Of the people who start in a period, the share who come back in a later window.

    Attributes:
        start: What begins a person's time.
        returning: What counts as coming back.
        after: When the window opens.
        within: How long it stays open.
        answered: Only people whose first start was answered in time, or only the others; None: everybody.
    """

    needed_unit = "percent"
    kind: Literal["retention"]
    start: EventSelector
    returning: EventSelector
    after: StrictStr
    within: StrictStr
    answered: Answered | None = None

    _within = field_validator("within")(checked_duration)

    @property
    def in_business_hours(self) -> bool:
        """See the base class."""
        return self.answered is not None and self.answered.hours == "business"

    def properties(self) -> Reads:
        """See the base class."""
        asked = self.answered
        if asked is None or asked.key is None:
            return ()
        place = ("answered", "key")
        return ((place, asked.key, self.start), (place, asked.key, asked.by))

    @field_validator("after")
    @classmethod
    def _after_may_be_zero(cls, text: str) -> str:
        return checked_duration(text, allow_zero=True)

    def measured(self) -> Measured:
        """See the base class."""
        start, returning = self.start.label, self.returning.label
        wait = parse_duration(self.after) + parse_duration(self.within)
        opens, closes = describe_duration(self.after), length(wait)
        who = self.answered.words if self.answered else ""
        return Measured(
            f"People who did {returning} after their first {start}, divided by people whose first {start} ever "
            f"falls in the period{who}",
            f"from {opens} (inclusive) to {closes} (exclusive) after that first event",
            wait,
        )


class Mean(BaseMetric):
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

    def numbers(self) -> Reads:
        """See the base class."""
        return () if self.value is None else ((("value",), self.value, self.event),)

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


class PromoterScore(Weighable):
    """Net promoter score of the last answers.

    Attributes:
        event: Answers.
        score: Property with the answer, 0 to 10; others are left out and counted.
    """

    needed_unit = "points"
    kind: Literal["nps"]
    event: EventSelector
    score: StrictStr

    def numbers(self) -> Reads:
        """See the base class."""
        return ((("score",), self.score, self.event),)

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            f"People whose last {self.score} from 0 to 10 in {self.event.label} is 9 or 10 minus people "
            f"whose last is 0 to 6, divided by people who answered, times 100{self.weighing}",
            "taking the last answer of each person in the period",
            0,
        )
