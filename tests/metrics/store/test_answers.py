"""What the store answers is what SQL answers: on generated histories, for every option it claims to know."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import headway as hw
from headway.insights.question import Scope
from headway.insights.quick import quick_counts
from headway.kernels import utc_offsets
from headway.store import PersonStore
from headway.store.memory import store_of
from headway.store.part import Part, make_part

FULL = bool(os.environ.get("HEADWAY_FULL"))
#: A history is one person's. A log costs more than its people: many in one make the full size possible.
MANY = 8 if FULL else 1
QUICK = settings(
    max_examples=250 if FULL else 12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: Days on which clocks change in Berlin and in Sao Paulo (there at midnight), a leap day, and a new year.
DAYS = [
    datetime(2026, 3, 28),
    datetime(2026, 10, 24),
    datetime(2018, 2, 17),
    datetime(2024, 2, 28),
    datetime(2025, 12, 30),
]
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"]

_histories = st.lists(
    st.tuples(
        st.integers(0, 4 * MANY - 1),
        st.sampled_from("abcd"),
        st.one_of(st.integers(0, 6), st.integers(0, 4 * 24 * 60)),
        st.sampled_from([0, 0, 1]),
    ),
    min_size=12 * (MANY - 1) + 1,
    max_size=24 * MANY,
)


def log_of(history: list[tuple[int, str, int, int]], day: datetime, timezone: str) -> hw.EventLog:
    """A log of persons, names, minutes since the day and microseconds more."""
    rows = [
        (f"p{person}", name, day + timedelta(minutes=minute, microseconds=more))
        for person, name, minute, more in [
            *history,
            (99, "a", 0, 0),
            (99, "b", 0, 0),
            (99, "c", 0, 0),
            (99, "d", 0, 0),
        ]
    ]
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at"], orient="row")
    return hw.EventLog(frame.cast({"occurred_at": pl.Datetime("us")}), timezone=timezone)


def in_parts(store: PersonStore, seed: int) -> PersonStore:
    """The same store in several parts, with rows of persons that do not count any more."""
    (whole,) = store.parts
    dice = random.Random(seed)
    offsets = utc_offsets(store.timezone, *store.extent)
    place = np.array([dice.randrange(3) for _ in range(len(whole))])
    moved = np.array(sorted({int(p) for p in whole.person if dice.random() < 0.3}), np.uint32)
    place[np.isin(whole.person, moved)] = 2
    stale = np.flatnonzero(np.isin(whole.person, moved))
    parts = []
    for number in range(3):
        rows = np.flatnonzero(place == number)
        if number < 2:
            rows = np.append(rows, [row for row in stale if dice.random() < 0.5]).astype(int)
        part = make_part(
            whole.person[rows],
            whole.us[rows],
            whole.code[rows],
            whole.actor[rows],
            behaviours=store.behaviours,
            offsets=offsets,
        )
        dead = moved if number < 2 else moved[:0]
        parts.append(Part(part.person, part.us, part.code, part.actor, part.activity, dead))
    return PersonStore(tuple(parts), store.names, store.people, store.timezone, store.behaviours)


def same(question: Any, log: hw.EventLog, *, always: bool = True) -> None:
    """Asks SQL, then the store whole and in parts; `always`: the store must not leave it to SQL."""
    log.store = None
    expected = question.run(log)
    whole = store_of(log, "ab")
    for store in (whole, in_parts(whole, 1), in_parts(whole, 2)):
        log.store = store
        if always and not expected.frame.is_empty():
            assert quick_counts(question, Scope.of(question, log)) is not None
        found = question.run(log)
        assert_frame_equal(found.frame, expected.frame, rel_tol=1e-12)
        assert found.describe() == expected.describe()
    # Writing the query takes longer than the rest, and parts have nothing to do with it.
    assert found.sql == expected.sql


@QUICK
@given(_histories)
def test_events_by_name(history: Any) -> None:
    with log_of(history, DAYS[0], "UTC") as log:
        expected = log.events()
        whole = store_of(log)
        for store in (whole, in_parts(whole, 1)):
            log.store = store
            assert_frame_equal(log.events(), expected)


@QUICK
@given(
    _histories,
    st.permutations("abcd"),
    st.integers(1, 4),
    st.sampled_from(["best", "first", "latest"]),
    st.sampled_from(["0s", None]),
    st.sampled_from(["1m", "5m", "1d", "40d"]),
    st.sampled_from([None, "2026-03-28T00:03", "2026-03-29"]),
)
def test_funnels(
    history: Any, names: list[str], steps: int, entry: Any, tie: Any, within: str, since: str | None
) -> None:
    with log_of(history, DAYS[0], "UTC") as log:
        question = hw.Funnel(
            names[:steps], within=within, entry=entry, tie=tie, since=since, until="2026-03-31"
        )
        # A restart in an instant with later steps is left to SQL.
        same(question, log, always=entry != "latest")


@QUICK
@given(
    _histories,
    st.sampled_from(DAYS),
    st.sampled_from(ZONES),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(["a", ["a", "b"], "c", hw.Event(None)]),
    st.sampled_from(["b", ["c", "d"], hw.Event(None)]),
    st.sampled_from(["first_time", "recurring"]),
    st.sampled_from(["on", "on_or_after"]),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from([None, 2, 3]),
)
def test_retention(
    history: Any,
    day: datetime,
    zone: str,
    period: Any,
    start: Any,
    returning: Any,
    cohort: Any,
    criterion: Any,
    since: int | None,
    until: int | None,
) -> None:
    with log_of(history, day, zone) as log:
        span = [None if n is None else (day + timedelta(days=n)).date() for n in (since, until)]
        question = hw.Retention(
            start,
            returning,
            period=period,
            periods=3,
            cohort=cohort,
            criterion=criterion,
            since=span[0],
            until=span[1],
        )
        same(question, log)


@QUICK
@given(
    _histories,
    st.sampled_from(DAYS),
    st.sampled_from(ZONES),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from([None, "a", ["b", "d"]]),
    st.sampled_from([(1,), (1, 2, 7), (1, 28, 70)]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 2, 3]),
)
def test_active_people(
    history: Any, day: datetime, zone: str, period: Any, event: Any, windows: Any, since: Any, until: Any
) -> None:
    with log_of(history, day, zone) as log:
        span = [None if n is None else (day + timedelta(days=n)).date() for n in (since, until)]
        same(hw.ActivePeople(event, windows=windows, period=period, since=span[0], until=span[1]), log)


@QUICK
@given(
    _histories,
    st.sampled_from(DAYS),
    st.sampled_from(ZONES),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from([None, "a", ["b", "d"]]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 2, 3]),
    st.sampled_from(["lifecycle", "growth", "stickiness", "power users"]),
)
def test_being_active(
    history: Any, day: datetime, zone: str, period: Any, event: Any, since: Any, until: Any, which: str
) -> None:
    span = [None if n is None else (day + timedelta(days=n)).date() for n in (since, until)]
    options: dict[str, Any] = {"since": span[0], "until": span[1]}
    questions: dict[str, Callable[[], Any]] = {
        "lifecycle": lambda: hw.Lifecycle(event, period=period, **options),
        "growth": lambda: hw.GrowthAccounting(event, period=period, **options),
        "stickiness": lambda: hw.Stickiness(event, interval="week" if period == "week" else "day", **options),
        "power users": lambda: hw.PowerUsers(event, days=3 if period == "day" else 28, **options),
    }
    question = questions[which]()
    with log_of(history, day, zone) as log:
        same(question, log)


def test_a_stray_date_centuries_away_makes_no_table_of_billions_of_cells() -> None:
    frame = pl.DataFrame(
        {
            "person": ["a", "a", "b"],
            "event": ["Visit"] * 3,
            "occurred_at": [datetime(1970, 1, 1), datetime(2026, 3, 1), datetime(2199, 1, 1)],
        }
    )
    with hw.EventLog(frame) as log:
        question = hw.Retention("Visit", "Visit", period="day", periods=1)
        asked = question.run(log).frame
        log.store = store_of(log)
        assert_frame_equal(question.run(log).frame, asked)
