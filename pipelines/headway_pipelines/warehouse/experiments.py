"""Experiments of a workspace as tables, and what of them may be shown to everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from headway.experiments import ExperimentResult, Exposure
from headway.experiments.declared import experiment_of
from headway.experiments.flags import SCHEMA as FLAGS
from headway.experiments.flags import Flags
from headway.experiments.rule import held_up, named
from headway.experiments.single import merged
from headway.experiments.together import CONFOUNDED, in_words, together
from headway.log import EventLog
from headway.models.experiments import ExperimentDefinition
from headway.models.product import Product
from headway_pipelines.warehouse.experiment_both_ways import BOTH_WAYS, both_ways_rows, shown_both_ways
from headway_pipelines.warehouse.experiment_days import DAYS, day_rows, shown_days
from headway_pipelines.warehouse.experiment_differences import ALIKE, Arms, alike, close, result_differences
from headway_pipelines.warehouse.experiment_segments import SEGMENTS, segment_rows, shown_segments

EXPERIMENTS: Final[dict[str, Any]] = {
    "experiment": pl.String, "title": pl.String, "hypothesis": pl.String, "owner": pl.String, "unit": pl.String,
    "control": pl.String, "variants": pl.String, "method": pl.String, "alpha": pl.Float64, "window": pl.String,
    "several": pl.String, "declared": pl.Date, "start": pl.Date, "end": pl.Date, "status": pl.String,
    "decision": pl.String, "ships": pl.String, "why": pl.String, "rule": pl.String, "definition": pl.String,
    "definition_hash": pl.String, "as_of": pl.Datetime("us"),
}  # fmt: skip
RESULTS: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "title": pl.String, "purpose": pl.String, "unit": pl.String,
    "direction": pl.String, "variant": pl.String, "units": pl.Int64, "units_open": pl.Int64, "some": pl.Int64,
    "mean": pl.Float64, "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64, "relative": pl.Float64,
    "relative_low": pl.Float64, "relative_high": pl.Float64, "p_value": pl.Float64, "p_adjusted": pl.Float64,
    "chance": pl.Float64, "loss": pl.Float64, "reduction": pl.Float64, "margin": pl.Float64, "method": pl.String,
    "verdict": pl.String, "reason": pl.String, "caution": pl.String,
}  # fmt: skip
HEALTH: Final[dict[str, Any]] = {
    "experiment": pl.String, "check": pl.String, "label": pl.String, "variant": pl.String, "units": pl.Int64,
    "expected": pl.Float64, "p_value": pl.Float64, "verdict": pl.String,
}  # fmt: skip
ABOUT: Final[dict[str, Any]] = {"about": pl.List(pl.String)}
"""Internal column of the experiments: metrics that `why` quotes; null where it quotes what is nowhere else shown."""
BESIDE: Final = ("together", "definition")
"""Checks that say what else may have moved the numbers, not how exposures became units."""
_FURTHER: Final[
    Mapping[str, tuple[dict[str, Any], Callable[[str, ExperimentResult], Iterator[dict[str, Any]]]]]
] = {
    "experiment_segments": (SEGMENTS, segment_rows),
    "experiment_days": (DAYS, day_rows),
    "experiment_both_ways": (BOTH_WAYS, both_ways_rows),
}
"""What else an experiment is asked: columns and rows of each table."""
_NUMBERS = (
    "mean", "effect", "low", "high", "relative", "relative_low", "relative_high", "p_value", "p_adjusted", "chance",
    "loss", "reduction",
)  # fmt: skip


def experiment_tables(
    log: EventLog,
    product: Product,
    experiments: Mapping[str, ExperimentDefinition],
    *,
    as_of: datetime,
    changed: Mapping[str, date] | None = None,
) -> dict[str, pl.DataFrame]:
    """Judges every declared experiment.

    Args:
        log: The lake as a log.
        product: The product.
        experiments: The experiments by name.
        as_of: When this is computed.
        changed: Experiments whose definition was changed after they had begun, and when.

    Returns:
        The tables ``experiments``, ``experiment_results``, ``experiment_segments``, ``experiment_days``,
        ``experiment_both_ways``, ``experiment_health`` and ``flags``.
    """
    listed, results, health = [], [], []
    further: dict[str, list[dict[str, Any]]] = {name: [] for name in _FURTHER}
    answers = {name: experiment_of(name, each, product).run(log) for name, each in experiments.items()}
    shared = together(list(answers.values()))
    for name, found in answers.items():
        definition = experiments[name]
        doubts = list(_doubts(name, shared, changed or {}))
        listed.append(_doubted(_listed(name, definition, found, as_of), doubts))
        results += [_with_caution(row, doubts) for row in _results(name, definition, found)]
        for table, (_, rows) in _FURTHER.items():
            further[table] += rows(name, found)
        health += [*_health(name, found), *_beside(name, shared, changed or {})]
    return {
        "experiments": pl.DataFrame(listed, schema=EXPERIMENTS | ABOUT),
        # Sums of fractions differ in their last digits with the order of parallel work.
        "experiment_results": pl.DataFrame(results, schema=RESULTS | ALIKE).with_columns(
            pl.col(_NUMBERS).round_sig_figs(10)
        ),
        **{
            table: pl.DataFrame(further[table], schema=schema).with_columns(
                pl.col(pl.Float64).round_sig_figs(10)
            )
            for table, (schema, _) in _FURTHER.items()
        },
        "experiment_health": pl.DataFrame(health, schema=HEALTH),
        "flags": _flags(log, product, experiments),
    }


def _listed(name: str, d: ExperimentDefinition, found: ExperimentResult, as_of: datetime) -> dict[str, Any]:
    started = found.frame["units"].sum() > 0 or found.frame["units_open"].sum() > 0
    status = "over" if found.over else "running" if started else "not started"
    shares = found.insight.shares
    rule = found.insight.rule
    worthwhile = "" if rule.worthwhile is None else f"; worthwhile from {100 * rule.worthwhile:g} %"
    return {
        "experiment": name,
        "title": d.title,
        "hypothesis": d.hypothesis,
        "owner": d.owner,
        "unit": d.unit,
        "control": str(found.insight.control),
        "variants": ", ".join(f"{variant} {100 * share:.4g} %" for variant, share in shares.items()),
        "method": d.method,
        "alpha": float(d.alpha),
        "window": d.window,
        "several": d.several,
        "declared": d.declared,
        "start": d.start,
        "end": d.end,
        "status": status,
        "decision": found.verdict.decision,
        "ships": found.verdict.variant,
        "why": found.verdict.why,
        "about": list(found.verdict.about),
        "rule": f"at least {rule.minimum_units} units an arm{worthwhile}; split broken below p = {rule.split:g}",
        "definition": found.insight.describe(),
        "definition_hash": d.definition_hash(),
        "as_of": as_of,
    }


def _results(name: str, d: ExperimentDefinition, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    outcomes = {each.name: (place, each) for place, each in enumerate(found.insight.outcomes)}
    everything = found.sums.filter(pl.col("part") == "all")
    if d.several == "exclude":
        everything = everything.filter(~pl.col("is_several"))
    for row in found.rows:
        place, outcome = outcomes[row["metric"]]
        column = f"some_{place}"
        counted = everything.filter(pl.col("variant") == row["variant"])
        some = int(counted[column].sum()) if column in everything.columns else None
        if outcome.kind == "time":
            some = got_there(found, place).get(row["variant"], 0)
        unit = outcome.unit or ("percent" if outcome.kind in ("proportion", "time") else "")
        more = {
            "experiment": name,
            "title": outcome.title or outcome.name,
            "unit": unit,
            "some": some,
            "purpose": row["role"],
            "alike": alike(outcome, found.insight.outcomes),
            "opens": found.compiled.windows[place].opens,
            "closes": found.compiled.windows[place].closes,
        }
        yield {key: {**row, **more, "margin": outcome.margin}.get(key) for key in RESULTS | ALIKE}


def got_there(found: ExperimentResult, place: int) -> dict[str, int]:
    """Counts the units that got to what a waiting time waits for.

    Args:
        found: What an experiment found.
        place: Number of the outcome, one that is a time.

    Returns:
        Variant -> units, of those that count; none of variants of which nobody did.
    """
    seen = merged(found.scope.log.sql(found.compiled.waiting(place)), found.insight.several)
    return dict(seen.filter("is_over").group_by("variant").agg(pl.col("units").sum()).iter_rows())


def _health(name: str, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    for row in found.splits.iter_rows(named=True):
        yield {"experiment": name, "check": f"split {row['part']}", **{k: row[k] for k in list(HEALTH)[2:]}}
    for stage, units in found.exposure.iter_rows():
        empty: dict[str, Any] = dict.fromkeys(HEALTH)
        yield {**empty, "experiment": name, "check": "exposure", "label": stage, "units": units}


def _doubts(name: str, shared: pl.DataFrame, changed: Mapping[str, date]) -> Iterator[str]:
    """Says why nothing may be concluded from an experiment, whatever its numbers say."""
    if name in changed:
        yield (
            f"its definition was changed after it had begun, first seen on {changed[name].isoformat()}: what is "
            "judged is not what was declared"
        )
    for row in shared.filter(experiment=name, verdict=CONFOUNDED).iter_rows(named=True):
        yield in_words(row)


def _doubted(row: dict[str, Any], doubts: Sequence[str]) -> dict[str, Any]:
    if not doubts or row["decision"] == "continue":
        return row
    return {**row, "decision": "inconclusive", "ships": None, "why": "; ".join(doubts), "about": None}


def _with_caution(row: dict[str, Any], doubts: Sequence[str]) -> dict[str, Any]:
    if not doubts or row["verdict"] == "control":
        return row
    said = "; ".join(filter(None, (*doubts, row["caution"])))
    return {**row, "caution": said, "verdict": "not judged" if row["reason"] is None else row["verdict"]}


def _beside(name: str, shared: pl.DataFrame, changed: Mapping[str, date]) -> Iterator[dict[str, Any]]:
    """Lines of the health that say what else the units were in, and whether the definition was changed."""
    empty: dict[str, Any] = {**dict.fromkeys(HEALTH), "experiment": name}
    if name in changed:
        yield {**empty, "check": "definition", "label": changed[name].isoformat(), "verdict": "changed"}
    for row in shared.filter(experiment=name).iter_rows(named=True):
        p_value = row["split_p"] if row["verdict"] == CONFOUNDED else row["interaction_p"]
        told = {"label": row["other"], "units": row["units"], "p_value": p_value, "verdict": row["verdict"]}
        yield {**empty, "check": "together", **told}


def _flags(log: EventLog, product: Product, experiments: Mapping[str, ExperimentDefinition]) -> pl.DataFrame:
    told = {
        (
            each.exposure.event.event,
            each.exposure.event.where,
            each.exposure.flag,
            each.exposure.variant,
        ): each.exposure
        for each in experiments.values()
        if each.exposure.flag is not None
    }
    found = [
        Flags(
            exposure=Exposure(each.event.selector(), each.flag, each.variant), timezone=product.timezone
        ).run(log)
        for each in told.values()
    ]
    return pl.concat([pl.DataFrame(schema=FLAGS), *found])


def shown_experiments(tables: Mapping[str, pl.DataFrame], k: int) -> dict[str, pl.DataFrame]:
    """Prepares the tables of experiments for everybody.

    Args:
        tables: The computed tables; missing ones are left out.
        k: Smallest number of people that may be spoken of.

    Returns:
        Table name -> rows, hidden cells null.
    """
    if "experiments" not in tables:
        return {}
    results, health = shown_results(tables["experiment_results"], tables["experiment_health"], k)
    flags = shown_flags(tables["flags"], health, k)
    listed = tables["experiments"]
    why = [
        _shown_why(row, results.filter(experiment=row["experiment"])) for row in listed.iter_rows(named=True)
    ]
    return {
        "experiments": listed.with_columns(why=pl.Series(why, dtype=pl.String)).drop("about", strict=False),
        "experiment_results": results,
        "experiment_segments": shown_segments(tables["experiment_segments"], results, k),
        "experiment_days": shown_days(tables["experiment_days"], results, k),
        "experiment_both_ways": shown_both_ways(tables["experiment_both_ways"], results, health, flags, k),
        "experiment_health": health,
        "flags": flags,
    }


def _shown_why(row: Mapping[str, Any], results: pl.DataFrame) -> str | None:
    """The reason of a decision, or what of it can be said without what is hidden."""
    hidden = set(results.filter("suppressed")["metric"])
    about = row.get("about")
    if row["decision"] == "ship" or not hidden or (about is not None and not hidden & set(about)):
        return str(row["why"])
    if about is None or row["decision"] not in ("inconclusive", "continue"):
        return None
    rows = [
        {**each, "role": each["purpose"]}
        for each in results.iter_rows(named=True)
        if each["verdict"] != "control" and each["variant"] != row["control"]
    ]
    return next(held_up(rows), None) or _too_few(row, rows, set(about))


def _too_few(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], about: set[str]) -> str:
    """Names hidden metrics that a decision waits for."""
    hidden = [each for each in rows if each["verdict"] == "hidden" and each["metric"] in about]
    names = dict.fromkeys(f'"{named(each)}"' for each in hidden)
    seen = any(each["role"] == "primary" and each["verdict"] != "hidden" for each in rows)
    begin = "no primary metric shows a difference, and " if seen and row["decision"] == "inconclusive" else ""
    return f"{begin}{' and '.join(names)} {'has' if len(names) == 1 else 'have'} too few people to be judged"


def shown_results(results: pl.DataFrame, health: pl.DataFrame, k: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hides what would speak of few people, alone or by subtraction.

    A metric is hidden as a whole where an arm has 1 to k-1 units, or so few that did it or did not: an effect and one
    mean tell the other mean. Within an arm, what is shown of one metric must not differ from what is shown of another,
    or of the split, by 1 to k-1 units: those would be the units whose window is still open, or that saw several
    variants. Units of quantiles are people with any event, and follow the same rule. Nor may, of metrics of the same
    events, few do the one and not the other.

    Args:
        results: ``experiment_results``.
        health: ``experiment_health``.
        k: Smallest number of people that may be spoken of.

    Returns:
        Both tables with hidden cells null and marked in `suppressed`; `some` and the columns of `ALIKE` are internal,
        and still there.
    """
    shown: list[pl.DataFrame] = []
    counts: dict[tuple[str, str], list[int]] = {}
    arms = Arms()
    for part in results.partition_by("experiment", "metric", maintain_order=True):
        rows = part.to_dicts()
        hide = any(
            _few(row, k)
            or _near(row["units"], counts.get((row["experiment"], row["variant"]), []), k)
            or any(close(people, k) for *_, people in result_differences(row, arms))
            for row in rows
        )
        if not hide:
            arms.add(rows)
            for row in rows:
                counts.setdefault((row["experiment"], row["variant"]), []).append(row["units"])
        empty = [
            pl.lit(None, dtype=RESULTS[name]).alias(name)
            for name in (*_NUMBERS, "units", "units_open", "reason", "caution")
        ]
        part = part.with_columns(empty) if hide else part
        # In steps: who comes and goes between two publications is few people, and they are never the same.
        steps = pl.col("units_open") - pl.col("units_open") % k
        open_ = pl.when(pl.col("units_open").is_between(1, k - 1)).then(None).otherwise(steps)
        verdict = pl.lit("hidden") if hide else pl.col("verdict")
        shown.append(part.with_columns(units_open=open_, verdict=verdict, suppressed=pl.lit(hide)))
    kept = pl.concat(shown) if shown else results.with_columns(suppressed=pl.lit(False))
    return kept, _shown_health(health, counts, k)


