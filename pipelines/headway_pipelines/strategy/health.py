"""A health check of the organisation: six questions, answered from what the workspace says, else left open.

The questions are those of Melissa Perri, *Escaping the Build Trap* (2018), "Six questions to determine whether a
company is product-led". Headway counts what can be counted and judges nobody: a question without evidence stays open,
and says what would answer it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from headway.models.strategy import RISKS, Decision, Evidence, Option, Strategy
from headway.statistics.intervals import wilson
from headway.strategy import owner_of
from headway_pipelines.strategy.scorecards import Tables, rows_of

_TEXT, _DAY, _NUMBER, _WHOLE = pl.String(), pl.Date(), pl.Float64(), pl.Int64()

SCHEMA: Final[dict[str, pl.DataType]] = {
    "question": _TEXT, "asks": _TEXT, "measure": _TEXT, "counted": _WHOLE, "of": _WHOLE, "share": _NUMBER,
    "low": _NUMBER, "high": _NUMBER, "last_day": _DAY, "state": _TEXT, "would_answer": _TEXT,
}  # fmt: skip
"""Columns of ``product_health`` and their types, in order."""

QUESTIONS: Final = {
    "who decides": "Who decided what to build last?",
    "can they stop": "What did you last decide to stop?",
    "do they talk to users": "When did you last talk to somebody who uses it?",
    "is the goal an outcome": "What is the goal: something that is better for people, or something that is delivered?",
    "what is the talk about": "What do you talk about: problems, or features?",
    "how product people are treated": "Are product people trusted to find out what to do?",
}
"""Question -> in full."""

TALKED_DAYS: Final = 90
"""Talking to users counts for so many days."""
TOGETHER_DAYS: Final = 180
"""A team that works together for so long has a chance to learn."""
FOCUS: Final = 2
"""At so many initiatives at once a team can still care for each."""

_WITH_USERS = ("interview", "observation", "usability_test", "survey")


@dataclass(frozen=True)
class Measure:
    """One thing that can be counted about a question.

    Attributes:
        question: The question, a key of `QUESTIONS`.
        measure: What is counted, of what.
        counted: How many, or None where nothing is known.
        of: Of how many; 0 leaves the question open.
        would_answer: What would answer it, or answer it better.
        last_day: Last day on which it happened, or None.
    """

    question: str
    measure: str
    counted: int
    of: int
    would_answer: str
    last_day: dt.date | None = None


def product_health(strategy: Strategy, tables: Tables, *, today: dt.date) -> pl.DataFrame:
    """Answers the questions from the workspace, as far as it has evidence.

    Args:
        strategy: The tree.
        tables: The published tables, ``insight_feed`` among them.
        today: The day up to which there is data.

    Returns:
        One row per question and measure; see `SCHEMA`. `low` and `high` are Wilson's 95 % interval of the share, as
        if what is counted were a sample of how the organisation works.
    """
    asked: Sequence[Callable[..., Iterator[Measure]]] = (_decides, _stops, _talks, _goals, _talk, _people)
    rows = [_row(each) for ask in asked for each in ask(strategy, tables, today)]
    return pl.DataFrame(rows, schema=SCHEMA)


def _row(each: Measure) -> dict[str, object]:
    interval = wilson(each.counted, each.of) if each.of else None
    return {
        "question": each.question, "asks": QUESTIONS[each.question], "measure": each.measure,
        "counted": each.counted if each.of else None, "of": each.of,
        "share": each.counted / each.of if each.of else None, "low": float(interval.low) if interval else None,
        "high": float(interval.high) if interval else None, "last_day": each.last_day,
        "state": "counted" if each.of else "open", "would_answer": each.would_answer,
    }  # fmt: skip


def _decisions(strategy: Strategy) -> list[Decision]:
    return [each for _, _, node in strategy.nodes() for each in node.decisions]


def _active(strategy: Strategy) -> dict[str, Option]:
    return {name: option for name, option in strategy.options.items() if option.status == "active"}


def _decides(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Measure]:
    told = [each for each in _decisions(strategy) if each.by is not None]
    yield Measure(
        "who decides", "decisions that the team took, of those that say who took them",
        sum(each.by == "team" for each in told), len(told),
        "Say in decisions: by: team, leadership, sales or customer.",
        max((each.date for each in told), default=None),
    )  # fmt: skip
    options = [option.under for option in strategy.options.values()]
    yield Measure(
        "who decides", "initiatives with two options or more to choose from",
        sum(options.count(name) >= 2 for name in strategy.initiatives), len(strategy.initiatives),
        "Write down the options that were not taken, too, with status: proposed.",
    )  # fmt: skip


def _stops(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Measure]:
    decided = [node for _, _, node in strategy.nodes() if node.decisions]
    stopped = [each for each in _decisions(strategy) if each.decision in ("stop", "do_not")]
    yield Measure(
        "can they stop", "things that were stopped or not begun, of those with a recorded decision",
        sum(any(each.decision in ("stop", "do_not") for each in node.decisions) for node in decided), len(decided),
        "Record in decisions: what you stop, and what you decide not to do.",
        max((each.date for each in stopped), default=None),
    )  # fmt: skip
    rules = [row["node"] for row in rows_of(tables, "strategy_kill_rules") if row["state"] == "stop"]
    nodes = [strategy.node(name) for name in rules]
    yield Measure(
        "can they stop", "rules that said stop, and were followed",
        sum(node is not None and node.status == "stopped" for node in nodes), len(rules),
        "Write kill: rules while it is easy; no rule says stop now.",
    )  # fmt: skip


def _talks(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Measure]:
    active = _active(strategy)
    since = today - dt.timedelta(days=TALKED_DAYS)
    met = {
        name: [each for each in _evidence(option) if each.kind in _WITH_USERS and each.date <= today]
        for name, option in active.items()
    }
    days = [each.date for found in met.values() for each in found]
    yield Measure(
        "do they talk to users",
        f"options worked on with an interview, observation, test or survey in the last {TALKED_DAYS} days",
        sum(any(each.date > since for each in found) for found in met.values()), len(active),
        "Refer to each talk in risks:, dated, with where the notes are kept.", max(days, default=None),
    )  # fmt: skip


def _evidence(option: Option) -> Iterator[Evidence]:
    for risk in RISKS:
        yield from option.risks.of(risk)


def _goals(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Measure]:
    nodes = [
        node for part in (strategy.intents, strategy.initiatives) for node in part.values() if node.status == "active"
    ]  # fmt: skip
    yield Measure(
        "is the goal an outcome", "intents and initiatives with a metric that tells that it worked",
        sum(bool(node.aims) for node in nodes), len(nodes), "Name a metric in aims:.",
    )  # fmt: skip
    yield Measure(
        "is the goal an outcome", "intents and initiatives with a target and its date",
        sum(any(aim.target is not None for aim in node.aims) for node in nodes), len(nodes),
        "Add target: and by: to an aim.",
    )  # fmt: skip


def _talk(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Measure]:
    nodes = [node for _, _, node in strategy.nodes() if node.status == "active"]
    yield Measure(
        "what is the talk about", "nodes of the tree that say whose problem they are about",
        sum(bool(node.problem) for node in nodes), len(nodes), "Say it in problem:, in the words of those who have it.",
    )  # fmt: skip
    meant = [row for row in rows_of(tables, "releases") if row.get("kind") not in ("deploy", "rollback")]
    yield Measure(
        "what is the talk about", "releases that name a metric they are to change",
        sum(bool(row.get("metrics")) for row in meant), len(meant), "Fill the column metrics of inputs/releases.csv.",
    )  # fmt: skip
    told = list(rows_of(tables, "insight_feed"))
    yield Measure(
        "what is the talk about", "items worth telling that are about an outcome, not about what was built",
        sum(bool(row["metric"]) or row["kind"] == "retention" for row in told), len(told),
        "Declare targets, limits and bets: only what is declared is told first.",
    )  # fmt: skip


def _people(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Measure]:
    question = "how product people are treated"
    teams = [row for row in rows_of(tables, "strategy_teams") if not (row["ended"] and row["ended"] <= today)]
    known = [row["days_together"] for row in teams if row["days_together"] is not None]
    yield Measure(
        question, f"teams that work together for {TOGETHER_DAYS} days or more",
        sum(days >= TOGETHER_DAYS for days in known), len(known), "Say since when in teams: formed:.",
    )  # fmt: skip
    yield Measure(
        question, f"teams with at most {FOCUS} initiatives at once",
        sum(row["initiatives_now"] <= FOCUS for row in teams), len(teams), "List the teams in teams:.",
    )  # fmt: skip
    nodes = [name for _, name, node in strategy.nodes() if node.status == "active"]
    yield Measure(
        question, "nodes of the tree that a team answers for",
        sum(owner_of(name, strategy) in strategy.teams for name in nodes), len(nodes), "Say it in team:.",
    )  # fmt: skip
    yield Measure(
        question, "what they say themselves", 0, 0,
        "Ask them, and anonymously: no log tells it. Nothing about single people belongs here.",
    )  # fmt: skip
