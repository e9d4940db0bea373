"""Metrics of all other kinds against a second implementation in plain Python, on generated histories.

Values, sums, people, intervals, completeness and what was left out must agree, in every kind of period and segment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import pytest
from metric_cells import check
from metric_composed import check_composed
from metric_generated import DENSE, MONTHS, generate
from metric_worlds import HOUR, Book, make_product

SEEDS = range(40 if os.environ.get("HEADWAY_FULL") else 2)

Metrics = Mapping[str, Mapping[str, object]]

MONEY = {"event": "A", "measure": "sum", "value": "amount", "currency": "currency", "minus": "B"}
KEPT = {**MONEY, "negative": "keep", "minus": {"event": "B", "where": "score > 5"}}
BACK = {"event": "B", "measure": "sum", "value": "amount", "currency": "currency"}

PAYERS = {"event": "A", "measure": "people"}
DAYS = {"event": ["A", "B"], "measure": "days"}

COUNTS: Metrics = {
    "events": {"kind": "count", "of": {"event": ["A", "B"], "where": "amount > 1"}, "unit": "events"},
    "doers": {"kind": "count", "of": PAYERS, "unit": "people"},
    "revenue": {"kind": "count", "of": MONEY, "unit": "EUR"},
    "revenue_kept": {"kind": "count", "of": KEPT, "unit": "EUR"},
    "product": {"kind": "count", "of": {"event": ["A", "C"], "measure": "sum", "value": "amount * score"}, "unit": "x"},
}  # fmt: skip

RATIOS: Metrics = {
    "per_payer": {"kind": "ratio", "numerator": MONEY, "denominator": PAYERS, "unit": "EUR"},
    "a_day": {"kind": "ratio", "numerator": ["A", "C"], "denominator": DAYS, "unit": "x"},
    "days": {"kind": "ratio", "numerator": {"event": "C", "measure": "days"}, "denominator": "A", "unit": "x"},
    "failed": {"kind": "ratio", "numerator": {"event": "A", "where": "amount > 1"}, "denominator": "A"},
    "refunded": {"kind": "ratio", "numerator": BACK, "denominator": MONEY},
    "people": {
        "kind": "ratio", "numerator": {"event": "B", "measure": "people"},
        "denominator": {"event": "C", "measure": "people"},
    },
}  # fmt: skip

QUANTILES: Metrics = {
    "median": {"kind": "quantile", "event": "A", "value": "amount", "unit": "x"},
    "p95": {"kind": "quantile", "event": ["A", "C"], "value": "score", "percentile": 95, "unit": "x"},
    "low": {
        "kind": "quantile", "event": {"event": "A", "where": "score > 5"}, "value": "amount", "percentile": 12.5,
        "unit": "x",
    },
}  # fmt: skip

EVERY = {"kind": "duration", "each": "every"}
WORKED = {"kind": "duration", "hours": "business"}

DURATIONS: Metrics = {
    "keyed": {"kind": "duration", "start": "A", "end": "B", "key": "key", "unit": "hours"},
    "every": {**EVERY, "start": "A", "end": ["B", "C"], "key": "key", "percentile": 90, "unit": "seconds"},
    "own": {**EVERY, "start": "A", "end": "B", "percentile": 25, "unit": "days", "mature": "2h"},
    "visits": {**EVERY, "start": ["A", "B"], "end": ["B", "C"], "unit": "days"},
    "worked": {**WORKED, "start": "A", "end": "B", "key": "key", "each": "every", "unit": "minutes"},
    "own_worked": {**WORKED, "start": "A", "end": ["C", "D"], "percentile": 75, "unit": "hours"},
    "in_time": {"kind": "duration", "start": "A", "end": "B", "within": "24h", "unit": "hours"},
    "any_in_time": {
        "kind": "duration",
        "start": ["A", "C"],
        "end": ["B", "C", "D"],
        "within": "9d",
        "unit": "days",
    },
    "keyed_in_time": {
        "kind": "duration",
        "start": "A",
        "end": ["B", "C"],
        "key": "key",
        "within": "2h",
        "percentile": 25,
        "unit": "minutes",
    },
    "every_in_time": {
        **EVERY,
        "start": "A",
        "end": "B",
        "within": "24h",
        "percentile": 40,
        "unit": "seconds",
    },
}

LIFECYCLE: Metrics = {
    part: {"kind": "lifecycle", "of": ["A", "C"], "part": part}
    for part in ("new", "returning", "resurrected", "dormant", "churn", "quick_ratio")
}

COHORTS: Metrics = {
    "sticky": {"kind": "stickiness", "of": ["A", "C"]},
    "value": {"kind": "cohort_amount", "start": "A", "of": MONEY, "within": "24h", "unit": "EUR"},
    "events": {"kind": "cohort_amount", "start": ["A", "B", "C", "D"], "of": "A", "within": "24h", "unit": "events"},
    **{
        part: {
            "kind": "referral", "start": ["A", "C"], "sent": "A", "accepted": "B", "key": "key", "part": part,
            "within": within, "unit": "x",
        }
        for part, within in (("k", "24h"), ("sent", "9d"), ("acceptance", "30d"))
    },
}  # fmt: skip

PARTS = (
    "opening", "new", "reactivation", "expansion", "contraction", "churned", "closing",
    "net_retention", "gross_retention",
)  # fmt: skip
RECURRING: Metrics = {
    **{
        part: {"kind": "mrr", "event": "A", "value": "amount", "ends": "B", "part": part, "unit": "EUR"}
        for part in PARTS
    },
    **{
        f"own_{part}": {
            "kind": "mrr", "event": ["A", "C"], "value": "amount", "ends": "D", "part": part, "unit": "EUR",
            "account": None,
        }
        for part in ("reactivation", "closing")
    },
}  # fmt: skip

ANSWERS: Metrics = {
    "csat": {"kind": "survey", "event": "C", "score": "score", "scale": [1, 5], "top": 4},
    "ces": {
        "kind": "survey",
        "event": ["A", "C"],
        "score": "score",
        "scale": [1, 7],
        "measure": "mean",
        "unit": "x",
    },
    "nps": {"kind": "nps", "event": ["B", "C"], "score": "score", "unit": "points"},
}

TASKS: Metrics = {
    f"{outcome}_{attempts}_{key or 'own'}": {
        "kind": "task", "start": "A", "success": "B", "failure": "C", "outcome": outcome, "attempts": attempts,
        "within": "2h", **({"key": key} if key else {}),
    }
    for outcome, attempts, key in (
        ("success", "every", "key"), ("failure", "every", "key"), ("abandoned", "every", "key"),
        ("success", "first", "key"), ("abandoned", "first", "key"),
        ("success", "every", None), ("failure", "first", None), ("abandoned", "every", None),
    )
}  # fmt: skip

TIMES: Metrics = {
    "time": {
        "kind": "time_on_task", "start": "A", "success": "B", "failure": "C", "key": "key", "within": "1h",
        "unit": "hours",
    },
    "own_time": {
        "kind": "time_on_task", "start": ["A", "C"], "success": ["B", "D"], "within": "24h", "percentile": 90,
        "unit": "minutes",
    },
    "trimmed": {
        "kind": "time_on_task", "start": ["A", "D"], "success": "B", "failure": "C", "within": "24h", "trim": 0.2,
        "unit": "seconds",
    },
    "fine": {
        "kind": "crash_free", "of": ["A", "B"], "failure": {"event": ["A", "C"], "where": "amount > 1"}, "idle": "1h",
    },
    "calm": {"kind": "crash_free", "of": ["A", "C"], "failure": "D", "idle": "24h"},
}  # fmt: skip

SAID = {"event": "C", "score": "score", "shown": ["A", "B"], "weighted": True}
WEIGHTED: Metrics = {
    "csat": {**SAID, "kind": "survey", "scale": [1, 5], "top": 4},
    "ces": {**SAID, "kind": "survey", "event": ["A", "C"], "scale": [1, 7], "measure": "mean", "unit": "x"},
    "nps": {**SAID, "kind": "nps", "event": ["C", "D"], "shown": "A", "unit": "points"},
}

MADE: Metrics = {
    "new": {"kind": "new_people", "unit": "people"},
    "doers": {"kind": "count", "of": PAYERS, "unit": "people", "grains": ["day", "week", "month"]},
    "events": {"kind": "count", "of": ["A", "C"], "unit": "events"},
    "revenue": {"kind": "count", "of": MONEY, "unit": "EUR"},
    "each": {"kind": "ratio", "numerator": MONEY, "denominator": PAYERS, "unit": "EUR"},
    "median": {"kind": "quantile", "event": "A", "value": "amount", "unit": "x"},
    "converted": {"kind": "conversion", "start": "A", "reach": "B", "within": "24h"},
    "price": {"kind": "cost_per", "per": "new", "unit": "EUR"},
    "price_of_doer": {"kind": "cost_per", "per": "doers", "unit": "EUR", "grains": ["week", "month"]},
    "made": {"kind": "formula", "expression": "revenue / new - each * 2", "unit": "EUR"},
    "share": {"kind": "formula", "expression": "(events - doers) / (events + 1)", "unit": "x"},
    "of_shares": {"kind": "formula", "expression": "100 * converted / share", "unit": "x"},
    "of_prices": {"kind": "formula", "expression": "each / price", "unit": "x"},
    "ungrouped": {"kind": "formula", "expression": "median * 2 + events", "unit": "x"},
}

SO_FAR: Metrics = {
    "events": {"kind": "cumulative", "of": {"event": ["A", "B"], "where": "amount > 1"}, "since": "year", "unit": "x"},
    "people": {"kind": "cumulative", "of": PAYERS, "since": "month", "unit": "people"},
    "people_in_quarters": {
        "kind": "cumulative", "of": {"event": ["A", "C"], "measure": "people"}, "since": "quarter", "unit": "people",
    },
    "people_since": {"kind": "cumulative", "of": PAYERS, "since": "2026-03-09", "unit": "people"},
    "revenue": {"kind": "cumulative", "of": MONEY, "since": "month", "unit": "EUR"},
    "revenue_kept": {"kind": "cumulative", "of": KEPT, "since": "2026-01-02", "unit": "EUR"},
}  # fmt: skip

FAMILIES: Mapping[str, Metrics] = {
    "counts": COUNTS, "ratios": RATIOS, "quantiles": QUANTILES, "durations": DURATIONS, "lifecycle": LIFECYCLE,
    "cohorts": COHORTS, "recurring": RECURRING, "answers": ANSWERS, "tasks": TASKS,
    "so_far": SO_FAR, "times": TIMES, "weighted": WEIGHTED, "made": MADE,
}  # fmt: skip

# Invitations need many keys to be somebody's, and people several accounts; quantiles take long.
SIZES: Mapping[str, Mapping[str, int]] = {
    "cohorts": {"people": 24, "rows": 240, "keys": 50},
    "recurring": {"accounts": 9},
    "quantiles": {"rows": 70},
    "times": {"rows": 300},
    "made": {"rows": 80},
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_equals_the_second_implementation(family: str, seed: int) -> None:
    # Every family has its own scenes: the number of the family moves them on.
    number = list(FAMILIES).index(family) * 2 + seed * 5
    size = {"people": 14, "rows": 120, **SIZES.get(family, {})}
    # What is made of other metrics takes long to make anew for every group of people: fewer periods will do.
    made = family == "made"
    world = generate(number, hours=MONTHS if seed % 2 and not made else DENSE, **size)
    more = {"grains": ["day", "week", "month"]} if made else {}
    if made and seed % 2:
        # Then periods are complete as far as spend is told.
        world = replace(world, horizon=world.horizon + 60 * 24 * HOUR)
    product = make_product(world, FAMILIES[family], **more)
    check_composed(check(world, product), product, Book(world))
