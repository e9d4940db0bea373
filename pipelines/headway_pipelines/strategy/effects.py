"""What was measured of an option, read from the published tables about experiments and releases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import polars as pl

from headway.models.strategy import Option, Strategy
from headway.strategy import Adoption, MeasuredEffect

_DAYS_BEFORE = 28
_REFUSED = ("no estimate", "hidden", "too early", "not judged")

Tables = Mapping[str, pl.DataFrame]
Directions = Mapping[str, Literal["up", "down"]]


def measured_effects(
    strategy: Strategy, tables: Tables, directions: Directions
) -> dict[str, tuple[MeasuredEffect, ...]]:
    """Finds the effects that were measured of each option: of its experiment, else of its release.

    Args:
        strategy: The tree.
        tables: The published tables.
        directions: Metric -> which way is good.

    Returns:
        Option -> effects, one a metric; options without any are absent.
    """
    found = {}
    for name, option in strategy.options.items():
        by_metric = {each.metric: each for each in _of_release(option, tables, directions)}
        by_metric |= {each.metric: each for each in _of_experiment(option, tables, directions)}
        if by_metric:
            found[name] = tuple(by_metric.values())
    return found


def _of_experiment(option: Option, tables: Tables, directions: Directions) -> Iterator[MeasuredEffect]:
    if option.experiment is None or "experiment_results" not in tables:
        return
    rows = tables["experiment_results"].filter(
        (pl.col("experiment") == option.experiment) & (pl.col("verdict") != "control")
    )
    listed = tables["experiments"].filter(pl.col("experiment") == option.experiment)
    shipped = listed["ships"][0] if not listed.is_empty() else None
    variants = rows["variant"].unique(maintain_order=True).to_list()
    variant = shipped if shipped in variants else variants[0] if len(variants) == 1 else None
    for row in rows.filter(pl.col("variant").eq_missing(variant)).iter_rows(named=True):
        direction = directions.get(row["metric"])
        if direction is not None:
            yield MeasuredEffect(
                row["metric"],
                row["effect"],
                row["low"],
                row["high"],
                row["relative"],
                row["relative_low"],
                row["relative_high"],
                method="randomised",
                grade=None if row["verdict"] in _REFUSED or row["effect"] is None else "A",
                direction=direction,
                reason=row["reason"] or "",
            )


def _of_release(option: Option, tables: Tables, directions: Directions) -> Iterator[MeasuredEffect]:
    if option.release is None or "release_impact" not in tables:
        return
    # Where every rung was refused, none is the strongest, and the first says why.
    own = tables["release_impact"].filter(pl.col("release") == option.release)
    ordered = own.sort("strongest", descending=True, maintain_order=True)
    rows = ordered.unique("metric", keep="first", maintain_order=True)
    day = release_days({"": option}, tables).get("")
    for row in rows.iter_rows(named=True):
        direction = directions.get(row["metric"])
        if direction is not None:
            three = (row["effect"], row["low"], row["high"])
            relative = _relative(three, _before(tables["metric_values"], row["metric"], day))
            yield MeasuredEffect(
                row["metric"],
                *three,
                *relative,
                method=row["method"] or row["rung"],
                grade=row["grade"],
                direction=direction,
                reason=row["reason"] or "",
            )


def _before(values: pl.DataFrame, metric: str, day: dt.date | None) -> float | None:
    """Everybody's mean daily value in the four weeks before the release, what a relative effect is relative to."""
    if day is None:
        return None
    own = values.filter(
        (pl.col("metric") == metric) & (pl.col("segment") == "all") & (pl.col("period") == "day")
        & pl.col("complete") & (pl.col("period_end") < day)
        & (pl.col("period_start") >= day - dt.timedelta(days=_DAYS_BEFORE))
    )  # fmt: skip
    mean = own.unique("period_start")["value"].mean()
    return float(mean) if isinstance(mean, int | float) and mean > 0 else None


def _relative(
    three: tuple[float | None, float | None, float | None], base: float | None
) -> tuple[float | None, float | None, float | None]:
    if base is None:
        return None, None, None
    effect, low, high = (None if value is None else value / base for value in three)
    return effect, low, high


def release_days(options: Mapping[str, Option], tables: Tables) -> dict[str, dt.date]:
    """Finds the days on which options went live.

    Args:
        options: Options by name.
        tables: The published tables.

    Returns:
        Option -> day, as far as the release log tells.
    """
    if "releases" not in tables:
        return {}
    days = dict(tables["releases"].select("release", "released_on").iter_rows())
    return {
        name: days[option.release]
        for name, option in options.items()
        if option.release in days and days[option.release] is not None
    }


def first_outcomes(options: Mapping[str, Option], tables: Tables) -> dict[str, dt.date]:
    """Finds the days of the first measurable outcome of options.

    Args:
        options: Options by name.
        tables: The published tables.

    Returns:
        Option -> day.
    """
    days, found = release_days(options, tables), {}
    for name, day in days.items():
        rows = tables["release_impact"].filter(
            (pl.col("release") == options[name].release) & pl.col("intended") & pl.col("strongest")
            & (pl.col("verdict") == "better")
        ) if "release_impact" in tables else pl.DataFrame({"days_to_value": []})  # fmt: skip
        soonest = rows["days_to_value"].min()
        if isinstance(soonest, int):
            found[name] = day + dt.timedelta(days=soonest)
    return found


def adoption(options: Mapping[str, Option], tables: Tables) -> dict[str, Adoption]:
    """Finds who used what options brought.

    Args:
        options: Options by name.
        tables: The published tables.

    Returns:
        Option -> adoption, as far as it may be shown.
    """
    if "feature_adoption" not in tables:
        return {}
    rows: dict[str, dict[str, Any]] = {
        row["release"]: row
        for row in tables["feature_adoption"].iter_rows(named=True)
        if row["tried_rate"] is not None
    }
    return {
        name: Adoption(row["eligible"], row["tried"], row["tried_rate"], row["tried_high"])
        for name, option in options.items()
        if option.release is not None and (row := rows.get(option.release)) is not None
    }
