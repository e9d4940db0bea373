"""The proof: a byte scan of everything a run wrote, for values that must not be there.

Looks for each value plain, in other cases, percent-encoded, as hexadecimal and base64 (at its three alignments), and
as unkeyed hashes. Compressed content is opened: gzip and zstandard files, every text column of Parquet files and DuckDB
databases, including names of columns and tables.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import polars as pl

from headway.engine import connect
from headway.engine.sql import identifier, literal
from headway_pipelines.privacy.framing import open_raw

_CHUNK = 16 << 20


@dataclass(frozen=True)
class Hit:
    """A value that was found.

    Attributes:
        value: Position of the value in the list that was scanned for.
        form: How it was written, for example ``base64``.
        path: The file.
    """

    value: int
    form: str
    path: Path


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Yields the ways in which a value may lie in a file.

    Args:
        value: The value, at least 8 characters long: shorter ones match by accident.

    Yields:
        Name of the form and its bytes.

    Examples:
        >>> sorted({name for name, _ in forms("Grizelda Quux")})
        ['base64', 'hex', 'lower', 'md5', 'percent', 'plain', 'sha1', 'sha256', 'upper', 'utf-16']
    """
    data = value.encode("utf-8")
    yield "plain", data
    yield "lower", value.lower().encode("utf-8")
    yield "upper", value.upper().encode("utf-8")
    yield "percent", quote(value, safe="").encode("ascii")
    yield "utf-16", value.encode("utf-16-le")
    yield "hex", data.hex().encode("ascii")
    for offset in range(3):
        # The first and last characters depend on the neighbours: only the middle is certain.
        encoded = base64.b64encode(b"\0" * offset + data)
        yield "base64", encoded[4 if offset else 0 : len(encoded) - 4]
    for algorithm in ("md5", "sha1", "sha256"):
        for text in {value, value.lower()}:
            digest = hashlib.new(algorithm, text.encode("utf-8"), usedforsecurity=False)
            yield algorithm, digest.hexdigest().encode("ascii")
            yield algorithm, digest.digest()


def scan(paths: Iterable[Path], values: Sequence[str]) -> list[Hit]:
    """Looks for values in files.

    Args:
        paths: Files and folders; folders are searched recursively.
        values: What must not be there, each at least 8 characters long.

    Returns:
        What was found, in order of the files.

    Raises:
        ValueError: A value is too short to be searched for.
    """
    if short := [v for v in values if len(v) < 8]:
        raise ValueError(f"{len(short)} values are shorter than 8 characters and would match by accident")
    needles: dict[str, tuple[int, str]] = {}
    for index, value in enumerate(values):
        for form, data in forms(value):
            needles.setdefault(data.decode("latin-1"), (index, form))
    found = []
    for path in _files(paths):
        hits = {hit for text in _contents(path) for hit in _matches(text, needles)}
        found += [Hit(index, form, path) for index, form in sorted(hits)]
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _matches(text: str, needles: Mapping[str, tuple[int, str]]) -> set[tuple[int, str]]:
    found = pl.Series([text]).str.extract_many(list(needles), overlapping=True).explode().drop_nulls()
    return {needles[n] for n in found.unique()}


def _contents(path: Path) -> Iterator[str]:
    """The file's bytes as text (latin-1), then what is hidden in it by compression, then its name."""
    yield path.name
    yield from _chunks(path, plain=True)
    with path.open("rb") as handle:
        magic = handle.read(16)
    if magic[:2] == b"\x1f\x8b" or magic[:4] == b"\x28\xb5\x2f\xfd":
        yield from _chunks(path, plain=False)
    elif magic[:4] == b"PAR1":
        yield from _columns(f"SELECT * FROM read_parquet({literal(str(path))}, hive_partitioning = false)", None)
    elif magic[8:12] == b"DUCK":
        yield from _database(path)


def _chunks(path: Path, *, plain: bool) -> Iterator[str]:
    stream = path.open("rb") if plain else open_raw(path)
    overlap = b""
    try:
        while chunk := stream.read(_CHUNK):
            yield (overlap + chunk).decode("latin-1")
            overlap = chunk[-512:]
    finally:
        stream.close()


def _database(path: Path) -> Iterator[str]:
    con = connect(path, read_only=True)
    try:
        tables = con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        views = con.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall()
    finally:
        con.close()
    yield "\n".join(str(sql) for (sql,) in views)
    for (name,) in tables:
        yield from _columns(f"SELECT * FROM {identifier(name)}", path)


def _columns(query: str, path: Path | None) -> Iterator[str]:
    con = connect(path, read_only=path is not None)
    try:
        columns = con.execute(f"DESCRIBE {query}").fetchall()
        yield "\n".join(str(c[0]) for c in columns)
        for name, *_ in columns:
            column = identifier(str(name))
            frame = con.sql(f"SELECT DISTINCT {column}::VARCHAR AS v FROM ({query}) WHERE v IS NOT NULL").pl()
            yield "\n".join(frame["v"]).encode("utf-8").decode("latin-1")
    finally:
        con.close()
