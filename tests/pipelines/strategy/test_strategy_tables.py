"""From strategy files and published tables to everything that is published about strategy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headway.engine import connect
from headway_pipelines.publishing.comments import COLUMN_COMMENTS, TABLE_COMMENTS
from headway_pipelines.strategy.tables import last_seen, strategy_tables
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.workspace import Workspace

PLAN = """\
version: 1
product: lectern
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Signed Up: {}
  Course Published: {}
  Payment Completed: {properties: {amount: {class: number, min: 0}}}
"""
PRODUCT = """\
name: Lectern
timezone: Europe/Berlin
currency: EUR
activity: Course Published
grains: [day, week]
metrics:
  publishing: {framework: aarrr, stage: activation, title: Publish, unit: percent, kind: conversion,
    start: Signed Up, reach: Course Published, within: 14d}
  income: {framework: aarrr, stage: revenue, title: Income, unit: EUR, kind: count,
    of: {event: Payment Completed, measure: sum, value: amount}}
  churn: {framework: aarrr, stage: retention, title: Churn, unit: percent, kind: share, of: Signed Up,
    did: Payment Completed, direction: down}
"""
STRATEGY = """\
vision: {statement: Everybody can teach, principles: [Teachers first]}
teams: {creators: {title: Creators, formed: 2025-01-01}}
intents:
  supply: {title: More courses, team: creators, problem: Too few,
    aims: [{metric: publishing, target: 0.4, by: 2026-12-31}]}
initiatives:
  faster: {title: Publish sooner, under: supply, aims: [{metric: publishing, target: 0.2, by: 2026-05-31}]}
options:
  editor:
    title: Video editor
    under: faster
    start: 2026-02-20
    horizon: 2026-05-01
    release: editor-1
    income: income
    cost: {build: 100, per_month: 0}
    guardrails: [churn]
    kill: {metric: churn, worse_than: 0.1}
    decisions: [{date: 2026-02-01, decision: do, reason: Teachers asked for it}]
    risks: {value: [{date: 2025-12-01, kind: interview, says: supports, reference: research/17}]}
    bets: [{metric: publishing, expect: 0.3, low: 0.2, high: 0.6, probability: 0.6}]
  quiz:
    title: Quiz
    under: faster
    experiment: quiz_test
    horizon: 2026-12-01
    bets: [{metric: publishing, expect: 0.02, low: 0.01, high: 0.03, scale: absolute, probability: 0.5}]
