"""What is missing in a tree, what of it was released, whether it paid, and how a kata goes."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import pytest

from headway.models.kata import Kata
from headway.models.strategy import Cost, Strategy
from headway.strategy import (
    Adoption,
    Income,
    MeasuredEffect,
    build_trap,
    came,
    gaps,
    kata_measures,
    owner_of,
    released_options,
    time_to_money,
)

TODAY = dt.date(2026, 6, 1)


def tree(**options: dict[str, Any]) -> Strategy:
    return Strategy.model_validate(
        {
            "vision": {"statement": "Everybody can teach", "principles": ["Teachers first"]},
            "teams": {"creators": {"title": "Creators"}, "old": {"title": "Old", "ended": "2026-01-01"}},
            "intents": {
                "supply": {
                    "title": "Supply", "team": "creators", "problem": "Too few", "decisions": [DECIDED],
                    "aims": [{"metric": "publishing", "target": 0.4, "by": "2026-12-31"}],
                }
            },
            "initiatives": {
                "faster": {
                    "title": "Faster", "under": "supply", "problem": "Slow", "decisions": [DECIDED],
                    "aims": [{"metric": "publishing", "target": 0.4, "by": "2026-12-31"}],
                }
            },
            "options": {name: {"title": name, "under": "faster", **said} for name, said in options.items()},
        }
    )  # fmt: skip


DECIDED = {"date": "2026-01-01", "decision": "do", "reason": "Teachers asked"}
FOUND = [{"date": "2026-01-01", "kind": "interview", "says": "supports", "reference": "research/1"}]
FULL: dict[str, Any] = {
    "problem": "Cutting a video takes a day",
    "decisions": [DECIDED],
    "bets": [{"metric": "publishing", "expect": 0.1, "low": 0.05, "high": 0.2, "probability": 0.6}],
    "guardrails": ["errors"],
    "kill": {"metric": "errors", "worse_than": 3},
    "start": "2026-01-05",
    "horizon": "2026-05-01",
    "release": "editor-1",
    "risks": {"value": FOUND, "usability": FOUND, "viability": FOUND, "feasibility": FOUND},
}


def missing(strategy: Strategy) -> list[tuple[str, str]]:
    return [(gap.node, gap.missing) for gap in gaps(strategy, today=TODAY)]


def test_nothing_is_missing_in_a_tree_that_says_everything() -> None:
    assert missing(tree(editor=FULL)) == []
    assert gaps(Strategy(), today=TODAY) == ()


@pytest.mark.parametrize(
    ("without", "named"),
    [
        ("problem", "problem"),
        ("decisions", "decision"),
        ("bets", "bet"),
        ("guardrails", "guardrails"),
        ("kill", "kill rule"),
        ("start", "start"),
        ("release", "test"),
    ],
)
def test_each_thing_that_is_missing_is_asked_for(without: str, named: str) -> None:
    said = {name: value for name, value in FULL.items() if name != without}
    assert missing(tree(editor=said)) == [("editor", named)]


def test_each_risk_without_evidence_is_asked_for() -> None:
    assert missing(tree(editor=FULL | {"risks": {"value": FOUND}})) == [
        ("editor", "usability evidence"),
        ("editor", "viability evidence"),
        ("editor", "feasibility evidence"),
    ]


def test_what_is_done_is_asked_nothing_and_what_is_stopped_only_why() -> None:
    assert missing(tree(editor={"problem": "Slow", "status": "done"})) == []
    assert missing(tree(editor={"problem": "Slow", "status": "stopped"})) == [("editor", "reason")]
    stopped = {"problem": "Slow", "status": "stopped", "decisions": [DECIDED | {"decision": "stop"}]}
    assert missing(tree(editor=stopped)) == []


def test_an_owner_is_inherited_and_one_that_vanished_is_named() -> None:
    assert owner_of("editor", tree(editor=FULL)) == "creators"
    assert missing(tree(editor=FULL | {"team": "creatrs"})) == [("editor", "team")]
    assert "did you mean 'creators'" in gaps(tree(editor=FULL | {"team": "creatrs"}), today=TODAY)[0].ask
    assert missing(tree(editor=FULL | {"team": "old"})) == [("editor", "team")]


def test_two_bets_on_one_metric_in_the_same_days_are_named() -> None:
    second = FULL | {"start": "2026-04-30"}
    assert missing(tree(editor=FULL, titles=second)) == [("titles", "one at a time")]
    assert missing(tree(editor=FULL, titles=second | {"start": "2026-05-01", "horizon": "2026-09-01"})) == []
    tested = {"experiment": "one"}
    assert missing(tree(editor=FULL | tested, titles=second | tested)) == []


def effect(
    metric: str,
    low: float,
    high: float,
    grade: Literal["A", "D"] = "A",
    direction: Literal["up", "down"] = "up",
) -> MeasuredEffect:
    return MeasuredEffect(metric, (low + high) / 2, low, high, method="did", grade=grade, direction=direction)


def test_the_build_trap_counts_what_was_released_and_what_it_did() -> None:
    out = {"released": "2026-02-01", "horizon": "2026-05-01"}
    strategy = tree(
        helped=FULL | out,
        nothing=FULL | out | {"cost": {"build": 10, "per_month": 5}},
        hurt=FULL | out | {"removed": "2026-03-01"},
        guard=FULL | out,
        weak=FULL | out,
        other=FULL | out,
        unused=FULL | out,
        later=FULL | {"released": "2026-06-02", "horizon": "2026-09-01"},
        thought=FULL,
    )
    effects = {
        "helped": [effect("publishing", 0.01, 0.1), effect("errors", -1, 1, direction="down")],
        "nothing": [effect("publishing", -0.01, 0.1)],
        "hurt": [effect("publishing", -0.2, -0.1)],
        "guard": [effect("publishing", 0.01, 0.1), effect("errors", 1, 2, direction="down")],
        "weak": [effect("publishing", 0.01, 0.1, grade="D")],
        "other": [effect("revenue", 1, 2)],
    }
    adoption = {"unused": Adoption(1000, 10, 0.01, 0.02), "weak": Adoption(10, 0, 0.0, 0.3)}
    found = released_options(strategy, effects, adoption, {}, today=TODAY)
    assert {each.option: (each.outcome, each.measured, each.unused, each.goodbye) for each in found} == {
        "helped": ("improved", True, None, ""),
        "nothing": ("no effect", True, None, "it costs money and was not shown to help"),
        "hurt": ("worse", True, None, ""),
        "guard": ("worse", True, None, "it made things worse"),
        "weak": ("unknown", False, False, ""),
        "other": ("unknown", True, None, ""),
        "unused": ("unknown", False, True, "nearly nobody uses it"),
    }
    index = build_trap(found)
    assert (index.released, index.measured, index.improved, index.unused, index.removed) == (7, 5, 1, 1, 1)
    assert index.share_improved == pytest.approx(1 / 7)
    assert build_trap([]).share_improved is None


def test_the_release_log_knows_the_day_better_than_the_tree() -> None:
    strategy = tree(editor=FULL)
    assert released_options(strategy, {}, {}, {}, today=TODAY) == ()
    (found,) = released_options(strategy, {}, {}, {"editor": dt.date(2026, 3, 3)}, today=TODAY)
    assert found.released == dt.date(2026, 3, 3)


def test_money_is_back_when_income_reaches_what_was_spent_until_then() -> None:
    day = dt.date(2026, 3, 1)
    weeks = [Income(day + dt.timedelta(days=7 * n + 6), 400.0) for n in range(10)]
    # 1000 to build and 304.375 a month, that is 10 a day: 400 - 70 a week; after 4 weeks 1600 of 1280 are back
    times = time_to_money(
        Cost(build=1000, per_month=304.375),
        day,
        weeks,
        start=dt.date(2026, 2, 1),
        first_outcome=dt.date(2026, 3, 9),
    )
    assert (times.release_to_break_even, times.start_to_break_even) == (27, 55)
    assert (times.release_to_outcome, times.start_to_outcome) == (8, 36)
    assert times.income == 4000.0
    assert times.cost == pytest.approx(1700.0)
    never = time_to_money(Cost(build=10_000), day, weeks)
    assert (never.release_to_break_even, never.start_to_outcome) == (None, None)
    assert time_to_money(Cost(build=5), day, []).income == 0


def kata(*steps: tuple[str, str | None, float | None]) -> Kata:
    def snapshot(day: str, value: float | None) -> dict[str, Any]:
        return {"taken": day, "value": value, "definition_hash": "d", "seal": "0" * 8 + "." + "0" * 32}

    return Kata.model_validate(
        {
            "title": "Sooner",
            "team": "creators",
            "direction": "faster",
            "target": {"metric": "publishing", "value": 0.4, "by": "2026-12-31"},
            "steps": [
                {
                    "date": began,
                    "current": snapshot(began, 0.3),
                    "obstacle": {"funnel": "publish", "step": 2},
                    "try": "Ask for less",
                    "expect": {"low": 0.3, "high": 0.35, "by": "2026-12-01"},
                    **({"happened": snapshot(ended, value), "learned": "It was the title"} if ended else {}),
                }
                for began, ended, value in steps
            ],
        }
    )


def test_a_kata_is_measured_by_its_turns() -> None:
    going = kata(
        ("2026-03-03", "2026-03-13", 0.32),
        ("2026-03-13", "2026-04-02", 0.29),
        ("2026-04-02", "2026-04-06", None),
        ("2026-04-06", None, None),
    )
    assert [came(step) for step in going.steps] == ["as expected", "less", "not measured", "open"]
    measures = kata_measures([going], today=TODAY)
    # 10, 20 and 4 days; three turns in 90 days; one surprise among the two that were measured
    assert (measures.steps, measures.closed, measures.cycle_days) == (4, 3, 10.0)
    assert (measures.steps_per_30_days, measures.surprised) == (1.0, 0.5)
    assert going.open_step == going.steps[-1]


def test_without_a_turn_nothing_is_measured() -> None:
    measures = kata_measures([kata()], today=TODAY)
    assert (measures.steps, measures.cycle_days, measures.surprised) == (0, None, None)
    assert kata().open_step is None
