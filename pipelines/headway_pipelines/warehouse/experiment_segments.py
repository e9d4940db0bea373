"""Effects of experiments in segments: computed for what a decision rests on, shown where every segment is large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from headway.experiments import ExperimentResult
from headway.experiments.result import summed

SEGMENTS: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "title": pl.String, "unit": pl.String, "direction": pl.String,
    "by": pl.String, "segment": pl.String, "variant": pl.String, "units": pl.Int64, "some": pl.Int64,
    "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64, "shrunken": pl.Float64, "shrunken_low": pl.Float64,
    "shrunken_high": pl.Float64, "p_differ": pl.Float64,
}  # fmt: skip
_EFFECTS = ("effect", "low", "high", "shrunken", "shrunken_low", "shrunken_high", "p_differ")


def segment_rows(experiment: str, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    """Lists the effects of an experiment in its segments.

    Args:
        experiment: Its name.
        found: What it found.

    Yields:
        One row per primary metric, segment and variant, the control's among them; see `SEGMENTS`. None where it has no
        segments, where the planned split changed, and of metrics that have no sums over units (quantiles, times).
    """
    asked = found.insight
    if asked.by is None or asked.split_changes:
        return
    primary = {each.name: (place, each) for place, each in enumerate(asked.outcomes[: len(asked.metrics)])}
    effects = {
        (row["metric"], row["segment"], row["variant"]): row for row in found.by_segment.iter_rows(named=True)
    }
    parts = found.sums.filter(pl.col("part") == "segment")
    for label in sorted(parts["label"].unique().to_list()):
        part = parts.filter(pl.col("label") == label)
        counted = part.filter(~pl.col("is_several")) if asked.several == "exclude" else part
        for row in summed(asked, found.compiled, part, asked.several):
            if row["metric"] not in primary:
                continue
            place, outcome = primary[row["metric"]]
            arm = counted.filter(pl.col("variant") == row["variant"])
            told = effects.get((row["metric"], label, row["variant"]), {})
            yield {
                "experiment": experiment,
                "metric": row["metric"],
                "title": outcome.title or outcome.name,
                "unit": outcome.unit or ("percent" if outcome.kind == "proportion" else ""),
                "direction": outcome.direction,
                "by": asked.by,
                "segment": label,
                "variant": row["variant"],
                "units": row["units"],
                "some": int(arm[f"some_{place}"].sum()) if f"some_{place}" in arm.columns else None,
                **{name: told.get(name) for name in _EFFECTS},
            }


def shown_segments(segments: pl.DataFrame, results: pl.DataFrame, k: int) -> pl.DataFrame:
    """Leaves out metrics of which a segment would speak of few people, alone or by subtraction.

    Segments add up to the arms, so one that is left out alone could be worked out; and the label of a small one would
    say that somebody is in it. So all segments of a metric are told or none. How many units a segment has is not told
    at all: of metrics with different windows it would differ by those whose window is still open.

    Args:
        segments: ``experiment_segments`` as computed.
        results: ``experiment_results`` as they are shown.
        k: Smallest number of people that may be spoken of.

    Returns:
        The rows that may be shown, with `suppressed`, false for all; `units` and `some` are internal, and still there.
    """
    arms = {
        (row["experiment"], row["metric"], row["variant"]): row["units"]
        for row in results.filter(~pl.col("suppressed")).iter_rows(named=True)
    }
    kept = [segments.clear()]
    for part in segments.partition_by("experiment", "metric", maintain_order=True):
        added = part.group_by("experiment", "metric", "variant").agg(pl.col("units").sum())
        whole = all(
            arms.get((experiment, metric, variant)) == units
            for experiment, metric, variant, units in added.iter_rows()
        )
        if whole and not any(of_few(row["units"], row["some"], k) for row in part.iter_rows(named=True)):
            kept.append(part)
    return pl.concat(kept).with_columns(suppressed=pl.lit(False))


def of_few(units: int, some: int | None, k: int) -> bool:
    """Says whether a part of an arm speaks of few units.

    Args:
        units: Units in it; none is few, too.
        some: Those of them that did it; None where that is not known.
        k: Smallest number of people that may be spoken of.

    Returns:
        True where it has few units, or few of them did it, or few did not.

    Examples:
        >>> [of_few(units, some, 10) for units, some in ((100, 50), (9, None), (100, 3), (100, 95), (100, 0))]
        [False, True, True, True, False]
    """
    return units < k or (some is not None and (0 < some < k or 0 < units - some < k))
