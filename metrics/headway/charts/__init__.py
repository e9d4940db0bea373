"""Plotly figures in one quiet style, from Polars frames."""

from headway.charts.explorer import explorer_figure
from headway.charts.funnel import funnel_figure
from headway.charts.lines import active_people_figure, metric_figure, trend_figure
from headway.charts.retention import retention_figure
from headway.charts.theme import PALETTE, TEMPLATE

__all__ = [
    "PALETTE",
    "TEMPLATE",
    "active_people_figure",
    "explorer_figure",
    "funnel_figure",
    "metric_figure",
    "retention_figure",
    "trend_figure",
]
