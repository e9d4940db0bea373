"""Charts of the report: Headway's figures, fitted to the page, as JSON for the one shared script."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from headway_pipelines.report.model import Metric, Series
from headway_pipelines.report.numbers import month, short_day
from headway_pipelines.report.sections import ActiveSeries

if TYPE_CHECKING:
    from headway.charts.releases import Mark

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


def metric_chart(metric: Metric, series: Series, marks: Sequence[Mark] = ()) -> str:
    """Draws a metric's periods of one kind: line, interval band, target, limit; incomplete ones dotted and hollow.

    Args:
        metric: The metric.
        series: One of its series of everybody.
        marks: Releases, drawn on their days.

    Returns:
        The figure as JSON; periods without a value are gaps.
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
        for cell in series.cells
    ]
    frame = pl.DataFrame([("all", metric.unit, *row) for row in rows], schema=_CELLS, orient="row")
    target = metric.target if metric.target_period == series.grain.name else None
    figure = metric_figure(frame, title=metric.title, target=target, limit=metric.limit).to_plotly_json()
    for mark in figure["layout"].get("annotations", ()):
        # A period is narrower here than the figure's mark of a hidden one; the legend below says it in words.
        if mark.get("text") == SUPPRESSED:
            mark["text"] = "×"
    starts = [cell.start for cell in series.cells]
    return _json(_with_marks(figure, marks, starts), starts, months=series.grain.name == "month")


def _with_marks(figure: dict[str, Any], marks: Sequence[Mark], days: Sequence[date]) -> dict[str, Any]:
    from headway.charts.releases import marked

    return marked(figure, marks, min(days), max(days)) if marks and days else figure


def active_chart(series: Sequence[ActiveSeries], marks: Sequence[Mark] = ()) -> str:
    """Draws people active in windows of days, one line per window.

    Args:
        series: One per window.
        marks: Releases, drawn on their days.

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
    figure = active_people_figure(pl.DataFrame(rows, schema=columns, orient="row")).to_plotly_json()
    days = sorted({day for _, day, _, _ in rows})
    return _json(_with_marks(figure, marks, days), days)


def experiment_chart(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draws the relative effects of an experiment.

    Args:
        rows: Its published results.

    Returns:
        The figure as JSON.
    """
    from headway.charts.experiment import experiment_figure

    return _fixed(experiment_figure(rows).to_plotly_json())


def novelty_chart(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draws an effect by day since exposure.

    Args:
        rows: Published rows of one metric.

    Returns:
        The figure as JSON.
    """
    from headway.charts.experiment import novelty_figure

    return _fixed(novelty_figure(rows).to_plotly_json())


def _fixed(figure: dict[str, Any]) -> str:
    """Fits a figure without dates to the page."""
    layout = figure["layout"]
    layout |= {"height": HEIGHT, "margin": {"l": 8, "r": 16, "t": 16, "b": 8}, "dragmode": False}
    for axis in ("xaxis", "yaxis"):
        layout[axis] = {**layout.get(axis, {}), "fixedrange": True}
    for said_elsewhere in ("title", "template"):
        layout.pop(said_elsewhere, None)
    return _safe(figure)


def template_json() -> str:
    """Returns what all charts have in common, said once a page."""
    import plotly.io as pio

    from headway.charts.theme import TEMPLATE

    return _safe(pio.templates[TEMPLATE].to_plotly_json())


def _ticks(days: Sequence[date], *, months: bool) -> dict[str, Any]:
    """Puts dates under the starts of periods, evenly; the year where it begins."""
    step = max(math.ceil(len(days) / _TICKS), 1)
    shown = list(days[::-1][::step][::-1])
    years = [None, *(day.year for day in shown)]
    texts = [
        (month(day).split(" ")[0] if months else short_day(day))
        + (f"<br>{day.year}" if day.year != before else "")
        for day, before in zip(shown, years, strict=False)
    ]
    return {"tickvals": [day.isoformat() for day in shown], "ticktext": texts, "tickangle": 0}


def _json(figure: dict[str, Any], days: Sequence[date], *, months: bool = False) -> str:
    """Fits a figure to the page. The page has headings of its own, and a finger on a chart scrolls the page."""
    layout = figure["layout"]
    # The figures leave room on the right for the names of lines, and only for these.
    room = max((layout.get("margin") or {}).get("r") or 0, 16)
    layout |= {"height": HEIGHT, "margin": {"l": 8, "r": room, "t": 16, "b": 8}, "dragmode": False}
    layout["xaxis"] = {**layout.get("xaxis", {}), "fixedrange": True, **_ticks(days, months=months)}
    layout["yaxis"] = {**layout.get("yaxis", {}), "fixedrange": True}
    for said_elsewhere in ("title", "template"):
        layout.pop(said_elsewhere, None)
    return _safe(figure)


def _safe(figure: dict[str, Any]) -> str:
    """Prints JSON so that no text in it can end the script element."""
    from plotly.utils import PlotlyJSONEncoder

    text = json.dumps(figure, cls=PlotlyJSONEncoder, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
