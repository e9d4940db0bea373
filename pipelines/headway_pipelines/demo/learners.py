"""What learners do: enrol, watch, pay, come back, answer, ask, invite."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.catalogue import COMMENTS, HELP_PAGE, LEARN_PAGES, MESSAGES, PRICES, TOPICS
from headway_pipelines.demo.clock import DAY, HOUR, MINUTE, SECOND, Ints
from headway_pipelines.demo.people import NEVER, People, by_channel, flatten, running_sum
from headway_pipelines.demo.rows import Bools, Floats, Kind, RowSink
from headway_pipelines.demo.visits import Visits, join, signed_in, weekly_visits
from headway_pipelines.demo.world import World


def catalogue_size(world: World) -> int:
    """Counts the courses that existed before the range.

    Args:
        world: The world.

    Returns:
        Number of courses; numbers from there on belong to the simulated teachers.
    """
    return max(12, world.scenario.people // 8)


def add_learners(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, signed_up: Ints
) -> Visits:
    """Adds everything learners do after signing up.

    Args:
        world: The world.
        sink: Where rows go.
        people: The block.
        rng: The block's stream.
        signed_up: When each person signs up, ``NEVER`` for those who do not.

    Returns:
        Their later visits, page views still to be added.
    """
    s = world.scenario
    learner = (signed_up < NEVER) & ~people.teacher
    start_visits, enrolled = _first_week(world, sink, people, rng, signed_up, learner)
    week1 = np.where(learner, np.where(people.activates, s.week1_activated, s.week1_unactivated), 0.0)
    who, start, first = weekly_visits(world, people, rng, signed_up, week1)
    later = signed_in(people, rng, who, start)
    enrolled = _late_enrolments(world, sink, people, rng, later, enrolled)
    _further_enrolments(world, sink, people, rng, later)
    completes = np.where(people.activates[who], 0.72, 0.30)
    add_lessons(world, sink, people, rng, later, 1 + rng.poisson(2.2, len(later)), completes)
    add_feedback(world, sink, people, rng, later.take(first), people.activates)
    return join([start_visits, later])


def _first_week(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, signed_up: Ints, learner: Bools
) -> tuple[Visits, Ints]:
    """Everything before the first rolling week ends; gives the visits and when people enrolled."""
    s = world.scenario
    enrols = learner & (people.activates | (rng.random(len(people)) < s.enrol_unactivated))
    who = np.flatnonzero(enrols)
    n = len(who)
    same = rng.random(n) < 0.65
    later = signed_up[who] + rng.integers(1, 6, n) * DAY + rng.integers(-3 * HOUR, 3 * HOUR, n)
    start = np.where(same, signed_up[who] + 10 * SECOND, later)
    visits = signed_in(people, rng, who, start)
    visits = Visits(who, start, np.where(same, people.device[who], visits.device), visits.logged)
    when = start + rng.integers(60 * SECOND, 140 * SECOND, n)
    _enrol(world, sink, people, rng, visits, when)
    enrolled = np.full(len(people), NEVER)
    enrolled[who] = when
    does = people.activates[who]
    count = np.where(does, 1 + rng.poisson(1.3, n), rng.poisson(0.9, n))
    add_lessons(world, sink, people, rng, visits, count, np.where(does, 0.6, 0.0), surely_first=does)
    extra = _extra_visits(world, sink, people, rng, signed_up, learner, enrolled)
    return join([visits.take(~same), extra]), enrolled


def _extra_visits(
    world: World,
    sink: RowSink,
    people: People,
    rng: np.random.Generator,
    signed_up: Ints,
    learner: Bools,
    enrolled: Ints,
) -> Visits:
    mean = np.where(learner, np.where(people.activates, 1.1, 0.6), 0.0)
    who, _ = flatten(rng.poisson(mean))
    n = len(who)
    start = signed_up[who] + rng.integers(1, 6, n) * DAY + rng.integers(-3 * HOUR, 3 * HOUR, n)
    visits = signed_in(people, rng, who, start)
    may = start > enrolled[who]
    count = np.where(may, rng.poisson(1.6, n), 0)
    add_lessons(world, sink, people, rng, visits, count, np.where(people.activates[who], 0.7, 0.0))
    return visits


def _late_enrolments(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, later: Visits, enrolled: Ints
) -> Ints:
    """Who comes back without a course enrols on the first visit back."""
    back = np.full(len(people), NEVER)
    np.minimum.at(back, later.who, later.start)
    first = np.flatnonzero((enrolled[later.who] == NEVER) & (later.start == back[later.who]))
    visits = later.take(first)
    when = visits.start + rng.integers(60 * SECOND, 140 * SECOND, len(visits))
    _enrol(world, sink, people, rng, visits, when)
    enrolled = enrolled.copy()
    enrolled[visits.who] = when
    return enrolled


def _further_enrolments(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, later: Visits
) -> None:
    visits = later.take(rng.random(len(later)) < world.scenario.further_enrolment)
    when = visits.start + rng.integers(10 * SECOND, 50 * SECOND, len(visits))
    _enrol(world, sink, people, rng, visits, when)


def _enrol(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, visits: Visits, when: Ints
) -> None:
    """Adds enrolments with their payments and refunds."""
    s, n = world.scenario, len(visits)
    person = people.person[visits.who]
    course = (catalogue_size(world) * rng.random(n) ** 2).astype(np.int64)
    page = LEARN_PAGES.start + course % len(LEARN_PAGES)
    sink.add(Kind.COURSE_ENROLLED, person, visits.device, when, page=page, a=course)
    pays = (np.array(PRICES)[course % len(PRICES)] > 0) & (rng.random(n) < s.paid_enrolment)
    paid = when[pays] + rng.integers(4 * SECOND, 45 * SECOND, int(pays.sum()))
    buyer, bought = person[pays], course[pays]
    order = sink.numbers(len(buyer))
    nobody = np.full(len(buyer), world.no_device)
    sink.add(Kind.PAYMENT_COMPLETED, buyer, nobody, paid, a=bought, b=order)
    back = rng.random(len(buyer)) < s.refund
    refunded = paid[back] + rng.integers(DAY, 10 * DAY, int(back.sum()))
    sink.add(Kind.PAYMENT_REFUNDED, buyer[back], nobody[back], refunded, a=bought[back], b=order[back])


def add_lessons(
    world: World,
    sink: RowSink,
    people: People,
    rng: np.random.Generator,
    visits: Visits,
    count: Ints,
    completes: Floats,
    surely_first: Bools | None = None,
) -> None:
    """Adds lessons of the course each person takes.

    Args:
        world: The world.
        sink: Where rows go.
        people: The block.
        rng: Source of draws.
        visits: The visits.
        count: Lessons in each.
        completes: Probability of finishing each lesson, by visit.
        surely_first: Visits whose first lesson is finished in any case.
    """
    visit, place = flatten(count)
    n = len(visit)
    gap = rng.integers(3 * MINUTE, 12 * MINUTE, n)
    ts = visits.start[visit] + 150 * SECOND + running_sum(gap, visit)
    done = rng.random(n) < completes[visit]
    if surely_first is not None:
        done |= surely_first[visit] & (place == 0)
    course = (visits.who[visit] * 7 + visits.who[visit] // 11) % catalogue_size(world)
    seconds = np.where(done, gap // SECOND, (gap // SECOND * rng.random(n)).astype(np.int64))
    person, device = people.person[visits.who[visit]], visits.device[visit]
    page = LEARN_PAGES.start + course % len(LEARN_PAGES)
    sink.add(Kind.LESSON_WATCHED, person, device, ts, page=page, a=course, b=seconds, c=done)
    stalls = rng.random(n) < world.scenario.undeclared_event
    sink.add(
        Kind.PLAYBACK_STALLED,
        person[stalls],
        device[stalls],
        ts[stalls] - 2 * SECOND,
        page=page[stalls],
        a=course[stalls],
    )


def add_feedback(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, visits: Visits, happy: Bools
) -> None:
    """Adds surveys shown and answered, support tickets and invites.

    Args:
        world: The world.
        sink: Where rows go.
        people: The block.
        rng: The block's stream.
        visits: One visit a person and active week.
        happy: Who is likely to recommend the product, one entry a person.
    """
    s = world.scenario
    person, device, glad = people.person[visits.who], visits.device, happy[visits.who]
    channel = people.channel[visits.who]
    draw = rng.random(len(visits))
    # One draw says both: who answers is a part of those it is shown to.
    shown, answered = draw < s.survey, draw < s.survey * by_channel(s.survey_response, channel)
    mood = np.where(glad, 8.7, 6.4) + by_channel(s.survey_mood, channel)
    score = np.clip(np.rint(rng.normal(mood, 1.7)), 0, 10)
    comment = rng.integers(0, len(COMMENTS), len(visits))
    when = visits.start + rng.integers(80 * MINUTE, 100 * MINUTE, len(visits))
    before = when - (20 + 7 * comment) * SECOND
    sink.add(Kind.SURVEY_SHOWN, person[shown], device[shown], before[shown], a=comment[shown], b=score[shown])
    sink.add(
        Kind.SURVEY_ANSWERED,
        person[answered],
        device[answered],
        when[answered],
        a=comment[answered],
        b=score[answered],
    )
    invites = (rng.random(len(visits)) < s.invite) & glad
    when = visits.start + rng.integers(101 * MINUTE, 110 * MINUTE, len(visits))
    medium = rng.integers(0, 2, len(visits))
    sink.add(Kind.INVITE_SENT, person[invites], device[invites], when[invites], c=medium[invites])
    _add_tickets(world, sink, people, rng, visits.take(rng.random(len(visits)) < s.ticket))


def _add_tickets(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, visits: Visits
) -> None:
    n = len(visits)
    person = people.person[visits.who]
    opened = visits.start + rng.integers(2 * MINUTE, 9 * MINUTE, n)
    topic, message = rng.integers(0, len(TOPICS), n), rng.integers(0, len(MESSAGES), n)
    # How it will be answered, until `support` gives it its number: minutes an agent takes, and whether a bot does.
    bot = rng.random(n) < world.scenario.ticket_by_bot
    minutes = (1 + world.scenario.ticket_minutes * rng.lognormal(0, 0.9, n)).astype(np.int64)
    sink.add(
        Kind.TICKET_OPENED,
        person,
        visits.device,
        opened,
        page=HELP_PAGE,
        a=2 * minutes + bot,
        b=message,
        c=topic,
    )
