"""How a bet is settled at its horizon: hit, miss, harm, inconclusive or untested."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from headway.strategy.bets import FrozenBet
from headway.strategy.relative import wider

Verdict = Literal["open", "hit", "miss", "harm", "inconclusive", "untested"]
"""``open`` before the horizon; ``untested`` where nothing was measured."""

Grade = Literal["A", "B", "C", "D", "E"]
"""Strength of evidence, from randomised exposure (A) to a plain before and after."""

SETTLING_GRADES: tuple[Grade, ...] = ("A", "B", "C")
"""Grades that can settle a bet; with weaker evidence it stays inconclusive, whatever the number says."""


@dataclass(frozen=True)
class MeasuredEffect:
    """The effect of an option on one metric, from the strongest evidence there is.

    Attributes:
        metric: The metric.
        effect: Difference in the metric's unit; None where it could not be measured.
        low: Lower end of its 95 % interval.
        high: Upper end.
        relative: The same as a fraction of what would have been; None where that is not known.
        relative_low: Lower end.
        relative_high: Upper end.
        method: How it was measured, for example ``randomised``.
        grade: Strength of the evidence; None where it was refused.
        direction: Which way is good.
        reason: Why there is no effect or no grade, in words.
        p_value: Two-sided probability of so large an effect by chance alone, of the test that belongs to it; None where
            there is none.
    """

    metric: str
    effect: float | None
    low: float | None
    high: float | None
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    method: str = ""
    grade: Grade | None = None
    direction: Literal["up", "down"] = "up"
    reason: str = ""
    p_value: float | None = None


@dataclass(frozen=True)
class Settlement:
    """How a bet ended.

    Attributes:
        verdict: How.
        reason: Why, as a sentence; every number in it is one of the fields.
        effect: Measured effect on the bet's scale, or None.
        low: Lower end of its 95 % interval.
        high: Upper end.
        method: How it was measured.
        grade: Strength of the evidence.
        in_range: Whether the measured effect lies in the stated range; None where nothing was measured.
    """

    verdict: Verdict
    reason: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    grade: Grade | None = None
    in_range: bool | None = None


def settle(
    bet: FrozenBet,
    measured: MeasuredEffect | None,
    guardrails: Mapping[str, MeasuredEffect],
    *,
    today: dt.date,
) -> Settlement:
    """Settles a bet.

    At the horizon the measured effect and its 95 % interval decide, on the bet's scale, turned so that more is good:

    - harm: the whole interval lies below 0, or that of a guardrail does and its p-value is at most 5 % divided by their
      number (Bonferroni); where there is no p-value, the interval is widened instead as a normal one would be.
    - hit: the whole interval lies above 0 and the effect itself reaches the lower end of the stated range.
    - miss: the whole interval lies below the lower end of the stated range.
    - inconclusive: neither can be said, or the evidence is weaker than grade C.
    - untested: nothing was measured.

    So, as far as the interval keeps its level: without any effect a bet is called a hit, and a harm, with a
    probability of at most 2.5 % each; one that does what was promised is called a miss with at most 2.5 %; and
    guardrails that stay as they are turn it into a harm with at most 2.5 %, however many there are.

    Args:
        bet: The bet, as frozen.
        measured: The effect on its metric, or None where there is none.
        guardrails: Guardrail -> effect on it, as far as measured.
        today: The day on which it is settled.

    Returns:
        How it ended.
    """
    if today < bet.horizon:
        return Settlement("open", f"will be settled on {bet.horizon}")
    if hurt := _hurt(bet, guardrails):
        found = _on_scale(bet, measured)
        return Settlement("harm", f"the guardrail {hurt} got worse", *_figures(bet, measured, found))
    if measured is None:
        return Settlement("untested", "nothing was released or tested that this could be measured by")
    found = _on_scale(bet, measured)
    if found is None:
        return Settlement(
            "untested", measured.reason or "no effect could be measured", method=measured.method
        )
    figures = _figures(bet, measured, found)
    if measured.grade not in SETTLING_GRADES:
        weak = f"grade {measured.grade}" if measured.grade else "no grade"
        return Settlement("inconclusive", f"the evidence is too weak ({weak}): {measured.reason}", *figures)
    verdict, reason = _judge(bet, *found)
    return Settlement(verdict, reason, *figures)


def _judge(bet: FrozenBet, effect: float, low: float, high: float) -> tuple[Verdict, str]:
    if bet.direction == "down":
        effect, low, high = -effect, -high, -low
        promised = -bet.high
    else:
        promised = bet.low
    if high < 0:
        return "harm", "the metric got worse, and chance does not explain it"
    if low > 0 and effect >= promised:
        return "hit", "the metric got better by at least what was promised"
    if high < promised:
        return "miss", "the effect is smaller than what was promised, and chance does not explain it"
    return "inconclusive", "the interval allows both what was promised and less"


def _hurt(bet: FrozenBet, guardrails: Mapping[str, MeasuredEffect]) -> str | None:
    """Returns the first guardrail that got worse for sure, the error divided by the number of guardrails."""
    told = [name for name in bet.guardrails if name in guardrails]
    return next((name for name in told if _got_worse(guardrails[name], len(told))), None)


def _got_worse(each: MeasuredEffect, at_once: int) -> bool:
    if each.grade not in SETTLING_GRADES or each.effect is None or each.low is None or each.high is None:
        return False
    # The end of the interval on the side of what is good, by how far it lies from the effect on that side.
    good = each.high - each.effect if each.direction == "up" else each.effect - each.low
    worse = -each.effect if each.direction == "up" else each.effect
    if each.p_value is not None:
        # The test's own p-value needs no interval to be stretched: one of rare events is not symmetric.
        return worse > good and each.p_value <= 0.05 / at_once
    return worse > good * wider(0.025, at_once)


def _on_scale(bet: FrozenBet, measured: MeasuredEffect | None) -> tuple[float, float, float] | None:
    if measured is None:
        return None
    three = (
        (measured.relative, measured.relative_low, measured.relative_high)
        if bet.scale == "relative"
        else (measured.effect, measured.low, measured.high)
    )
    effect, low, high = three
    if effect is None or low is None or high is None:
        return None
    return (effect, low, high) if math.isfinite(effect) and not math.isnan(low + high) else None


def _figures(
    bet: FrozenBet, measured: MeasuredEffect | None, found: tuple[float, float, float] | None
) -> tuple[float | None, float | None, float | None, str, Grade | None, bool | None]:
    if measured is None or found is None:
        return None, None, None, measured.method if measured else "", None, None
    effect, low, high = found
    return effect, low, high, measured.method, measured.grade, bet.low <= effect <= bet.high
