"""Experiments around signing up: one with a planted effect, one without any, one whose split is broken.

Everybody who signs up meets all three, each with a variant of its own. Drawn from a stream of their own, so that what
people do otherwise does not depend on them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from headway_pipelines.demo.clock import DAY, MINUTE, SECOND, Clock
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.people import People
from headway_pipelines.demo.rows import Bools, Kind, RowArray, RowSink
from headway_pipelines.demo.scenario import Scenario
from headway_pipelines.demo.world import World

TRIALS = ("welcome_tour", "search_ranking", "price_badge")
"""Names by code: with a planted effect, without, with a broken split."""
VARIANTS = ("control", "treatment")
WITHIN = 7
_TOUR, _, _BADGE = range(len(TRIALS))


def add_trials(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> RowArray:
    """Adds exposures at sign-up, and the courses that people save in the week after.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time.
        rng: The stream of trials.

    Returns:
        The rows.
    """
    s = world.scenario
    came = rows[rows["kind"] == Kind.SIGNED_UP]
    n = len(came)
    treated = rng.random((len(TRIALS), n)) < 0.5
    sink = RowSink()
    for trial in range(len(TRIALS)):
        told = np.ones(n, bool)
        if trial == _BADGE:
            # The treatment's script fails on some pages: those people are treated, and nobody hears of it.
            told &= ~(treated[trial] & (rng.random(n) < s.badge_lost))
        at = came["ts"] + (2 + trial) * SECOND
        person, device, page = came["person"], came["device"], came["page"]
        sink.add(
            Kind.EXPERIMENT_VIEWED,
            person[told],
            device[told],
            at[told],
            page=page[told],
            a=trial,
            c=treated[trial][told],
        )
    saves = rng.random(n) < s.save_control + s.tour_uplift * treated[_TOUR]
    wait = np.minimum(rng.exponential(1.2 * DAY, n), 6.5 * DAY).astype(np.int64) + MINUTE
    course = rng.integers(0, max(12, s.people // 8), n)
    sink.add(
        Kind.COURSE_SAVED,
        came["person"][saves],
        came["device"][saves],
        (came["ts"] + wait)[saves],
        page=came["page"][saves],
        a=course[saves],
    )
    return sink.finish()


def trial_days(scenario: Scenario) -> tuple[date, date]:
    """First and last local day of the trials: the last such that a week is left for the outcome, if there is one."""
    last = max(scenario.days - WITHIN - 2, 4)
    return scenario.start + timedelta(3), scenario.start + timedelta(last)


def editor_days(scenario: Scenario) -> tuple[date, date]:
    """First and last local day of the editor's experiment; in a short range it is not over when the log ends."""
    first = scenario.start + timedelta(scenario.release_day)
    last = scenario.start + timedelta(scenario.days - 16)
    return first, max(last, first + timedelta(1))


def write_experiments(folder: Path, scenario: Scenario) -> None:
    """Writes the declared experiments, their days moved to where the scenario has them.

    Args:
        folder: Folder to write into; made if missing.
        scenario: The scenario.
    """
    folder.mkdir(exist_ok=True)
    usual = Scenario()
    moved = {
        **dict(zip(editor_days(usual), editor_days(scenario), strict=True)),
        **dict(zip(trial_days(usual), trial_days(scenario), strict=True)),
        date(2026, 9, 13): editor_days(scenario)[0] - timedelta(5),
        date(2026, 9, 1): trial_days(scenario)[0] - timedelta(2),
    }
    packaged = files(__package__).joinpath("experiments")
    for each in sorted((e for e in packaged.iterdir() if e.name.endswith(".yml")), key=lambda e: e.name):
        lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
        for at, line in enumerate(lines):
            for before, after in moved.items():
                if f": {before}" in line:
                    lines[at] = line.replace(f": {before}", f": {after}")
                    break
        (folder / each.name).write_text("".join(lines), encoding="utf-8")


class TrialTruth:
    """Adds up the trials, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._scenario = world.scenario
        self._seen = np.zeros((len(TRIALS), len(VARIANTS), 3), np.int64)
        zone = ZoneInfo(world.scenario.timezone)
        first, last = trial_days(world.scenario)
        self._since, self._until = (_ms(day, zone) for day in (first, last + timedelta(1)))
        self._clock: Clock = world.clock

    def add(self, h: History) -> None:
        """Counts a block: who was exposed within the trials' days, whose week is over, who of them saved a course.

        Args:
            h: Its history.
        """
        kind = h.rows["kind"]
        inside = (kind == Kind.EXPERIMENT_VIEWED) & (h.ts >= self._since) & (h.ts < self._until)
        for trial in range(len(TRIALS)):
            first = h.first(inside & (h.rows["a"] == trial))
            has = first >= 0
            at = np.where(has, h.ts[np.maximum(first, 0)] if len(h.ts) else 0, 0)
            end = at + WITHIN * DAY
            saved = h.reached(kind == Kind.COURSE_SAVED, at, end)
            ripe = end <= h.clock.end
            for variant in range(len(VARIANTS)):
                unit: Bools = has.copy()
                unit[has] = h.rows["c"][first[has]] == variant
                self._seen[trial, variant] += [unit.sum(), (unit & ripe).sum(), (unit & ripe & saved).sum()]

    def table(self) -> dict[str, Any]:
        """Returns the truth of every trial."""
        s = self._scenario
        first, last = trial_days(s)
        planted = {"welcome_tour": s.tour_uplift, "search_ranking": 0.0, "price_badge": 0.0}
        return {
            name: {
                "first_day": first.isoformat(),
                "last_day": last.isoformat(),
                "within_days": WITHIN,
                "planted_uplift": planted[name],
                "lost_exposures_of_treatment": s.badge_lost if name == "price_badge" else 0.0,
                "arms": {
                    variant: dict(zip(("exposed", "window_elapsed", "saved"), counts.tolist(), strict=True))
                    for variant, counts in zip(VARIANTS, self._seen[trial], strict=True)
                },
            }
            for trial, name in enumerate(TRIALS)
        }


def _ms(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
