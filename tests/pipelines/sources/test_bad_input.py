"""Files that are not what they should be, sent through the gate: counted or set aside, never a crash."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.shape import Source

Run = Callable[..., Any]

MAPPED = "event: {value: Paid}, user: u, time: {column: t}"
SOURCES = {
    source.format: source
    for source in parse_sources(
        f"""
sources:
  a: {{format: segment}}
  b: {{format: segment_wire}}
  c: {{format: access_log}}
  d: {{format: jsonl, {MAPPED}}}
  e: {{format: delimited, {MAPPED}}}
  f: {{format: parquet, {MAPPED}}}
"""
    )
}
TEXT = {name: source for name, source in SOURCES.items() if name != "parquet"}
MORE = parse_sources(
    """
sources:
  a: {format: snowplow}
  b: {format: snowplow_table}
  c: {format: snowplow_wire}
  d: {format: rudder}
  e: {format: rudder_wire}
  f: {format: segment_warehouse}
  g: {format: plausible_wire}
"""
)
ODD = [
    b"",
    b"\n\r\n \n",
    b"\xef\xbb\xbf",
    b"\xff\xfe{\x00}\x00\n\x00",
    b"\x00\x01\x02\xff" * 2_000,
    b'"\n' * 7,
    b"{" * 5_000,
    b'{"a":' * 3_000,
    b"[" * 100_000 + b"\n",
    b'{"u": "\\ud800", "t": "2026-03-02"}\n',
    b'{"type": 1, "properties": {"a": {"b": [{}]}}, "timestamp": {}}\n',
    b"u,t\r1,2\r",
]
PLAN = "\n  Paid: {properties: {amount: {class: number}}}"


@pytest.mark.parametrize("source", TEXT.values(), ids=TEXT)
def test_truncated_gzip(tmp_path: Path, clean: Run, source: Source) -> None:
    path, sound = tmp_path / "cut.gz", tmp_path / "sound"
    path.write_bytes(gzip.compress(b'{"u": "1", "t": "2026-03-02"}\n' * 10_000)[:-20])
    sound.write_bytes(b"u,t\n")
    result = clean([path, sound], source, PLAN)
    assert list(result.damaged) == [1] and "compressed data damaged after byte" in result.damaged[1]


@pytest.mark.parametrize("source", TEXT.values(), ids=TEXT)
@pytest.mark.parametrize("content", ODD, ids=lambda content: repr(content[:12]))
def test_bytes_of_another_kind(tmp_path: Path, clean: Run, source: Source, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    result = clean(path, source, PLAN)
    assert result.outcomes["event"] == result.rows("SELECT count(*) FROM events")[0][0]
    assert sum(result.outcomes.values()) == result.lines


@pytest.mark.parametrize("source", MORE, ids=lambda source: source.format)
def test_all_odd_bytes_at_once(tmp_path: Path, clean: Run, source: Source) -> None:
    paths = [tmp_path / f"file{number}" for number in range(len(ODD))]
    for path, content in zip(paths, ODD, strict=True):
        path.write_bytes(content)
    result = clean(paths, source, PLAN)
    assert result.outcomes["event"] == 0 == result.rows("SELECT count(*) FROM events")[0][0]
    assert sum(result.outcomes.values()) == result.lines
    # What has a header is set aside whole where that lacks the columns.
    assert bool(result.damaged) == (source.reader.kind == "table")


@pytest.mark.parametrize(
    "content", [b"", b"u,t\n1,2\n", gzip.compress(b"u,t\n", mtime=0), b"PAR1" + b"\0" * 100 + b"PAR1"]
)
def test_parquet_that_is_not_parquet(tmp_path: Path, clean: Run, content: bytes) -> None:
    path = tmp_path / "file.parquet"
    path.write_bytes(content)
    result = clean(path, SOURCES["parquet"], PLAN)
    assert list(result.damaged) == [1] and "no Parquet file" in result.damaged[1]


@pytest.mark.parametrize("source", TEXT.values(), ids=TEXT)
def test_latin_1_and_long_lines_are_counted(tmp_path: Path, clean: Run, source: Source) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"u,t\ncaf\xe9,2\n" + b"x" * (3 << 20) + b"\n")
    result = clean(path, source, PLAN)
    assert result.outcomes["not UTF-8"] == 1 and result.outcomes["line too long"] == 1
    assert {reason: line for line, _, reason in result.rejects if line > 1} == {
        "not UTF-8": 2,
        "line too long": 3,
    }


def test_a_wrong_mapping_names_what_exists(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "file.csv"
    path.write_text("user,time,ada@example.com\n1,2026-03-02,x\n", encoding="utf-8")
    result = clean(path, SOURCES["delimited"], PLAN)
    assert result.damaged == {
        1: "the file has no column 'u', 't'; it has: user, time, (column 3); "
        "are the names of the columns in its first line?"
    }
    assert "ada@" not in result.stored()
