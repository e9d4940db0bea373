"""What metrics share while they are computed together must not show in any of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from headway.engine import connect
from headway.frameworks import metric_values
from headway.models.product import Product

PEOPLE = 70
Row = tuple[int, str, str, float | None]
"""Person, event, time, amount."""
PLACE = {"framework": "aarrr", "stage": "revenue", "title": "A title"}


def monthly(rows: list[Row], metrics: dict[str, Any]) -> dict[str, float | None]:
    """Everybody's value of March 2026 by metric."""
    con = connect()
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    con.execute("CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, amount DOUBLE)")
    con.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?)",
        [[str(UUID(int=person)), event, at, amount] for person, event, at, amount in rows],
    )
    product = Product.model_validate(
        {
            "name": "Toy",
            "timezone": "UTC",
            "currency": "EUR",
            "activity": "A",
            "grains": ["month"],
            "metrics": metrics,
        }
    )
    end = datetime(2027, 1, 1)
    try:
        values = metric_values(con, product, horizon=end, as_of=end, code_version="test")
    finally:
        con.close()
    march = values.filter(segment="all", period_start=datetime(2026, 3, 1).date())
    return dict(march.select("metric", "value").rows())


def test_more_selectors_than_one_column_of_bits_holds() -> None:
    """Person i pays i; of 70 people 71 - k pay k or more."""
    rows: list[Row] = [(i, "Seen", "2026-03-02 10:00", None) for i in range(1, PEOPLE + 1)]
    rows += [(i, "Paid", "2026-03-03 10:00", float(i)) for i in range(1, PEOPLE + 1)]
    metrics = {
        f"paid_{k:02}": {
            **PLACE, "unit": "percent", "kind": "share", "of": "Seen",
            "did": {"event": "Paid", "where": f"amount >= {k}"},
        }
        for k in range(1, PEOPLE + 1)
    }  # fmt: skip
    found = monthly(rows, metrics)
    assert found == {f"paid_{k:02}": (PEOPLE + 1 - k) / PEOPLE for k in range(1, PEOPLE + 1)}


def test_metrics_in_turn_do_not_take_each_others_rows() -> None:
    """Two people begin with A in March, three with B; one more began with either in February."""
    rows: list[Row] = [
        *((i, "A", "2026-03-02", None) for i in (1, 2, 9)),
        *((i, "B", "2026-03-02", None) for i in (3, 4, 5, 9)),
    ]
    rows += [(9, name, "2026-02-02", None) for name in "AB"]
    part = {**PLACE, "unit": "people", "kind": "lifecycle", "part": "new"}
    metrics = {
        "first": {**part, "of": "A"},
        "second": {**part, "of": "B"},
        "again": {**part, "of": "A"},
        "returning": {**part, "of": "A", "part": "returning"},
    }
    assert monthly(rows, metrics) == {"first": 2, "second": 3, "again": 2, "returning": 1}


def test_one_event_of_two_selectors_counts_in_both() -> None:
    """Names and conditions overlap: all that any of them needs is known of an event."""
    rows: list[Row] = [
        (1, "A", "2026-03-02", 5.0),
        (1, "B", "2026-03-03", None),
        (2, "B", "2026-03-04", 5.0),
        (3, "B", "2026-03-04", 1.0),
    ]
    count = {**PLACE, "unit": "events", "kind": "count"}
    metrics = {
        "either": {**count, "of": ["A", "B"]},
        "only_b": {**count, "of": "B"},
        "large": {**count, "of": {"event": ["A", "B"], "where": "amount > 2"}},
        "unsaid": {**count, "of": {"event": "B", "where": "amount is null"}},
    }
    assert monthly(rows, metrics) == {"either": 4, "only_b": 3, "large": 2, "unsaid": 1}
