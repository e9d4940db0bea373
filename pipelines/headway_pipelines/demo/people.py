"""Who comes, when, from where, and what kind of person it is: drawn once per block of people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headway_pipelines.demo.clock import DAY, HOUR, MINUTE, SECOND, Ints
from headway_pipelines.demo.rows import Bools, Floats
from headway_pipelines.demo.scenario import CHANNELS
from headway_pipelines.demo.world import BLOCK, World

DIRECT = CHANNELS.index("direct")
#: Nobody does this: an instant after every range.
NEVER = 2**62


@dataclass(frozen=True)
class People:
    """One block of people; every array has one entry a person.

    Attributes:
        person: Person numbers.
        channel: Position in ``CHANNELS`` of the first touch.
        arrival: First visit, UTC milliseconds.
        visits_before: Visits up to and including the one that may bring a sign-up.
        signs_up: Whether they ever do (the export may end before).
        teacher: Teacher rather than learner.
        activates: Whether a learner completes a lesson within 7 days.
        tendency: The person's own draw that decides active weeks, uniform.
        device: Main device.
        second_device: Whether another device is used too.
        borrower: Whether they use the device of the person before them.
    """

    person: Ints
    channel: Ints
    arrival: Ints
    visits_before: Ints
    signs_up: Bools
    teacher: Bools
    activates: Bools
    tendency: Floats
    device: Ints
    second_device: Bools
    borrower: Bools

    def __len__(self) -> int:
        return len(self.person)


def blocks(world: World) -> int:
    """Counts the blocks of a world.

    Args:
        world: The world.

    Returns:
        How many blocks its people fill.
    """
    return -(-world.scenario.people // BLOCK)


def draw_people(world: World, block: int, rng: np.random.Generator) -> People:
    """Draws a block of people.

    Args:
        world: The world.
        block: Which block, from 0.
        rng: The block's own stream.

    Returns:
        The people, in the order of their numbers.
    """
    s = world.scenario
    person = np.arange(block * BLOCK, min((block + 1) * BLOCK, s.people), dtype=np.int64)
    n = len(person)
    channel = rng.choice(len(CHANNELS), n, p=[s.channel_share[c] for c in CHANNELS]).astype(np.int64)
    signs_up = rng.random(n) < by_channel(s.sign_up, channel)
    teacher = signs_up & (rng.random(n) < s.teacher)
    activates = signs_up & ~teacher & (rng.random(n) < by_channel(s.activation, channel))
    visits = np.where(
        signs_up,
        1 + np.searchsorted(np.cumsum(s.second_visit)[:2], rng.random(n)),
        1 + rng.poisson(0.7, n),
    )
    arrival = _arrivals(world, rng, n)
    lender_arrival = np.roll(arrival, 1)
    # A borrower is met on a device somebody else has used, some time after that person signed up.
    borrower = _borrowers(world, rng, signs_up) & (lender_arrival + 7 * DAY < world.clock.end)
    arrival = np.where(borrower, lender_arrival + 2 * DAY + rng.integers(0, 5 * DAY, n), arrival)
    lender = np.roll(borrower, -1)
    visits = np.where(borrower | lender, 1, visits)
    device = np.where(borrower, 2 * (person - 1), 2 * person)
    second = signs_up & ~borrower & ~lender & (rng.random(n) < s.second_device)
    return People(
        person=person,
        channel=np.where(borrower, DIRECT, channel),
        arrival=arrival,
        visits_before=visits.astype(np.int64),
        signs_up=signs_up,
        teacher=teacher,
        activates=activates,
        tendency=rng.random(n),
        device=device,
        second_device=second,
        borrower=borrower,
    )


def by_channel(values: dict[str, float], channel: NDArray[np.int64]) -> Floats:
    """Looks a parameter up by channel code.

    Args:
        values: Parameter by channel name.
        channel: Channel codes.

    Returns:
        One value a code.
    """
    return np.array([values[name] for name in CHANNELS])[channel]


def flatten(counts: NDArray[np.int64]) -> tuple[Ints, Ints]:
    """Lists the items of groups one after another.

    Args:
        counts: Items per group.

    Returns:
        For each item its group and its place in the group, both from 0.

    Examples:
        >>> group, place = flatten(np.array([2, 0, 1]))
        >>> group.tolist(), place.tolist()
        ([0, 0, 2], [0, 1, 0])
    """
    group = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return group, np.arange(len(group)) - first[group]


def running_sum(values: Ints, group: Ints) -> Ints:
    """Sums up within groups, in order.

    Args:
        values: One value an item.
        group: Group of each item; items of a group stand together.

    Returns:
        Running totals, the item's own value included.

    Examples:
        >>> running_sum(np.array([1, 2, 5]), np.array([0, 0, 1])).tolist()
        [1, 3, 5]
    """
    total = np.cumsum(values)
    begins = np.flatnonzero(np.diff(group, prepend=-1))
    before = np.repeat(total[begins] - values[begins], np.diff(np.append(begins, len(group))))
    return total - before


def _arrivals(world: World, rng: np.random.Generator, n: int) -> Ints:
    s, clock = world.scenario, world.clock
    days = np.arange(s.days)
    weekday = (s.start.weekday() + days) % 7
    weight = (1 + s.daily_growth) ** days * np.array(s.weekday_weight)[weekday]
    day = np.minimum(np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(n)), s.days - 1)
    arrival = clock.at_habitual_hour(rng, clock.start + day * DAY + 12 * HOUR)
    # Local midnight is before the export's first instant; those few come a little later.
    return np.where(arrival < clock.start, clock.start + rng.integers(SECOND, 30 * MINUTE, n), arrival)


def _borrowers(world: World, rng: np.random.Generator, signs_up: Bools) -> Bools:
    n = len(signs_up)
    odd = np.arange(n) % 2 == 1
    lucky = rng.random(n) < world.scenario.shared_device
    return np.asarray(odd & signs_up & np.roll(signs_up, 1) & lucky)
