"""What happens around learning and teaching: invites, uploads, surveys, tickets, subscriptions, errors.

Each is drawn from a stream of its own, from what people did already, so that what they did does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headway_pipelines.demo.invites import link_invites
from headway_pipelines.demo.people import People
from headway_pipelines.demo.quality import add_quality
from headway_pipelines.demo.rows import RowArray
from headway_pipelines.demo.subscriptions import add_subscriptions
from headway_pipelines.demo.support import add_support
from headway_pipelines.demo.surveys import add_surveys
from headway_pipelines.demo.uploads import add_uploads
from headway_pipelines.demo.world import World

#: Numbers a block may hand out of each kind of thing: uploads, tickets, invites.
NUMBERS = 2**17

Extra = Callable[[World, People, RowArray, np.random.Generator], RowArray]
#: In order: tickets come from uploads too, and pages from visits of people whom support brought back.
_EXTRAS: tuple[Extra, ...] = (
    link_invites,
    add_uploads,
    add_surveys,
    add_support,
    add_subscriptions,
    add_quality,
)


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
    for stream, extra in enumerate(_EXTRAS, start=1):
        more = extra(world, people, rows, world.rng(block, stream))
        rows = np.concatenate([rows, more])
        rows = rows[np.argsort(rows["ts"], kind="stable")]
    return rows
