"""From rows of effects to verdicts: several questions at once, guardrails with margins, what comes too early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.statistics.multiplicity import adjusted

if TYPE_CHECKING:
    from headway.experiments.experiment import Experiment

#: Margin of a guardrail that declares none.
MARGIN = 0.02


def judge(experiment: Experiment, rows: Sequence[dict[str, Any]], *, over: bool) -> None:
    """Adds adjusted p-values and verdicts to rows.

    Args:
        experiment: The experiment.
        rows: Rows of all outcomes and variants; changed in place.
        over: Whether the planned end has come.
    """
    primary = [row for row in rows if row["role"] == "primary" and row["verdict"] is None]
    p_values = [np.nan if row["p_value"] is None else row["p_value"] for row in primary]
    for row in rows:
        row["p_adjusted"] = row["p_value"]
    for row, p_value in zip(
        primary, adjusted(p_values, experiment.correction) if primary else [], strict=True
    ):
        row["p_adjusted"] = None if np.isnan(p_value) else float(p_value)
    margins = {
        each.name: each.margin or MARGIN for each in experiment.guardrails if not isinstance(each, str)
    }
    for row in rows:
        if row["verdict"] is None:
            row["verdict"] = _verdict(experiment, row, over, margins.get(row["metric"]))


def _verdict(experiment: Experiment, row: dict[str, Any], over: bool, margin: float | None) -> str:
    if row["effect"] is None:
        return "no estimate"
    if not over and experiment.method == "fixed":
        return "too early"
    sign = 1 if row["direction"] == "up" else -1
    if margin is not None and row["role"] == "guardrail":
        return non_inferior(row["relative_low"], row["relative_high"], margin, row["direction"])
    if row["p_adjusted"] is not None and row["p_adjusted"] < experiment.alpha:
        return "better" if sign * row["effect"] > 0 else "worse"
    return "no difference shown"


def non_inferior(low: float | None, high: float | None, margin: float, direction: str) -> str:
    """Judges a relative effect against the harm that may be accepted.

    Args:
        low: Lower end of its interval.
        high: Upper end.
        margin: Largest harm that may be accepted, as a share of the control.
        direction: Which way is good.

    Returns:
        ``holds``: all of the interval is above the margin; ``breached``: all of it is below; else ``unclear``.

    References:
        Piaggio, G. et al. (2012). Reporting of noninferiority and equivalence randomized trials: extension of the
        CONSORT 2010 statement. JAMA 308, 2594-2604.

    Examples:
        >>> non_inferior(-0.01, 0.05, 0.02, "up"), non_inferior(-0.01, 0.05, 0.02, "down")
        ('holds', 'unclear')
    """
    if low is None or high is None:
        return "unclear"
    worst, best = (low, high) if direction == "up" else (-high, -low)
    if worst > -margin:
        return "holds"
    return "breached" if best < -margin else "unclear"
