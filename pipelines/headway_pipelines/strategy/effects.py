"""What was measured of an option, read from the published tables about experiments and releases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import polars as pl

from headway.models.strategy import Option, Strategy
from headway.strategy import Adoption, MeasuredEffect
from headway.strategy.relative import mean_with_error, relative_effect

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
    found = {
        name: effects_of(option.release, option.experiment, tables, directions)
        for name, option in strategy.options.items()
    }
    return {name: effects for name, effects in found.items() if effects}


def effects_of(
    release: str | None, experiment: str | None, tables: Tables, directions: Directions
) -> tuple[MeasuredEffect, ...]:
    """Finds the effects that were measured of an experiment, else of a release.

    Args:
        release: The release, or None.
        experiment: The experiment, or None.
        tables: The published tables.
        directions: Metric -> which way is good.

    Returns:
        The effects, one a metric.
    """
    by_metric = {each.metric: each for each in _of_release(release, tables, directions)}
    by_metric |= {each.metric: each for each in _of_experiment(experiment, tables, directions)}
    return tuple(by_metric.values())


def _of_experiment(
    experiment: str | None, tables: Tables, directions: Directions
) -> Iterator[MeasuredEffect]:
    if experiment is None or "experiment_results" not in tables:
        return
    listed = tables["experiments"].filter(pl.col("experiment") == experiment)
    if listed.is_empty():
        return
    shipped, control = listed.select("ships", "control").row(0)
    # The verdict does not tell the control: where its numbers are hidden it is "hidden".
    rows = tables["experiment_results"].filter(
        (pl.col("experiment") == experiment) & (pl.col("variant") != control)
    )
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
                p_value=row.get("p_value"),
            )


def _of_release(release: str | None, tables: Tables, directions: Directions) -> Iterator[MeasuredEffect]:
    if release is None or "release_impact" not in tables:
        return
    # Where every rung was refused, none is the strongest, and the first says why.
    own = tables["release_impact"].filter(pl.col("release") == release)
    ordered = own.sort("strongest", descending=True, maintain_order=True)
    rows = ordered.unique("metric", keep="first", maintain_order=True)
    day = _days(tables).get(release)
    for row in rows.iter_rows(named=True):
        direction = directions.get(row["metric"])
        if direction is not None:
            three = (row["effect"], row["low"], row["high"])
            base = _before(tables["metric_values"], row["metric"], day)
            relative = relative_effect(three, *base) if base else (None, None, None)
            yield MeasuredEffect(
                row["metric"],
                *three,
                *relative,
                method=row["method"] or row["rung"],
                grade=row["grade"],
                direction=direction,
                reason=row["reason"] or "",
                p_value=row.get("p_value"),
            )


def _before(values: pl.DataFrame, metric: str, day: dt.date | None) -> tuple[float, float] | None:
    """Everybody's mean daily value in the four weeks before the release, what a relative effect is relative to."""
    if day is None:
        return None
    own = values.filter(
        (pl.col("metric") == metric) & (pl.col("segment") == "all") & (pl.col("period") == "day")
        & pl.col("complete") & (pl.col("period_end") < day) & pl.col("value").is_not_null()
        & (pl.col("period_start") >= day - dt.timedelta(days=_DAYS_BEFORE))
    )  # fmt: skip
    return mean_with_error(own.unique("period_start").sort("period_start")["value"].to_list())


def why_unmeasured(release: str | None, tables: Tables) -> str:
    """Says why nothing was measured of a release, where that is a matter of how it was released.

    Args:
        release: The release that a bet names, or None.
        tables: The published tables.

    Returns:
        Why, as part of a sentence; empty where the log of releases does not tell.
    """
    if release is None:
        return ""
    known = tables.get("releases", pl.DataFrame({"release": []})).filter(pl.col("release") == release)
    if known.is_empty():
        return "the release that it names is not in the log of releases"
    row = known.row(0, named=True)
    if (back := row.get("rolled_back_on")) is not None:
        return f"it was taken back on {back}, before anybody could tell: an experiment would have told"
    if row.get("assessed") is False:
        return "it went live with a deploy, whose effect nobody asked for: an experiment would have told"
    return ""


def release_days(options: Mapping[str, Option], tables: Tables) -> dict[str, dt.date]:
    """Finds the days on which options went live.

    Args:
        options: Options by name.
        tables: The published tables.

    Returns:
        Option -> day, as far as the release log tells.
    """
    days = _days(tables)
    return {name: days[option.release] for name, option in options.items() if option.release in days}


def _days(tables: Tables) -> dict[str, dt.date]:
    """Release -> day on which it went live."""
    if "releases" not in tables:
        return {}
    rows = tables["releases"].select("release", "released_on").iter_rows()
    return {release: day for release, day in rows if day is not None}


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
