"""Tables that are published in groups of cells which belong together: a funnel, a cohort, a day's windows.

A group stays as it was published until each of its numbers differs by no people or by k and more. Until then it is a
right answer as of an earlier day, and says as of which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

MANY: Final = 10
"""A number of this many times k people may be shown before its period is over: k people change it by a tenth."""


@dataclass(frozen=True)
class Grouped:
    """How a table's cells belong together.

    Attributes:
        keys: Columns that say which cell it is.
        group: Those of them that say to which group it belongs.
        counts: Numbers of people of a cell; differences of two of them are listed as pairs.
        asked: Columns that say what was asked: where they differ, the old numbers answer another question.
        values: Further numbers, which change with a person's doings.
    """

    keys: tuple[str, ...]
    group: tuple[str, ...]
    counts: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    asked: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


_DIFFERENCES: Final = Grouped(
    keys=("experiment", "metric", "variant", "beside", "what"),
    group=("experiment",),
    counts=("people",),
    asked=("definition_hash",),
)

GROUPED: Final[Mapping[str, Grouped]] = {
    "funnel_steps": Grouped(
        keys=("funnel", "step"), group=("funnel",), counts=("people", "dropped"), asked=("event", "within")
    ),
    "retention_cells": Grouped(
        keys=("retention", "cohort_start", "period"),
        group=("retention", "cohort_start"),
        counts=("cohort_people", "people"),
        pairs=(("cohort_people", "people"),),
        asked=("period_unit",),
    ),
    "activation_correlates": Grouped(
        keys=("retention", "behaviour"),
        group=("retention", "behaviour"),
        counts=("people", "kept", "did", "did_kept"),
        pairs=(("people", "did"), ("people", "kept"), ("did", "did_kept"), ("kept", "did_kept")),
        asked=("period_unit",),
    ),
    "active_people": Grouped(
        keys=("period_start", "window_days"), group=("period_start",), counts=("value",)
    ),
    "left_out": Grouped(
        keys=("kind", "reason"), group=("kind", "reason"), counts=("people",), values=("n_left_out",)
    ),
    "feature_adoption": Grouped(
        keys=("release",),
        group=("release",),
        counts=("eligible", "tried", "ripe", "kept"),
        pairs=(("eligible", "tried"), ("tried", "ripe"), ("ripe", "kept")),
        asked=("feature", "kept_after_days"),
    ),
    "people_counts": Grouped(
        keys=("product",), group=("product",), counts=("people", "actors", "devices_joined")
    ),
    # Arms, splits and stages of one experiment are read together, so they are of one day.
    "experiment_results": Grouped(
        keys=("experiment", "metric", "variant"),
        group=("experiment",),
        counts=("units", "some"),
        pairs=(("units", "some"),),
        asked=("definition_hash",),
        values=("mean", "effect"),
    ),
    "experiment_segments": Grouped(
        keys=("experiment", "metric", "segment", "variant"),
        group=("experiment",),
        counts=("units", "some"),
        pairs=(("units", "some"),),
        asked=("definition_hash",),
        values=("effect",),
    ),
    "experiment_days": Grouped(
        keys=("experiment", "metric", "since", "variant"),
        group=("experiment",),
        counts=("units", "some"),
        pairs=(("units", "some"),),
        asked=("definition_hash",),
        values=("effect",),
    ),
    "experiment_both_ways": Grouped(
        keys=("experiment", "metric", "several", "variant"),
        group=("experiment",),
        counts=("units", "some"),
        pairs=(("units", "some"),),
        asked=("definition_hash",),
        values=("effect",),
    ),
    "experiment_health": Grouped(
        keys=("experiment", "check", "label", "variant"),
        group=("experiment",),
        counts=("units",),
        asked=("definition_hash",),
    ),
    # Never published: what others may work out from what is, see `headway_pipelines.warehouse.experiment_differences`.
    "experiment_results_differences": _DIFFERENCES,
    "experiment_days_differences": _DIFFERENCES,
    "experiment_both_ways_differences": _DIFFERENCES,
    "flags": Grouped(keys=("flag", "step", "variant"), group=("flag",), counts=("units",), asked=("since",)),
    # An effect moves with every day that is looked at: only who is compared tells of few people.
    "release_impact": Grouped(
        keys=("release", "metric", "rung"), group=("release", "metric"), counts=("exact",)
    ),
    # Lines, values and events: who they were of is not known where they are counted.
    "line_outcomes": Grouped(
        keys=("source", "state", "outcome"), group=("source", "state", "outcome"), counts=("lines",)
    ),
    "dropped_values": Grouped(
        keys=("event", "property", "reason"), group=("event", "property", "reason"), counts=("n_values",)
    ),
    "metric_exclusions": Grouped(keys=("metric", "reason"), group=("metric", "reason"), counts=("n_events",)),
}
"""The tables, by name."""


def told_of_few(name: str, before: pl.DataFrame, computed: pl.DataFrame, k: int) -> pl.DataFrame:
    """Lists the groups of which a difference from an earlier publication would tell of few people.

    Args:
        name: The table.
        before: Its cells as they were ever published; may be empty.
        computed: The table as it was computed.
        k: Smallest number of people a difference may speak of.

    Returns:
        One row per group: the columns that name it, and `same`: whether the last publication asked the same.
    """
    rules = GROUPED[name]
    if before.is_empty():
        return computed.select(rules.group).clear().with_columns(same=pl.lit(True))
    compared = computed.join(before, on=rules.keys, suffix="_then", nulls_equal=True)
    return _told(rules, compared, k).select(*rules.group, "same")


def hold_groups(
    name: str,
    before: pl.DataFrame,
    shown: pl.DataFrame,
    computed: pl.DataFrame,
    k: int,
    at: datetime,
    told: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keeps groups as they were published where their differences would tell of few people.

    Args:
        name: The table.
        before: Its cells as they were ever published, with the number of their publication; may be empty.
        shown: The table with small cells hidden.
        computed: The table as it was computed, in the same order.
        k: Smallest number of people a difference may speak of.
        at: As of when the table was computed (UTC).
        told: Groups that are held back, see `told_of_few`; None finds them.

    Returns:
        The table with the column ``held_since``, and its cells that were not published yet or not with these numbers.
    """
    rules = GROUPED[name]
    final = _finished(rules, shown, k).with_columns(held_since=pl.lit(None, dtype=pl.Datetime("us")))
    if before.is_empty():
        if told is not None:
            # Held back for something else, and nothing was ever told of them that could stay.
            rows = final.with_row_index("n")
            free, gone = (rows.join(told, on=rules.group, how=how) for how in ("anti", "semi"))
            final = pl.concat([free, _emptied(rules, gone)]).sort("n").drop("n")
        return final, _noted(final, at)
    last = before.sort("publication_number").unique(rules.keys, keep="last")
    told = told_of_few(name, before, computed, k) if told is None else told.select(*rules.group, "same")
    rows = final.with_row_index("n")
    free = rows.join(told, on=rules.group, how="anti")
    stay = _as_before(rules, rows.join(told.filter("same"), on=rules.group, how="semi"), last)
    gone = _emptied(rules, rows.join(told.filter(~pl.col("same")), on=rules.group, how="semi"))
    final = pl.concat([free, stay, gone]).sort("n").drop("n")
    counts = [*rules.counts, *rules.values]
    known = final.join(
        last.select(*rules.keys, *counts),
        on=rules.keys,
        how="left",
        suffix="_then",
        maintain_order="left",
        nulls_equal=True,
    )
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"{c}_then")) for c in counts)
    return final, _noted(known.filter(~same).select(final.columns), at)


