"""Parts: the same rows make the same part; stray events and many names are taken as they come."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

import headway as hw
from headway.kernels import utc_offsets
from headway.store import ANY, Part, make_part
from headway.store.memory import store_of
from headway.store.person_store import in_order

DAY_US = 86_400_000_000


def part_of(rows: list[tuple[int, int, int, int]]) -> Part:
    person, us, code, actor = np.array(rows, np.int64).T
    offsets = utc_offsets("UTC", int(us.min()), int(us.max()))
    return make_part(person, us, code, actor, behaviours={ANY, 1}, offsets=offsets)


def test_equal_rows_make_equal_parts_in_whatever_order_they_come() -> None:
    rows = [(1, 5, 0, 2), (0, 7, 1, 1), (1, 5, 0, 1), (1, 5, 1, 0), (0, 3, 1, 1)]
    one, other = part_of(rows), part_of(rows[::-1])
    for name in ("person", "us", "code", "actor"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert list(zip(one.person, one.us, one.code, one.actor, strict=True)) == sorted(rows)


def test_a_stray_event_of_long_ago_widens_nobodys_words() -> None:
    part = part_of([(0, 20_000 * DAY_US, 1, 0), (1, 0, 1, 0), (1, 20_001 * DAY_US, 1, 0)])
    assert [(each.persons.tolist(), each.words.shape) for each in part.activity[ANY]] == [
        ([1], (1, 1)),
        ([0, 1], (1, 2)),
    ]


@pytest.mark.parametrize("step", [1, 1 << 40], ids=["packed into one key", "too far apart for that"])
def test_rows_are_ordered_by_person_and_time(step: int) -> None:
    dice = np.random.default_rng(4)
    person = dice.integers(0, 50_000, 2_000).astype(np.uint32)
    us = dice.integers(0, 1000, 2_000) * step
    order = in_order(person, us)
    assert list(zip(person[order], us[order], strict=True)) == sorted(zip(person, us, strict=True))


def test_more_names_than_fit_into_a_byte() -> None:
    start = datetime(2026, 3, 1)
    rows = [("ann", f"event {n:03}", start + timedelta(minutes=n)) for n in range(300)]
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at"], orient="row")
    with hw.EventLog(frame) as log:
        expected = log.events()
        log.store = store_of(log)
        assert log.store.parts[0].code.dtype == np.uint16
        assert log.events().equals(expected)
        question = hw.Funnel(["event 001", "event 255", "event 256", "event 299"], within="1d")
        assert question.run(log).frame["people"].to_list() == [1, 1, 1, 1]
