"""How people move through the product: active people, funnels, retention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report
from headway_pipelines.report.sections import active_series, funnel_views, heat_maps


def _fill(report: Report) -> Mapping[str, Any]:
    return {
        "active": active_series(report.table("active_people"), report.calendar, report.hidden),
        "funnels": funnel_views(report.table("funnel_steps"), report.hidden),
        "heat_maps": heat_maps(report.table("retention_cells"), report.hidden),
    }


PAGE = Page("people.html", "People", "people.html.j2", _fill)
