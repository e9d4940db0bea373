"""Surveys: satisfaction and effort after work on a course, and answers that are asked for again."""

from __future__ import annotations

import numpy as np

from headway_pipelines.demo.catalogue import COMMENTS, SCALES, SURVEYS
from headway_pipelines.demo.clock import DAY, HOUR, MINUTE, SECOND, Ints
from headway_pipelines.demo.people import People, by_channel
from headway_pipelines.demo.rows import Bools, Floats, Kind, RowArray, RowSink
from headway_pipelines.demo.world import World


def add_surveys(world: World, people: People, rows: RowArray, rng: np.random.Generator) -> RowArray:
    """Adds csat and ces surveys, and further showings of surveys that were answered.

    A showing knows, in the truth alone, what the person would answer; whether they do depends on the channel only.

    Args:
        world: The world.
        people: The block.
        rows: The block's rows by time.
        rng: The stream of surveys.

    Returns:
        The rows of showings and answers.
    """
    s, first = world.scenario, int(people.person[0])
    work = np.flatnonzero(np.isin(rows["kind"], [Kind.LESSON_WATCHED, Kind.VIDEO_EDITED]))
    work = work[rng.random(len(work)) < s.survey_after_work]
    survey = rng.integers(1, len(SURVEYS), len(work))
    when = rows["ts"][work] + rng.integers(30 * SECOND, 150 * SECOND, len(work))
    sink = RowSink()
    who, device = rows["person"][work].astype(np.int64) - first, rows["device"][work]
    answered = _show(world, sink, people, rng, who, device, when, survey)
    asked = rows[rows["kind"] == Kind.SURVEY_ANSWERED]
    who = np.concatenate([who[answered], asked["person"].astype(np.int64) - first])
    device = np.concatenate([device[answered], asked["device"]])
    when = np.concatenate([when[answered], asked["ts"]]) + rng.integers(20 * HOUR, 4 * DAY, len(who))
    survey = np.concatenate([survey[answered], asked["c"]])
    again = rng.random(len(who)) < s.survey_again
    _show(world, sink, people, rng, who[again], device[again], when[again], survey[again])
    return sink.finish()


def _show(
    world: World,
    sink: RowSink,
    people: People,
    rng: np.random.Generator,
    who: Ints,
    device: Ints,
    when: Ints,
    survey: Ints,
) -> Bools:
    """Shows surveys; says which are answered."""
    n = len(who)
    channel, person = people.channel[who], people.person[who]
    answered = rng.random(n) < by_channel(world.scenario.survey_response, channel)
    score = _scores(world, people, rng, who, survey)
    comment = rng.integers(0, len(COMMENTS), n)
    wait = rng.integers(15 * SECOND, 4 * MINUTE, n)
    sink.add(Kind.SURVEY_SHOWN, person, device, when, a=comment, b=score, c=survey)
    sink.add(
        Kind.SURVEY_ANSWERED,
        person[answered],
        device[answered],
        (when + wait)[answered],
        a=comment[answered],
        b=score[answered],
        c=survey[answered],
    )
    return answered


def _scores(world: World, people: People, rng: np.random.Generator, who: Ints, survey: Ints) -> Floats:
    """What people would answer: whoever gets on well is gladder, and channels differ."""
    glad = people.activates[who] | people.teacher[who]
    mood = by_channel(world.scenario.survey_mood, people.channel[who])
    mean = np.array([[6.4, 3.4, 4.3], [8.7, 4.2, 5.6]])[glad.astype(np.int64), survey]
    mean = mean + mood / np.where(survey == 0, 1, 3)
    low, high = np.array(SCALES).T
    spread = np.array([1.7, 0.9, 1.3])[survey]
    return np.clip(np.rint(rng.normal(mean, spread)), low[survey], high[survey])
