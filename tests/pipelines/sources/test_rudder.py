"""RudderStack: its calls are Segment's, with a session and traits in the context."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import COUNTS, FUNNEL, PAGES, PERSONAL, counted, people_per_step, persons

from headway_pipelines.sources import rudder as rudder_lines
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.rudder import rudder
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.segment import segment
from headway_pipelines.sources.wire import rudder as rudder_requests
from headway_pipelines.sources.wire.rudder import rudder_wire

Run = Callable[..., Any]

PLAN = (
    PAGES
    + """
  Product Viewed: {properties: {price: {class: number}}}
  Experiment Viewed: {properties: {variant: {class: enum, values: [test, control]}}}
  Signed Up: {}
  Product Added: {}
  Checkout Started: {}
  Order Completed: {properties: {revenue: {class: number}, order_id: {class: id, domain: order}}}
  Order Refunded: {properties: {revenue: {class: number}, order_id: {class: id, domain: order}}}
"""
)
CALL = {
    "type": "track",
    "event": "Signed Up",
    "userId": "u1",
    "anonymousId": "d1",
    "messageId": "m1",
    "channel": "web",
    "originalTimestamp": "2026-03-02T09:00:00Z",
    "sentAt": "2026-03-02T09:00:05Z",
}


@pytest.mark.parametrize("client", ["py_rudder", "node_rudder"])
def test_the_journey_as_told_to_a_server_client(data: Path, clean: Run, client: str) -> None:
    result = clean(data / "tracker_captures" / f"{client}.jsonl", rudder_wire(), PLAN)
    assert counted(result) == COUNTS
    # The refused request was sent again: each event is there once, with one id.
    assert result.rows("SELECT count(*) - count(DISTINCT event_id) FROM events") == [(0,)]
    assert result.outcomes["refused request"] == 1 and result.outcomes["undeclared event"] == 4
    assert (result.outcomes["identify"], result.outcomes["alias"]) == (3, 3)
    first, last = result.rows("SELECT min(occurred_at), max(occurred_at) FROM events")[0]
    assert dt.datetime(2026, 3, 2, 9) <= first < last < dt.datetime(2026, 3, 10)
    orders = "SELECT event, revenue, order_id FROM events WHERE event LIKE 'Order%' ORDER BY occurred_at"
    refund, order = result.rows(orders)
    assert refund[:2] == ("Order Refunded", -25.0) and order[:2] == ("Order Completed", 25.0)
    assert refund[2] == order[2]
    assert len(set(persons(result).values())) == 4
    assert people_per_step(result, FUNNEL) == [4, 2, 2, 2, 1]
    assert not [text for text in PERSONAL if text in result.stored()]


@pytest.mark.parametrize("client", ["py_rudder", "node_rudder"])
def test_traits_are_said_in_the_context(data: Path, shape: Run, client: str) -> None:
    con = shape(data / "tracker_captures" / f"{client}.jsonl", rudder_wire())
    plans = "SELECT traits['plan'] FROM shape WHERE outcome = 'identify' ORDER BY occurred_at"
    assert con.execute(plans).fetchall() == [("pro",), ("free",), ("free",)]
    times = "SELECT occurred_at::DATE FROM shape WHERE outcome = 'alias' ORDER BY 1"
    # An alias was dated by its caller, whatever the client's own originalTimestamp says.
    assert [day.isoformat() for (day,) in con.execute(times).fetchall()] == [
        "2026-03-02",
        "2026-03-02",
        "2026-03-03",
    ]


def lines(tmp_path: Path, *calls: Any) -> Path:
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(call) + "\n" for call in calls), encoding="utf-8")
    return path


def test_what_surrounds_a_call(tmp_path: Path, shape: Run) -> None:
    context = {
        "sessionId": 1772442000,
        "page": {"url": "https://a.example/", "referrer": "", "title": "Home", "path": "/"},
        "traits": {"plan": "pro"},
        "userAgent": "Agent 1",
        "ip": "203.0.113.9",
    }
    path = lines(
        tmp_path,
        CALL | {"context": context, "properties": {"plan": "free", "title": "Mine"}},
        CALL | {"context": context, "properties": None},
        CALL | {"type": "identify", "context": context},
        CALL | {"type": "identify", "context": context, "traits": {"plan": "team"}},
        CALL | {"type": "group", "groupId": "g1", "context": context, "traits": {"seats": 3}},
        CALL,
    )
    columns = "SELECT outcome, properties, traits, account_raw FROM shape"
    around = {"session_id": "1772442000", "url": "https://a.example/"}
    assert shape(path, rudder()).execute(columns).fetchall() == [
        ("event", around | {"plan": "free", "title": "Mine"}, None, None),
        ("event", around | {"title": "Home"}, None, None),
        ("identify", None, {"plan": "pro"}, None),
        ("identify", None, {"plan": "team"}, None),
        ("group", None, {"seats": "3"}, "g1"),
        ("event", None, None, None),
    ]
    # Segment's calls take the page only where that is asked for.
    plain = shape(path, segment()).execute("SELECT properties FROM shape LIMIT 1").fetchall()
    assert plain == [({"plan": "free", "title": "Mine"},)]
    asked = shape(path, segment(page=True)).execute("SELECT properties['url'] FROM shape LIMIT 1").fetchall()
    assert asked == [("https://a.example/",)]
    (source,) = parse_sources("sources: {s: {format: segment, page: true}}")
    assert source.shape_sql == segment(page=True).shape_sql


def test_clocks(tmp_path: Path, shape: Run) -> None:
    nine, ten = "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"
    path = lines(
        tmp_path,
        # Sent five seconds after it happened, by a clock that is an hour slow.
        CALL | {"receivedAt": "2026-03-02T10:00:05Z"},
        CALL | {"receivedAt": "2026-03-02T10:00:05Z", "timestamp": "2026-03-02T10:00:01Z"},
        CALL,
        CALL | {"originalTimestamp": None, "timestamp": ten},
        CALL | {"originalTimestamp": [nine], "sentAt": 7},
    )
    found = shape(path, rudder()).execute("SELECT occurred_at, client_at FROM shape").fetchall()
    at_nine, at_ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10)
    assert found == [
        (at_ten, at_nine),
        (at_ten + dt.timedelta(seconds=1), at_nine),
        (at_nine, at_nine),
        (at_ten, at_ten),
        (None, None),
    ]


def test_broken_calls_are_counted(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "calls.jsonl"
    broken = [
        "[1]",
        '{"type": ',
        "",
        json.dumps(CALL | {"type": "ping"}),
        json.dumps(CALL | {"properties": [1]}),
    ]
    contexts: list[Any] = ["text", 7, [], {"page": [], "traits": "x", "sessionId": {}}]
    odd = [CALL | {"context": context} for context in contexts]
    path.write_text("\n".join([*broken, *map(json.dumps, odd)]) + "\n", encoding="utf-8")
    result = clean(path, rudder(), "\n  Signed Up: {}")
    assert result.outcomes == {
        "not a JSON object": 1,
        "malformed JSON": 1,
        "blank": 1,
        "unknown call type": 1,
        "unusable properties": 1,
        "event": 4,
    }


def test_requests_of_browsers_carry_one_call(tmp_path: Path, clean: Run) -> None:
    envelope = {"received_at": "2026-03-02T10:00:05Z", "responded": 200, "path": "/v1/track"}
    path = lines(
        tmp_path, envelope | {"body": CALL}, envelope | {"body": CALL}, envelope | {"body": {"batch": [7]}}
    )
    result = clean(path, rudder_wire(), "\n  Signed Up: {}")
    assert result.outcomes == {"event": 2, "not a JSON object": 1}
    when = "SELECT count(DISTINCT event_id), min(occurred_at), min(client_at) FROM events"
    assert result.rows(when) == [(1, dt.datetime(2026, 3, 2, 10), dt.datetime(2026, 3, 2, 9))]


def test_recognition() -> None:
    other = {name: value for name, value in CALL.items() if name != "channel"}
    assert "RudderStack" in (rudder_lines.recognise(Sample("a", ("",), (CALL,))) or "")
    assert "RudderStack" in (
        rudder_requests.recognise(Sample("a", ("",), ({"body": {"batch": [CALL]}},))) or ""
    )
    for line in (other, {}, {"type": "track", "messageId": "1", "channel": ["web"]}):
        assert rudder_lines.recognise(Sample("a", ("",), (line,))) is None
        assert rudder_requests.recognise(Sample("a", ("",), ({"body": line},))) is None
    bodies: list[Any] = [{"batch": {}}, {"batch": []}, [], None, "x"]
    for body in bodies:
        assert rudder_requests.recognise(Sample("a", ("",), ({"body": body},))) is None
