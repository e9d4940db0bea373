"""Mixpanel's raw export and its JSON pipelines: times, ids, aliases, keys of copies."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from headway.errors import DefinitionError
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.mixpanel import mixpanel, mixpanel_pipeline
from headway_pipelines.sources.shape import Source

Run = Callable[..., Any]

PLAN = "\n  Page Viewed: {}\n  Signed Up: {properties: {plan: {class: enum, values: [pro, free]}}}"
NINE = dt.datetime(2026, 3, 2, 9)
UUID = "a1e0c0de-0000-4000-8000-00000000000"
#: The made-up ids of older clients of Mixpanel.
OLD = "16a3f0c2b1d3a4-0b1c2d3e4f5a6b-12345678-1fa400-16a3f0c2b1e5f6"


def line(event: str | None = "Signed Up", **properties: Any) -> dict[str, Any]:
    given = {
        "time": 1772442000,
        "distinct_id": "u1",
        "$insert_id": "i1",
        "mp_processing_time_ms": 1772442002000,
    }
    return {"event": event, "properties": given | properties}


def row(**changes: Any) -> dict[str, Any]:
    given = {
        "event_name": "Signed Up",
        "time": "2026-03-02 09:00:00.000 UTC",
        "user_id": "u1",
        "device_id": "d1",
        "distinct_id": "u1",
        "insert_id": "i1",
        "properties": {"plan": "pro"},
    }
    return given | changes


def write(tmp_path: Path, *lines: dict[str, Any] | str, name: str = "export.jsonl") -> Path:
    path = tmp_path / name
    text = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines)
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, shape: Run, columns: str, source: Source) -> Sequence[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = (
        shape(path, source).execute(f"SELECT {columns} FROM shape ORDER BY line").fetchall()
    )
    return rows


def the(text: str) -> Source:
    (source,) = parse_sources("sources: {s: " + text + "}")
    return source


#: 09:00 UTC on 2 March is 10:00 in Berlin. Exports of older projects write what Berlin's clocks show as if it were UTC.
LOCAL = 1772442000 + 3600


@pytest.mark.parametrize("written", ["export", "pipeline"])
@pytest.mark.parametrize(
    ("options", "time", "occurred"),
    [
        ("", 1772442000, NINE),
        ("", 1772442000000, NINE),
        ("", "1772442000.25", NINE + dt.timedelta(seconds=0.25)),
        (", unit: s", 1772442000, NINE),
        (", unit: ms", 1772442000250, NINE + dt.timedelta(seconds=0.25)),
        (", unit: ms", 1772442000, dt.datetime(1970, 1, 21, 12, 20, 42)),
        (", timezone: Europe/Berlin", LOCAL, NINE),
        (", timezone: Europe/Berlin", LOCAL * 1000, NINE),
        # in summer Berlin is two hours ahead
        (", timezone: Europe/Berlin", 1782896400 + 7200, dt.datetime(2026, 7, 1, 9)),
        ("", None, None),
        ("", "soon", None),
        ("", {"a": 1}, None),
    ],
)
def test_times(
    tmp_path: Path, shape: Run, written: str, options: str, time: object, occurred: dt.datetime | None
) -> None:
    export = written == "export"
    path = write(tmp_path, line(time=time) if export else row(time=time))
    source = the(f"{{format: {'mixpanel' if export else 'mixpanel_pipeline'}{options}}}")
    assert read(path, shape, "occurred_at", source) == [(occurred,)]


@pytest.mark.parametrize(
    ("timezone", "time", "occurred"),
    [
        ("UTC", "2026-03-02 09:00:00 UTC", NINE),
        ("UTC", "2026-03-02T09:00:00.5", NINE + dt.timedelta(seconds=0.5)),
        ("Europe/Berlin", "2026-03-02 10:00:00", NINE),
        ("Europe/Berlin", "2026-03-02T09:00:00Z", NINE),
        ("Europe/Berlin", "2026-03-02 09:00:00 UTC", NINE),
    ],
)
def test_written_times_of_pipelines(
    tmp_path: Path, shape: Run, timezone: str, time: str, occurred: dt.datetime
) -> None:
    path = write(tmp_path, row(time=time))
    assert read(path, shape, "occurred_at", mixpanel_pipeline(timezone=timezone)) == [(occurred,)]


def test_a_wrong_unit_is_named(tmp_path: Path, clean: Run) -> None:
    path = write(tmp_path, line(), line(time=1772442000000))
    late = "time in another unit (milliseconds read as seconds?)"
    early = "time in another unit (seconds read as milliseconds?)"
    assert clean(path, mixpanel(unit="s"), PLAN).outcomes == {"event": 1, late: 1}
    assert clean(path, mixpanel(unit="ms"), PLAN).outcomes == {"event": 1, early: 1}
    assert clean(path, mixpanel(), PLAN).outcomes == {"event": 2}


def test_who(tmp_path: Path, shape: Run) -> None:
    given: list[dict[str, Any]] = [
        {},
        {"$user_id": "u2", "$device_id": "d1"},
        {"$device_id": "d1"},
        {"distinct_id": "$device:d1", "$device_id": "d1"},
        {"distinct_id": "$device:d1"},
        {"distinct_id": "d1", "$device_id": "d1"},
        {"distinct_id": "$device:d1", "$device_id": "d1", "$user_id": ""},
        {"distinct_id": 7},
        {"distinct_id": ""},
        {"distinct_id": None},
    ]
    path = write(tmp_path, *(line(**each) for each in given))
    rows = read(path, shape, "user_raw, device_raw", mixpanel())
    assert rows == [
        ("u1", None),
        ("u2", "d1"),
        ("u1", "d1"),
        (None, "d1"),
        (None, "d1"),
        (None, "d1"),
        (None, "d1"),
        ("7", None),
        ("", None),
        (None, None),
    ]
    columns = "user_raw, device_raw"
    path = write(
        tmp_path, row(), row(user_id=None, distinct_id="$device:d1"), row(user_id="", device_id=None)
    )
    assert read(path, shape, columns, mixpanel_pipeline()) == [("u1", "d1"), (None, "d1"), ("u1", None)]


def test_calls_that_say_who_somebody_is(tmp_path: Path, shape: Run) -> None:
    lines = [
        line("$identify", **{"$identified_id": "u1", "$anon_id": UUID + "1"}),
        line("$identify", **{"$user_id": "u1", "$anon_distinct_id": "$device:d1", "$device_id": "d1"}),
        line("$identify", **{"$device_id": "d1"}),
        line("$create_alias", alias=UUID + "1"),
        # The other way round, as older clients do.
        line("$create_alias", distinct_id=UUID + "1", alias="u1"),
        line("$create_alias", distinct_id=OLD, alias="u1"),
        line("$create_alias", distinct_id="$device:d1", alias="u1"),
        line("$create_alias", distinct_id=UUID + "1", alias=UUID + "2"),
        line("$create_alias", distinct_id="$device:" + UUID + "1", alias=UUID + "2"),
        line("$merge", **{"$distinct_ids": ["$device:d1", "u1"]}),
        line("$merge", **{"$distinct_ids": ["u1", "u2"]}),
        line("$merge", **{"$distinct_ids": ["$device:d1", "$device:d2"]}),
        line("$merge", **{"$distinct_ids": ["u1"]}),
        line("$merge", **{"$distinct_ids": ["u1", "u2", "u3"]}),
        line("$merge", **{"$distinct_ids": ["u1", "u1"]}),
        line("$merge", **{"$distinct_ids": ["u1", None]}),
        line("$merge", **{"$distinct_ids": "u1"}),
        line("$merge"),
        line("$create_alias"),
        line("$create_alias", alias=""),
    ]
    rows = read(
        write(tmp_path, *lines), shape, "outcome, user_raw, coalesce(alias_raw, device_raw)", mixpanel()
    )
    assert rows[:11] == [
        ("identify", "u1", UUID + "1"),
        ("identify", "u1", "d1"),
        ("identify", "u1", "d1"),
        ("alias", "u1", UUID + "1"),
        ("alias", "u1", UUID + "1"),
        ("alias", "u1", OLD),
        ("alias", "u1", "d1"),
        ("alias", UUID + "1", UUID + "2"),
        ("alias", UUID + "2", UUID + "1"),
        ("alias", "u1", "d1"),
        ("alias", "u1", "u2"),
    ]
    assert [outcome for outcome, _, _ in rows[11:]] == ["alias of two devices"] + [
        "alias without two ids"
    ] * 8


def test_an_event_exported_in_seconds_and_in_milliseconds_is_one(tmp_path: Path, clean: Run) -> None:
    # In the second export the person's canonical id has changed; what was ingested has not.
    renamed: dict[str, Any] = {
        "distinct_id": "u1",
        "$distinct_id_before_identity": "$device:d1",
        "time": 1772442000250,
    }
    first = write(tmp_path, line(distinct_id="$device:d1"), line(**{"$insert_id": "i2"}), name="a.jsonl")
    second = write(tmp_path, line(**renamed), line("Page Viewed"), line(time=1772442001), name="b.jsonl")
    result = clean([first, second], mixpanel(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(5, 4)]


def test_properties(tmp_path: Path, shape: Run) -> None:
    page = {
        "$current_url": "https://shop.example.com/",
        "$referrer": "https://www.example.org/",
        "ip": "203.0.113.9",
    }
    lines = [
        line(token="t", plan="pro", deep={"a": [1]}, none=None, **{"$user_id": "u1", "$device_id": "d1"}),
        line("$mp_web_page_view", current_page_title="Home", **page),
        line("mp_page_view", url="own", title=None, current_page_title="Home", **page),
    ]
    rows = read(write(tmp_path, *lines), shape, "event, properties, address, received_at", mixpanel())
    kept = {name: value for name, value in page.items() if name != "ip"}
    own = {"url": page["$current_url"], "referrer": page["$referrer"]}
    received = NINE + dt.timedelta(seconds=2)
    assert rows == [
        ("Signed Up", {"plan": "pro", "deep": '{"a":[1]}', "none": None}, None, received),
        (
            "Page Viewed",
            {"current_page_title": "Home", "title": "Home"} | kept | own,
            "203.0.113.9",
            received,
        ),
        (
            "Page Viewed",
            {"url": "own", "title": None, "current_page_title": "Home", "referrer": own["referrer"]} | kept,
            "203.0.113.9",
            received,
        ),
    ]


def test_accounts(tmp_path: Path, shape: Run) -> None:
    path = write(tmp_path, line(company="g1"), line(company=["g1", "g2"]), line(company="[broken"), line())
    assert read(path, shape, "account_raw", mixpanel(account="company")) == [
        ("g1",),
        ("g1",),
        (None,),
        (None,),
    ]
    path = write(tmp_path, row(properties={"it's": "g1"}))
    assert read(path, shape, "account_raw", mixpanel_pipeline(account="it's")) == [("g1",)]


def test_rows_of_pipelines(tmp_path: Path, shape: Run) -> None:
    lines = [
        row(),
        row(properties=json.dumps({"plan": "free"})),
        row(properties=None),
        row(event_name="$identify", properties={"$identified_id": "u1", "$anon_id": "d2"}),
        {"distinct_id": UUID + "1", "resolved_distinct_id": "u1"},
        {"distinct_id": "$device:d3", "resolved_distinct_id": "u1"},
        {"distinct_id": "u1", "resolved_distinct_id": "u1"},
        {"distinct_id": "u1", "properties": {"$email": "ada@example.com", "plan": "pro"}},
    ]
    columns = "outcome, event, user_raw, coalesce(alias_raw, device_raw), properties, traits, occurred_at"
    rows = read(write(tmp_path, *lines), shape, columns, mixpanel_pipeline())
    ever, beginning = dt.datetime(1970, 1, 1), dt.datetime(1990, 1, 1)
    assert rows == [
        ("event", "Signed Up", "u1", "d1", {"plan": "pro"}, None, NINE),
        ("event", "Signed Up", "u1", "d1", {"plan": "free"}, None, NINE),
        ("event", "Signed Up", "u1", "d1", {}, None, NINE),
        ("identify", None, "u1", "d2", {}, None, NINE),
        ("alias", None, "u1", UUID + "1", None, None, ever),
        ("alias", None, "u1", "d3", None, None, ever),
        ("identify", None, "u1", None, None, None, ever),
        ("identify", None, "u1", None, None, {"$email": "ada@example.com", "plan": "pro"}, beginning),
    ]


def test_what_a_profile_says_holds_from_the_beginning(tmp_path: Path, clean: Run) -> None:
    plan = PLAN + "\nperson_properties: {plan: {class: enum, values: [free, pro]}}\n"
    profile = {"distinct_id": "u1", "properties": {"plan": "pro"}}
    result = clean([write(tmp_path, row(), profile)], mixpanel_pipeline(), plan)
    assert result.outcomes == {"event": 1, "identify": 1}
    assert result.dropped == {}
    assert result.rows("SELECT property, value, valid_from FROM person") == [
        ("plan", "pro", dt.datetime(1990, 1, 1))
    ]


def test_mappings_join_what_no_event_joins(tmp_path: Path, clean: Run) -> None:
    anonymous = row(user_id=None, device_id=None, distinct_id="$device:d1", insert_id="i2")
    events = write(tmp_path, row(device_id=None), anonymous, name="events.json")
    mapping = write(
        tmp_path, {"distinct_id": "$device:d1", "resolved_distinct_id": "u1"}, name="mapping.json"
    )
    result = clean([events, mapping], mixpanel_pipeline(), PLAN)
    assert result.outcomes == {"event": 2, "alias": 1}
    acted = "IN (SELECT actor FROM events)"
    linked = f"SELECT count(*) FROM links WHERE device {acted} AND person_actor {acted}"
    assert result.rows(linked) == [(1,)]


COMMON = ["[1]", "7", '{"event": "Signed', "", " "]


@pytest.mark.parametrize(
    "source", [mixpanel(), mixpanel(timezone="Asia/Kolkata", account="x")], ids=["plain", "options"]
)
def test_every_line_is_accounted_for(tmp_path: Path, clean: Run, source: Source) -> None:
    lines: list[dict[str, Any] | str] = [
        line(),
        line("Never Declared"),
        line(None),
        line(distinct_id=""),
        line(distinct_id="undefined"),
        line(time=None),
        line(time=[1]),
        line(time=4102444800),
        {"event": "Signed Up", "properties": ["a list"]},
        {"event": "Signed Up", "properties": "text"},
        '{"event": "Signed Up", "properties": {"a": 1, "a": 2}}',
        {"event": "Signed Up", "properties": None},
        {"event": "Signed Up"},
        {},
        *COMMON,
    ]
    result = clean(write(tmp_path, *lines), source, PLAN)
    assert result.outcomes == {
        "event": 1,
        "undeclared event": 1,
        "event without a name": 1,
        "no usable id": 2,
        "no valid time": 2,
        "time in the future": 1,
        "unusable properties": 3,
        "not a Mixpanel event": 3,
        "not a JSON object": 2,
        "malformed JSON": 1,
        "blank": 2,
    }
    assert result.lines == len(lines)


def test_every_row_of_a_pipeline_is_accounted_for(tmp_path: Path, clean: Run) -> None:
    lines: list[dict[str, Any] | str] = [
        row(),
        row(properties="{}"),
        row(properties="no object"),
        row(properties='{"a": 1, "a": 2}'),
        row(properties=[1]),
        json.dumps(row(properties="?")).replace('"?"', '{"a": 1, "a": 2}'),
        row(user_id="", distinct_id="", device_id=""),
        row(time=None),
        {"distinct_id": "u1"},
        {"properties": {}},
        {},
        *COMMON,
    ]
    result = clean(write(tmp_path, *lines), mixpanel_pipeline(), PLAN)
    assert result.outcomes == {
        "event": 2,
        "unusable properties": 4,
        "no usable id": 1,
        "no valid time": 1,
        "not a Mixpanel row": 3,
        "not a JSON object": 2,
        "malformed JSON": 1,
        "blank": 2,
    }
    assert result.lines == len(lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("timezone: Europe/Berln", "unknown time zone 'Europe/Berln'.*'Europe/Berlin'"),
        ("unit: us", "unit"),
        ("account: ''", "account"),
        ("untit: s", r"unknown key.*did you mean 'unit'"),
    ],
)
def test_wrong_options_name_their_line(options: str, message: str) -> None:
    with pytest.raises(DefinitionError, match="sources.yml:1: sources.s.*" + message):
        the(f"{{format: mixpanel, {options}}}")
