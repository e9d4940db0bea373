"""Effects of experiments by day since exposure: computed when an experiment is over, shown where no day is of few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from headway.experiments import ExperimentResult, Outcome
from headway_pipelines.warehouse.experiment_segments import of_few

DAYS: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "title": pl.String, "unit": pl.String, "direction": pl.String,
    "alike": pl.List(pl.String), "since": pl.Int64, "variant": pl.String, "units": pl.Int64, "some": pl.Int64,
    "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip
INTERNAL: Final = ("alike", "units", "some")
"""Columns that only decide what is shown; `alike` are the experiment's metrics of the same events, itself included."""
_DAY_US = 86_400_000_000
_MOST_DAYS = 28


def day_rows(experiment: str, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    """Lists the effects of an experiment on each day since exposure.

    Args:
        experiment: Its name.
        found: What it found.

    Yields:
        One row per primary metric, day and variant, the control's among them; see `DAYS`. Only of shares of units
        that do something within days of their exposure, and only once the experiment is over: until then who was
        exposed last would come into one day after the other. None where the planned split changed.
    """
    asked = found.insight
    if not found.over or asked.split_changes:
        return
    for place, outcome in enumerate(asked.outcomes[: len(asked.metrics)]):
        window = found.compiled.windows[place]
        # Steps on the way, and what must not happen, are not asked of a single day.
        simple = (
            outcome.kind == "proportion" and not outcome.via and outcome.also is None and window.opens == 0
        )
        days = 0 if window.closes is None else min(window.closes // _DAY_US, _MOST_DAYS)
        if not simple or days < 2:
            continue
        for row in found.by_day(outcome.name, days).iter_rows(named=True):
            yield {
                "experiment": experiment,
                "metric": outcome.name,
                "title": outcome.title or outcome.name,
                "unit": outcome.unit or "percent",
                "direction": outcome.direction,
                "alike": [each.name for each in asked.outcomes if _share_events(each, outcome)],
                "some": round(row["mean"] * row["units"]),
                **{name: row[name] for name in ("since", "variant", "units", "effect", "low", "high")},
            }


def _share_events(one: Outcome, other: Outcome) -> bool:
    names, others = ([event.names for event in each.selectors()] for each in (one, other))
    return any(a is None or b is None or set(a) & set(b) for a in names for b in others)


def shown_days(days: pl.DataFrame, results: pl.DataFrame, k: int) -> pl.DataFrame:
    """Leaves out days that would speak of few people, alone or beside what else is told of an arm.

    A unit may do it on several days, so the days of an arm add up to those who did it and how often they did so again.
    Told are the days from the first on, up to one on which few did it or did not: as many of them as leave, in every
    arm, none or many who did it later or more than once; none at all where not every unit has all days behind it.

    Args:
        days: ``experiment_days`` as computed.
        results: ``experiment_results`` as they are shown, with `some`.
        k: Smallest number of people that may be spoken of.

    Returns:
        The rows that may be shown, with `suppressed`, false for all; the columns of `INTERNAL` are still there.
    """
    told = results.filter(~pl.col("suppressed"))
    arms = {(row["experiment"], row["metric"], row["variant"]): row for row in told.iter_rows(named=True)}
    kept = [days.clear()]
    for part in days.partition_by("experiment", "metric", maintain_order=True):
        rows = part.to_dicts()
        whole = all(
            (arm := arms.get((row["experiment"], row["metric"], row["variant"]))) is not None
            and arm["units"] == row["units"]
            for row in rows
        )
        if whole:
            last = _last_day(rows, arms, k)
            kept.append(part.filter(pl.col("since") <= last))
    return pl.concat(kept).with_columns(suppressed=pl.lit(False))


def _last_day(
    rows: Sequence[Mapping[str, Any]], arms: Mapping[tuple[str, str, str], Mapping[str, Any]], k: int
) -> int:
    """The last day that may be told of a metric; -1 where fewer than two may."""
    by_day: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_day.setdefault(row["since"], []).append(row)
    added: dict[str, int] = {}
    last = -1
    for since in sorted(by_day):
        if any(_tells(row, arms, k) for row in by_day[since]):
            break
        for row in by_day[since]:
            added[row["variant"]] = added.get(row["variant"], 0) + row["some"]
        whole = (
            arms[row["experiment"], row["metric"], row["variant"]]["some"] - added[row["variant"]]
            for row in by_day[since]
        )
        if since > 0 and not any(_close(each, k) for each in whole):
            last = since
    return last


def _tells(row: Mapping[str, Any], arms: Mapping[tuple[str, str, str], Mapping[str, Any]], k: int) -> bool:
    """Whether a day of an arm tells of few: by itself, or beside those who did the same in another window."""
    if of_few(row["units"], row["some"], k):
        return True
    alike = (arms.get((row["experiment"], metric, row["variant"])) for metric in row["alike"])
    some = [arm["some"] for arm in alike if arm is not None and arm["some"] is not None]
    return any(_close(each - row["some"], k) for each in some)


def _close(difference: int, k: int) -> bool:
    return 0 < abs(difference) < k
