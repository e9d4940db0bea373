"""The report's pages: a list. A further page is a module with a `Page`, and its place in the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from headway_pipelines.report.environment import environment
from headway_pipelines.report.pages import (
    data,
    definitions,
    experiments,
    framework,
    leadership,
    moved,
    overview,
    people,
    privacy,
    releases,
    strategy,
    teams,
)
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report, read_report

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    moved.PAGE,
    *strategy.PAGES,
    teams.PAGE,
    leadership.PAGE,
    experiments.PAGE,
    releases.PAGE,
    *framework.PAGES,
    people.PAGE,
    definitions.PAGE,
    data.PAGE,
    privacy.PAGE,
)
"""Every page, in the order of the navigation."""


def render(tables: Mapping[str, pl.DataFrame], account: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Fills the pages.

    Args:
        tables: The published tables; missing ones count as empty.
        account: What the page of privacy says; without it there is none.

    Returns:
        File name -> HTML.
    """
    report = read_report(tables, account)
    wanted = [page for page in PAGES if page.wanted(report)]
    common = shared(report, wanted)
    return {
        page.file: environment()
        .get_template(page.template)
        .render({**common, **page.fill(report), "page": page.file})
        + "\n"
        for page in (*wanted, *experiments.details(report))
    }


def shared(report: Report, pages: list[Page]) -> dict[str, Any]:
    """Returns what every template may use.

    Args:
        report: What the published tables say.
        pages: The pages that are written.

    Returns:
        Name in the templates -> value.
    """
    return {
        "account": report.account,
        "calendar": report.calendar,
        "few": report.few,
        "info": {"code_version": report.info.get("code_version")},
        "link": report.link,
        "marks": releases.marks(report),
        "pages": pages,
        "places": report.places,
        "product": report.product,
    }
