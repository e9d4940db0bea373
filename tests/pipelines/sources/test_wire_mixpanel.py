"""Requests that real Mixpanel clients sent, and requests nobody should send."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import CALLS, COUNTS, FUNNEL, PAGES, PERSONAL, people

from headway_pipelines.sources.formats import RECOGNISERS
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.wire.mixpanel import mixpanel_wire

Run = Callable[..., Any]

PLAN = PAGES + CALLS + "  Imported Old Event: {}\n"
TOLD = (*PERSONAL, "Dupont", "Acme", "s3cr3t", "4111", "88aa1d87", "3e6a7ad7")


@pytest.mark.parametrize("client", ["py_mixpanel", "node_mixpanel"])
def test_the_journey_as_told_to_a_server_client(data: Path, clean: Run, client: str) -> None:
    result = clean(data / "tracker_captures" / f"{client}.jsonl", mixpanel_wire(), PLAN)
    counted = result.rows("SELECT event, count(*), count(DISTINCT event_id) FROM events GROUP BY 1")
    python = client == "py_mixpanel"
    assert {event: n for event, n, _ in counted} == COUNTS | ({"Imported Old Event": 1} if python else {})
    assert all(n == ids for _, n, ids in counted)
    # The Python client was told to link by $identify events, the other one by aliases; both set properties of profiles.
    assert result.outcomes["alias"] == (0 if python else 3)
    assert result.outcomes["identify"] == (3 + 4 if python else 4)
    assert result.outcomes["group"] == (1 if python else 0)
    assert result.lines == (31 if python else 29)
    assert set(result.outcomes) <= {"event", "alias", "identify", "group", "undeclared event"}
    first, last = result.rows(
        "SELECT min(occurred_at), max(occurred_at) FROM events WHERE event <> 'Imported Old Event'"
    )[0]
    assert first == dt.datetime(2026, 3, 2, 9) and last == dt.datetime(2026, 3, 9, 9)
    if python:
        assert result.rows("SELECT occurred_at FROM events WHERE event = 'Imported Old Event'") == [
            (dt.datetime(2026, 1, 31, 9),)
        ]
    orders = "SELECT event, revenue, order_id FROM events WHERE event LIKE 'Order%' ORDER BY occurred_at"
    refund, order = result.rows(orders)
    assert refund[:2] == ("Order Refunded", -25.0) and order[:2] == ("Order Completed", 25.0)
    assert refund[2] == order[2]
    assert people(result) == 4
    assert [people(result, step) for step in FUNNEL] == [4, 2, 2, 2, 1]
    assert not [text for text in TOLD if text in result.stored()]


def test_the_journey_in_a_browser(data: Path, clean: Run) -> None:
    result = clean(data / "tracker_captures" / "browser_mixpanel.jsonl", mixpanel_wire(), PLAN)
    counted = dict(result.rows("SELECT event, count(*) FROM events GROUP BY 1"))
    # Six pages by autocapture, and four that the page itself reported as well.
    assert counted == {
        "Page Viewed": 10, "Product Viewed": 2, "Experiment Viewed": 2, "Signed Up": 2,
        "Product Added": 2, "Checkout Started": 2, "Order Completed": 2,
    }  # fmt: skip
    assert result.outcomes["identify"] == 2 + 4 and result.lines == 12
    assert people(result) == 2
    assert dict(
        result.rows("SELECT url, count(*) FROM events WHERE event = 'Page Viewed' GROUP BY 1")
    ).keys() == {
        "shop.example.com/",
        "shop.example.com/…",
        "shop.example.com/checkout",
    }
    assert result.rows("SELECT count(*) FROM events WHERE utm_source = 'newsletter'") == [(1,)]
    # The clock of the page is taken from the request's own time: on its way for less than two seconds.
    late = "SELECT min(epoch(occurred_at - client_at)), max(epoch(occurred_at - client_at)) FROM events"
    least, most = result.rows(late)[0]
    assert 0 < least <= most < 0.2
    assert not [text for text in TOLD if text in result.stored()]


def test_a_browser_is_told_from_a_library(data: Path, shape: Run) -> None:
    agents = "SELECT DISTINCT left(user_agent, 11) FROM shape"
    browser = shape(data / "tracker_captures" / "browser_mixpanel.jsonl", mixpanel_wire())
    assert browser.execute(agents).fetchall() == [("Mozilla/5.0",)]
    server = shape(data / "tracker_captures" / "py_mixpanel.jsonl", mixpanel_wire())
    assert server.execute(agents).fetchall() == [(None,)]


def request(path: str, body: Any = None, **changes: Any) -> str:
    envelope = {"received_at": "2026-03-02T10:00:10.000Z", "responded": 200, "path": path, "body": body}
    return json.dumps(envelope | changes)


def track(**properties: Any) -> dict[str, Any]:
    given = {"time": 1772442000, "distinct_id": "u1", "$insert_id": "i1", "token": "t"}
    return {"event": "Signed Up", "properties": given | properties}


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "line, outcome, event"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    con = shape(path, mixpanel_wire(account="company"))
    rows: list[tuple[Any, ...]] = con.execute(f"SELECT {columns} FROM shape ORDER BY line").fetchall()
    return rows


def test_every_way_to_carry_calls(tmp_path: Path, shape: Run) -> None:
    call = track(note="ü ~~~ ???>>>")
    standard = packed(call)
    assert "+" in standard or "/" in standard
    rows = read(
        tmp_path,
        shape,
        request("/track", {"data": call}),
        request("/track/", {"data": [call, call]}),
        request("https://proxy.example.com/mp/track?verbose=1", {"data": json.dumps(call)}),
        request("/track", {"data": standard}),
        request("/track", query={"data": standard}),
        request("/track", query={"data": standard.replace("+", " ").rstrip("=")}),
        request("/track", query={"data": standard.replace("+", "-").replace("/", "_")}),
        request("/import", [call]),
        request("/import", call),
        request("/import", json.dumps(call) + "\n" + json.dumps(call) + "\n"),
        request(
            "/track", "verbose=1&data=" + standard.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        ),
        columns="line, outcome, event, properties['note']",
    )
    twice = {2, 10}
    assert rows == [
        (line, "event", "Signed Up", "ü ~~~ ???>>>")
        for line in range(1, 12)
        for _ in range(1 + (line in twice))
    ]


def test_every_line_is_accounted_for(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request("/track", {"data": [track(), 7, None, [track()], "x", {"event": "Signed Up"}, {}]}),
        request("/track", {"data": [{"event": "E", "properties": [1]}, {"event": "E", "properties": "x"}]}),
        request("/track", {"data": {"event": "E", "properties": "?"}}).replace('"?"', '{"a": 1, "a": 2}'),
        request("/track", {"data": track()}, responded=503),
        request("/track", {"data": []}),
        request("/track", {"data": ""}),
        request("/track"),
        request("/track", {"data": "%%%"}),
        request("/track", {"data": packed("x")[:-3] + "*"}),
        request("/track", {"data": base64.b64encode(b"\xff\xfe").decode()}),
        request("/track", {"data": base64.b64encode(b"{not json").decode()}),
        request("/track", {"data": packed("text")}),
        request("/track", {"data": 7}),
        request("/engage", {"data": {"$distinct_id": "u1", "$set": [1]}}),
        request("/engage", {"data": {"$distinct_id": "u1", "$set_once": "x"}}),
        request("/engage", {"data": {"$distinct_id": "u1", "$append": {"a": 1}}}),
        request("/decide", {"data": track()}),
        request("/track", {"data": track()}).replace('"/track"', "null"),
        "[1]",
        '{"path": ',
        "",
        json.dumps(track()),
    )
    assert rows == [
        (1, "event", "Signed Up"),
        (1, "not a JSON object", None),
        (1, "not a JSON object", None),
        (1, "not a JSON object", None),
        (1, "not a JSON object", None),
        (1, "not a Mixpanel event", None),
        (1, "not a Mixpanel event", None),
        (2, "unusable properties", None),
        (2, "unusable properties", None),
        (3, "unusable properties", "E"),
        (4, "refused request", None),
        (5, "empty request", None),
        (6, "empty request", None),
        (7, "empty request", None),
        (8, "malformed base64", None),
        (9, "malformed base64", None),
        (10, "malformed base64", None),
        (11, "malformed JSON", None),
        (12, "not a JSON object", None),
        (13, "malformed base64", None),
        (14, "unusable properties", None),
        (15, "unusable properties", None),
        (16, "identify", None),
        (17, "not a tracker request", None),
        (18, "not a tracker request", None),
        (19, "not a tracker request", None),
        (20, "malformed JSON", None),
        (21, "blank", None),
        (22, "not a tracker request", None),
    ]


def test_profiles_and_groups(tmp_path: Path, shape: Run) -> None:
    profile = {
        "$distinct_id": "u1",
        "$device_id": "d1",
        "$set": {"plan": "pro"},
        "$set_once": {"plan": "free", "since": 1},
    }
    rows = read(
        tmp_path,
        shape,
        request("/engage", {"data": profile | {"$time": 1772442000.5, "$ip": "203.0.113.9"}}),
        request("/engage", {"data": {"$distinct_id": "$device:d1", "$set": {"plan": "pro"}}}),
        request("/groups", {"data": {"$group_key": "company", "$group_id": "g1", "$set": {"seats": 5}}}),
        request("/track", {"data": track(company='["g1", "g2"]')}),
        columns="outcome, user_raw, device_raw, account_raw, traits, occurred_at, address",
    )
    nine, ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10, 0, 10)
    half = nine + dt.timedelta(seconds=0.5)
    assert rows == [
        ("identify", "u1", "d1", None, {"since": "1", "plan": "pro"}, half, "203.0.113.9"),
        ("identify", None, "d1", None, {"plan": "pro"}, ten, None),
        ("group", None, None, "g1", {"seats": "5"}, ten, None),
        ("event", "u1", None, "g1", None, nine, None),
    ]


def test_clocks(tmp_path: Path, shape: Run) -> None:
    # 2026-03-02 09:00:00 in the client's clock; the request left at 09:00:05 of that clock.
    rows = read(
        tmp_path,
        shape,
        request("/track", {"data": track()}, query={"_": "1772442005000"}),
        request("/track", {"data": track()}),
        # No request leaves before what it tells of.
        request("/track", {"data": track()}, query={"_": "1"}),
        request("/track", {"data": track(time=1772442000000)}),
        request("/track", {"data": track(time=1772442000.25)}),
        request("/track", {"data": track(time=None)}),
        request("/track", {"data": track(time="soon")}, query={"_": "soon"}),
        columns="occurred_at, client_at",
    )
    nine, ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10, 0, 10)
    quarter = nine + dt.timedelta(seconds=0.25)
    assert rows == [
        (ten - dt.timedelta(seconds=5), nine),
        (nine, nine),
        (nine, nine),
        (nine, nine),
        (quarter, quarter),
        (ten, None),
        (ten, None),
    ]


def test_a_retry_keeps_its_id(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    calls = {"data": [track(), track(**{"$insert_id": "i2"}), track(time=None)]}
    sent = [
        request("/track", calls, received_at=f"2026-03-02T10:00:1{n}Z", query={"_": f"177244200{n}000"})
        for n in (0, 5)
    ]
    path.write_text("\n".join(sent), encoding="utf-8")
    result = clean(path, mixpanel_wire(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(6, 3)]


def test_ids_that_are_none(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    ids = (
        {"distinct_id": ""},
        {"distinct_id": None},
        {"distinct_id": "$device:"},
        {"distinct_id": "undefined"},
    )
    path.write_text(request("/track", {"data": [track(**each) for each in ids]}), encoding="utf-8")
    assert clean(path, mixpanel_wire(), PLAN).outcomes == {"no usable id": 4}


OF_SERVERS = {"amplitude": "amplitude_wire", "mixpanel": "mixpanel_wire"}


def test_captures_are_known_by_their_own_recogniser(data: Path) -> None:
    for path in sorted((data / "tracker_captures").glob("*.jsonl")):
        lines = tuple(path.read_text(encoding="utf-8").splitlines()[:20])
        sample = Sample(path.name, lines, tuple(json.loads(each) for each in lines))
        tried = ("amplitude", "amplitude_wire", "mixpanel", "mixpanel_pipeline", "mixpanel_wire")
        known = [name for name in tried if RECOGNISERS[name](sample)]
        own = OF_SERVERS.get(path.stem.split("_")[1])
        assert known == ([own] if own else []), path.name


def test_nothing_is_made_up_of_strange_lines() -> None:
    strange: tuple[dict[str, Any], ...] = (
        {},
        {"event": "x", "properties": [1]},
        {"path": 7, "responded": 200, "body": [], "query": None},
        {"responded": 200, "body": {"events": [1, None]}},
        {"responded": 200, "body": {"events": {}}},
    )
    for line in strange:
        assert not [name for name, knows in RECOGNISERS.items() if knows(Sample("a", ("...",), (line,)))]
