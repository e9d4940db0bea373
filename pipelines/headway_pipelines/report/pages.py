"""The report's pages: templates filled with what the published tables say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from headway.models.metrics import STAGES
from headway_pipelines.report import charts, numbers, words
from headway_pipelines.report.account import read_account
from headway_pipelines.report.judge import VERDICTS
from headway_pipelines.report.model import Cell, Metric, Series, read_calendar, read_metrics
from headway_pipelines.report.sections import active_series, funnel_views, heat_maps
from headway_pipelines.report.sparkline import WEEKS, sparkline

PAGES = ("index.html", "definitions.html", "data.html")

TABLE_WEEKS = 26
"""Weeks listed under each chart."""

_FRAMEWORKS = {"aarrr": "AARRR", "heart": "HEART", "customer": "Customer focus", "quality": "Product quality"}

_TAGLINES = {
    "acquisition": "Do people find it?",
    "activation": "Do they get to the first success?",
    "retention": "Do they come back?",
    "referral": "Do they bring others?",
    "revenue": "Do they pay?",
}

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


@dataclass(frozen=True)
class Group:
    """The metrics of one stage of one framework."""

    framework: str
    stage: str
    metrics: tuple[Metric, ...]

    @property
    def anchor(self) -> str:
        """Identifier of its section."""
        return f"{self.framework}-{self.stage}"

    @property
    def title(self) -> str:
        """Its name."""
        return self.stage.replace("_", " ").capitalize()

    @property
    def framework_title(self) -> str:
        """The framework's name."""
        return _FRAMEWORKS[self.framework]

    @property
    def tagline(self) -> str:
        """The question behind the stage."""
        return _TAGLINES.get(self.stage, "")


def render(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Fills the pages.

    Args:
        tables: The published tables; missing ones count as empty.

    Returns:
        File name -> HTML.
    """
    environment = _environment()
    context = _context(tables)
    return {
        page: environment.get_template(f"{page}.j2").render(context | {"page": page}) + "\n" for page in PAGES
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("headway_pipelines.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    environment.globals |= {
        "VERDICTS": VERDICTS,
        "active_chart": lambda series: Markup(charts.active_chart(series)),
        "change_parts": words.change_parts,
        "count": numbers.count,
        "day": numbers.day,
        "dimensions": dimensions,
        "drawable": lambda rows: any(series.drawable for _, series in rows),
        "estimate_parts": words.estimate_parts,
        "methods": _methods,
        "moment": numbers.moment,
        "noise_class": _noise_class,
        "noise_words": words.noise_words,
        "spark_weeks": WEEKS,
        "sparkline": sparkline,
        "state": _state,
        "table_weeks": TABLE_WEEKS,
        "target_words": words.target_words,
        "value_words": words.value_words,
        "week": numbers.week,
        "weekly_chart": lambda metric: Markup(charts.weekly_chart(metric)),
    }
    return environment


def _context(tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    empty = pl.DataFrame()
    infos = tables.get("run_info", empty)
    info: Mapping[str, Any] = infos.row(0, named=True) if infos.height else {}
    calendar = read_calendar(info)
    few = int(info.get("min_people") or 10)
    hidden = f"fewer than {few} people, or would reveal so few"
    metrics = read_metrics(tables, calendar)
    starts = [metric.weeks.latest.start for metric in metrics if metric.weeks.latest]
    return {
        "account": read_account(tables, info, calendar, few),
        "active": active_series(tables.get("active_people", empty), calendar, hidden),
        "calendar": calendar,
        "few": few,
        "funnels": funnel_views(tables.get("funnel_steps", empty), hidden),
        "groups": _groups(metrics),
        "heart": [metric for metric in metrics if metric.framework == "heart"],
        "heat_maps": heat_maps(tables.get("retention_cells", empty), hidden),
        "info": {"code_version": info.get("code_version")},
        "lead": words.lead(metrics),
        "metrics": metrics,
        "newest": max(starts, default=None),
        "place": _places(metrics),
        "product": str(info.get("product") or "Product"),
    }


def _groups(metrics: Sequence[Metric]) -> list[Group]:
    return [
        Group(framework, stage, tuple(m for m in metrics if (m.framework, m.stage) == (framework, stage)))
        for framework, stages in STAGES.items()
        for stage in stages
    ]


def _places(metrics: Sequence[Metric]) -> dict[str, str]:
    """Where each metric's chart is: at its first place, so that no chart is drawn twice."""
    found: dict[str, str] = {}
    for metric in metrics:
        found.setdefault(metric.name, metric.anchor)
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
    return "the data begin within it" if metric.partly_before_data(cell) else "complete"


def _noise_class(metric: Metric) -> str:
    if metric.change is None or not metric.change.distinct:
        return ""
    return "better" if words.improved(metric) else "worse"


def _methods(metric: Metric) -> str:
    return "; ".join(_METHODS.get(name, name) for name in metric.methods) or "none"
