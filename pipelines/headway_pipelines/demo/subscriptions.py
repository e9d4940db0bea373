"""Subscriptions of teachers' accounts, from the first start through every change to the last cancellation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway_pipelines.demo.catalogue import (
    OWN_PRICES,
    PLANS,
    REASONS_TO_LEAVE,
    SCHOOL_BASE,
    SCHOOL_SEAT,
    TEACH_PAGE,
)
from headway_pipelines.demo.clock import DAY, HOUR, SECOND, Ints
from headway_pipelines.demo.people import NEVER, People
from headway_pipelines.demo.rows import IN_ACCOUNT, LOGGED_IN, Bools, Kind, RowArray, RowSink
from headway_pipelines.demo.world import World

#: Most changes of one account; the range ends before for nearly all.
_CHANGES = 40
_LARGEST_SCHOOL = 40
#: After a change: grows, shrinks, ends; after an end: starts again.
_GROWS, _SHRINKS, _AGAIN = 0.42, 0.28, 0.6
_SCHOOL = PLANS.index("school")


@dataclass(frozen=True)
class Subscriber:
    """Accounts that subscribe; every array has one entry an account.

    Attributes:
        who: Position, in the block, of the person who acts for it.
        school: Whether it is a school rather than a teacher's own account.
        level: Size it starts with, from 0.
        start: When it starts, UTC milliseconds.
    """

    who: Ints
    school: Bools
    level: Ints
    start: Ints


def add_subscriptions(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> RowArray:
    """Adds subscriptions; a teacher without a school gets an account of their own with the first.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time.
        rng: The stream of subscriptions.

    Returns:
        The rows, group calls of the teachers' own accounts among them.
    """
    accounts = _subscribers(world, people, rows, rng)
    sink = RowSink()
    own = accounts.who[~accounts.school]
    begin = accounts.start[~accounts.school] - SECOND
    sink.add(Kind.GROUP, people.person[own], people.device[own], begin, page=TEACH_PAGE)
    nobody = np.full(len(accounts.who), world.no_device)
    ts, level = accounts.start, accounts.level
    plan, mrr = prices(accounts.school, level)
    person = people.person[accounts.who]
    sink.add(Kind.SUBSCRIPTION_STARTED, person, nobody, ts, a=mrr, c=plan)
    paying = np.ones(len(ts), bool)
    for _ in range(_CHANGES):
        draw, mean = rng.random(len(ts)), world.scenario.subscription_days * DAY
        ts = (
            ts + 6 * HOUR + (rng.exponential(1.0, len(ts)) * mean * np.where(paying, 1, 0.6)).astype(np.int64)
        )
        # Who does not start again never does.
        ts = np.where(paying | (draw < _AGAIN), ts, NEVER // 2)
        top = np.where(accounts.school, _LARGEST_SCHOOL, len(OWN_PRICES) - 1)
        step = rng.integers(1, 3, len(ts))
        grows = paying & (draw < _GROWS) & (level < top)
        shrinks = paying & ~grows & (draw < _GROWS + _SHRINKS) & (level > 0)
        ends = paying & ~grows & ~shrinks
        level = np.clip(level + step * grows - step * shrinks, 0, top)
        before, (plan, mrr) = plan, prices(accounts.school, level)
        why = rng.integers(0, len(REASONS_TO_LEAVE), len(ts))
        changes = grows | shrinks
        for kind, mask in ((Kind.SUBSCRIPTION_CHANGED, changes), (Kind.SUBSCRIPTION_STARTED, ~paying)):
            sink.add(kind, person[mask], nobody[mask], ts[mask], a=mrr[mask], c=plan[mask])
        sink.add(
            Kind.SUBSCRIPTION_CANCELLED,
            person[ends],
            nobody[ends],
            ts[ends],
            a=0,
            b=why[ends],
            c=before[ends],
        )
        paying = ~ends
    out = sink.finish()
    return out[out["ts"] < world.clock.end]


def prices(school: Bools, level: Ints) -> tuple[Ints, Ints]:
    """Says what accounts pay.

    Args:
        school: Whether each is a school.
        level: Size of each, from 0.

    Returns:
        Plan (position in ``PLANS``) and cents a month.
    """
    own = np.array(OWN_PRICES)[np.minimum(level, len(OWN_PRICES) - 1)]
    plan = np.where(school, _SCHOOL, (level > 1).astype(np.int64))
    return plan, np.where(school, SCHOOL_BASE + SCHOOL_SEAT * level, own)


def mark_accounts(world: World, people: People, rows: RowArray) -> None:
    """Marks the lines that carry the account, in place.

    A school's members carry it from their first call after signing up; a teacher's own account is carried once it
    subscribes.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time.
    """
    who = rows["person"].astype(np.int64) - int(people.person[0])
    since = np.full(len(people), NEVER)
    since[people.teacher & world.may_have_school(people.person)] = 0
    group = np.flatnonzero(rows["kind"] == Kind.GROUP)[::-1]
    own = group[~world.may_have_school(rows["person"][group])]
    since[who[own]] = rows["ts"][own]
    before = np.isin(rows["kind"], [Kind.IDENTIFY, Kind.SIGNED_UP]) | (rows["flags"] & LOGGED_IN == 0)
    carries = ~before & (rows["ts"] >= since[who])
    rows["flags"] |= np.where(carries, IN_ACCOUNT, 0).astype(np.uint8)


def _subscribers(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> Subscriber:
    """Draws which accounts subscribe and when: some days after their first member signed up."""
    s = world.scenario
    joined = rows[(rows["kind"] == Kind.SIGNED_UP) & (rows["b"] == 1)]
    school = world.may_have_school(joined["person"])
    account = np.where(
        school, world.school(joined["person"]), world.schools + joined["person"].astype(np.int64)
    )
    # Rows are in time order: the first of an account is its first member.
    _, first = np.unique(account, return_index=True)
    joined, school = joined[first], school[first]
    n = len(joined)
    chosen = rng.random(n) < np.where(school, s.subscribe_school, s.subscribe_own)
    wait = (2 * DAY * rng.lognormal(0, 1.0, n)).astype(np.int64)
    level = np.where(school, rng.integers(2, 20, n), rng.choice(4, n, p=[0.4, 0.25, 0.25, 0.1]))
    who = joined["person"].astype(np.int64) - int(people.person[0])
    return Subscriber(who[chosen], school[chosen], level[chosen], (joined["ts"] + wait)[chosen])
