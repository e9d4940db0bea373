"""PostHog's batch exports, in JSON lines and in Parquet."""

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
from headway_pipelines.sources.posthog import posthog, posthog_parquet, recognise, recognise_parquet
from headway_pipelines.sources.sample import Sample

Run = Callable[..., Any]

UUID = "01a200c6-be38-7faa-8d41-694f56539b67"
PLAN = """
  Page Viewed: {properties: {url: {class: url, hosts: [shop.example.com], paths: ["/"]}}}
  Order Completed: {properties: {amount: {class: number}}}
"""


def row(event: Any = "Order Completed", distinct_id: Any = "u1", **changes: Any) -> dict[str, Any]:
    base = {
        "uuid": "e1",
        "event": event,
        "distinct_id": distinct_id,
        "person_id": "p1",
        "timestamp": "2026-03-02T09:00:00.123456+00:00",
        "created_at": "2026-03-02T09:00:02Z",
        "_inserted_at": "2026-03-02T09:05:00Z",
        "elements_chain": "",
        "properties": {"amount": 25.5, "$session_id": "s1"},
        "person_properties": {"plan": "pro", "email": "ada@example.com"},
    }
    return base | changes


def lines_of(path: Path, rows: list[Any]) -> Path:
    texts = (each if isinstance(each, str) else json.dumps(each) for each in rows)
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def table_of(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The same rows as PostHog writes them in Parquet: times typed, properties as JSON text."""
    texts = ("uuid", "event", "distinct_id", "person_id", "elements_chain")
    columns = {name: pa.array([each.get(name) for each in rows], pa.string()) for name in texts}
    for name in ("properties", "person_properties"):
        values = [each.get(name) for each in rows]
        columns[name] = pa.array(
            [v if isinstance(v, str | None) else json.dumps(v) for v in values], pa.string()
        )
    for name in ("timestamp", "created_at"):
        times = [t and dt.datetime.fromisoformat(t) for t in (each.get(name) for each in rows)]
        columns[name] = pa.array(times, pa.timestamp("us", "UTC"))
    parquet.write_table(pa.table(columns), path, compression="zstd")
    return path


ROWS = [
    row(),
    row("$pageview", UUID, properties={"$device_id": UUID, "$current_url": "https://shop.example.com/"}),
    row("$identify", properties={"$device_id": UUID, "$anon_distinct_id": UUID, "$user_id": "u1"}),
    row(
        "Order Completed",
        properties={"$device_id": UUID, "$user_id": "u1", "amount": 1, "$groups": {"company": "c1"}},
    ),
    row("$create_alias", properties={"alias": UUID}, person_properties=None),
    row("x", None, uuid=None, properties=None, person_properties=None),
]


def test_both_formats_say_the_same(tmp_path: Path, shape: Run) -> None:
    columns = "* EXCLUDE (batch, line, position, content)"
    read = shape(lines_of(tmp_path / "e.jsonl", ROWS), posthog())
    as_lines = read.execute(f"SELECT {columns} FROM shape").fetchall()
    # The name ends as PostHog names it; the codec is inside the file.
    read = shape(table_of(tmp_path / "e.parquet.zst", ROWS), posthog_parquet())
    assert read.execute(f"SELECT {columns} FROM shape").fetchall() == as_lines
    told = (
        "outcome, event, user_raw, device_raw, alias_raw, account_raw, message_id, properties['session_id']"
    )
    assert read.execute(f"SELECT {told} FROM shape").fetchall() == [
        ("event", "Order Completed", "u1", None, None, None, "e1", "s1"),
        ("event", "Page Viewed", None, UUID, None, None, "e1", None),
        ("identify", "$identify", "u1", UUID, None, None, "e1", None),
        ("event", "Order Completed", "u1", UUID, None, "c1", "e1", None),
        ("alias", "$create_alias", "u1", None, UUID, None, "e1", None),
        ("event", "x", None, None, None, None, None, None),
    ]
    times = "SELECT DISTINCT occurred_at, client_at, received_at, traits['plan'] FROM shape WHERE event = '$identify'"
    happened = dt.datetime(2026, 3, 2, 9, 0, 0, 123456)
    assert read.execute(times).fetchall() == [(happened, None, dt.datetime(2026, 3, 2, 9, 0, 2), "pro")]


def test_the_browser_s_own_clock(tmp_path: Path, shape: Run) -> None:
    """Each copy's `timestamp` is corrected anew, `$time` is the same: by that two copies are known to say the same."""
    times: list[Any] = [1772442000.25, "1772442000.25", None, "soon", 1e300]
    rows = [row(properties={"$time": time}) for time in times]
    read = shape(lines_of(tmp_path / "e.jsonl", rows), posthog())
    found = read.execute("SELECT client_at, occurred_at FROM shape ORDER BY line").fetchall()
    corrected = dt.datetime(2026, 3, 2, 9, 0, 0, 123456)
    said = dt.datetime(2026, 3, 2, 9, 0, 0, 250000)
    assert [client for client, _ in found] == [said, said, None, None, None]
    assert {occurred for _, occurred in found} == {corrected}
    assert read.execute("SELECT DISTINCT outcome FROM shape").fetchall() == [("event",)]


@pytest.mark.parametrize("kind", ["jsonl", "parquet.zst"])
def test_through_the_gate(tmp_path: Path, clean: Run, kind: str) -> None:
    rows = [
        row(uuid=f"e{n}", **each) for n, each in enumerate([{}, {"distinct_id": None}, {"timestamp": None}])
    ]
    rows += [row(uuid="e1", distinct_id="u2"), row(uuid=None), row(uuid=None)]
    if kind == "jsonl":
        result = clean(lines_of(tmp_path / "e.jsonl", rows), posthog(), PLAN)
    else:
        result = clean(table_of(tmp_path / "e.parquet.zst", rows), posthog_parquet(), PLAN)
    # Without an id, equal rows of one file are told apart by counting.
    assert result.outcomes == {"event": 4, "no usable id": 1, "no valid time": 1}
    assert result.rows("SELECT count(DISTINCT event_id), sum(amount) FROM events") == [(4, 102.0)]
    assert "example.com" not in result.stored() and "u1" not in result.stored()


def test_bad_lines_are_counted(tmp_path: Path, clean: Run) -> None:
    rows = [
        row(properties="not an object"),
        row(properties=[1, 2]),
        json.dumps(row())[:-2],
        "[]",
        "7",
        "",
        json.dumps(row()).replace('"$session_id"', '"amount"'),
        # A time that is no text, and a new column in the middle of the file.
        row(timestamp=1772442000000),
        row(uuid="new", elements_hash="x", properties={"amount": "many"}),
        row(uuid="n2", distinct_id={"id": 1}, event=["x"]),
        row(uuid="n3", person_properties=[1], properties={"$groups": "none", "$set": [1]}),
    ]
    result = clean(lines_of(tmp_path / "e.jsonl", rows), posthog(), PLAN)
    assert result.outcomes == {
        "unusable properties": 3,
        "malformed JSON": 1,
        "not a JSON object": 2,
        "blank": 1,
        "no valid time": 1,
        "event": 2,
        "undeclared event": 1,
    }
    assert [reason for _, _, reason in result.rejects].count("unusable properties") == 3


def test_bad_rows_are_counted(tmp_path: Path, clean: Run) -> None:
    rows = [row(properties=text) for text in ('{"amount": ', "[1]", '"text"', "null", '{"a":1,"a":2}', "{}")]
    result = clean(table_of(tmp_path / "e.parquet", rows), posthog_parquet(), PLAN)
    assert result.outcomes == {"unusable properties": 4, "event": 2}
    lines = lines_of(tmp_path / "lines.parquet.zst", [row()])
    result = clean(lines, posthog_parquet(), PLAN)
    assert result.outcomes == {} and "no Parquet file" in result.damaged[1]


def test_recognised_by_its_fields() -> None:
    texts = tuple(json.dumps(each) for each in ROWS)
    assert recognise(Sample("e.jsonl", texts, tuple(ROWS)))
    assert recognise(Sample("e.jsonl", texts, tuple({"event": "x"} for _ in ROWS))) is None
    assert recognise_parquet(Sample("e", columns=tuple(ROWS[0]), parquet=True))
    assert recognise_parquet(Sample("e", columns=tuple(ROWS[0]))) is None


def test_in_sources_yml() -> None:
    text = """
    sources:
      web: {format: posthog, files: ["web/*"], account: organization, finished_by: manifest.json}
      app: {format: posthog_parquet, files: ["app/*"]}
      raw: {format: posthog_wire}
    """
    web, app, raw = parse_sources(text)
    # stated, all files wait; else those alone that are numbered as parts of one export
    assert (web.finished_by, web.waits, raw.finished_by) == ("manifest.json", None, None)
    assert app.finished_by == "manifest.json" and app.waits is not None and raw.reader.kind == "lines"
    assert app.reader.required == ("uuid", "event", "distinct_id", "timestamp", "properties")
    assert "'organization'" in web.query
