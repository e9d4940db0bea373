"""Metrics about the size of single observations: quantiles of a property, and how long things take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from headway.models.durations import describe_duration, parse_duration
from headway.models.metrics.base import BaseMetric, Measured, Reads, checked_duration
from headway.models.metrics.selector import EventSelector


class Quantile(BaseMetric):
    """A quantile of a numeric property, over all events of a period."""

    kind: Literal["quantile"]
    event: EventSelector
    value: StrictStr
    percentile: StrictInt | StrictFloat = Field(default=50, gt=0, lt=100)

    def numbers(self) -> Reads:
        """See the base class."""
        return ((("value",), self.value, self.event),)

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            f"Smallest {self.value} of {self.event.label} events up to which {self.percentile} % of them lie",
            "over the events of the period; the interval takes people, not events, as what is sampled",
            0,
        )


class Duration(BaseMetric):
    """How long it takes from one event to another: a quantile, in which what is not over yet counts as open.

    Attributes:
        start: Events that begin an interval, unless one is open already.
        end: Events that end the open interval. What is a start as well begins the next one at once, so that the time
            from visit to visit can be asked for.
        key: Property that says which interval an event belongs to, such as a ticket's id; None: the person's.
        each: ``first`` interval of a person or key, or ``every`` one.
        percentile: Which quantile.
        hours: ``calendar`` time, or ``business`` hours of the product.
        within: The horizon, elapsed time from the start, inclusive: an interval that does not end in it counts as not
            having ended, however much later it does. It cuts what is measured, not which intervals there are. None:
            an interval may end at any time.
        mature: How long after a period's end its value is called complete; with `within` that is the horizon.
    """

    kind: Literal["duration"]
    start: EventSelector
    end: EventSelector
    key: StrictStr | None = None
    each: Literal["first", "every"] = "first"
    percentile: StrictInt | StrictFloat = Field(default=50, gt=0, lt=100)
    hours: Literal["calendar", "business"] = "calendar"
    within: StrictStr | None = None
    mature: StrictStr = "0s"

    @field_validator("within")
    @classmethod
    def _within_is_a_time(cls, text: str | None) -> str | None:
        return None if text is None else checked_duration(text)

    @field_validator("mature")
    @classmethod
    def _mature_may_be_zero(cls, text: str) -> str:
        return checked_duration(text, allow_zero=True)

    @model_validator(mode="after")
    def _unit_is_time(self) -> Duration:
        if self.unit not in SECONDS:
            raise ValueError(f"unit {self.unit!r} is no unit of time; write one of {', '.join(SECONDS)}")
        return self

    @model_validator(mode="after")
    def _horizon_is_one(self) -> Duration:
        if self.within is None:
            return self
        # Elapsed time cuts business hours at another length for each start: the share up to it would be nobody's.
        if self.hours == "business":
            raise ValueError("within is elapsed time; remove it, or hours: business")
        if parse_duration(self.mature):
            raise ValueError("a value with within is complete once that has elapsed; remove mature")
        return self

    @property
    def of_people_once(self) -> bool:
        """Whether what is measured is each person's first interval, from the first start ever to a horizon."""
        return self.within is not None and self.key is None and self.each == "first"

    @property
    def horizon(self) -> int | None:
        """The longest time that is looked at, in microseconds; None where there is none."""
        return None if self.within is None else parse_duration(self.within)

    def properties(self) -> Reads:
        """See the base class."""
        if self.key is None:
            return ()
        return ((("key",), self.key, self.start), (("key",), self.key, self.end))

    @property
    def in_business_hours(self) -> bool:
        """See the base class."""
        return self.hours == "business"

    def measured(self) -> Measured:
        """See the base class."""
        of = f"the same {self.key}" if self.key else "the same person"
        which = "the first" if self.each == "first" else "every"
        hours = "business hours" if self.hours == "business" else "calendar time"
        wait = parse_duration(self.mature if self.within is None else self.within)
        ripe = f", {describe_duration(self.mature)} being left for them to end" if wait else ""
        if self.within is not None:
            ripe = f" and those not over within {describe_duration(self.within)} (inclusive) as not over"
        return Measured(
            f"Time from {self.start.label} to the next {self.end.label} of {of}, in {hours}, by which "
            f"{self.percentile} % of the intervals are over",
            f"taking {which} interval of each that begins in the period, those still open as lasting at least until "
            f"now{ripe}",
            wait,
        )


class TimeOnTask(BaseMetric):
    """How long attempts at something take that succeed.

    Attributes:
        start: What begins an attempt.
        success: What ends it well.
        failure: What ends it with an error; None where nothing says so.
        key: Property that says which task an event belongs to; None: the person's.
        within: Time an attempt has; what takes longer did not succeed.
        percentile: Which quantile; 50 where neither this nor `trim` is given.
        trim: Share of the attempts, the shortest and as many of the longest, without which a mean is taken instead.
    """

    kind: Literal["time_on_task"]
    start: EventSelector
    success: EventSelector
    failure: EventSelector | None = None
    key: StrictStr | None = None
    within: StrictStr
    percentile: StrictInt | StrictFloat | None = Field(default=None, gt=0, lt=100)
    trim: StrictFloat | None = Field(default=None, gt=0, lt=0.5)

    _within = field_validator("within")(checked_duration)

    @model_validator(mode="after")
    def _is_one_number_of_time(self) -> TimeOnTask:
        if self.unit not in SECONDS:
            raise ValueError(f"unit {self.unit!r} is no unit of time; write one of {', '.join(SECONDS)}")
        if self.percentile is not None and self.trim is not None:
            raise ValueError("percentile and trim are two numbers; declare a metric for each")
        return self

    @property
    def share(self) -> float:
        """The quantile, between 0 and 1."""
        return (50 if self.percentile is None else self.percentile) / 100

    def properties(self) -> Reads:
        """See the base class."""
        selectors = [each for each in (self.start, self.success, self.failure) if each is not None]
        return () if self.key is None else tuple((("key",), self.key, each) for each in selectors)

    def measured(self) -> Measured:
        """See the base class."""
        of = f"the same {self.key}" if self.key else "the same person"
        time = f"time from {self.start.label} to the next {self.success.label} of {of}"
        what = (
            f"Smallest {time} up to which {100 * self.share:g} % of the attempts lie"
            if self.trim is None
            else f"Mean {time}, without the {100 * self.trim:g} % shortest and as many longest"
        )
        return Measured(
            what,
            f"over the attempts that begin in the period and succeed within {describe_duration(self.within)}",
            parse_duration(self.within),
        )


SECONDS: Mapping[str, int] = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
"""Seconds in each unit of time a duration can have."""
