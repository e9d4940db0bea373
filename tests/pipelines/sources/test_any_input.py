"""Whatever a line holds, no source fails on it and each line is accounted for."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway_pipelines.sources.config import parse_sources

Run = Callable[..., Any]

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**40, "", "x", "é☕", "[", "{", "null", "2026-13-45", "infinity", "-infinity",
    "290000-01-01", "%", [], {}, [1, [2]], {"a": {"b": 1}}, {"": 1}, [None], "a\x00b", "==",
)  # fmt: skip
NAMES = ("", "$set", 'q"x', "a.b")
TIME = "2026-03-02T09:00:00Z"
POSTHOG = {
    "uuid": "e1",
    "event": "$identify",
    "distinct_id": "01a200c6-be38-7faa-8d41-694f56539b67",
    "timestamp": TIME,
    "created_at": TIME,
    "properties": {
        "$device_id": "d",
        "$set": {"a": 1},
        "$groups": {"company": "c"},
        "alias": "u",
        "$is_identified": True,
    },
    "person_properties": {"plan": "pro"},
    "offset": 7,
}
VALUE = {"string_value": "x", "int_value": "7"}
SEGMENT = {
    "type": "track",
    "event": "x",
    "userId": "u",
    "timestamp": TIME,
    "sentAt": TIME,
    "properties": {"a": 1},
}
REQUEST = {"received_at": TIME, "responded": 200, "path": "/batch/", "query": {"_": "1772442000000"}}
LINES: dict[str, dict[str, Any]] = {
    "posthog": POSTHOG,
    "posthog_wire": REQUEST | {"body": {"batch": [POSTHOG, POSTHOG], "sent_at": TIME}},
    "segment": SEGMENT | {"originalTimestamp": TIME, "receivedAt": TIME},
    "segment_wire": REQUEST | {"body": {"batch": [SEGMENT], "sentAt": TIME}},
    "ga4": {
        "event_name": "page_view",
        "event_timestamp": "1772442000000000",
        "event_params": [{"key": "ga_session_id", "value": VALUE}, {"key": "b", "value": VALUE}],
        "user_properties": [{"key": "plan", "value": VALUE}],
        "user_pseudo_id": "7.7",
        "items": [{"price": 1}],
        "device": {"web_info": {"browser": "x"}},
        "geo": {"country": "Chile"},
    },
    "cloudevents": {
        "specversion": "1.0",
        "type": "x",
        "source": "/s",
        "id": "1",
        "subject": "u",
        "time": TIME,
        "dataclassification": "public",
        "datacategory": "standard",
        "data_base64": "e30=",
        "data": {"a": 1},
    },
}


def altered(value: Any, chance: random.Random) -> Any:
    """The value with parts of it replaced by what nobody expects there."""
    if chance.random() < 0.1:
        return chance.choice(ODD)
    if isinstance(value, dict):
        pairs = (
            (name if chance.random() > 0.03 else chance.choice(NAMES), each) for name, each in value.items()
        )
        return {name: altered(each, chance) for name, each in pairs}
    return [altered(each, chance) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("format_", LINES)
def test_no_line_makes_a_source_fail(tmp_path: Path, shape: Run, format_: str) -> None:
    chance = random.Random(7)
    lines = []
    for _ in range(2000):
        text = json.dumps(altered(LINES[format_], chance), ensure_ascii=chance.random() < 0.5)
        lines.append(text[: chance.randrange(len(text) + 1)] if chance.random() < 0.05 else text)
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    (source,) = parse_sources(f"sources: {{any: {{format: {format_}}}}}")
    read = shape(path, source)
    assert read.execute(
        "SELECT count(DISTINCT line), count(*) FILTER (outcome IS NULL) FROM shape"
    ).fetchall() == [(2000, 0)]
    assert read.execute(
        "SELECT count(*) > 200 FROM shape WHERE outcome IN ('event', 'identify')"
    ).fetchall() == [(True,)]
