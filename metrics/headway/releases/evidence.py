"""The evidence ladder: which estimate of what a release did is believed, how far, and why.

Rules, declared once and applied to every release and metric:

1. Each rung has a grade of its own, A for randomised exposure down to E for before and after.
2. A rung whose own tests contradict it is refused: the groups went different ways before, or a start that never was
   has an effect.
3. Whatever weakens a rung lowers its grade by one, except that of randomised exposure where chance decides who else is
   touched. Below E there is no grade.
4. The strongest estimate is the one with the best grade; of equal grades, that of the higher rung.
5. A release gets credit for a metric it was meant to change where the strongest estimate is graded A to C, its interval
   excludes 0, also once it is corrected for the other metrics it was meant to change, and the sign is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

Rung = Literal["randomised", "staggered", "matched", "interrupted", "before_after"]

RUNGS: Final[dict[Rung, str]] = {
    "randomised": "A",
    "staggered": "B",
    "matched": "C",
    "interrupted": "D",
    "before_after": "E",
}
"""Rungs from the strongest down, with the best grade each can have."""

WORDS: Final[dict[Rung, str]] = {
    "randomised": "randomised exposure",
    "staggered": "staggered rollout, difference in differences",
    "matched": "matched adopters",
    "interrupted": "interrupted time series",
    "before_after": "before and after",
}
"""What the rungs are called."""

GRADES: Final = "ABCDE"

CREDITED: Final = "ABC"
"""Grades that give a release credit."""

SIGNIFICANT: Final = 0.05
"""Share of false alarms that all intervals and tests allow themselves."""


@dataclass(frozen=True)
class Randomised:
    """What an experiment says about a release; the effect is in the metric's unit.

    Attributes:
        release: The release's name in the log.
        metric: The metric.
        effect: Difference between those who got it and those who did not.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_value: Two-sided.
        people: People in the smaller arm.
        days_to_value: Days from the start to the first look at which the interval, valid at all looks together,
            excluded 0.
        weakened: What weakens it, in words.
        refused: Why it is not to be believed, such as a sample ratio that cannot be chance; empty where it may be.
        unit: Unit of an outcome that is no metric of the product; None takes that of the metric.
        direction: Which way is good, of such an outcome.
        intended: Whether the release was meant to change it.
    """

    release: str
    metric: str
    effect: float
    low: float
    high: float
    p_value: float
    people: int
    days_to_value: int | None = None
    weakened: tuple[str, ...] = ()
    refused: str = ""
    unit: str | None = None
    direction: str = "up"
    intended: bool = True


@dataclass(frozen=True)
class Evidence:
    """One rung's answer for one release and metric.

    Attributes:
        release: The release.
        metric: The metric.
        rung: Which rung.
        effect: The effect, in the metric's unit; None where there is none.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p_value: Two-sided p-value of no effect.
        people: People in the smaller of the groups compared, or behind the fewest of the values.
        pre_trend: p-value of the test that nothing happened before.
        placebos: p-values of starts that never were, and of segments that got nothing.
        days_to_value: Days to the first measurable outcome.
        weakened: What weakens it, in words.
        refused: Why it gets no grade, in words; empty where it gets one.
    """

    release: str
    metric: str
    rung: Rung
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    people: int | None = None
    pre_trend: float | None = None
    placebos: tuple[float, ...] = ()
    days_to_value: int | None = None
    weakened: tuple[str, ...] = ()
    refused: str = ""

    @property
    def grade(self) -> str | None:
        """A to E; None where it is refused or too much weakens it."""
        if self.refused or self.effect is None:
            return None
        place = GRADES.index(RUNGS[self.rung]) + len(self.weakened)
        return GRADES[place] if place < len(GRADES) else None

    @property
    def reason(self) -> str:
        """Why it has this grade, or none, in words."""
        if self.refused:
            return f"no grade: {self.refused}"
        best = f"{WORDS[self.rung]} is graded {RUNGS[self.rung]} at best"
        if not self.weakened:
            return best
        lowered = f"{best}; lowered because {'; '.join(self.weakened)}"
        return lowered if self.grade else f"no grade: {lowered}"


def judged(found: Evidence) -> Evidence:
    """Refuses a rung whose own tests contradict it.

    Args:
        found: What the rung says.

    Returns:
        The same, refused where the time before shows a trend or a placebo an effect.

    Examples:
        >>> judged(Evidence("v1", "buying", "staggered", 0.1, 0.05, 0.15, 0.001, 90, pre_trend=0.004)).reason
        'no grade: the groups had been going different ways before (p = 0.004)'
    """
    if found.refused or found.effect is None:
        return found
    if found.pre_trend is not None and found.pre_trend < SIGNIFICANT:
        return replace(found, refused=f"{_TREND[found.rung]} (p = {found.pre_trend:.3f})")
    failed = [each for each in found.placebos if each < SIGNIFICANT / max(len(found.placebos), 1)]
    if failed:
        return replace(found, refused=f"a start that never was has an effect too (p = {min(failed):.3f})")
    return found


_TREND: Final[dict[Rung, str]] = {
    "randomised": "the arms differed before",
    "staggered": "the groups had been going different ways before",
    "matched": "those who chose it had differed before",
    "interrupted": "the trend bent before",
    "before_after": "there was a trend before",
}


def of_experiment(result: Randomised) -> Evidence:
    """Puts an experiment's result on the highest rung.

    Args:
        result: The result.

    Returns:
        The evidence.
    """
    return Evidence(
        result.release,
        result.metric,
        "randomised",
        result.effect,
        result.low,
        result.high,
        result.p_value,
        result.people,
        days_to_value=result.days_to_value,
        weakened=result.weakened,
        refused=result.refused,
    )


def strongest(rungs: Iterable[Evidence]) -> Evidence | None:
    """Chooses the estimate that is believed: the best grade, then the higher rung.

    Args:
        rungs: What the rungs say of one release and metric.

    Returns:
        The strongest; None where none is graded.

    Examples:
        >>> series = Evidence("v1", "buying", "interrupted", 0.1, 0.0, 0.2, 0.05, 90)
        >>> groups = Evidence("v1", "buying", "staggered", 0.2, 0.1, 0.3, 0.01, 90)
        >>> strongest([series, groups]).rung
        'staggered'
        >>> strongest([series, replace(groups, refused="the groups had been going different ways before")]).rung
        'interrupted'
    """
    order = list(RUNGS)
    graded = [each for each in rungs if each.grade is not None]
    return min(graded, key=lambda each: (each.grade, order.index(each.rung)), default=None)


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrects p-values for being several, so that one false alarm among them is as rare as for one alone.

    Args:
        p_values: The p-values.

    Returns:
        Adjusted p-values in the same order.

    References:
        Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics
        6, 65-70.

    Examples:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min((len(p_values) - rank) * p_values[place], 1.0))
        adjusted[place] = highest
    return adjusted
