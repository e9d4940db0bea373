"""Differential privacy of a published metric: the section `privacy` of a metric in product.yml.

What a number tells of any one person is bounded by noise, not by the number of people behind it. Each cell is published
once, when it is complete; what all cells of a calendar month may tell together is the budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from headway.errors import InputError
from headway.models.durations import parse_duration
from headway.models.yaml_file import Definition

PERIODS_A_MONTH: Final[Mapping[str, int]] = {
    "day": 31,
    "week": 6,
    "month": 1,
    "rolling_7d": 31 + 6,
    "rolling_28d": 31 + 27,
}
"""Kind of period -> how many of them share a day with one calendar month, at most."""


class Privacy(Definition):
    """How much the published cells of a metric may tell of any one person.

    Attributes:
        epsilon: What one cell may tell: with and without a person every result is at most ``exp(epsilon)`` times as
            likely (Dwork, McSherry, Nissim and Smith, 2006).
        budget: What all cells that share a day with a calendar month may tell together; the sum of their epsilons.
        at_most: What one person adds to a cell at most; what lies above is cut off, and nothing counts below 0.
        by_channel: Whether cells of each channel are published beside those of everybody.
        after: How long after a cell is complete it is published, so that late data is in it.
        release: Number of the publication; a higher one publishes every cell anew, and spends again.

    Examples:
        >>> Privacy(epsilon=0.5, budget=5).cost_of_month(("week",))
        3.0
    """

    epsilon: StrictFloat | StrictInt = Field(gt=0, le=10)
    budget: StrictFloat | StrictInt = Field(gt=0, le=1_000)
    at_most: StrictFloat | StrictInt | None = Field(default=None, gt=0)
    by_channel: StrictBool = False
    after: StrictStr = "3d"
    release: StrictInt = Field(default=1, ge=1)

    @field_validator("after")
    @classmethod
    def _is_a_duration(cls, text: str) -> str:
        try:
            parse_duration(text)
        except InputError as error:
            raise ValueError(str(error)) from None
        return text

    @model_validator(mode="after")
    def _budget_covers_a_cell(self) -> Privacy:
        if self.budget < self.epsilon:
            raise ValueError(
                f"budget: {self.budget:g} is not enough for one cell of epsilon {self.epsilon:g}"
            )
        return self

    def cost_of_month(self, grains: tuple[str, ...]) -> float:
        """Returns what publishing every cell once may spend of one calendar month, at most.

        Args:
            grains: Kinds of period the metric is computed for.
        """
        ways = 2 if self.by_channel else 1
        return float(self.epsilon) * ways * sum(PERIODS_A_MONTH[grain] for grain in grains)
