"""What must add up whatever the log says: the bridge of recurring revenue, growth, attempts."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from metric_generated import DENSE, MONTHS, generate
from metric_worlds import compute, make_product

SEEDS = range(100 if os.environ.get("HEADWAY_FULL") else 4)

Cell = tuple[str, str, date]
BRIDGE = ("opening", "new", "reactivation", "expansion", "contraction", "churned", "closing")
SUBSCRIPTION = {"kind": "mrr", "event": "A", "value": "amount", "ends": "B", "unit": "EUR"}
ACTIVE = {"kind": "lifecycle", "of": "A", "unit": "people"}
ATTEMPT = {"kind": "task", "start": "A", "success": "B", "failure": "C", "key": "key", "within": "12h"}


def cells(seed: int, metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[Cell, dict[str, Any]]]:
    """Measures metrics in a generated world: rows by metric, segment and period."""
    world = generate(seed, people=14, rows=120, hours=DENSE if seed % 2 else MONTHS)
    found: dict[str, dict[Cell, dict[str, Any]]] = defaultdict(dict)
    for row in compute(world, make_product(world, metrics)).values.iter_rows(named=True):
        found[row["metric"]][row["segment"], row["period"], row["period_start"]] = row
    return found


def successions(found: Mapping[Cell, Any]) -> Iterator[tuple[Cell, Cell]]:
    """Goes through cells and the next of the same segment and kind of period."""
    for one, two in pairwise(sorted(found)):
        if one[:2] == two[:2]:
            yield one, two


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bridge_adds_up_in_every_segment_and_from_month_to_month(seed: int) -> None:
    found = cells(seed, {part: {**SUBSCRIPTION, "part": part} for part in BRIDGE})
    value = {part: {cell: row["value"] for cell, row in rows.items()} for part, rows in found.items()}
    assert any(value["closing"].values())
    for cell in value["opening"]:
        came = sum(value[part][cell] for part in ("opening", "new", "reactivation", "expansion"))
        went = value["contraction"][cell] + value["churned"][cell]
        assert came - went == pytest.approx(value["closing"][cell], abs=1e-6)
    for before, after in successions(value["opening"]):
        assert value["opening"][after] == pytest.approx(value["closing"][before], abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_active_is_new_returning_or_resurrected_and_goes_on_or_goes(seed: int) -> None:
    parts = ("new", "returning", "resurrected", "dormant")
    found = cells(
        seed,
        {
            **{part: {**ACTIVE, "part": part} for part in parts},
            "churn": {**ACTIVE, "part": "churn"},
            "active": {
                "kind": "count", "of": {"event": "A", "measure": "people"}, "unit": "people",
                "grains": ["day", "week", "month"],
            },
        },
    )  # fmt: skip
    people = {part: {cell: row["people"] for cell, row in rows.items()} for part, rows in found.items()}
    for cell, active in people["active"].items():
        assert active == sum(people[part][cell] for part in ("new", "returning", "resurrected"))
    for before, after in successions(people["active"]):
        # A segment is left by those whose label has changed, so that this is said of everybody, and of first touches.
        if before[0] == "all" or before[0].startswith("channel="):
            assert people["active"][before] == people["returning"][after] + people["dormant"][after]
            assert people["active"][before] == people["churn"][after]
    assert sum(people["new"].values()) > 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("attempts", ["every", "first"])
def test_attempts_succeed_fail_or_are_abandoned(seed: int, attempts: str) -> None:
    outcomes = ("success", "failure", "abandoned")
    found = cells(
        seed,
        {each: {**ATTEMPT, "outcome": each, "attempts": attempts, "unit": "percent"} for each in outcomes},
    )
    for cell, row in found["success"].items():
        assert len({found[each][cell]["denominator"] for each in outcomes}) == 1
        assert sum(found[each][cell]["numerator"] for each in outcomes) == row["denominator"]
        if row["denominator"]:
            assert sum(found[each][cell]["value"] for each in outcomes) == pytest.approx(1)
