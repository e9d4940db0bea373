"""Arrays answer what people did on which days as the queries of those kinds of metrics do, to the last bit."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from metric_generated import DENSE, MONTHS, generate
from metric_worlds import compute, make_product

from headway.frameworks import profiles
from headway.frameworks.tallied import Tallies
from headway.kernels.stays import Diary, Layer, Moves, Stays, moves_of

SEEDS = range(60 if os.environ.get("HEADWAY_FULL") else 4)

PEOPLE = {"event": ["A", "C"], "measure": "people"}
MONEY = {"event": "A", "measure": "sum", "value": "amount", "currency": "currency", "minus": "B"}
BIG = {"event": "A", "where": "amount > 1"}
METRICS: Mapping[str, Mapping[str, object]] = {
    "doers": {"kind": "count", "of": PEOPLE, "unit": "people", "grains": ["day", "week", "month", "rolling_7d"]},
    "events": {"kind": "count", "of": {"event": ["A", "B"], "where": "amount > 1"}, "unit": "events"},
    "bounded": {
        "kind": "count", "of": ["A", "B"], "unit": "events", "grains": ["week", "rolling_28d"],
        "privacy": {"epsilon": 0.1, "budget": 100, "at_most": 2},
    },
    "a_day": {
        "kind": "ratio", "numerator": ["A", "C"], "denominator": {"event": ["A", "B"], "measure": "days"}, "unit": "x",
    },
    "failed": {"kind": "ratio", "numerator": BIG, "denominator": "A"},
    "apart": {"kind": "ratio", "numerator": {"event": "C", "measure": "days"}, "denominator": "A", "unit": "x"},
    "people": {"kind": "ratio", "numerator": {"event": "B", "measure": "people"}, "denominator": PEOPLE},
    "share": {"kind": "share", "of": ["A", "C"], "did": BIG},
    "often": {"kind": "mean", "of": "A", "event": ["A", "C"], "measure": "count", "unit": "events"},
    "days": {"kind": "mean", "of": ["A", "C"], "event": "B", "measure": "days", "unit": "days"},
    "sticky": {"kind": "stickiness", "of": ["A", "C"], "grains": ["week", "month", "rolling_28d"]},
    "nobody": {"kind": "share", "of": {"event": "A", "where": "amount > 1e9"}, "did": "B"},
    "revenue": {"kind": "count", "of": MONEY, "unit": "EUR", "grains": ["day", "month", "rolling_7d"]},
    "per_payer": {"kind": "ratio", "numerator": MONEY, "denominator": PEOPLE, "unit": "EUR"},
    "per_event": {"kind": "ratio", "numerator": MONEY, "denominator": ["B", "C"], "unit": "EUR"},
    "per_day": {
        "kind": "ratio", "numerator": MONEY, "denominator": {"event": "C", "measure": "days"}, "unit": "EUR",
    },
    "bounded_sum": {
        "kind": "count", "of": MONEY, "unit": "EUR", "privacy": {"epsilon": 0.1, "budget": 100, "at_most": 2.5},
    },
    "converted": {"kind": "conversion", "start": ["A", "B"], "reach": ["B", "C"], "within": "24h"},
    "returned": {"kind": "retention", "start": "A", "returning": ["A", "C"], "after": "1h", "within": "24h"},
    "median": {"kind": "quantile", "event": ["A", "C"], "value": "amount", "unit": "x", "grains": ["day", "month"]},
    "fine": {
        "kind": "crash_free", "of": ["A", "B"], "failure": {"event": ["A", "C"], "where": "amount > 1"}, "idle": "1h",
    },
    **{
        part: {"kind": "lifecycle", "of": ["A", "C"], "part": part, "grains": ["day", "week", "month"]}
        for part in ("new", "returning", "resurrected", "dormant", "churn", "quick_ratio")
    },
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_arrays_and_queries_give_the_same_values(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = generate(seed, people=12, rows=150, hours=MONTHS if seed % 2 else DENSE)
    product = make_product(world, METRICS)
    fetched: list[object] = []
    monkeypatch.setattr(Tallies, "read", _noting(fetched))
    by_arrays = compute(world, product)
    assert len(fetched) == 1
    # Without stamps queries answer everything.
    monkeypatch.setattr(profiles, "_ROOM", 0)
    by_queries = compute(world, product)
    assert len(fetched) == 1
    assert by_arrays.values.equals(by_queries.values)
    assert by_arrays.values.filter(pl.col("segment") == "all", pl.col("people") > 5).height


def _noting(fetched: list[object]) -> object:
    read = Tallies.read

    def noted(*args: object) -> Tallies:
        fetched.append(args)
        return read(*args)  # type: ignore[arg-type]

    return noted


def layer(*sizes: int, gap: int = 0) -> Layer:
    """Periods of so many days that follow each other from day 10 on, the same number of days between them."""
    starts = np.cumsum([10, *(size + gap for size in sizes[:-1])])
    places = np.full(int(starts[-1]) + sizes[-1] - 10, -1, dtype=np.int64)
    for place, (start, size) in enumerate(zip(starts.tolist(), sizes, strict=True)):
        places[start - 10 : start - 10 + size] = place
    return Layer(starts, 10, places)


def diary(*rows: tuple[int, int, int, int]) -> Diary:
    """Person, day, instant and number of times."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Diary(columns[0], columns[1], columns[2], columns[3], ())


def test_days_in_no_period_are_left_out() -> None:
    found = Stays(
        diary((1, 9, 5, 1), (1, 11, 7, 2), (1, 13, 8, 1), (2, 12, 3, 4), (2, 99, 9, 1)), layer(2, 2, gap=1)
    )
    assert found.person.tolist() == [1, 1]
    assert found.period.tolist() == [0, 1]
    assert found.times.tolist() == [2, 1]


def test_the_first_instant_counts_where_clocks_were_put_back_past_midnight() -> None:
    found = Stays(diary((1, 10, 60, 1), (1, 11, 50, 1)), layer(2))
    assert found.at.tolist() == [50]
    assert found.days.tolist() == [2]


def test_one_day_of_two_people_is_two_days() -> None:
    found = Stays(diary((1, 10, 1, 1), (1, 10, 2, 1), (2, 10, 1, 1)), layer(7))
    assert found.days.tolist() == [1, 1]


def test_nobody_is_nowhere() -> None:
    nobody, somebody = Stays(diary(), layer(7)), Stays(diary((1, 10, 1, 1)), layer(7))
    assert (nobody.size, nobody.at.size, nobody.days.size, nobody.times.size) == (0, 0, 0, 0)
    assert [each.tolist() for each in somebody.found(nobody)] == [[], []]
    assert [each.tolist() for each in nobody.found(somebody)] == [[], []]
    assert moves_of(nobody).person.tolist() == []


def test_moves_of_one_person_end_where_the_next_one_begins() -> None:
    active = Stays(diary((1, 10, 1, 1), (1, 11, 2, 1), (2, 12, 3, 1)), layer(1, 1, 1))
    found = moves_of(active)
    told = {
        (person, period, Moves.NAMES[move], at)
        for person, period, move, at in zip(
            *(each.tolist() for each in (found.person, found.period, found.move, found.at)), strict=True
        )
    }
    assert told == {
        (1, 0, "new", 1), (1, 1, "returning", 2), (1, 1, "kept", 1), (1, 2, "dormant", 2), (2, 2, "new", 3),
    }  # fmt: skip
