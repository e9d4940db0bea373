"""Durations up to a horizon, and conversions through steps: by hand, and against loops that try every way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from metric_cells import check
from metric_worlds import HOUR, Row, World, make_product

from headway.engine import connect
from headway.frameworks import measure
from headway.models.metrics import Conversion, Duration
from headway.models.product import Product

EXAMPLES = 300 if os.environ.get("HEADWAY_FULL") else 12
COMMON = {"framework": "aarrr", "stage": "activation", "title": "A title", "unit": "hours"}
MARCH = date(2026, 3, 1)

Happened = tuple[int, str, str]
"""Person, event, time."""


def cell(rows: Sequence[Happened], horizon: str = "2027-01-01", **metric: Any) -> dict[str, Any]:
    """Everybody's cell of March."""
    con = connect()
    con.execute(
        "CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, line INTEGER, key VARCHAR)"
    )
    for line, (person, event, at) in enumerate(rows):
        name, _, key = event.partition(" of ")
        con.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)", [str(UUID(int=person)), name, at, line, key or None]
        )
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    product = Product.model_validate(
        {
            "name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "A", "grains": ["month"],
            "metrics": {"m": {**COMMON, **metric}},
        }
    )  # fmt: skip
    try:
        found = measure(
            con,
            product,
            horizon=datetime.fromisoformat(horizon),
            as_of=datetime(2027, 1, 1),
            code_version="test",
        ).values
    finally:
        con.close()
    return found.filter(segment="all", period_start=MARCH).row(0, named=True)


# --- The time to something, up to a horizon. ---

TO_VALUE: dict[str, Any] = {"kind": "duration", "start": "Join", "end": "Value", "within": "48h"}
JOINED: list[Happened] = [
    (1, "Join", "2026-03-02 10:00"),
    (1, "Value", "2026-03-02 13:00"),  # 3 hours
    (2, "Join", "2026-03-02 10:00"),
    (2, "Value", "2026-03-04 10:00"),  # exactly 48 hours
    (3, "Join", "2026-03-02 10:00"),
    (3, "Value", "2026-03-04 10:00:00.000001"),  # too late by a microsecond
    (3, "Value", "2026-03-05 10:00"),
    (4, "Join", "2026-03-02 10:00"),  # never
]


def test_half_of_the_people_get_there_in_time() -> None:
    row = cell(JOINED, **TO_VALUE)
    # After 3 hours a quarter is there, after 48 a half; one comes too late and one never.
    assert (row["value"], row["denominator"], row["people"]) == (48, 4, 4)
    # The two who are there make the number; those who are not have lasted longer, not as long.
    assert row["contributors"] == 2
    assert cell(JOINED, percentile=25, **TO_VALUE)["value"] == 3
    # Without a horizon who is late counts with the time it took: three quarters get there.
    late = cell(JOINED, percentile=75, **{**TO_VALUE, "within": None})
    assert late["value"] == pytest.approx(48 + 1e-6 / 3600, rel=1e-15)


def test_who_gets_there_too_late_makes_the_share_too_small_for_good() -> None:
    row = cell(JOINED, percentile=75, **TO_VALUE)
    assert (row["value"], row["reason"], row["complete"]) == (None, "too few were over in time", True)
    # On the evening of the second day nobody has missed the horizon yet.
    known = [row for row in JOINED if row[2] < "2026-03-04"]
    early = cell(known, horizon="2026-03-04", percentile=75, **TO_VALUE)
    assert (early["value"], early["reason"]) == (None, "too many are not over yet")


def test_the_reason_says_whether_those_who_go_on_could_still_make_up_the_share() -> None:
    rows: list[Happened] = [
        (1, "Join", "2026-03-02"),
        (2, "Join", "2026-03-02"),
        (3, "Join", "2026-03-05"),
        (4, "Join", "2026-03-05"),
    ]
    # Two have missed it; the other two have a day left, and are half.
    asked = {**TO_VALUE, "percentile": 50}
    assert cell(rows, horizon="2026-03-06", **asked)["reason"] == "too many are not over yet"
    assert cell(rows, horizon="2026-03-06", **{**asked, "percentile": 51})["reason"] == (
        "too few were over in time"
    )


def test_a_value_is_complete_once_period_and_horizon_are_over() -> None:
    assert cell(JOINED, horizon="2026-04-02 23:59:59.999999", **TO_VALUE)["complete"] is False
    assert cell(JOINED, horizon="2026-04-03", **TO_VALUE)["complete"] is True


