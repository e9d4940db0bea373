"""For a privacy officer: what came in, what is kept and why, what is not, and how one can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report


def _fill(report: Report) -> Mapping[str, Any]:
    return {"privacy": report.privacy}


PAGE = Page("privacy.html", "Privacy", "privacy.html.j2", _fill, lambda report: report.privacy is not None)
