"""Requests that real Amplitude clients sent, and requests nobody should send."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import CALLS, COUNTS, FUNNEL, PAGES, PERSONAL, people

from headway_pipelines.sources.wire.amplitude import amplitude_wire

Run = Callable[..., Any]

PLAN = PAGES + "      session_id: {class: id, domain: session}\n" + CALLS
TOLD = (*PERSONAL, "Dupont", "s3cr3t", "4111", "Testville")


@pytest.mark.parametrize("client", ["py_amplitude", "node_amplitude"])
def test_the_journey_as_told_to_a_server_client(data: Path, clean: Run, client: str) -> None:
    result = clean(data / "tracker_captures" / f"{client}.jsonl", amplitude_wire(), PLAN)
    counted = result.rows("SELECT event, count(*), count(DISTINCT event_id) FROM events GROUP BY 1")
    # The refused request was sent again: each event is there once, with one id.
    assert {event: n for event, n, _ in counted} == COUNTS
    assert all(n == ids for _, n, ids in counted)
    python = client == "py_amplitude"
    assert result.outcomes["identify"] == 3
    assert result.outcomes.get("refused request", 0) == (1 if python else 0)
    assert result.lines == (11 if python else 9)
    first, last = result.rows("SELECT min(occurred_at), max(occurred_at) FROM events")[0]
    # Client and server ran on one machine: the clock correction is what the request was on its way for.
    assert abs(first - dt.datetime(2026, 3, 2, 9)) < dt.timedelta(seconds=1)
    assert abs(last - dt.datetime(2026, 3, 9, 9)) < dt.timedelta(seconds=1)
    orders = "SELECT event, revenue, order_id FROM events WHERE event LIKE 'Order%' ORDER BY occurred_at"
    refund, order = result.rows(orders)
    assert refund[:2] == ("Order Refunded", -25.0) and order[:2] == ("Order Completed", 25.0)
    assert refund[2] == order[2]
    assert result.rows("SELECT count(session_id), count(DISTINCT session_id) FROM events") == [(6, 2)]
    assert people(result) == 4
    assert [people(result, step) for step in FUNNEL] == [4, 2, 2, 2, 1]
    assert not [text for text in TOLD if text in result.stored()]


def test_what_is_said_of_people(data: Path, shape: Run) -> None:
    con = shape(data / "tracker_captures" / "py_amplitude.jsonl", amplitude_wire())
    columns = "user_raw, traits['plan'], traits['name'], map_keys(traits)"
    said = con.execute(f"SELECT {columns} FROM shape WHERE outcome = 'identify' ORDER BY 1").fetchall()
    # logins was counted up, which says nothing without the value before
    keys = ["plan", "email", "name", "phone"]
    assert said == [
        ("user-1001", "pro", "Ada Fixture", keys),
        ("user-1002", "free", "Bob Sample", keys),
        ("user-1003", "free", "Chloé Dupont", keys),
    ]


def request(body: Any, **changes: Any) -> str:
    envelope = {"received_at": "2026-03-02T10:00:10.000Z", "responded": 200, "body": body}
    return json.dumps(envelope | changes)


def event(**changes: Any) -> dict[str, Any]:
    given = {
        "event_type": "Signed Up",
        "user_id": "u1",
        "device_id": "d1",
        "insert_id": "i1",
        "time": 1772442000000,
    }
    return given | changes


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "line, outcome, event"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    con = shape(path, amplitude_wire())
    rows: list[tuple[Any, ...]] = con.execute(f"SELECT {columns} FROM shape ORDER BY line").fetchall()
    return rows


def test_every_line_is_accounted_for(tmp_path: Path, shape: Run) -> None:
    twice = request({"events": [event(event_properties="?")]}).replace('"?"', '{"a": 1, "a": 2}')
    rows = read(
        tmp_path,
        shape,
        request({"events": [event(), 7, None, [event()], "x", event(event_properties=[1]), {}]}),
        request(
            {
                "events": [
                    event(user_properties=[1]),
                    event(group_properties="x"),
                    event(event_properties=None),
                ]
            }
        ),
        twice,
        request({"events": [event()]}, responded=503),
        request({"events": []}),
        request({"events": "none"}),
        request({"events": event()}),
        request("text"),
        request(None),
        "[1]",
        '{"body": ',
        "",
        json.dumps(event()),
    )
    assert rows == [
        (1, "event", "Signed Up"),
        (1, "not a JSON object", None),
        (1, "not a JSON object", None),
        (1, "not a JSON object", None),
        (1, "not a JSON object", None),
        (1, "unusable properties", "Signed Up"),
        (1, "event", None),
        (2, "unusable properties", "Signed Up"),
        (2, "unusable properties", "Signed Up"),
        (2, "event", "Signed Up"),
        (3, "unusable properties", "Signed Up"),
        (4, "refused request", None),
        (5, "empty request", None),
        (6, "not a tracker request", None),
        (7, "not a tracker request", None),
        (8, "not a tracker request", None),
        (9, "not a tracker request", None),
        (10, "not a tracker request", None),
        (11, "malformed JSON", None),
        (12, "blank", None),
        (13, "not a tracker request", None),
    ]


def test_clocks(tmp_path: Path, shape: Run) -> None:
    # The client's clock is an hour slow: it says 09:00:00 at 10:00:10 minus five seconds under way.
    rows = read(
        tmp_path,
        shape,
        request({"events": [event()], "client_upload_time": "2026-03-02T09:00:05.000Z"}),
        request({"events": [event()]}),
        request({"events": [event(time=None)]}),
        request({"events": [event(time="soon")], "client_upload_time": "soon"}),
        columns="occurred_at, client_at",
    )
    nine, ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10)
    five, ten_s = dt.timedelta(seconds=5), dt.timedelta(seconds=10)
    assert rows == [(ten + five, nine), (nine, nine), (ten + ten_s, None), (ten + ten_s, None)]


def test_groups_and_sessions(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request({"events": [event(groups={"company": "g1"}, session_id=1772442000000)]}),
        request({"events": [event(groups={"company": ["g2", "g3"], "team": "t1"}, session_id=-1)]}),
        request({"events": [event(groups=[1], event_properties={"session_id": "own"}, session_id=5)]}),
        request(
            {
                "events": [
                    event(
                        event_type="$groupidentify",
                        groups={"company": "g1"},
                        group_properties={
                            "$set": {"seats": 5},
                            "$setOnce": {"seats": 1, "since": 2020},
                            "$add": {"n": 1},
                        },
                    )
                ]
            }
        ),
        columns="outcome, account_raw, properties, traits",
    )
    assert rows == [
        ("event", "g1", {"session_id": "1772442000000"}, None),
        ("event", "g2", {}, None),
        ("event", None, {"session_id": "own"}, None),
        ("group", "g1", None, {"seats": "5", "since": "2020"}),
    ]


def test_a_retry_keeps_its_id(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    sent = request({"events": [event(), event(insert_id="i2"), event(device_id="d2"), event(insert_id="")]})
    path.write_text(sent + "\n" + sent + "\n", encoding="utf-8")
    result = clean(path, amplitude_wire(), PLAN)
    # What has no id of its own is told apart by counting: twice sent is two events.
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(8, 5)]


def test_ids_that_are_none(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    ids = (("", ""), (None, None), ("undefined", "0"), ("-1", "00000000-0000-0000-0000-000000000000"))
    calls = [event(user_id=user, device_id=device) for user, device in ids]
    path.write_text(request({"events": calls}), encoding="utf-8")
    assert clean(path, amplitude_wire(), PLAN).outcomes == {"no usable id": 4}
