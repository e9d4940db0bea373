"""The demo's strategy: fits logs of every length, its bets were made in time, and end as the data let them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.models.plan import load_plan
from headway.models.product import load_product
from headway.models.strategy import load_strategy
from headway_pipelines.compute import tables_of
from headway_pipelines.demo import simulate
from headway_pipelines.demo.scenario import Scenario
from headway_pipelines.demo.strategy import freeze_bets, write_strategy


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
    assert len((workspace / "state" / "bets.jsonl").read_text().splitlines()) == 4


def test_its_bets_were_made_before_work_began_and_are_settled(demo_workspace: Any) -> None:
    demo = demo_workspace.root
    tables = tables_of(demo / "published" / "analytics.duckdb")
    assert tables["strategy_problems"].is_empty()
    assert tables["bets"]["made_before"].unique().to_list() == ["start"]
    assert "open" not in tables["bets"]["verdict"].to_list()
    # What does nothing earns no hit.
    planted_nulls = tables["bets"].filter(tables["bets"]["option"] != "video_editor")
    assert "hit" not in planted_nulls["verdict"].to_list()
    assert tables["build_trap"].filter(team="all")["released"].to_list() == [4]
    removed = tables["released_options"].filter(option="one_page_checkout")["removed"][0]
    assert removed is not None
    assert (demo / "report" / "strategy.html").exists()
