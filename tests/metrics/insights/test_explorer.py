"""The event explorer against a naive count, by hand, and where there is nothing to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway.log import EventLog

UTC = ZoneInfo("UTC")
# Clocks in Berlin go forward on 29 March 2026.
START = datetime(2026, 3, 27, 20)
SCHEMA: dict[str, Any] = {
    "person": pl.String,
    "event": pl.String,
    "occurred_at": pl.Datetime("us"),
    "plan": pl.String,
    "n": pl.Int64,
}
Row = tuple[str, str, datetime, str | None, int | None]


def make_log(rows: list[Row], **options: Any) -> EventLog:
    return EventLog(pl.DataFrame(rows, schema=SCHEMA, orient="row"), **options)


@settings(max_examples=12, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["Visit", 'It\'s; "odd"']),
            st.integers(0, 90).map(lambda hours: START + timedelta(hours=hours)),
            st.sampled_from(["pro", "free", "", None]),
            st.sampled_from([1, 2, 10, None]),
        ),
        min_size=1,
        max_size=30,
    ),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
)
def test_equals_a_naive_count(rows: list[Row], zone: str) -> None:
    with make_log(rows, timezone=zone) as log:
        found = log.explore(top=2)
        frame, properties, values = found.frame, found.properties, found.values
    local = [row[2].replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) for row in rows]
    days = [
        min(local).date() + timedelta(days=n) for n in range((max(local).date() - min(local).date()).days + 1)
    ]
    overview, filled, ranked = [], [], []
    for event in sorted({row[1] for row in rows}):
        own = [(row, at) for row, at in zip(rows, local, strict=True) if row[1] == event]
        times = [at for _, at in own]
        on = Counter(at.date() for at in times)
        people = len({row[0] for row, _ in own})
        overview.append((event, len(own), people, min(times), max(times), [on[day] for day in days]))
        for name, place in (("plan", 3), ("n", 4)):
            told = [(row[0], row[place]) for row, _ in own if row[place] is not None]
            if not told:
                continue
            groups = [
                (len({p for p, v in told if v == value}), sum(v == value for _, v in told), str(value))
                for value in {v for _, v in told}
            ]
            kind = "VARCHAR" if name == "plan" else "BIGINT"
            filled.append((event, name, kind, len(own), len(told), len(told) / len(own), len(groups)))
            best = sorted(groups, key=lambda group: (-group[0], -group[1], group[2]))[:2]
            ranked += [(event, name, rank, v, e, p) for rank, (p, e, v) in enumerate(best, start=1)]
    assert frame.rows() == overview
    assert properties.rows() == filled
    assert values.rows() == ranked


def rows_by_hand() -> list[Row]:
    return [
        ("ann", "Visit", START, "pro", 1),
        ("bob", "Visit", START + timedelta(days=2), None, 1),
        ("ann", "Pay", START, "x", None),
    ]


def test_looks_at_what_it_is_asked_for() -> None:
    told = pl.DataFrame({"person": ["ann"], "valid_from": [datetime(2020, 1, 1)], "country": ["DE"]})
    with make_log(rows_by_hand(), person_properties=told) as log:
        found = log.explore(
            event="Visit", properties=["person.country", "n"], since="2026-03-27", until="2026-03-30"
        )
        assert found.frame.select("event", "events", "people", "per_day").rows() == [
            ("Visit", 2, 2, [1, 0, 1, 0])
        ]
        assert found.properties.select("property", "filled", "distinct_values").rows() == [
            ("person.country", 1, 1),
            ("n", 2, 1),
        ]
        assert found.values.rows() == [
            ("Visit", "person.country", 1, "DE", 1, 1),
            ("Visit", "n", 1, "1", 2, 2),
        ]
        assert set(log.explore().properties["property"]) == {"plan", "n"}
        assert log.explore(cohort=hw.Did("Pay")).frame["people"].to_list() == [1, 1]
        assert "Events of Visit by name" in found.describe()


def test_an_empty_log_holds_nothing() -> None:
    with make_log([]) as log:
        found = log.explore()
        assert (found.frame.height, found.properties.height, found.values.height) == (0, 0, 0)
        assert found.figure().layout.title.text == "Events"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda log: log.explore(event="Vist"), "Did you mean 'Visit'"),
        (lambda log: log.explore(properties=["pla"]), "Did you mean 'plan'"),
        (lambda log: log.explore(properties="plan"), "must be a list of names"),
        (lambda log: log.explore(top=0), "top must be"),
    ],
)
def test_refuses(make: Callable[[EventLog], object], message: str) -> None:
    with make_log(rows_by_hand()) as log, pytest.raises(hw.InputError, match=message):
        make(log)


def test_draws_the_most_common_first_and_no_markup() -> None:
    rows: list[Row] = [
        (f"p{i}", f"<b>e{n}</b>", START + timedelta(days=i), None, None)
        for n in range(40)
        for i in range(n + 1)
    ]
    with make_log(rows) as log:
        figure = log.explore().figure()
    bars, lines = figure.data[0], figure.data[1:]
    assert list(bars.x)[:2] == [40, 39] and len(bars.x) == len(lines) == 30
    assert "10 events with fewer people are not drawn" in figure.layout.title.subtitle.text
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;e39&lt;/b&gt;"
    assert list(lines[0].customdata) == [1] * 40
