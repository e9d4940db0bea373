"""Strategy: what is worth telling, aims and targets, bets, what was released, kata, and what nobody has said yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import DASH, amount, count, day
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.pages.strategy_kata import kata_views, practice
from headway_pipelines.report.pages.strategy_tree import branches
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
from headway_pipelines.strategy.fields import changed_fields

#: Questions shown; the rest is in the table ``strategy_gaps``.
GAPS_SHOWN: Final = 20

_STATES = {
    "met": "met", "missed": "missed", "on the way": "on the way", "no value": "no value to show",
    "no target": "no target",
}  # fmt: skip
_LATE = {"horizon": "written down after it was released", "nothing": "written down afterwards"}
_TONES = {
    "met": "better",
    "hit": "better",
    "missed": "worse",
    "miss": "worse",
    "harm": "worse",
    "stop": "worse",
}


_PLACES: Final = {
    "retention": "people.html#retention", "correlate": "people.html#retention", "goodbye": "leadership.html#stop",
}  # fmt: skip


@dataclass(frozen=True)
class News:
    """One item of the insight feed.

    Attributes:
        metric: The metric that explains its figures, None where there is none.
        sentence: The item.
        ask: The question to ask next.
        tone: ``better``, ``worse`` or empty.
        place: Where what it is about is shown, for what is no metric; empty where there is none.
    """

    metric: Metric | None
    sentence: str
    ask: str
    tone: str
    place: str = ""


def _feed(report: Report) -> Mapping[str, Any]:
    known = metrics_of(report)
    tones = {True: "better", False: "worse", None: ""}
    items = [
        News(
            known.get(row["metric"]),
            row["sentence"],
            row["ask"],
            tones[row["good"]],
            _PLACES.get(row["kind"], ""),
        )
        for row in report.table("insight_feed").iter_rows(named=True)
    ]
    return {"items": items}


def _strategy(report: Report) -> Mapping[str, Any]:
    titles = titles_of(report)
    known = metrics_of(report)
    gaps = list(rows(report, "strategy_gaps"))
    return {
        "problems": list(rows(report, "strategy_problems")),
        "vision": next(iter(rows(report, "strategy_vision")), None),
        "principles": [row["principle"] for row in rows(report, "strategy_principles")],
        "nodes": branches(report),
        "aims": [_aim(row, titles, known) for row in rows(report, "strategy_aims")],
        "bets": [_bet(row, titles, known) for row in rows(report, "bets")],
        "forecasts": list(_forecasts(report)),
        "learning": list(_learning(report)),
        "trap": next(iter(rows(report, "build_trap")), None),
        "released": [_released(row, titles) for row in rows(report, "released_options")],
        "money": [_money(row, titles) for row in rows(report, "time_to_money")],
        "rules": [_rule(row, titles, known) for row in rows(report, "strategy_kill_rules")],
        "teams": [_team(row, report) for row in rows(report, "strategy_teams")],
        "kata": kata_views(report),
        "practice": practice(report),
        "gaps": [
            (titles.get(row["node"], row["node"] or "The vision"), row["ask"]) for row in gaps[:GAPS_SHOWN]
        ],
        "more_gaps": max(len(gaps) - GAPS_SHOWN, 0),
    }


def _aim(row: Mapping[str, Any], titles: Mapping[str, str], known: Mapping[str, Metric]) -> Line:
    metric = known.get(row["metric"])
    by = f" by {day(row['by'])}" if row["by"] else ""
    sure = "" if row["sure"] is not False else ", may be chance"
    return Line(
        titles.get(row["node"], row["node"]),
        metric.title if metric else row["metric"],
        (beside(row["target"], metric) + by, figure(row, metric), _STATES[row["state"]] + sure),
        _TONES.get(row["state"], ""),
    )


def _rule(row: Mapping[str, Any], titles: Mapping[str, str], known: Mapping[str, Metric]) -> Line:
    metric = known.get(row["metric"])
    return Line(
        titles.get(row["node"], row["node"]),
        metric.title if metric else row["metric"],
        (f"worse than {beside(row['worse_than'], metric)}", figure(row, metric), row["state"]),
        _TONES.get(row["state"], ""),
    )


def _bet(row: Mapping[str, Any], titles: Mapping[str, str], known: Mapping[str, Metric]) -> Line:
    metric = known.get(row["metric"])
    promised = (
        f"{effect(row['low'], row, metric)} to {effect(row['high'], row, metric)} by {day(row['horizon'])}"
    )
    sure = f", {100 * row['probability']:.0f} % sure" if row["probability"] is not None else ""
    found = effect(row["effect"], row, metric)
    if row["effect_low"] is not None and row["effect_high"] is not None:
        found += f" ({effect(row['effect_low'], row, metric)} to {effect(row['effect_high'], row, metric)})"
    grade = f", grade {row['grade']}" if row["grade"] else ""
    verdict = f"{row['verdict']}: {row['reason']}" + (
        f"; now {row['revised_verdict']}" if row["revised_verdict"] else ""
    )
    notes = [metric.title if metric else row["metric"]]
    notes += [_LATE[row["made_before"]]] if row["made_before"] in _LATE else []
    if row["changes"]:
        often = "once" if row["changes"] == 1 else f"{count(row['changes'])} times"
        what = changed_fields(row["changed"].split(", ")) if row["changed"] else "back as it was"
        notes.append(f"changed {often} since it was frozen ({what}), settled as it was")
    if row["withdrawn_at"]:
        notes.append(f"taken out of the files on {day(row['withdrawn_at'])}, settled nevertheless")
    return Line(
        titles.get(row["option"], row["option"]), "; ".join(notes), (promised + sure, found + grade, verdict),
        _TONES.get(row["verdict"], ""),
    )  # fmt: skip


def _forecasts(report: Report) -> Iterator[Line]:
    teams = {row["team"]: row["title"] for row in rows(report, "strategy_teams")} | {"all": "All teams"}
    for row in rows(report, "forecasts"):
        yield Line(teams.get(row["team"], row["team"] or "No team"), "", _scored(row))


def _learning(report: Report) -> Iterator[Line]:
    """Forecasts of everybody after each horizon; nothing to learn from where there was only one."""
    told = [row for row in rows(report, "forecast_history") if row["team"] == "all"]
    for row in told if len(told) > 1 else ():
        yield Line(f"Until {day(row['until'])}", "", _scored(row))


def _scored(row: Mapping[str, Any]) -> tuple[str, str, str]:
    score = DASH if row["brier"] is None else f"{row['brier']:.2f}"
    stated = "" if row["ranges"] is None else f" (stated {100 * row['stated']:.0f} %)"
    held = DASH if row["ranges"] is None else f"{row['held']} of {row['ranges']}{stated}"
    return f"{row['hits']} of {row['settled']}", score, held


def _released(row: Mapping[str, Any], titles: Mapping[str, str]) -> Line:
    used = DASH if row["adoption"] is None else f"{100 * row['adoption']:.0f} %"
    removed = f"removed {day(row['removed'])}" if row["removed"] else ""
    tone = {"improved": "better", "worse": "worse"}.get(row["outcome"], "")
    cells = (day(row["released"]), used, row["outcome"], row["goodbye"] or DASH)
    return Line(titles.get(row["option"], row["option"]), removed, cells, tone)


def _money(row: Mapping[str, Any], titles: Mapping[str, str]) -> Line:
    def days(name: str) -> str:
        return DASH if row[name] is None else f"{row[name]} days"

    cost = amount(row["cost"], row["currency"], 0)
    income = DASH if row["income"] is None else amount(row["income"], row["currency"], 0)
    return Line(
        titles.get(row["option"], row["option"]), "",
        (
            cost, income, days("start_to_outcome_days"), days("release_to_outcome_days"),
            days("start_to_break_even_days"), days("release_to_break_even_days"),
        ),
    )  # fmt: skip


def _team(row: Mapping[str, Any], report: Report) -> Line:
    together = DASH if row["days_together"] is None else f"{count(row['days_together'])} days"
    streams = {each["value_stream"]: each["title"] for each in rows(report, "strategy_value_streams")}
    stream = streams.get(row["value_stream"], row["value_stream"] or DASH)
    return Line(
        row["title"], "ended" if row["ended"] else "", (stream, together, str(row["initiatives_now"]))
    )


def _has_strategy(report: Report) -> bool:
    tables = ("strategy_nodes", "strategy_problems", "bets", "kata")
    return any(not report.table(name).is_empty() for name in tables)


PAGES: tuple[Page, ...] = (
    Page(
        "feed.html", "Worth telling", "feed.html.j2", _feed, lambda r: not r.table("insight_feed").is_empty()
    ),
    Page("strategy.html", "Strategy", "strategy.html.j2", _strategy, _has_strategy),
)