def test_nobody_s_first_time_counts_twice_and_a_horizon_begins_nothing_anew() -> None:
    rows: list[Happened] = [
        (1, "Join", "2026-03-01"),
        (1, "Join", "2026-03-20"),
        (1, "Value", "2026-03-20 01:00"),
        (2, "Join", "2026-03-01"),
        (2, "Value", "2026-03-01 05:00"),
        (2, "Join", "2026-03-20"),
        (2, "Value", "2026-03-20 07:00"),
    ]
    assert cell(rows, **TO_VALUE)["denominator"] == 2
    # The first of person 1 goes on until it ends, too late; another start meanwhile is within it. Person 2 has two.
    every = cell(rows, each="every", **TO_VALUE)
    assert (every["denominator"], every["value"]) == (3, 7)


def test_invitations_have_a_horizon_each() -> None:
    rows: list[Happened] = [
        (1, "Join of i1", "2026-03-01"),
        (1, "Join of i2", "2026-03-02"),
        (2, "Value of i1", "2026-03-02"),
        (3, "Value of i2", "2026-03-09"),
    ]
    assert cell(rows, key="key", **TO_VALUE)["value"] == 24
    assert cell(rows, key="key", percentile=60, **TO_VALUE)["reason"] == "too few were over in time"


# --- A conversion through steps. ---

BUYING: dict[str, Any] = {
    "kind": "conversion", "unit": "percent", "start": "See", "through": ["Add", "Pay"], "reach": "Get",
    "within": "24h",
}  # fmt: skip


def story(*steps: tuple[str, str]) -> list[Happened]:
    return [(1, event, at if at.startswith("2026") else f"2026-03-02 {at}") for event, at in steps]


@pytest.mark.parametrize(
    ("steps", "reached"),
    [
        ((("See", "10:00"), ("Add", "11:00"), ("Pay", "12:00"), ("Get", "13:00")), 1),
        # All was done, but not in this order.
        ((("See", "10:00"), ("Pay", "11:00"), ("Add", "12:00"), ("Get", "13:00")), 0),
        # A later payment comes after the cart, but the goal was before it.
        ((("See", "10:00"), ("Pay", "11:00"), ("Add", "12:00"), ("Get", "13:00"), ("Pay", "14:00")), 0),
        # What was done before the start is no step, however little time lies between.
        ((("Add", "09:59"), ("See", "10:00"), ("Pay", "12:00"), ("Get", "13:00")), 0),
        # At one instant any order counts.
        ((("Get", "10:00"), ("Pay", "10:00"), ("Add", "10:00"), ("See", "10:00")), 1),
        # The window is that of the first start, inclusive; it does not begin anew with another one.
        ((("See", "10:00"), ("Add", "11:00"), ("Pay", "12:00"), ("Get", "2026-03-03 10:00")), 1),
        ((("See", "10:00"), ("Add", "11:00"), ("Pay", "12:00"), ("Get", "2026-03-03 10:00:00.000001")), 0),
        ((("See", "10:00"), ("See", "11:00"), ("Add", "11:00"), ("Pay", "12:00"), ("Get", "2026-03-03 10:30")), 0),
        # Steps may be repeated; one that is left out may not.
        ((("See", "10:00"), ("Add", "11:00"), ("Add", "12:00"), ("Pay", "13:00"), ("Get", "14:00")), 1),
        ((("See", "10:00"), ("Add", "11:00"), ("Get", "12:00")), 0),
    ],
)  # fmt: skip
def test_steps_are_taken_in_order_and_in_time(steps: tuple[tuple[str, str], ...], reached: int) -> None:
    row = cell(story(*steps), **BUYING)
    assert (row["numerator"], row["denominator"], row["people"]) == (reached, 1, 1)


def test_everybody_who_starts_is_in_the_denominator_and_steps_are_one_s_own() -> None:
    rows: list[Happened] = [
        *story(("See", "10:00"), ("Add", "11:00"), ("Get", "13:00")),
        (2, "Pay", "2026-03-02 12:00"),  # of somebody who did not start
        (3, "See", "2026-03-02 10:00"),
        (4, "See", "2026-03-30 10:00"),
        (4, "Add", "2026-03-30 10:01"),
        (4, "Pay", "2026-03-30 10:02"),
        (4, "Get", "2026-03-30 10:03"),
    ]
    row = cell(rows, **BUYING)
    assert (row["numerator"], row["denominator"], row["interval_method"]) == (1, 3, "wilson")


