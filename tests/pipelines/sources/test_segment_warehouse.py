"""Tables of a warehouse: what a row is, is told by its columns."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headway.errors import DefinitionError
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.segment_warehouse import recognise, segment_warehouse

Run = Callable[..., Any]

ROW = {
    "id": "m1",
    "anonymous_id": "d1",
    "user_id": "u1",
    "received_at": "2026-03-02 10:00:10",
    "sent_at": "2026-03-02 09:00:05",
    "original_timestamp": "2026-03-02 09:00:00",
    "timestamp": "2026-03-02 10:00:05",
    "uuid_ts": "2026-03-02 11:00:00",
}


def table(tmp_path: Path, *rows: dict[str, str]) -> Path:
    path = tmp_path / "table.csv"
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_pages_of_a_real_warehouse(data: Path, clean: Run) -> None:
    plan = """
  Page Viewed:
    properties:
      url: {class: url, hosts: [www.getdbt.com], paths: ["/"]}
      referrer: {class: url, keep: host}
      campaign: {class: enum, values: [facebook, google], from: context_campaign_source}
      title: {class: text}
"""
    result = clean(data / "dbt_seeds" / "segment_pages.csv", segment_warehouse(), plan)
    columns = "event, occurred_at, client_at, received_at, url, referrer, campaign"
    moment = dt.datetime(2015, 2, 23, 22, 28, 55)
    assert result.rows(f"SELECT {columns} FROM events") == [
        ("Page Viewed", moment, moment, moment, "www.getdbt.com/", "www.google.com", "facebook")
    ]
    assert result.rows("SELECT count(*) FROM links") == [(1,)]
    assert not [
        text for text in ("8.8.8.8", "Mozilla", "ferret", "97980cf", "507f19") if text in result.stored()
    ]


def test_the_columns_tell_what_a_row_is(tmp_path: Path, shape: Run) -> None:
    path = table(
        tmp_path,
        ROW
        | {
            "event": "order_completed",
            "event_text": "Order Completed",
            "revenue": "9.90",
            "group_id": "blue",
        },
        ROW | {"event": "order_completed", "path": "/checkout", "previous_id": "order-7"},
        ROW | {"url": "https://a.example/", "title": "Home", "name": "Start"},
        ROW | {"path": "/"},
        ROW | {"plan": "pro", "context_locale": "de"},
        ROW | {"group_id": "g1", "seats": "3"},
        ROW | {"previous_id": "d0"},
        {"id": "u1", "received_at": "2026-03-02 10:00:10", "plan": "pro"},
    )
    columns = "SELECT outcome, event, account_raw, alias_raw, properties, traits FROM shape ORDER BY line"
    assert shape(path, segment_warehouse()).execute(columns).fetchall() == [
        ("event", "Order Completed", None, None, {"revenue": "9.90", "group_id": "blue"}, None),
        ("event", "order_completed", None, None, {"path": "/checkout", "previous_id": "order-7"}, None),
        (
            "event",
            "Page Viewed",
            None,
            None,
            {"url": "https://a.example/", "title": "Home", "name": "Start"},
            None,
        ),
        ("event", "Page Viewed", None, None, {"path": "/"}, None),
        ("identify", None, None, None, None, {"plan": "pro"}),
        ("group", None, "g1", None, None, {"seats": "3"}),
        ("alias", None, None, "d0", None, None),
        ("unknown call type", None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("kind", "outcome", "event"),
    [
        ("tracks", "event", None),
        ("pages", "event", "Page Viewed"),
        ("screens", "event", "Screen Viewed"),
        ("identifies", "identify", None),
        ("groups", "group", None),
        ("aliases", "alias", None),
    ],
)
def test_a_table_that_is_named(
    tmp_path: Path, shape: Run, kind: str, outcome: str, event: str | None
) -> None:
    (source,) = parse_sources(f"sources: {{s: {{format: segment_warehouse, table: {kind}}}}}")
    rows = shape(table(tmp_path, ROW | {"name": "Start"}), source).execute("SELECT outcome, event FROM shape")
    assert rows.fetchall() == [(outcome, event)]


def test_a_table_nobody_knows() -> None:
    with pytest.raises(DefinitionError, match="table"):
        parse_sources("sources: {s: {format: segment_warehouse, table: accounts}}")


def test_times_ids_and_what_surrounds_a_row(tmp_path: Path, shape: Run) -> None:
    track = ROW | {"event": "paid", "context_group_id": "g1"}
    page = {
        "context_page_url": "https://a.example/",
        "context_page_title": "Home",
        "context_session_id": "7",
        "context_user_agent": "Agent 1",
        "context_ip": "203.0.113.9",
    }
    path = table(
        tmp_path,
        track,
        track | {"timestamp": ""},
        track | {"timestamp": "", "sent_at": "soon"},
        # a time as well, for the database: one cannot subtract from it, and no cell may stop a run
        track | {"timestamp": "", "sent_at": "infinity"},
        track | {"timestamp": "2026-03-02 12:00:05+02", "original_timestamp": ""},
        track | page | {"title": "Mine"},
    )
    columns = "occurred_at, client_at, received_at, message_id, account_raw, user_agent, address, properties"
    rows = shape(path, segment_warehouse()).execute(f"SELECT {columns} FROM shape ORDER BY line").fetchall()
    at, nine = dt.datetime(2026, 3, 2, 10, 0, 5), dt.datetime(2026, 3, 2, 9)
    assert [row[:2] for row in rows] == [(at, nine), (at, nine), *[(nine, nine)] * 2, (at, at), (at, nine)]
    assert {row[2:5] for row in rows} == {(dt.datetime(2026, 3, 2, 10, 0, 10), "m1", "g1")}
    assert rows[0][5:] == (None, None, {})
    around = {"url": "https://a.example/", "session_id": "7", "title": "Mine"}
    assert rows[5][5:] == ("Agent 1", "203.0.113.9", around)


def test_parquet_and_copies_in_two_tables(tmp_path: Path, clean: Run) -> None:
    when = dt.datetime(2026, 3, 2, 10)
    rows = pl.DataFrame(
        {
            "id": ["m1", "m2"],
            "anonymous_id": ["d1", None],
            "user_id": [None, "u2"],
            "event": ["paid", "paid"],
            "event_text": ["Paid", "Paid"],
            "received_at": [when, when],
            "timestamp": [when, when],
            "amount": [9.5, None],
        }
    )
    rows.write_parquet(tmp_path / "paid.parquet")
    path = table(
        tmp_path, {name: str(value) for name, value in rows.row(0, named=True).items() if value is not None}
    )
    result = clean(
        [tmp_path / "paid.parquet", path],
        segment_warehouse(),
        "\n  Paid: {properties: {amount: {class: number}}}",
    )
    assert result.outcomes == {"event": 3}
    assert result.rows("SELECT count(DISTINCT event_id), count(DISTINCT actor) FROM events") == [(2, 2)]
    assert result.rows("SELECT sum(amount) FROM events WHERE batch = 1") == [(9.5,)]


def test_a_file_of_another_kind_is_set_aside(tmp_path: Path, clean: Run) -> None:
    result = clean(table(tmp_path, {"user": "ada", "at": "2026"}), segment_warehouse(), "\n  Paid: {}")
    assert "no column 'id', 'received_at'" in result.damaged[1]


def test_recognition() -> None:
    assert recognise(Sample("pages.csv", columns=tuple(ROW))) is not None
    assert recognise(Sample("a.csv", columns=("id", "received_at", "sent_at", "user_id"))) is None
    assert recognise(Sample("a.csv", columns=("id", "received_at", "context_ip", "user_id"))) is None
