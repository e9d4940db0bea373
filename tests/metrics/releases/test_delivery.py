"""Delivery measures, counted by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from headway.releases import Release, Step, delivery_table
from headway.releases.delivery import INCIDENTS

NOW = datetime(2026, 5, 1)


def live(name: str, at: datetime, **more: Any) -> Release:
    return Release(name, name, more.pop("kind", "release"), (Step(at.date()),), at, **more)


RELEASES = (
    live("a", datetime(2026, 3, 2, 12), committed_at=datetime(2026, 3, 1, 12), changes=4),
    live("b", datetime(2026, 3, 12, 12), committed_at=datetime(2026, 3, 12, 2), changes=10, kind="deploy"),
    live("c", datetime(2026, 4, 1, 12), changes=6, rolled_back_on=date(2026, 4, 2)),
    live("d", datetime(2026, 4, 5, 12), committed_at=datetime(2026, 4, 1, 12)),
    live("planned", datetime(2026, 6, 1), changes=99),
)
ROWS = [
    ("i1", datetime(2026, 4, 1, 13), datetime(2026, 4, 1, 13, 30), datetime(2026, 4, 1, 15), "c"),
    ("i2", datetime(2026, 3, 12, 13), datetime(2026, 3, 12, 13, 10), datetime(2026, 3, 12, 14), "b"),
    ("i3", datetime(2026, 4, 30, 12), None, None, None),
]


@pytest.fixture
def table() -> pl.DataFrame:
    incidents = pl.DataFrame(ROWS, schema=INCIDENTS, orient="row")
    return delivery_table(RELEASES, incidents, now=NOW, timezone="UTC")


def of(table: pl.DataFrame, measure: str, month: date | None = None) -> tuple[Any, ...]:
    rows = table.filter(pl.col("month").eq_missing(month), measure=measure)
    return rows.select("value", "unit", "counted", "reference", "reason").row(0)


def test_everything_together(table: pl.DataFrame) -> None:
    # 24, 10 and 96 hours; the median is the smallest up to which half lie.
    assert of(table, "lead_time") == (24.0, "hours", 3, None, None)
    # 10, 20 and 4 days between four that went live.
    assert of(table, "cadence") == (10.0, "days", 3, 14.0, None)
    assert of(table, "batch_size") == (6.0, "changes", 3, None, None)
    # b by its incident, c by its incident and its rollback, once.
    assert of(table, "change_failure_rate") == (0.5, "percent", 4, None, None)
    assert of(table, "time_to_detect") == (10.0, "minutes", 2, None, None)
    # 2 h, 1 h and one open for 12 h so far: half are over within 2 h.
    assert of(table, "time_to_restore") == (2.0, "hours", 3, None, None)


def test_by_month(table: pl.DataFrame) -> None:
    march, april = date(2026, 3, 1), date(2026, 4, 1)
    assert table["month"].unique().sort().to_list() == [None, march, april]
    assert of(table, "cadence", march)[0] == 10.0
    assert of(table, "change_failure_rate", march)[0] == 0.5
    assert of(table, "lead_time", april)[0] == 96.0
    assert of(table, "time_to_detect", april)[0] == 30.0


def test_without_anything_there_is_no_number_and_a_reason() -> None:
    empty = delivery_table([], pl.DataFrame(schema=INCIDENTS), now=NOW, timezone="UTC")
    assert empty["value"].to_list() == [None] * 6
    assert empty["reason"].to_list() == [
        "nothing says when it was committed",
        "it takes two to tell how far they are apart",
        "nothing says how many changes it holds",
        "nothing went live",
        "no incident says when it was noticed",
        "no incident",
    ]


def test_incidents_that_are_mostly_open_have_no_median() -> None:
    rows = [(f"i{n}", datetime(2026, 4, 30, 12), None, None, None) for n in range(3)]
    table = delivery_table([], pl.DataFrame(rows, schema=INCIDENTS, orient="row"), now=NOW, timezone="UTC")
    assert of(table, "time_to_restore") == (None, "hours", 3, None, "most incidents are still open")
