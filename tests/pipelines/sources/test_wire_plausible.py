"""Requests of Plausible's script, which knows nobody: real ones and broken ones."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journey import CALLS, IN_A_BROWSER, PAGES, PERSONAL

from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.wire.plausible import plausible_wire, recognise

Run = Callable[..., Any]

PLAN = PAGES + CALLS


def test_the_journey_in_a_browser(data: Path, clean: Run) -> None:
    result = clean(data / "tracker_captures" / "browser_plausible.jsonl", plausible_wire(), PLAN)
    counted = dict(result.rows("SELECT event, count(DISTINCT event_id) FROM events GROUP BY 1"))
    assert counted == IN_A_BROWSER
    assert result.outcomes["undeclared event"] == 2 and result.lines == 20
    # Both people used one browser on one day, and the recording holds no addresses: one device.
    assert result.rows("SELECT count(DISTINCT actor) FROM events") == [(1,)]
    assert result.rows("SELECT sum(revenue), count(DISTINCT order_id) FROM events") == [(50.0, 1)]
    assert result.rows("SELECT count(utm_source) FROM events") == [(1,)]
    assert result.rows("SELECT count(*) FROM links") == [(0,)]
    assert not [text for text in (*PERSONAL, "Mozilla") if text in result.stored()]


def request(body: Any, **changes: Any) -> str:
    headers = {"user-agent": "Agent 1", "x-forwarded-for": "203.0.113.9, 10.0.0.1"}
    envelope = {
        "received_at": "2026-03-02T10:00:10.000Z",
        "responded": 202,
        "path": "/api/event",
        "headers": headers,
    }
    return json.dumps(envelope | {"body": body} | changes)


def event(**changes: Any) -> dict[str, Any]:
    return {"n": "pageview", "u": "https://a.example/", "d": "a.example"} | changes


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "outcome, event, properties"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows: list[tuple[Any, ...]] = (
        shape(path, plausible_wire()).execute(f"SELECT {columns} FROM shape").fetchall()
    )
    return rows


def test_the_actor_is_address_agent_and_day(tmp_path: Path, shape: Run, clean: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        request(event()),
        request(event(), received_at="2026-03-02T23:59:59Z"),
        request(event(), received_at="2026-03-02T23:30:00-01:00"),
        request(event(), headers={"user-agent": "Agent 1", "x-plausible-ip": "203.0.113.9"}),
        request(event(), headers={"user-agent": "Agent 1"}),
        request(event(), headers={"x-forwarded-for": "203.0.113.9"}),
        request(event(), headers={}),
        columns="device_raw, address, user_agent, occurred_at::DATE, client_at",
    )
    devices = [row[0] for row in rows]
    assert devices[0] == "203.0.113.9\x1fAgent 1\x1f2026-03-02" == devices[1] == devices[3]
    assert devices[2] == "203.0.113.9\x1fAgent 1\x1f2026-03-03"
    assert len({devices[0], *devices[4:]}) == 4 and devices[6] is None
    assert rows[0][1:] == ("203.0.113.9", "Agent 1", dt.date(2026, 3, 2), None)
    assert clean(tmp_path / "requests.jsonl", plausible_wire(), PAGES).outcomes == {
        "event": 6,
        "no usable id": 1,
    }


def test_properties_and_revenue(tmp_path: Path, shape: Run) -> None:
    at = {"url": "https://a.example/", "domain": "a.example"}
    money = {"amount": "9.90", "currency": "EUR"}
    rows = read(
        tmp_path,
        shape,
        request(event(r="https://b.example/", p='{"plan": "pro", "seats": 3}')),
        request(event(n="Paid", p={"plan": "pro", "url": "own"}, **{"$": money})),
        request(event(n="Paid", m={"plan": "pro"}, **{"$": json.dumps(money)})),
        request(
            {
                "name": "Paid",
                "url": "https://a.example/",
                "domain": "a.example",
                "props": {},
                "revenue": money,
            }
        ),
        request(event(p=None)),
        request(event(p="")),
        columns="event, properties",
    )
    paid = {"revenue_amount": "9.90", "revenue_currency": "EUR"}
    assert rows == [
        ("Page Viewed", at | {"referrer": "https://b.example/", "plan": "pro", "seats": "3"}),
        ("Paid", {"domain": "a.example", "plan": "pro", "url": "own"} | paid),
        ("Paid", at | paid | {"plan": "pro"}),
        ("Paid", at | paid),
        ("Page Viewed", at),
        ("Page Viewed", at),
    ]


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (request(event(), responded=503), "refused request"),
        (request({}), "not a tracker request"),
        (request("text"), "not a tracker request"),
        (request(None), "not a tracker request"),
        (request([event()]), "not a tracker request"),
        ("[1]", "not a tracker request"),
        ('{"body": ', "malformed JSON"),
        ("", "blank"),
        (request(event(p="{")), "unusable properties"),
        (request(event(p="[1]")), "unusable properties"),
        (request(event(p=[1])), "unusable properties"),
        (request(event(p=7)), "unusable properties"),
        (request(event(p='{"a": 1, "a": 2}')), "unusable properties"),
        (request(event(**{"$": "12"})), "event"),
        (request(event(n={"a": 1}, u=[1]), headers="x", received_at=7), "event"),
    ],
)
def test_every_line_is_accounted_for(tmp_path: Path, shape: Run, line: str, outcome: str) -> None:
    ((found, _, _),) = read(tmp_path, shape, line)
    assert found == outcome


def test_two_equal_views_are_two_events_and_a_second_copy_of_the_file_is_none(
    tmp_path: Path, clean: Run
) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for path in (first, second):
        path.write_text((request(event()) + "\n") * 2, encoding="utf-8")
    result = clean([first, second], plausible_wire(), PAGES)
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(4, 2)]


def test_recognition() -> None:
    line = json.loads(request(event()))
    assert "Plausible" in (recognise(Sample("a", ("",), (line,))) or "")
    others: list[Any] = [
        line | {"path": "/api/track"},
        line | {"body": {"n": "x"}},
        line | {"body": None},
        {},
    ]
    for other in others:
        assert recognise(Sample("a", ("",), (other,))) is None
