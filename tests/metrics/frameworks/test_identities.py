"""What must add up: found among the declared metrics, and missed when a cell is off by one."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from headway.frameworks.identities import broken_identities, identities
from headway.frameworks.values import SCHEMA
from headway.models.product import Product

COMMON = {"framework": "aarrr", "stage": "retention", "title": "T", "unit": "people"}
ACTIVE = {"event": ["A"]}


def product(**metrics: dict[str, Any]) -> Product:
    return Product.model_validate(
        {
            "name": "Shop",
            "timezone": "UTC",
            "currency": "EUR",
            "activity": ACTIVE,
            "metrics": {name: COMMON | each for name, each in metrics.items()},
        }
    )


def lifecycle(*parts: str) -> dict[str, dict[str, Any]]:
    return {part: {"kind": "lifecycle", "of": ACTIVE, "part": part} for part in parts}


def bridge(*parts: str) -> dict[str, dict[str, Any]]:
    same = {"kind": "mrr", "event": {"event": ["P"]}, "value": "v", "ends": {"event": ["E"]}, "unit": "EUR"}
    return {part: {**same, "part": part} for part in parts}


def outcomes(*ways: str) -> dict[str, dict[str, Any]]:
    same = {
        "kind": "task",
        "start": {"event": ["S"]},
        "success": {"event": ["O"]},
        "failure": {"event": ["F"]},
    }
    return {way: {**same, "within": "1h", "unit": "percent", "outcome": way} for way in ways}


def values(
    *rows: tuple[str, int, float | None], segment: str = "all", of: float | None = None
) -> pl.DataFrame:
    """Metric, month of 2026 and value; of a share its numerator."""
    return pl.DataFrame(
        [
            {
                "metric": metric,
                "segment": segment,
                "period": "month",
                "period_start": date(2026, month, 1),
                "value": value,
                "numerator": value,
                "denominator": of,
            }
            for metric, month, value in rows
        ],
        schema={name: SCHEMA[name] for name in SCHEMA},
    )


PARTS = ("opening", "new", "reactivation", "expansion", "contraction", "churned", "closing")
MARCH = dict(zip(PARTS, (100.0, 20.0, 5.0, 10.0, 8.0, 7.0, 120.0), strict=True))


@pytest.mark.parametrize(
    ("metrics", "names"),
    [
        (bridge("opening", "new"), []),
        (bridge("opening", "closing"), ["recurring revenue from month to month"]),
        (bridge(*PARTS), ["the bridge of recurring revenue", "recurring revenue from month to month"]),
        (lifecycle("new", "returning"), []),
        (lifecycle("new", "returning", "resurrected", "dormant"), ["active people stay or leave"]),
        (
            lifecycle("new", "returning", "resurrected")
            | {"people": {"kind": "count", "of": {"event": ACTIVE, "measure": "people"}}}
            | {"others": {"kind": "count", "of": {"event": {"event": ["B"]}, "measure": "people"}}},
            ["active people are new or were here before"],
        ),
        (outcomes("success", "failure"), []),
        (outcomes("success", "failure", "abandoned"), ["attempts end one way"]),
    ],
)
def test_what_must_add_up_depends_on_what_is_declared(
    metrics: dict[str, dict[str, Any]], names: list[str]
) -> None:
    assert [each.name for each in identities(product(**metrics))] == names


def test_how_a_part_is_shown_and_judged_does_not_matter() -> None:
    metrics = outcomes("success", "failure", "abandoned")
    metrics["failure"] |= {"title": "Other", "direction": "down", "limit": 0.1, "grains": ["week"]}
    assert [each.name for each in identities(product(**metrics))] == ["attempts end one way"]


def test_parts_of_different_definitions_are_no_family() -> None:
    metrics = bridge(*PARTS)
    metrics["new"] |= {"value": "w"}
    assert [each.name for each in identities(product(**metrics))] == ["recurring revenue from month to month"]


def test_a_bridge_that_adds_up_is_fine_and_a_cent_less_is_not() -> None:
    declared = product(**bridge(*PARTS))
    rows = [(part, 3, value) for part, value in MARCH.items()]
    assert broken_identities(declared, values(*rows)) == []
    off = [(part, month, value - 0.01 * (part == "expansion")) for part, month, value in rows]
    (told,) = broken_identities(declared, values(*off, segment="plan=pro"))
    assert told == (
        "the bridge of recurring revenue (opening, new, reactivation, expansion, contraction, churned, closing): "
        "1 cells do not add up, the first in the month of 2026-03-01"
    )


def test_what_closes_a_month_opens_the_next() -> None:
    declared = product(**bridge("opening", "closing"))
    good = [("opening", 3, 0.0), ("closing", 3, 9.0), ("opening", 4, 9.0), ("closing", 4, 9.0)]
    assert broken_identities(declared, values(*good)) == []
    bad = [*good[:2], ("opening", 4, 8.0), good[3]]
    assert len(broken_identities(declared, values(*bad))) == 1
    # somebody may have another plan by then
    assert broken_identities(declared, values(*bad, segment="plan=pro")) == []
    assert len(broken_identities(declared, values(*bad, segment="channel=paid"))) == 1


def test_who_was_active_returns_or_is_dormant() -> None:
    declared = product(**lifecycle("new", "returning", "resurrected", "dormant"))
    rows = [
        *[("new", 3, 4.0), ("returning", 3, 0.0), ("resurrected", 3, 0.0), ("dormant", 3, 0.0)],
        *[("new", 4, 1.0), ("returning", 4, 3.0), ("resurrected", 4, 0.0), ("dormant", 4, 1.0)],
    ]
    assert broken_identities(declared, values(*rows)) == []
    assert len(broken_identities(declared, values(*rows[:-1], ("dormant", 4, 2.0)))) == 1


def test_attempts_end_one_way() -> None:
    declared = product(**outcomes("success", "failure", "abandoned"))
    rows = [("success", 3, 7.0), ("failure", 3, 2.0), ("abandoned", 3, 1.0)]
    assert broken_identities(declared, values(*rows, of=10.0)) == []
    assert len(broken_identities(declared, values(*rows, of=11.0))) == 1
    # a cell without attempts has nothing to add up
    assert broken_identities(declared, values(*[(name, 3, None) for name, _, _ in rows], of=None)) == []