def _few(row: Mapping[str, Any], k: int) -> bool:
    units, some = row["units"], row["some"]
    few = 0 < units < k
    return bool(few or (some is not None and (0 < some < k or 0 < units - some < k)))


def _near(units: int, shown: Sequence[int], k: int) -> bool:
    return any(close(units - other, k) for other in shown)


def _shown_health(
    health: pl.DataFrame, counts: Mapping[tuple[str, str], Sequence[int]], k: int
) -> pl.DataFrame:
    # The label of a small segment would say that somebody is in it.
    small = health.filter(pl.col("check") == "split segment", pl.col("units") < k)
    health = health.join(small, on=["experiment", "check", "label"], how="anti", maintain_order="left")
    hidden: list[bool] = []
    stages: dict[str, list[int]] = {}
    bad: dict[tuple[str, str], bool] = {}
    rows = health.to_dicts()
    for row in rows:
        if row["check"] not in ("exposure", *BESIDE):
            # One hidden arm of a part could be worked out from the others and the part's total: all of it goes.
            key = (row["experiment"], f"{row['check']} {row['label']}")
            shown = counts.get((row["experiment"], row["variant"]), [])
            bad[key] = bad.get(key, False) or 0 < row["units"] < k or _near(row["units"], shown, k)
    for row in rows:
        if row["check"] in BESIDE:
            hide = 0 < (row["units"] or 0) < k
        elif row["check"] != "exposure":
            # Segments add up to the arms: they are told by their verdict alone.
            hide = row["check"] == "split segment" or bad[row["experiment"], f"{row['check']} {row['label']}"]
        else:
            before = stages.setdefault(row["experiment"], [])
            hide = 0 < row["units"] < k or _near(row["units"], before, k)
            if not hide:
                before.append(row["units"])
        hidden.append(hide)
    # Units that are in another experiment, too, in multiples: the others could be worked out from the whole.
    whole = pl.when(pl.col("check").is_in(BESIDE)).then(pl.col("units") // k * k).otherwise("units")
    units = pl.when(~pl.col("suppressed")).then(whole)
    expected = pl.when(~pl.col("suppressed")).then(pl.col("expected"))
    marked = health.with_columns(suppressed=pl.Series(hidden, dtype=pl.Boolean))
    # A p-value to two digits says whether the split holds, and not how many units there are.
    return marked.with_columns(units=units, expected=expected, p_value=pl.col("p_value").round_sig_figs(2))


def shown_flags(flags: pl.DataFrame, health: pl.DataFrame, k: int) -> pl.DataFrame:
    """Hides steps of rollouts in which few met a variant, or few more or less than an experiment shows of it.

    Args:
        flags: ``flags``.
        health: ``experiment_health`` as it is shown.
        k: Smallest number of people that may be spoken of.

    Returns:
        The table with hidden cells null and marked in `suppressed`.
    """
    arms: dict[str, list[int]] = {}
    for variant, units in health.drop_nulls(["variant", "units"]).select("variant", "units").iter_rows():
        arms.setdefault(variant, []).append(units)
    near = [_near(row["units"], arms.get(row["variant"], []), k) for row in flags.iter_rows(named=True)]
    few = pl.col("units").is_between(1, k - 1) | pl.Series("near", near, dtype=pl.Boolean)
    hidden = flags.with_columns(suppressed=few).with_columns(pl.col("suppressed").any().over("flag", "step"))
    return hidden.with_columns(
        pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in ("units", "share")
    )
