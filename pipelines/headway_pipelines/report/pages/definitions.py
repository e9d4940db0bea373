"""What every number means and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report


def _fill(report: Report) -> Mapping[str, Any]:
    return {"groups": [group for group in report.groups if group.metrics]}


PAGE = Page("definitions.html", "Definitions", "definitions.html.j2", _fill)
