"""What moved: changes by evidence, where in the product they happened, and periods nobody expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headway.moved import Effect, Move, moves
from headway_pipelines.report.grains import GRAINS
from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import amount, apart, bounds, decimals, finite, signed
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report

LABELS = 3
"""Labels of a segment that are named: those of the largest effects."""

UNEXPECTED = 40
"""Periods nobody expected that are listed, the latest first."""

_COMPARED = {"previous": "Against the period before", "last year": "Against the year before"}


@dataclass(frozen=True)
class Moved:
    """One metric's change, as texts.

    Attributes:
        metric: The metric.
        when: The two periods.
        before: The earlier value.
        now: The value.
        change: The change.
        interval: Its 95 % interval, empty where there is none.
        judged: Whether it is more than noise.
        better: Whether it went the good way.
        where: Segment and what its labels did, the largest effects first; hidden ones are not known.
    """

    metric: Metric
    when: str
    before: str
    now: str
    change: str
    interval: str
    judged: bool
    better: bool
    where: tuple[tuple[str, str], ...]


def _fill(report: Report) -> Mapping[str, Any]:
    return {
        "comparisons": [
            (title, [m for m in found if m.judged], [m for m in found if not m.judged])
            for name, title in _COMPARED.items()
            if (found := list(_moved(report, name)))
        ],
        "unexpected": list(_unexpected(report)),
    }


def _wanted(report: Report) -> bool:
    return report.table("metric_changes").height > 0


def _moved(report: Report, compared_with: str) -> Iterator[Moved]:
    """The surest first, each metric by the kind of period it is shown by."""
    changes, effects = report.table("metric_changes"), report.table("metric_effects")
    metrics = {metric.name: metric for metric in report.metrics[::-1]}
    found = [
        move
        for grain in GRAINS
        for move in moves(changes, effects, period=grain, compared_with=compared_with)
        if move.metric in metrics and metrics[move.metric].grain.name == grain
    ]
    for move in sorted(found, key=lambda each: -(each.evidence or 0.0)):
        yield _told(metrics[move.metric], move)


def _told(metric: Metric, move: Move) -> Moved:
    places = decimals(metric.unit, move.change, move.low, move.high)
    if move.is_sure:
        # An end of the interval that is not 0 must not look like 0.
        places = apart(places, metric.unit, (move.low, 0.0), (move.high, 0.0))
    known = move.low is not None and move.high is not None
    return Moved(
        metric=metric,
        when=f"{metric.grain.words(move.period_before)}, then {metric.grain.words(move.period_start)}",
        before=amount(move.value_before, metric.unit, places),
        now=amount(move.value, metric.unit, places),
        change=signed(move.change, metric.unit, places).replace("percentage ", ""),
        interval=f"({bounds(move.low or 0.0, move.high or 0.0, metric.unit, places)})" if known else "",
        judged=move.is_sure,
        better=(move.change > 0) == (metric.direction != "down"),
        where=tuple(_where(metric, move, places)),
    )


def _where(metric: Metric, move: Move, places: int) -> Iterator[tuple[str, str]]:
    for dimension in dict.fromkeys(effect.dimension for effect in move.effects):
        mine = [effect for effect in move.effects if effect.dimension == dimension]
        told = [_effect(metric, effect, places) for effect in mine[:LABELS]]
        if len(mine) > LABELS:
            told.append(f"{len(mine) - LABELS} more")
        if dimension not in move.whole:
            told.append("others are hidden")
        yield dimension.replace("_", " "), "; ".join(told)


def _effect(metric: Metric, effect: Effect, places: int) -> str:
    text = f"{effect.label} {_bare(metric, effect.effect, places)}"
    if effect.mix_effect is None or effect.rate_effect is None:
        return text
    size, value = (_bare(metric, part, places) for part in (effect.mix_effect, effect.rate_effect))
    return f"{text} (size {size}, value {value})"


def _bare(metric: Metric, value: float, places: int) -> str:
    """The number alone: the row says of what it is a part."""
    return signed(value, metric.unit, places).split(" ")[0]


def _unexpected(report: Report) -> Iterator[tuple[Metric, str, str, str]]:
    """Metric, period, value and expected range of the latest periods nobody expected."""
    table = report.table("metric_anomalies")
    metrics = {metric.name: metric for metric in report.metrics[::-1]}
    if not table.height:
        return
    rows = table.filter(is_anomaly=True).sort("period_start", "metric", descending=[True, False])
    for row in rows.head(UNEXPECTED).iter_rows(named=True):
        metric = metrics.get(row["metric"])
        if metric is None:
            continue
        value, low, high = finite(row["value"]), finite(row["low"]), finite(row["high"])
        if value is None or low is None or high is None:
            continue
        places = decimals(metric.unit, value, low, high)
        expected = bounds(low, high, metric.unit, places)
        when = GRAINS[row["period"]].words(row["period_start"])
        yield metric, when, amount(value, metric.unit, places), expected


PAGE = Page("moved.html", "What moved", "moved.html.j2", _fill, _wanted)
