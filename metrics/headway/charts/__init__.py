"""Plotly figures in one quiet style, from Polars frames."""

from headway.charts.explorer import explorer_figure
from headway.charts.frequency import (
    power_users_figure,
    stickiness_figure,
    survival_figure,
    usage_interval_figure,
)
from headway.charts.funnel import funnel_figure
from headway.charts.growth import growth_figure, lifecycle_figure
from headway.charts.lines import active_people_figure, metric_figure, trend_figure
from headway.charts.retention import retention_curves_figure, retention_figure
from headway.charts.theme import PALETTE, TEMPLATE

__all__ = [
    "PALETTE",
    "TEMPLATE",
    "active_people_figure",
    "explorer_figure",
    "funnel_figure",
    "growth_figure",
    "lifecycle_figure",
    "metric_figure",
    "power_users_figure",
    "retention_curves_figure",
    "retention_figure",
    "stickiness_figure",
    "survival_figure",
    "trend_figure",
    "usage_interval_figure",
]
