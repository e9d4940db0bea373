"""Kata of the strategy page: where a team wants to be, and every turn on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import DASH, amount, bounds, count, day, decimals
from headway_pipelines.report.pages.strategy_words import Line, beside, metrics_of, rows, titles_of
from headway_pipelines.report.reading import Report

_CAME: Final = {
    "as expected": "as expected", "less": "less than expected", "more": "more than expected",
    "not measured": "no value to show", "open": "still open",
}  # fmt: skip


@dataclass(frozen=True)
class KataView:
    """One kata.

    Attributes:
        anchor: Identifier of its place in the page.
        title: Its name for people.
        about: Which team practises it, and what it serves.
        target: Where the team wants to be next.
        steps: Its turns, oldest first.
    """

    anchor: str
    title: str
    about: str
    target: str
    steps: tuple[Line, ...]


def kata_views(report: Report) -> list[KataView]:
    """Lists the kata.

    Args:
        report: What was published.

    Returns:
        The kata with their turns.
    """
    known, titles = metrics_of(report), titles_of(report)
    teams = {row["team"]: row["title"] for row in rows(report, "strategy_teams")}
    found = []
    for row in rows(report, "kata"):
        metric = known.get(row["metric"])
        title = metric.title if metric else row["metric"]
        steps = report.table("kata_steps").filter(pl.col("kata") == row["kata"]).iter_rows(named=True)
        found.append(
            KataView(
                row["kata"],
                row["title"],
                f"{teams.get(row['team'], row['team'])}, for {titles.get(row['direction'], row['direction'])}",
                f"{title}: {beside(row['target'], metric)} by {day(row['by'])}",
                tuple(_step(step, metric, known, report) for step in steps),
            )
        )
    return found


def practice(report: Report) -> list[Line]:
    """Says how teams practise.

    Args:
        report: What was published.

    Returns:
        One line per team with a kata, and one for all.
    """
    teams = {row["team"]: row["title"] for row in rows(report, "strategy_teams")} | {"all": "All teams"}
    return [
        Line(
            teams.get(row["team"], row["team"]), "",
            (
                f"{count(row['closed'])} of {count(row['steps'])}",
                DASH if row["cycle_days"] is None else f"{row['cycle_days']:.3g} days",
                DASH if row["steps_per_30_days"] is None else f"{row['steps_per_30_days']:.2g}",
                DASH if row["surprised"] is None else f"{100 * row['surprised']:.0f} %",
            ),
        )
        for row in rows(report, "kata_measures")
    ]  # fmt: skip


def _step(row: Mapping[str, Any], metric: Metric | None, known: Mapping[str, Metric], report: Report) -> Line:
    tests = f" (tested as {_tested(row['tests'], report)})" if row["tests"] else ""
    expected = (
        f"{beside(row['expected_low'], metric)} to {beside(row['expected_high'], metric)} "
        f"by {day(row['expected_by'])}"
    )
    came = _CAME[row["came"]]
    if row["happened_on"]:
        figure = _figure(row, "happened", metric)
        came = f"{figure} on {day(row['happened_on'])}: {came}"
    return Line(
        f"{row['step']}. {day(row['date'])}", "",
        (
            _figure(row, "value", metric), obstacle(row["obstacle"], known, report), row["attempt"] + tests, expected,
            came, row["learned"] or DASH,
        ),
    )  # fmt: skip


def _figure(row: Mapping[str, Any], name: str, metric: Metric | None) -> str:
    prefix = "" if name == "value" else f"{name}_"
    value, low, high = row[name], row[f"{prefix}low"], row[f"{prefix}high"]
    if value is None or metric is None:
        return DASH
    places = decimals(metric.unit, value, low, high)
    text = amount(value, metric.unit, places)
    return text if low is None or high is None else f"{text} ({bounds(low, high, metric.unit, places)})"


def _tested(name: str, report: Report) -> str:
    tested: dict[str, str] = {row["experiment"]: row["title"] for row in rows(report, "experiments")}
    return (titles_of(report) | tested).get(name, name)


def obstacle(label: str, known: Mapping[str, Metric], report: Report) -> str:
    """Says an obstacle in words.

    Args:
        label: The obstacle as the command line writes it, for example ``funnel:publish:2``.
        known: The report's metrics by name.
        report: What was published.

    Returns:
        What people do not get to, come back to, or say.
    """
    kind, _, rest = label.partition(":")
    if kind == "funnel":
        name, _, step = rest.rpartition(":")
        for row in _told(report, "funnel_steps", "funnel", name):
            if str(row["step"]) == step:
                return f'step {step} of "{row["title"]}": {row["event"]}'
        return f"step {step} of {name}"
    if kind == "retention":
        title = next((row["title"] for row in _told(report, "retention_cells", "retention", rest)), rest)
        return f"coming back: {title}"
    return known[rest].title if rest in known else rest


def _told(report: Report, table: str, column: str, name: str) -> Iterator[Mapping[str, Any]]:
    for row in rows(report, table):
        if row[column] == name:
            yield row


__all__ = ["KataView", "kata_views", "obstacle", "practice"]
