"""Orders found by counting are those that comparing finds."""

from __future__ import annotations

import numpy as np
import pytest

from headway.kernels.ordering import order_of, order_of_people


@pytest.mark.parametrize("number", [1, 7, 1 << 16, (1 << 16) + 1, 1 << 33])
def test_counting_orders_as_comparing_does_and_leaves_equal_rows_as_they_are(number: int) -> None:
    rng = np.random.default_rng(number)
    codes = np.append(rng.integers(0, number, 500), [number - 1, 0, number - 1])
    assert order_of(codes, number).tolist() == np.argsort(codes, kind="stable").tolist()
    assert order_of(codes[:0], number).tolist() == []


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("instants", [3, 10_000])
def test_people_are_ordered_by_time_and_what_breaks_ties(in_order: bool, instants: int) -> None:
    rng = np.random.default_rng(instants)
    person, at = rng.integers(0, 70_000, 2_000), rng.integers(0, instants, 2_000)
    person[:600] = 5
    at = np.sort(at) if in_order else at
    value, is_open = rng.integers(0, 3, 2_000) / 2, rng.random(2_000) < 0.5
    order = order_of_people(person, at, value, is_open)
    rows = list(zip(person.tolist(), at.tolist(), value.tolist(), is_open.tolist(), strict=True))
    assert [rows[place] for place in order] == sorted(rows)
    assert sorted(order.tolist()) == list(range(2_000))
