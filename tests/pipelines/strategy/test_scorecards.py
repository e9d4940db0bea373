"""Scorecards, leadership and the health check: small trees and tables, every figure counted by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from headway.models.plan import parse_plan
from headway.models.product import parse_product
from headway.models.strategy import Strategy, parse_strategy
from headway_pipelines.publishing.comments import COLUMN_COMMENTS, TABLE_COMMENTS
from headway_pipelines.strategy.health import QUESTIONS, product_health
from headway_pipelines.strategy.leadership import SCHEMAS, below, leadership_tables
from headway_pipelines.strategy.scorecards import PARTS, SCHEMA, output_and_outcome, team_scorecards
from headway_pipelines.strategy.tree_tables import tree_tables

TODAY = dt.date(2026, 6, 1)
PLAN = """\
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events: {Signed Up: {}, Paid: {}, Asked: {}, Answered: {}}
"""
PRODUCT = """\
name: Shop
timezone: UTC
currency: EUR
activity: Paid
grains: [week]
metrics:
  paying: {framework: aarrr, stage: revenue, title: Pay, unit: percent, kind: share, of: Signed Up, did: Paid}
  asking: {framework: quality, stage: reliability, title: Ask, unit: percent, kind: share, of: Signed Up,
    did: Asked, direction: down, limit: 0.1}
  reply: {framework: customer, stage: responsiveness, title: Reply, unit: percent, kind: conversion, start: Asked,
    reach: Answered, within: 1d, owner: help}
"""
TREE = """\
teams:
  shop: {title: Shop, formed: 2025-01-01}
  help: {title: Help, formed: 2026-05-01}
intents:
  grow: {title: Grow, team: shop, problem: P, aims: [{metric: paying, target: 0.4, by: 2026-12-31}],
    decisions: [{date: 2026-01-01, decision: do, reason: R, by: leadership}]}
  calm: {title: Calm, team: help}
initiatives:
  checkout: {title: Checkout, under: grow, problem: P, aims: [{metric: paying}], guardrails: [asking],
    decisions: [{date: 2026-01-02, decision: do, reason: R, by: team}]}
  nothing: {title: Nothing, under: grow, team: gone, aims: [{metric: asking}]}
options:
  short_form:
    title: Short form
    under: checkout
    horizon: 2026-05-01
    experiment: short
    bets: [{metric: paying, expect: 0.2, low: 0.1, high: 0.3}]
    risks: {value: [{date: 2025-06-01, kind: interview, says: contradicts, reference: r/1}]}
  badges: {title: Badges, under: checkout, cost: {per_month: 70}, kill: {metric: asking, worse_than: 0.1},
    risks: {value: [{date: 2026-05-20, kind: interview, says: supports, reference: r/2}]}}
  gifts: {title: Gifts, under: checkout, status: stopped,
    decisions: [{date: 2026-03-01, decision: stop, reason: R}]}
