"""``headway audit --sample``."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from headway.errors import InputError
from headway_pipelines.cli.commands import app
from headway_pipelines.privacy import scan
from headway_pipelines.privacy.detection import samples

ROWS = [
    {"key": "email", "value": "grizelda@example.com", "tier": "core"},
    {"key": "plan", "value": "pro"},
    {"key": "lat", "value": 52.520008},
    {"key": "items", "value": [{"gift_to": "grizelda@example.com"}, None, True, 1.5]},
    {"key": "note", "value": "Grizelda Fenwick asked for a refund"},
    {"value": None},
]


def run(path: Path, *options: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["audit", "--sample", str(path), *options])
    return done.exit_code, done.stdout, done.stderr


def write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", [json.dumps(row).encode() for row in ROWS])


def test_one_verdict_a_row_in_their_order(sample: Path) -> None:
    code, out, err = run(sample, "--json")
    assert code == 0 and err == ""
    assert [json.loads(line) for line in out.splitlines()] == [
        {"action": "redact", "types": ["email"], "cleaned": "[email]"},
        {"action": "keep", "types": [], "cleaned": "pro"},
        {"action": "drop", "types": ["location"], "cleaned": None},
        {"action": "redact", "types": ["email"], "cleaned": [{"gift_to": "[email]"}, None, True, 1.5]},
        {"action": "drop", "types": ["person_name"], "cleaned": None},
        {"action": "keep", "types": [], "cleaned": None},
    ]


def test_the_summary_holds_counts_and_no_value(sample: Path) -> None:
    code, out, err = run(sample)
    assert code == 0 and err == ""
    assert out.split() == [
        "rows",
        "6",
        "keep",
        "2",
        "redact",
        "2",
        "drop",
        "2",
        "found",
        "in",
        "rows",
        "email",
        "2",
        "location",
        "1",
        "person_name",
        "1",
    ]


BAD: list[tuple[bytes, str]] = [
    (b"not json", "not JSON"),
    (b'{"key": "x", "value": "\xff\xfe"}', "not UTF-8"),
    (b"[1, 2]", "not an object"),
    (b'{"key": "email"}', 'without "value"'),
    (b'{"key": 7, "value": 1}', '"key" is not a text'),
    (b'{"key": "x", "value": NaN}', "not JSON"),
    (b'{"key": "x", "value": 1e999}', "not JSON"),
    (b'{"key": "x", "value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    (b'{"key": "x", "value": "\x00"}', "not JSON"),
]


@pytest.mark.parametrize(("line", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_a_row_that_cannot_be_read_is_located_dropped_and_not_shown(
    tmp_path: Path, line: bytes, problem: str
) -> None:
    path = write(tmp_path / "rows.jsonl", [b'{"key": "plan", "value": "pro"}', line, b"", b'{"value": 3}'])
    code, out, err = run(path, "--json")
    assert code == 1
    assert [json.loads(each)["action"] for each in out.splitlines()] == ["keep", "drop", "keep"]
    assert err == f"{path}:2: {problem}; the row is dropped\n"


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    code, out, err = run(write(tmp_path / "rows.jsonl", [b"x"] * 50), "--json")
    assert code == 1 and len(out.splitlines()) == 50
    assert len(err.splitlines()) == 21 and err.endswith("30 more rows cannot be read\n")


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "LONGEST_LINE", 50)
    path = write(tmp_path / "rows.jsonl", [b'{"value": "' + b"a" * 200 + b'"}', b'{"value": "pro"}'])
    assert [(row.line, row.value, bool(row.problem)) for row in samples.rows(path)] == [
        (1, None, True),
        (2, "pro", False),
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'\xef\xbb\xbf{"value": "pro"}')))
    assert [row.value for row in samples.rows(Path("-"))] == ["pro"]


def test_a_sample_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the sample"):
        list(samples.rows(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="cannot read the sample"):
        list(samples.rows(tmp_path))


def test_scan_takes_series_and_one_key_or_many() -> None:
    values = ["pro", "grizelda@example.com", None]
    assert scan(pl.Series(values), "plan").actions == {"keep": 2, "redact": 1, "drop": 0}
    assert scan(values, ["a", "b", "c"]).cleaned == ["pro", "[email]", None]
    nested: pl.Series = pl.Series([{"email": "grizelda@example.com"}])
    assert scan(nested).frame.row(0) == (0, "redact", "email", 0, 20, 1, False)
    assert scan([b"grizelda@example.com", ("a", "b@example.com")]).types == {"email": 2}
    with pytest.raises(InputError, match="3 values, but 2 keys"):
        scan(values, ["a", "b"])


def test_what_is_printed_of_a_scan_holds_no_value() -> None:
    values: list[Any] = ["grizelda@example.com", {"grizelda@example.com": 1}]
    found = scan(values)
    assert "grizelda" not in repr(found) + str(found.frame) + repr(found.verdicts)
