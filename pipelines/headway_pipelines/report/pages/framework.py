"""One page per framework: every metric of it with charts, segments, interval, target and definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import FRAMEWORKS, Report

_QUESTIONS = {
    "aarrr": "From finding the product to paying for it",
    "heart": "How good is it for the people who use it?",
    "customer": "How are people served who ask for help?",
    "quality": "Does the product itself work, fast and always?",
}

_SHORT = {"customer": "Customer", "quality": "Quality"}


def _page(framework: str) -> Page:
    def fill(report: Report) -> Mapping[str, Any]:
        groups = [group for group in report.groups if group.framework == framework]
        metrics = [metric for group in groups for metric in group.metrics]
        weekly = [m.main.latest.start for m in metrics if m.main.latest and m.grain.name == "week"]
        return {
            "framework": framework,
            "title": FRAMEWORKS[framework],
            "question": _QUESTIONS[framework],
            # Beside every outcome; what the page itself is about is in its own table.
            "guards": [
                metric for metric in report.guards if metric.name not in {each.name for each in metrics}
            ],
            "groups": [group for group in groups if group.metrics],
            "metrics": metrics,
            "newest": max(weekly, default=None),
            # HEART leads from goals over signals to metrics; elsewhere a goal stands with its metric.
            "has_goals": framework == "heart",
        }

    def wanted(report: Report) -> bool:
        return any(metric.framework == framework for metric in report.metrics)

    return Page(
        f"{framework}.html", _SHORT.get(framework, FRAMEWORKS[framework]), "framework.html.j2", fill, wanted
    )


PAGES = tuple(_page(framework) for framework in FRAMEWORKS)
