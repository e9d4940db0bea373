"""One block of people from first visit to last, as rows of the log."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.catalogue import INTERNAL, LOGIN_PAGE, METHODS, SIGN_UP_PAGE
from headway_pipelines.demo.clock import SECOND, Ints
from headway_pipelines.demo.extras import add_extras
from headway_pipelines.demo.learners import add_learners
from headway_pipelines.demo.people import NEVER, People, draw_people
from headway_pipelines.demo.rows import Kind, RowArray, RowSink
from headway_pipelines.demo.scenario import CHANNELS
from headway_pipelines.demo.subscriptions import mark_accounts
from headway_pipelines.demo.teachers import add_teachers
from headway_pipelines.demo.visits import Visits, add_pages, join, visits_before_sign_up
from headway_pipelines.demo.world import World

REFERRAL = CHANNELS.index("referral")


def draw_block(world: World, block: int, rng: np.random.Generator) -> tuple[People, RowArray]:
    """Simulates one block.

    Args:
        world: The world.
        block: Which block, from 0.
        rng: The block's own stream.

    Returns:
        The people, and what they do from the start of the range on, by time: nothing yet about sending,
        files or mess, and events after the range still in.
    """
    people = draw_people(world, block, rng)
    # A block never has more orders than this; see RowSink.numbers.
    sink = RowSink(first_number=block * 2**17)
    signed_up = _before_and_sign_up(sink, people, rng, world.scenario.invite_accepted)
    visits = join(
        [
            add_learners(world, sink, people, rng, signed_up),
            add_teachers(world, sink, people, rng, signed_up),
        ]
    )
    visits = _log_in_on_second_device(sink, people, rng, visits)
    add_pages(sink, people, rng, visits, np.zeros(len(visits), bool), 5.2)
    _join_school(world, sink, people, signed_up)
    rows = add_extras(world, block, people, sink.finish())
    mark_accounts(world, people, rows)
    return people, rows


def _before_and_sign_up(sink: RowSink, people: People, rng: np.random.Generator, accepted: float) -> Ints:
    """Adds anonymous visits and sign-ups; gives when each person signs up."""
    visits, last = visits_before_sign_up(people, rng)
    first = np.diff(visits.who, prepend=-1) > 0
    seen, page = add_pages(sink, people, rng, visits, first, 5.0)
    here = np.flatnonzero(last & people.signs_up[visits.who])
    who = visits.who[here]
    n = len(who)
    form = seen[here] + rng.integers(8 * SECOND, 60 * SECOND, n)
    done = form + rng.integers(20 * SECOND, 120 * SECOND, n)
    person, device = people.person[who], people.device[who]
    ref = INTERNAL + page[here]
    sink.add(Kind.PAGE_VIEWED, person, device, form, logged=False, page=SIGN_UP_PAGE, ref=ref)
    teacher = people.teacher[who]
    sink.add(Kind.IDENTIFY, person, device, done - 40, page=SIGN_UP_PAGE, ref=ref, b=teacher)
    method = rng.choice(len(METHODS), n, p=[0.5, 0.35, 0.15])
    sink.add(Kind.SIGNED_UP, person, device, done, page=SIGN_UP_PAGE, ref=ref, a=method, b=teacher)
    invited = (people.channel[who] == REFERRAL) & (rng.random(n) < accepted)
    sink.add(
        Kind.INVITE_ACCEPTED, person[invited], device[invited], done[invited] + 3 * SECOND, page=SIGN_UP_PAGE
    )
    signed_up = np.full(len(people), NEVER)
    signed_up[who] = done
    return signed_up


def _log_in_on_second_device(
    sink: RowSink, people: People, rng: np.random.Generator, visits: Visits
) -> Visits:
    """Starts the first visit on a second device anonymously, with a log-in a moment later."""
    other = np.flatnonzero(visits.device % 2 == 1)
    order = other[np.lexsort((visits.start[other], visits.who[other]))]
    fresh = order[np.diff(visits.who[order], prepend=-1) > 0]
    logged = visits.logged.copy()
    logged[fresh] = False
    person, device, start = people.person[visits.who[fresh]], visits.device[fresh], visits.start[fresh]
    teacher = people.teacher[visits.who[fresh]]
    sink.add(Kind.IDENTIFY, person, device, start + 3 * SECOND, page=LOGIN_PAGE, b=teacher)
    said = rng.random(len(fresh)) < 0.7
    sink.add(Kind.LOGGED_IN, person[said], device[said], start[said] + 3 * SECOND + 20, page=LOGIN_PAGE)
    return Visits(visits.who, visits.start, visits.device, logged)


def _join_school(world: World, sink: RowSink, people: People, signed_up: Ints) -> None:
    who = np.flatnonzero((signed_up < NEVER) & people.teacher & world.may_have_school(people.person))
    when = signed_up[who] + SECOND
    sink.add(Kind.GROUP, people.person[who], people.device[who], when, page=SIGN_UP_PAGE)
