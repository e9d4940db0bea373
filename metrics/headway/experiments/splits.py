"""Whether units were split as planned: over all, phase by phase, and segment by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from headway.statistics.comparisons import sample_ratio
from headway.statistics.multiplicity import adjusted

if TYPE_CHECKING:
    from headway.experiments.experiment import Experiment

#: p-value below which a split is suspicious; below the rule's it is broken.
SUSPICIOUS = 0.01

_SCHEMA = {
    "part": pl.String,
    "label": pl.String,
    "variant": pl.String,
    "units": pl.Int64,
    "expected": pl.Float64,
    "statistic": pl.Float64,
    "p_value": pl.Float64,
    "verdict": pl.String,
}


def splits(experiment: Experiment, sums: pl.DataFrame) -> pl.DataFrame:
    """Tests the split.

    Every valid exposure counts, that of units which saw several variants with their first: leaving them out would bend
    an uneven split. Where the plan changed, the whole is not tested: only within a phase there is one plan.

    Args:
        experiment: The experiment.
        sums: Rows of ``sums.sql``.

    Returns:
        One row per part (all, phase, segment), label and variant: units, expected ones, the test and a verdict:
        ``as planned``, ``suspicious``, ``broken`` or ``too few``. p-values of segments are adjusted by Holm's method.
    """
    counted = sums.group_by("part", "label", "variant").agg(pl.col("units").sum())
    rows: list[dict[str, Any]] = []
    if len(experiment.phases) < 2:
        rows += _tested(experiment, counted, "all", None, experiment.shares)
    for number, phase in enumerate(experiment.phases):
        rows += _tested(experiment, counted, "phase", str(number), dict(phase.shares))  # type: ignore[arg-type]
    rows += _segments(experiment, counted)
    return pl.DataFrame(rows, schema=_SCHEMA)


def _segments(experiment: Experiment, counted: pl.DataFrame) -> list[dict[str, Any]]:
    if experiment.by is None or len(experiment.phases) > 1:
        return []
    labels = sorted(counted.filter(pl.col("part") == "segment")["label"].unique().to_list())
    found = [_tested(experiment, counted, "segment", label, experiment.shares) for label in labels]
    p_values = [np.nan if rows[0]["p_value"] is None else rows[0]["p_value"] for rows in found]
    for rows, p_value in zip(found, adjusted(p_values) if found else [], strict=True):
        known = None if np.isnan(p_value) else float(p_value)
        for row in rows:
            row |= {"p_value": known, "verdict": _verdict(known, experiment.rule.split)}
    return [row for rows in found for row in rows]


def _tested(
    experiment: Experiment, counted: pl.DataFrame, part: str, label: str | None, shares: Mapping[str, float]
) -> list[dict[str, Any]]:
    same = pl.col("label").eq_missing(pl.lit(label, dtype=pl.String))
    known = dict(counted.filter((pl.col("part") == part) & same).select("variant", "units").iter_rows())
    names: Sequence[str] = list(shares)
    counts = [int(known.get(name, 0)) for name in names]
    statistic, p = sample_ratio(counts, list(shares.values()))
    p_value = None if np.isnan(p) else float(p)
    verdict = _verdict(p_value, experiment.rule.split)
    return [
        {
            "part": part,
            "label": label,
            "variant": name,
            "units": units,
            "expected": sum(counts) * shares[name],
            "statistic": None if p_value is None else float(statistic),
            "p_value": p_value,
            "verdict": verdict,
        }
        for name, units in zip(names, counts, strict=True)
    ]


def _verdict(p_value: float | None, broken: float) -> str:
    if p_value is None:
        return "too few"
    return "broken" if p_value < broken else "suspicious" if p_value < SUSPICIOUS else "as planned"
