"""The page of what moved, from tables made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from headway.moved import moved_tables
from headway_pipelines.databases import replace_database
from headway_pipelines.report import write_report

Read = Callable[[Path], str]
MONDAY = date(2026, 3, 2)


def write(published: Any, **changed: pl.DataFrame) -> Path:
    """Publishes with what moved, as publishing does, and writes the report."""
    tables = dict(published.tables())
    kinds = {row["metric"]: "proportion" for row in published.catalogue}
    tables |= moved_tables(tables["metric_values"], kinds) | changed
    replace_database(published.workspace.published_db, tables, comments=True)
    return write_report(published.workspace).with_name("moved.html")


def test_a_change_stands_with_its_interval_and_where_it_happened(published: Any, text: Read) -> None:
    # 40 % then 50 % of 1,000: +10 points (6 to 14). All of it by e-mail: half of the people, +20 points.
    published.metric().weeks((1000, 400), (1000, 500))
    published.weeks((500, 200), (500, 300), segment="channel=email")
    published.weeks((500, 200), (500, 200), segment="channel=paid")
    page = text(write(published))
    assert "Activationdefinition 40 % 50 % 2–8 Mar 2026, then 9–15 Mar 2026 +10 points (6–14) better" in page
    assert "By channel: email +10 (size 0, value +10); paid 0 (size 0, value 0)" in page
    assert "1 within noise" not in page


def test_a_change_the_wrong_way_is_worse(published: Any, text: Read) -> None:
    published.metric(direction="down").weeks((1000, 400), (1000, 500))
    page = text(write(published))
    assert "+10 points (6–14) worse" in page and "no segment can be shown" in page


def test_changes_within_noise_are_not_news(published: Any, text: Read) -> None:
    published.metric().weeks((1000, 400), (1000, 410))
    page = text(write(published))
    assert "No metric moved by more than noise." in page
    assert "1 within noise, or without an interval" in page and "+1 point (−3 to 5)" in page
    assert "No period stands out" in page


def test_hidden_labels_are_told_and_not_shown(published: Any, text: Read) -> None:
    published.metric().weeks((1000, 400), (1000, 500))
    published.weeks((700, 280), (700, 380), segment="channel=email")
    published.weeks((292, 112), (292, 112), segment="channel=paid")
    published.weeks((8, 8), (8, 8), segment="channel=rare")
    page = text(write(published))
    assert "others are hidden" in page
    assert "rare +" not in page and "rare −" not in page and "rare 0" not in page


def test_periods_nobody_expected_are_listed_the_latest_first(published: Any, text: Read) -> None:
    published.metric().weeks((1000, 400), (1000, 410))
    rows = [
        ("activation", "day", MONDAY, 0.9, 0.4, 0.35, 0.45, True, "trend", None),
        ("activation", "day", MONDAY + timedelta(1), 0.1, 0.4, 0.35, 0.45, True, "trend", None),
        ("activation", "day", MONDAY + timedelta(2), 0.41, 0.4, 0.35, 0.45, False, "trend", None),
    ]
    columns = [
        "metric",
        "period",
        "period_start",
        "value",
        "expected",
        "low",
        "high",
        "is_anomaly",
        "method",
        "reason",
    ]
    table = pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"reason": pl.String})
    page = text(write(published, metric_anomalies=table))
    assert "Activation 3 Mar 2026 10 % 35–45 Activation 2 Mar 2026 90 % 35–45" in page
    assert "41 %" not in page.split("Unexpected")[1]


def test_without_these_tables_there_is_no_such_page(published: Any) -> None:
    index = published.metric().weeks((1000, 400), (1000, 500)).write()
    assert not index.with_name("moved.html").exists() and "moved.html" not in index.read_text()
