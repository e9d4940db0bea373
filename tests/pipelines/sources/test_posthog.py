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

from headway_pipelines.privacy.fields import WrongColumns
from headway_pipelines.privacy.tables import frame_table
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


def person(distinct_id: Any = "u1", person_id: Any = "p1", **changes: Any) -> dict[str, Any]:
    """A row of the persons model, as `SELECT` of PostHog's view names its columns."""
    base = {
        "team_id": 1,
        "distinct_id": distinct_id,
        "person_id": person_id,
        "properties": {"plan": "pro", "email": "ada@example.com"},
        "person_distinct_id_version": 0,
        "person_version": 3,
        "created_at": "2026-03-01T09:00:00Z",
        "_inserted_at": "2026-03-02T10:00:00Z",
        "is_deleted": False,
    }
    return base | changes


def persons_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    told = [each | {"properties": json.dumps(each["properties"])} for each in rows]
    parquet.write_table(pa.Table.from_pylist(told), path, compression="zstd")
    return path


BEGINNING = dt.datetime(1990, 1, 1)
PERSONS = [
    person(),
    person(UUID, properties={"plan": "free"}, person_version=0),
    person("u2", "p2", is_deleted=True),
    person("u3", "p3", properties={}, person_version=None, is_deleted=None),
]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_persons(tmp_path: Path, shape: Run, kind: str) -> None:
    if kind == "jsonl":
        read = shape(lines_of(tmp_path / "p.jsonl", PERSONS), posthog())
    else:
        read = shape(persons_table(tmp_path / "p.parquet", PERSONS), posthog_parquet())
    told = "SELECT line, outcome, user_raw, device_raw, alias_raw, occurred_at, traits['plan'] FROM shape ORDER BY ALL"
    assert read.execute(told).fetchall() == [
        (1, "identify", "person_id:p1", None, None, BEGINNING + dt.timedelta(microseconds=3), "pro"),
        (1, "identify", "u1", None, "person_id:p1", None, None),
        (2, "identify", "person_id:p1", None, None, BEGINNING, "free"),
        (2, "identify", None, UUID, "person_id:p1", None, None),
        # What else such a row holds is not looked at.
        (3, "names nobody", "person_id:p2", None, None, BEGINNING + dt.timedelta(microseconds=3), "pro"),
        (4, "identify", "person_id:p3", None, None, BEGINNING, None),
        (4, "identify", "u3", None, "person_id:p3", None, None),
    ]


def people(result: Any) -> int:
    """How many people acted: who no link joins, directly or by others, is a person of their own."""
    joined: dict[object, object] = {}

    def head(actor: object) -> object:
        while actor in joined:
            actor = joined[actor]
        return actor

    for one, other in result.rows(
        "SELECT coalesce(device, other), person_actor FROM links WHERE device IS NOT NULL OR other IS NOT NULL"
        " UNION ALL SELECT other, person_actor FROM links WHERE other IS NOT NULL"
    ):
        if head(one) != head(other):
            joined[head(one)] = head(other)
    return len({head(actor) for (actor,) in result.rows("SELECT DISTINCT actor FROM events")})


def test_persons_join_what_no_event_joins(tmp_path: Path, clean: Run) -> None:
    other = UUID.replace("01a2", "01b2")
    plan = PLAN + "person_properties: {plan: {class: enum, values: [free, pro]}}\n"
    events = lines_of(
        tmp_path / "e.jsonl",
        [
            row(uuid="e1", person_properties=None),
            row(uuid="e2", distinct_id=UUID, person_properties=None),
            row(uuid="e3", distinct_id=other, person_properties=None),
        ],
    )
    assert people(clean(events, posthog(), plan)) == 3
    persons = lines_of(tmp_path / "p.jsonl", [person(), person(UUID), person(other, "p2")])
    for files in ([events, persons], [persons, events]):
        result = clean(files, posthog(), plan)
        assert result.outcomes == {"event": 3, "identify": 6} and result.lines == 6
        assert people(result) == 2
        assert result.rows("SELECT DISTINCT value FROM person") == [("pro",)]
        assert "person_id" not in result.stored() and "p1" not in result.stored()
    # A person id is no user: alone it makes nobody share a device.
    assert result.rows("SELECT count(DISTINCT person_actor) FROM links WHERE device IS NULL") == [(2,)]
    # Each line says it, and counts once for what it says.
    assert [n for (owner, _, reason), n in result.dropped.items() if owner == "(identify)"] == [3]
    # A later version holds after an earlier one, in whatever order they come.
    versions = [person(person_version=n, properties={"plan": plan}) for n, plan in ((4, "pro"), (1, "free"))]
    result = clean(lines_of(tmp_path / "v.jsonl", [row(person_properties=None), *versions]), posthog(), plan)
    assert result.rows("SELECT value FROM person ORDER BY valid_from") == [("free",), ("pro",)]


def test_a_deleted_person_says_nothing(tmp_path: Path, clean: Run) -> None:
    plan = PLAN + "person_properties: {plan: {class: enum, values: [free, pro]}}\n"
    rows = [row(person_properties=None), row(uuid="e2", distinct_id=UUID, person_properties=None)]
    deleted = [person(is_deleted=True), person(UUID, is_deleted=1)]
    result = clean(lines_of(tmp_path / "e.jsonl", [*rows, *deleted]), posthog(), plan)
    assert result.outcomes == {"event": 2, "names nobody": 2}
    assert people(result) == 2 and result.rows("FROM person") == []


def test_bad_persons_are_counted(tmp_path: Path, clean: Run) -> None:
    rows = [
        person(properties="not an object"),
        person(properties=[1, 2]),
        json.dumps(person()).replace('"email"', '"plan"'),
        json.dumps(person())[:-2],
        person(person_id=None),
        person(None),
        person(""),
        person(person_version="many"),
        person(person_version=-5),
        person(person_version=10**30),
        person(properties=None),
        person(is_deleted="true"),
    ]
    result = clean(lines_of(tmp_path / "p.jsonl", rows), posthog(), PLAN)
    assert result.outcomes == {
        "unusable properties": 3,
        "malformed JSON": 1,
        "event without a name": 3,
        "identify": 8,
        "names nobody": 1,
    }
    assert result.lines == 12
    texts = ("[1]", '"text"', '{"a":1,"a":2}', '{"a": ', "null", "{}")
    table = pa.Table.from_pylist([person() | {"properties": text} for text in texts])
    parquet.write_table(table, tmp_path / "p.parquet")
    result = clean(tmp_path / "p.parquet", posthog_parquet(), PLAN)
    assert result.outcomes == {"unusable properties": 4, "identify": 4}


def test_a_table_of_neither_events_nor_persons_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    parquet.write_table(pa.table({"distinct_id": ["u1"], "properties": ["{}"], "event": ["x"]}), path)
    with pytest.raises(WrongColumns, match="no column 'uuid', 'timestamp'"):
        list(frame_table(path, posthog_parquet().reader))


def test_persons_are_recognised() -> None:
    texts = tuple(json.dumps(each) for each in PERSONS)
    assert "persons" in (recognise(Sample("p.jsonl", texts, tuple(PERSONS))) or "")
    assert "persons" in (recognise_parquet(Sample("p", columns=tuple(PERSONS[0]), parquet=True)) or "")
    assert "persons" not in (recognise(Sample("e.jsonl", texts, tuple(ROWS))) or "")


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
