"""The first page: where every stage stands against its target, on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway_pipelines.report.judge import VERDICTS, Verdict
from headway_pipelines.report.model import Metric
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import FRAMEWORKS, Group, Report
from headway_pipelines.report.words import lead


@dataclass(frozen=True)
class Stand:
    """How one stage stands.

    Attributes:
        group: The stage.
        metric: The metric that stands for it, None where none is declared.
        verdicts: Verdict and how many of the stage's metrics have it; those without a target are not counted.
    """

    group: Group
    metric: Metric | None
    verdicts: tuple[tuple[Verdict, int], ...]


def _fill(report: Report) -> Mapping[str, Any]:
    stands = [_stand(group) for group in report.groups]
    leading = [stand.metric for stand in stands if stand.metric]
    weekly = [m.main.latest.start for m in leading if m.main.latest and m.grain.name == "week"]
    frameworks = [
        (name, title, [stand for stand in stands if stand.group.framework == name])
        for name, title in FRAMEWORKS.items()
    ]
    return {
        # The two frameworks of people's outcomes show their gaps; the others only what is declared.
        "frameworks": [
            (name, title, [s for s in rows if s.metric or name in ("aarrr", "heart")])
            for name, title, rows in frameworks
            if any(s.metric for s in rows)
        ],
        "guards": report.guards,
        "leading": leading,
        "lead": lead(report.metrics),
        "newest": max(weekly, default=None),
    }


def _stand(group: Group) -> Stand:
    found = Counter(metric.verdict for metric in group.metrics)
    counted = tuple((verdict, found[verdict]) for verdict in VERDICTS if found[verdict] and verdict != "none")
    return Stand(group, group.leading, counted)


PAGE = Page("index.html", "Where we stand", "index.html.j2", _fill)
