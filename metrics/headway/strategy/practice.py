"""How a kata goes: how long a turn takes, and how often what happened was not what was expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from headway.models.kata import Kata, Step

Came = Literal["as expected", "less", "more", "not measured", "open"]
"""How what happened compares with what was expected, as numbers: ``less`` is below the range, good or bad."""


@dataclass(frozen=True)
class KataMeasures:
    """Measures of one or several kata.

    Attributes:
        steps: Steps that were begun.
        closed: Steps that were closed, with what was learned.
        cycle_days: Median days from the beginning of a step to its end; None before the first one ends.
        steps_per_30_days: Steps closed for each 30 days since the first began: the rate of learning.
        surprised: Share of the measured steps in which something else happened than was expected; None without any.
    """

    steps: int
    closed: int
    cycle_days: float | None
    steps_per_30_days: float | None
    surprised: float | None


def came(step: Step) -> Came:
    """Compares what happened with what was expected.

    Args:
        step: A step of a kata.

    Returns:
        How it came.
    """
    if step.happened is None:
        return "open"
    value = step.happened.value
    if value is None:
        return "not measured"
    if value < step.expect.low:
        return "less"
    return "more" if value > step.expect.high else "as expected"


def kata_measures(katas: Sequence[Kata], *, today: dt.date) -> KataMeasures:
    """Measures how a team practises.

    Args:
        katas: Its kata.
        today: The day on which it is looked at.

    Returns:
        The measures.
    """
    steps = [step for kata in katas for step in kata.steps]
    ended = [(step, step.happened) for step in steps if step.happened is not None]
    told = [came(step) for step, _ in ended if came(step) != "not measured"]
    days = (today - min(step.date for step in steps)).days if steps else 0
    return KataMeasures(
        steps=len(steps),
        closed=len(ended),
        cycle_days=float(median((happened.taken - step.date).days for step, happened in ended))
        if ended
        else None,
        steps_per_30_days=30 * len(ended) / days if days > 0 else None,
        surprised=sum(each != "as expected" for each in told) / len(told) if told else None,
    )
