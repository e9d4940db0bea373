"""What may be published: the section `publishing` of product.yml."""

from __future__ import annotations

from typing import Final

from pydantic import Field, StrictFloat, StrictInt, StrictStr, model_validator

from headway.models.yaml_file import Definition

LEAST_PEOPLE: Final = 5
"""Smallest number of people a cell may speak of unless somebody answers for less."""


class Publishing(Definition):
    """How small a published number may be.

    Attributes:
        min_people: No published cell speaks of fewer people, and none can be worked out that does.
        fewer_than_five: Who answers for fewer than five people, and why; it is kept in the published file.
        privacy_budget: What all metrics with privacy may tell of a person together, by calendar month.

    Examples:
        >>> Publishing().min_people
        10
        >>> Publishing(min_people=3, fewer_than_five="A. Keeper: figures of our own staff, by agreement").min_people
        3
    """

    min_people: StrictInt = Field(default=10, ge=2, le=100_000)
    fewer_than_five: StrictStr | None = Field(default=None, min_length=8)
    privacy_budget: StrictFloat | StrictInt | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _somebody_answers_for_little(self) -> Publishing:
        if self.min_people < LEAST_PEOPLE and self.fewer_than_five is None:
            raise ValueError(
                f"min_people: {self.min_people} would let numbers of fewer than {LEAST_PEOPLE} people be read; "
                f"write {LEAST_PEOPLE} or more, or name who answers for it and why in fewer_than_five: "
            )
        return self