# --- Against loops, on generated histories. ---

BASE = int(datetime(2026, 3, 28, 18, tzinfo=UTC).timestamp()) * 1_000_000

# Few people and instants, ends of windows among them, so that orders, ties and horizons meet.
rows = st.lists(
    st.builds(
        lambda person, event, hours, shift, key, score: (person, event, hours * HOUR + shift, key, score),
        st.integers(1, 3),
        st.sampled_from("ABCD"),
        st.sampled_from([0, 0, 1, 2, 24, 25, 48, 9 * 24]),
        st.sampled_from([0, 0, 0, 1, -1]),
        st.sampled_from([None, "k1", "k2"]),
        st.integers(0, 10),
    ),
    min_size=1,
    max_size=24,
)
METRICS: dict[str, dict[str, object]] = {
    "one": {"kind": "conversion", "start": "A", "through": ["B"], "reach": "C", "within": "24h"},
    "two": {"kind": "conversion", "start": "A", "through": ["C", "B"], "reach": "D", "within": "48h"},
    "some": {
        "kind": "conversion", "start": ["A", "B"], "through": [{"event": "C", "where": "score > 5"}], "reach": "D",
        "within": "9d",
    },
    "soon": {"kind": "duration", "start": "A", "end": "B", "within": "24h", "unit": "hours"},
    "again": {
        "kind": "duration", "start": "A", "end": ["A", "B"], "each": "every", "within": "48h", "unit": "days",
        "percentile": 30,
    },
    "keyed": {
        "kind": "duration", "start": ["A", "C"], "end": ["B", "D"], "key": "key", "within": "24h", "unit": "minutes",
    },
}  # fmt: skip


# Each example is a run of all metrics: one that fails is told as it is.
@settings(max_examples=EXAMPLES, phases=[Phase.generate])
@given(rows=rows, horizon=st.sampled_from([1, 24, 30, 48, 12 * 24, 60 * 24]))
def test_steps_and_horizons_are_those_of_loops_that_try_every_way(
    rows: list[tuple[int, str, int, str | None, int]], horizon: int
) -> None:
    world = World(
        rows=tuple(
            Row(person=person, event=event, us=BASE + us, line=0, tie=tie, key=key, score=score)
            for tie, (person, event, us, key, score) in enumerate(rows)
        ),
        channels={1: "email"},
        timezone="Europe/Berlin",
        horizon=BASE + horizon * HOUR,
    )
    check(world, make_product(world, METRICS, grains=["day", "week"]))


# --- Definitions. ---


def test_a_definition_says_what_the_horizon_and_the_steps_do() -> None:
    wait = Duration.model_validate({**COMMON, **TO_VALUE})
    assert wait.definition() == (
        "Time from 'Join' to the next 'Value' of the same person, in calendar time, by which 50 % of the intervals are "
        "over, taking the first interval of each that begins in the period, those still open as lasting at least "
        "until now and those not over within 48 hours (inclusive) as not over; a value is complete once the period "
        "and 2 days after it are over."
    )
    bought = Conversion.model_validate({**COMMON, **BUYING})
    assert bought.definition() == (
        "People who did 'Add' and then 'Pay' and then 'Get' after their first 'See', in this order, divided by people "
        "whose first 'See' ever falls in the period, within 24 hours of that first event (inclusive); a value is "
        "complete once the period and 1 day after it are over."
    )


def hashed(**metric: Any) -> str:
    head = {"name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "A"}
    return Product.model_validate({**head, "metrics": {"m": {**COMMON, **metric}}}).definition_hash("m")


def without(metric: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in metric.items() if field != name}


@pytest.mark.parametrize(
    ("metric", "name", "others"),
    [(TO_VALUE, "within", ["24h"]), (BUYING, "through", [["Pay", "Add"], ["Add"], ["Add", "Buy"]])],
)
def test_the_hash_follows_the_horizon_and_the_steps_and_their_order(
    metric: dict[str, Any], name: str, others: list[object]
) -> None:
    hashes = [hashed(**metric), *(hashed(**{**metric, name: other}) for other in others)]
    plain = hashed(**without(metric, name))
    assert len({*hashes, plain}) == len(hashes) + 1
    # Who declares neither keeps the hash there was before either could be declared.
    assert plain == hashed(**{**metric, name: None})
