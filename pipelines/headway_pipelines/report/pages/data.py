"""What the numbers are based on: what was read, kept, refused and hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report


def _fill(report: Report) -> Mapping[str, Any]:
    return {}


PAGE = Page("data.html", "Data and privacy", "data.html.j2", _fill)
