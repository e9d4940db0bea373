"""The scan is only a proof if it finds what is there: one value in every kind of file and every encoding."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import duckdb
import polars as pl
import pytest
import zstandard

from headway_pipelines.privacy import proof as scanning
from headway_pipelines.privacy.proof import forms, scan

VALUE = "Grizelda.Quux@example.com"
OTHER = "perpetua.puddle@example.org"

#: Written by hand, not by the module under test.
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "lower": lambda v: v.lower().encode(),
    "upper": lambda v: v.upper().encode(),
    "title": lambda v: v.title().encode(),
    "percent": lambda v: v.replace("@", "%40").encode(),
    "percent, everything": lambda v: quote(v, safe="").encode(),
    "percent, lower case digits": lambda v: v.replace("@", "%40").lower().encode(),
    "percent twice": lambda v: v.replace("@", "%2540").encode(),
    "html number": lambda v: v.replace("@", "&#64;").encode(),
    "html hexadecimal": lambda v: v.replace("@", "&#x40;").encode(),
    "json": lambda v: v.replace("@", "\\u0040").encode(),
    "hexadecimal": lambda v: v.encode().hex().encode(),
    "HEXADECIMAL": lambda v: v.encode().hex().upper().encode(),
    "base64, alone": lambda v: base64.b64encode(v.encode()),
    "base64, after 1": lambda v: base64.b64encode(b"x" + v.encode() + b"more"),
    "base64, after 2": lambda v: base64.b64encode(b"xy" + v.encode() + b"more"),
    "base64, after 3": lambda v: base64.b64encode(b"xyz" + v.encode() + b"more"),
    "base64, of JSON": lambda v: base64.urlsafe_b64encode(json.dumps({"email": v}).encode()),
    "utf-16": lambda v: v.encode("utf-16-le"),
    "md5": lambda v: hashlib.md5(v.encode(), usedforsecurity=False).hexdigest().encode(),
    "md5 of lower case": lambda v: (
        hashlib.md5(v.lower().encode(), usedforsecurity=False).hexdigest().encode()
    ),
    "md5 as bytes": lambda v: hashlib.md5(v.encode(), usedforsecurity=False).digest(),
    "sha1": lambda v: hashlib.sha1(v.encode(), usedforsecurity=False).hexdigest().encode(),
    "sha256": lambda v: hashlib.sha256(v.lower().encode()).hexdigest().encode(),
    "SHA256": lambda v: hashlib.sha256(v.encode()).hexdigest().upper().encode(),
    "part before the @": lambda v: v.partition("@")[0].encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\0\xff some bytes " + ENCODINGS[encoding](VALUE) + b" and more \x80")
    assert {(hit.value, hit.path) for hit in scan([tmp_path], [OTHER, VALUE])} == {(1, path)}


def _sqlite(path: Path, cell: object) -> None:
    con = sqlite3.connect(path)
    with con:
        con.execute("CREATE TABLE t (a, b)")
        con.execute("INSERT INTO t VALUES (1, ?)", (cell,))
    con.close()


def _duckdb(path: Path, *statements: str) -> None:
    con = duckdb.connect(str(path))
    for statement in statements:
        con.execute(statement)
    con.close()


def _log_of_a_killed_writer(path: Path) -> None:
    """A write-ahead log beside a database that was not closed."""
    con = duckdb.connect(str(path))
    con.execute("SET checkpoint_threshold = '1GB'")
    con.execute("CREATE TABLE t (a VARCHAR)")
    con.execute(f"INSERT INTO t VALUES ('{VALUE}')")
    log = Path(f"{path}.wal").read_bytes()
    con.close()
    path.unlink()
    path.with_name("left.wal").write_bytes(log)


def _zip(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def _named(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("nothing")


def _over_pages(folder: Path) -> None:
    for shift in range(0, 90, 15):
        _sqlite(folder / f"{shift}.db", "z" * shift + LONG)


#: Long enough that SQLite spreads it over pages: a search of the file's bytes may miss the value.
LONG = "x" * 4000 + VALUE + "y" * 90_000

PLACES: dict[str, Callable[[Path], object]] = {
    "text": lambda f: (f / "a.log").write_text(f"user {VALUE} failed"),
    "html": lambda f: (f / "a.html").write_text(f"<p>{VALUE}</p>"),
    "gzip": lambda f: (f / "a").write_bytes(gzip.compress(f"user {VALUE}".encode() * 3)),
    "zstandard": lambda f: (f / "a").write_bytes(zstandard.compress(f"user {VALUE}".encode() * 3)),
    "zip": lambda f: _zip(f / "a.zip", "a.json", f"user {VALUE}".encode() * 3),
    "zip of gzip": lambda f: _zip(f / "a.zip", "a.json.gz", gzip.compress(f"user {VALUE}".encode() * 3)),
    "zip, a hidden member": lambda f: _zip(f / "a.zip", "__MACOSX/._a", f"user {VALUE}".encode() * 3),
    "zip, name of a member": lambda f: _zip(f / "a.zip", f"{VALUE}.json", b"nothing"),
    "file name": lambda f: (f / f"{VALUE}.txt").write_text("nothing"),
    "folder name": lambda f: _named(f / f"user={VALUE}" / "a"),
    "parquet column": lambda f: pl.DataFrame({"a": [VALUE, *map(str, range(999))]}).write_parquet(
        f / "a.parquet"
    ),
    "parquet column name": lambda f: pl.DataFrame({VALUE: [1]}).write_parquet(f / "a.parquet"),
    "parquet list": lambda f: pl.DataFrame({"a": [[VALUE], ["b"]]}).write_parquet(f / "a.parquet"),
    "parquet struct": lambda f: pl.DataFrame({"a": [{"b": VALUE}]}).write_parquet(f / "a.parquet"),
    "parquet bytes": lambda f: pl.DataFrame({"a": [VALUE.encode()]}).write_parquet(f / "a.parquet"),
    "parquet without its suffix": lambda f: pl.DataFrame({"a": [VALUE] * 99}).write_parquet(f / "a"),
    "duckdb cell": lambda f: _duckdb(
        f / "a.duckdb", f"CREATE TABLE t AS SELECT range, '{VALUE}' AS a FROM range(5000)"
    ),
    "duckdb struct": lambda f: _duckdb(f / "a.duckdb", f"CREATE TABLE t AS SELECT {{'a': ['{VALUE}']}} AS s"),
    "duckdb table name": lambda f: _duckdb(f / "a.duckdb", f'CREATE TABLE "{VALUE}" (a INTEGER)'),
    "duckdb column name": lambda f: _duckdb(f / "a.duckdb", f'CREATE TABLE t ("{VALUE}" INTEGER)'),
    "duckdb view": lambda f: _duckdb(f / "a.duckdb", f"CREATE VIEW v AS SELECT '{VALUE}' AS a"),
    "duckdb comment": lambda f: _duckdb(
        f / "a.duckdb", "CREATE TABLE t (a INTEGER)", f"COMMENT ON COLUMN t.a IS '{VALUE}'"
    ),
    "duckdb log": lambda f: _log_of_a_killed_writer(f / "a.duckdb"),
    "sqlite": lambda f: _sqlite(f / "a.db", VALUE),
    "sqlite over pages": lambda f: _over_pages(f),
    "sqlite compressed": lambda f: _sqlite(f / "a.db", zlib.compress(json.dumps({"tags": VALUE}).encode())),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_kind_of_file_is_opened(tmp_path: Path, place: str) -> None:
    PLACES[place](tmp_path)
    files = {p for p in tmp_path.rglob("*") if p.is_file()}
    assert {(hit.value, hit.path) for hit in scan([tmp_path], [OTHER, VALUE])} == {(1, f) for f in files}


def test_files_may_be_named_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(VALUE)
    (tmp_path / "b").write_text(VALUE)
    assert {hit.path.name for hit in scan([tmp_path / "b"], [VALUE])} == {"b"}


def test_a_value_across_the_border_of_two_chunks_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_CHUNK", 10)
    (tmp_path / "a").write_text("x" * 57 + VALUE + "y" * 57)
    (tmp_path / "b").write_bytes(gzip.compress(b"x" * 57 + VALUE.encode() + b"y" * 57))
    assert {hit.path.name for hit in scan([tmp_path], [VALUE])} == {"a", "b"}


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"id": "0a1b2c", "grizelda": "quux", "n": 12345678}))
    (tmp_path / "b").write_bytes(bytes(range(256)) * 5000)
    pl.DataFrame({"a": ["example.com", "Quux", None]}).write_parquet(tmp_path / "c.parquet")
    assert scan([tmp_path], [VALUE, OTHER, "+1 (202) 555-0143", "12 Example Street"]) == []


def test_short_values_are_refused() -> None:
    with pytest.raises(ValueError, match="1 values are shorter than 8 characters"):
        scan([], ["abc", VALUE])


@pytest.mark.parametrize("value", [VALUE, "12345678", "Zoë Mül", "203.0.113.9"])
def test_no_form_is_so_short_that_it_matches_by_accident(value: str) -> None:
    assert min(len(data) for _, data in forms(value)) >= 8
