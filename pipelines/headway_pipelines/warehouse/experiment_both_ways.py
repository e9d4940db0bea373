"""Effects of experiments with and without the units that met several variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from headway.experiments import ExperimentResult
from headway_pipelines.warehouse.experiment_segments import of_few

BOTH_WAYS: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "title": pl.String, "unit": pl.String, "direction": pl.String,
    "several": pl.String, "variant": pl.String, "units": pl.Int64, "some": pl.Int64, "effect": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "p_value": pl.Float64,
}  # fmt: skip


def both_ways_rows(experiment: str, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    """Lists the effects of an experiment without units that met several variants, and with them.

    Args:
        experiment: Its name.
        found: What it found.

    Yields:
        One row per metric, way and variant, the control's among them; see `BOTH_WAYS`. Only once the experiment is
        over, and only where a unit met several variants.
    """
    everything = found.sums.filter(pl.col("part") == "all")
    if not found.over or not everything.filter("is_several")["units"].sum():
        return
    outcomes = {each.name: (place, each) for place, each in enumerate(found.insight.outcomes)}
    for row in found.both_ways.iter_rows(named=True):
        place, outcome = outcomes[row["metric"]]
        counted = everything if row["several"] == "first" else everything.filter(~pl.col("is_several"))
        arm = counted.filter(pl.col("variant") == row["variant"])
        column = f"some_{place}"
        yield {
            "experiment": experiment,
            "title": outcome.title or outcome.name,
            "unit": outcome.unit or ("percent" if outcome.kind in ("proportion", "time") else ""),
            "direction": outcome.direction,
            "some": int(arm[column].sum()) if column in arm.columns else None,
            **row,
        }


def shown_both_ways(
    both: pl.DataFrame, results: pl.DataFrame, health: pl.DataFrame, flags: pl.DataFrame, k: int
) -> pl.DataFrame:
    """Leaves out metrics of which the two ways together would speak of few people.

    The difference of both is those who met several variants: none of an arm or many, and of these none or many who did
    it, and who did not. How many units there are is told neither way; but whoever works it out must not come close to
    what else is told of the arm.

    Args:
        both: ``experiment_both_ways`` as computed.
        results: ``experiment_results`` as they are shown.
        health: ``experiment_health`` as it is shown.
        flags: ``flags`` as they are shown; they count units by the variant they met first, too.
        k: Smallest number of people that may be spoken of.

    Returns:
        The rows that may be shown, with `suppressed`, false for all; `units` and `some` are internal, and still there.
    """
    told = results.filter(~pl.col("suppressed"))
    known = {(row["experiment"], row["metric"], row["variant"]) for row in told.iter_rows(named=True)}
    counts: dict[tuple[str, str], set[int]] = {}
    for frame in (told, health.filter(~pl.col("suppressed")).drop_nulls(["variant", "units"])):
        for experiment, variant, units in frame.select("experiment", "variant", "units").iter_rows():
            counts.setdefault((experiment, variant), set()).add(units)
    met: dict[str, set[int]] = {}
    for variant, units in flags.drop_nulls(["variant", "units"]).select("variant", "units").iter_rows():
        met.setdefault(variant, set()).add(units)
    kept = [both.clear()]
    for part in both.partition_by("experiment", "metric", maintain_order=True):
        ways: dict[str, dict[str, Mapping[str, Any]]] = {}
        for row in part.iter_rows(named=True):
            ways.setdefault(row["variant"], {})[row["several"]] = row
        if not any(
            (row["experiment"], row["metric"], variant) not in known
            or _tells(arm, counts.get((row["experiment"], variant), set()) | met.get(variant, set()), k)
            for variant, arm in ways.items()
            for row in arm.values()
        ):
            kept.append(part)
    return pl.concat(kept).with_columns(suppressed=pl.lit(False))


def _tells(arm: Mapping[str, Mapping[str, Any]], shown: set[int], k: int) -> bool:
    """Whether the two ways of an arm tell of few: each by itself, their difference, or beside what else is told."""
    without, whole = arm["exclude"], arm["first"]
    pairs = [(row["units"], row["some"]) for row in (without, whole)]
    apart = whole["units"] - without["units"]
    did = None if whole["some"] is None else whole["some"] - without["some"]
    if apart:
        pairs.append((apart, did))
    return any(of_few(units, some, k) for units, some in pairs) or any(
        0 < abs(units - other) < k for units, _ in pairs[:2] for other in shown
    )
