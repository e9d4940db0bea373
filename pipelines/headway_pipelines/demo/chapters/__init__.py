"""Chapters of the demo's story beside its main one: something harmful that is taken back, something nobody uses.

``profile_first`` asks newcomers for a profile before anything else, as an experiment; most of those who get the form
save no course after it, and it is taken back. ``text_invites`` lets people invite by text message, which nobody does.
What is drawn comes from a stream of its own, so that what people do otherwise does not depend on it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

import numpy as np

from headway_pipelines.demo.clock import SECOND
from headway_pipelines.demo.rows import Kind, RowArray, RowSink
from headway_pipelines.demo.scenario import Scenario
from headway_pipelines.demo.world import World

TRIAL = "profile_first"
#: Code of the experiment in the log: the one after those of `headway_pipelines.demo.trials`.
CODE = 3
#: Share of those asked for a profile first who save no course for it.
LEAVES = 0.5


def profile_days(scenario: Scenario) -> tuple[date, date]:
    """First and last local day on which newcomers are asked for a profile first, by chance."""
    first, last = (round(scenario.days * share) for share in (0.2, 0.55))
    return scenario.start + timedelta(first), scenario.start + timedelta(max(last, first + 1))


def text_invites_day(scenario: Scenario) -> date:
    """Local day on which invites by text message are released."""
    return scenario.start + timedelta(round(scenario.days * 0.5))


def with_chapters(world: World, rows: RowArray, trials: RowArray, rng: np.random.Generator) -> RowArray:
    """Adds exposures to the form at sign-up, and takes away what some of those who got it would have saved.

    Args:
        world: The world.
        rows: A block's rows by time.
        trials: What the block's people do in the trials, saved courses among it.
        rng: The stream of chapters.

    Returns:
        The rows of the trials that are left, and the exposures.
    """
    first, last = profile_days(world.scenario)
    since, until = _local(world.scenario, first), _local(world.scenario, last + timedelta(1))
    came = rows[(rows["kind"] == Kind.SIGNED_UP) & (rows["ts"] >= since) & (rows["ts"] < until)]
    treated = rng.random(len(came)) < 0.5
    leaves = came["person"][treated & (rng.random(len(came)) < LEAVES)]
    sink = RowSink()
    sink.add(
        Kind.EXPERIMENT_VIEWED,
        came["person"],
        came["device"],
        came["ts"] + 6 * SECOND,
        page=came["page"],
        a=CODE,
        c=treated,
    )
    left = trials[(trials["kind"] != Kind.COURSE_SAVED) | ~np.isin(trials["person"], leaves)]
    return np.concatenate([left, sink.finish()])


def write_profile_experiment(folder: Path, scenario: Scenario) -> None:
    """Writes the declared experiment, its days where the scenario has them.

    Args:
        folder: The workspace's folder of experiments.
        scenario: The scenario.
    """
    first, last = profile_days(scenario)
    days = {"declared": first - timedelta(2), "start": first, "end": last}
    text = files(__package__).joinpath("profile_first.yml").read_text(encoding="utf-8")
    (folder / f"{TRIAL}.yml").write_text(Template(text).substitute(days), encoding="utf-8")


def _local(scenario: Scenario, day: date) -> int:
    at = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(scenario.timezone))
    return round(at.timestamp() * 1000)


__all__ = ["CODE", "TRIAL", "profile_days", "text_invites_day", "with_chapters", "write_profile_experiment"]
