"""The tree of the strategy page: every node with what was decided about it and what is known of its risks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import day
from headway_pipelines.report.pages.strategy_words import metrics_of, rows
from headway_pipelines.report.reading import Report

_LEVELS: Final = ("intent", "product", "initiative", "option")
_RISKS: Final[Mapping[str, str]] = {
    "value": "Do people want it?",
    "usability": "Can people use it?",
    "viability": "Does it work for the business?",
    "feasibility": "Can it be built?",
}
"""Risk -> what it asks; an option answers each with evidence."""

_DECIDED: Final = {
    "do": "do it", "do_not": "do not do it", "continue": "go on", "change": "change it", "stop": "stop",
}  # fmt: skip


@dataclass(frozen=True)
class Branch:
    """One node of the tree.

    Attributes:
        title: Its name for people.
        depth: How far down it stands, from 0.
        about: Level, team and status.
        problem: The problem that it is about, or where a product is going.
        guardrails: What must not get worse meanwhile, or nothing.
        decisions: What was decided, oldest first.
        risks: Of an option, what is known of each risk.
        known: How many of the risks have evidence; None for other nodes.
    """

    title: str
    depth: int
    about: str
    problem: str
    guardrails: str
    decisions: tuple[str, ...]
    risks: tuple[str, ...]
    known: int | None


def branches(report: Report) -> list[Branch]:
    """Lists the nodes of the tree, from the top down.

    Args:
        report: What was published.

    Returns:
        The nodes.
    """
    teams = {row["team"]: row["title"] for row in rows(report, "strategy_teams")}
    known = metrics_of(report)
    return [_branch(row, report, teams, known) for row in rows(report, "strategy_nodes")]


def _branch(
    row: Mapping[str, Any], report: Report, teams: Mapping[str, str], known: Mapping[str, Metric]
) -> Branch:
    about = [row["level"]]
    if row["team"]:
        about.append(teams.get(row["team"], f"{row['team']} (not among the teams)"))
    if row["status"] != "active":
        about.append(row["status"])
    metrics = [each for each in (row["guardrails"] or "").split(", ") if each]
    evidence = list(_evidence(row["node"], report)) if row["level"] == "option" else []
    return Branch(
        title=row["title"],
        depth=_LEVELS.index(row["level"]),
        about=", ".join(about),
        problem=row["problem"] or row["vision"] or "",
        guardrails=", ".join(known[each].title if each in known else each for each in metrics),
        decisions=tuple(_decisions(row["node"], report)),
        risks=tuple(text for _, text in evidence),
        known=sum(found for found, _ in evidence) if evidence else None,
    )


def _decisions(node: str, report: Report) -> Iterator[str]:
    for row in rows(report, "strategy_decisions"):
        if row["node"] == node:
            by = f", {row['decided_by']}" if row["decided_by"] else ""
            yield f"{day(row['date'])}{by}: {_DECIDED[row['decision']]}. {row['reason']}"


def _evidence(node: str, report: Report) -> Iterator[tuple[bool, str]]:
    """Whether there is evidence about each risk, and what it says: where it is kept, never what somebody said."""
    own = [row for row in rows(report, "strategy_evidence") if row["node"] == node]
    for risk, asks in _RISKS.items():
        found = [row for row in own if row["risk"] == risk]
        told = "; ".join(
            f"{row['kind'].replace('_', ' ')} of {day(row['date'])} {_SAYS[row['says']]} ({row['reference']})"
            for row in found
        )
        yield bool(found), f"{asks} {told[:1].upper()}{told[1:]}." if found else f"{asks} Nobody knows yet."


_SAYS: Final = {"supports": "speaks for it", "contradicts": "speaks against it", "unclear": "does not tell"}

__all__ = ["Branch", "branches"]
