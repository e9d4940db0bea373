"""Quantiles and means of single observations, as the truth gives them."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.clock import SECOND, Ints
from headway_pipelines.demo.rows import Bools, Floats

Summary = dict[str, float | int | None]


def quantile(values: Floats, share: float) -> float | None:
    """Finds the smallest value up to which at least a share of the values lies.

    Args:
        values: Observations.
        share: Above 0, at most 1.

    Returns:
        One of the values; None if there are none.

    Examples:
        >>> quantile(np.array([4.0, 1.0, 2.0, 3.0]), 0.5)
        2.0
    """
    if not len(values):
        return None
    place = int(np.ceil(share * len(values) - 1e-9)) - 1
    return float(np.sort(values)[max(place, 0)])


def open_quantile(values: Floats, closed: Bools, share: float) -> float | None:
    """Finds a quantile of durations of which some are still going on.

    Source: Kaplan, Meier 1958, "Nonparametric estimation from incomplete observations".

    Args:
        values: Durations, so far or for good.
        closed: Whether each is over.
        share: Above 0, below 1.

    Returns:
        The smallest duration at which the estimated share of ended ones reaches the share; None if it never does.

    Examples:
        >>> open_quantile(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), 0.5)
        3.0
    """
    ends, ended = np.unique(values[closed], return_counts=True)
    at_risk = len(values) - np.searchsorted(np.sort(values), ends)
    reached = np.flatnonzero(1 - np.cumprod(1 - ended / at_risk) >= share - 1e-12)
    return float(ends[reached[0]]) if len(reached) else None


def open_durations(week: Ints, ms: Ints, closed: Bools, weeks: int) -> dict[str, Summary | list[Summary]]:
    """Sums up durations, over all and by week.

    Args:
        week: Week of each.
        ms: How long each lasts, or has lasted, in milliseconds.
        closed: Whether each is over.
        weeks: How many weeks there are.

    Returns:
        ``all`` and ``weeks``, in seconds.
    """

    def summary(mask: Bools) -> Summary:
        seconds, over = ms[mask] / SECOND, closed[mask]
        return {
            "n": int(mask.sum()),
            "closed": int(over.sum()),
            "median": open_quantile(seconds, over, 0.5),
            "p90": open_quantile(seconds, over, 0.9),
            "closed_sum": float(seconds[over].sum()),
        }

    return {"all": summary(week >= 0), "weeks": [summary(week == at) for at in range(weeks)]}


def closed_durations(week: Ints, ms: Ints, weeks: int) -> dict[str, Summary | list[Summary]]:
    """Sums up durations that are all over, over all and by week.

    Args:
        week: Week of each.
        ms: How long each lasts in milliseconds.
        weeks: How many weeks there are.

    Returns:
        ``all`` and ``weeks``, in seconds.
    """

    def summary(mask: Bools) -> Summary:
        seconds = np.sort(ms[mask] / SECOND)
        cut = len(seconds) // 20
        inner = seconds[cut : len(seconds) - cut]
        return {
            "n": len(seconds),
            "median": quantile(seconds, 0.5),
            "p90": quantile(seconds, 0.9),
            "mean": float(seconds.mean()) if len(seconds) else None,
            "trimmed_mean": float(inner.mean()) if len(inner) else None,
        }

    return {"all": summary(week >= 0), "weeks": [summary(week == at) for at in range(weeks)]}
