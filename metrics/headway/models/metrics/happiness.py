"""Metrics of answers and of attempts: what people say, and whether they get done what they came for."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from headway.models.durations import describe_duration, parse_duration
from headway.models.metrics.base import BaseMetric, Measured, Reads, checked_duration
from headway.models.metrics.selector import EventSelector
from headway.models.metrics.weighing import Weighable

Number = StrictInt | StrictFloat


class Survey(Weighable):
    """Answers on a scale: customer satisfaction (CSAT) and customer effort (CES), the last of each person.

    Attributes:
        event: Answers.
        score: Property with the answer.
        scale: Lowest and highest answer; others are left out and counted.
        measure: ``top``: the share of people whose answer is at least `top`; ``mean``: the mean answer.
        top: Lowest answer that counts as satisfied, for ``top``.
    """

    kind: Literal["survey"]
    event: EventSelector
    score: StrictStr
    scale: tuple[Number, Number]
    measure: Literal["top", "mean"] = "top"
    top: Number | None = None

    @model_validator(mode="after")
    def _scale_and_top_fit(self) -> Survey:
        low, high = self.scale
        if low >= high:
            raise ValueError(f"scale: {low} must be below {high}")
        if (self.measure == "top") != (self.top is not None):
            raise ValueError(
                "measure: top needs top: the lowest answer that counts as satisfied; mean takes none"
            )
        if self.top is not None and not low < self.top <= high:
            raise ValueError(f"top {self.top} does not divide the scale from {low} to {high}")
        if self.measure == "top" and self.unit != "percent":
            raise ValueError(f"unit {self.unit!r} does not fit a share of people; write unit: percent")
        return self

    def numbers(self) -> Reads:
        """See the base class."""
        return ((("score",), self.score, self.event),)

    def measured(self) -> Measured:
        """See the base class."""
        low, high = self.scale
        answer = f"last {self.score} from {low} to {high} in {self.event.label}"
        what = (
            f"Mean {answer}"
            if self.measure == "mean"
            else f"People whose {answer} is {self.top} or more, divided by people who answered"
        )
        return Measured(what + self.weighing, "taking the last answer of each person in the period", 0)


class Task(BaseMetric):
    """Of the attempts at something, the share that ended one way.

    Attributes:
        start: What begins an attempt.
        success: What ends it well.
        failure: What ends it with an error; None where nothing says so.
        key: Property that says which task an event belongs to; None: the person's.
        within: Time an attempt has until it counts as abandoned.
        outcome: Which outcome is counted.
        attempts: ``every`` attempt, or only the ``first`` of each person in the period.
    """

    kind: Literal["task"]
    start: EventSelector
    success: EventSelector
    failure: EventSelector | None = None
    key: StrictStr | None = None
    within: StrictStr
    outcome: Literal["success", "failure", "abandoned"] = "success"
    attempts: Literal["every", "first"] = "every"
    needed_unit = "percent"

    _within = field_validator("within")(checked_duration)

    @model_validator(mode="after")
    def _failure_is_known(self) -> Task:
        if self.outcome == "failure" and self.failure is None:
            raise ValueError("outcome: failure needs failure: the events that say so")
        return self

    def properties(self) -> Reads:
        """See the base class."""
        selectors = [each for each in (self.start, self.success, self.failure) if each is not None]
        return () if self.key is None else tuple((("key",), self.key, each) for each in selectors)

    def measured(self) -> Measured:
        """See the base class."""
        ways = {
            "success": f"ended with {self.success.label}",
            "failure": f"ended with {self.failure.label if self.failure else ''}",
            "abandoned": "came to no end, or were begun anew before one",
        }
        of = "first attempts of people" if self.attempts == "first" else "attempts"
        key = f" of the same {self.key}" if self.key else ""
        return Measured(
            f"{of[0].upper()}{of[1:]} ({self.start.label}) that {ways[self.outcome]}{key}, divided by all of them that "
            "begin in the period",
            f"an attempt having {describe_duration(self.within)}",
            parse_duration(self.within),
        )
