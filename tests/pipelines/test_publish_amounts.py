"""Publishing sums, attacked: no amount that can be worked out is one person's, or nearly.

Whoever subtracts what is shown from a total gets the amount of what is hidden. Of it, as of every sum that is shown,
the largest contributor must give less than half, and the second largest must not be able to tell the largest one's
amount closer than p per cent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_publish import MONDAY, K, row

from headway.frameworks.values import SCHEMA
from headway_pipelines.publishing.suppression import suppress

P = 0.7
"""The p of the p % rule that the rule of effective contributors implies, rounded down: the root of 3, less 1."""


@dataclass(frozen=True)
class Payment:
    """What one person gave, once."""

    day: int
    channel: int
    amount: float


def chosen(payments: list[Payment], segment: str, period: str, start: date) -> list[float]:
    first, days = (start - MONDAY).days, 7 if period == "week" else 1
    return [
        each.amount
        for each in payments
        if first <= each.day < first + days and segment in ("all", f"channel=c{each.channel}")
    ]


def frame(payments: list[Payment]) -> pl.DataFrame:
    segments = ["all", *sorted({f"channel=c{each.channel}" for each in payments})]
    periods = [("day", MONDAY + timedelta(day)) for day in range(7)] + [("week", MONDAY)]
    rows = []
    for segment in segments:
        for period, start in periods:
            amounts = np.array(chosen(payments, segment, period, start))
            cell = row(segment, period, start, len(amounts), float(amounts.sum()), method="student t")
            squares = float((amounts**2).sum())
            cell |= {"estimate": "total", "denominator": None, "contributors": len(amounts)}
            rows.append(cell | {"effective": amounts.sum() ** 2 / squares if squares else None})
    return pl.DataFrame(rows, schema=SCHEMA)


def told(payments: list[Payment], published: pl.DataFrame) -> Iterator[list[float]]:
    """The amounts behind every sum that is shown, or is left when what is shown is subtracted from its total."""
    cells = published.filter(~pl.col("suppressed")).select("segment", "period", "period_start").rows()
    shown = {cell: chosen(payments, *cell) for cell in cells}
    yield from shown.values()
    every = [tuple(cell) for cell in published.select("segment", "period", "period_start").rows()]
    for total, amounts in shown.items():
        segment, period, start = total
        lines = [[c for c in every if c[1] == "day" and c[0] == segment]] if period == "week" else []
        if segment == "all":
            lines.append([c for c in every if c[1:] == (period, start) and c[0] != "all"])
        for line in lines:
            left = sorted(amounts)
            for cell in line:
                for amount in shown.get(cell, ()):
                    left.remove(amount)
            yield left


def dominated(amounts: list[float]) -> bool:
    """Whether a sum is one person's by half, or tells the second largest the largest one's amount by p per cent."""
    largest, _, *others = [*sorted((abs(each) for each in amounts), reverse=True), 0.0, 0.0]
    return largest > 0 and (2 * largest >= sum(map(abs, amounts)) or sum(others) < P * largest)


payments = st.lists(
    st.builds(
        Payment,
        day=st.integers(0, 6),
        channel=st.integers(0, 3),
        amount=st.sampled_from([5.0, 9.0, 10.0, 40.0, 700.0, 2000.0]),
    ),
    min_size=40,
    max_size=200,
)


@settings(max_examples=200 if os.environ.get("HEADWAY_FULL") else 25)
@given(payments=payments)
def test_no_sum_that_can_be_worked_out_is_one_person_s(payments: list[Payment]) -> None:
    published = suppress("metric_values", frame(payments))
    for amounts in told(payments, published):
        assert not dominated(amounts)
        assert not 1 <= len(amounts) < K


def world(seed: int) -> list[Payment]:
    rng = np.random.default_rng(seed)
    sizes = rng.choice([4, 15, 40], size=4)
    found = [
        Payment(int(day), channel, float(rng.choice([10.0, 12.0, 30.0])))
        for channel, size in enumerate(sizes)
        for day in rng.integers(0, 7, size=size * 7)
    ]
    # One who gives much, among few.
    return [*found, Payment(int(rng.integers(0, 7)), int(np.argmin(sizes)), 5000.0)]


@pytest.mark.parametrize("seed", range(4))
def test_the_attack_finds_whom_a_threshold_of_people_alone_gives_away(seed: int) -> None:
    payments = world(seed)
    published = suppress("metric_values", frame(payments))
    assert not [amounts for amounts in told(payments, published) if dominated(amounts)]
    without = suppress("metric_values", frame(payments).with_columns(effective=pl.lit(None, pl.Float64)))
    assert [amounts for amounts in told(payments, without) if dominated(amounts)]


def test_by_hand_who_gives_much_is_hidden_beside_those_who_give_enough() -> None:
    # 12 people of a give 10 each and one 400; 25 of b give 10 each, 60 of c 20 each: of the 770 of a and b together
    # 400 are one person's, more than half.
    def people(channel: int, number: int, amount: float) -> list[Payment]:
        return [Payment(0, channel, amount)] * number

    everybody = [*people(0, 12, 10), *people(0, 1, 400), *people(1, 25, 10), *people(2, 60, 20)]
    week = suppress("metric_values", frame(everybody)).filter(period="week")
    assert dict(week.select("segment", "suppressed").iter_rows()) == {
        "all": False, "channel=c0": True, "channel=c1": True, "channel=c2": True,
    }  # fmt: skip
    more = [*everybody, *people(1, 20, 10)]
    week = suppress("metric_values", frame(more)).filter(period="week")
    assert week.filter(segment="channel=c2")["suppressed"].to_list() == [False]


def test_the_rule_of_effective_contributors_is_stricter_than_both_others() -> None:
    """Shares a and b of the two largest with the fewest others: a² + b² < 1/4."""
    a = np.linspace(0.01, 0.5, 500)[:, None]
    b = a * np.linspace(0, 1, 500)[None, :]
    allowed = a**2 + b**2 < 0.25
    others = np.where(allowed, (1 - a - b) / a, np.inf)
    assert others.min() == pytest.approx(np.sqrt(3) - 1, abs=2e-3)