"""
RELEASED = dt.date(2026, 3, 2)


def values() -> pl.DataFrame:
    """Publishing a quarter before the release and a third after it, income of 10 a day, churn of 30 %."""
    days = [dt.date(2026, 1, 5) + dt.timedelta(days=n) for n in range(147)]
    rows: list[dict[str, Any]] = []
    for start in days:
        levels = {"publishing": 0.25 if start < RELEASED else 0.33, "income": 10.0, "churn": 0.3}
        for metric, value in levels.items():
            rows.append(_value(metric, "day", start, start, value))
            if start.weekday() == 0:
                rows.append(_value(metric, "week", start, start + dt.timedelta(days=6), value))
    return pl.DataFrame(rows)


def _value(metric: str, period: str, start: dt.date, end: dt.date, value: float) -> dict[str, Any]:
    return {
        "metric": metric, "segment": "all", "period": period, "period_start": start, "period_end": end,
        "complete": True, "value": value, "low": value * 0.9, "high": value * 1.1,
    }  # fmt: skip


def impact(**said: Any) -> pl.DataFrame:
    row = {
        "release": "editor-1", "metric": "publishing", "intended": True, "rung": "staggered", "method": "staggered",
        "strongest": True, "effect": 0.08, "low": 0.05, "high": 0.11, "grade": "B", "reason": "", "verdict": "better",
        "days_to_value": 21, **said,
    }  # fmt: skip
    return pl.DataFrame([row])


def shown(horizon: str = "2026-06-01T10:00", **more: pl.DataFrame) -> dict[str, pl.DataFrame]:
    at = dt.datetime.fromisoformat(horizon)
    return {
        "metric_values": values(),
        "run_info": pl.DataFrame({"horizon": [at], "as_of": [at]}),
        "releases": pl.DataFrame({"release": ["editor-1"], "released_on": [RELEASED]}),
        "release_impact": impact(),
        "feature_adoption": pl.DataFrame(
            {
                "release": ["editor-1"],
                "eligible": [1000],
                "tried": [300],
                "tried_rate": [0.3],
                "tried_high": [0.33],
            }
        ),
        **more,
    }


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(tmp_path / "key"))
    workspace = Workspace(tmp_path / "workspace")
    (workspace.root / "strategy").mkdir(parents=True)
    workspace.plan_file.write_text(PLAN)
    workspace.product_file.write_text(PRODUCT)
    (workspace.root / "strategy" / "tree.yml").write_text(STRATEGY)
    return workspace


def publish(workspace: Workspace, tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    found = strategy_tables(workspace, tables)
    workspace.published_db.parent.mkdir(exist_ok=True)
    replace_database(workspace.published_db, found)
    return found


def row(table: pl.DataFrame, **keys: Any) -> dict[str, Any]:
    (found,) = table.filter(**keys).to_dicts()
    return found


def test_a_bet_is_frozen_before_and_settled_at_its_horizon_from_what_was_published(
    workspace: Workspace,
) -> None:
    before = publish(workspace, shown("2026-02-15T10:00"))
    assert row(before["bets"], option="editor")["verdict"] == "open"
    tables = publish(workspace, shown())
    editor = row(tables["bets"], option="editor")
    assert (editor["verdict"], editor["made_before"], editor["grade"]) == ("hit", "start", "B")
    # 0.08 more than the quarter that it was in the four weeks before
    assert editor["effect"] == pytest.approx(0.32)
    assert (editor["team"], editor["in_range"], editor["changes"]) == ("creators", True, 0)
    assert row(tables["bets"], option="quiz")["verdict"] == "open"
    assert [each["kind"] for each in tables["bet_entries"].to_dicts()] == ["frozen", "frozen", "settled"]
    forecast = row(tables["forecasts"], team="all")
    assert (forecast["settled"], forecast["hits"], forecast["held"]) == (1, 1, 1)
    assert forecast["brier"] == pytest.approx(0.16)
    assert forecast["skill"] is None


def test_forecasts_are_followed_over_time(workspace: Workspace) -> None:
    """A hit at 60 % and then, half a year later, a bet at 50 % that did harm."""
    publish(workspace, shown("2026-02-15T10:00"))
    results = pl.DataFrame(
        {
            "experiment": ["quiz_test"] * 2, "metric": ["publishing"] * 2, "variant": ["old", "new"],
            "effect": [None, -0.05], "low": [None, -0.08], "high": [None, -0.02], "relative": [None, -0.2],
            "relative_low": [None, -0.3], "relative_high": [None, -0.1], "verdict": ["control", "worse"],
            "reason": [None, None],
        },
        schema_overrides={"reason": pl.String},
    )  # fmt: skip
    experiments = pl.DataFrame(
        {"experiment": ["quiz_test"], "control": ["old"], "ships": [None]},
        schema_overrides={"ships": pl.String},
    )
    late = shown("2026-12-02T10:00", experiment_results=results, experiments=experiments)
    history = publish(workspace, late)["forecast_history"].filter(team="all")
    assert history.select("until", "settled", "hits", "ranges", "held").rows() == [
        (dt.date(2026, 5, 1), 1, 1, 1, 1),
        (dt.date(2026, 12, 1), 2, 1, 2, 1),
    ]
    # (1 - 0.6)², and its mean with 0.5²
    assert history["brier"].to_list() == pytest.approx([0.16, (0.16 + 0.25) / 2])


def test_what_was_released_did_and_cost(workspace: Workspace) -> None:
    tables = publish(workspace, shown())
    editor = row(tables["released_options"], option="editor")
    assert (editor["outcome"], editor["adoption"], editor["unused"], editor["goodbye"]) == (
        "improved",
        0.3,
        False,
        "",
    )
    index = row(tables["build_trap"], team="all")
    assert (index["released"], index["measured"], index["improved"]) == (1, 1, 1)
    money = row(tables["time_to_money"], option="editor")
    # 10 a day from 2 March on: the tenth day is 11 March
    assert (money["release_to_break_even_days"], money["start_to_break_even_days"]) == (9, 19)
    assert (money["release_to_outcome_days"], money["start_to_outcome_days"]) == (21, 31)


def test_the_tree_says_where_its_aims_stand_and_what_is_missing(workspace: Workspace) -> None:
    tables = publish(workspace, shown())
    assert tables["strategy_nodes"].select("level", "node", "under", "team").rows() == [
        ("intent", "supply", None, "creators"),
        ("initiative", "faster", "supply", "creators"),
        ("option", "editor", "faster", "creators"),
        ("option", "quiz", "faster", "creators"),
    ]
    supply, faster = row(tables["strategy_aims"], node="supply"), row(tables["strategy_aims"], node="faster")
    assert (supply["value"], supply["state"], supply["sure"]) == (0.33, "on the way", True)
    assert (faster["state"], faster["sure"]) == ("met", True)
    assert row(tables["strategy_kill_rules"], node="editor")["state"] == "stop"
    gaps = tables["strategy_gaps"].select("node", "missing").rows()
    assert ("quiz", "kill rule") in gaps
    assert ("editor", "usability evidence") in gaps
    assert ("editor", "value evidence") not in gaps
    team = row(tables["strategy_teams"], team="creators")
    assert (team["initiatives_now"], team["days_together"]) == (1, 516)


def test_the_feed_tells_what_matters_with_a_question(workspace: Workspace) -> None:
    feed = publish(workspace, shown())["insight_feed"]
    first = feed.row(0, named=True)
    assert (first["kind"], first["metric"]) == ("kill", "churn")
    assert first["sentence"].startswith("Video editor: the rule says stop. Churn was 30")
    assert first["ask"]
    bet = row(feed, kind="bet")
    assert (
        bet["sentence"]
        == "The bet on Video editor hit: Publish, settled for 1 May 2026: +32 % (20–44), promised was +20 %."
    )


def test_an_experiment_is_stronger_than_a_release(workspace: Workspace) -> None:
    path = workspace.root / "strategy" / "tree.yml"
    path.write_text(
        STRATEGY.replace("    release: editor-1\n", "    release: editor-1\n    experiment: editor_test\n")
    )
    results = pl.DataFrame(
        {
            "experiment": ["editor_test"] * 3, "metric": ["publishing"] * 2 + ["churn"],
            "variant": ["old", "new", "old"], "effect": [None, -0.05, None], "low": [None, -0.08, None],
            "high": [None, -0.02, None], "relative": [None, -0.2, None], "relative_low": [None, -0.3, None],
            "relative_high": [None, -0.1, None], "verdict": ["control", "worse", "hidden"],
            "reason": [None, None, None],
        },
        schema_overrides={"reason": pl.String},
    )  # fmt: skip
    experiments = pl.DataFrame(
        {"experiment": ["editor_test"], "control": ["old"], "ships": [None]},
        schema_overrides={"ships": pl.String},
    )
    tables = publish(workspace, shown(experiment_results=results, experiments=experiments))
    editor = row(tables["bets"], option="editor")
    assert (editor["verdict"], editor["effect"], editor["grade"], editor["method"]) == (
        "harm",
        -0.2,
        "A",
        "randomised",
    )
    assert row(tables["released_options"], option="editor")["goodbye"] == "it made things worse"


def test_naming_another_release_afterwards_changes_nothing(workspace: Workspace) -> None:
    """A bet is settled by what it was frozen with: one cannot look for the release that did well."""
    publish(workspace, shown("2026-02-15T10:00"))
    path = workspace.root / "strategy" / "tree.yml"
    path.write_text(STRATEGY.replace("release: editor-1", "release: editor-2"))
    both = pl.concat(
        [impact(effect=-0.08, low=-0.11, high=-0.05, verdict="worse"), impact(release="editor-2")]
    )
    days = pl.DataFrame({"release": ["editor-1", "editor-2"], "released_on": [RELEASED] * 2})
    tables = publish(workspace, shown(release_impact=both, releases=days))
    editor = row(tables["bets"], option="editor")
    assert (editor["verdict"], editor["changed"], editor["changes"]) == ("harm", "release", 1)


def test_an_option_that_is_deleted_still_counts_as_released_and_its_bet_is_settled(
    workspace: Workspace,
) -> None:
    publish(workspace, shown("2026-02-15T10:00"))
    path = workspace.root / "strategy" / "tree.yml"
    path.write_text(STRATEGY[: STRATEGY.index("  editor:")] + STRATEGY[STRATEGY.index("  quiz:") :])
    tables = publish(workspace, shown(release_impact=impact(effect=-0.08, low=-0.11, high=-0.05)))
    editor = row(tables["bets"], option="editor")
    assert (editor["verdict"], editor["grade"], editor["withdrawn_at"] is not None) == ("harm", "B", True)
    released = row(tables["released_options"], option="editor")
    assert (released["outcome"], released["goodbye"]) == ("worse", "it made things worse")
    index = row(tables["build_trap"], team="creators")
    assert (index["released"], index["improved"]) == (1, 0)
    assert row(tables["stop_candidates"], node="editor")["team"] == "creators"
    # Under another name it is no second release.
    path.write_text(STRATEGY.replace("  editor:", "  cutter:"))
    tables = publish(workspace, shown())
    assert tables["released_options"]["option"].to_list() == ["cutter"]
    assert row(tables["bets"], option="cutter")["made_before"] == "nothing"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            {"rolled_back_on": [dt.date(2026, 3, 3)], "assessed": [True]},
            "it was taken back on 2026-03-03, before anybody",
        ),
        (
            {"rolled_back_on": [None], "assessed": [False]},
            "it went live with a deploy, whose effect nobody asked for",
        ),
        (
            {"release": ["other"], "rolled_back_on": [None], "assessed": [True]},
            "is not in the log of releases",
        ),
        ({"rolled_back_on": [None], "assessed": [True]}, "nothing was released or tested that this could be"),
    ],
)
def test_an_untested_bet_says_why(workspace: Workspace, told: dict[str, Any], reason: str) -> None:
    releases = pl.DataFrame({"release": ["editor-1"], "released_on": [RELEASED], **told})
    publish(workspace, shown("2026-02-15T10:00"))
    other = impact(release="another")
    editor = row(publish(workspace, shown(releases=releases, release_impact=other))["bets"], option="editor")
    assert editor["verdict"] == "untested"
    assert reason in editor["reason"]


def test_what_everybody_did_settles_no_bet_on_some_of_them(workspace: Workspace) -> None:
    path = workspace.root / "strategy" / "tree.yml"
    path.write_text(STRATEGY.replace("probability: 0.6}", 'probability: 0.6, segment: "channel=paid"}'))
    publish(workspace, shown("2026-02-15T10:00"))
    editor = row(publish(workspace, shown())["bets"], option="editor")
    assert (editor["verdict"], editor["effect"]) == ("untested", None)
    assert editor["reason"] == "effects are measured of everybody, not of channel=paid alone"


def test_a_rewritten_ledger_is_told_and_everything_else_is_published(workspace: Workspace) -> None:
    publish(workspace, shown())
    text = workspace.bets_file.read_text()
    workspace.bets_file.write_text(text.replace('"low": 0.2', '"low": 0.1', 1))
    tables = publish(workspace, shown())
    (problem,) = tables["strategy_problems"].to_dicts()
    assert problem["file"] == "state/bets.jsonl"
    assert "was changed after it was written" in problem["problem"]
    assert tables["bets"].is_empty()
    assert not tables["strategy_nodes"].is_empty()
    assert text.count("\n") == workspace.bets_file.read_text().count("\n")


def test_a_deleted_ledger_is_told(workspace: Workspace) -> None:
    publish(workspace, shown())
    assert last_seen(workspace.published_db) is not None
    workspace.bets_file.unlink()
    (problem,) = publish(workspace, shown())["strategy_problems"].to_dicts()
    assert "there were 3 before" in problem["problem"]


def test_without_strategy_there_is_the_feed_alone(workspace: Workspace) -> None:
    (workspace.root / "strategy" / "tree.yml").unlink()
    assert list(strategy_tables(workspace, shown())) == ["insight_feed"]
    assert not workspace.bets_file.exists()
    assert last_seen(workspace.published_db) is None


def test_every_column_is_explained(workspace: Workspace) -> None:
    tables = publish(workspace, shown())
    assert set(tables) <= set(TABLE_COMMENTS)
    columns = {f"{name}.{column}" for name, table in tables.items() for column in table.columns}
    assert columns <= set(COLUMN_COMMENTS)
    con = connect(workspace.published_db, read_only=True)
    try:
        assert con.execute("SELECT count(*) FROM bets").fetchall() == [(2,)]
    finally:
        con.close()


def test_the_report_says_what_was_promised_and_what_came(workspace: Workspace) -> None:
    from headway_pipelines.report import pages
    from headway_pipelines.report.pages.strategy import PAGES
    from headway_pipelines.report.reading import read_report

    publish(workspace, shown("2026-02-15T10:00"))
    tables = publish(workspace, shown())
    report = read_report(tables)
    feed_page, strategy_page = PAGES
    assert feed_page.wanted(report)
    assert strategy_page.wanted(report)
    assert not strategy_page.wanted(read_report({"insight_feed": tables["insight_feed"]}))
    filled = strategy_page.fill(report)
    (editor, quiz) = filled["bets"]
    assert editor.cells[0] == "+20 % to +60 % by 1 May 2026, 60 % sure"
    assert editor.cells[1] == "+32 % (+20 % to +44 %), grade B"
    assert editor.cells[2].startswith("hit: the metric got better")
    assert quiz.cells[1] == "–"
    text = pages.render(tables)["strategy.html"]
    assert "1 of 1 released option improved an outcome" in text
    assert "Can people use it? Nobody knows yet." in text
    assert "Do people want it? Interview of 1 Dec 2025 speaks for it (research/17)." in text
    assert "1 Feb 2026: do it. Teachers asked for it" in text
    assert "1 decision, evidence on 1 of 4 risks" in text
    assert "Everybody can teach" in text
    assert "<li>Teachers first</li>" in text
    # These tables have no catalogue, which knows the title.
    assert "Must not get worse: churn" in text
