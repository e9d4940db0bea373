"""What teachers do: start a course, meet the editor, publish, come back to edit."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.catalogue import TEACH_PAGES
from headway_pipelines.demo.clock import DAY, HOUR, MINUTE, SECOND, Ints
from headway_pipelines.demo.learners import add_feedback, catalogue_size
from headway_pipelines.demo.people import NEVER, People, flatten
from headway_pipelines.demo.rows import Bools, Kind, RowSink
from headway_pipelines.demo.visits import Visits, join, signed_in, weekly_visits
from headway_pipelines.demo.world import World


def add_teachers(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, signed_up: Ints
) -> Visits:
    """Adds everything teachers do after signing up.

    A course started from the release on opens in the editor: the teacher is exposed to one variant, and the
    treatment raises the probability of publishing. Courses started earlier keep the old editor.

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
    creates = (signed_up < NEVER) & people.teacher & (rng.random(len(people)) < s.course_created)
    visits, created, same = _create(world, sink, people, rng, signed_up, np.flatnonzero(creates))
    who = visits.who
    treated = rng.random(len(who)) < s.treatment
    exposed = created >= world.release
    sink.add(
        Kind.FEATURE_EXPOSED,
        people.person[who[exposed]],
        visits.device[exposed],
        created[exposed] + 2 * SECOND,
        page=TEACH_PAGES.start,
        c=treated[exposed],
    )
    new_editor = exposed & treated
    publishes = rng.random(len(who)) < s.publish_control + s.editor_uplift * new_editor
    delay = np.clip(rng.lognormal(np.log(1.6), 0.9, len(who)), 0.02, 13.5) * DAY
    published = created + delay.astype(np.int64)
    parts = [
        visits.take(~same),
        _edit(world, sink, people, rng, who, created, published, publishes, new_editor),
    ]
    at_publish = signed_in(people, rng, who[publishes], published[publishes] - 3 * MINUTE)
    _publish(sink, people, rng, at_publish, published[publishes], _course(world, people, at_publish.who))
    anchor = np.full(len(people), NEVER // 2)
    anchor[who] = created
    came_out = np.full(len(people), NEVER)
    came_out[who[publishes]] = published[publishes]
    return join([*parts, at_publish, _come_back(world, sink, people, rng, anchor, came_out)])


def _course(world: World, people: People, who: Ints) -> Ints:
    return catalogue_size(world) + 2 * people.person[who]


def _create(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, signed_up: Ints, who: Ints
) -> tuple[Visits, Ints, Bools]:
    n = len(who)
    same = rng.random(n) < 0.6
    delay = np.clip(rng.lognormal(np.log(1.5), 0.8, n), 0.3, 12) * DAY
    start = np.where(same, signed_up[who] + 10 * SECOND, signed_up[who] + delay.astype(np.int64))
    visits = signed_in(people, rng, who, start)
    visits = Visits(who, start, np.where(same, people.device[who], visits.device), visits.logged)
    created = start + rng.integers(2 * MINUTE, 12 * MINUTE, n)
    course = _course(world, people, who)
    sink.add(
        Kind.COURSE_CREATED, people.person[who], visits.device, created, page=TEACH_PAGES.start, a=course
    )
    return visits, created, same


def _edit(
    world: World,
    sink: RowSink,
    people: People,
    rng: np.random.Generator,
    who: Ints,
    created: Ints,
    published: Ints,
    publishes: Bools,
    new_editor: Bools,
) -> Visits:
    """Adds work on the course between its start and its publication (or its being given up)."""
    until = np.where(publishes, published, created + 5 * DAY)
    group, _ = flatten(rng.poisson(np.where(new_editor, 2.2, 1.3)))
    share = rng.random(len(group))
    start = created[group] + MINUTE + ((until - created)[group] * share * 0.95).astype(np.int64)
    visits = signed_in(people, rng, who[group], start)
    add_edits(world, sink, people, rng, visits, 1 + rng.poisson(1.5, len(visits)))
    return visits


def add_edits(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, visits: Visits, count: Ints
) -> None:
    """Adds work on the videos of each teacher's first course.

    Args:
        world: The world.
        sink: Where rows go.
        people: The block.
        rng: Source of draws.
        visits: The visits.
        count: Videos edited in each.
    """
    visit, place = flatten(count)
    ts = visits.start[visit] + MINUTE + place * 7 * MINUTE + rng.integers(0, 6 * MINUTE, len(visit))
    course = _course(world, people, visits.who[visit])
    seconds = 30 + (rng.lognormal(5, 0.8, len(visit))).astype(np.int64)
    person, device = people.person[visits.who[visit]], visits.device[visit]
    page = TEACH_PAGES.start + course % len(TEACH_PAGES)
    sink.add(Kind.VIDEO_EDITED, person, device, ts, page=page, a=course, b=np.minimum(seconds, 7000))


def _publish(
    sink: RowSink, people: People, rng: np.random.Generator, visits: Visits, when: Ints, course: Ints
) -> None:
    lessons = 3 + rng.poisson(7, len(visits))
    video = rng.random(len(visits)) < 0.8
    page = TEACH_PAGES.start + course % len(TEACH_PAGES)
    person = people.person[visits.who]
    sink.add(Kind.COURSE_PUBLISHED, person, visits.device, when, page=page, a=course, b=lessons, c=video)


def _come_back(
    world: World, sink: RowSink, people: People, rng: np.random.Generator, anchor: Ints, came_out: Ints
) -> Visits:
    """Adds the active weeks after a first course, with further courses of those who published."""
    s = world.scenario
    week1 = np.where(anchor < NEVER // 2, s.teacher_week1, 0.0)
    who, start, first = weekly_visits(world, people, rng, anchor, week1)
    visits = signed_in(people, rng, who, start)
    add_edits(world, sink, people, rng, visits, 1 + rng.poisson(1.0, len(visits)))
    add_feedback(world, sink, people, rng, visits.take(first), came_out < NEVER)
    again = first & (came_out[who] < start) & (rng.random(len(who)) < s.second_course)
    more = visits.take(again)
    course = _course(world, people, more.who) + 1
    created = more.start + rng.integers(20 * MINUTE, 30 * MINUTE, len(more))
    person = people.person[more.who]
    sink.add(Kind.COURSE_CREATED, person, more.device, created, page=TEACH_PAGES.start, a=course)
    _publish(sink, people, rng, more, created + rng.integers(10 * MINUTE, HOUR, len(more)), course)
    return visits
