"""Rows of GA4's BigQuery export, in JSON lines and in Parquet."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.ga4 import ga4, ga4_parquet, recognise, recognise_parquet
from headway_pipelines.sources.sample import Sample

Run = Callable[..., Any]

PLAN = """
  Page Viewed:
    properties:
      url: {class: url, hosts: [shop.example.com], paths: ["/"]}
      session_id: {class: id, domain: session}
  purchase: {properties: {value: {class: number}, items: {class: text}}}
  first_visit: {properties: {url: {class: url, hosts: [www.velir.com], paths: ["/blog/2016/*/*/*"]}}}
"""
NINE_US = 1772442000_000_000
NINE = dt.datetime(2026, 3, 2, 9)
VALUE = pa.struct(
    [
        ("string_value", pa.string()),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("double_value", pa.float64()),
    ]
)
PARAMS = pa.list_(pa.struct([("key", pa.string()), ("value", VALUE)]))
SCHEMA = pa.schema(
    [
        ("event_date", pa.string()),
        ("event_timestamp", pa.int64()),
        ("event_name", pa.string()),
        ("event_params", PARAMS),
        ("user_id", pa.string()),
        ("user_pseudo_id", pa.string()),
        ("user_properties", PARAMS),
        (
            "device",
            pa.struct([("category", pa.string()), ("web_info", pa.struct([("browser", pa.string())]))]),
        ),
        ("geo", pa.struct([("country", pa.string())])),
        (
            "collected_traffic_source",
            pa.struct([("manual_source", pa.string()), ("manual_medium", pa.string())]),
        ),
        (
            "traffic_source",
            pa.struct([("source", pa.string()), ("medium", pa.string()), ("name", pa.string())]),
        ),
        ("stream_id", pa.string()),
        ("platform", pa.string()),
        ("items", pa.list_(pa.struct([("item_id", pa.string()), ("price", pa.float64())]))),
    ]
)


def param(key: str, value: Any) -> dict[str, Any]:
    kind = (
        "string_value"
        if isinstance(value, str)
        else "double_value"
        if isinstance(value, float)
        else "int_value"
    )
    return {"key": key, "value": {kind: value}}


def row(name: Any = "purchase", params: Any = None, **changes: Any) -> dict[str, Any]:
    given = {"ga_session_id": 1772441000, "value": 25.5} if params is None else params
    base = {
        "event_date": "20260302",
        "event_timestamp": NINE_US,
        "event_name": name,
        "event_params": [param(k, v) for k, v in given.items()] if isinstance(given, dict) else given,
        "user_pseudo_id": "1166526666.1617691776",
        "stream_id": "42",
        "platform": "WEB",
    }
    return base | changes


def as_bigquery(value: Any) -> Any:
    """As BigQuery writes JSON: whole numbers as texts, nothing for null."""
    if isinstance(value, dict):
        return {k: as_bigquery(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [as_bigquery(v) for v in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def lines_of(path: Path, rows: list[Any]) -> Path:
    texts = (each if isinstance(each, str) else json.dumps(as_bigquery(each)) for each in rows)
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def table_of(path: Path, rows: list[dict[str, Any]]) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


PAGE = {
    "ga_session_id": 1772441000,
    "page_location": "https://shop.example.com/",
    "page_referrer": "https://news.example.net/",
    "page_title": "Home",
}
ROWS = [
    row(
        "page_view",
        PAGE,
        user_id="u1",
        user_properties=[param("plan", "pro"), param("seats", 7)],
        device={"category": "mobile", "web_info": {"browser": "Safari"}},
        geo={"country": "Chile"},
        collected_traffic_source={"manual_source": "newsletter", "manual_medium": "email"},
        traffic_source={"source": "google", "medium": "organic", "name": "(organic)"},
    ),
    row(items=[{"item_id": "sku-7", "price": 12.5}, {"item_id": "sku-9", "price": None}]),
    row("screen_view", {"firebase_screen": "Basket"}, items=[], platform="IOS"),
    row("user_engagement", {}, user_pseudo_id=None),
]


def test_both_formats_say_the_same(tmp_path: Path, shape: Run) -> None:
    told = (
        "outcome, event, user_raw, device_raw, occurred_at, properties['session_id'], properties['url'], "
        "properties['referrer'], properties['title'], properties['value'], traits"
    )
    read = shape(lines_of(tmp_path / "events_20260302.json", ROWS), ga4())
    as_lines = read.execute(f"SELECT {told} FROM shape").fetchall()
    read = shape(table_of(tmp_path / "events_20260302.parquet", ROWS), ga4_parquet())
    assert read.execute(f"SELECT {told} FROM shape").fetchall() == as_lines
    device = "42\x1f1166526666.1617691776"
    session = f"{device}.1772441000"
    first = {
        "traffic_source.source": "google",
        "traffic_source.medium": "organic",
        "traffic_source.campaign": "(organic)",
    }
    traits = first | {"plan": "pro", "seats": "7"}
    assert as_lines == [
        ("event", "Page Viewed", "u1", device, NINE, session, *(list(PAGE.values())[1:]), None, traits),
        ("event", "purchase", None, device, NINE, session, None, None, None, "25.5", {}),
        ("event", "Screen Viewed", None, device, NINE, None, None, None, "Basket", None, {}),
        ("event", "user_engagement", None, None, NINE, None, None, None, None, None, {}),
    ]
    more = ("utm_source", "utm_medium", "device.category", "device.browser", "geo.country", "platform")
    texts = ", ".join(f"properties['{name}']" for name in more)
    assert read.execute(f"SELECT {texts} FROM shape LIMIT 1").fetchall() == [
        ("newsletter", "email", "mobile", "Safari", "Chile", "WEB")
    ]
    items = read.execute("SELECT properties['items'] FROM shape").fetchall()
    assert json.loads(items[1][0]) == [
        {"item_id": "sku-7", "price": 12.5},
        {"item_id": "sku-9", "price": None},
    ]
    assert [text for (text,) in items if text] == [items[1][0]]


@pytest.mark.parametrize("kind", ["ga4", "ga4_parquet"])
def test_names_of_the_plan(tmp_path: Path, shape: Run, kind: str) -> None:
    """GA4 allows no blanks in names. What the adapter calls a page view itself may be renamed, too."""
    [source] = parse_sources(
        f"sources: {{web: {{format: {kind}, names: {{purchase: Order Completed, Page Viewed: Seen}}}}}}"
    )
    rows = [row("purchase"), row("page_view"), row("sign_up")]
    path = (lines_of if kind == "ga4" else table_of)(tmp_path / "events", rows)
    names = shape(path, source).execute("SELECT event FROM shape ORDER BY line").fetchall()
    assert names == [("Order Completed",), ("Seen",), ("sign_up",)]


def test_which_rows_are_the_same_event(tmp_path: Path, clean: Run) -> None:
    swapped = row(params={"value": 25.5, "ga_session_id": 1772441000})
    rows = [
        row(),
        # The same event again, its parameters in another order, and with what Google fills in later.
        swapped,
        row(geo={"country": "Chile"}),
        # Each of these is another event.
        row(stream_id="43"),
        row(user_pseudo_id="7.7"),
        row(event_timestamp=NINE_US + 1),
        row(params={"ga_session_id": 1772441001, "value": 25.5}),
        row(params={"ga_session_id": 1772441000, "value": 25.4}),
        row("first_visit"),
    ]
    result = clean(lines_of(tmp_path / "e.json", rows), ga4(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(9, 7)]
    # A browser of another stream is another browser.
    assert result.rows("SELECT count(DISTINCT actor) FROM events") == [(3,)]


def test_bad_lines_are_counted(tmp_path: Path, clean: Run) -> None:
    twice = [param("value", 1), param("value", 2)]
    rows = [
        row(params="not a list"),
        row(params=twice),
        row(params=[7, None]),
        row(params=[{"key": "value"}, {"value": {"int_value": 3}}]),
        json.dumps(row())[:-1],
        "[]",
        "",
        # Milliseconds and seconds, no number, nothing.
        row(event_timestamp=NINE_US // 1000),
        row(event_timestamp=NINE_US // 1_000_000),
        row(event_timestamp="2026-03-02"),
        row(event_timestamp=None),
        row(event_timestamp=10**30),
        row(user_pseudo_id="undefined"),
        row(user_pseudo_id=None),
        row(user_properties="x", device=7, geo=[1], traffic_source="x", is_active_user=True),
    ]
    result = clean(lines_of(tmp_path / "e.json", rows), ga4(), PLAN)
    assert result.outcomes == {
        "unusable properties": 2,
        "malformed JSON": 1,
        "not a JSON object": 1,
        "blank": 1,
        "time in another unit (seconds read as milliseconds?)": 2,
        "no valid time": 3,
        "no usable id": 2,
        "event": 3,
    }


def test_the_real_row(data: Path, clean: Run) -> None:
    # Here the browser's id goes by the name dbt gives it.
    result = clean(data / "ga4_dbt" / "raw_export_sample.jsonl", ga4(), PLAN)
    assert result.outcomes == {"event": 1}
    assert result.rows("SELECT event, occurred_at, url FROM events") == [
        ("first_visit", dt.datetime(2021, 4, 6, 6, 49, 50, 431476), "www.velir.com/blog/2016/*/*/*")
    ]
    lines = tuple((data / "ga4_dbt" / "raw_export_sample.jsonl").read_text(encoding="utf-8").splitlines())
    assert recognise(Sample("e.jsonl", lines, tuple(json.loads(line) for line in lines)))


def test_recognised_by_its_fields() -> None:
    assert recognise(Sample("e.json", ("",), ({"event_name": "x", "event_timestamp": "1"},))) is None
    assert recognise_parquet(Sample("e", columns=tuple(SCHEMA.names), parquet=True))
    assert recognise_parquet(Sample("e", columns=tuple(SCHEMA.names))) is None


def test_in_sources_yml() -> None:
    lines, table = parse_sources('sources: {a: {format: ga4, files: ["*.json"]}, b: {format: ga4_parquet}}')
    assert (lines.name, lines.reader.kind, table.reader.kind) == ("a", "lines", "parquet")
