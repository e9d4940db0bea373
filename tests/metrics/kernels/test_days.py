"""Days as bits, beside sets of days; local days, beside Python's calendar."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from headway.kernels import (
    active_days,
    column_counts,
    combine,
    first_days,
    grouped,
    local_days,
    trailing,
    until_last,
    utc_offsets,
)
from headway.kernels.bitmaps import BITS, Words

FULL = bool(os.environ.get("HEADWAY_FULL"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PEOPLE = 4
#: Clocks change at midnight in Sao Paulo, Apia left a day out, Casablanca changes its clocks twice within weeks.
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"]
QUICK = settings(max_examples=2000 if FULL else 100, deadline=None, derandomize=True, phases=[Phase.generate])
_days = st.lists(
    st.tuples(st.integers(0, PEOPLE - 1), st.one_of(st.integers(-70, 70), st.integers(-2000, 2000))),
    max_size=12,
)


def words_of(active: list[tuple[int, int]], first: int, last: int) -> Words:
    rows = sorted(active, key=lambda each: each[0])
    person, day = np.array(rows, np.int64).reshape(-1, 2).T
    return combine(active_days(person.astype(np.uint32), day), PEOPLE, first, last)


def sets_of(words: Words, first: int) -> list[set[int]]:
    bits = [(row, bit) for row in range(len(words)) for bit in range(BITS)]
    return [
        {(first + row) * BITS + bit for row, bit in bits if int(words[row, person]) >> bit & 1}
        for person in range(words.shape[1])
    ]


@QUICK
@given(_days, st.integers(1, 200), st.integers(1, 40))
def test_bits_are_sets_of_days(active: list[tuple[int, int]], length: int, width: int) -> None:
    first, last = -40, 40
    low, high = first * BITS, (last + 1) * BITS
    words = words_of(active, first, last)
    days = [{day for who, day in active if who == person} for person in range(PEOPLE)]
    assert sets_of(words, first) == days
    assert sets_of(trailing(words, length), first) == [
        {day + later for day in own for later in range(length) if day + later < high} for own in days
    ]
    assert sets_of(until_last(words), first) == [
        set(range(low, max(own) + 1)) if own else set() for own in days
    ]
    earliest = first_days(active_days(*_columns(active)), PEOPLE)
    assert earliest.tolist() == [min(own, default=2**31 - 1) for own in days]
    edges = np.arange(-100, 101, width)
    assert sets_of(grouped(words, first, edges), 0) == [
        {(day + 100) // width for day in own if -100 <= day < edges[-1]} for own in days
    ]
    assert column_counts(words)[0].tolist() == [sum(day in own for own in days) for day in range(low, high)]


def _columns(active: list[tuple[int, int]]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    rows = np.array(sorted(active, key=lambda each: each[0]), np.int64).reshape(-1, 2)
    return rows[:, 0].astype(np.uint32), rows[:, 1]


@pytest.mark.parametrize("sizes", [[1], [300, 0, 1, 700], [0, 255, 256, 0], [0, 0]])
def test_groups_of_any_size_are_counted(sizes: list[int]) -> None:
    words = np.random.default_rng(1).integers(0, 2**63, (2, sum(sizes)), np.uint64)
    starts = np.cumsum([0, *sizes[:-1]])
    counts = column_counts(words, starts)
    for start, size, counted in zip(starts, sizes, counts, strict=True):
        for bit in (0, 7, 63, 64, 100):
            column = words[bit // BITS, start : start + size] >> np.uint64(bit % BITS)
            assert counted[bit] == int((column & np.uint64(1)).sum())


@pytest.mark.parametrize("zone", ZONES)
def test_local_days_are_those_of_the_calendar(zone: str) -> None:
    days = ((2011, 12, 30), (2018, 2, 18), (2024, 2, 29), (2026, 3, 29), (2026, 10, 25))
    around = [datetime(*day, tzinfo=UTC) for day in days]
    dice = np.random.default_rng(2)
    moments = [
        day + timedelta(seconds=int(dice.integers(-(2**17), 2**17))) for day in around for _ in range(100)
    ]
    us = np.array([(moment - EPOCH) // timedelta(microseconds=1) for moment in moments], np.int64)
    found = local_days(us, utc_offsets(zone, int(us.min()), int(us.max())))
    expected = [(moment.astimezone(ZoneInfo(zone)).date() - EPOCH.date()).days for moment in moments]
    assert found.tolist() == expected
