"""Signals of the browser that a log has as headers of the request: Sec-GPC and DNT."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shop import PLAN, Shop, track

from headway.engine import connect, load
from headway.models.plan import parse_plan

CONSENT = """
consent:
  purposes: {product_analytics: {signals: [{from: ok}]}}
  gpc: {denies: [product_analytics]}
  dnt: {denies: [product_analytics]}
  unknown: allow
"""
REQUEST = {
    "received_at": "2026-03-02T09:00:00Z",
    "method": "POST",
    "path": "/v1/t",
    "body": {"type": "track"},
}
LOGGED = '203.0.113.7 - - [02/Mar/2026:09:00:00 +0000] "GET /?gpc=1 HTTP/1.1" 200 17 "-" "Mozilla/5.0 gpc=1"'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        # recorded requests
        (REQUEST | {"headers": {"Sec-GPC": "1", "dnt": "0"}}, (True, False)),
        (REQUEST | {"headers": {"sec-gpc": 1, "DNT": ["1"]}}, (True, True)),
        (REQUEST | {"headers": [["Sec-GPC", "1"]]}, (True, False)),
        (REQUEST | {"headers": [{"name": "DNT", "value": "1"}]}, (False, True)),
        (REQUEST | {"headers": {"Sec-GPC": "0"}}, None),
        (REQUEST | {"headers": {"Sec-GPC": "null"}}, None),
        # what one of the calls says of itself is not the request's
        (REQUEST | {"headers": {"Host": "h"}, "body": {"type": "track", "properties": {"dnt": "1"}}}, None),
        # what surrounds a call
        ({"type": "track", "context": {"headers": {"sec-gpc": "1"}}}, (True, False)),
        ({"type": "track", "context": {"globalPrivacyControl": True}}, (True, False)),
        ({"type": "track", "context": {"doNotTrack": "yes"}}, (False, True)),
        # a server's log as JSON
        ({"request": "GET / HTTP/1.1", "http_sec_gpc": "1", "http_dnt": ""}, (True, False)),
        # a text that speaks of it, a number of another kind
        ({"type": "track", "properties": {"note": '{"sec-gpc": "1"}'}}, None),
        ({"type": "track", "properties": {"gpc": "10000043"}}, None),
        # access logs: what follows the user agent
        (f'{LOGGED} "gpc=1" "dnt=-"', (True, False)),
        (f"{LOGGED} Sec-GPC: 1", (True, False)),
        (f'{LOGGED} "198.51.100.4" "DNT=1"', (False, True)),
        (LOGGED, None),
    ],
)  # fmt: skip
def test_headers_of_a_line(line: object, found: tuple[bool, bool] | None) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    con = connect()
    try:
        con.execute(
            "CREATE TABLE frames AS SELECT 1 AS batch, 7 AS line, 0 AS position, $text AS text",
            {"text": text},
        )
        rows = con.execute(load("headway_pipelines.privacy", "line_signals.sql")).fetchall()
    finally:
        con.close()
    assert rows == ([] if found is None else [(1, 7, *found)])


def test_a_line_with_such_a_header_does_not_pass(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop", plan=PLAN + CONSENT)
    seen = track("Page Viewed", 1, user="u1")
    shop.land("a.json", [seen | {"context": {"sec-gpc": "1"}}, seen | {"context": {"dnt": 1}, "messageId": "m2"},
                         track("Page Viewed", 3, user="u1", ok="true")])  # fmt: skip
    shop.load()
    assert shop.outcomes() == {"no consent: gpc": 1, "no consent: dnt": 1, "event": 1}


def test_where_else_a_signal_is_need_not_be_said() -> None:
    consent = parse_plan(PLAN + CONSENT).consent
    assert consent is not None and consent.gpc is not None and consent.gpc.source is None
