"""Recent periods as a line of the height of a row: an inline drawing, no script."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from markupsafe import Markup

from headway_pipelines.report.model import Cell, Metric, Series
from headway_pipelines.report.words import value_words

_WIDTH, _HEIGHT, _PAD = 132, 36, 4

_Point = tuple[float, float]


def sparkline(metric: Metric, series: Series) -> Markup:
    """Draws the recent periods of one series.

    Args:
        metric: Its metric.
        series: The series: everybody, or one segment.

    Returns:
        An SVG element with a text alternative; periods without a value are gaps, incomplete ones dashed.
    """
    cells = series.cells[-series.grain.recent :]
    shown = [cell for cell in cells if cell.estimate]
    if not shown:
        return Markup('<span class="none">nothing to draw</span>')
    scale = _Scale(cells)
    parts = [
        *(_polygon(scale, run) for run in _runs(cells, complete_only=True) if len(run) > 1),
        *(_polyline(scale, run, "line") for run in _runs(cells, complete_only=True)),
        *(_polyline(scale, pair, "open") for pair in _open_ends(cells)),
    ]
    latest = series.latest
    if latest is not None and latest.estimate is not None and latest in cells:
        x, y = scale.point(latest, latest.estimate.value)
        parts.append(Markup('<circle class="dot" cx="{}" cy="{}" r="3"/>').format(_n(x), _n(y)))
    label = f"{metric.title}, {series.grain.by}: {_span(metric, shown)}"
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>'
    ).format(label, _WIDTH, _HEIGHT, _WIDTH, _HEIGHT, Markup("").join(parts))


def _span(metric: Metric, shown: Sequence[Cell]) -> str:
    ends = [
        f"{value_words(metric, cell)} in {metric.grain.words(cell.start)}" for cell in (shown[0], shown[-1])
    ]
    return " to ".join(ends if len(shown) > 1 else ends[:1])


class _Scale:
    """From days and values to the drawing's coordinates."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._first = cells[0].start
        self._days = max(float((cells[-1].start - self._first).days), 1.0)
        values = [cell.estimate.value for cell in cells if cell.estimate]
        # The interval may use up to as much height again as the values do, so that one wide interval is cut, not
        # the others flattened.
        room = max(max(values) - min(values), abs(max(values)) * 0.1) or 1.0
        lows = [c.estimate.low for c in cells if c.estimate and c.estimate.low is not None]
        highs = [c.estimate.high for c in cells if c.estimate and c.estimate.high is not None]
        self._bottom = max(min([*values, *lows]), min(values) - room)
        self._top = min(max([*values, *highs]), max(values) + room)

    def point(self, cell: Cell, value: float) -> _Point:
        x = _PAD + (cell.start - self._first).days / self._days * (_WIDTH - 2 * _PAD)
        height = (self._top - self._bottom) or 1.0
        share = min(max((value - self._bottom) / height, 0.0), 1.0) if self._top > self._bottom else 0.5
        return x, _HEIGHT - _PAD - share * (_HEIGHT - 2 * _PAD)


def _runs(cells: Sequence[Cell], *, complete_only: bool) -> list[list[Cell]]:
    """Splits periods at gaps: a line never bridges one without a value."""

    def usable(cell: Cell) -> bool:
        return cell.estimate is not None and (cell.complete or not complete_only)

    return [list(run) for fine, run in groupby(cells, usable) if fine]


def _open_ends(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Pairs of neighbouring periods of which the later is incomplete."""
    return [
        [a, b] for a, b in pairwise(cells) if a.estimate and b.estimate and not (a.complete and b.complete)
    ]


def _polyline(scale: _Scale, cells: Sequence[Cell], style: str) -> Markup:
    points = [scale.point(cell, cell.estimate.value) for cell in cells if cell.estimate]
    if len(points) == 1:
        (x, y) = points[0]
        return Markup('<circle class="{}" cx="{}" cy="{}" r="1.5"/>').format(style, _n(x), _n(y))
    return Markup('<polyline class="{}" points="{}"/>').format(style, _joined(points))


def _polygon(scale: _Scale, cells: Sequence[Cell]) -> Markup:
    ends = [
        (scale.point(cell, cell.estimate.low), scale.point(cell, cell.estimate.high))
        for cell in cells
        if cell.estimate and cell.estimate.low is not None and cell.estimate.high is not None
    ]
    outline = [low for low, _ in ends] + [high for _, high in reversed(ends)]
    return Markup('<polygon class="band" points="{}"/>').format(_joined(outline))


def _joined(points: Sequence[_Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    return f"{value:.1f}"
