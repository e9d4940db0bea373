"""Whether a metric keeps the limit it was given, as far as its interval says."""

from __future__ import annotations

import math
from typing import Literal

from headway.errors import InputError

Verdict = Literal["ok", "breached", "unclear"]
"""``ok``: the whole interval keeps the limit; ``breached``: none of it does; ``unclear``: it may or may not."""


def verdict(
    value: float | None,
    low: float | None,
    high: float | None,
    limit: float,
    direction: Literal["up", "down"],
) -> Verdict:
    """Judges a value against a limit by its interval.

    A value on the limit keeps it. Without a value or an interval nothing is said: a small number that looks bad may
    be chance, and one that looks good, too.

    Args:
        value: The value, None or NaN where there is none.
        low: Lower end of its interval; None or NaN where it is not defined.
        high: Upper end.
        limit: What the value must not fall below (``up``) or exceed (``down``).
        direction: Which way is good.

    Returns:
        The verdict.

    Raises:
        InputError: The limit is no number or the direction none of the two.

    Examples:
        >>> verdict(0.97, 0.95, 0.98, limit=0.99, direction="up")
        'breached'
        >>> verdict(820, 700, 990, limit=900, direction="down")
        'unclear'
    """
    if not math.isfinite(limit):
        raise InputError("a limit must be a number")
    if direction not in ("up", "down"):
        raise InputError(f"direction must be up or down, not {direction!r}")
    if not _known(value):
        return "unclear"
    worst, best = (low, high) if direction == "up" else (high, low)
    sign = 1 if direction == "up" else -1
    if worst is not None and _known(worst) and sign * (worst - limit) >= 0:
        return "ok"
    if best is not None and _known(best) and sign * (best - limit) < 0:
        return "breached"
    return "unclear"


def _known(number: float | None) -> bool:
    return number is not None and not math.isnan(number)
