"""Support tickets: why people ask, when a bot or an agent answers, what follows, and what a quick reply does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headway_pipelines.demo.catalogue import HELP_PAGE, MESSAGES, TOPICS
from headway_pipelines.demo.clock import DAY, HOUR, MINUTE, Ints
from headway_pipelines.demo.learners import add_lessons
from headway_pipelines.demo.people import NEVER, People
from headway_pipelines.demo.rows import ACTIVITY, BROUGHT_BACK, Bools, Kind, RowArray, RowSink
from headway_pipelines.demo.teachers import add_edits
from headway_pipelines.demo.visits import Visits, add_pages, moment_of_week
from headway_pipelines.demo.world import BLOCK, World

#: Whoever has not started a week ago is not asked about causes: the first weeks' planted retention stays as it is.
_SETTLED = 7 * DAY
_NEVER_ANSWERED, _RESOLVED, _REOPENED, _CHECKED_BACK = 0.03, 0.92, 0.25, 0.4
#: Probabilities of writing again after the first, second and third answer, of doing so twice, and before any answer.
_WRITES_AGAIN, _TWICE, _IMPATIENT = (0.45, 0.35, 0.25), 0.15, 0.12


@dataclass(frozen=True)
class Tickets:
    """Tickets of a block by the time they were opened; every array has one entry a ticket.

    Attributes:
        number: Their numbers.
        person: Person numbers.
        device: Device they were opened on.
        opened: UTC milliseconds.
        topic: Position in ``TOPICS``.
        minutes: Business minutes an agent takes to answer first.
        bot: Whether a bot answers.
    """

    number: Ints
    person: Ints
    device: Ints
    opened: Ints
    topic: Ints
    minutes: Ints
    bot: Bools


def add_support(
    world: World, people: People, rows: RowArray, uploads: RowArray, rng: np.random.Generator
) -> RowArray:
    """Adds further tickets, all that happens to tickets, and the visits that quick replies bring.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time; tickets in them get their numbers in place.
        uploads: The block's uploads.
        rng: The stream of support.

    Returns:
        The rows.
    """
    sink = RowSink()
    tickets = _tickets(world, people, rows, _causes(world, people, rows, uploads, rng), rng, sink)
    first = _answers(world, rng, sink, tickets)
    more = sink.finish()
    quick = (first < NEVER) & (tickets.minutes <= world.scenario.quick_reply_minutes)
    return np.concatenate([more, _brought_back(world, people, rows, rng, tickets, quick)])


def _tickets(
    world: World,
    people: People,
    rows: RowArray,
    causes: tuple[RowArray, Ints],
    rng: np.random.Generator,
    sink: RowSink,
) -> Tickets:
    """Numbers the tickets of active weeks and adds those with a cause."""
    known = np.flatnonzero(rows["kind"] == Kind.TICKET_OPENED)
    asked = rows[known]
    caused, topic = causes
    n = len(caused)
    who = caused["person"].astype(np.int64) - int(people.person[0])
    person = np.concatenate([asked["person"], caused["person"]]).astype(np.int64)
    device = np.concatenate([asked["device"], people.device[who]]).astype(np.int64)
    opened = np.concatenate([asked["ts"], caused["ts"] + rng.integers(2 * MINUTE, 40 * MINUTE, n)])
    order = np.argsort(opened, kind="stable")
    number = np.empty(len(opened), np.int64)
    number[order] = int(people.person[0]) // BLOCK * 2**17 + np.arange(len(opened))
    minutes = (1 + world.scenario.ticket_minutes * rng.lognormal(0, 0.9, n)).astype(np.int64)
    bot = rng.random(n) < world.scenario.ticket_by_bot
    tickets = Tickets(
        number=number,
        person=person,
        device=device,
        opened=opened,
        topic=np.concatenate([asked["c"], topic]).astype(np.int64),
        minutes=np.concatenate([asked["a"] // 2, minutes]),
        bot=np.concatenate([asked["a"] % 2 == 1, bot]),
    )
    message = rng.integers(0, len(MESSAGES), n)
    rows["a"][known] = number[: len(known)]
    new = slice(len(known), None)
    sink.add(
        Kind.TICKET_OPENED,
        person[new],
        device[new],
        opened[new],
        page=HELP_PAGE,
        a=number[new],
        b=message,
        c=topic,
    )
    return tickets


def _causes(
    world: World, people: People, rows: RowArray, uploads: RowArray, rng: np.random.Generator
) -> tuple[RowArray, Ints]:
    """What makes people ask for help, and about which topic."""
    topics = {
        Kind.PAYMENT_COMPLETED: TOPICS.index("billing"),
        Kind.PLAYBACK_STALLED: TOPICS.index("playback"),
        Kind.UPLOAD_FAILED: TOPICS.index("publishing"),
    }
    first = int(people.person[0])
    begin = np.full(len(people), NEVER)
    starts = (rows["kind"] == Kind.COURSE_CREATED) | ((rows["kind"] == Kind.SIGNED_UP) & (rows["b"] == 0))
    index = np.flatnonzero(starts)[::-1]
    begin[rows["person"][index].astype(np.int64) - first] = rows["ts"][index]
    may = np.concatenate([part[np.isin(part["kind"], list(topics))] for part in (rows, uploads)])
    may = may[may["ts"] >= begin[may["person"].astype(np.int64) - first] + _SETTLED]
    causes = may[rng.random(len(may)) < world.scenario.ticket_cause]
    topic = np.zeros(len(causes), np.int64)
    for kind, code in topics.items():
        topic[causes["kind"] == kind] = code
    return causes, topic


def _answers(world: World, rng: np.random.Generator, sink: RowSink, t: Tickets) -> Ints:
    """Adds everything up to the last check-back; gives when an agent first answers."""
    n, after = len(t.opened), world.hours.after
    _answer(world, sink, t, np.where(t.bot, t.opened + _draw(rng, n, 1), NEVER), by_bot=True)
    first = np.where(rng.random(n) < _NEVER_ANSWERED, NEVER, after(t.opened, t.minutes * MINUTE))
    _answer(world, sink, t, first)
    early = t.opened + ((first - t.opened) * rng.random(n)).astype(np.int64)
    impatient = (first < NEVER) & (rng.random(n) < _IMPATIENT)
    _write(sink, rng, Kind.TICKET_FOLLOWED_UP, t, np.where(impatient, early, NEVER))
    last = first
    goes_on = first < NEVER
    for chance in _WRITES_AGAIN:
        goes_on = goes_on & (rng.random(n) < chance)
        again = np.where(goes_on, last + _draw(rng, n, 240), NEVER)
        twice = np.where(goes_on & (rng.random(n) < _TWICE), again + _draw(rng, n, 12), NEVER)
        _write(sink, rng, Kind.TICKET_FOLLOWED_UP, t, again)
        _write(sink, rng, Kind.TICKET_FOLLOWED_UP, t, twice)
        reply = after(np.where(twice < NEVER, twice, again), _draw(rng, n, 75))
        _answer(world, sink, t, np.where(goes_on, reply, NEVER))
        last = np.where(goes_on, reply, last)
    resolved = np.where(rng.random(n) < _RESOLVED, after(last, _draw(rng, n, 60)), NEVER)
    _by_agent(world, sink, Kind.TICKET_RESOLVED, t, resolved)
    again = np.where(rng.random(n) < _REOPENED, resolved + _draw(rng, n, 30 * 60), NEVER)
    _write(sink, rng, Kind.TICKET_REOPENED, t, again)
    reply = after(again, _draw(rng, n, 100))
    _answer(world, sink, t, reply)
    closed = np.where(rng.random(n) < _RESOLVED, after(reply, _draw(rng, n, 40)), NEVER)
    _by_agent(world, sink, Kind.TICKET_RESOLVED, t, closed)
    checks = (again >= NEVER) & (rng.random(n) < _CHECKED_BACK)
    back = after(resolved, 16 * HOUR + rng.integers(0, 8 * HOUR, n))
    _by_agent(world, sink, Kind.TICKET_CHECKED_BACK, t, np.where(checks, back, NEVER))
    return first


def _draw(rng: np.random.Generator, n: int, median_minutes: float) -> Ints:
    """Skewed waiting times in milliseconds."""
    return (median_minutes * MINUTE * rng.lognormal(0, 0.9, n)).astype(np.int64) + 1


def _answer(world: World, sink: RowSink, t: Tickets, when: Ints, *, by_bot: bool = False) -> None:
    on = when < NEVER
    nobody = np.full(int(on.sum()), world.no_device)
    sink.add(
        Kind.TICKET_ANSWERED, t.person[on], nobody, when[on], a=t.number[on], b=int(by_bot), c=t.topic[on]
    )


def _by_agent(world: World, sink: RowSink, kind: Kind, t: Tickets, when: Ints) -> None:
    on = when < NEVER
    sink.add(kind, t.person[on], np.full(int(on.sum()), world.no_device), when[on], a=t.number[on])


def _write(sink: RowSink, rng: np.random.Generator, kind: Kind, t: Tickets, when: Ints) -> None:
    on = when < NEVER
    message = rng.integers(0, len(MESSAGES), int(on.sum()))
    sink.add(kind, t.person[on], t.device[on], when[on], page=HELP_PAGE, a=t.number[on], b=message)


def _brought_back(
    world: World, people: People, rows: RowArray, rng: np.random.Generator, t: Tickets, quick: Bools
) -> RowArray:
    """Visits in the days 7 to 14 after the first ticket, of people who would have stayed away."""
    order = np.argsort(t.opened, kind="stable")
    _, place = np.unique(t.person[order], return_index=True)
    first = order[place]
    who = t.person[first] - int(people.person[0])
    opens = np.full(len(people), NEVER)
    opens[who] = t.opened[first] + 7 * DAY
    active = rows[np.isin(rows["kind"], ACTIVITY)]
    position = active["person"].astype(np.int64) - int(people.person[0])
    inside = (active["ts"] >= opens[position]) & (active["ts"] < opens[position] + 7 * DAY)
    away = np.ones(len(people), bool)
    away[position[inside]] = False
    comes = away[who] & quick[first] & (rng.random(len(first)) < world.scenario.quick_reply_return)
    comes &= opens[who] < world.clock.end
    who = who[comes]
    start = opens[who] + moment_of_week(world, rng, opens[who])
    visits = Visits(who, start, people.device[who], np.ones(len(who), bool))
    sink = RowSink()
    teaches = people.teacher[who]
    pupils, teachers = visits.take(~teaches), visits.take(teaches)
    lessons = 1 + rng.poisson(1.5, len(pupils))
    add_lessons(world, sink, people, rng, pupils, lessons, np.full(len(pupils), 0.5))
    add_edits(world, sink, people, rng, teachers, 1 + rng.poisson(1.0, len(teachers)))
    add_pages(sink, people, rng, visits, np.zeros(len(visits), bool), 5.2)
    out = sink.finish()
    out["flags"] |= BROUGHT_BACK
    return out
