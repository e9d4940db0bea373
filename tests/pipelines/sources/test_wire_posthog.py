"""Requests that real PostHog clients sent, and requests nobody should send."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import CALLS, COUNTS, PAGES, PERSONAL

from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.wire.posthog import posthog_wire, recognise

Run = Callable[..., Any]

FLAGS = """
  $feature_flag_called:
    properties: {$feature_flag_response: {class: enum, values: [test, control], column: variant}}"""
PLAN = PAGES + "      session_id: {class: id, domain: session}" + FLAGS + CALLS
#: Flags called are the clients' experiments viewed.
JOURNEY = {("$feature_flag_called" if name == "Experiment Viewed" else name): n for name, n in COUNTS.items()}


@pytest.mark.parametrize("client", ["py_posthog", "node_posthog"])
def test_the_journey_as_told_to_a_server_client(data: Path, clean: Run, client: str) -> None:
    result = clean(data / "tracker_captures" / f"{client}.jsonl", posthog_wire(), PLAN)
    counted = result.rows("SELECT event, count(*), count(DISTINCT event_id) FROM events GROUP BY 1")
    # The refused request was sent again: each event is there once, with one id.
    assert {event: n for event, n, _ in counted} == JOURNEY
    assert all(n == ids for _, n, ids in counted)
    assert result.outcomes["refused request"] == 1 and result.outcomes["alias"] == 3
    assert result.outcomes["identify"] == 3 and result.outcomes["group"] == 1
    assert result.lines == {"py_posthog": 30, "node_posthog": 7}[client]
    variants = "SELECT variant, count(*) FROM events WHERE variant IS NOT NULL GROUP BY 1"
    assert dict(result.rows(variants)) == {"test": 1, "control": 1}
    first, last = result.rows("SELECT min(occurred_at), max(occurred_at) FROM events")[0]
    assert dt.datetime(2026, 3, 2, 9) <= first < last < dt.datetime(2026, 4, 1)
    orders = "SELECT event, revenue, order_id FROM events WHERE event LIKE 'Order%' ORDER BY occurred_at"
    refund, order = result.rows(orders)
    assert refund[:2] == ("Order Refunded", -25.0) and order[:2] == ("Order Completed", 25.0)
    assert refund[2] == order[2]
    # Four people once devices are joined with their users, six ids before; each client names them the other way round.
    assert result.rows("SELECT count(DISTINCT actor) FROM events") == [(6,)]
    assert people(result) == 4
    late = "SELECT max(abs(epoch(occurred_at) - epoch(client_at))) FROM events"
    assert result.rows(late)[0][0] < 60
    assert not [text for text in PERSONAL if text in result.stored()]


def people(result: Any) -> int:
    """Counts people by giving every device to the user it was last seen with."""
    links = "SELECT device, arg_max(person_actor, last_at) FROM links GROUP BY 1"
    owner = dict(result.rows(links))
    return len({owner.get(actor, actor) for (actor,) in result.rows("SELECT DISTINCT actor FROM events")})


def test_the_journey_in_a_browser(data: Path, clean: Run) -> None:
    result = clean(data / "tracker_captures" / "browser_posthog.jsonl", posthog_wire(), PLAN)
    counted = dict(result.rows("SELECT event, count(*) FROM events GROUP BY 1"))
    assert counted == {
        "Page Viewed": 6, "Product Viewed": 2, "$feature_flag_called": 2, "Signed Up": 2,
        "Product Added": 2, "Checkout Started": 2, "Order Completed": 2,
    }  # fmt: skip
    assert result.lines == 11
    assert result.outcomes["request without events"] == 4
    assert result.outcomes["identify"] == 2 and result.outcomes["undeclared event"] == 2
    assert people(result) == 2
    assert result.rows(
        "SELECT count(DISTINCT session_id), count(*) FROM events WHERE session_id IS NOT NULL"
    ) == [(2, 6)]
    assert not [text for text in PERSONAL if text in result.stored()]


@pytest.mark.parametrize("client", ["py_posthog", "node_posthog", "browser_posthog"])
def test_captures_are_recognised(data: Path, client: str) -> None:
    lines = (data / "tracker_captures" / f"{client}.jsonl").read_text(encoding="utf-8").splitlines()
    reason = recognise(Sample(f"{client}.jsonl", tuple(lines), tuple(json.loads(line) for line in lines)))
    assert reason and "phc_test_key" not in reason
    for other in ("py_segment", "node_rudder"):
        lines = (data / "tracker_captures" / f"{other}.jsonl").read_text(encoding="utf-8").splitlines()
        assert recognise(Sample("a", tuple(lines), tuple(json.loads(line) for line in lines))) is None


UUID = "01a200c6-be38-7faa-8d41-694f56539b67"
OTHER = "01a200c6-d3e3-77d2-8877-b79b17fd0aaf"


def request(body: Any, **changes: Any) -> str:
    envelope = {"received_at": "2026-03-02T10:00:10.000Z", "responded": 200, "path": "/batch/", "body": body}
    return json.dumps(envelope | changes)


def call(event: Any = "Signed Up", distinct_id: Any = "u1", **changes: Any) -> dict[str, Any]:
    properties = changes.pop("properties", {})
    base = {"event": event, "distinct_id": distinct_id, "uuid": "m1", "timestamp": "2026-03-02T09:00:00Z"}
    return base | {"properties": properties} | changes


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "line, outcome, event"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    con = shape(path, posthog_wire())
    rows: list[tuple[Any, ...]] = con.execute(f"SELECT {columns} FROM shape").fetchall()
    return rows


def test_every_line_is_accounted_for(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request({"batch": [call(), call("$pageview"), 7, call("$screen"), call(properties=[1]), call(None)]}),
        request(call(), path="/capture/"),
        request([call(), call("x")], path="/e/"),
        request({"data": [call()]}, path="/i/v0/e/"),
        request({"batch": [call()]}, responded=503),
        request({"batch": []}),
        request("text"),
        request(None, path="/array/phc_x/config"),
        request({"distinct_id": "u1"}, path="/flags/"),
        request({"distinct_id": "u1"}),
        "[1]",
        '{"body": ',
        "",
        request({"batch": "none"}),
        request({"batch": [call()]}, responded="soon"),
    )
    assert rows == [
        (1, "event", "Signed Up"),
        (1, "event", "Page Viewed"),
        (1, "not a JSON object", None),
        (1, "event", "Screen Viewed"),
        (1, "unusable properties", "Signed Up"),
        (1, "event", None),
        (2, "event", "Signed Up"),
        (3, "event", "Signed Up"),
        (3, "event", "x"),
        (4, "event", "Signed Up"),
        (5, "refused request", None),
        (6, "empty request", None),
        (7, "not a tracker request", None),
        (8, "request without events", None),
        (9, "request without events", None),
        (10, "not a tracker request", None),
        (11, "not a tracker request", None),
        (12, "malformed JSON", None),
        (13, "blank", None),
        (14, "not a tracker request", None),
        (15, "event", "Signed Up"),
    ]


def test_whose_an_id_is(tmp_path: Path, shape: Run) -> None:
    calls = [
        call(properties={"$device_id": UUID, "$user_id": "u1"}),
        call(properties={"$device_id": UUID}),
        call(distinct_id=UUID, properties={"$device_id": UUID}),
        # After a logout the browser makes a new id and keeps the one of the device: nobody is logged in.
        call(distinct_id=OTHER, properties={"$device_id": UUID, "$is_identified": False}),
        # A product whose own ids look anonymous, too.
        call(distinct_id=OTHER, properties={"$device_id": UUID, "$is_identified": True}),
        # Servers know of no device.
        call(distinct_id="u1"),
        call(distinct_id=UUID),
        call(distinct_id="visitor 7", properties={"$process_person_profile": False}),
        # Where the id is among the properties.
        call(distinct_id=None, properties={"distinct_id": "u1", "$anon_distinct_id": UUID}),
        call(distinct_id=None),
    ]
    assert read(tmp_path, shape, request({"batch": calls}), columns="user_raw, device_raw") == [
        ("u1", UUID),
        ("u1", UUID),
        (None, UUID),
        (None, OTHER),
        (OTHER, UUID),
        ("u1", None),
        (None, UUID),
        (None, "visitor 7"),
        ("u1", UUID),
        (None, None),
    ]


def test_who_is_who(tmp_path: Path, shape: Run) -> None:
    calls = [
        call(
            "$identify", "u1", properties={"$anon_distinct_id": UUID}, **{"$set": {"plan": "pro", "age": 7}}
        ),
        call(
            "$set", "u1", properties={"$set": {"plan": "free"}, "$set_once": {"plan": "none", "via": "mail"}}
        ),
        # Both ways round, as clients send it.
        call("$create_alias", "u1", properties={"alias": UUID}),
        call("$create_alias", UUID, properties={"alias": "u1"}),
        call("$merge_dangerously", "u1", properties={"alias": "u2"}),
        call(
            "$groupidentify",
            "g",
            properties={"$group_type": "company", "$group_key": "c1", "$group_set": {"size": 9}},
        ),
        call("$groupidentify", "g", properties={"$group_type": "team", "$group_key": "t1"}),
        call("Used", "u1", properties={"$groups": {"company": "c1", "team": "t1"}}),
        # A person whose id looks anonymous is also the device as which servers know it.
        call("$identify", OTHER, properties={"$anon_distinct_id": UUID}),
        call("$identify", OTHER),
    ]
    columns = "outcome, user_raw, device_raw, alias_raw, account_raw, traits"
    rows = read(tmp_path, shape, request({"batch": calls}), columns=columns)
    assert rows[:-1] == [
        ("identify", "u1", UUID, None, None, {"plan": "pro", "age": "7"}),
        ("identify", "u1", None, None, None, {"plan": "free", "via": "mail"}),
        ("alias", "u1", None, UUID, None, None),
        ("alias", "u1", None, UUID, None, None),
        ("alias", "u1", None, "u2", None, None),
        ("group", None, None, None, "c1", {"size": "9"}),
        ("group", None, None, None, None, None),
        ("event", "u1", None, None, "c1", None),
        ("identify", OTHER, UUID, None, None, None),
        ("identify", OTHER, OTHER, None, None, None),
    ]
    assert rows[-1] == ("identify", OTHER, OTHER, None, None, None)


def test_clocks(tmp_path: Path, shape: Run) -> None:
    # The client's clock is an hour slow: it says 09:00:00 at 10:00:10 minus five seconds under way.
    rows = read(
        tmp_path,
        shape,
        request({"batch": [call()], "sent_at": "2026-03-02T09:00:05Z"}),
        request({"batch": [call(timestamp="2026-03-02T10:00:00+01:00")], "sent_at": "2026-03-02T09:00:05Z"}),
        request([call(timestamp=None, offset=3000)]),
        request([call()], query={"_": "1772442005000"}),
        request({"batch": [call()]}),
        request({"batch": [call(timestamp=None)]}),
        request({"batch": [call()], "sent_at": "soon"}),
        request({"batch": [call(properties={"$ignore_sent_at": True})], "sent_at": "2026-03-02T09:00:05Z"}),
        request({"batch": [call(timestamp=1772442000000)], "sent_at": "2026-03-02T09:00:05Z"}),
        request({"batch": [call()], "sent_at": "infinity"}),
        columns="occurred_at, client_at",
    )
    nine, ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10)
    five, seven, ten_s = (dt.timedelta(seconds=n) for n in (5, 7, 10))
    assert rows == [
        (ten + five, nine),
        (ten + five, nine),
        (ten + seven, None),
        (ten + five, nine),
        (nine, nine),
        (ten + ten_s, None),
        (nine, nine),
        (nine, nine),
        (ten + ten_s, dt.datetime(2026, 3, 2, 9, 0, 5)),
        (nine, nine),
    ]


def test_what_a_page_carries(tmp_path: Path, shape: Run) -> None:
    page = {
        "$current_url": "https://shop.example.com/",
        "$referrer": "$direct",
        "title": "Home",
        "$session_id": "s1",
        "$raw_user_agent": "Mozilla/5.0",
        "$ip": "203.0.113.7",
    }
    rows = read(
        tmp_path,
        shape,
        request(
            [
                call("$pageview", properties=page),
                call("x", properties=page | {"url": "own", "session_id": "own"}),
            ]
        ),
        columns="map_extract_value(properties, 'url'), properties['referrer'], properties['title'], "
        "properties['session_id'], user_agent, address",
    )
    assert rows == [
        ("https://shop.example.com/", None, "Home", "s1", "Mozilla/5.0", "203.0.113.7"),
        ("own", None, "Home", "own", "Mozilla/5.0", "203.0.113.7"),
    ]


def test_a_retry_keeps_its_id(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    sent = request({"batch": [call(), call(uuid="m2"), call(uuid=None, properties={"$insert_id": "m3"})]})
    path.write_text(sent + "\n" + sent + "\n", encoding="utf-8")
    result = clean(path, posthog_wire(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(6, 3)]
