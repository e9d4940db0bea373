"""What moved: changes of the latest complete period, the segments they come from, days that nobody expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from headway.moved import Move, moves
from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import amount, bounds, day, decimals, month, signed, week
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report

#: Labels named for one change; the rest is counted.
EFFECTS_SHOWN: Final = 3
#: Unexpected days shown, the latest first.
DAYS_SHOWN: Final = 20

_COMPARISONS = (
    ("week", "previous", "The latest complete week, beside the week before"),
    ("month", "previous", "The latest complete month, beside the month before"),
    ("week", "last year", "The latest complete week, beside the same week a year earlier"),
    ("month", "last year", "The latest complete month, beside the same month a year earlier"),
)


@dataclass(frozen=True)
class Line:
    """One change in words.

    Attributes:
        metric: The metric.
        when: Its period.
        value: The value now.
        before: The value then.
        change: The change.
        interval: Its 95 % interval; empty where there is none.
        tone: ``better``, ``worse`` or empty where it may be noise.
        verdict: What can be said of it.
        effects: What the labels that did most did.
    """

    metric: Metric
    when: str
    value: str
    before: str
    change: str
    interval: str
    tone: str
    verdict: str
    effects: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All changes of one kind of period.

    Attributes:
        anchor: Identifier of its place in the page.
        title: What is compared.
        sure: Changes whose interval excludes 0, the surest first.
        others: Changes that may be noise, or have no interval.
    """

    anchor: str
    title: str
    sure: tuple[Line, ...]
    others: tuple[Line, ...]


@dataclass(frozen=True)
class Surprise:
    """One period whose value was not what its past let expect."""

    metric: Metric
    when: str
    value: str
    expected: str
    interval: str


def _fill(report: Report) -> Mapping[str, Any]:
    known = {metric.name: metric for metric in reversed(report.metrics)}
    comparisons = [each for each in _comparisons(report, known) if each.sure or each.others]
    found = list(_surprises(report.table("metric_anomalies"), known))
    return {
        "comparisons": comparisons,
        "surprises": found[:DAYS_SHOWN],
        "more_surprises": max(len(found) - DAYS_SHOWN, 0),
        "judged": _judged(report.table("metric_anomalies")),
    }


def _comparisons(report: Report, known: Mapping[str, Metric]) -> Iterator[Comparison]:
    changes, effects = report.table("metric_changes"), report.table("metric_effects")
    for period, compared_with, title in _COMPARISONS:
        found = moves(changes, effects, period=period, compared_with=compared_with)
        lines = [(each, _line(each, known[each.metric])) for each in found if each.metric in known]
        yield Comparison(
            f"{period}-{compared_with.replace(' ', '-')}",
            title,
            tuple(line for each, line in lines if each.is_sure),
            tuple(line for each, line in lines if not each.is_sure),
        )


def _line(move: Move, metric: Metric) -> Line:
    unit = metric.unit
    places = decimals(unit, move.change, move.low, move.high)
    interval = ""
    if move.low is not None and move.high is not None:
        interval = f"({bounds(move.low, move.high, unit, places)})"
    good = (move.change > 0) == (metric.direction != "down")
    return Line(
        metric,
        _when(move.period, move.period_start),
        amount(move.value, unit, places),
        amount(move.value_before, unit, places),
        signed(move.change, unit, places),
        interval,
        ("better" if good else "worse") if move.is_sure else "",
        _verdict(move, good),
        tuple(_effects(move, unit, places)),
    )


def _verdict(move: Move, good: bool) -> str:
    if move.evidence is None:
        return "no interval: cannot tell it from noise"
    return f"{'better' if good else 'worse'}, more than noise" if move.is_sure else "within noise"


def _effects(move: Move, unit: str, places: int) -> Iterator[str]:
    """Says what the labels did that did most; effects smaller than the last digit say nothing."""
    shown = [each for each in move.effects if abs(each.effect) > abs(move.change) / 20][:EFFECTS_SHOWN]
    # Parts of a change need a digit more than the change, but people are whole.
    finer = places if unit == "people" and places == 0 else places + 1
    for each in shown:
        text = f"{each.dimension.replace('_', ' ')} {each.label}: {signed(each.effect, unit, finer)}"
        if each.mix_effect is not None and each.rate_effect is not None:
            within, by_share = (
                signed(part, unit, finer).split()[0] for part in (each.rate_effect, each.mix_effect)
            )
            text += f" ({within} within it, {by_share} by its share)"
        yield text


def _surprises(anomalies: pl.DataFrame, known: Mapping[str, Metric]) -> Iterator[Surprise]:
    if anomalies.is_empty():
        return
    found = anomalies.filter("is_anomaly").sort("period_start", "metric", descending=[True, False])
    for row in found.iter_rows(named=True):
        metric = known.get(row["metric"])
        if metric is None:
            continue
        places = decimals(metric.unit, row["expected"], row["low"], row["high"])
        yield Surprise(
            metric,
            _when(row["period"], row["period_start"]),
            amount(row["value"], metric.unit, places),
            amount(row["expected"], metric.unit, places),
            f"({bounds(row['low'], row['high'], metric.unit, places)})",
        )


def _judged(anomalies: pl.DataFrame) -> int:
    """Counts the periods that could be judged."""
    return 0 if anomalies.is_empty() else anomalies.filter(pl.col("is_anomaly").is_not_null()).height


def _when(period: str, start: date) -> str:
    if period == "week":
        return week(start)
    return month(start) if period == "month" else day(start)


def _wanted(report: Report) -> bool:
    return not report.table("metric_changes").is_empty()


PAGE = Page("moved.html", "What moved", "moved.html.j2", _fill, _wanted)
