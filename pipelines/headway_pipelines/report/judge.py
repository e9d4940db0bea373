"""What may be said about a value: whether it meets its target, whether it differs from the week before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from headway.statistics.verdicts import verdict as against

Verdict = Literal["met", "missed", "short", "uncertain", "unknown", "none"]
"""``short``: worse than the target, whose date has not come yet; ``unknown``: no value; ``none``: no target."""

VERDICTS: dict[Verdict, str] = {
    "met": "Met",
    "missed": "Missed",
    "short": "Not met yet",
    "uncertain": "Too uncertain to say",
    "unknown": "No value to compare",
    "none": "No target",
}


Guard = Literal["within", "beyond", "unsure", "unknown", "none"]
"""``unsure``: the limit may or may not be kept; ``unknown``: no value; ``none``: no limit."""

GUARDS: dict[Guard, str] = {
    "beyond": "Beyond its limit",
    "unsure": "Not sure",
    "within": "Within its limit",
    "unknown": "No value to compare",
    "none": "No limit",
}
"""What can be said of a limit, the worst first."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval.

    Attributes:
        value: The value, in its unit.
        low: Lower end of the interval, None where there is no interval.
        high: Upper end.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Change:
    """The difference of two values with its 95 % interval.

    Attributes:
        value: New minus old.
        low: Lower end, None where either value has no interval.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None

    @property
    def distinct(self) -> bool | None:
        """Whether the interval excludes zero: more than noise. None where there is no interval."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 or self.high < 0


def difference(new: Estimate, old: Estimate) -> Change:
    """Compares two independent estimates by recovering variances from their intervals.

    The distance from the difference to its lower end is ``sqrt((new - new.low)^2 + (old.high - old)^2)``, and to
    its upper end ``sqrt((new.high - new)^2 + (old - old.low)^2)``. With Wilson intervals this is method 10 of
    Newcombe (1998). Where the same people are behind both values and act alike both times, the interval is too
    wide rather than too narrow.

    Args:
        new: The later estimate.
        old: The earlier estimate, in the same unit.

    Returns:
        The difference in that unit.

    References:
        Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions:
        comparison of eleven methods. Statistics in Medicine 17, 873-890. For any two intervals: Zou, G. Y. and
        Donner, A. (2008). Construction of confidence limits about effect measures: a general approach.
        Statistics in Medicine 27, 1693-1702, equation (4) (MOVER).

    Examples:
        >>> from headway.statistics.intervals import wilson
        >>> new, old = (Estimate(x / n, *map(float, wilson(x, n))) for x, n in ((56, 70), (48, 80)))
        >>> change = difference(new, old)
        >>> round(change.value, 4), round(change.low, 4), round(change.high, 4), change.distinct
        (0.2, 0.0524, 0.3339, True)
    """
    value = new.value - old.value
    if new.low is None or new.high is None or old.low is None or old.high is None:
        return Change(value, None, None)
    # A shrunken interval (promoter score) may end on the wrong side of its value: no distance, not a negative one.
    down = math.hypot(max(new.value - new.low, 0.0), max(old.high - old.value, 0.0))
    up = math.hypot(max(new.high - new.value, 0.0), max(old.value - old.low, 0.0))
    return Change(value, value - down, value + up)


def against_target(
    estimate: Estimate | None, target: float | None, *, direction: str, due: date | None, today: date
) -> Verdict:
    """Compares a value with its target, no more certainly than its interval allows.

    Args:
        estimate: The value, None where there is none.
        target: The target, in the same unit.
        direction: ``up`` where more is better, ``down`` where less is.
        due: Date by which the target should be met.
        today: Date of the comparison.

    Returns:
        ``met`` where the whole interval is at least as good as the target, ``missed`` (or ``short`` until the due
        date) where all of it is worse, else ``uncertain``.

    Examples:
        >>> today = date(2026, 3, 1)
        >>> against_target(Estimate(0.38, 0.35, 0.41), 0.45, direction="up", due=today, today=today)
        'short'
        >>> against_target(Estimate(0.38, 0.35, 0.41), 0.40, direction="up", due=None, today=today)
        'uncertain'
    """
    if target is None:
        return "none"
    if estimate is None:
        return "unknown"
    worst, best = (estimate.high, estimate.low) if direction == "down" else (estimate.low, estimate.high)
    sign = -1 if direction == "down" else 1
    # One end is enough where the other is open: how long people wait has no upper end while half of them still do.
    if worst is not None and sign * worst >= sign * target:
        return "met"
    if best is not None and sign * best < sign * target:
        return "short" if due is not None and today <= due else "missed"
    return "uncertain"


def against_limit(estimate: Estimate | None, limit: float | None, *, direction: str) -> Guard:
    """Compares a value with the limit it must keep, no more certainly than its interval allows.

    Args:
        estimate: The value, None where there is none.
        limit: What it must not fall below, or exceed where less is better; in the same unit.
        direction: ``up`` where more is better, ``down`` where less is.

    Returns:
        ``within`` where the whole interval keeps the limit, ``beyond`` where none of it does, else ``unsure``.

    Examples:
        >>> against_limit(Estimate(0.97, 0.95, 0.98), 0.99, direction="up")
        'beyond'
        >>> against_limit(Estimate(0.97, 0.95, 0.98), 0.96, direction="up")
        'unsure'
    """
    if limit is None:
        return "none"
    if estimate is None:
        return "unknown"
    way: Literal["up", "down"] = "down" if direction == "down" else "up"
    found = against(estimate.value, estimate.low, estimate.high, limit, way)
    return {"ok": "within", "breached": "beyond", "unclear": "unsure"}[found]  # type: ignore[return-value]
