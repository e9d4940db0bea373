"""Metrics about people against a second implementation in plain Python, on generated histories."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from metric_cells import check
from metric_generated import DENSE, SCENES, generate
from metric_worlds import make_product

# Every scene comes up once in a normal run.
SEEDS = range(90 if os.environ.get("HEADWAY_FULL") else len(SCENES))

RETURNED = {"kind": "retention", "start": "A", "returning": ["B", "D"], "after": "1h", "within": "24h"}
METRICS: Mapping[str, Mapping[str, object]] = {
    "arrivals": {"kind": "new_people", "unit": "people"},
    "both": {"kind": "share", "of": "A", "did": {"event": ["B", "A"], "where": "amount > 1"}},
    "converted": {"kind": "conversion", "start": "A", "reach": "B", "within": "24h"},
    "repeated": {"kind": "conversion", "start": ["A", "B"], "reach": ["B", "C"], "within": "2h"},
    "in_order": {"kind": "conversion", "start": "A", "through": ["B"], "reach": ["C", "D"], "within": "24h"},
    "all_in_order": {
        "kind": "conversion", "start": ["A", "C"], "through": ["B"], "reach": {"event": "D", "where": "amount < 2"},
        "within": "9d",
    },
    "one_by_one": {"kind": "conversion", "start": "A", "through": ["C", "B"], "reach": "D", "within": "30d"},
    "returned": {"kind": "retention", "start": "A", "returning": "B", "after": "1h", "within": "23h"},
    "returned_at_once": {
        "kind": "retention", "start": "A", "returning": ["A", "C"], "after": "0h", "within": "2h"
    },
    "answered": {**RETURNED, "answered": {"by": "C", "key": "key", "within": "2h"}},
    "answered_late": {**RETURNED, "answered": {"by": "C", "key": "key", "within": "2h", "in_time": False}},
    "worked": {**RETURNED, "answered": {"by": ["B", "C"], "within": "1h", "hours": "business"}},
    "spent": {"kind": "mean", "of": ["A", "B"], "event": "B", "measure": "sum", "value": "amount", "unit": "EUR"},
    "times": {"kind": "mean", "of": "A", "event": ["A", "C"], "measure": "count", "unit": "events"},
    "days": {"kind": "mean", "of": ["A", "C"], "event": "A", "measure": "days", "unit": "days"},
    "happy": {"kind": "nps", "event": "C", "score": "score", "unit": "points"},
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_metrics_about_people_equal_the_second_implementation(seed: int) -> None:
    # People are histories of their own: many of them in one log find as much as many logs, in less time.
    world = generate(seed, people=24, rows=170, hours=DENSE)
    check(world, make_product(world, METRICS))
