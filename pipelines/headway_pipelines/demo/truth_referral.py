"""The planted truth of invites by cohort of senders, and of how often everything happened by week."""

from __future__ import annotations

from typing import Any

import numpy as np

from headway_pipelines.demo.clock import DAY, SECOND, Ints
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.rows import EVENT_NAMES, Kind
from headway_pipelines.demo.truth_values import closed_durations, quantile
from headway_pipelines.demo.world import World

_HORIZONS = (14, 28)
#: Days that an invite has to be accepted in.
CYCLE_DAYS = 28


class ReferralTruth:
    """Adds up invites, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = np.zeros(world.clock.weeks, np.int64)
        self._sent = {days: np.zeros(world.clock.weeks, np.int64) for days in _HORIZONS}
        self._accepted = {days: np.zeros(world.clock.weeks, np.int64) for days in _HORIZONS}
        self._cycle: list[int] = []
        self._cycle_since: list[int] = []
        self._unknown = 0

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        weeks = h.clock.weeks
        first = h.first(h.rows["kind"] == Kind.SIGNED_UP)
        has = first >= 0
        start = np.full(h.people, 2**61)
        start[has] = h.ts[first[has]]
        week = np.zeros(h.people, np.int64)
        week[has] = h.clock.week(start[has])
        self._people += np.bincount(week[has], minlength=weeks)
        accepted = {
            int(h.rows["a"][i]): (int(h.ts[i]), int(h.who[i]))
            for i in np.flatnonzero(h.rows["kind"] == Kind.INVITE_ACCEPTED)
        }
        known = 0
        for i in np.flatnonzero(h.rows["kind"] == Kind.INVITE_SENT):
            sender, at = int(h.who[i]), int(h.ts[i])
            when, by = accepted.get(int(h.rows["a"][i]), (0, sender))
            taken = by != sender and when >= at
            known += taken
            self._cycle += [when - at] if taken else []
            self._cycle_since += [at] if taken else []
            for days in _HORIZONS:
                if start[sender] <= at < start[sender] + days * DAY:
                    self._sent[days][week[sender]] += 1
                    self._accepted[days][week[sender]] += taken and when < start[sender] + days * DAY
        self._unknown += len(accepted) - known

    def table(self) -> dict[str, Any]:
        """Gives what the section ``referral`` has by cohort."""
        clock = self._world.clock
        ends = clock.week_bounds(self._world.scenario.timezone)[1:]
        cohorts: dict[str, Any] = {"people": self._people.tolist()}
        for days in _HORIZONS:
            pairs = zip(self._accepted[days].tolist(), self._people.tolist(), strict=True)
            cohorts |= {
                f"sent_{days}d": self._sent[days].tolist(),
                f"accepted_{days}d": self._accepted[days].tolist(),
                f"k_{days}d": [above / below if below else None for above, below in pairs],
                f"complete_{days}d": [bool(end + days * DAY <= clock.end) for end in ends],
            }
        cycle = {
            "accepted": len(self._cycle),
            "unknown_sender": self._unknown,
            "median_seconds": quantile(np.array(self._cycle) / SECOND, 0.5),
        }
        took, since = np.array(self._cycle, np.int64), np.array(self._cycle_since, np.int64)
        soon = took < CYCLE_DAYS * DAY
        by_week = closed_durations(clock.week(since[soon]), took[soon], clock.weeks)
        return {"cohorts": cohorts, "cycle": cycle, f"cycle_{CYCLE_DAYS}d": by_week}


class EventTruth:
    """Counts every event of the plan by week, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._weeks = world.clock.weeks
        self._events = np.zeros((len(Kind), self._weeks), np.int64)
        self._people = np.zeros((len(Kind), self._weeks), np.int64)

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        cell = h.rows["kind"].astype(np.int64) * self._weeks + h.clock.week(h.ts)
        self._events += self._counted(cell)
        cells = len(Kind) * self._weeks
        self._people += self._counted(np.unique(h.who * cells + cell) % cells)

    def _counted(self, cell: Ints) -> Ints:
        size = len(Kind) * self._weeks
        return np.bincount(cell, minlength=size).reshape(len(Kind), self._weeks)

    def table(self) -> dict[str, Any]:
        """Gives the section ``weekly_events``."""
        return {
            name: {"events": self._events[kind].tolist(), "people": self._people[kind].tolist()}
            for kind, name in EVENT_NAMES.items()
        }
