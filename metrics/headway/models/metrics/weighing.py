"""What metrics of answers have in common: they can be weighted back to the people who were asked."""

from __future__ import annotations

from pydantic import StrictBool, model_validator

from headway.models.metrics.base import BaseMetric
from headway.models.metrics.selector import EventSelector


class Weighable(BaseMetric):
    """A metric of what people answer.

    Attributes:
        shown: Events by which people were asked, for `weighted`.
        weighted: Whether the answers of each channel are weighted by the channel's share of the people who were
            asked, so that channels whose people answer seldom count as much as they should.
    """

    shown: EventSelector | None = None
    weighted: StrictBool = False

    @model_validator(mode="after")
    def _weights_are_known(self) -> Weighable:
        if self.weighted and self.shown is None:
            raise ValueError("weighted: true needs shown: the events by which people were asked")
        if self.shown is not None and not self.weighted:
            raise ValueError("shown is for weighted: true; the share of people who answer is kind: share")
        return self

    @property
    def weighing(self) -> str:
        """How answers are weighted, as the end of a sentence; empty where they are not."""
        if self.shown is None:
            return ""
        return (
            f", channel by channel, and the channels weighted by their shares of the people who did "
            f"{self.shown.label} in the period"
        )
