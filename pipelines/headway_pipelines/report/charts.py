"""Charts of the report: Headway's figures, fitted to the page, as JSON for the one shared script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import short_day
from headway_pipelines.report.sections import ActiveSeries

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 280
"""Height of every chart in pixels; the style sheet reserves it before the chart is drawn."""

_TICKS = 5
"""Dates under a chart: as many as fit a phone side by side."""

_CELLS = {
    "segment": pl.String,
    "unit": pl.String,
    "period_start": pl.Date,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "complete": pl.Boolean,
    "suppressed": pl.Boolean,
}


def weekly_chart(metric: Metric) -> str:
    """Draws a metric's weeks: line, interval band, target; incomplete weeks dotted and hollow.

    Args:
        metric: The metric.

    Returns:
        The figure as JSON; weeks without a value are gaps.
    """
    # Plotly takes longer to import than the rest of the report to build.
    from headway.charts import metric_figure
    from headway.charts.theme import SUPPRESSED

    rows = [
        (
            cell.start,
            cell.estimate.value if cell.estimate else None,
            cell.estimate.low if cell.estimate else None,
            cell.estimate.high if cell.estimate else None,
            cell.complete,
            cell.suppressed,
        )
        for cell in metric.weeks.cells
    ]
    frame = pl.DataFrame([("all", metric.unit, *row) for row in rows], schema=_CELLS, orient="row")
    target = metric.target if metric.target_period == "week" else None
    figure = metric_figure(frame, title=metric.title, target=target)
    # A week is narrower here than the figure's mark of a hidden one; the legend under the chart says it in words.
    figure.for_each_annotation(lambda mark: mark.update(text="×"), selector={"text": SUPPRESSED})
    return _json(figure, [cell.start for cell in metric.weeks.cells])


def active_chart(series: Sequence[ActiveSeries]) -> str:
    """Draws people active in windows of days, one line per window.

    Args:
        series: One per window.

    Returns:
        The figure as JSON; a line begins once the data cover its whole window: before, it would only show how
        the data begin.
    """
    from headway.charts import active_people_figure

    rows = [
        (each.window_days, point.day, point.value if point.covered else None, point.complete)
        for each in series
        for point in each.points
    ]
    columns = {"window_days": pl.Int64, "period_start": pl.Date, "value": pl.Float64, "complete": pl.Boolean}
    figure = active_people_figure(pl.DataFrame(rows, schema=columns, orient="row"))
    return _json(figure, sorted({day for _, day, _, _ in rows}))


def _ticks(days: Sequence[date]) -> dict[str, Any]:
    """Puts dates under the starts of periods, evenly; the year where it begins."""
    step = max(math.ceil(len(days) / _TICKS), 1)
    shown = list(days[::-1][::step][::-1])
    years = [None, *(day.year for day in shown)]
    texts = [
        short_day(day) + (f"<br>{day.year}" if day.year != before else "")
        for day, before in zip(shown, years, strict=False)
    ]
    return {"tickvals": [day.isoformat() for day in shown], "ticktext": texts, "tickangle": 0}


def _json(figure: go.Figure, days: Sequence[date]) -> str:
    """Fits a figure to the page and prints it so that no text in it can end the script element.

    The page has headings of its own, and a finger on a chart scrolls the page.
    """
    # The figures leave room on the right for the names of lines, and only for these.
    margin = {"l": 8, "r": max(figure.layout.margin.r or 0, 16), "t": 16, "b": 8}
    figure.update_layout(title=None, height=HEIGHT, margin=margin, dragmode=False)
    figure.update_xaxes(fixedrange=True, **_ticks(days))
    figure.update_yaxes(fixedrange=True)
    text = str(figure.to_json(validate=False))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
