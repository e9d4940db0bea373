"""The planted truth of newcomers: how soon they get what they came for, and who takes all steps on the way in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from headway_pipelines.demo.clock import DAY, Ints
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.rows import Bools, Kind
from headway_pipelines.demo.truth_values import open_durations
from headway_pipelines.demo.world import World

#: Days that newcomers have.
WITHIN = 14
STEPS = ("Search Performed", "Course Enrolled", "Lesson Watched")
_KINDS = (Kind.SEARCH_PERFORMED, Kind.COURSE_ENROLLED, Kind.LESSON_WATCHED)
_VALUE = (Kind.LESSON_WATCHED, Kind.COURSE_PUBLISHED)
_NEVER = 2**61


class ActivationTruth:
    """Adds up newcomers, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        weeks = world.clock.weeks
        self._learners, self._in_order, self._any_order = (np.zeros(weeks, np.int64) for _ in range(3))
        self._week: list[Ints] = []
        self._took: list[Ints] = []
        self._there: list[Bools] = []

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        kind = h.rows["kind"]
        joined = kind == Kind.SIGNED_UP
        begins = _instants(h, joined)
        has = begins < _NEVER
        since = begins[has]
        gets = _instants(h, np.isin(kind, _VALUE) & (h.ts >= begins[h.who]))[has]
        there = gets <= since + WITHIN * DAY
        until = np.minimum(np.where(there, gets, since + WITHIN * DAY), h.clock.end)
        self._week.append(h.clock.week(since))
        self._took.append(until - since)
        self._there.append(there)
        self._add_steps(h, _instants(h, joined & (h.rows["b"] == 0)))

    def _add_steps(self, h: History, begins: Ints) -> None:
        """Follows learners from signing up, each step at its first event after the one before."""
        kind, ends = h.rows["kind"], begins + WITHIN * DAY
        at = begins.copy()
        all_done = begins < _NEVER
        for step in _KINDS:
            inside = (kind == step) & (h.ts >= begins[h.who]) & (h.ts <= ends[h.who])
            all_done &= _instants(h, inside) < _NEVER
            at = _instants(h, inside & (h.ts >= at[h.who]))
        learner = np.flatnonzero(begins < _NEVER)
        week = h.clock.week(begins[learner])
        for counts, mask in (
            (self._learners, np.ones(len(learner), bool)),
            (self._in_order, at[learner] < _NEVER),
            (self._any_order, all_done[learner]),
        ):
            np.add.at(counts, week[mask], 1)

    def table(self) -> dict[str, Any]:
        """Gives the section ``activation``."""
        nothing = np.zeros(0, np.int64)
        week, took = (np.concatenate([nothing, *parts]) for parts in (self._week, self._took))
        there = np.concatenate([nothing > 0, *self._there])
        return {
            "within_days": WITHIN,
            "time_to_value": open_durations(week, took, there, self._world.clock.weeks),
            "search_to_lesson": {
                "steps": list(STEPS),
                "learners": self._learners.tolist(),
                "in_order": self._in_order.tolist(),
                "in_any_order": self._any_order.tolist(),
            },
        }


def _instants(h: History, mask: Bools) -> Ints:
    """When each person first has a matching event; a time after all others for who has none."""
    found = h.first(mask)
    out = np.full(h.people, _NEVER)
    out[found >= 0] = h.ts[found[found >= 0]]
    return out
