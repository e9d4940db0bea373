"""Outcomes that no sums over units tell: quantiles of single events, and how long units wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import special

from headway.experiments.analysis import Arm, base_row, effect_row
from headway.experiments.outcome import Outcome
from headway.statistics.arms import ArmSums
from headway.statistics.comparisons import Comparison
from headway.statistics.differences import mover
from headway.statistics.logrank import logrank
from headway.statistics.quantiles import QuantileEstimate, clustered_quantile
from headway.statistics.survival import kaplan_meier

if TYPE_CHECKING:
    from headway.experiments.experiment import Experiment


def _arm(variant: str, units: int, n: int) -> Arm:
    nothing = ArmSums(np.zeros(()), np.zeros(4), np.zeros((4, 4)))
    return Arm(variant, units, n, nothing, None, 0.0)


def _ends(variant: str, control: str, n: int, n0: int) -> str | None:
    for name, number in ((control, n0), (variant, n)):
        if number == 0:
            return f"nothing was observed in {name}"
        if number < 2:
            return f"a single unit was observed in {name}"
    return None


def quantiles(
    experiment: Experiment, outcome: Outcome, seen: pl.DataFrame, units: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Compares a quantile of single events between variants, units being what is sampled.

    Args:
        experiment: How.
        outcome: What.
        seen: Rows of ``observations.sql``.
        units: Units exposed, by variant, the control first.

    Returns:
        One row per arm.
    """
    q, confidence = float(outcome.numerator.q or 0.5), 1 - experiment.alpha
    found: dict[str, tuple[QuantileEstimate, int]] = {}
    for variant in units:
        part = seen.filter(pl.col("variant") == variant)
        people = (
            part["person"].rank("dense").to_numpy().astype(np.int64)
            if part.height
            else np.array([], np.int64)
        )
        number = int(part["person"].n_unique()) if part.height else 0
        empty = QuantileEstimate(np.nan, np.nan, np.nan)
        made = clustered_quantile(part["value"].to_numpy(), people, q, confidence) if part.height else empty
        found[variant] = (made, number)
    control = next(iter(units))
    base, n0 = found[control]
    rows = []
    for variant, (made, n) in found.items():
        is_control = variant == control
        row = base_row(
            experiment, outcome, _arm(variant, n, n), made.value, "control" if is_control else None
        )
        reason = None if is_control else _ends(variant, control, n, n0)
        width = special.ndtri((1 + confidence) / 2) * 2
        error, error0 = (made.high - made.low) / width, (base.high - base.low) / width
        if not is_control and reason is None and not (error > 0 and error0 > 0):
            reason = "the quantile has no interval: too few units, or all have the same"
        if not is_control and reason is None:
            difference = made.value - base.value
            low, high = mover(made.value, made.low, made.high, base.value, base.low, base.high)
            whole = np.hypot(error, error0)
            p_value = 2 * special.ndtr(-abs(difference / whole))
            compared = Comparison(
                *(np.float64(x) * np.ones(()) for x in (difference, low, high, whole, p_value, np.inf))
            )
            means = (made.value, error, base.value, error0)
            row |= effect_row(experiment, outcome, compared, means, n + n0, "woodruff, units sampled")
        row["reason"] = reason
        rows.append(row)
    return rows


def waits(
    experiment: Experiment, outcome: Outcome, seen: pl.DataFrame, units: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Compares how long units wait; the effect is the difference of the shares that got there by the end.

    Args:
        experiment: How.
        outcome: What.
        seen: Rows of ``waiting.sql``.
        units: Units exposed, by variant, the control first.

    Returns:
        One row per arm; the mean is the share that got there, by Kaplan and Meier.
    """
    confidence = 1 - experiment.alpha
    seen = seen.group_by("variant", "hour", "is_over").agg(pl.col("units").sum())
    hours = int(seen["hour"].max() or 0) + 1 if seen.height else 1  # type: ignore[arg-type]
    counts = {variant: _table(seen.filter(pl.col("variant") == variant), hours) for variant in units}
    control = next(iter(units))
    # Beyond the last hour that both arms reach, one of them says nothing.
    last = min(int(np.max(np.nonzero(sum(table))[0], initial=0)) for table in counts.values())
    curves = {variant: kaplan_meier(*table, confidence=confidence) for variant, table in counts.items()}
    rows = []
    for variant, curve in curves.items():
        is_control = variant == control
        n, n0 = units[variant], units[control]
        share = 1 - float(curve.survival[last])
        row = base_row(experiment, outcome, _arm(variant, n, n), share, "control" if is_control else None)
        reason = None if is_control else _ends(variant, control, n, n0)
        base = curves[control]
        if not is_control and reason is None and not all(np.isfinite(c.low[last]) for c in (curve, base)):
            reason = "nobody, or everybody, got there in an arm: without variance nothing can be said"
        if not is_control and reason is None:
            row |= _waited(
                experiment, outcome, (curve, base), (counts[variant][0], counts[control][0]), last, n + n0
            )
        row["reason"] = reason
        rows.append(row)
    return rows


def _waited(
    experiment: Experiment, outcome: Outcome, curves: Any, over: tuple[Any, Any], last: int, n: int
) -> dict[str, Any]:
    curve, base = curves
    share, share0 = 1 - curve.survival[last], 1 - base.survival[last]
    low, high = mover(
        share, 1 - curve.high[last], 1 - curve.low[last], share0, 1 - base.high[last], 1 - base.low[last]
    )
    width = special.ndtri(1 - experiment.alpha / 2) * 2
    errors = ((curve.high[last] - curve.low[last]) / width, (base.high[last] - base.low[last]) / width)
    test = logrank(over[0], curve.at_risk, over[1], base.at_risk)
    numbers = (share - share0, low, high, np.hypot(*errors), test.p_value, np.inf)
    compared = Comparison(*(np.float64(x) * np.ones(()) for x in numbers))
    means = (share, errors[0], share0, errors[1])
    return effect_row(experiment, outcome, compared, means, n, "kaplan-meier, p by log-rank")


def _table(seen: pl.DataFrame, hours: int) -> tuple[Any, Any]:
    """Units that got there and units still waiting, by hour."""
    tables = []
    for over in (True, False):
        part = seen.filter(pl.col("is_over") == over)
        table = np.zeros(hours, np.int64)
        table[part["hour"].to_numpy()] = part["units"].to_numpy()
        tables.append(table)
    return tables[0], tables[1]


def unphased(experiment: Experiment, outcome: Outcome, units: Mapping[str, int]) -> list[dict[str, Any]]:
    """Says of an outcome that it has no estimate, because the planned split changed.

    Args:
        experiment: How.
        outcome: A quantile or a waiting time, which is not compared within phases.
        units: Units exposed, by variant, the control first.

    Returns:
        One row per arm.
    """
    what = "a quantile" if outcome.kind == "quantile" else "a waiting time"
    reason = f"the planned split changed, and {what} is not compared within phases"
    control = next(iter(units))
    rows = [
        base_row(
            experiment, outcome, _arm(name, number, number), np.nan, "control" if name == control else None
        )
        for name, number in units.items()
    ]
    return [row if row["verdict"] == "control" else {**row, "reason": reason} for row in rows]


def merged(frame: pl.DataFrame, several: str) -> pl.DataFrame:
    """Keeps the rows of units that count."""
    return frame if several == "first" else frame.filter(~pl.col("is_several"))


__all__: Sequence[str] = ["merged", "quantiles", "unphased", "waits"]
