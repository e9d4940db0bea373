"""Requests that real Segment clients sent, and requests nobody should send."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import CALLS, COUNTS, PAGES, PERSONAL, people

from headway_pipelines.sources.wire.segment import segment_wire

Run = Callable[..., Any]

PLAN = PAGES + CALLS


@pytest.mark.parametrize("client", ["py_segment", "node_segment"])
def test_the_journey_as_told_to_a_server_client(data: Path, clean: Run, client: str) -> None:
    result = clean(data / "tracker_captures" / f"{client}.jsonl", segment_wire(), PLAN)
    counted = result.rows("SELECT event, count(*), count(DISTINCT event_id) FROM events GROUP BY 1")
    # The refused request was sent again: each event is there once, with one id.
    assert {event: n for event, n, _ in counted} == COUNTS
    assert all(n == ids for _, n, ids in counted)
    assert result.outcomes["refused request"] == 1 and result.outcomes["alias"] == 3
    assert result.outcomes["identify"] == 3 and result.outcomes["group"] == 1
    assert result.lines == 11
    assert dict(result.rows("SELECT variant, count(*) FROM events WHERE variant IS NOT NULL GROUP BY 1")) == {
        "test": 1,
        "control": 1,
    }
    first, last = result.rows("SELECT min(occurred_at), max(occurred_at) FROM events")[0]
    assert dt.datetime(2026, 3, 2, 9) <= first < last < dt.datetime(2026, 4, 1)
    orders = "SELECT event, revenue, order_id FROM events WHERE event LIKE 'Order%' ORDER BY occurred_at"
    refund, order = result.rows(orders)
    assert refund[:2] == ("Order Refunded", -25.0) and order[:2] == ("Order Completed", 25.0)
    assert refund[2] == order[2]
    # Four people once devices are joined with their users, six ids before.
    assert people(result) == 4
    # The clock correction is what the request was on its way for: well under a minute.
    late = "SELECT max(abs(epoch(occurred_at) - epoch(client_at))) FROM events"
    assert result.rows(late)[0][0] < 60
    assert not [text for text in PERSONAL if text in result.stored()]


def test_the_journey_in_a_browser(data: Path, clean: Run) -> None:
    result = clean(data / "tracker_captures" / "browser_segment.jsonl", segment_wire(), PLAN)
    counted = dict(result.rows("SELECT event, count(*) FROM events GROUP BY 1"))
    assert counted == {
        "Page Viewed": 6, "Product Viewed": 2, "Experiment Viewed": 2, "Signed Up": 2,
        "Product Added": 2, "Checkout Started": 2, "Order Completed": 2,
    }  # fmt: skip
    assert result.outcomes["identify"] == 2 and result.lines == 22
    assert result.outcomes["undeclared event"] == 2
    assert people(result) == 2
    assert not [text for text in PERSONAL if text in result.stored()]


def request(body: Any, **changes: Any) -> str:
    envelope = {"received_at": "2026-03-02T10:00:10.000Z", "responded": 200, "body": body}
    return json.dumps(envelope | changes)


def call(**changes: Any) -> dict[str, Any]:
    base = {
        "type": "track",
        "event": "Signed Up",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": "2026-03-02T09:00:00Z",
    }
    return base | changes


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "line, outcome, event"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    con = shape(path, segment_wire())
    rows: list[tuple[Any, ...]] = con.execute(f"SELECT {columns} FROM shape").fetchall()
    return rows


def test_every_line_is_accounted_for(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request({"batch": [call(), call(type="page"), 7, call(type="ping"), call(properties=[1])]}),
        request(call(type="screen")),
        request({"batch": [call()]}, responded=503),
        request({"batch": []}),
        request("text"),
        request(None),
        "[1]",
        '{"body": ',
        "",
        request({"batch": "none"}),
    )
    assert rows == [
        (1, "event", "Signed Up"),
        (1, "event", "Page Viewed"),
        (1, "not a JSON object", None),
        (1, "unknown call type", None),
        (1, "unusable properties", "Signed Up"),
        (2, "event", "Screen Viewed"),
        (3, "refused request", None),
        (4, "empty request", None),
        (5, "not a tracker request", None),
        (6, "not a tracker request", None),
        (7, "not a tracker request", None),
        (8, "malformed JSON", None),
        (9, "blank", None),
        (10, "not a tracker request", None),
    ]


def test_clocks(tmp_path: Path, shape: Run) -> None:
    # The client's clock is an hour slow: it says 09:00:00 at 10:00:10 minus five seconds under way.
    slow = {"batch": [call()], "sentAt": "2026-03-02T09:00:05Z"}
    rows = read(
        tmp_path,
        shape,
        request(slow),
        request({"batch": [call(timestamp="2026-03-02T10:00:00+01:00")], "sentAt": "2026-03-02T09:00:05Z"}),
        request({"batch": [call(sentAt="2026-03-02T09:00:02Z")], "sentAt": "2026-03-02T09:00:05Z"}),
        request({"batch": [call()]}),
        request({"batch": [call(timestamp=None)]}),
        request({"batch": [call()], "sentAt": "soon"}),
        columns="occurred_at, client_at",
    )
    nine, ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10)
    five, eight, ten_s = (dt.timedelta(seconds=n) for n in (5, 8, 10))
    assert rows == [
        (ten + five, nine),
        (ten + five, nine),
        (ten + eight, nine),
        (nine, nine),
        (ten + ten_s, None),
        (nine, nine),
    ]


def test_a_retry_keeps_its_id(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    sent = request({"batch": [call(), call(messageId="m2")]})
    path.write_text(sent + "\n" + sent + "\n", encoding="utf-8")
    result = clean(path, segment_wire(), PLAN)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(4, 2)]
