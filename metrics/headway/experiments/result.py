"""What an experiment found: effects, how far they can be trusted, and what the declared rule says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from headway.errors import InputError
from headway.experiments.analysis import Arm, arm_of, compared
from headway.experiments.judging import judge
from headway.experiments.outcome import Outcome
from headway.experiments.query import Compiled
from headway.experiments.rule import Verdict, decide
from headway.experiments.single import merged, quantiles, unphased, waits
from headway.experiments.splits import splits
from headway.insights.question import Scope
from headway.insights.result import Result, later
from headway.statistics.heterogeneity import shrunken

if TYPE_CHECKING:
    from headway.experiments.experiment import Experiment

FRAME = {
    "metric": pl.String, "variant": pl.String, "units": pl.Int64, "mean": pl.Float64, "effect": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "relative": pl.Float64, "relative_low": pl.Float64,
    "relative_high": pl.Float64, "p_value": pl.Float64, "method": pl.String, "verdict": pl.String,
    "p_adjusted": pl.Float64, "role": pl.String, "kind": pl.String, "direction": pl.String, "units_open": pl.Int64,
    "error": pl.Float64, "anytime_low": pl.Float64, "anytime_high": pl.Float64, "anytime_p": pl.Float64,
    "chance": pl.Float64, "loss": pl.Float64, "reduction": pl.Float64, "reason": pl.String, "caution": pl.String,
}  # fmt: skip
"""Columns of an experiment's frame."""


