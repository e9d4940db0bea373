"""Effects of experiments with and without the units that met several variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from headway.experiments import ExperimentResult
from headway_pipelines.warehouse.experiment_differences import Arms, Row, as_differences, close
from headway_pipelines.warehouse.experiment_segments import of_few

BOTH_WAYS: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "title": pl.String, "unit": pl.String, "direction": pl.String,
    "several": pl.String, "variant": pl.String, "units": pl.Int64, "some": pl.Int64, "effective": pl.Float64,
    "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64, "p_value": pl.Float64,
}  # fmt: skip
INTERNAL: Final = ("units", "some", "effective")
"""Columns that only decide what is shown."""
_DOMINATED: Final = 4
"""Units who would give the same sum if all gave alike: above, the largest of them gives less than half."""
_WAYS: Final = ("exclude", "first")


def both_ways_rows(experiment: str, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    """Lists the effects of an experiment without units that met several variants, and with them.

    Args:
        experiment: Its name.
        found: What it found.

    Yields:
        One row per metric, way and variant, the control's among them; see `BOTH_WAYS`. Only once the experiment is
        over, where a unit met several variants, and of metrics that sums over units tell, once every unit has their
        window behind it: then the same units are compared in all of them.
    """
    everything = found.sums.filter(pl.col("part") == "all")
    if not found.over or not everything.filter("is_several")["units"].sum():
        return
    outcomes = {each.name: (place, each) for place, each in enumerate(found.insight.outcomes)}
    for row in found.both_ways.iter_rows(named=True):
        place, outcome = outcomes[row["metric"]]
        told = f"some_{place}" in everything.columns
        if not told or everything[f"n_{place}"].sum() != everything["units"].sum():
            continue
        arm = everything.filter(pl.col("variant") == row["variant"])
        met, alone = arm.filter("is_several"), arm.filter(~pl.col("is_several"))
        yield {
            "experiment": experiment,
            "title": outcome.title or outcome.name,
            "unit": outcome.unit or ("percent" if outcome.kind == "proportion" else ""),
            "direction": outcome.direction,
            "some": int((arm if row["several"] == "first" else alone)[f"some_{place}"].sum()),
            "effective": None if outcome.kind == "proportion" else _effective(met, place),
            **row,
        }


def _effective(met: pl.DataFrame, place: int) -> float | None:
    """Of how many units the sums of an arm's units that met several variants are, if all gave alike."""
    found = []
    for name in ("y", "x"):
        if f"{name}_{place}" in met.columns:
            total, squares = (float(met[f"{each}_{place}"].sum()) for each in (name, 2 * name))
            if squares:
                found.append(total * total / squares)
    return min(found, default=None)


def shown_both_ways(
    both: pl.DataFrame, results: pl.DataFrame, health: pl.DataFrame, flags: pl.DataFrame, k: int
) -> pl.DataFrame:
    """Leaves out metrics of which the two ways together would speak of few people.

    The difference of both is those who met several variants: none of an arm or many, and of these none or many who did
    it, and who did not, and nobody who gives half of what they add up to. How many units there are is told neither way;
    but whoever works it out must not come close to what else is told of the arm, or of the same events.

    Args:
        both: ``experiment_both_ways`` as computed.
        results: ``experiment_results`` as they are shown, with `some` and `alike`.
        health: ``experiment_health`` as it is shown.
        flags: ``flags`` as they are shown; they count units by the variant they met first, too.
        k: Smallest number of people that may be spoken of.

    Returns:
        The rows that may be shown, with `suppressed`, false for all; the columns of `INTERNAL` are still there.
    """
    arms = Arms(results)
    told = results.filter(~pl.col("suppressed"))
    counts: dict[tuple[str, str], set[int]] = {}
    for frame in (told, health.filter(~pl.col("suppressed")).drop_nulls(["variant", "units"])):
        for experiment, variant, units in frame.select("experiment", "variant", "units").iter_rows():
            counts.setdefault((experiment, variant), set()).add(units)
    met: dict[str, set[int]] = {}
    for variant, units in flags.drop_nulls(["variant", "units"]).select("variant", "units").iter_rows():
        met.setdefault(variant, set()).add(units)
    ways = _Ways(arms)
    kept = [both.clear()]
    for part in both.partition_by("experiment", "metric", maintain_order=True):
        told_of_few = any(
            arms.of(whole) is None
            or _of_few(without, whole, k)
            or any(close(people, k) for *_, people in ways.differences(without, whole))
            or any(
                close(row["units"] - other, k)
                for row in (without, whole)
                for other in counts.get((row["experiment"], row["variant"]), set())
                | met.get(row["variant"], set())
            )
            for without, whole in _by_arm(part)
        )
        if not told_of_few:
            ways.add(part)
            kept.append(part)
    return pl.concat(kept).with_columns(suppressed=pl.lit(False))