"""
MONDAY = dt.date(2026, 5, 25)


def value(metric: str, number: float, half: float = 0.05) -> dict[str, Any]:
    return {
        "metric": metric, "segment": "all", "period": "week", "period_start": MONDAY,
        "period_end": MONDAY + dt.timedelta(days=6), "complete": True, "value": number, "low": number - half,
        "high": number + half,
    }  # fmt: skip


def catalogued(metric: str, framework: str, **said: Any) -> dict[str, Any]:
    empty = {"target_value": None, "limit_value": None, "direction": "up", "unit": "percent", "owner": None}
    return {"metric": metric, "framework": framework, **empty, **said}


def bet(option: str, verdict: str, **said: Any) -> dict[str, Any]:
    known = {
        "bet": f"{option}.paying", "option": option, "team": "shop", "metric": "paying", "scale": "relative",
        "low": 0.1, "high": 0.3, "verdict": verdict, "effect": None, "effect_low": None, "effect_high": None,
        "grade": None,
    }  # fmt: skip
    return {**known, **said}


def released(option: str, **said: Any) -> dict[str, Any]:
    known = {"option": option, "team": "shop", "measured": True, "outcome": "no effect", "goodbye": "",
             "adoption": None, "cost_per_month": None}  # fmt: skip
    return {**known, **said}


@pytest.fixture(scope="module")
def tree() -> Strategy:
    plan = parse_plan(PLAN)
    return parse_strategy(TREE, parse_product(PRODUCT, plan), plan)


@pytest.fixture(scope="module")
def tables(tree: Strategy) -> dict[str, pl.DataFrame]:
    values = pl.DataFrame([value("paying", 0.3), value("asking", 0.2), value("reply", 0.9)])
    directions: dict[str, Any] = {"paying": "up", "asking": "down", "reply": "up"}
    return {
        "metric_values": values,
        "metric_catalogue": pl.DataFrame(
            [
                catalogued("paying", "aarrr"),
                catalogued("asking", "quality", limit_value=0.1, direction="down"),
                catalogued("reply", "customer", target_value=0.5, owner="help"),
            ]
        ),
        "bets": pl.DataFrame(
            [
                bet("short_form", "miss", effect=0.01, effect_low=-0.02, effect_high=0.04, grade="A"),
                bet("badges", "inconclusive", effect=0.2, effect_low=-0.2, effect_high=0.6, grade="D"),
                bet("gifts", "untested"),
            ],
            infer_schema_length=None,
        ),
        "forecasts": pl.DataFrame(
            [{"team": "shop", "brier": 0.3, "ranges": 2, "share_held": 0.5, "low": 0.1, "high": 0.9, "stated": 0.8,
              "calibration": "fits"}]
        ),
        "kata": pl.DataFrame([{"kata": "k", "team": "vanished"}]),
        "kata_measures": pl.DataFrame(
            [{"team": "vanished", "steps": 3, "closed": 2, "cycle_days": 14.0, "steps_per_30_days": 2.0,
              "surprised": 0.5}]
        ),
        "experiments": pl.DataFrame(
            [{"experiment": "short", "owner": "others", "status": "over", "control": "old", "title": "Short"}]
        ),
        "experiment_results": pl.DataFrame(
            [
                {"experiment": "short", "metric": "paying", "purpose": purpose, "variant": variant, "unit": "percent",
                 "effect": 0.01, "low": -0.02, "high": 0.04, "verdict": "hidden"}
                for purpose in ("primary", "secondary") for variant in ("old", "new")
            ]
        ),
        "released_options": pl.DataFrame(
            [released("short_form"), released("badges", goodbye="nearly nobody uses it", adoption=0.01,
                                              cost_per_month=70.0)],
            infer_schema_length=None,
        ),
        "releases": pl.DataFrame(
            [{"team": "shop", "kind": "release", "changes": 4, "metrics": "paying"},
             {"team": None, "kind": "deploy", "changes": None, "metrics": None},
             {"team": "help", "kind": "rollout", "changes": 2, "metrics": None}]
        ),
        "insight_feed": pl.DataFrame([{"kind": "move", "metric": "paying"}, {"kind": "goodbye", "metric": ""}]),
        **tree_tables(tree, values, directions, today=TODAY),
    }  # fmt: skip


def rows(frame: pl.DataFrame, **keys: Any) -> list[dict[str, Any]]:
    return list(frame.filter(**keys).iter_rows(named=True))


def test_every_team_has_a_scorecard_whoever_it_is(tree: Strategy, tables: dict[str, pl.DataFrame]) -> None:
    """Declared teams, one that owns a node without being declared, and one that is left over in a kata."""
    cards = team_scorecards(tree, tables, today=TODAY)
    assert cards["team"].unique(maintain_order=True).to_list() == ["shop", "help", "gone", "vanished"]
    assert set(cards["part"]) <= set(PARTS)
    assert rows(cards, team="gone", measure="not declared")[0]["state"] == "not among teams:"
    assert {(r["measure"], r["value"]) for r in rows(cards, team="vanished", part="kata")} == {
        ("steps closed", 2.0), ("cycle days", 14.0), ("steps per 30 days", 2.0), ("surprised", 0.5)}  # fmt: skip


def test_what_a_team_owns_is_counted_under_it(tree: Strategy, tables: dict[str, pl.DataFrame]) -> None:
    cards = team_scorecards(tree, tables, today=TODAY)
    (met,) = rows(cards, team="shop", measure="targets met")
    assert (met["value"], met["reference"]) == (0, 1)
    aims = rows(cards, team="shop", measure="aim")
    assert [(r["subject"], r["value"], r["reference"], r["state"]) for r in aims] == [
        ("grow", 0.3, 0.4, "on the way"), ("checkout", 0.3, None, "no target")]  # fmt: skip
    counted = {r["measure"]: r["value"] for r in rows(cards, team="shop", part="bets", unit="count")}
    assert counted == {"hit": 0, "miss": 1, "harm": 0, "inconclusive": 1, "untested": 1, "open": 0}
    (held,) = rows(cards, team="shop", measure="ranges held")
    assert (held["value"], held["reference"], held["state"]) == (0.5, 0.8, "fits")
    # The experiment is another's, but it tests an option of this team; its control is no result.
    (primary,) = rows(cards, team="shop", measure="primary")
    assert (primary["subject"], primary["value"], primary["low"]) == ("short", 0.01, -0.02)
    (guardrail,) = rows(cards, team="shop", part="guardrails")
    assert (guardrail["metric"], guardrail["reference"], guardrail["state"]) == ("asking", 0.1, "broken")
    focus = {r["measure"]: r["value"] for r in rows(cards, team="shop", part="focus")}
    assert focus == {"days together": 516, "initiatives at once": 1, "options at once": 2}


def test_customers_in_trouble_are_those_of_the_team_or_else_of_the_product(
    tree: Strategy, tables: dict[str, pl.DataFrame]
) -> None:
    cards = team_scorecards(tree, tables, today=TODAY)
    (own,) = rows(cards, team="help", part="customers")
    (others,) = rows(cards, team="shop", part="customers")
    assert (own["measure"], others["measure"]) == ("own", "product")
    assert (own["value"], own["reference"], own["state"]) == (0.9, 0.5, "met")


def test_output_never_stands_without_its_outcome(tree: Strategy, tables: dict[str, pl.DataFrame]) -> None:
    both = output_and_outcome(tables, ("all", "shop", "help"))
    assert rows(both, team="all")[0] == {
        "team": "all", "releases": 3, "changes": 6, "tickets_closed": None, "options_released": 2,
        "options_measured": 2, "options_improved": 0, "targets": 1, "targets_met": 0,
        "bets_settled": 3, "bets_hit": 0}  # fmt: skip
    assert both["releases"].to_list() == [3, 1, 1]
    output = rows(team_scorecards(tree, tables, today=TODAY), team="shop", part="output")
    assert [r["measure"] for r in output] == ["releases", "changes", "options improved"]


def test_tickets_closed_are_output_too_where_somebody_tells_of_them(
    tree: Strategy, tables: dict[str, pl.DataFrame]
) -> None:
    closed = [
        (dt.date(2026, 4, 1), "shop", 7),
        (dt.date(2026, 5, 1), "shop", 5),
        (dt.date(2026, 5, 1), None, 2),
    ]
    tables |= {"closed_work": pl.DataFrame(closed, schema=["month", "team", "tickets"], orient="row")}
    both = output_and_outcome(tables, ("all", "shop", "help", ""))
    assert both["tickets_closed"].to_list() == [14, 12, 0, 2]
    output = rows(team_scorecards(tree, tables, today=TODAY), team="shop", part="output")
    assert [(r["measure"], r["value"]) for r in output] == [
        ("releases", 1), ("changes", both["changes"][1]), ("tickets closed", 12), ("options improved", 0),
    ]  # fmt: skip


def test_intents_stand_beside_their_targets_with_what_was_done_below(
    tree: Strategy, tables: dict[str, pl.DataFrame]
) -> None:
    assert below(tree, "grow") == {"checkout", "nothing", "short_form", "badges", "gifts"}
    found = leadership_tables(tree, tables, today=TODAY)["leadership_intents"]
    grow, calm = rows(found)
    assert (grow["value"], grow["low"], grow["high"], grow["target"]) == (0.3, 0.25, 0.35, 0.4)
    assert (grow["grade"], grow["initiatives"], grow["options_released"], grow["bets_settled"]) == (
        "A",
        2,
        2,
        3,
    )
    assert (calm["state"], calm["grade"], calm["options_released"]) == ("no outcome", None, 0)


def test_what_could_go_has_every_reason_once_and_its_figures(
    tree: Strategy, tables: dict[str, pl.DataFrame]
) -> None:
    found = leadership_tables(tree, tables, today=TODAY)["stop_candidates"]
    badges, short = rows(found)
    assert badges["reason"] == "nearly nobody uses it; its own rule says stop"
    assert (badges["adoption"], badges["cost_per_month"], badges["effect"]) == (0.01, 70.0, 0.2)
    assert (short["node"], short["reason"], short["effect"], short["grade"]) == (
        "short_form", "its bet missed", 0.01, "A")  # fmt: skip


def test_weak_evidence_is_named(tree: Strategy, tables: dict[str, pl.DataFrame]) -> None:
    weak = leadership_tables(tree, tables, today=TODAY)["weak_evidence"]
    told = {(r["node"], r["weakness"], r["value"], r["reference"]) for r in rows(weak)}
    missing = "no evidence about usability, viability, feasibility"
    assert ("short_form", missing, 1, 4) in told
    assert ("short_form", "evidence speaks against it", 1, 1) in told
    assert ("short_form", "its latest evidence is old", 365, 180) in told
    assert ("badges", "what came of its bet is of grade D", 0.2, 0.1) in told
    assert ("gifts", "its bet was never tested", None, None) in told
    assert not any(node == "gifts" and "no evidence" in weakness for node, weakness, _, _ in told)


def test_questions_are_answered_by_counting_or_stay_open(
    tree: Strategy, tables: dict[str, pl.DataFrame]
) -> None:
    health = product_health(tree, tables, today=TODAY)
    assert health["question"].unique(maintain_order=True).to_list() == list(QUESTIONS)
    counted = {r["measure"].split(",")[0]: (r["counted"], r["of"], r["last_day"]) for r in rows(health)}
    assert counted["decisions that the team took"] == (1, 2, dt.date(2026, 1, 2))
    assert counted["initiatives with two options or more to choose from"] == (1, 2, None)
    assert counted["things that were stopped or not begun"] == (1, 3, dt.date(2026, 3, 1))
    assert counted["rules that said stop"] == (0, 1, None)
    assert counted["options worked on with an interview"] == (1, 2, dt.date(2026, 5, 20))
    assert counted["intents and initiatives with a metric that tells that it worked"] == (3, 4, None)
    assert counted["intents and initiatives with a target and its date"] == (1, 4, None)
    assert counted["releases that name a metric they are to change"] == (1, 2, None)
    assert counted["items worth telling that are about an outcome"] == (1, 2, None)
    assert counted["teams that work together for 180 days or more"] == (1, 2, None)
    assert counted["nodes of the tree that a team answers for"] == (5, 6, None)
    (asked,) = rows(health, measure="what they say themselves")
    assert (asked["state"], asked["counted"], asked["share"]) == ("open", None, None)


def test_an_empty_tree_leaves_every_question_open() -> None:
    tables = {"metric_values": pl.DataFrame([value("paying", 0.3)])}
    tables |= tree_tables(Strategy(), tables["metric_values"], {}, today=TODAY)
    health = product_health(Strategy(), tables, today=TODAY)
    assert set(health["state"]) == {"open"}
    assert all(health["would_answer"])
    assert team_scorecards(Strategy(), tables, today=TODAY).is_empty()


def test_every_column_is_documented() -> None:
    tables = {**SCHEMAS, "team_scorecards": SCHEMA, "product_health": product_health(
        Strategy(), {}, today=TODAY).schema}  # fmt: skip
    for table, columns in tables.items():
        assert table in TABLE_COMMENTS
        assert not [c for c in columns if f"{table}.{c}" not in COLUMN_COMMENTS], table
