"""Requests that real Snowplow trackers sent, and requests nobody should send."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import COUNTS, FUNNEL, IN_A_BROWSER, PAGES, PERSONAL, counted, people_per_step, persons

from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.wire.snowplow import recognise, snowplow_wire

Run = Callable[..., Any]

NAMES = {
    "product_viewed": "Product Viewed",
    "experiment_viewed": "Experiment Viewed",
    "signed_up": "Signed Up",
    "product_added": "Product Added",
    "checkout_started": "Checkout Started",
}
PLAN = (
    PAGES
    + """
      session_id: {class: id, domain: session}
      page_view_id: {class: id, domain: page_view}
  Product Viewed: {properties: {price: {class: number}, product_id: {class: id, domain: product}}}
  Experiment Viewed: {properties: {variant: {class: enum, values: [test, control]}}}
  Signed Up: {properties: {plan: {class: enum, values: [pro, free], from: contexts.user.plan}}}
  Product Added: {}
  Checkout Started: {}
  Order Completed: &order
    properties:
      se_value: {class: number}
      se_category: {class: enum, values: [ecommerce]}
      se_label: {class: id, domain: order}
  Order Refunded: *order
"""
)


@pytest.mark.parametrize("client", ["py_snowplow", "node_snowplow"])
def test_the_journey_as_told_to_a_server_client(data: Path, clean: Run, client: str) -> None:
    result = clean(data / "tracker_captures" / f"{client}.jsonl", snowplow_wire(names=NAMES), PLAN)
    assert counted(result) == COUNTS
    # The refused request was sent again: each event is there once, with one id.
    assert result.rows("SELECT count(*) - count(DISTINCT event_id) FROM events") == [(0,)]
    assert result.outcomes["refused request"] == 1
    assert result.outcomes["undeclared event"] == 4
    assert result.rows(
        "SELECT variant, count(*) FROM events WHERE variant IS NOT NULL GROUP BY 1 ORDER BY 1"
    ) == [
        ("control", 1),
        ("test", 1),
    ]
    # The trackers were told when each event happened, which is not when they heard of it.
    first, last = result.rows("SELECT min(occurred_at), max(occurred_at) FROM events")[0]
    assert first == dt.datetime(2026, 3, 2, 9) and last == dt.datetime(2026, 3, 9, 9)
    orders = "SELECT event, se_value, se_label FROM events WHERE event LIKE 'Order%' ORDER BY occurred_at"
    refund, order = result.rows(orders)
    assert refund[:2] == ("Order Refunded", -25.0) and order[:2] == ("Order Completed", 25.0)
    assert refund[2] == order[2]
    plans = "SELECT plan FROM events WHERE event = 'Signed Up' ORDER BY occurred_at"
    assert result.rows(plans) == [("pro",), ("free",)]
    # Four people once devices are joined with their users, six ids before.
    assert len(set(persons(result).values())) == 4
    assert people_per_step(result, FUNNEL) == [4, 2, 2, 2, 1]
    assert not [text for text in PERSONAL if text in result.stored()]


def test_the_journey_in_a_browser(data: Path, clean: Run) -> None:
    result = clean(data / "tracker_captures" / "browser_snowplow.jsonl", snowplow_wire(names=NAMES), PLAN)
    assert counted(result) == IN_A_BROWSER
    assert len(set(persons(result).values())) == 2
    views = "SELECT count(DISTINCT page_view_id), count(DISTINCT session_id) FROM events WHERE event = 'Page Viewed'"
    assert result.rows(views) == [(6, 2)]
    # Sent when it happened, give or take the queue: the device's clock is ours.
    late = "SELECT max(abs(epoch(occurred_at) - epoch(client_at))), count(client_at) FROM events"
    ((seconds, times),) = result.rows(late)
    assert seconds < 1 and times == sum(IN_A_BROWSER.values())
    assert not [text for text in PERSONAL if text in result.stored()]


def test_browsers_are_known_by_their_header_and_servers_are_not(data: Path, shape: Run) -> None:
    agents = "SELECT DISTINCT user_agent FROM shape WHERE outcome = 'event' ORDER BY ALL"
    found = {}
    for client in ("py", "node", "browser"):
        con = shape(data / "tracker_captures" / f"{client}_snowplow.jsonl", snowplow_wire())
        found[client] = [agent for (agent,) in con.execute(agents).fetchall()]
    assert all(agent.startswith("Mozilla/") for agent in found["py"] + found["browser"])
    assert len(found["browser"]) == 2 and found["node"] == [None]


def request(*events: Any, **changes: Any) -> str:
    body = {
        "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
        "data": list(events),
    }
    return json.dumps({"received_at": "2026-03-02T10:00:10.000Z", "responded": 200, "body": body} | changes)


def event(kind: str = "pv", **changes: Any) -> dict[str, Any]:
    return {"e": kind, "eid": "e1", "duid": "d1", "dtm": "1772442000000", "stm": "1772442005000"} | changes


def described(name: str, data: Any) -> dict[str, Any]:
    return {"schema": f"iglu:com.example.shop/{name}/jsonschema/1-0-0", "data": data}


def envelope(data: Any) -> str:
    return json.dumps(
        {"schema": "iglu:com.snowplowanalytics.snowplow/any/jsonschema/1-0-0", "data": data},
        ensure_ascii=False,
    )


def url64(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text.encode() if isinstance(text, str) else text).decode()


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "line, outcome, event"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows: list[tuple[Any, ...]] = (
        shape(path, snowplow_wire()).execute(f"SELECT {columns} FROM shape").fetchall()
    )
    return rows


def test_every_kind_of_event(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request(
            event("pv"),
            event("pp", pp_miy="0", pp_may="400"),
            event("se", se_ca="video", se_ac="play"),
            event("se", se_ca="video"),
            event("ue", ue_pr=envelope(described("product_viewed", {"price": 2}))),
            event("ue", ue_px=url64(envelope(described("screen_view", {"name": "Home"})))),
            event("tr", tr_id="o1", tr_tt="9.90"),
            event("ti", ti_id="o1", ti_sk="sku", ti_pr="9.90"),
            event("ad"),
            event("se"),
        ),
        columns="outcome, event, properties['pp_yoffset_max'], properties['se_category'],"
        " properties['price'], properties['tr_total'], properties['ti_price']",
    )
    assert rows == [
        ("event", "Page Viewed", None, None, None, None, None),
        ("event", "Page Pinged", "400", None, None, None, None),
        ("event", "play", None, "video", None, None, None),
        ("event", "video", None, "video", None, None, None),
        ("event", "product_viewed", None, None, "2", None, None),
        ("event", "Screen Viewed", None, None, None, None, None),
        ("event", "transaction", None, None, None, "9.90", None),
        ("event", "transaction_item", None, None, None, None, "9.90"),
        ("unknown event type", None, None, None, None, None, None),
        ("event", None, None, None, None, None, None),
    ]


def test_every_line_is_accounted_for(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request(event(), 7, event("zz"), [event()]),
        request(event(), responded=503),
        request(),
        request(event(), body=None, query=event()),
        request(body="text"),
        request(body=None, query={}),
        request(body={"data": {"e": "pv"}}),
        "[1]",
        '{"body": ',
        "",
    )
    assert rows == [
        (1, "event", "Page Viewed"),
        (1, "not a JSON object", None),
        (1, "unknown event type", None),
        (1, "not a JSON object", None),
        (2, "refused request", None),
        (3, "empty request", None),
        (4, "event", "Page Viewed"),
        (5, "not a tracker request", None),
        (6, "not a tracker request", None),
        (7, "not a tracker request", None),
        (8, "not a tracker request", None),
        (9, "malformed JSON", None),
        (10, "blank", None),
    ]


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"ue_px": "%%%"}, "malformed base64"),
        ({"ue_px": "e"}, "malformed base64"),
        ({"ue_px": url64(b"\xff\xfe")}, "malformed base64"),
        ({"cx": "é"}, "malformed base64"),
        ({"ue_px": url64("{")}, "malformed event data"),
        ({"ue_pr": "{"}, "malformed event data"),
        ({"ue_pr": "[]"}, "unusable properties"),
        ({"ue_pr": envelope(described("x", [1]))}, "unusable properties"),
        ({"ue_pr": '{"data": {"schema": "iglu:a/b/c/1", "data": {"a": 1, "a": 2}}}'}, "unusable properties"),
        ({"co": "{"}, "malformed contexts"),
        ({"co": '"text"'}, "malformed contexts"),
        ({"co": '{"data": {"a": 1}}'}, "malformed contexts"),
        (
            {"cx": url64(envelope([7, None, {"schema": 7}, described("x", 7), {"schema": "x", "data": {}}]))},
            "event",
        ),
        ({"duid": {"a": 1}, "dtm": [1], "stm": "soon", "ttm": "9" * 30, "vid": 1}, "event"),
    ],
)
def test_broken_payloads_are_counted(tmp_path: Path, shape: Run, given: dict[str, Any], outcome: str) -> None:
    kind = "ue" if {"ue_px", "ue_pr"} & set(given) else "pv"
    ((found, contexts),) = read(
        tmp_path, shape, request(event(kind, **given)), columns="outcome, properties['contexts']"
    )
    assert (found, contexts) == (outcome, None)


def test_base64_with_and_without_padding(tmp_path: Path, shape: Run) -> None:
    # One to four letters more: every length of the last group, and letters that need - and _.
    texts = [envelope(described("x", {"v": "ÿ¿" + "a" * n})) for n in range(4)]
    encoded = [url64(text) for text in texts]
    assert any("-" in text or "_" in text for text in encoded) and any("=" in text for text in encoded)
    standard = [base64.b64encode(text.encode()).decode() for text in texts]
    sent = [*encoded, *(text.rstrip("=") for text in encoded), *standard]
    rows = read(tmp_path, shape, request(*(event("ue", ue_px=s) for s in sent)), columns="properties['v']")
    assert [value for (value,) in rows] == ["ÿ¿" + "a" * n for n in range(4)] * 3


def test_clocks(tmp_path: Path, shape: Run) -> None:
    # The device's clock is an hour slow: created at 09:00:00, sent at 09:00:05, received at 10:00:10.
    rows = read(
        tmp_path,
        shape,
        request(
            event(),
            event(ttm="1772445600000"),
            event(dtm="1772442006000"),
            event(stm=None),
            event(dtm=None, stm=None),
        ),
        columns="occurred_at, client_at",
    )
    nine, ten = dt.datetime(2026, 3, 2, 9), dt.datetime(2026, 3, 2, 10)
    at = {n: ten + dt.timedelta(seconds=n) for n in (5, 10)}
    assert rows == [
        (at[5], nine),
        (ten, nine),
        # Created after it was sent: such a clock tells nothing, so the event is as old as its request.
        (at[10], nine + dt.timedelta(seconds=6)),
        (at[10], nine),
        (at[10], None),
    ]


NOBODY = "00000000-0000-0000-0000-000000000000"


def test_who_acts(tmp_path: Path, shape: Run, clean: Run) -> None:
    session = envelope([described("client_session", {"userId": "phone", "sessionId": "s9"})])
    rows = read(
        tmp_path,
        shape,
        request(
            event(uid="u1", nuid="n1", sid="s1"),
            event(duid=NOBODY, nuid="n1"),
            event(duid=NOBODY, nuid="n1", tnuid="t1"),
            event(duid=None, nuid=NOBODY),
            event(duid=None, nuid="n1", co=session),
            event(duid="d1", co=session),
        ),
        columns="user_raw, device_raw, properties['session_id']",
    )
    assert rows == [
        ("u1", "d1", "s1"),
        (None, "n1", None),
        (None, "t1", None),
        (None, None, None),
        (None, "phone", "s9"),
        (None, "d1", "s9"),
    ]
    result = clean(tmp_path / "requests.jsonl", snowplow_wire(), PAGES)
    assert result.outcomes == {"event": 5, "no usable id": 1}


def test_contexts_of_one_name_are_numbered(tmp_path: Path, shape: Run) -> None:
    contexts = [
        described("product", {"id": 1}),
        described("web_page", {"id": "p"}),
        described("product", {"id": 2}),
    ]
    ((text, view),) = read(
        tmp_path,
        shape,
        request(event(co=envelope(contexts))),
        columns="properties['contexts'], properties['page_view_id']",
    )
    assert json.loads(text) == {"product": {"id": 1}, "web_page": {"id": "p"}, "product:2": {"id": 2}}
    assert view == "p"


def test_an_event_s_own_data_comes_before_what_surrounds_it(tmp_path: Path, shape: Run) -> None:
    own = envelope(described("x", {"url": "https://own.example/", "session_id": None}))
    ((properties,),) = read(
        tmp_path,
        shape,
        request(event("ue", ue_pr=own, url="https://page.example/", sid="s1", page="Home")),
        columns="properties",
    )
    assert properties == {"title": "Home", "url": "https://own.example/", "session_id": None}


def test_a_retry_keeps_its_id(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "requests.jsonl"
    sent = request(event(), event(eid="e2"))
    again = request(event(stm="1772442009000"), event(eid="e2"))
    path.write_text(f"{sent}\n{again}\n", encoding="utf-8")
    result = clean(path, snowplow_wire(), PAGES)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(4, 2)]


def test_recognition() -> None:
    post, get = json.loads(request(event())), {"query": {"e": "pv", "tv": "js-4"}}
    for line in (post, get):
        assert "Snowplow" in (recognise(Sample("a", ("",), (line,))) or "")
    for line in ({"body": {"batch": []}}, {"body": "x"}, {"query": []}, {}):
        assert recognise(Sample("a", ("",), (line,))) is None
    assert recognise(Sample("a", ("", "x"), (post,))) is None
