"""How a team of Lectern practises: a product kata with two closed steps and an open one, measured in the simulated log.

Only what people say is packaged. Where the metric stood when a step began and ended is read from what the demo
published, by the same functions as `headway kata new` and `headway kata next`, as of the day on which the team would
have looked; so it fits every length, size and seed of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from headway_pipelines.demo.chapters import profile_days
from headway_pipelines.demo.scenario import Scenario
from headway_pipelines.workspace import Workspace

#: Days until the first week of sign-ups is over, and the week that they have to save a course.
_FIRST_VALUE = 14


def practise(workspace: Workspace, scenario: Scenario) -> bool:
    """Plays the demo's kata, unless there are kata already.

    Args:
        workspace: The demo's workspace, published.
        scenario: The scenario.

    Returns:
        Whether files were written: they are published by the next run.
    """
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.strategy.kata_files import Turn, new_kata, next_step

    if any((workspace.root / "kata").glob("*.yml")):
        return False
    packaged = files(__package__).joinpath("turns.yml").read_text(encoding="utf-8")
    said: Mapping[str, Any] = YAML(typ="safe").load(Template(packaged).substitute(_days(scenario)))
    key, noon = load_key(workspace), time(12, tzinfo=ZoneInfo(scenario.timezone))
    for name, kata in said.items():
        new_kata(workspace, name, kata["title"], kata["team"], kata["direction"], kata["target"])
        for each in kata["turns"]:
            turn = Turn(
                each["obstacle"], each["try"], each["low"], each["high"], each["by"], tests=each.get("tests")
            )
            now = datetime.combine(each["on"], noon)
            next_step(workspace, name, key, learned=each.get("learned"), turn=turn, now=now)
    return True


def _days(s: Scenario) -> dict[str, date]:
    """Days of the steps: when there is something to look at, and not after the log has ended."""
    first, last = ((day - s.start).days for day in profile_days(s))
    asked = max(first, _FIRST_VALUE)
    taken_back = max(last + 2, asked)
    looked = taken_back + max(21, round(s.days * 0.35))
    ends = s.days - 1
    days = {"asked": asked, "taken_back": taken_back, "looked": looked}
    told = {name: s.start + timedelta(min(day, ends)) for name, day in days.items()}
    return told | {"later": s.start + timedelta(ends + 28)}


__all__ = ["practise"]