def _by_arm(part: pl.DataFrame) -> Iterator[tuple[Row, Row]]:
    """The rows of each arm of a metric: without the units that met several variants, and with them."""
    for arm in part.partition_by("variant", maintain_order=True):
        by_way: Mapping[str, Row] = {row["several"]: row for row in arm.iter_rows(named=True)}
        yield by_way[_WAYS[0]], by_way[_WAYS[1]]


def _of_few(without: Row, whole: Row, k: int) -> bool:
    """Whether an arm tells of few: either way, or those who met several variants."""
    pairs = [(row["units"], row["some"]) for row in (without, whole)]
    if whole["units"] != without["units"]:
        pairs.append((whole["units"] - without["units"], whole["some"] - without["some"]))
    dominated = whole["effective"] is not None and whole["effective"] <= _DOMINATED
    return dominated or any(of_few(units, some, k) for units, some in pairs)


class _Ways:
    """Metrics that are told both ways.

    Args:
        arms: The arms that are told.
    """

    def __init__(self, arms: Arms) -> None:
        self._arms = arms
        self._told: dict[tuple[str, str, str], tuple[int, int]] = {}

    def add(self, part: pl.DataFrame) -> None:
        """Adds a metric."""
        for without, whole in _by_arm(part):
            arm = (whole["experiment"], whole["metric"], whole["variant"])
            self._told[arm] = without["some"], whole["some"]

    def differences(self, without: Row, whole: Row) -> Iterator[tuple[str, str, int]]:
        """Lists by how many an arm differs from what is told of the same events: other metric, number, how many."""
        for arm in self._arms.beside(whole):
            metric = arm["metric"]
            other = self._told.get((whole["experiment"], metric, whole["variant"]))
            if metric != whole["metric"] and other is not None:
                apart = other[0] - without["some"], other[1] - whole["some"]
                yield metric, "did it without", apart[0]
                yield metric, "did it with", apart[1]
                yield metric, "met several and did it", apart[1] - apart[0]


def both_ways_differences(both: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Lists what whoever subtracts works out of effects with and without units that met several variants.

    Args:
        both: ``experiment_both_ways`` as they are shown, with `units` and `some`.
        results: ``experiment_results`` as they are shown, with `some` and `alike`.

    Returns:
        See `headway_pipelines.warehouse.experiment_differences.DIFFERENCES`.
    """
    ways = _Ways(Arms(results))
    found: list[tuple[Row, tuple[str, str, int]]] = []
    for part in both.partition_by("experiment", "metric", maintain_order=True):
        for without, whole in _by_arm(part):
            units, some = (whole[name] - without[name] for name in ("units", "some"))
            own = (
                ("met several", units),
                ("met several and did it", some),
                ("met several and did not", units - some),
            )
            found += [(whole, (whole["metric"], what, people)) for what, people in own]
            found += [(whole, each) for each in ways.differences(without, whole)]
        ways.add(part)
    return as_differences(found)
