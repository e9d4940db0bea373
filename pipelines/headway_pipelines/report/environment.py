"""What templates are filled with: numbers in words, charts, small drawings."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from headway_pipelines.report import charts, numbers, words
from headway_pipelines.report.judge import GUARDS, VERDICTS
from headway_pipelines.report.model import Cell, Metric, Series
from headway_pipelines.report.sparkline import sparkline

TABLE_ROWS = 26
"""Periods listed under each chart."""

_METHODS = {
    "wilson": "Wilson’s score interval of a share",
    "poisson exact": "Garwood’s exact interval of a count",
    "student t": "Student’s t interval of a mean",
    "adjusted wald": "adjusted Wald interval of Agresti and Min",
    "compound poisson": "interval of a compound Poisson sum",
    "delta method": "delta method’s interval of a ratio over people",
    "woodruff": "Woodruff’s interval of a quantile over people",
    "delete-a-group jackknife": "delete-a-group jackknife over 32 groups of people",
    "post-stratified": "interval of a mean weighted by channel",
    "tukey mclaughlin": "Tukey and McLaughlin’s interval of a trimmed mean over people",
    "brookmeyer crowley": "Brookmeyer and Crowley’s interval of a quantile of durations",
}


@cache
def environment() -> Environment:
    """Returns the templates, with the words and drawings they use.

    Returns:
        The environment; markup in names of products, metrics and events is escaped.
    """
    found = Environment(
        loader=PackageLoader("headway_pipelines.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"unbroken": _unbroken, "week": numbers.week}
    found.globals |= {
        "GUARDS": GUARDS,
        "VERDICTS": VERDICTS,
        "active_chart": lambda series, marks=(): Markup(charts.active_chart(series, marks)),
        "change_parts": words.change_parts,
        "count": numbers.count,
        "day": numbers.day,
        "dimensions": dimensions,
        "drawable": lambda rows: any(series.drawable for _, series in rows),
        "estimate_parts": words.estimate_parts,
        "guard_words": words.guard_words,
        "limit_words": words.limit_words,
        "methods": _methods,
        "moment": numbers.moment,
        "noise_class": _noise_class,
        "noise_words": words.noise_words,
        "sparkline": sparkline,
        "state": _state,
        "table_rows": TABLE_ROWS,
        "target_words": words.target_words,
        "value_words": words.value_words,
        "chart_template": lambda: Markup(charts.template_json()),
        "metric_chart": lambda metric, series, marks=(): Markup(charts.metric_chart(metric, series, marks)),
        "period_noun": words.period_noun,
    }
    return found


def dimensions(metric: Metric) -> list[tuple[str, list[tuple[str, Series]]]]:
    """Sorts a metric's segments by what they break down.

    Args:
        metric: The metric, whose segments are named ``channel=email``.

    Returns:
        For every dimension its name and its segments with their labels.
    """
    found: dict[str, list[tuple[str, Series]]] = {}
    for series in metric.segments:
        name, _, label = series.segment.partition("=")
        found.setdefault(name if label else "segment", []).append((label or name, series))
    return list(found.items())


_QUANTITY = re.compile(r"[\d,.]+ %( \([^()]{1,24}\))?|\([^()]{1,24}\)")


def _unbroken(sentence: str) -> Markup:
    """Keeps a number, its unit and its interval on one line."""
    return Markup(_QUANTITY.sub(r'<span class="unbroken">\g<0></span>', str(escape(sentence))))


def _state(metric: Metric, cell: Cell) -> str:
    if cell.suppressed:
        return "hidden"
    if not cell.complete:
        return "incomplete"
    if cell.redefined:
        return "by an earlier definition"
    return "the data begin within it" if metric.partly_before_data(cell) else "complete"


def _noise_class(metric: Metric) -> str:
    if metric.change is None or not metric.change.distinct:
        return ""
    return "better" if words.improved(metric) else "worse"


def _methods(metric: Metric) -> str:
    return "; ".join(_METHODS.get(name, name) for name in metric.methods) or "none"
