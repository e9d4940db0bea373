"""The planted truth of surveys: what those who answer say, and what everybody shown one would have said."""

from __future__ import annotations

from typing import Any

import numpy as np

from headway_pipelines.demo.catalogue import SURVEYS
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.rows import Bools, Floats, Kind
from headway_pipelines.demo.scenario import CHANNELS
from headway_pipelines.demo.world import World

#: Columns of the counts: shown, answered, shown and answered, sum over answers, sum over everybody shown.
_SHOWN, _ANSWERED, _BOTH, _SAID, _WOULD_SAY = range(5)


class SurveyTruth:
    """Adds up surveys, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._weeks = world.clock.weeks
        self._counts = {name: np.zeros((self._weeks + 1, len(CHANNELS), 5)) for name in SURVEYS}

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        for code, name in enumerate(SURVEYS):
            here = h.rows["c"] == code
            would_say = self._last(h, name, here & (h.rows["kind"] == Kind.SURVEY_SHOWN))
            says = self._last(h, name, here & (h.rows["kind"] == Kind.SURVEY_ANSWERED))
            shown, answered = ~np.isnan(would_say), ~np.isnan(says)
            columns = (shown, answered, shown & answered, np.nan_to_num(says), np.nan_to_num(would_say))
            for column, values in enumerate(columns):
                for channel in range(len(CHANNELS)):
                    mine = values[h.channel == channel]
                    self._counts[name][:, channel, column] += mine.sum(axis=0)

    def _last(self, h: History, name: str, mask: Bools) -> Floats:
        """What each person's last score in every week, and in the range, is worth; NaN where there is none."""
        out = np.full((h.people, self._weeks + 1), np.nan)
        index = np.flatnonzero(mask)
        score = h.rows["b"][index].astype(np.float64)
        worth = {
            "nps": 100.0 * ((score >= 9).astype(np.float64) - (score <= 6)),
            "csat": (score >= 4).astype(np.float64),
            "ces": score,
        }[name]
        # Rows are in time order and assignment keeps the last value.
        out[h.who[index], h.clock.week(h.ts[index])] = worth
        out[h.who[index], self._weeks] = worth
        return out

    def table(self) -> dict[str, Any]:
        """Gives the section ``surveys``."""
        return {
            name: {
                "all": _summary(counts[-1]),
                "weeks": [_summary(counts[week]) for week in range(self._weeks)],
                "channels": {channel: _of_channel(counts[-1, code]) for code, channel in enumerate(CHANNELS)},
            }
            for name, counts in self._counts.items()
        }


def _summary(counts: Floats) -> dict[str, float | int | None]:
    total = counts.sum(axis=0)
    heard = counts[:, _ANSWERED] > 0
    weight = counts[heard, _SHOWN]
    mean = counts[heard, _SAID] / counts[heard, _ANSWERED]
    return {
        "shown": int(total[_SHOWN]),
        "answered": int(total[_ANSWERED]),
        "response_rate": _share(total[_BOTH], total[_SHOWN]),
        "raw": _share(total[_SAID], total[_ANSWERED]),
        "weighted": _share(float((weight * mean).sum()), float(weight.sum())),
        "population": _share(total[_WOULD_SAY], total[_SHOWN]),
    }


def _of_channel(counts: Floats) -> dict[str, float | int | None]:
    return {
        "shown": int(counts[_SHOWN]),
        "answered": int(counts[_ANSWERED]),
        "raw": _share(counts[_SAID], counts[_ANSWERED]),
        "population": _share(counts[_WOULD_SAY], counts[_SHOWN]),
    }


def _share(above: float, below: float) -> float | None:
    return float(above / below) if below else None
