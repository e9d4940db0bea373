"""Visits: a person on a device for a while, looking at pages, searching, signing up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway_pipelines.demo.catalogue import (
    COURSE_PAGES,
    INTERNAL,
    LANDING_PAGES,
    LANDING_REFERRERS,
    LEARN_PAGES,
    QUERIES,
    SEARCH_PAGE,
    TEACH_PAGES,
)
from headway_pipelines.demo.clock import DAY, HOUR, SECOND, Ints
from headway_pipelines.demo.people import DIRECT, People, flatten, running_sum
from headway_pipelines.demo.rows import Bools, Kind, RowSink
from headway_pipelines.demo.scenario import CHANNELS
from headway_pipelines.demo.world import World

EMAIL = CHANNELS.index("email")
#: Rolling weeks end this long before the next begins, so that what a visit brings stays in its week.
VISIT_ROOM = 3 * HOUR


@dataclass(frozen=True)
class Visits:
    """Visits; every array has one entry a visit.

    Attributes:
        who: Position of the person in the block.
        start: First page view, UTC milliseconds.
        device: Device number.
        logged: Whether the tracker knows the user id from the start.
    """

    who: Ints
    start: Ints
    device: Ints
    logged: Bools

    def __len__(self) -> int:
        return len(self.who)

    def take(self, index: Ints | Bools) -> Visits:
        """Picks visits.

        Args:
            index: Positions, repeats allowed, or a mask.

        Returns:
            Those visits.
        """
        return Visits(self.who[index], self.start[index], self.device[index], self.logged[index])


def signed_in(people: People, rng: np.random.Generator, who: Ints, start: Ints) -> Visits:
    """Makes visits of people who have signed up, some of them on their second device.

    Args:
        people: The block.
        rng: The block's stream.
        who: Positions of the people.
        start: When the visits begin.

    Returns:
        The visits, in the order given.
    """
    other = people.second_device[who] & (rng.random(len(who)) < 0.35)
    return Visits(who, start, people.device[who] + other, np.ones(len(who), bool))


def join(parts: list[Visits]) -> Visits:
    """Puts visits together.

    Args:
        parts: Tables of visits.

    Returns:
        All of them.
    """
    return Visits(
        np.concatenate([p.who for p in parts]),
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.device for p in parts]),
        np.concatenate([p.logged for p in parts]),
    )


def visits_before_sign_up(people: People, rng: np.random.Generator) -> tuple[Visits, Bools]:
    """Makes the anonymous visits of everybody.

    Args:
        people: The block.
        rng: The block's stream.

    Returns:
        The visits by person and time, and whether each is the person's last of them.
    """
    who, place = flatten(people.visits_before)
    gap = (1 + rng.poisson(1.0, len(who))) * DAY + rng.integers(-3 * HOUR, 3 * HOUR, len(who))
    start = people.arrival[who] + running_sum(np.where(place == 0, 0, gap), who)
    last = place == people.visits_before[who] - 1
    return Visits(who, start, people.device[who], np.zeros(len(who), bool)), last


def weekly_visits(
    world: World,
    people: People,
    rng: np.random.Generator,
    anchor: Ints,
    week1: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[Ints, Ints, Bools]:
    """Draws in which rolling weeks people come back, and when.

    Week k (1, 2, ...) is [anchor + 7k days, anchor + 7(k + 1) days). The probability of being active in it is
    ``week1 * (floor + (1 - floor) * decay ** (k - 1))`` exactly, whatever the person did the week before.

    Args:
        world: The world.
        people: The block.
        rng: The block's stream.
        anchor: Where each person's weeks begin; beyond the range for those who never come.
        week1: Each person's probability of being active in week 1.

    Returns:
        Positions of the people, starts of the visits, and whether a visit is the first drawn of its week.
    """
    s, clock = world.scenario, world.clock
    week = np.arange(1, s.days // 7 + 2)
    shape = s.retention_floor + (1 - s.retention_floor) * s.weekly_decay ** (week - 1)
    fresh = rng.random((len(people), len(week)))
    own = rng.random(fresh.shape) < s.stickiness
    active = np.where(own, people.tendency[:, None], fresh) < week1[:, None] * shape[None, :]
    active &= anchor[:, None] + week[None, :] * 7 * DAY < clock.end
    who, which = np.nonzero(active)
    group, place = flatten(1 + rng.poisson(1.5, len(who)))
    who, begins = who[group], (anchor[who] + week[which] * 7 * DAY)[group]
    start = begins + moment_of_week(world, rng, begins)
    return who, start, place == 0


def moment_of_week(world: World, rng: np.random.Generator, begins: Ints) -> Ints:
    """Draws a likely moment of rolling weeks, early enough for a visit to end in them.

    Args:
        world: The world.
        rng: Source of draws.
        begins: When each week begins, UTC milliseconds.

    Returns:
        Milliseconds after the week's beginning.
    """
    span = 7 * DAY - VISIT_ROOM
    first, second = rng.integers(0, span, (2, len(begins)))
    weekend = (world.clock.day(begins + first) + 3) % 7 >= 5
    moment = np.where(weekend & (rng.random(len(begins)) < 0.4), second, first)
    habitual = world.clock.at_habitual_hour(rng, begins + moment) - begins
    return np.where((habitual >= 0) & (habitual < span), habitual, moment)


def add_pages(
    sink: RowSink, people: People, rng: np.random.Generator, visits: Visits, first: Bools, mean: float
) -> tuple[Ints, Ints]:
    """Adds the page views (and some searches) of visits.

    Args:
        sink: Where rows go.
        people: The block.
        rng: The block's stream.
        visits: The visits.
        first: Visits that come through the person's channel; on a device not yet signed in the first page
            view is anonymous.
        mean: Mean number of page views after the landing.

    Returns:
        Time and page of each visit's last page view.
    """
    count = 1 + rng.poisson(mean, len(visits))
    visit, place = flatten(count)
    n = len(visit)
    ts = visits.start[visit] + running_sum(
        np.where(place == 0, 0, rng.integers(5 * SECOND, 75 * SECOND, n)), visit
    )
    landing, referrer = _landings(people, rng, visits, first)
    page = np.where(place == 0, landing[visit], _inner_pages(people, rng, visits.who[visit]))
    ref = np.where(place == 0, referrer[visit], INTERNAL + np.roll(page, 1))
    person, device = people.person[visits.who[visit]], visits.device[visit]
    logged = visits.logged[visit]
    sink.add(Kind.PAGE_VIEWED, person, device, ts, logged=logged, page=page, ref=ref)
    look = (rng.random(n) < 0.12) & (place > 0)
    sink.add(
        Kind.SEARCH_PERFORMED,
        person[look],
        device[look],
        ts[look] + rng.integers(SECOND, 4 * SECOND, int(look.sum())),
        logged=logged[look],
        page=SEARCH_PAGE,
        ref=INTERNAL + page[look],
        a=rng.integers(0, len(QUERIES), int(look.sum())),
        b=rng.poisson(6, int(look.sum())),
    )
    end = np.cumsum(count) - 1
    return ts[end], page[end]


def _landings(people: People, rng: np.random.Generator, visits: Visits, first: Bools) -> tuple[Ints, Ints]:
    n = len(visits)
    # Typed addresses and bookmarks, unless it is the first touch.
    page, ref = rng.integers(0, 2, n), np.zeros(n, np.int64)
    channel = people.channel[visits.who]
    # Direct people never get a campaign later: their channel is what their first referrer-free visit says.
    mail = ~first & visits.logged & (channel != DIRECT) & (rng.random(n) < 0.15)
    source = np.where(first, channel, np.where(mail, EMAIL, -1))
    for code, name in enumerate(CHANNELS):
        rows = np.flatnonzero(source == code)
        page[rows] = rng.choice(LANDING_PAGES[name], len(rows))
        ref[rows] = rng.choice(LANDING_REFERRERS[name], len(rows))
    return page.astype(np.int64), ref


def _inner_pages(people: People, rng: np.random.Generator, who: Ints) -> Ints:
    n = len(who)
    fixed = rng.integers(0, COURSE_PAGES.start, n)
    course = rng.integers(COURSE_PAGES.start, COURSE_PAGES.stop, n)
    own = np.where(
        people.teacher[who],
        rng.integers(TEACH_PAGES.start, TEACH_PAGES.stop, n),
        np.where(people.signs_up[who], rng.integers(LEARN_PAGES.start, LEARN_PAGES.stop, n), course),
    )
    draw = rng.random(n)
    return np.where(draw < 0.25, fixed, np.where(draw < 0.7, course, own)).astype(np.int64)
