"""Logs that somebody wrote to harm: they are read to the end, counted, and nothing of them is shown or kept."""

from __future__ import annotations

import gzip
import json
import resource
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, track

from headway_pipelines.privacy.proof import scan

ADA = "ada.lovelace@example.com"


def nested(depth: int) -> bytes:
    """A call whose property is this many arrays deep around somebody's address."""
    head, tail = json.dumps(track("Page Viewed", 1, user="deep", title="X")).split('"X"')
    return f'{head}{"[" * depth}"{ADA}"{"]" * depth}{tail}'.encode()


def with_properties(minute: int, properties: dict[str, Any]) -> str:
    return json.dumps(track("Page Viewed", minute, user="wide") | {"properties": properties})


LINES: dict[str, Any] = {
    "10,000 arrays deep": nested(10_000),
    "never closed": b'{"type":"track","event":' + b"[" * 10_000,
    "a key of a megabyte": with_properties(2, {ADA * 43_000: 1}),
    "a hundred thousand keys": with_properties(3, {f"k{n}": n for n in range(100_000)}),
    "NUL in a value": json.dumps(track("Page Viewed", 4, user="nul", title=f"\0{ADA}\0")),
    "NUL among the bytes": b"\0" + json.dumps(track("Page Viewed", 5, user="nul")).encode() + b"\0",
    "half a surrogate": b'{"type":"track","event":"Page Viewed","userId":"\\ud83d","timestamp":"2026-03-02T09:00:00Z"}',
    "no UTF-8": b'{"type":"track","event":"Page Viewed","userId":"\xff\xfe\xc0\x80"}',
    "a name of letters that look the same": json.dumps(track("Pаge Viewed", 6, user="like")),
    "a number of 5,000 digits": b'{"type":"track","event":"Page Viewed","userId":' + b"9" * 5_000 + b"}",
    "infinity": b'{"type":"track","event":"Order Completed","userId":"inf","properties":{"amount":1e999}}',
    "the same key twice": b'{"type":"track","event":"Page Viewed","event":"Signed Up","userId":"two"}',
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop")
    made.land("good.json", [track("Page Viewed", 0, user="user-bob-0001")])
    return made


def test_every_hostile_line_is_counted_and_nothing_of_it_stays(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    for number, line in enumerate(LINES.values()):
        shop.land(f"bad-{number}.json", [line])
    shop.ingest()
    shop.judge()
    with shop.ledger() as ledger:
        counted = sum(outcome["lines"] for outcome in ledger.outcomes())
    assert counted == len(LINES) + 1
    said = "".join(capfd.readouterr())
    assert ADA not in said and len(said) < 20_000
    assert scan([shop.workspace.warehouse, shop.workspace.state], [ADA]) == []


def test_a_bomb_in_gzip_is_read_in_bounded_memory(shop: Shop) -> None:
    """Two of 96 MB each: one line without an end, and blank lines."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (shop.workspace.raw / "one.json.gz").write_bytes(gzip.compress(b"x" * (96 << 20), 9, mtime=0))
    (shop.workspace.raw / "many.json.gz").write_bytes(gzip.compress(b"\n" * (8 << 20), 9, mtime=0))
    shop.ingest()
    assert shop.outcomes()["event"] == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kB


def test_a_link_out_of_raw_to_what_is_no_log_gives_nothing_away(shop: Shop, tmp_path: Path) -> None:
    secret = tmp_path / "passwords.txt"
    secret.write_text(f"root:{ADA}\n" * 3)
    (shop.workspace.raw / "linked.json").symlink_to(secret)
    (shop.workspace.raw / "broken.json").symlink_to(tmp_path / "nowhere")
    (shop.workspace.raw / "around").symlink_to(shop.workspace.raw)
    shop.ingest()
    shop.judge()
    assert shop.outcomes()["event"] == 1
    assert scan([shop.workspace.warehouse, shop.workspace.state], [ADA]) == []


def test_a_file_called_after_somebody_is_not_called_so_anywhere_else(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    shop.land(f"export-{ADA}.json", [track("Page Viewed", 1, user="user-cat-0001"), "no JSON"])
    shop.ingest()
    shop.judge()
    assert scan([shop.workspace.warehouse, shop.workspace.state], [ADA]) == []
    assert ADA not in "".join(capfd.readouterr())
