"""Figures of strategy pages in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import DASH, MINUS, amount, bounds, decimals
from headway_pipelines.report.reading import Report


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is about, and its cells in words.

    Attributes:
        title: What it is about.
        note: Something smaller below.
        cells: Its cells.
        tone: ``better``, ``worse`` or empty, of the last cell.
    """

    title: str
    note: str
    cells: tuple[str, ...]
    tone: str = ""


def rows(report: Report, name: str) -> Iterator[dict[str, Any]]:
    """Yields the rows of a published table; none where it is missing."""
    yield from report.table(name).iter_rows(named=True)


def figure(row: Mapping[str, Any], metric: Metric | None) -> str:
    """Says a metric's value with its interval."""
    return in_unit(row, metric.unit) if metric is not None else DASH


def in_unit(row: Mapping[str, Any], unit: str) -> str:
    """Says a value with its interval in a unit; a dash where there is none to show."""
    if row["value"] is None:
        return DASH
    places = decimals(unit, row["value"], row["low"], row["high"])
    text = amount(row["value"], unit, places)
    if row["low"] is None or row["high"] is None:
        return text
    return f"{text} ({bounds(row['low'], row['high'], unit, places)})"


def beside(value: float | None, metric: Metric | None) -> str:
    """Says a target or a limit in a metric's unit."""
    if value is None or metric is None:
        return DASH
    return amount(value, metric.unit, decimals(metric.unit, value))


def effect(value: float | None, row: Mapping[str, Any], metric: Metric | None) -> str:
    """Says an effect on the scale of the row."""
    if value is None:
        return DASH
    if row["scale"] == "relative":
        text = f"{100 * value:+.3g} %"
    else:
        text = f"{100 * value:+.3g} points" if metric and metric.unit == "percent" else f"{value:+.3g}"
    return text.replace("-", MINUS)


def metrics_of(report: Report) -> dict[str, Metric]:
    """Returns the report's metrics by name."""
    return {metric.name: metric for metric in reversed(report.metrics)}


def titles_of(report: Report) -> dict[str, str]:
    """Returns the titles of the strategy's nodes by name."""
    return {row["node"]: row["title"] for row in rows(report, "strategy_nodes")}
