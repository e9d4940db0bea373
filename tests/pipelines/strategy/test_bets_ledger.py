"""Nobody rewrites the ledger of bets unnoticed: each way to try is tried."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from headway_pipelines.privacy.keys import Key
from headway_pipelines.strategy.bets_ledger import Entry, LedgerError, append_bets, read_bets

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(range(100, 132)))
AT = datetime(2026, 1, 1, 12)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "bets.jsonl"
    entries = append_bets(
        path, (), [("frozen", "a.m", {"low": 0.1}), ("frozen", "b.m", {"low": 0.2})], KEY, AT
    )
    append_bets(path, entries, [("settled", "a.m", {"verdict": "miss"})], KEY, AT)
    return path


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def head(path: Path) -> tuple[int, str]:
    last = read_bets(path, KEY)[-1]
    return last.number, last.hash


def test_what_was_written_is_read(path: Path) -> None:
    entries = read_bets(path, KEY)
    assert [(entry.number, entry.kind, entry.bet) for entry in entries] == [
        (1, "frozen", "a.m"),
        (2, "frozen", "b.m"),
        (3, "settled", "a.m"),
    ]
    assert entries[2].content == {"verdict": "miss"}
    assert (path.stat().st_mode & 0o777) == 0o600
    assert read_bets(path.with_name("none.jsonl"), KEY) == ()
    assert append_bets(path, entries, [], KEY, AT) == entries


def test_a_line_that_a_crash_left_half_written_was_never_an_entry(path: Path) -> None:
    entries = read_bets(path, KEY)
    path.write_text(path.read_text() + lines(path)[-1][:40])
    assert read_bets(path, KEY) == entries
    again = append_bets(path, entries, [("frozen", "d.m", {"low": 1})], KEY, AT)
    assert read_bets(path, KEY) == again


def _edit(path: Path) -> None:
    path.write_text(path.read_text().replace('"miss"', '"hit"'))


def _remove(path: Path) -> None:
    first, _, third = lines(path)
    path.write_text(first + third)


def _swap(path: Path) -> None:
    first, second, third = lines(path)
    path.write_text(second + first + third)


def _repeat(path: Path) -> None:
    path.write_text("".join([*lines(path), lines(path)[-1]]))


def _forge(path: Path) -> None:
    """Everything computed anew, with a key that is not the workspace's but claims to be."""
    entries: tuple[Entry, ...] = ()
    path.unlink()
    append_bets(
        path, entries, [("frozen", "a.m", {"low": 0.01}), ("settled", "a.m", {"verdict": "hit"})], OTHER, AT
    )
    path.write_text(path.read_text().replace(OTHER.id, KEY.id))
    said = [json.loads(line) for line in lines(path)]
    before, forged = "0" * 64, []
    for each in said:
        bare = {name: each[name] for name in ("number", "at", "kind", "bet", "content", "key_id")}
        text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before = hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
        forged.append({**each, "hash": before, "signature": OTHER.digest("bets", before)})
    path.write_text("".join(json.dumps(each, sort_keys=True) + "\n" for each in forged))


def _rewrite_with_another_key(path: Path) -> None:
    path.unlink()
    append_bets(path, (), [("frozen", "a.m", {"low": 0.01})], OTHER, AT)


def _garbage(path: Path) -> None:
    path.write_text(path.read_text() + "{not json\n")


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (_edit, "bets.jsonl:3: this entry was changed"),
        (_remove, "bets.jsonl:2: this entry is entry 3"),
        (_swap, "bets.jsonl:1: this entry is entry 2"),
        (_repeat, "bets.jsonl:4: this entry is entry 3"),
        (_forge, "bets.jsonl:1: this entry was not written by Headway"),
        (_rewrite_with_another_key, "signed with another key"),
        (_garbage, "bets.jsonl:4: this entry cannot be read"),
    ],
)
def test_every_rewriting_is_noticed(path: Path, attack: Callable[[Path], None], message: str) -> None:
    attack(path)
    with pytest.raises(LedgerError, match=message):
        read_bets(path, KEY)


def test_a_cut_end_is_noticed_by_what_an_earlier_run_saw(path: Path) -> None:
    seen = head(path)
    first, second, _ = lines(path)
    path.write_text(first + second)
    assert len(read_bets(path, KEY)) == 2
    with pytest.raises(LedgerError, match="is the last one, and there were 3"):
        read_bets(path, KEY, seen=seen)
    append_bets(path, read_bets(path, KEY), [("settled", "a.m", {"verdict": "hit"})], KEY, AT)
    with pytest.raises(LedgerError, match="is another one than an earlier run saw"):
        read_bets(path, KEY, seen=seen)
    path.unlink()
    with pytest.raises(LedgerError, match="there were 3"):
        read_bets(path, KEY, seen=seen)


def test_a_new_key_vouches_for_what_the_old_one_signed(path: Path) -> None:
    seen = head(path)
    old = read_bets(path, OTHER, seen=seen)
    append_bets(path, old, [("frozen", "c.m", {"low": 0.3})], OTHER, AT)
    entries = read_bets(path, OTHER)
    assert [entry.kind for entry in entries] == ["frozen", "frozen", "settled", "key", "frozen"]
    _edit(path)
    with pytest.raises(LedgerError, match="this entry was changed"):
        read_bets(path, OTHER)
