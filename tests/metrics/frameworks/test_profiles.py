"""Profiles: all labels of a person at once, as one number that instants can be stamped with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from metric_cells import check
from metric_generated import DENSE, generate
from metric_worlds import make_product

import headway.frameworks.profiles

PEOPLE = {"event": "A", "measure": "people"}
METRICS: Mapping[str, Mapping[str, object]] = {
    "doers": {"kind": "count", "of": PEOPLE, "unit": "people"},
    "share": {"kind": "share", "of": ["A", "C"], "did": "B"},
    "back": {"kind": "lifecycle", "of": ["A", "C"], "part": "resurrected"},
    "sticky": {"kind": "stickiness", "of": "A"},
    "days": {
        "kind": "ratio",
        "numerator": {"event": "C", "measure": "days"},
        "denominator": "A",
        "unit": "x",
    },
}


@pytest.mark.parametrize("room", [headway.frameworks.profiles._ROOM, 0])
def test_values_are_the_same_whether_instants_have_room_for_a_profile_or_not(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headway.frameworks.profiles, "_ROOM", room)
    world = generate(7, hours=DENSE, people=12, rows=100)
    check(world, make_product(world, METRICS))