@dataclass(frozen=True, repr=False)
class ExperimentResult(Result):
    """What an experiment found.

    Attributes:
        frame: One row per outcome and variant, the control's among them: ``units`` whose window is over, their
            ``mean``, the ``effect`` against the control with its interval, the ``relative`` one with its own,
            ``p_value``, ``method`` and ``verdict``; further ``p_adjusted`` (for all primary metrics and variants),
            ``units_open`` (left out because their window is not over), ``anytime_low``, ``anytime_high``,
            ``anytime_p`` (valid at any time), ``chance`` (probability of being better, given the prior), ``loss``
            (expected relative loss of taking it), ``reduction`` (share of the variance that what was before took
            away), ``reason`` (why there is no estimate) and ``caution``.
        insight: The experiment.
        splits: Whether units were split as planned, see `headway.experiments.splits.splits`.
        exposure: How exposure events became units: one row per stage.
        verdict: What the declared rule says.
        compiled: The queries.
        sums: Sums over units, by variant, segment and phase.
    """

    insight: Experiment
    splits: pl.DataFrame = field(kw_only=True)
    exposure: pl.DataFrame = field(kw_only=True)
    verdict: Verdict = field(kw_only=True)
    over: bool = field(kw_only=True)
    compiled: Compiled = field(kw_only=True)
    sums: pl.DataFrame = field(kw_only=True)

    @classmethod
    def of(cls, experiment: Experiment, scope: Scope, compiled: Compiled) -> ExperimentResult:
        """Asks the log and judges what it says.

        Args:
            experiment: The experiment.
            scope: Its options applied to the log.
            compiled: The queries.

        Returns:
            The result.
        """
        sums = scope.log.sql(compiled.sums())
        over = is_over(experiment, scope, compiled)
        rows = effects(experiment, scope, compiled, sums, experiment.several)
        judge(experiment, rows, over=over)
        split = splits(experiment, sums)
        tested = split.filter(pl.col("part").is_in(["all", "phase"]))["p_value"].drop_nulls()
        verdict = decide(
            experiment.rule,
            [row for row in rows if row["verdict"] != "control"],
            over=over,
            sequential=experiment.method == "sequential",
            split_p=float(tested.min()) if tested.len() else None,  # type: ignore[arg-type]
        )
        return cls(
            frame=pl.DataFrame(rows, schema=FRAME).sort("metric", "variant"),
            sql=later(compiled.sums),
            insight=experiment,
            scope=scope,
            splits=split,
            exposure=_stages(experiment, scope, compiled),
            verdict=verdict,
            over=over,
            compiled=compiled,
            sums=sums,
        )

    @cached_property
    def both_ways(self) -> pl.DataFrame:
        """Effects without the units that saw several variants, and with them counted by their first.

        Columns ``metric``, ``variant``, ``several`` (``exclude`` or ``first``), ``units``, ``effect``, ``low``,
        ``high``, ``p_value``.
        """
        found = []
        for way in ("exclude", "first"):
            rows = effects(self.insight, self.scope, self.compiled, self.sums, way)
            frame = pl.DataFrame(rows, schema_overrides=FRAME).with_columns(several=pl.lit(way))
            found.append(
                frame.select("metric", "variant", "several", "units", "effect", "low", "high", "p_value")
            )
        return pl.concat(found).sort("metric", "variant", "several")

    @cached_property
    def by_segment(self) -> pl.DataFrame:
        """Effects in every segment, as they are and shrunken to what segments have in common.

        Columns ``metric``, ``variant``, ``segment``, ``units``, ``mean``, ``effect``, ``low``, ``high``, ``shrunken``,
        ``shrunken_low``, ``shrunken_high``, ``p_differ`` (whether the segments differ at all).

        Raises:
            InputError: The experiment is not divided by anything.
        """
        if self.insight.by is None:
            raise InputError("the experiment has no segments: give by= the name of a property")
        if self.insight.split_changes:
            raise InputError(
                "the planned split changed, so that segments added up over phases cannot be compared; ask each phase "
                "by itself, with since= and until="
            )
        labels = sorted(self.sums.filter(pl.col("part") == "segment")["label"].unique().to_list())
        rows: list[dict[str, Any]] = []
        for label in labels:
            part = self.sums.filter((pl.col("part") == "segment") & (pl.col("label") == label))
            found = summed(self.insight, self.compiled, part, self.insight.several)
            rows += [{**row, "segment": label} for row in found]
        return _shrunken(rows, self.insight.alpha)

    def by_day(self, metric: str, days: int = 14) -> pl.DataFrame:
        """Shows an effect by day since exposure: does it wear off, does it grow?

        Args:
            metric: Name of an outcome.
            days: Days to show.

        Returns:
            Columns ``since`` (0: the first 24 hours), ``variant``, ``units``, ``mean``, ``effect``, ``low``, ``high``.

        Raises:
            InputError: There is no such outcome, or it has no value by day.
        """
        from headway.experiments.days import by_day

        return by_day(self, metric, days)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The frame's rows in the order in which outcomes and variants were declared."""
        order = {each.name: place for place, each in enumerate(self.insight.outcomes)}
        arms = {name: place for place, name in enumerate(arms_in_order(self.insight))}
        return sorted(self.frame.to_dicts(), key=lambda row: (order[row["metric"]], arms[row["variant"]]))

    def describe(self) -> str:
        """Says in plain words what was found."""
        broken = self.splits.filter(pl.col("verdict").is_in(["broken", "suspicious"]))
        said = f" {self.verdict.decision.capitalize()}: {self.verdict.why}."
        if broken.height:
            p = broken["p_value"][0]
            said += f" The split is {broken['verdict'][0]} (p = {p:.2g}): a sample-ratio mismatch."
        several = dict(self.exposure.iter_rows()).get("several variants") or 0
        if several:
            said += f" {several} units saw several variants."
        return super().describe() + said

    def _draw(self) -> Any:
        from headway.charts.experiment import experiment_figure

        return experiment_figure(self.rows, title=self.insight.name)


def arms_in_order(experiment: Experiment) -> list[str]:
    """The variants, the control first."""
    return [str(experiment.control), *(name for name in experiment.shares if name != experiment.control)]


def is_over(experiment: Experiment, scope: Scope, compiled: Compiled) -> bool:
    """Says whether the planned end has come, with the window of every primary metric; always where none is planned."""
    if scope.span.until_us is None:
        return True
    primary = len(experiment.metrics)
    longest = max((window.closes or 0 for window in compiled.windows[:primary]), default=0)
    return scope.span.until_us + 1 + longest <= compiled.observed_us


