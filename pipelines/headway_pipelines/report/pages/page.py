"""What a page of the report is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headway_pipelines.report.reading import Report


def _always(report: Report) -> bool:
    return True


@dataclass(frozen=True)
class Page:
    """One page: a template and what fills it.

    Attributes:
        file: Name of the file in the report's folder.
        name: What the navigation calls it.
        template: Its template.
        fill: From the report to what the template needs beyond `headway_pipelines.report.pages.shared`.
        wanted: Whether there is anything to show; pages that are not wanted are neither written nor linked.
    """

    file: str
    name: str
    template: str
    fill: Callable[[Report], Mapping[str, Any]]
    wanted: Callable[[Report], bool] = _always
