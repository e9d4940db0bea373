"""The segment of the last touch, on visits small enough to count by hand."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from headway.engine import connect
from headway.frameworks import metric_values
from headway.models.product import Product

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


def test_a_person_counts_under_the_channel_of_the_last_touch_that_was_not_direct() -> None:
    con = connect()
    con.execute("CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, utm_medium VARCHAR)")
    for person, event, at, medium in VISITS:
        con.execute("INSERT INTO events VALUES (?, ?, ?, ?)", [str(UUID(int=person)), event, at, medium])
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    product = Product.model_validate(
        {
            "name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "Paid", "grains": ["week"],
            "channels": [
                {"name": "email", "where": "utm_medium = 'email'"},
                {"name": "paid", "where": "utm_medium = 'cpc'"},
            ],
            "segments": {"last": {"touch": "last"}},
            "metrics": {
                "payers": {
                    "framework": "aarrr", "stage": "revenue", "title": "t", "unit": "people", "kind": "count",
                    "of": {"event": "Paid", "measure": "people"},
                }
            },
        }
    )  # fmt: skip
    late = datetime(2027, 1, 1)
    frame = metric_values(con, product, horizon=late, as_of=late, code_version="x")
    con.close()
    week = frame.filter(period_start=date(2026, 3, 2)).select("segment", "people").rows()
    found = {segment: people for segment, people in week if segment.startswith("last=")}
    assert found == {"last=paid": 1, "last=direct": 1, "last=email": 1}