def effects(
    experiment: Experiment, scope: Scope, compiled: Compiled, sums: pl.DataFrame, several: str
) -> list[dict[str, Any]]:
    """Compares all outcomes.

    Args:
        experiment: The experiment.
        scope: Its options applied to the log.
        compiled: The queries.
        sums: Rows of ``sums.sql``.
        several: What becomes of units that saw several variants.

    Returns:
        One row per outcome and variant, without verdicts.
    """
    everything = sums.filter(pl.col("part") == "all")
    phases = sums.filter(pl.col("part") == "phase").partition_by("label") if experiment.split_changes else []
    rows = summed(experiment, compiled, everything, several, phases)
    kept = merged(everything, several)
    units = {
        name: int(kept.filter(pl.col("variant") == name)["units"].sum()) for name in arms_in_order(experiment)
    }
    for place, outcome in enumerate(experiment.outcomes):
        if outcome.kind in ("quantile", "time") and experiment.split_changes:
            rows += unphased(experiment, outcome, units)
            continue
        if outcome.kind == "quantile":
            seen = merged(scope.log.sql(compiled.observations(place)), several)
            rows += quantiles(experiment, outcome, seen, units)
        if outcome.kind == "time":
            seen = merged(scope.log.sql(compiled.waiting(place)), several)
            rows += waits(experiment, outcome, seen, units)
    return rows


def summed(
    experiment: Experiment,
    compiled: Compiled,
    sums: pl.DataFrame,
    several: str,
    phases: Sequence[pl.DataFrame] = (),
) -> list[dict[str, Any]]:
    """Compares the outcomes that sums tell.

    Args:
        experiment: The experiment.
        compiled: The queries.
        sums: Rows of one part of ``sums.sql``.
        several: What becomes of units that saw several variants.
        phases: Rows of each phase, where the planned split changed.

    Returns:
        One row per outcome and variant.
    """
    kept = merged(sums, several).to_dicts()
    parts = [merged(each, several).to_dicts() for each in phases]
    rows: list[dict[str, Any]] = []
    for place, outcome in enumerate(experiment.outcomes):
        if outcome.kind not in ("quantile", "time"):
            whole = arms(experiment, outcome, kept, place)
            rows += compared(
                experiment, outcome, whole, [arms(experiment, outcome, each, place) for each in parts]
            )
    return rows


def arms(
    experiment: Experiment, outcome: Outcome, rows: Sequence[Mapping[str, Any]], place: int
) -> list[Arm]:
    """Reads the arms of one outcome, the control first."""
    return [
        arm_of([row for row in rows if row["variant"] == name], name, place)
        for name in arms_in_order(experiment)
    ]


def _stages(experiment: Experiment, scope: Scope, compiled: Compiled) -> pl.DataFrame:
    (row,) = scope.log.sql(compiled.funnel(list(experiment.shares), experiment.holdout)).to_dicts()
    stages = {
        "eligible": row["eligible"],
        "seen by the flag": row["seen"],
        "held out": row["held_out"],
        "without a variant": row["without_variant"],
        "of another variant": row["other_variant"],
        "outside of the time": row["outside"],
        "exposed": row["exposed"],
        "several variants": row["several"],
        "compared": row["exposed"] - (row["several"] if experiment.several == "exclude" else 0),
    }
    kept = {name: number for name, number in stages.items() if number is not None}
    return pl.DataFrame(
        {"stage": list(kept), "units": list(kept.values())}, schema={"stage": pl.String, "units": pl.Int64}
    )


def _shrunken(rows: list[dict[str, Any]], alpha: float) -> pl.DataFrame:
    found = []
    pairs = {(row["metric"], row["variant"]): None for row in rows if row["verdict"] != "control"}
    for metric, variant in pairs:
        part = [row for row in rows if (row["metric"], row["variant"]) == (metric, variant)]
        known, errors = (
            [float("nan") if row[name] is None else float(row[name]) for row in part]
            for name in ("effect", "error")
        )
        drawn = shrunken(known, errors, confidence=1 - alpha)
        for at, row in enumerate(part):
            ends = {
                "shrunken": drawn.effect[at],
                "shrunken_low": drawn.low[at],
                "shrunken_high": drawn.high[at],
            }
            names = ("metric", "variant", "segment", "units", "mean", "effect", "low", "high")
            found.append({**{name: row[name] for name in names}, **ends, "p_differ": drawn.p_value})
    floats = ("mean", "effect", "low", "high", "shrunken", "shrunken_low", "shrunken_high", "p_differ")
    schema = {"metric": pl.String, "variant": pl.String, "segment": pl.String, "units": pl.Int64}
    frame = pl.DataFrame(found, schema=schema | dict.fromkeys(floats, pl.Float64))
    return frame.with_columns(pl.col(floats).fill_nan(None)).sort("metric", "variant", "segment")
