"""What happens around learning and teaching: invites, uploads, surveys, tickets, subscriptions, errors.

Each is drawn from a stream of its own, from what people did already, so that what they did does not depend on it.
"""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.chapters import with_chapters
from headway_pipelines.demo.invites import link_invites
from headway_pipelines.demo.people import People
from headway_pipelines.demo.quality import add_quality
from headway_pipelines.demo.rows import RowArray, by_time
from headway_pipelines.demo.subscriptions import add_subscriptions
from headway_pipelines.demo.support import add_support
from headway_pipelines.demo.surveys import add_surveys
from headway_pipelines.demo.trials import add_trials
from headway_pipelines.demo.uploads import add_uploads
from headway_pipelines.demo.world import World


def add_extras(world: World, block: int, people: People, rows: RowArray) -> RowArray:
    """Adds everything of this kind to a block.

    Args:
        world: The world.
        block: Which block.
        people: The block's people.
        rows: What they do, by time; changed in place where rows get numbers of things.

    Returns:
        All rows by time.
    """
    invites = link_invites(world, people, rows, world.rng(block, 1))
    uploads = add_uploads(world, people, rows, world.rng(block, 2))
    surveys = add_surveys(world, people, rows, world.rng(block, 3))
    subscriptions = add_subscriptions(world, people, rows, world.rng(block, 4))
    support = add_support(world, people, rows, uploads, world.rng(block, 5))
    trials = add_trials(world, people, rows, world.rng(block, 7))
    trials = with_chapters(world, rows, trials, world.rng(block, 8))
    rows = np.concatenate([rows, invites, uploads, surveys, subscriptions, support, trials])
    # Pages of visits that support brings load, and fail, like all others.
    return by_time(np.concatenate([rows, add_quality(world, people, rows, world.rng(block, 6))]))
