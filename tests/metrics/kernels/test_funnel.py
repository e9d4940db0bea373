"""The funnel kernel beside the sentence that defines it, attempt by attempt."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from headway.kernels import reported_attempts

FULL = bool(os.environ.get("HEADWAY_FULL"))
Event = tuple[int, int, int]


def naive(
    events: list[Event], steps: int, within: int, entry: str, strictly: bool
) -> dict[int, tuple[int, list[int]]]:
    """Level and times of each person's reported attempt, found by trying every start."""
    result = {}
    for person in {who for who, _, _ in events}:
        own = [(us, step) for who, us, step in events if who == person]
        starts = sorted({us for us, step in own if step == 1})
        attempts = []
        for start, restart in zip(starts, [*starts[1:], 10**9], strict=False):
            end = min(start + within, restart if entry == "latest" else 10**9)
            times = [start]
            for step in range(2, steps + 1):
                later = [us for us, s in own if s == step and us <= end and times[-1] + strictly <= us]
                if not later:
                    break
                times.append(min(later))
            attempts.append((len(times), -times[-1], start, times))
        if attempts:
            level, _, _, times = attempts[0] if entry == "first" else max(attempts)
            result[person] = (level, times)
    return result


def found(events: list[Event], **options: Any) -> dict[int, tuple[int, list[int]]] | None:
    """The same from the kernel, which wants persons and times ascending."""
    rows = sorted(events, key=lambda event: event[:2])
    person, us, step = np.array(rows, np.int64).reshape(-1, 3).T
    attempts = reported_attempts(person.astype(np.uint32), us, step.astype(np.uint8), **options)
    if attempts is None:
        return None
    return {
        int(who): (int(level), attempts.times[:level, place].tolist())
        for place, (who, level) in enumerate(zip(attempts.person, attempts.level, strict=True))
    }


@settings(max_examples=5000 if FULL else 300, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(1, 4)), max_size=20),
    st.integers(1, 4),
    st.integers(0, 9),
    st.sampled_from(["best", "first", "latest"]),
    st.booleans(),
)
def test_it_finds_the_attempts_that_trying_all_finds(
    events: list[Event], steps: int, within: int, entry: Any, strictly: bool
) -> None:
    events = [event for event in events if event[2] <= steps]
    options = {"steps": steps, "within_us": within, "entry": entry, "strictly_later": strictly}
    answer = found(events, **options)
    if answer is None:
        assert entry == "latest" and not strictly
    else:
        assert answer == naive(events, steps, within, entry, strictly)


@pytest.mark.parametrize(
    ("events", "options", "expected"),
    [
        ([(1, 0, 1), (1, 5, 2)], {"within_us": 5}, {1: (2, [0, 5])}),
        ([(1, 0, 1), (1, 6, 2)], {"within_us": 5}, {1: (1, [0])}),
        ([(1, 3, 2), (1, 3, 1)], {"within_us": 5}, {1: (2, [3, 3])}),
        ([(1, 3, 2), (1, 3, 1)], {"within_us": 5, "strictly_later": True}, {1: (1, [3])}),
        ([(1, 0, 1), (2, 1, 2)], {"within_us": 5}, {1: (1, [0])}),
        ([(1, 0, 1), (1, 4, 1), (1, 6, 2)], {"within_us": 5}, {1: (2, [4, 6])}),
        ([(1, 0, 1), (1, 4, 1), (1, 6, 2)], {"within_us": 5, "entry": "first"}, {1: (1, [0])}),
        ([], {"within_us": 5}, {}),
    ],
    ids=[
        "in time",
        "too late",
        "same instant",
        "strictly",
        "of another",
        "latest start",
        "first entry",
        "no events",
    ],
)
def test_hand_counted(events: list[Event], options: dict[str, Any], expected: Any) -> None:
    assert found(events, steps=2, **options) == expected


def test_a_restart_in_an_instant_with_later_steps_is_left_to_sql() -> None:
    assert found([(1, 0, 1), (1, 5, 1), (1, 5, 2)], steps=2, within_us=9, entry="latest") is None
