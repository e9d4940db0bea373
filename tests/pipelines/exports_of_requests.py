"""Converters to recorded HTTP requests: the same calls as clients send them, one request a line.

A client's time is by its own clock. When it sent the request is told by the same clock, and a request says when it
arrived: the decoder has to correct the clock itself, as the tool's server did in an export.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from calls import Call, Row, milliseconds, snake, without_nulls
from exports_of_events import amplitude_event, mixpanel_event, posthog

_OWN_TIMES = ("timestamp", "receivedAt", "sentAt")


def _request(call: Call, path: str, body: Any, query: Row | None = None) -> Row:
    browser = {"user-agent": call.agent, "origin": "https://learn.example.com"} if call.device else {}
    return {
        "received_at": call.received.isoformat(),
        "responded": 200,
        "path": path,
        "query": query or {},
        "headers": without_nulls(browser),
        "body": body,
    }


def segment_wire(call: Call) -> Iterator[Row]:
    """Calls of browsers go alone, those of servers in batches."""
    sent = {name: value for name, value in call.raw.items() if name not in _OWN_TIMES}
    if call.device:
        yield _request(call, f"/v1/{call.kind[0]}", {**sent, "sentAt": call.sent.isoformat()})
    else:
        yield _request(call, "/v1/batch", {"batch": [sent], "sentAt": call.sent.isoformat()})


def rudder_wire(call: Call) -> Iterator[Row]:
    """As Segment's, with RudderStack's channel; without a user the id is an empty text."""
    for request in segment_wire(call):
        for each in request["body"].get("batch", [request["body"]]):
            each |= {"channel": "web" if call.device else "server", "userId": call.user or ""}
        yield request


def posthog_wire(call: Call) -> Iterator[Row]:
    """A batch of one call; what is said of a person goes with the call that says it."""
    for row in posthog(call):
        sent = {name: row[name] for name in ("uuid", "event", "distinct_id", "properties")}
        body = {"api_key": "phc_lectern", "sent_at": call.sent.isoformat()}
        yield _request(call, "/batch/", {**body, "batch": [{**sent, "timestamp": call.client.isoformat()}]})


def amplitude_wire(call: Call) -> Iterator[Row]:
    """The HTTP API's names of fields; servers name no browser."""
    event = amplitude_event(call, call.device)
    event |= {"insert_id": call.id, "time": milliseconds(call.client), "ip": call.ip}
    yield _request(
        call,
        "/2/httpapi",
        {"events": [without_nulls(event)], "client_upload_time": call.sent.isoformat()},
    )


def mixpanel_wire(call: Call) -> Iterator[Row]:
    """A form with base64 for browsers, JSON for servers; what is said of people and accounts goes elsewhere."""
    clock = {"_": str(milliseconds(call.sent))}
    if call.kind == "group":
        told: Row = {"$group_key": "school", "$group_id": call.account, "$set": call.traits}
        yield _request(
            call, "/groups/", {"data": json.dumps([told | {"$time": milliseconds(call.client)}])}, clock
        )
        return
    for row in mixpanel_event(call, {"time": milliseconds(call.client), "ip": call.ip}):
        packed = base64.b64encode(json.dumps(row).encode()).decode()
        yield _request(call, "/track/", f"data={quote(packed)}" if call.device else [row], clock)
    if call.kind == "identify":
        profile: Row = {"$distinct_id": call.user, "$time": milliseconds(call.client), "$set": call.traits}
        yield _request(call, "/engage/", {"data": json.dumps(profile)}, clock)


def snowplow_wire(speed: Callable[[Call], list[Row]]) -> Callable[[Call], Iterator[Row]]:
    """Parameters are texts; JSON is base64 for views of pages and plain for other events."""

    def convert(call: Call) -> Iterator[Row]:
        if call.kind == "group":
            return
        event = "login" if call.kind == "identify" else snake(call.event)
        page = call.kind == "page"
        around = [
            {"schema": _schema("com.snowplowanalytics.snowplow", "web_page"), "data": {"id": call.id}},
            *speed(call),
        ]
        own = {"schema": _schema("com.example", event), "data": call.properties}
        seen = call.properties if page else call.page
        sent = {
            "e": "pv" if page else "ue",
            "eid": call.id,
            "p": "web" if call.device else "srv",
            "uid": call.user,
            "duid": call.device,
            "dtm": str(milliseconds(call.client)),
            "stm": str(milliseconds(call.sent)),
            "ip": call.ip,
            "url": seen.get("url"),
            "page": seen.get("title"),
            "refr": seen.get("referrer"),
            "cx": _packed("contexts", around) if page else None,
            "ue_pr": None if page else json.dumps({"schema": _outer("unstruct_event"), "data": own}),
        }
        body = {
            "schema": _schema("com.snowplowanalytics.snowplow", "payload_data"),
            "data": [without_nulls(sent)],
        }
        yield _request(call, "/com.snowplowanalytics.snowplow/tp2", body)

    return convert


def _schema(vendor: str, name: str) -> str:
    return f"iglu:{vendor}/{name}/jsonschema/1-0-0"


def _outer(kind: str) -> str:
    return _schema("com.snowplowanalytics.snowplow", kind)


def _packed(kind: str, data: Any) -> str:
    text = json.dumps({"schema": _outer(kind), "data": data})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
