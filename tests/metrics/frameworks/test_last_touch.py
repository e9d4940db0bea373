"""The segment of the last touch, on visits small enough to count by hand."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import polars as pl

from headway.engine import connect
from headway.frameworks import metric_values
from headway.models.product import Product

MONDAY = date(2026, 3, 2)
VISITS = [
    # One came by mail, then by an advertisement, then directly, and paid.
    (1, "Visit", "2026-03-02 10:00", "email"),
    (1, "Visit", "2026-03-03 10:00", "cpc"),
    (1, "Visit", "2026-03-04 10:00", "unknown"),
    (1, "Paid", "2026-03-05 10:00", None),
    # Another paid before the mail came.
    (2, "Paid", "2026-03-05 10:00", None),
    (2, "Visit", "2026-03-06 10:00", "email"),
    # The mail of the moment itself counts.
    (3, "Visit", "2026-03-05 10:00", "email"),
    (3, "Paid", "2026-03-05 10:00", None),
]


def counted(metric: dict[str, object], column: str) -> dict[str, float]:
    """Measures one metric of the week and returns a column of each segment of the last touch that anybody is in."""
    con = connect()
    con.execute("CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, utm_medium VARCHAR)")
    for person, event, at, medium in VISITS:
        con.execute("INSERT INTO events VALUES (?, ?, ?, ?)", [str(UUID(int=person)), event, at, medium])
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    common = {"framework": "aarrr", "stage": "revenue", "title": "t", "unit": "people"}
    product = Product.model_validate(
        {
            "name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "Paid", "grains": ["week"],
            "channels": [
                {"name": "email", "where": "utm_medium = 'email'"},
                {"name": "paid", "where": "utm_medium = 'cpc'"},
            ],
            "segments": {"last": {"touch": "last"}},
            "metrics": {"m": {**common, **metric}},
        }
    )  # fmt: skip
    late = datetime(2027, 1, 1)
    frame = metric_values(con, product, horizon=late, as_of=late, code_version="x")
    con.close()
    week = frame.filter(pl.col("people") > 0, pl.col("segment").str.starts_with("last="), period_start=MONDAY)
    return dict(week.select("segment", column).rows())


def test_a_person_counts_under_the_channel_of_the_last_touch_that_was_not_direct() -> None:
    payers: dict[str, object] = {"kind": "count", "of": {"event": "Paid", "measure": "people"}}
    assert counted(payers, "people") == {"last=paid": 1, "last=direct": 1, "last=email": 1}


def test_all_observations_of_a_person_count_under_the_channel_of_the_first() -> None:
    visits: dict[str, object] = {
        "kind": "duration", "start": "Visit", "end": "Visit", "each": "every", "unit": "days",
    }  # fmt: skip
    # Three visits of one person, the first by mail; one by mail of two others.
    assert counted(visits, "denominator") == {"last=email": 5}
