"""The planted truth of uploads and of the product's own quality."""

from __future__ import annotations

from typing import Any

import numpy as np

from headway_pipelines.demo.clock import HOUR, MINUTE, Ints
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.rows import Bools, Kind
from headway_pipelines.demo.truth_values import closed_durations
from headway_pipelines.demo.world import World

ATTEMPT_ENDS = HOUR
SLOW_MS = 2_500
SESSION_ENDS = 30 * MINUTE
_MOST_MS = 120_000
_OUTCOMES = ("success", "failure", "abandoned")


class TaskTruth:
    """Adds up uploads, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._weeks = world.clock.weeks
        shape = (self._weeks + 1, 5)
        self._attempts, self._first = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self._uploads = np.zeros((self._weeks + 1, 3), np.int64)
        self._took: list[Ints] = []
        self._took_in: list[Ints] = []

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        mine = np.flatnonzero(
            np.isin(h.rows["kind"], [Kind.UPLOAD_STARTED, Kind.UPLOAD_FINISHED, Kind.UPLOAD_FAILED])
        )
        order = mine[np.lexsort((h.ts[mine], h.rows["a"][mine]))]
        kind, number, ts, who = h.rows["kind"][order], h.rows["a"][order], h.ts[order], h.who[order]
        starts = np.flatnonzero(kind == Kind.UPLOAD_STARTED)
        after = np.minimum(starts + 1, len(kind) - 1)
        follows = (after > starts) & (number[after] == number[starts])
        follows &= ts[after] - ts[starts] < ATTEMPT_ENDS
        success = follows & (kind[after] == Kind.UPLOAD_FINISHED)
        failure = follows & (kind[after] == Kind.UPLOAD_FAILED)
        outcome = np.where(success, 0, np.where(failure, 1, 2))
        week = h.clock.week(ts[starts])
        everybody = np.full(len(starts), self._weeks)
        for period in (week, everybody):
            self._add_attempts(period, who[starts], ts[starts], outcome)
        self._took.append((ts[after] - ts[starts])[success])
        self._took_in.append(week[success])
        _, first = np.unique(number[starts], return_index=True)
        done = np.isin(number[starts][first], number[kind == Kind.UPLOAD_FINISHED])
        for period in (week[first], everybody[first]):
            for column, mask in enumerate((np.ones(len(first), bool), success[first], done)):
                np.add.at(self._uploads[:, column], period[mask], 1)

    def _add_attempts(self, period: Ints, who: Ints, ts: Ints, outcome: Ints) -> None:
        order = np.lexsort((ts, period, who))
        _, place = np.unique(who[order] * 2**20 + period[order], return_index=True)
        first = order[place]
        for table, index in ((self._attempts, np.arange(len(who))), (self._first, first)):
            np.add.at(table[:, 0], period[index], 1)
            for code in range(len(_OUTCOMES)):
                np.add.at(table[:, 1 + code], period[index][outcome[index] == code], 1)
        np.add.at(self._attempts[:, 4], period[first], 1)

    def table(self) -> dict[str, Any]:
        """Gives the section ``uploads``."""
        week = np.concatenate(self._took_in) if self._took_in else np.zeros(0, np.int64)
        took = np.concatenate(self._took) if self._took else np.zeros(0, np.int64)
        names = ("attempts", *_OUTCOMES)
        return {
            "attempts": _named((*names, "people"), self._attempts),
            "first_of_person": _named(names, self._first[:, :4]),
            "uploads": _named(("uploads", "first_try", "finished"), self._uploads),
            "seconds": closed_durations(week, took, self._weeks),
        }


class QualityTruth:
    """Adds up pages, errors and sessions, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._weeks = world.clock.weeks
        self._speed = np.zeros((self._weeks, _MOST_MS + 1), np.int32)
        self._pages = np.zeros((self._weeks + 1, 4), np.int64)
        self._errors = np.zeros((self._weeks + 1, 4), np.int64)
        self._sessions = np.zeros((self._weeks + 1, 2), np.int64)

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        week = h.clock.week(h.ts)
        page, error = h.rows["kind"] == Kind.PAGE_VIEWED, h.rows["kind"] == Kind.APP_ERROR
        fatal = error & (h.rows["c"] == 1)
        np.add.at(self._speed, (week[page], h.rows["a"][page]), 1)
        columns = (page, page & (h.rows["c"] == 1), page & (h.rows["a"] > SLOW_MS))
        for column, mask in enumerate(columns):
            self._pages[:, column] += _events(week[mask], self._weeks)
        self._pages[:, 3] += self._people(h, page, week)
        for column, values in enumerate(
            (
                _events(week[error], self._weeks),
                _events(week[fatal], self._weeks),
                self._people(h, error, week),
                self._people(h, fatal, week),
            )
        ):
            self._errors[:, column] += values
        self._add_sessions(h, page | error, fatal, week)

    def _people(self, h: History, mask: Bools, week: Ints) -> Ints:
        did = h.did(mask, week, self._weeks)
        return np.append(did.sum(axis=0), did.any(axis=1).sum())

    def _add_sessions(self, h: History, mask: Bools, fatal: Bools, week: Ints) -> None:
        index = np.flatnonzero(mask)
        if not len(index):
            return
        who, ts = h.who[index], h.ts[index]
        begins = (np.diff(who, prepend=-1) != 0) | (np.diff(ts, prepend=0) > SESSION_ENDS)
        start = np.flatnonzero(begins)
        crashed = np.logical_or.reduceat(fatal[index], start)
        at = week[index][start]
        self._sessions[:, 0] += _events(at, self._weeks)
        self._sessions[:, 1] += _events(at[~crashed], self._weeks)

    def table(self) -> dict[str, Any]:
        """Gives the section ``quality``."""
        pages = _named(("views", "failed", "slow", "people"), self._pages)
        speeds = [self._speed.sum(axis=0), *self._speed]
        for cell, speed in zip([pages["all"], *pages["weeks"]], speeds, strict=True):
            cell["p50_ms"], cell["p95_ms"] = _quantile_of(speed, 0.5), _quantile_of(speed, 0.95)
        return {
            "slow_ms": SLOW_MS,
            "pages": pages,
            "errors": _named(("errors", "fatal", "people", "people_fatal"), self._errors),
            "sessions": _named(("sessions", "crash_free"), self._sessions),
        }


def _events(week: Ints, weeks: int) -> Ints:
    return np.append(np.bincount(week, minlength=weeks), len(week))


def _quantile_of(counts: Ints, share: float) -> int | None:
    """The smallest value up to which at least a share lies, of values counted one by one."""
    total = int(counts.sum())
    if not total:
        return None
    return int(np.searchsorted(np.cumsum(counts), int(np.ceil(share * total - 1e-9))))


def _named(names: tuple[str, ...], table: Ints) -> dict[str, Any]:
    cells = [dict(zip(names, row, strict=True)) for row in table.tolist()]
    return {"all": cells[-1], "weeks": cells[:-1]}
