"""Units in several experiments at once: which, how many, and whether one experiment's effect depends on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any, Final

import numpy as np
import polars as pl
from scipy import special, stats

from headway.experiments.result import ExperimentResult, arms_in_order

SCHEMA: Final[dict[str, Any]] = {
    "experiment": pl.String, "other": pl.String, "units": pl.Int64, "share": pl.Float64, "split_p": pl.Float64,
    "interaction_p": pl.Float64, "verdict": pl.String,
}  # fmt: skip
"""Columns of what experiments have in common."""

CONFOUNDED: Final = "cannot be told apart"
INTERACT: Final = "depends on the other"
APART: Final = "no interaction shown"
UNTESTED: Final = "too few to tell"

#: p-value below which the variants of one are said to be spread unevenly over those of the other.
UNEVEN: Final = 0.001
#: p-value below which an effect is said to depend on the other experiment, corrected for all pairs of variants.
DEPENDS: Final = 0.01
#: Units in a cell below which nothing is tested.
_FEW: Final = 10


def together(results: Sequence[ExperimentResult]) -> pl.DataFrame:
    """Looks at every pair of experiments that ran at the same time on the same kind of unit.

    Whether the variants of one are spread over those of the other as chance would, Pearson's test says: where not, the
    effect of one is mixed with that of the other and no test can take them apart. Whether the effect on the first
    primary metric differs between the variants of the other, differences of differences of cell means say, by normal
    intervals with the cells' own variances, the smallest p-value times the number of pairs (Bonferroni).

    Args:
        results: What the experiments found.

    Returns:
        One row per experiment and other experiment that shares units with it: ``units`` in both, their ``share`` of the
        experiment's own, ``split_p``, ``interaction_p`` (None where a cell has fewer than 10 units or does not vary),
        and ``verdict``.
    """
    known = {each.insight.name: each for each in results}
    pairs = [(one, other) for one, other in permutations(results, 2) if _meet(one, other)]
    units = {
        name: found.scope.log.sql(found.compiled.assigned())
        for name, found in known.items()
        if any(name in (one.insight.name, other.insight.name) for one, other in pairs)
    }
    rows = []
    for one, other in pairs:
        own = units[one.insight.name]
        both = own.join(units[other.insight.name].select("person", other="variant"), on="person")
        if both.height:
            rows.append(_judged(one, other, own.height, both))
    return pl.DataFrame(rows, schema=SCHEMA).sort("experiment", "other")


def _meet(one: ExperimentResult, other: ExperimentResult) -> bool:
    """Whether two experiments count the same kind of unit and their exposures may have overlapped."""
    if one.insight.unit != other.insight.unit:
        return False
    a, b = one.scope.span, other.scope.span
    ends = ((a.since_us, b.until_us), (b.since_us, a.until_us))
    return all(since is None or until is None or since <= until for since, until in ends)


def _judged(one: ExperimentResult, other: ExperimentResult, own: int, both: pl.DataFrame) -> dict[str, Any]:
    arms, others = arms_in_order(one.insight), arms_in_order(other.insight)
    cells = {
        (str(row["variant"]), str(row["other"])): row
        for row in both.group_by("variant", "other")
        .agg(units=pl.len(), n=pl.col("y").count(), mean=pl.col("y").mean(), variance=pl.col("y").var())
        .iter_rows(named=True)
    }
    counts = np.array([[cells.get((a, b), {"units": 0})["units"] for b in others] for a in arms], float)
    split = _spread(counts)
    interaction = None
    if split is not None and split >= UNEVEN:
        found = list(differences(cells, arms, others))
        if found:
            interaction = min(1.0, len(found) * min(found))
    verdict = UNTESTED if interaction is None else INTERACT if interaction < DEPENDS else APART
    return {
        "experiment": one.insight.name,
        "other": other.insight.name,
        "units": both.height,
        "share": both.height / own,
        "split_p": split,
        "interaction_p": interaction,
        "verdict": CONFOUNDED if split is not None and split < UNEVEN else verdict,
    }


def _spread(counts: Any) -> float | None:
    """Pearson's test of two ways to split the same units; None where one of them splits nothing, or units are few."""
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2 or counts.sum() < 2 * _FEW * counts.size:
        return None
    return float(stats.chi2_contingency(counts, correction=False).pvalue)


def differences(
    cells: Mapping[tuple[str, str], Mapping[str, Any]], arms: Sequence[str], others: Sequence[str]
) -> Iterator[float]:
    """Tests whether an effect is the same with a variant of the other experiment as with its control.

    Args:
        cells: Count ``n``, ``mean`` and ``variance`` by variant and variant of the other.
        arms: Variants, the control first.
        others: Variants of the other, its control first.

    Yields:
        A two-sided p-value per pair of variants that are no control, of normal differences of differences; none where
        a cell has fewer than 10 units or does not vary.
    """
    for arm in arms[1:]:
        for variant in others[1:]:
            four = [
                cells.get(key)
                for key in ((arm, variant), (arms[0], variant), (arm, others[0]), (arms[0], others[0]))
            ]
            known = [each for each in four if each and each["n"] >= _FEW and each["variance"] > 0]
            if len(known) < len(four):
                continue
            means = [each["mean"] for each in known]
            error = np.sqrt(sum(each["variance"] / each["n"] for each in known))
            yield float(2 * special.ndtr(-abs((means[0] - means[1]) - (means[2] - means[3])) / error))


def in_words(row: dict[str, Any]) -> str:
    """Says what a row of `together` means for the experiment.

    Examples:
        >>> in_words({"other": "cart", "share": 0.5, "split_p": 0.4, "interaction_p": 0.3, "verdict": APART})
        '50 % of the units are in cart, too; no interaction shown'
    """
    said = f"{100 * row['share']:.0f} % of the units are in {row['other']}, too"
    if row["verdict"] == CONFOUNDED:
        return (
            f"{said}, whose variants are not spread evenly over this one's (p = {row['split_p']:.1g}): "
            "the two effects cannot be told apart"
        )
    if row["verdict"] == INTERACT:
        return (
            f"{said}, and the effect depends on which variant they met there (p = {row['interaction_p']:.1g})"
        )
    return f"{said}; {row['verdict']}"
