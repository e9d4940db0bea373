"""The raw log is shaped like an export, and every planted kind of mess is really in it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headway_pipelines.demo import Truth

Line = dict[str, Any]


def parsed(files: dict[str, bytes]) -> list[tuple[str, Line]]:
    """Lines that are JSON objects with usable times and an id, with the file they stand in."""
    out = []
    for name, data in files.items():
        for raw in data.splitlines():
            try:
                line = json.loads(raw.decode())
                datetime.fromisoformat(line["timestamp"])
            except (ValueError, TypeError):
                continue
            if line.get("userId") or line.get("anonymousId"):
                out.append((name, line))
    return out


def instant(line: Line, name: str) -> datetime:
    return datetime.fromisoformat(line[name]).astimezone(UTC)


def test_files_hold_what_was_received_in_their_quarter_day_in_order(files: dict[str, bytes]) -> None:
    last = datetime.min.replace(tzinfo=UTC)
    for name, line in parsed(files):
        received = instant(line, "receivedAt")
        assert name == f"{received:%Y-%m-%d}/events-{received.hour // 6:02d}.json.gz"
        assert received >= last
        last = received
    assert all(data.endswith(b"\n") for data in files.values())


def test_the_corrected_timestamp_is_what_segment_computes(files: dict[str, bytes]) -> None:
    for _, line in parsed(files):
        correct = instant(line, "receivedAt") - (instant(line, "sentAt") - instant(line, "originalTimestamp"))
        assert instant(line, "timestamp") == correct


def test_every_kind_of_line_is_there(files: dict[str, bytes], truth: Truth) -> None:
    lines = [line for _, line in parsed(files)]
    assert {line["type"] for line in lines} == {"page", "track", "identify", "group"}
    assert {line.get("event") for line in lines} >= set(truth.log["events"]) - {"Page Viewed"}
    assert all(truth.log["events"].values())
    zones = Counter(line["receivedAt"][23:] for line in lines)
    assert set(zones) == {"Z", "+00:00"}
    backend = [line for line in lines if line["receivedAt"].endswith("+00:00")]
    assert all("anonymousId" not in line and line["userId"] for line in backend)
    assert any("groupId" in line["context"] for line in lines if line["type"] != "group")
    assert any("@" in (line.get("userId") or "") for line in lines)


def test_a_retry_repeats_the_message_in_a_later_file(files: dict[str, bytes], truth: Truth) -> None:
    copies: dict[str, list[tuple[str, Line]]] = defaultdict(list)
    for name, line in parsed(files):
        copies[line["messageId"]].append((name, line))
    pairs = [pair for pair in copies.values() if len(pair) > 1]
    assert len(pairs) == truth.log["retries"] > 0
    moved = 0
    for (first_file, first), (again_file, again) in pairs:
        assert first_file < again_file
        wait = instant(again, "receivedAt") - instant(first, "receivedAt")
        assert timedelta(0) < wait <= timedelta(days=1, hours=7)
        shift = abs(instant(again, "timestamp") - instant(first, "timestamp"))
        assert shift <= timedelta(milliseconds=300)
        moved += shift > timedelta(0)
        times = {"sentAt", "receivedAt", "timestamp"}
        assert {k: v for k, v in first.items() if k not in times} == {
            k: v for k, v in again.items() if k not in times
        }
    assert moved


def test_wrong_clocks_shift_what_the_client_says_and_nothing_else(
    files: dict[str, bytes], truth: Truth
) -> None:
    messages = {line["messageId"]: line for _, line in reversed(parsed(files))}
    wrong = set()
    for line in messages.values():
        network = instant(line, "receivedAt") - instant(line, "sentAt")
        assert timedelta(0) < network < timedelta(seconds=1) or abs(network) > timedelta(seconds=100)
        if abs(network) > timedelta(seconds=100):
            wrong.add(line["anonymousId"])
            assert abs(network) < timedelta(days=3, minutes=1)
    assert len(wrong) == truth.people["wrong_clock_devices"] > 0


def test_violations_break_the_plan_where_the_truth_says(files: dict[str, bytes], truth: Truth) -> None:
    messages = {line["messageId"]: line for _, line in reversed(parsed(files))}
    found = Counter(dict.fromkeys(truth.log["violations"], 0))
    for line in messages.values():
        properties = line.get("properties", {})
        seconds, results = properties.get("seconds"), properties.get("results")
        found["undeclared_property"] += bool(
            {"playback_rate", "scroll_depth", "offer", "stack"} & set(properties)
        )
        found["out_of_range"] += seconds == -5
        found["value_not_in_plan"] += properties.get("category") == "cooking"
        found["value_not_in_plan"] += properties.get("topic") == "refunds"
        found["value_not_in_plan"] += properties.get("reason") == "quota"
        found["wrong_type"] += seconds == "312 s" or seconds is True or results in ("many", [3])
        found["wrong_type"] += properties.get("has_video") == "yes"
    assert dict(found) == truth.log["violations"]
    assert sum(found.values()) > 0


def test_planted_personal_data_is_in_the_raw_bytes(files: dict[str, bytes], truth: Truth) -> None:
    raw = b"".join(files.values())
    written = [entry["written"] for entry in truth.personal_data]
    assert [text for text in written if text.encode() not in raw] == []
    values = [entry["value"] for entry in truth.personal_data]
    assert len(set(values)) == len(values)
    assert min(map(len, values)) >= 8
    types = {entry["type"] for entry in truth.personal_data}
    assert types >= {"e_mail", "name", "phone", "card", "ip", "address", "token", "iban", "organisation"}
    encodings = {entry["encoding"] for entry in truth.personal_data}
    assert encodings >= {"plain", "percent", "base64", "upper", "hex", "html", "json_escape"}


def test_everybody_with_a_name_is_covered_by_the_planted_list(files: dict[str, bytes], truth: Truth) -> None:
    names = [entry["value"].lower() for entry in truth.personal_data if entry["type"] == "name"]
    for _, line in parsed(files):
        if line["type"] == "identify":
            assert any(name in line["traits"]["email"] for name in names)
            assert any(name in line["traits"]["name"].lower() for name in names)


def test_the_truth_is_not_among_the_raw_files(workspace: Path) -> None:
    assert {path.name for path in workspace.iterdir()} == {
        "raw",
        "inputs",
        "tracking_plan.yml",
        "product.yml",
        "experiments",
        "metrics",
        "truth.json",
    }
    assert all(path.suffix == ".gz" for path in (workspace / "raw").rglob("*") if path.is_file())
