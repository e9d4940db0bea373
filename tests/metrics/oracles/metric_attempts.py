"""Attempts that succeed, sessions, and weighted answers a second time, from their definitions."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

from metric_parts import SECONDS, Expected, Period, Seen, Unit, each_person, matches
from metric_sums import as_of_the_first
from metric_worlds import Book, Row

from headway.models.durations import parse_duration
from headway.models.metrics import CrashFree, PromoterScore, Survey, TimeOnTask


def naive_time_on_task(metric: TimeOnTask, book: Book) -> Expected:
    """How long each attempt took whose next event is a success that comes in time."""
    within = parse_duration(metric.within)
    by_key: dict[object, list[Row]] = defaultdict(list)
    for row in book.rows:
        key = row.person if metric.key is None else row.key
        steps = (metric.start, metric.success, metric.failure)
        if key is not None and any(matches(row, each) for each in steps):
            by_key[key].append(row)
    expected = Expected("quantile", within)
    for rows in by_key.values():
        for start, end in pairwise(rows):
            us = end.us - start.us
            if matches(start, metric.start) and matches(end, metric.success) and us < within:
                expected.seen += [
                    Seen(start.person, period, start.us, us / 1e6 / SECONDS[metric.unit])
                    for period in book.holding[book.day(start)]
                ]
    expected.seen = as_of_the_first(expected.seen)
    return expected


def naive_crash_free(metric: CrashFree, book: Book) -> Expected:
    """Sessions of each person by the period of their first event, and those of them without a failure."""
    idle = parse_duration(metric.idle)
    sessions: dict[tuple[int, Period], list[list[Row]]] = defaultdict(list)
    for person, rows in book.people.items():
        made: list[list[Row]] = []
        for row in rows:
            if matches(row, metric.of) or matches(row, metric.failure):
                if not made or row.us - made[-1][-1].us > idle:
                    made.append([])
                made[-1].append(row)
        for session in made:
            for period in book.holding[book.day(session[0])]:
                sessions[person, period].append(session)
    expected = Expected("ratio")
    for (person, period), found in sessions.items():
        fine = sum(not any(matches(row, metric.failure) for row in session) for session in found)
        expected.units.append(Unit(person, period, found[0][0].us, fine, len(found)))
    return expected


def asked_by_channel(
    metric: Survey | PromoterScore, book: Book
) -> dict[tuple[str, object], dict[str, set[int]]]:
    """The people who were asked, by period and channel of first touch."""
    found: dict[tuple[str, object], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for person, period, _ in each_person(book, lambda row: matches(row, metric.shown)):
        found[period][book.world.channels.get(person) or "direct"].add(person)
    return found


def trimmed(values: list[tuple[float, int]], share: float) -> tuple[float | None, list[tuple[float, int]]]:
    """The mean of what is left of values and whose they are without the smallest and as many of the largest."""
    cut = math.floor(round(share * len(values), 9))
    kept = sorted(values)[cut : len(values) - cut]
    return (math.fsum(value for value, _ in kept) / len(kept) if kept else None), kept
