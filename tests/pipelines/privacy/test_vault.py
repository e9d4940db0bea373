"""The vault: the same surrogate for the same identifier, for good, and nothing to compute back from."""

from __future__ import annotations

import secrets
from pathlib import Path
from uuid import UUID

import polars as pl
import pyarrow.parquet as pq
import pytest

from headway.engine import connect
from headway.errors import HeadwayError, InputError
from headway_pipelines.privacy import segments as module
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.vault import Vault

KEY = Key(bytes(range(32)))


def assign(folder: Path, *identifiers: tuple[str, str], key: Key = KEY) -> dict[tuple[str, str], UUID]:
    """What a fresh process would be told."""
    con = connect()
    try:
        vault = Vault(folder, key, con)
        vault.assign(pl.DataFrame(identifiers, schema=["domain", "raw"], orient="row"))
        return {(d, r): s for d, r, s in con.execute("SELECT domain, raw, surrogate FROM ids").fetchall()}
    finally:
        con.close()


def test_an_identifier_keeps_its_surrogate(tmp_path: Path) -> None:
    first = assign(tmp_path, ("user", "u1"), ("user", "u2"), ("device", "u1"))
    assert len(set(first.values())) == 3
    again = assign(tmp_path, ("user", "u2"), ("user", "u3"), ("device", "u1"))
    assert again[("user", "u2")] == first[("user", "u2")]
    assert again[("device", "u1")] == first[("device", "u1")]
    assert again[("user", "u3")] not in first.values()


def test_surrogates_are_random(tmp_path: Path) -> None:
    """Even the same key gives other surrogates in another vault: nothing follows from key and identifier."""
    one, other = (assign(tmp_path / name, ("user", "u1")) for name in "ab")
    assert one != other


@pytest.mark.parametrize(
    "ways",
    [
        ("Grizelda@Example.com", " grizelda@example.com ", "GRIZELDA@EXAMPLE.COM", "ｇrizelda＠example.com"),
        ("zoe\u0301", "zoé"),
        ("  u1", "u1\t"),
    ],
)
def test_ways_of_writing_an_identifier_are_one(tmp_path: Path, ways: tuple[str, ...]) -> None:
    assert len(set(assign(tmp_path, *(("user", way) for way in ways)).values())) == 1


def test_ids_that_are_no_addresses_keep_their_case(tmp_path: Path) -> None:
    assert len(set(assign(tmp_path, ("user", "abC"), ("user", "abc")).values())) == 2


def test_segments_are_only_ever_added(tmp_path: Path) -> None:
    assign(tmp_path, ("user", "u1"))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assign(tmp_path, ("user", "u1"))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assign(tmp_path, ("user", "u2"))
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert after.items() > before.items()
    assert sorted(name[:6] for name in after if name != "key-id") == ["000001", "000002"]


def test_nothing_of_an_identifier_or_the_key_is_written(tmp_path: Path) -> None:
    values = ["grizelda.quux@example.com", "+12025550143", "customer-000042"]
    assign(tmp_path, *(("user", v) for v in values))
    assert scan([tmp_path], [*values, bytes(range(32)).hex()]) == []
    (segment,) = tmp_path.glob("*.parquet")
    metadata = pq.ParquetFile(segment).metadata
    columns = [metadata.row_group(0).column(i) for i in range(metadata.num_columns)]
    assert not any(column.is_stats_set for column in columns)


def test_another_key_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    assign(tmp_path, ("user", "u1"))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    other = Key(secrets.token_bytes(32))
    with pytest.raises(InputError, match=f"made with key {KEY.id}, but the key found is {other.id}"):
        assign(tmp_path, ("user", "u1"), key=other)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("damage", ["a changed byte", "cut off", "emptied", "another's content"])
def test_a_damaged_segment_is_found(tmp_path: Path, damage: str) -> None:
    assign(tmp_path, ("user", "u1"))
    assign(tmp_path, ("user", "u2"))
    first, second = sorted(tmp_path.glob("*.parquet"))
    content = first.read_bytes()
    first.write_bytes(
        {
            "a changed byte": content[:40] + bytes([content[40] ^ 1]) + content[41:],
            "cut off": content[:-20],
            "emptied": b"",
            "another's content": second.read_bytes(),
        }[damage]
    )
    with pytest.raises(
        HeadwayError, match=f"state/vault/{first.name} is damaged.*Restore state/ from a backup"
    ):
        assign(tmp_path, ("user", "u1"))


def test_a_missing_segment_is_found(tmp_path: Path) -> None:
    """Without it its identifiers would quietly become new people."""
    assign(tmp_path, ("user", "u1"))
    assign(tmp_path, ("user", "u2"))
    first, _ = sorted(tmp_path.glob("*.parquet"))
    first.unlink()
    with pytest.raises(HeadwayError, match="segment 000001 of the vault is missing"):
        assign(tmp_path, ("user", "u1"))


def test_a_run_killed_while_writing_leaves_no_half_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = assign(tmp_path, ("user", "u1"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            assign(tmp_path, ("user", "u2"))
    assert assign(tmp_path, ("user", "u1")) == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
