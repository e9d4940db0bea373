"""How long things may stay where, as the tracking plan says it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StrictStr

from headway.errors import InputError
from headway.models.durations import parse_retention
from headway.models.yaml_file import Definition


def _period(text: str) -> str:
    try:
        parse_retention(text)
    except InputError as error:
        raise ValueError(str(error)) from None
    return text


Limit = Annotated[StrictStr, AfterValidator(_period)]


class Limits(Definition):
    """The section ``limits`` of a tracking plan.

    Attributes:
        events: What the retention of events does: rows that are older are written away (``enforce``), or nothing.
        held_back: How long rows of batches that a quality rule holds back stay staged.
        dagster_history: How long Dagster keeps runs and what it noted of them.
        raw: How long raw files that were read may lie under ``raw/``; they are deleted then.

    Examples:
        >>> Limits.model_validate({"dagster_history": "90 days"}).events
        'off'
    """

    events: Literal["off", "enforce"] = "off"
    held_back: Limit | None = None
    dagster_history: Limit | None = None
    raw: Limit | None = None
