"""Metrics of the product itself: whether it holds while people use it."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictStr, field_validator

from headway.models.durations import describe_duration
from headway.models.metrics.base import BaseMetric, Measured, checked_duration
from headway.models.metrics.selector import EventSelector


class CrashFree(BaseMetric):
    """Of people's sessions, the share in which nothing failed.

    Attributes:
        of: Events that make up sessions.
        failure: Events that mean that the session failed; they are part of it.
        idle: Longest pause within a session.
    """

    kind: Literal["crash_free"]
    of: EventSelector
    failure: EventSelector
    idle: StrictStr = "30m"
    needed_unit = "percent"

    _idle = field_validator("idle")(checked_duration)

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            f"Sessions (events {self.of.label} and {self.failure.label} of a person without a pause of more than "
            f"{describe_duration(self.idle)}) without {self.failure.label}, divided by all sessions that begin in the "
            "period",
            "the interval takes people, not sessions, as what is sampled",
            0,
        )
