"""All experiments together: how many win, how many say nothing, how long they take, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from headway.errors import InputError
from headway.statistics.intervals import Floats, wilson

#: Experiments of one metric needed before their effects are shrunk: fewer do not say how much picking winners does.
ENOUGH = 6


@dataclass(frozen=True)
class Impact:
    """What shipped experiments did to one metric.

    Attributes:
        metric: The metric.
        experiments: Judged experiments that compared it as a primary metric.
        shipped: Those that shipped.
        naive: Sum of the relative effects shipped, as estimated; too large, because winners are picked.
        shrunken: The same after shrinkage; None where there are fewer than `ENOUGH` experiments.
    """

    metric: str
    experiments: int
    shipped: int
    naive: float
    shrunken: float | None


@dataclass(frozen=True)
class Programme:
    """All experiments together.

    Attributes:
        experiments: Declared ones.
        judged: Those that the rule has decided or left open at their end.
        shipped: Judged ones that shipped.
        stopped: Judged ones that were stopped.
        inconclusive: Judged ones without an answer.
        win_rate: Share of the judged that shipped, None where none was judged.
        win_low: Lower end of its 95 % interval.
        win_high: Upper end.
        days: Mean days from the start of the judged to their end, or to the last day of the data where that comes
            first; None where none was judged.
        planned_days: Mean days that were planned for them.
        early: Judged before their planned end.
        undeclared: Declared after their start, or without saying when.
        impacts: By metric.
    """

    experiments: int
    judged: int
    shipped: int
    stopped: int
    inconclusive: int
    win_rate: float | None
    win_low: float | None
    win_high: float | None
    days: float | None
    planned_days: float | None
    early: int
    undeclared: int
    impacts: tuple[Impact, ...]


def programme(
    experiments: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]], *, last_day: date
) -> Programme:
    """Looks at all experiments.

    Args:
        experiments: Rows with experiment, start, end, declared, status, decision and ships.
        results: Rows with experiment, metric, purpose, variant, control's rows among them, relative, relative_low,
            relative_high.
        last_day: Local day up to which there is data.

    Returns:
        The programme.

    Examples:
        >>> from datetime import date
        >>> one = {"experiment": "a", "start": date(2026, 3, 1), "end": date(2026, 3, 14), "declared": date(2026, 2, 1),
        ...        "status": "running", "decision": "ship", "ships": "new"}
        >>> found = programme([one], [], last_day=date(2026, 3, 10))
        >>> found.judged, found.win_rate, found.days, found.planned_days
        (1, 1.0, 10.0, 14.0)
    """
    judged = [
        each for each in experiments if each["decision"] != "continue" and each["status"] != "not started"
    ]
    shipped = [each for each in judged if each["decision"] == "ship"]
    ends = wilson(len(shipped), len(judged)) if judged else None
    planned = [_days(each["start"], each["end"]) for each in judged]
    lengths = [_days(each["start"], min(each["end"], last_day)) for each in judged]
    return Programme(
        experiments=len(experiments),
        judged=len(judged),
        shipped=len(shipped),
        stopped=sum(each["decision"] == "stop" for each in judged),
        inconclusive=sum(each["decision"] == "inconclusive" for each in judged),
        win_rate=len(shipped) / len(judged) if judged else None,
        win_low=None if ends is None else float(ends.low),
        win_high=None if ends is None else float(ends.high),
        days=float(np.mean(lengths)) if lengths else None,
        planned_days=float(np.mean(planned)) if planned else None,
        early=sum(each["status"] == "running" for each in judged),
        undeclared=sum(_late(each["declared"], each["start"]) for each in experiments),
        impacts=tuple(_impacts(judged, results)),
    )


def _days(first: date, last: date) -> int:
    return (last - first).days + 1


def _late(declared: date | None, start: date) -> bool:
    return declared is None or declared > start


def _impacts(judged: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]) -> list[Impact]:
    ships = {each["experiment"]: each["ships"] for each in judged}
    found: dict[str, list[tuple[bool, float, float]]] = {}
    for row in results:
        if row["purpose"] != "primary" or row["experiment"] not in ships or row["relative_high"] is None:
            continue
        error = (row["relative_high"] - row["relative_low"]) / (2 * float(special.ndtri(0.975)))
        shipped = ships[row["experiment"]] == row["variant"]
        found.setdefault(row["metric"], []).append((shipped, row["relative"], error))
    impacts = []
    for metric, effects in found.items():
        picked = np.array([each[0] for each in effects])
        sizes, errors = (np.array([each[at] for each in effects]) for at in (1, 2))
        drawn = towards_zero(sizes, errors) if len(effects) >= ENOUGH else None
        impacts.append(
            Impact(
                metric,
                len(effects),
                int(picked.sum()),
                float(sizes[picked].sum()),
                None if drawn is None else float(drawn[picked].sum()),
            )
        )
    return impacts


def towards_zero(effects: ArrayLike, errors: ArrayLike) -> Floats:
    """Shrinks effects of several experiments towards 0, all by the same share (positive-part James and Stein).

    Whoever ships what looks best takes chance for effect. Shrunken effects make up for it on average over experiments.

    Args:
        effects: Estimates of all experiments, not of the winners alone.
        errors: Their standard errors.

    Returns:
        The shrunken effects.

    Raises:
        InputError: There are fewer than three, or an error is not above 0.

    References:
        James, W. and Stein, C. (1961). Estimation with quadratic loss. Proceedings of the Fourth Berkeley Symposium 1,
        361-379; positive part: Baranchik (1964); for unequal errors as in Efron, B. and Morris, C. (1973). Stein's
        estimation rule and its competitors. Journal of the American Statistical Association 68, 117-130.

    Examples:
        >>> towards_zero([0.3, -0.1, 0.2, 0.1], [0.1, 0.1, 0.1, 0.1]).round(3).tolist()
        [0.26, -0.087, 0.173, 0.087]
    """
    d, e = (np.asarray(each, dtype=np.float64) for each in (effects, errors))
    if d.ndim != 1 or d.size < 3 or d.shape != e.shape or not np.all(e > 0):
        raise InputError("shrinking needs three effects or more, each with an error above 0")
    whole = float(np.sum((d / e) ** 2))
    return d * max(0.0, 1 - (d.size - 2) / whole) if whole > 0 else d * 0.0
