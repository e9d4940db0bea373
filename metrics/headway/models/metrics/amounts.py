"""Metrics that add things up over events: counts, sums of money, and ratios of two such amounts."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictStr, field_validator, model_validator

from headway.arithmetic import names_in, parse_arithmetic
from headway.errors import InputError
from headway.models.metrics.base import BaseMetric, Measured, Reads
from headway.models.metrics.selector import EventSelector
from headway.models.yaml_file import Definition


class Amount(Definition):
    """Something that events add up to.

    Attributes:
        event: Events that count.
        measure: ``events``; ``people`` who have any; ``days`` on which a person has any; ``sum`` of `value`.
        value: A numeric property, or arithmetic over some, such as ``quantity * unit_price``.
        currency: Property with the ISO 4217 code of the value; amounts are turned into the product's currency.
        minus: Events whose value is taken off, such as refunds, be it told as a positive or as a negative number; they
            carry the same properties.
        negative: What becomes of values below 0: ``exclude`` leaves them out and counts them.
    """

    event: EventSelector
    measure: Literal["events", "people", "days", "sum"] = "events"
    value: StrictStr | None = None
    currency: StrictStr | None = None
    minus: EventSelector | None = None
    negative: Literal["exclude", "keep"] = "exclude"

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: object) -> object:
        """Takes a bare selector for the number of its events."""
        if isinstance(data, str | list | tuple) or (isinstance(data, dict) and "where" in data):
            return {"event": data}
        return data

    @field_validator("value")
    @classmethod
    def _is_arithmetic(cls, text: str | None) -> str | None:
        return text if text is None else checked_arithmetic(text)

    @model_validator(mode="after")
    def _value_goes_with_sum(self) -> Amount:
        if self.measure == "sum" and self.value is None:
            raise ValueError("measure: sum needs value: the property to add up")
        if self.measure != "sum":
            for name in ("value", "currency", "minus"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"measure: {self.measure} takes no {name}; remove it or write measure: sum"
                    )
        return self

    def numbers(self) -> Reads:
        """Returns the numeric properties it reads, as `BaseMetric.numbers` does."""
        selectors = [self.event] if self.minus is None else [self.event, self.minus]
        names = () if self.value is None else names_in(self.value)
        return tuple((("value",), name, selector) for selector in selectors for name in names)

    def properties(self) -> Reads:
        """Returns the property with the currency."""
        return () if self.currency is None else ((("currency",), self.currency, self.event),)

    @property
    def label(self) -> str:
        """The amount in a sentence."""
        what = {
            "events": f"number of {self.event.label} events",
            "people": f"number of people who did {self.event.label}",
            "days": f"number of local days on which a person did {self.event.label}",
            "sum": f"sum of {self.value} over {self.event.label}",
        }[self.measure]
        if self.minus is not None:
            what += f" minus that over {self.minus.label}"
        if self.currency is not None:
            what += ", each in the product's currency at the rate of its day"
        if self.measure == "sum" and self.negative == "exclude":
            what += ", values below 0 left out"
        return what


def checked_arithmetic(text: str) -> str:
    """Returns arithmetic that can be read, else raises what Pydantic collects.

    Args:
        text: The arithmetic.

    Returns:
        The same text.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        parse_arithmetic(text, names_in(text), what="value")
    except InputError as error:
        raise ValueError(str(error)) from None
    return text


def placed_in(field: str, reads: Reads) -> Reads:
    """Says of what a part of a metric reads in which field the part lies."""
    return tuple(((field, *place), name, selector) for place, name, selector in reads)


class Count(BaseMetric):
    """How many events, how many people, or how much of something in a period."""

    kind: Literal["count"]
    of: Amount

    @model_validator(mode="after")
    def _is_a_total(self) -> Count:
        if self.of.measure == "days":
            raise ValueError("days of people add up to no total; write kind: mean, or measure: people")
        return self

    @property
    def is_count(self) -> bool:
        """See the base class."""
        return self.of.measure != "sum"

    def numbers(self) -> Reads:
        """See the base class."""
        return placed_in("of", self.of.numbers())

    def properties(self) -> Reads:
        """See the base class."""
        return placed_in("of", self.of.properties())

    def measured(self) -> Measured:
        """See the base class."""
        label = self.of.label
        return Measured(label[0].upper() + label[1:], "in the period", 0)


class Ratio(BaseMetric):
    """One amount divided by another of the same period."""

    kind: Literal["ratio"]
    is_no_share = True
    numerator: Amount
    denominator: Amount

    def numbers(self) -> Reads:
        """See the base class."""
        top, bottom = self.numerator.numbers(), self.denominator.numbers()
        return (*placed_in("numerator", top), *placed_in("denominator", bottom))

    def properties(self) -> Reads:
        """See the base class."""
        top, bottom = self.numerator.properties(), self.denominator.properties()
        return (*placed_in("numerator", top), *placed_in("denominator", bottom))

    def measured(self) -> Measured:
        """See the base class."""
        top, bottom = self.numerator.label, self.denominator.label
        return Measured(
            f"{top[0].upper()}{top[1:]}, divided by {bottom}",
            "both of the same period; the interval takes people, not events, as what is sampled",
            0,
        )
