"""Experiments: the list with what they add up to, and a page for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from headway_pipelines.report.experiments import Experiment, read_experiments
from headway_pipelines.report.numbers import amount
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report

FILE = "experiments.html"


def _fill(report: Report) -> Mapping[str, Any]:
    # SciPy takes a moment to import; only a report with experiments pays for it.
    from headway.experiments.programme import programme

    found = read_experiments(report)
    results = report.table("experiment_results").to_dicts()
    # Not the day of the run: the data may end long before, and the instant at which they do is the next day's first.
    horizon = report.calendar.horizon
    last_day = (horizon - timedelta(microseconds=1)).date() if horizon else date.max
    whole = programme([each.facts for each in found], results, last_day=last_day)
    titles = {row["metric"]: row["title"] for row in results}
    return {
        "experiments": found,
        "programme": whole,
        "impacts": [(titles[each.metric], each) for each in whole.impacts if each.shipped],
        "flags": report.table("flags").to_dicts(),
        "share": lambda value: amount(value, "percent", 0),
    }


def _wanted(report: Report) -> bool:
    return not report.table("experiments").is_empty()


PAGE = Page(FILE, "Experiments", "experiments.html.j2", _fill, _wanted)


def details(report: Report) -> list[Page]:
    """Makes the page of every experiment; they are linked from the list, not from the navigation.

    Args:
        report: The report.

    Returns:
        The pages.
    """
    return [_detail(each) for each in read_experiments(report)] if _wanted(report) else []


def _detail(experiment: Experiment) -> Page:
    def fill(_: Report) -> Mapping[str, Any]:
        from headway_pipelines.report.charts import experiment_chart, novelty_chart

        drawn = [row for row in experiment.rows if row["relative"] is not None]
        return {
            "experiment": experiment,
            "chart_json": Markup(experiment_chart(experiment.rows)) if drawn else "",
            "novelty_json": [Markup(novelty_chart(each.drawn)) for each in experiment.novelty],
        }

    return Page(experiment.file, experiment.title, "experiment.html.j2", fill)
