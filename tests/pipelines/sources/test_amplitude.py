"""Amplitude's export: times, ids, properties, merges."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from headway_pipelines.sources.amplitude import amplitude

Run = Callable[..., Any]

PLAN = "\n  Page Viewed: {}\n  Signed Up: {}"
NINE = dt.datetime(2026, 3, 2, 9)


def line(**changes: Any) -> dict[str, Any]:
    """One event of the export, cut to the fields that are read and some that are not."""
    given: dict[str, Any] = {
        "$insert_id": "i1",
        "amplitude_id": 1,
        "app": 187520,
        "city": "Berlin",
        "client_event_time": "2026-03-02 09:00:00.000000",
        "client_upload_time": "2026-03-02 09:00:01.000000",
        "data": {"first_event": True},
        "device_id": "d1",
        "event_id": 7,
        "event_properties": {"amount": 5, "deep": {"a": [1]}},
        "event_time": "2026-03-02 09:00:00.000000",
        "event_type": "Signed Up",
        "group_properties": {},
        "groups": {},
        "ip_address": "203.0.113.9",
        "server_received_time": "2026-03-02 09:00:02.000000",
        "session_id": 1772442000000,
        "user_id": None,
        "user_properties": {},
        "uuid": "f4d527be-fe98-11e8-a527-0205484b2e0a",
    }
    return given | changes


def write(tmp_path: Path, *lines: dict[str, Any] | str) -> Path:
    path = tmp_path / "187520_2026-03-02_9#1.json"
    text = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines)
    path.write_text(text, encoding="utf-8")
    return path


def read(tmp_path: Path, shape: Run, columns: str, *lines: dict[str, Any] | str) -> Sequence[tuple[Any, ...]]:
    con = shape(write(tmp_path, *lines), amplitude())
    rows: list[tuple[Any, ...]] = con.execute(f"SELECT {columns} FROM shape ORDER BY line").fetchall()
    return rows


def test_an_event(tmp_path: Path, shape: Run) -> None:
    columns = "outcome, event, user_raw, device_raw, account_raw, message_id"
    columns += ", occurred_at, client_at, received_at, address"
    [row] = read(tmp_path, shape, columns, line(groups={"company": ["g1", "g2"]}, user_id="u1"))
    received = NINE + dt.timedelta(seconds=2)
    assert row == ("event", "Signed Up", "u1", "d1", "g1", "d1\x1fi1", NINE, NINE, received, "203.0.113.9")


def test_properties(tmp_path: Path, shape: Run) -> None:
    viewed = {
        "[Amplitude] Page Location": "https://shop.example.com/?a=1",
        "[Amplitude] Page Title": "Home",
        "[Amplitude] Page URL": "https://shop.example.com/",
        "title": "own",
    }
    rows = read(
        tmp_path,
        shape,
        "event, properties, traits",
        line(user_properties={"plan": "pro", "tags": ["a"]}),
        line(session_id=-1, event_properties={}),
        line(event_type="[Amplitude] Page Viewed", event_properties=viewed, session_id=None),
        line(event_type="Page viewed", event_properties=None),
        line(event_type="[Amplitude] Screen Viewed", event_properties={"session_id": "own"}),
        line(event_type="[Amplitude] Start Session", event_properties={}),
    )
    session = {"session_id": "1772442000000"}
    assert rows == [
        (
            "Signed Up",
            session | {"amount": "5", "deep": '{"a":[1]}'},
            {"plan": "pro", "tags": '["a"]'},
        ),
        ("Signed Up", {}, {}),
        ("Page Viewed", {"url": "https://shop.example.com/?a=1"} | viewed, {}),
        ("Page Viewed", session, {}),
        ("Screen Viewed", {"session_id": "own"}, {}),
        ("[Amplitude] Start Session", session, {}),
    ]


@pytest.mark.parametrize(
    ("changes", "occurred"),
    [
        ({}, NINE),
        ({"event_time": "2026-03-02T08:00:00.000001"}, dt.datetime(2026, 3, 2, 8, 0, 0, 1)),
        ({"event_time": "2026-03-02T10:00:00+01:00"}, NINE),
        # Without Amplitude's correction the client's clock, which was a second slow, is corrected by the same rule.
        ({"event_time": None}, NINE + dt.timedelta(seconds=1)),
        ({"event_time": "", "client_upload_time": "2026-03-01 09:00:02"}, NINE + dt.timedelta(days=1)),
        ({"event_time": None, "client_upload_time": None}, NINE),
        ({"event_time": None, "server_received_time": None}, NINE),
        ({"event_time": "soon", "client_event_time": None}, None),
        ({"event_time": {}, "client_event_time": []}, None),
    ],
)
def test_times(tmp_path: Path, shape: Run, changes: dict[str, Any], occurred: dt.datetime | None) -> None:
    assert read(tmp_path, shape, "occurred_at", line(**changes)) == [(occurred,)]


def test_what_is_said_of_people_and_groups(tmp_path: Path, shape: Run) -> None:
    operations = {
        "$set": {"plan": "pro"},
        "$setOnce": {"plan": "free", "since": 1},
        "$add": {"n": 1},
        "$unset": {"x": "-"},
    }
    rows = read(
        tmp_path,
        shape,
        "outcome, event, user_raw, account_raw, properties, traits",
        line(event_type="$identify", user_id="u1", user_properties=operations),
        line(event_type="$identify", user_id="u1", user_properties={"plan": "pro"}),
        line(event_type="$identify", user_id="u1", user_properties=None),
        line(event_type="$groupidentify", groups={"org": "g1"}, group_properties=operations),
        line(
            event_type="$groupidentify",
            groups={"org": "g1"},
            group_properties={"org": {"g1": {"seats": 5}, "g2": {}}},
        ),
        line(event_type="$groupidentify", groups={"org": 'g"1'}, group_properties={"seats": 5}),
        line(event_type="$groupidentify", groups=None, group_properties=None),
    )
    assert rows == [
        ("identify", None, "u1", None, None, {"plan": "pro", "since": "1"}),
        ("identify", None, "u1", None, None, {"plan": "pro"}),
        ("identify", None, "u1", None, None, None),
        ("group", None, None, "g1", None, {"plan": "pro", "since": "1"}),
        ("group", None, None, "g1", None, {"seats": "5"}),
        ("group", None, None, 'g"1', None, {"seats": "5"}),
        ("group", None, None, None, None, None),
    ]


def test_keys_of_copies(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        "message_id",
        line(),
        line(**{"$insert_id": None, "insert_id": "i2"}),
        line(**{"$insert_id": ""}),
        line(**{"$insert_id": None}, uuid=None),
        line(device_id=None, user_id="u1"),
    )
    assert rows == [
        ("d1\x1fi1",),
        ("d1\x1fi2",),
        ("f4d527be-fe98-11e8-a527-0205484b2e0a",),
        (None,),
        ("u1\x1fi1",),
    ]


def test_every_line_is_accounted_for(tmp_path: Path, clean: Run) -> None:
    lines: list[dict[str, Any] | str] = [
        line(),
        line(event_type="Never Declared"),
        line(event_type=None),
        line(user_id="", device_id="", amplitude_id=None),
        line(user_id="undefined", device_id="0", amplitude_id=0),
        line(event_time=None, client_event_time=None),
        line(event_time="1970-01-21 12:20:42.000000"),
        line(event_properties=["a list"]),
        line(user_properties="text"),
        json.dumps(line(event_properties="?")).replace('"?"', '{"a": 1, "a": 2}'),
        {},
        "[1]",
        "7",
        '{"event_type": "Signed',
        "",
        {"amplitude_id": 1, "merged_amplitude_id": 1, "merge_event_time": 1772442000000},
        {"amplitude_id": None, "merged_amplitude_id": 1, "merge_event_time": 1772442000000},
    ]
    result = clean(write(tmp_path, *lines), amplitude(), PLAN)
    assert result.outcomes == {
        "event": 1,
        "undeclared event": 1,
        "event without a name": 2,
        "no usable id": 2,
        "no valid time": 1,
        "time in another unit (seconds read as milliseconds?)": 1,
        "unusable properties": 3,
        "not a JSON object": 2,
        "malformed JSON": 1,
        "blank": 1,
        "alias without two ids": 2,
    }
    assert result.lines == len(lines) == sum(result.outcomes.values())


def people(result: Any) -> int:
    """Counts people by joining ids one link at a time."""
    group = {actor: {actor} for (actor,) in result.rows("SELECT DISTINCT actor FROM events")}
    said = (
        "SELECT device, person_actor FROM links WHERE device IS NOT NULL "
        "UNION SELECT other, person_actor FROM links WHERE other IS NOT NULL"
    )
    for device, user in result.rows(said):
        together = group.get(device, {device}) | group.get(user, {user})
        for actor in together:
            group[actor] = together
    actors = [actor for (actor,) in result.rows("SELECT DISTINCT actor FROM events")]
    return len({min(map(str, group[actor])) for actor in actors})


def merge(from_: int, into: int, **changes: Any) -> dict[str, Any]:
    return {
        "scope": 1,
        "merge_time": 1772442000000,
        "amplitude_id": from_,
        "merged_amplitude_id": into,
    } | changes


def test_a_merge(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        "outcome, user_raw, alias_raw, device_raw, occurred_at",
        merge(2, 1),
        merge(2, 1, merge_time=None, merge_event_time="2026-03-02 09:00:00.000"),
        merge(2, 1, merge_time=1772442000),
        merge(2, 1, merge_time=None, merge_server_time=1772442000000),
    )
    assert rows == [("alias", "amplitude_id:1", "amplitude_id:2", None, NINE)] * 4


def test_merges_join_what_no_event_joins(tmp_path: Path, clean: Run) -> None:
    # One person on two devices: the second one is anonymous in all that was exported, and so is a third.
    events = [
        line(device_id="d1", amplitude_id=1, user_id="u1"),
        line(device_id="d2", amplitude_id=2, event_type="Page Viewed"),
        line(device_id="d3", amplitude_id=3, event_type="Page Viewed"),
        line(device_id="d4", amplitude_id=4, event_type="Page Viewed"),
        line(device_id="d5", amplitude_id=5, user_id="u2"),
    ]
    assert people(clean(write(tmp_path, *events), amplitude(), PLAN)) == 5
    # 3 became 2 before 2 became 1
    result = clean(write(tmp_path, *events, merge(3, 2), merge(2, 1)), amplitude(), PLAN)
    assert people(result) == 3
    assert result.outcomes == {"event": 5, "alias": 2}
    # In a file of its own, and read first, it says the same.
    (tmp_path / "merged").mkdir()
    merged = write(tmp_path / "merged", merge(3, 2), merge(2, 1))
    assert people(clean([merged, write(tmp_path, *events)], amplitude(), PLAN)) == 3
    assert "amplitude_id" not in result.stored()


def test_amplitude_ids_are_told_from_users(tmp_path: Path, clean: Run) -> None:
    events = [line(device_id="d1", amplitude_id=1, user_id="u1"), line(device_id="d2", amplitude_id=2)]
    result = clean(write(tmp_path, *events, merge(3, 2)), amplitude(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT person_actor) FROM links WHERE device IS NULL") == [
        (3, 3)
    ]


def test_without_any_other_id_the_amplitude_id_acts(tmp_path: Path, clean: Run) -> None:
    events = [
        line(device_id=None, amplitude_id=number, **{"$insert_id": str(place)})
        for place, number in enumerate((1, 1, 2))
    ]
    result = clean(write(tmp_path, *events), amplitude(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT actor) FROM events") == [(3, 2)]
    assert result.rows("FROM links") == []
