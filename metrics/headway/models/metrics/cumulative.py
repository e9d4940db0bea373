"""Metrics that add up over a longer time than their period: how much there has been so far."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import field_validator, model_validator

from headway.models.metrics.amounts import Amount, placed_in
from headway.models.metrics.base import BaseMetric, Measured, Reads

Span = Literal["month", "quarter", "year"]
"""Stretches of the calendar with which a running total begins anew."""

_MONTHS: dict[Span, int] = {"month": 1, "quarter": 3, "year": 12}


class Cumulative(BaseMetric):
    """How many events or people, or how much of something, since a day or the beginning of a month, quarter or year.

    Attributes:
        of: What is added up; people count once since the beginning.
        since: Local day from which on it is counted, or ``month``, ``quarter`` or ``year``: the one that holds the
            last day of the period.
    """

    kind: Literal["cumulative"]
    of: Amount
    since: Span | dt.date
    # A window's total so far is that of the day it ends with.
    possible_grains = ("day", "week", "month")

    WORDS: ClassVar[dict[str, str]] = {
        span: f"from the beginning of the {span} that holds the last day of the period to that day"
        for span in _MONTHS
    }

    @field_validator("since", mode="before")
    @classmethod
    def _is_a_day_or_a_span(cls, value: object) -> object:
        if isinstance(value, str) and value not in _MONTHS:
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                pass
        elif isinstance(value, str) or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        raise ValueError(
            f"{value!r} is no beginning; write month, quarter, year, or a day such as 2026-01-01"
        )

    @model_validator(mode="after")
    def _is_a_total(self) -> Cumulative:
        if self.of.measure == "days":
            raise ValueError("days of people add up to no total; write measure: people, events or sum")
        return self

    def begins(self, last: dt.date) -> dt.date | None:
        """Returns the day from which on a period counts.

        Args:
            last: The period's last local day.

        Returns:
            The day; None where the period ends before the declared one.

        Examples:
            >>> declared = {"framework": "aarrr", "stage": "revenue", "title": "T", "unit": "events", "of": "Paid"}
            >>> quarter = Cumulative(kind="cumulative", since="quarter", **declared)
            >>> str(quarter.begins(dt.date(2026, 5, 31)))
            '2026-04-01'
            >>> Cumulative(kind="cumulative", since=dt.date(2026, 6, 1), **declared).begins(dt.date(2026, 5, 31))
        """
        if isinstance(self.since, dt.date):
            return self.since if self.since <= last else None
        months = _MONTHS[self.since]
        return last.replace(month=last.month - (last.month - 1) % months, day=1)

    def numbers(self) -> Reads:
        """See the base class."""
        return placed_in("of", self.of.numbers())

    def properties(self) -> Reads:
        """See the base class."""
        return placed_in("of", self.of.properties())

    def measured(self) -> Measured:
        """See the base class."""
        label = self.of.label
        span = (
            f"from {self.since.isoformat()} to the last day of the period"
            if isinstance(self.since, dt.date)
            else self.WORDS[self.since]
        )
        return Measured(f"{label[0].upper()}{label[1:]}", f"{span}, as far as the log reaches back", 0)
