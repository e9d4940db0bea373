"""The demo's strategy: fits logs of every length, its bets were made in time, and end as the data let them."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from planted import SCENARIO, Computed

from headway.models.plan import load_plan
from headway.models.product import load_product
from headway.models.strategy import load_strategy
from headway_pipelines.demo import simulate
from headway_pipelines.demo.scenario import Scenario
from headway_pipelines.demo.strategy import freeze_bets, write_strategy
from headway_pipelines.demo_workspace import build_demo
from headway_pipelines.strategy.tables import strategy_tables
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace


@pytest.mark.parametrize("days", [14, 60, 365])
def test_it_is_valid_whatever_the_length_of_the_log(
    days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(tmp_path / "key"))
    workspace = tmp_path / "demo"
    simulate(workspace, people=50, days=14)
    scenario = Scenario(people=50, days=days)
    write_strategy(workspace, scenario)
    freeze_bets(workspace, scenario)
    plan = load_plan(workspace / "tracking_plan.yml")
    strategy = load_strategy(workspace, load_product(workspace / "product.yml", plan), plan)
    assert {node.status for _, _, node in strategy.nodes()} == {"active", "stopped"}
    assert len((workspace / "state" / "bets.jsonl").read_text().splitlines()) == 8


def test_its_bets_were_made_before_work_began_and_are_settled(demo_workspace: Any) -> None:
    demo = demo_workspace.root
    tables = tables_of(demo / "published" / "analytics.duckdb")
    assert tables["strategy_problems"].is_empty()
    assert tables["bets"]["made_before"].unique().to_list() == ["start"]
    assert "open" not in tables["bets"]["verdict"].to_list()
    # What does nothing earns no hit.
    planted_nulls = tables["bets"].filter(~tables["bets"]["option"].is_in(["video_editor", "welcome_tour"]))
    assert "hit" not in planted_nulls["verdict"].to_list()
    assert tables["build_trap"].filter(team="all")["released"].to_list() == [8]
    removed = tables["released_options"].filter(option="one_page_checkout")["removed"][0]
    assert removed is not None
    for page in ("strategy", "teams", "leadership"):
        assert (demo / "report" / f"{page}.html").exists()


def test_what_teams_closed_stands_beside_what_came_of_it(demo_workspace: Any) -> None:
    demo = demo_workspace.root
    with (demo / "inputs" / "work.csv").open(encoding="utf-8") as file:
        closed = [(row["team"], int(row["tickets"])) for row in csv.DictReader(file)]
    by_team = {team: sum(n for each, n in closed if each == team) for team, _ in closed}
    tables = tables_of(demo / "published" / "analytics.duckdb")
    assert tables["closed_work"]["tickets"].sum() == sum(by_team.values()) > 0
    beside = dict(tables["output_and_outcome"].select("team", "tickets_closed").iter_rows())
    assert beside == by_team | {"all": sum(by_team.values())}


def test_its_kata_is_measured_in_its_own_log(demo_workspace: Any) -> None:
    """Two closed steps and an open one; each figure is the week of the published metric that was known on that day."""
    demo = demo_workspace.root
    tables = tables_of(demo / "published" / "analytics.duckdb")
    steps = tables["kata_steps"].sort("step").to_dicts()
    assert [bool(step["learned"]) for step in steps] == [True, True, False]
    weeks = (
        tables["metric_values"].filter(metric="saved", segment="all", period="week", complete=True).to_dicts()
    )

    def known_on(day: date) -> float | None:
        # Everybody who signed up had a week to save a course.
        over = [week for week in weeks if week["period_end"] + timedelta(days=7) < day]
        return max(over, key=lambda week: week["period_start"])["value"] if over else None

    assert any(step["value"] is not None for step in steps)
    assert [step["value"] for step in steps] == [known_on(step["date"]) for step in steps]
    closed = [(step["happened"], step["happened_on"]) for step in steps[:2]]
    assert closed == [(known_on(day), day) for _, day in closed]
    (growth,) = tables["kata_measures"].filter(team="growth").to_dicts()
    assert (growth["steps"], growth["closed"], growth["cycle_days"] > 0, growth["steps_per_30_days"] > 0) == (
        3, 2, True, True,
    )  # fmt: skip
    page = (demo / "report" / "strategy.html").read_text()
    assert "Newcomers leave at the form" in page
    assert "Course Enrolled" in page
    # What is packaged is what people say; figures and seals are of this workspace.
    packaged = files("headway_pipelines.demo.kata").joinpath("turns.yml").read_text()
    assert not {"seal", "current", "happened"} & set(re.findall(r"\w+", packaged.partition("\n")[2]))
    assert (demo / "kata" / "first_week.yml").read_text().count("seal: ") == 5


def test_the_data_settle_a_hit_a_miss_and_a_harm_and_find_what_nobody_uses(
    exact: Computed, tmp_path: Path
) -> None:
    """Nothing of it is written anywhere: verdicts come from the simulated log, through the pipeline."""
    root = tmp_path / "demo"
    for folder in ("metrics", "experiments"):
        shutil.copytree(exact.root / folder, root / folder)
    for name in ("tracking_plan.yml", "product.yml"):
        shutil.copy(exact.root / name, root / name)
    write_strategy(root, SCENARIO)
    freeze_bets(root, SCENARIO)
    assert not any(word in (root / "state/bets.jsonl").read_text() for word in ("verdict", "harm", "miss"))
    tables = strategy_tables(Workspace(root), tables_of(exact.root / "published" / "analytics.duckdb"))
    bets = {row["option"]: row for row in tables["bets"].iter_rows(named=True)}
    assert bets["welcome_tour"]["verdict"] == "hit"
    assert bets["search_ranking"]["verdict"] == "miss"
    assert bets["profile_first"]["verdict"] == "harm"
    assert {bets[name]["grade"] for name in ("welcome_tour", "search_ranking", "profile_first")} == {"A"}
    released = {row["option"]: row for row in tables["released_options"].iter_rows(named=True)}
    assert (released["profile_first"]["outcome"], released["profile_first"]["removed"] is None) == (
        "worse",
        False,
    )
    assert (released["text_invites"]["unused"], released["text_invites"]["goodbye"]) == (
        True,
        "nearly nobody uses it",
    )
    stopped = tables["strategy_nodes"].filter(level="initiative", status="stopped")["node"].to_list()
    reasons = tables["strategy_decisions"].filter(node="for_companies", decision="stop")
    assert (stopped, reasons.height) == (["for_companies"], 1)
    candidates = tables["stop_candidates"]["node"].to_list()
    assert "text_invites" in candidates
    assert "profile_first" not in candidates  # it is gone already


def test_a_year_ends_on_the_day_on_which_sixty_days_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A longer log begins earlier: one that reached into the future would not be over."""
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(tmp_path / "key"))
    year = build_demo(tmp_path / "year", people=50, days=365, seed=7)
    days = sorted(path.name for path in (year / "raw").iterdir())
    assert (days[0] >= "2025-10-30", days[-1]) == (True, "2026-10-29")
    assert "start: 2025-10-30" in (year / "strategy" / "lectern.yml").read_text()


@pytest.mark.skipif(not os.environ.get("HEADWAY_FULL"), reason="a year of the demo: HEADWAY_FULL=1")
def test_a_year_of_the_demo_settles_every_kind_of_bet(
    headway: Callable[..., Any], tmp_path: Path, key_outside_the_workspace: Path
) -> None:
    done = headway("demo", "--days", "365", cwd=tmp_path, key_file=key_outside_the_workspace)
    assert (done.returncode, done.stderr) == (0, "")
    tables = tables_of(tmp_path / "demo" / "published" / "analytics.duckdb")
    verdicts = dict(tables["bets"].select("option", "verdict").iter_rows())
    assert {verdicts[name] for name in ("video_editor", "welcome_tour")} == {"hit"}
    assert (verdicts["search_ranking"], verdicts["profile_first"]) == ("miss", "harm")
    assert "text_invites" in tables["stop_candidates"]["node"].to_list()
    stopped = tables["strategy_nodes"].filter(level="initiative", status="stopped")["node"].to_list()
    assert stopped == ["for_companies"]
