"""What Lectern wants and bets on: a strategy whose days fit the simulated log, and bets that were made in time."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template

from headway_pipelines.demo.chapters import profile_days, text_invites_day
from headway_pipelines.demo.release_log import release_days
from headway_pipelines.demo.scenario import Scenario
from headway_pipelines.demo.trials import trial_days


def write_strategy(workspace: Path, scenario: Scenario) -> None:
    """Writes the strategy of the demo, its days moved to where the scenario has its releases.

    Args:
        workspace: The workspace.
        scenario: The scenario.
    """
    packaged = files(__package__).joinpath("lectern.yml").read_text(encoding="utf-8")
    folder = workspace / "strategy"
    folder.mkdir(exist_ok=True)
    days = {name: str(scenario.start + timedelta(days=day)) for name, day in _days(scenario).items()}
    (folder / "lectern.yml").write_text(Template(packaged).substitute(days), encoding="utf-8")


def freeze_bets(workspace: Path, scenario: Scenario) -> None:
    """Freezes the demo's bets on the first day of the log: a team would have run Headway then.

    Args:
        workspace: The workspace, its definitions written and nothing of it run yet.
        scenario: The scenario.
    """
    from headway.models.plan import load_plan
    from headway.models.product import load_product
    from headway.models.strategy import load_strategy
    from headway.strategy import bets_of
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.strategy.bets_ledger import append_bets
    from headway_pipelines.strategy.follow import news, nothing_measured
    from headway_pipelines.workspace import Workspace

    ready = Workspace(workspace)
    plan = load_plan(ready.plan_file)
    product = load_product(ready.product_file, plan)
    bets = bets_of(load_strategy(workspace, product, plan), product)
    at = datetime.combine(scenario.start, time(6))
    found = list(news({}, bets, nothing_measured, {}, today=scenario.start))
    append_bets(ready.bets_file, (), found, load_key(ready), at)


def _days(s: Scenario) -> dict[str, int]:
    """Day of the range of everything that the strategy speaks of; as `headway_pipelines.demo.release_log` has it."""
    shipped = release_days(s)
    end = s.days - 1
    first, last = ((day - s.start).days for day in profile_days(s))
    texts = (text_invites_day(s) - s.start).days
    return {
        "start": 0,
        "end": end,
        "search_start": 1,
        "search": shipped["search"],
        "search_horizon": round(s.days * 0.85),
        "checkout_back": shipped["checkout"] + 1,
        "editor_start": 2,
        "prototype": min(3, shipped["video_editor"]),
        "editor": shipped["video_editor"],
        "editor_horizon": end,
        "trials": (trial_days(s)[0] - s.start).days,
        "profile_start": max(first - 3, 0),
        "profile": first,
        "profile_back": last,
        "profile_horizon": min(last + 10, end),
        "texts_start": max(texts - 8, 0),
        "texts": texts,
        "late": round(s.days * 0.85),
    }


__all__ = ["freeze_bets", "write_strategy"]
