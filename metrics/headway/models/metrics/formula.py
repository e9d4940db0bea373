"""Metrics made of other metrics: arithmetic over their values."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictStr, field_validator

from headway.arithmetic import names_in, parse_arithmetic
from headway.errors import InputError
from headway.models.metrics.base import BaseMetric, Measured
from headway.models.yaml_file import Location


class Formula(BaseMetric):
    """Arithmetic over the values that other metrics have in the same period and segment.

    Attributes:
        expression: Names of metrics, numbers, ``+ - * /`` and parentheses, such as ``revenue / new_people``.
    """

    kind: Literal["formula"]
    expression: StrictStr
    is_no_share = True

    @field_validator("expression")
    @classmethod
    def _is_arithmetic_over_metrics(cls, text: str) -> str:
        try:
            parse_arithmetic(text, names_in(text))
        except InputError as error:
            raise ValueError(str(error)) from None
        if not names_in(text):
            raise ValueError(f"{text!r} names no metric; write for example revenue / new_people")
        return text

    def components(self) -> tuple[tuple[Location, str], ...]:
        """See the base class."""
        return tuple((("expression",), name) for name in names_in(self.expression))

    def measured(self) -> Measured:
        """See the base class."""
        names = ", ".join(name for _, name in self.components())
        return Measured(
            f"{self.expression}: the values of the metrics of these names ({names})",
            "each of the same period and segment, no value where one has none or a divisor is 0",
            0,
        )

    def definition(self) -> str:
        """See the base class."""
        value, window, _ = self.measured()
        return f"{value}, {window}; a value is complete once those of all of them are."


class CostPer(BaseMetric):
    """Money spent, as a side input tells it, divided by a count.

    Attributes:
        per: Name of a metric that counts, such as new people.
    """

    kind: Literal["cost_per"]
    per: StrictStr

    def components(self) -> tuple[tuple[Location, str], ...]:
        """See the base class."""
        return ((("per",), self.per),)

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            f"Money spent on the days of the period, each amount in the product's currency at the rate of its day, "
            f"divided by {self.per} of the period",
            "for everybody and by channel; the interval is that of the count, what was spent taken as known",
            0,
        )

    def definition(self) -> str:
        """See the base class."""
        value, window, _ = self.measured()
        return f"{value}, {window}; a value is complete once that of {self.per} is and spend is told up to its end."
