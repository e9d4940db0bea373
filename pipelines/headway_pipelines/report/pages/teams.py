"""Team scorecards: outcomes, bets, kata, experiments, guardrails, customers in trouble, focus; output beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import DASH, count, day
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.pages.strategy_words import Line, beside, in_unit, metrics_of, rows, titles_of
from headway_pipelines.report.reading import Report

_Row = Mapping[str, Any]

_TITLES: Final[Mapping[str, tuple[str, str, str]]] = {
    "outcomes": ("Outcomes", "", "It owns no node with a metric to move."),
    "bets": ("Bets", "Brier score: 0 is perfect, 0.25 is a coin. Ranges should hold as often as stated.",
             "It has no bets."),
    "kata": ("Kata", "How it practises: begin one with headway kata new.", "It practises no kata."),
    "experiments": ("Experiments", "What they ask, and what must not get worse.", "It has no experiments."),
    "guardrails": ("Guardrails", "What must not get worse meanwhile.", "It named no guardrails."),
    "customers": ("Customers in trouble", "", "Nothing is measured of how customers in trouble are answered."),
    "focus": ("Focus and continuity", "", "Nothing is known."),
    "output": ("Output, beside what came of it", "", "Nothing went out."),
}  # fmt: skip
"""Part -> its title, what to know about it, and what to say where there is nothing."""

_TONES: Final = {
    "met": "better", "missed": "worse", "kept": "better", "broken": "worse", "better": "better", "worse": "worse",
    "holds": "better", "together": "", "not among teams:": "worse",
}  # fmt: skip
_SOURCES: Final = {
    "own": "The team's own metrics.",
    "product": "The team has none of its own: these are the whole product's.",
}
_COUNTED: Final = {
    "hit": "hit", "miss": "missed", "harm": "did harm", "inconclusive": "inconclusive", "untested": "never tested",
    "open": "still open",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One part of a scorecard.

    Attributes:
        title: Its title.
        legend: What to know about it.
        heads: Heads of its table.
        lines: Its lines.
        nothing: What to say where there are none.
    """

    title: str
    legend: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    nothing: str


@dataclass(frozen=True)
class Scorecard:
    """A team.

    Attributes:
        anchor: Identifier of its place in the page.
        title: Its name.
        tagline: What became of its targets and bets, in a few words.
        parts: Its parts.
    """

    anchor: str
    title: str
    tagline: str
    parts: tuple[Part, ...]


def _fill(report: Report) -> Mapping[str, Any]:
    known, titles = metrics_of(report), titles_of(report)
    titles |= {row["experiment"]: row["title"] for row in rows(report, "experiments")}
    titles |= {f"team {row['team']}": row["title"] for row in rows(report, "strategy_teams")}
    by_team: dict[str, list[_Row]] = {}
    for row in rows(report, "team_scorecards"):
        by_team.setdefault(row["team"], []).append(row)
    cards = [_card(number, team, own, known, titles) for number, (team, own) in enumerate(by_team.items())]
    return {"teams": cards}


def _card(
    number: int, team: str, own: Sequence[_Row], known: Mapping[str, Metric], titles: Mapping[str, str]
) -> Scorecard:
    parts = []
    for part, (title, legend, nothing) in _TITLES.items():
        chosen = [row for row in own if row["part"] == part]
        if part == "customers" and chosen:
            legend = _SOURCES[chosen[0]["measure"]]
        heads, lines = _lines(part, chosen, known, titles)
        parts.append(Part(title, legend, heads, tuple(lines), nothing))
    title = titles.get(f"team {team}", team or "Owned by nobody")
    return Scorecard(str(number), title, _tagline(own), tuple(parts))


def _tagline(own: Sequence[_Row]) -> str:
    figures = {(row["part"], row["measure"]): row for row in own}
    said = []
    if targets := figures.get(("outcomes", "targets met")):
        said.append(f"{count(targets['value'])} of {count(targets['reference'])} targets met")
    if hits := figures.get(("bets", "hit")):
        settled = hits["reference"] - figures["bets", "open"]["value"]
        said.append(f"{count(hits['value'])} of {count(settled)} settled bets hit")
    return ", ".join(said)


def _lines(
    part: str, own: Sequence[_Row], known: Mapping[str, Metric], titles: Mapping[str, str]
) -> tuple[tuple[str, ...], list[Line]]:
    if part in ("outcomes", "guardrails", "customers"):
        head = "Limit" if part == "guardrails" else "Target"
        told = [row for row in own if row["measure"] != "targets met"]
        return ("Metric", "Now", head, "State"), [_metric(row, known, titles) for row in told]
    if part == "experiments":
        told = [row for row in own if row["metric"]]
        return ("Experiment", "Effect", "Verdict"), [_experiment(row, known, titles) for row in told]
    if part == "bets":
        return ("Bets", "How many", "Beside"), [_bet(row) for row in own if row["value"] or row["state"]]
    return ("Measure", "Figure", "Beside"), [_count(row) for row in own]


def _metric(row: _Row, known: Mapping[str, Metric], titles: Mapping[str, str]) -> Line:
    metric = known.get(row["metric"])
    note = titles.get(row["subject"], row["subject"] or "")
    if row["period_start"]:
        note = (
            f"{note}; period of {day(row['period_start'])}"
            if note
            else f"period of {day(row['period_start'])}"
        )
    state = (row["state"] or "") + (", may be chance" if row["sure"] is False else "")
    now, limit = in_unit(row, row["unit"]), beside(row["reference"], metric)
    return Line(
        metric.title if metric else row["metric"], note, (now, limit, state), _TONES.get(row["state"], "")
    )


def _experiment(row: _Row, known: Mapping[str, Metric], titles: Mapping[str, str]) -> Line:
    metric = known.get(row["metric"])
    what = metric.title if metric else row["metric"].replace("_", " ")
    note = f"{what}, {'must not get worse' if row['measure'] == 'guardrail' else 'the question'}"
    title = titles.get(row["subject"], row["subject"])
    return Line(title, note, (in_unit(row, row["unit"]), row["state"]), _TONES.get(row["state"], ""))


def _bet(row: _Row) -> Line:
    if row["measure"] == "brier":
        return Line("Brier score of the forecasts", "", (f"{row['value']:.2f}", DASH))
    if row["measure"] == "ranges held":
        stated = f"stated {100 * row['reference']:.0f} %; {row['state']}"
        return Line("Ranges that held", "", (in_unit(row, "percent"), stated))
    return Line(
        _COUNTED[row["measure"]].capitalize(), "", (count(row["value"]), f"of {count(row['reference'])}")
    )


def _count(row: _Row) -> Line:
    title = row["measure"].capitalize()
    value = DASH if row["value"] is None else count(row["value"])
    if row["unit"] in ("percent", "steps", "days") and row["value"] is not None:
        value = in_unit(row, row["unit"])
    other = f"of {count(row['reference'])}" if row["reference"] is not None else row["state"] or DASH
    return Line(title, "", (value, other), _TONES.get(row["state"], ""))


PAGE = Page(
    "teams.html",
    "Teams",
    "teams.html.j2",
    _fill,
    lambda report: not report.table("team_scorecards").is_empty(),
)
