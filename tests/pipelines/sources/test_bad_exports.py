"""Files of another kind, sent through the sources of Amplitude and Mixpanel: counted, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway_pipelines.sources.config import parse_sources

Run = Callable[..., Any]

CONTENTS = (
    b"",
    b"\n\r\n \n",
    b"\xef\xbb\xbf",
    b"\xff\xfe{\x00}\x00\n\x00",
    b"\x00\x01\x02\xff" * 2_000,
    b'"\n' * 7,
    b"{" * 5_000,
    b'{"a":' * 3_000,
    b"[" * 100_000 + b"\n",
    b'{"event": "\\ud800", "event_type": "\\ud800", "properties": {"\\ud800": "\\ud800"}}\n',
    b'{"event": {}, "event_type": [], "properties": {"time": {}}, "event_time": {}, "groups": {"a": {}}}\n',
    b'{"path": "/track", "responded": "x", "query": {"data": 7}, "body": {"events": [[]], "data": [[]]}}\n',
    b'{"path": "/engage", "responded": 99999999999999999999, "query": [], "body": "data=%"}\n',
    b'{"event_name": [], "distinct_id": {}, "properties": "{\\"a\\": 1, \\"a\\": 2}", "time": 1e400}\n',
)


@pytest.mark.parametrize(
    "kind", ["amplitude", "amplitude_wire", "mixpanel", "mixpanel_pipeline", "mixpanel_wire"]
)
def test_bytes_of_another_kind(tmp_path: Path, clean: Run, kind: str) -> None:
    zone = ", timezone: Europe/Berlin" if kind in ("mixpanel", "mixpanel_pipeline") else ""
    (source,) = parse_sources(f"sources: {{s: {{format: {kind}{zone}}}}}")
    paths = []
    for number, content in enumerate(CONTENTS):
        paths.append(tmp_path / f"file{number}")
        paths[-1].write_bytes(content)
    result = clean(paths, source, "\n  Paid: {}")
    # By file: 0, 3, 0, 2, 1, 7, 1, 1, 1, and one each for the last five.
    assert result.lines == 21
    assert result.outcomes["event"] == 0 and sum(result.outcomes.values()) == result.lines
    assert result.damaged == {}
