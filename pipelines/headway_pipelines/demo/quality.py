"""The product itself: how long pages take, which of them fail, and when the app breaks."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.catalogue import ERRORS
from headway_pipelines.demo.clock import Ints
from headway_pipelines.demo.people import People
from headway_pipelines.demo.rows import Kind, RowArray
from headway_pipelines.demo.world import World

#: A failed page shows up after this long at the earliest.
_FAILING = 4_000
_MOST = 60_000


def add_quality(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> RowArray:
    """Says of page views how long they took and whether they failed, in place, and adds errors of the app.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time.
        rng: The stream of quality.

    Returns:
        The errors: of the page's person and device, as anonymous as the page view.
    """
    pages = np.flatnonzero(rows["kind"] == Kind.PAGE_VIEWED)
    failed = rng.random(len(pages)) < world.scenario.page_failed
    rows["a"][pages] = load_times(world, rng, rows["device"][pages]) + failed * _FAILING
    rows["c"][pages] = failed
    broken = rows[pages[rng.random(len(pages)) < world.scenario.app_error]]
    n = len(broken)
    broken["kind"] = int(Kind.APP_ERROR)
    # Before anything else can happen in the visit, the log-in on a new device above all.
    broken["ts"] += rng.integers(100, 2_000, n)
    broken["a"] = rng.integers(0, len(ERRORS), n)
    broken["c"] = rng.random(n) < world.scenario.fatal_error
    return broken


def load_times(world: World, rng: np.random.Generator, device: Ints) -> Ints:
    """Draws how long pages take.

    Args:
        world: The world.
        rng: Source of draws.
        device: Device of each page view; phones are slower.

    Returns:
        Milliseconds, at most a minute.
    """
    median = np.where(world.is_mobile(device), 900, 600)
    return np.clip(median * rng.lognormal(0, 0.6, len(device)), 80, _MOST).astype(np.int64)
