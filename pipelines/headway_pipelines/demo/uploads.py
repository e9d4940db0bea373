"""Uploads of videos: attempts that finish, fail or are given up, and further attempts."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.catalogue import UPLOAD_REASONS
from headway_pipelines.demo.clock import MINUTE, SECOND
from headway_pipelines.demo.people import People
from headway_pipelines.demo.rows import Kind, RowArray, RowSink
from headway_pipelines.demo.world import BLOCK, World

_MOST_ATTEMPTS = 4
_LONGEST = 50 * MINUTE
_FINISHED, _FAILED, _GIVEN_UP = range(3)


def add_uploads(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> RowArray:
    """Adds the uploads of edited videos.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time.
        rng: The stream of uploads.

    Returns:
        The rows of the uploads; all attempts at one video have its number.
    """
    s = world.scenario
    edits = np.flatnonzero(rows["kind"] == Kind.VIDEO_EDITED)
    source = rows[edits[rng.random(len(edits)) < s.upload]]
    number = int(people.person[0]) // BLOCK * 2**17 + np.arange(len(source))
    start = source["ts"] + rng.integers(20 * SECOND, 70 * SECOND, len(source))
    sink = RowSink()
    for _ in range(_MOST_ATTEMPTS):
        n = len(source)
        person, device, page = source["person"], source["device"], source["page"]
        sink.add(Kind.UPLOAD_STARTED, person, device, start, page=page, a=number)
        outcome = rng.choice(3, n, p=s.upload_outcome)
        median = np.where(outcome == _FINISHED, 95, 35) * SECOND
        end = start + np.clip(median * rng.lognormal(0, 0.8, n), 2 * SECOND, _LONGEST).astype(np.int64)
        good, bad = outcome == _FINISHED, outcome == _FAILED
        reason = rng.choice(len(UPLOAD_REASONS), n, p=[0.7, 0.2, 0.1])
        sink.add(Kind.UPLOAD_FINISHED, person[good], device[good], end[good], page=page[good], a=number[good])
        sink.add(
            Kind.UPLOAD_FAILED,
            person[bad],
            device[bad],
            end[bad],
            page=page[bad],
            a=number[bad],
            c=reason[bad],
        )
        again = rng.random(n) < np.array([0.0, *s.upload_again])[outcome]
        pause = np.where(outcome == _GIVEN_UP, 14 * MINUTE, 0) + rng.integers(20 * SECOND, 3 * MINUTE, n)
        source, number, start = source[again], number[again], (end + pause)[again]
    return sink.finish()
