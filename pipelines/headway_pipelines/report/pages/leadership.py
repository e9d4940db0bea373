"""For those who lead: intents beside targets, output beside outcome, what could go, weak evidence, six questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import DASH, amount, count, day
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.pages.strategy_words import (
    Line,
    beside,
    effect,
    figure,
    metrics_of,
    rows,
    titles_of,
)
from headway_pipelines.report.reading import Report

#: Places of weak evidence shown; the rest is in the table ``weak_evidence``.
WEAK_SHOWN: Final = 20

_Row = Mapping[str, Any]
_TONES: Final = {"met": "better", "missed": "worse", "no outcome": "worse"}


@dataclass(frozen=True)
class Question:
    """One of the six questions.

    Attributes:
        asks: The question.
        lines: What was counted about it.
    """

    asks: str
    lines: tuple[Line, ...]


def _fill(report: Report) -> Mapping[str, Any]:
    known, titles = metrics_of(report), titles_of(report)
    teams = {row["team"]: row["title"] for row in rows(report, "strategy_teams")}
    teams |= {"all": "All teams", "": "Nobody"}
    output, weak = list(rows(report, "output_and_outcome")), list(rows(report, "weak_evidence"))
    return {
        "intents": [_intent(row, known, titles) for row in rows(report, "leadership_intents")],
        "both": [_both(row, teams) for row in output],
        "tickets": any(row["tickets_closed"] is not None for row in output),
        "stop": [_candidate(row, known, titles, report) for row in rows(report, "stop_candidates")],
        "weak": [_weak(row, known, titles) for row in weak[:WEAK_SHOWN]],
        "more_weak": max(len(weak) - WEAK_SHOWN, 0),
        "health": list(_health(report)),
    }


def _intent(row: _Row, known: Mapping[str, Metric], titles: Mapping[str, str]) -> Line:
    metric = known.get(row["metric"])
    by = f" by {day(row['by'])}" if row["by"] else ""
    at_work = "initiative" if row["initiatives"] == 1 else "initiatives"
    below = (
        f"{count(row['initiatives'])} {at_work} at work; {count(row['options_improved'])} of "
        f"{count(row['options_released'])} released options improved what they were meant to; "
        f"{count(row['bets_hit'])} of {count(row['bets_settled'])} settled bets hit"
        + (f", {count(row['bets_harm'])} did harm" if row["bets_harm"] else "")
    )
    state = row["state"] + (", may be chance" if row["sure"] is False else "")
    grade = f"grade {row['grade']}" if row["grade"] else "none"
    cells = (beside(row["target"], metric) + by, figure(row, metric), grade, below, state)
    return Line(
        titles.get(row["intent"], row["intent"]), metric.title if metric else "no metric", cells,
        _TONES.get(row["state"], ""),
    )  # fmt: skip


def _both(row: _Row, teams: Mapping[str, str]) -> Line:
    released, closed = row["options_released"], row["tickets_closed"]
    tickets = () if closed is None else (count(closed),)
    return Line(
        teams.get(row["team"], row["team"]), f"{count(row['changes'])} changes",
        (
            count(row["releases"]), *tickets, count(released), f"{count(row['options_measured'])} of {count(released)}",
            f"{count(row['options_improved'])} of {count(released)}",
            f"{count(row['targets_met'])} of {count(row['targets'])}",
            f"{count(row['bets_hit'])} of {count(row['bets_settled'])}",
        ),
    )  # fmt: skip


def _candidate(row: _Row, known: Mapping[str, Metric], titles: Mapping[str, str], report: Report) -> Line:
    metric = known.get(row["metric"])
    used = DASH if row["adoption"] is None else f"{100 * row['adoption']:.3g} %"
    currency = str(report.info.get("currency") or "")
    cost = DASH if row["cost_per_month"] is None else amount(row["cost_per_month"], currency, 0)
    did = effect(row["effect"], row, metric)
    if row["low"] is not None and row["high"] is not None:
        did += f" ({effect(row['low'], row, metric)} to {effect(row['high'], row, metric)}), grade {row['grade']}"
    note = row["level"] + (f"; {metric.title}" if metric else "")
    return Line(titles.get(row["node"], row["node"]), note, (used, cost, did, row["reason"]), "worse")


def _weak(row: _Row, known: Mapping[str, Metric], titles: Mapping[str, str]) -> Line:
    metric = known.get(row["metric"])
    note = row["weakness"] + (f": {metric.title}" if metric else "")
    said = DASH
    if row["value"] is not None and metric is None:
        said = (
            f"{count(row['value'])} days"
            if "old" in row["weakness"]
            else f"{count(row['value'])} of {count(row['reference'])}"
        )
    elif row["value"] is not None and "target" in row["weakness"]:
        said = f"{beside(row['value'], metric)}, target {beside(row['reference'], metric)}"
    return Line(titles.get(row["node"], row["node"]), note, (said, row["ask"]))


def _health(report: Report) -> Iterator[Question]:
    questions: dict[str, list[Line]] = {}
    for row in rows(report, "product_health"):
        last = f"last on {day(row['last_day'])}" if row["last_day"] else ""
        found = "open: nothing in the workspace tells"
        if row["state"] == "counted":
            found = f"{count(row['counted'])} of {count(row['of'])}"
        # Where all of it is so already, there is nothing more to say.
        more = DASH if row["counted"] is not None and row["counted"] == row["of"] else row["would_answer"]
        line = Line(row["measure"].capitalize(), last, (found, more))
        questions.setdefault(row["asks"], []).append(line)
    for asks, lines in questions.items():
        yield Question(asks, tuple(lines))


PAGE = Page(
    "leadership.html", "Leadership", "leadership.html.j2", _fill,
    lambda report: not report.table("product_health").is_empty(),
)  # fmt: skip