def _finished(rules: Grouped, shown: pl.DataFrame, k: int) -> pl.DataFrame:
    """Hides numbers of periods that are not over, but those of so many people that k do little to them."""
    if "complete" not in shown.columns:
        return shown
    rows = shown.with_row_index("n")
    fine = pl.col("complete") | (pl.col(rules.counts[-1]).fill_null(0) >= MANY * k)
    return pl.concat([rows.filter(fine), _emptied(rules, rows.filter(~fine))]).sort("n").drop("n")


def _told(rules: Grouped, compared: pl.DataFrame, k: int) -> pl.DataFrame:
    """Groups of which a difference would tell of few people, and whether they still answer the same question."""
    same = pl.all_horizontal(pl.lit(True), *(pl.col(c).eq_missing(pl.col(f"{c}_then")) for c in rules.asked))
    groups = compared.with_columns(few=_few(rules, k), same=same).group_by(rules.group)
    return groups.agg(pl.col("few").any(), pl.col("same").sort_by("publication_number").last()).filter("few")


def _few(rules: Grouped, k: int) -> pl.Expr:
    """Whether a cell differs from a release by 1 to k-1 people, or by somebody's doings alone."""
    pairs = [(pl.col(a) - pl.col(b), pl.col(f"{a}_then") - pl.col(f"{b}_then")) for a, b in rules.pairs]
    apart = [
        (now - then).abs()
        for now, then in [*((pl.col(c), pl.col(f"{c}_then")) for c in rules.counts), *pairs]
    ]
    nobody = pl.all_horizontal(each == 0 for each in apart)
    moved = [nobody & (pl.col(c) != pl.col(f"{c}_then")) for c in rules.values]
    return pl.any_horizontal(*(each.is_between(1, k - 1) for each in apart), *moved).fill_null(False)


def _as_before(rules: Grouped, rows: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Rows with the numbers that were published of them; what was not is hidden."""
    numbers = _numbers(rules, rows)
    old = rows.drop(*numbers, "suppressed", "held_since").join(
        last.select(*rules.keys, *numbers, held_since="released_at"),
        on=rules.keys,
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )
    return old.with_columns(suppressed=pl.col("held_since").is_null()).select(rows.columns)


def _emptied(rules: Grouped, rows: pl.DataFrame) -> pl.DataFrame:
    nothing = [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in _numbers(rules, rows)]
    return rows.with_columns(*nothing, suppressed=pl.lit(True))


def _numbers(rules: Grouped, rows: pl.DataFrame) -> list[str]:
    labels = {*rules.keys, *rules.asked, "n", "title", "complete", "suppressed", "held_since"}
    return [name for name in rows.columns if name not in labels]


def _noted(final: pl.DataFrame, at: datetime) -> pl.DataFrame:
    new = final.filter(~pl.col("suppressed") & pl.col("held_since").is_null())
    return new.drop("held_since").with_columns(released_at=pl.lit(at, dtype=pl.Datetime("us")))
