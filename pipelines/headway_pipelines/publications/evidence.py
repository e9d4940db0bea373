"""Holding back what experiments and releases would tell of few people from one publication to the next.

Whoever subtracts yesterday's arm from today's has the outcomes of those who came in between. So arms, splits, stages
and the decision of an experiment stay together as they were published, until every number of units in them, and every
difference of two that speaks of units, differs by none or by k and more from each publication before; its segments, its
days, and its effects with and without units that met several variants stay with them, each longer where it must; flags
and the effects of releases do likewise, each by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import polars as pl

from headway_pipelines.publications.groups import GROUPED, hold_groups, told_of_few
from headway_pipelines.publications.ledger import PublicationLedger
from headway_pipelines.warehouse.experiment_both_ways import both_ways_differences
from headway_pipelines.warehouse.experiment_days import day_differences
from headway_pipelines.warehouse.experiment_differences import ALIKE, differences_of_results

Tables = dict[str, pl.DataFrame]

DECIDED: Final = "experiment_decisions"
"""What the ledger calls decisions of experiments as they were published."""

_DECISION: Final = ("decision", "ships", "why")
_FURTHER: Final = ("experiment_segments", "experiment_days", "experiment_both_ways")
"""What is told of experiments beside their arms: it waits for its experiment, which never waits for it."""
_OF_ONE_DEFINITION: Final = ("experiment_days", "experiment_both_ways")
"""What is not told once an experiment was published as it was defined otherwise: metrics that it had then tell more."""
_DIFFERENCES: Final = "_differences"
"""What tables are called in the ledger that list what a published one lets others work out."""
_INTERNAL: Final = ("definition_hash", "some", "effective")
_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "experiment_results": ("title", "purpose", "unit", "direction", "method", "margin"),
    "experiment_segments": ("title", "unit", "direction", "by"),
    "experiment_days": ("title", "unit", "direction"),
    "experiment_both_ways": ("title", "unit", "direction"),
    # Whether a split holds is told also where units are hidden.
    "experiment_health": ("p_value", "verdict"),
    "release_impact": ("intended", "unit", "method"),
}


def hold_experiments(
    ledger: PublicationLedger, shown: Mapping[str, pl.DataFrame], k: int, at: datetime
) -> tuple[Tables, Tables]:
    """Decides what of experiments may be shown beside the publications before.

    Args:
        ledger: What was published before.
        shown: ``experiments``, ``experiment_results``, ``experiment_segments``, ``experiment_days`` and
            ``experiment_both_ways`` (with their internal columns), ``experiment_health`` and ``flags``, small cells
            hidden; may be empty.
        k: Smallest number of people a difference may speak of.
        at: As of when they were computed (UTC).

    Returns:
        The tables with the column ``held_since``, and what the ledger must note of them.
    """
    if "experiments" not in shown:
        return dict(shown), {}
    asked = shown["experiments"].select("experiment", "definition_hash")
    results, days, both = (
        shown[f"experiment_{name}"].with_columns(pl.col("some").fill_null(0))
        for name in ("results", "days", "both_ways")
    )
    frames = {
        "experiment_results": results,
        f"experiment_results{_DIFFERENCES}": differences_of_results(shown["experiment_results"]),
        "experiment_health": shown["experiment_health"],
        "experiment_segments": shown["experiment_segments"].with_columns(pl.col("some").fill_null(0)),
        "experiment_days": days,
        f"experiment_days{_DIFFERENCES}": day_differences(days, shown["experiment_results"]),
        "experiment_both_ways": both,
        f"experiment_both_ways{_DIFFERENCES}": both_ways_differences(both, shown["experiment_results"]),
    }
    frames = {
        name: frame.drop(*ALIKE, strict=False).join(asked, on="experiment", how="left", maintain_order="left")
        for name, frame in frames.items()
    }
    before = {name: ledger.cells(name) for name in (*frames, "flags")}
    few = {name: told_of_few(name, before[name], frame, k) for name, frame in frames.items()}
    # Segments wait for their experiment, and it never for them: few come into one of many segments every day.
    own = {
        name: _any_of(*(few[each] for each in (name, f"{name}{_DIFFERENCES}") if each in few))
        for name in ("experiment_results", "experiment_health", *_FURTHER)
    }
    told = _any_of(own["experiment_results"], own["experiment_health"])
    for name in _OF_ONE_DEFINITION:
        own[name] = _any_of(own[name], _defined_anew(before["experiment_results"], asked))
    tables, noted = dict(shown), {}
    for name, frame in frames.items():
        whole = name.removesuffix(_DIFFERENCES)
        stays = _any_of(told, own[whole]) if whole in _FURTHER else told
        held, noted[name] = hold_groups(name, before[name], frame, frame, k, at, stays)
        if name in tables:
            tables[name] = _labelled(name, held, frame).drop(*_INTERNAL, strict=False)
    for name in _FURTHER:
        # What was never told before stays untold, and how many are in it is told to nobody.
        tables[name] = tables[name].filter(~pl.col("suppressed")).drop("units")
    results = tables["experiment_results"]
    verdict = pl.when(pl.col("suppressed")).then(pl.lit("hidden")).otherwise("verdict")
    tables["experiment_results"] = results.with_columns(verdict=verdict)
    flags = shown["flags"]
    tables["flags"], noted["flags"] = hold_groups("flags", before["flags"], flags, flags, k, at)
    tables["experiments"], noted[DECIDED] = _decisions(ledger.cells(DECIDED), shown["experiments"], told)
    return tables, noted


def hold_impact(
    ledger: PublicationLedger, impact: pl.DataFrame, estimates: pl.DataFrame, k: int, at: datetime
) -> tuple[pl.DataFrame, Tables]:
    """Decides what of the effects of releases may be shown beside the publications before.

    Args:
        ledger: What was published before.
        impact: ``release_impact``, small cells hidden.
        estimates: ``release_estimates``, with the exact numbers of people.
        k: Smallest number of people a difference may speak of.
        at: As of when they were computed (UTC).

    Returns:
        The table with the column ``held_since``, and what the ledger must note of it.
    """
    keys = ["release", "metric", "rung"]
    exact = estimates.select(*keys, exact="people").unique(keys, keep="first")
    frame = impact.join(exact, on=keys, how="left", maintain_order="left")
    frame = frame.with_columns(exact=pl.coalesce("exact", "people", pl.lit(0)))
    held, noted = hold_groups("release_impact", ledger.cells("release_impact"), frame, frame, k, at)
    held = _labelled("release_impact", held, frame).with_columns(
        credited=pl.col("credited").fill_null(False), strongest=pl.col("strongest").fill_null(False)
    )
    return held.drop("exact"), {"release_impact": noted}


def hold_counts(
    ledger: PublicationLedger, name: str, shown: pl.DataFrame, computed: pl.DataFrame, k: int, at: datetime
) -> tuple[pl.DataFrame, Tables]:
    """Decides what of an account of lines, values or events may be shown beside the publications before.

    One order more whose e-mail was dropped, on a day when one customer ordered, says what that customer typed.

    Args:
        ledger: What was published before.
        name: ``line_outcomes``, ``dropped_values`` or ``metric_exclusions``.
        shown: The table, small numbers null.
        computed: The table as it was computed, in the same order.
        k: Smallest number a difference may be.
        at: As of when it was computed (UTC).

    Returns:
        The table with the column ``held_since``, and what the ledger must note of it.
    """
    rules = GROUPED[name]
    column = rules.counts[0]
    # Where a row says nothing of an event or a property, it is a group too.
    named = [pl.col(key).fill_null(_NOTHING) for key in rules.keys]
    frame = shown.with_columns(*named, suppressed=pl.col(column).is_null())
    held, noted = hold_groups(name, ledger.cells(name), frame, computed.with_columns(named), k, at)
    back = [pl.when(pl.col(key) != _NOTHING).then(key).alias(key) for key in rules.keys]
    return held.drop("suppressed").with_columns(back), {name: noted}


_NOTHING = "\0"


def _any_of(*told: pl.DataFrame) -> pl.DataFrame:
    """The groups that any of them lists."""
    return pl.concat(told).group_by("experiment").agg(pl.col("same").all())


def _defined_anew(before: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The experiments that were published with another definition, in the form of `told_of_few`."""
    if before.is_empty():
        return asked.select("experiment").clear().with_columns(same=pl.lit(True))
    then = asked.join(before.select("experiment", then="definition_hash"), on="experiment")
    other = then.filter(pl.col("then") != pl.col("definition_hash"))
    return other.select("experiment", same=pl.lit(False)).unique()


def _labelled(table: str, held: pl.DataFrame, computed: pl.DataFrame) -> pl.DataFrame:
    """Puts words back that say what a hidden number would be of."""
    return held.with_columns(pl.coalesce(held[name], computed[name]).alias(name) for name in _LABELS[table])


def _decisions(
    before: pl.DataFrame, listed: pl.DataFrame, told: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keeps decisions of experiments whose numbers stay: a new reason may quote new numbers."""
    held = listed.with_row_index("n").join(told.filter("same"), on="experiment", how="semi")["n"]
    if not before.is_empty():
        last = (
            before.sort("publication_number")
            .unique("experiment", keep="last")
            .select("experiment", *_DECISION)
        )
        both = listed.join(last, on="experiment", how="left", suffix="_then", maintain_order="left")
        stays = pl.int_range(pl.len()).is_in(held.to_list()) & pl.col("decision_then").is_not_null()
        listed = both.with_columns(
            pl.when(stays).then(f"{name}_then").otherwise(name).alias(name) for name in _DECISION
        ).select(listed.columns)
        known = listed.join(last, on=["experiment", *_DECISION], how="anti", nulls_equal=True)
    else:
        known = listed
    return listed, known.select("experiment", *_DECISION)
