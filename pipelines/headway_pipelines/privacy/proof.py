"""The proof: a byte scan of everything a run wrote, for values that must not be there.

Looks for each value plain, percent-encoded (once and twice), with HTML or JSON escapes, as hexadecimal and base64 (at
its three alignments), and as unkeyed hashes; an e-mail address also by its part before the @; all without regard to
the case of letters. What is hidden from a search of bytes is opened: gzip and zstandard files, every member of zip
archives (hidden ones too), every column of Parquet files and DuckDB databases, every cell of SQLite databases (a long
one is spread over pages; Dagster compresses some), and the names of files, folders, members, tables and columns.
"""

from __future__ import annotations

import base64
import hashlib
import math
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import polars as pl
from duckdb import DuckDBPyConnection

from headway.engine import connect
from headway.engine.sql import identifier, literal
from headway_pipelines.privacy.opening import Readable, decompressed, is_zip, open_raw, opened_zip

_CHUNK = 16 << 20
_OVERLAP = 4096
_SHORTEST = 8


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
    """Yields the ways in which a value may lie in a file, letter case aside.

    Args:
        value: The value, at least 8 characters long: shorter ones match by accident.

    Yields:
        Name of the form and its bytes.

    Examples:
        >>> sorted({name for name, _ in forms("grizelda@example.com")})
        ['base64', 'double percent', 'hex', 'html', 'json', 'local part', 'md5', 'percent', 'plain', 'sha1', 'sha256',
        'utf-16']
    """
    data = value.encode("utf-8")
    yield "plain", data
    local = value.partition("@")[0]
    if local != value and len(local) >= _SHORTEST:
        yield "local part", local.encode("utf-8")
    yield "percent", quote(value, safe="").encode("ascii")
    yield "double percent", quote(quote(value, safe=""), safe="").encode("ascii")
    yield "html", escape(value).replace("@", "&#64;").encode("ascii", "xmlcharrefreplace")
    yield "html", escape(value).replace("@", "&#x40;").encode("utf-8")
    yield (
        "json",
        "".join(c if c.isalnum() and c.isascii() else f"\\u{ord(c):04x}" for c in value).encode("ascii"),
    )
    yield "json", value.replace("@", "\\u0040").encode("utf-8")
    yield "utf-16", value.encode("utf-16-le")
    yield "hex", data.hex().encode("ascii")
    for offset in range(3):
        # The characters at the ends depend on the neighbours: only those that hold bits of the value alone are certain.
        first, last = math.ceil(offset * 8 / 6), (offset + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield "base64", encode(b"\0" * offset + data)[first:last]
    for algorithm in ("md5", "sha1", "sha256"):
        for text in (value, value.lower(), value.upper()):
            digest = hashlib.new(algorithm, text.encode("utf-8"), usedforsecurity=False)
            yield algorithm, digest.hexdigest().encode("ascii")
            yield algorithm, str(UUID(digest.hexdigest()[:32])).encode("ascii")
            yield algorithm, digest.digest()
            yield algorithm, base64.b64encode(digest.digest())[:-2]


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
    if short := [v for v in values if len(v) < _SHORTEST]:
        raise ValueError(
            f"{len(short)} values are shorter than {_SHORTEST} characters and would match by accident"
        )
    # One value may be the encoded form of another one.
    needles: dict[str, set[tuple[int, str]]] = {}
    for index, value in enumerate(values):
        for form, data in forms(value):
            needles.setdefault(_folded(data.decode("latin-1")), set()).add((index, form))
    found: set[tuple[Path, int, str]] = set()
    for path, texts in _batches(paths):
        found |= {(path[row], *hit) for row, hit in _matches(texts, needles)}
    return [Hit(index, form, path) for path, index, form in sorted(found)]


def _batches(paths: Iterable[Path]) -> Iterator[tuple[list[Path], list[str]]]:
    """Texts in portions: the search is prepared once per portion, not once per column of a small file."""
    names: list[Path] = []
    texts: list[str] = []
    size = 0
    with connect() as con:
        for root, path in _files(paths):
            for text in _contents(root, path, con):
                names.append(path)
                texts.append(text)
                size += len(text)
                if size >= 2 * _CHUNK:
                    yield names, texts
                    names, texts, size = [], [], 0
    yield names, texts


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        yield from ((path if path.is_dir() else path.parent, p) for p in found)


def _matches(
    texts: list[str], needles: Mapping[str, set[tuple[int, str]]]
) -> set[tuple[int, tuple[int, str]]]:
    if not texts or not needles:
        return set()
    found = pl.Series(texts).str.extract_many(list(needles), ascii_case_insensitive=True, overlapping=True)
    return {
        (row, one) for row, hits in enumerate(found) for hit in hits.unique() for one in needles[_folded(hit)]
    }


#: ASCII letters alone are folded: the texts are bytes in disguise.
_FOLD = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _folded(text: str) -> str:
    return text.translate(_FOLD)


def _contents(root: Path, path: Path, con: DuckDBPyConnection) -> Iterator[str]:
    """Where the file is, its bytes as text (latin-1), then what a search of its bytes would miss."""
    yield _disguised(path.relative_to(root).as_posix())
    yield from _chunks(path, plain=True)
    with path.open("rb") as handle:
        magic = handle.read(16)
    if _is_packed(magic):
        yield from _chunks(path, plain=False)
    elif is_zip(path):
        yield from _archive(path)
    elif magic[:4] == b"PAR1":
        yield from _columns(
            con, f"SELECT * FROM read_parquet({literal(str(path))}, hive_partitioning = false)"
        )
    elif magic[8:12] == b"DUCK":
        yield from _database(path)
    elif magic == b"SQLite format 3\0":
        yield from _sqlite(path)


def _disguised(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _chunks(path: Path, *, plain: bool) -> Iterator[str]:
    if plain:
        with path.open("rb") as handle:
            yield from _overlapping(handle)
        return
    for stream in open_raw(path):
        yield from _overlapping(stream)


def _is_packed(begin: bytes) -> bool:
    return begin[:2] == b"\x1f\x8b" or begin[:4] == b"\x28\xb5\x2f\xfd"


def _archive(path: Path) -> Iterator[str]:
    """Names and members of a zip archive, also those that are never read as logs; packed ones are unpacked."""
    with opened_zip(path) as archive:
        yield _disguised("\n".join(archive.namelist()))
        for member in archive.infolist():
            # What is encrypted, or packed as nobody reads it, hides it from everybody else too.
            with suppress(RuntimeError, NotImplementedError):
                with archive.open(member) as beginning:
                    packed = _is_packed(beginning.read(4))
                with archive.open(member) as content:
                    if packed:
                        with closing(decompressed(content)) as stream:
                            yield from _overlapping(stream)
                    else:
                        yield from _overlapping(content)


def _overlapping(stream: Readable) -> Iterator[str]:
    overlap = b""
    while chunk := stream.read(_CHUNK):
        yield (overlap + chunk).decode("latin-1")
        overlap = (overlap + chunk)[-_OVERLAP:]


def _database(path: Path) -> Iterator[str]:
    with connect(path, read_only=True) as con:
        objects = con.execute(
            "SELECT sql FROM duckdb_views() WHERE NOT internal UNION ALL "
            "SELECT concat_ws(' ', table_name, sql, comment) FROM duckdb_tables() UNION ALL "
            "SELECT comment FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        yield _disguised("\n".join(str(sql) for (sql,) in objects))
        for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            yield from _columns(con, f"SELECT * FROM {identifier(name)}")


def _columns(con: DuckDBPyConnection, query: str) -> Iterator[str]:
    """Names of the columns, then the different values of each."""
    names = con.sql(query).columns
    yield _disguised("\n".join(names))
    # one query for all columns: most files are small, and a query each would cost more than reading them
    items = ", ".join(f"list(DISTINCT {identifier(name)}::VARCHAR)" for name in names)
    [columns] = con.execute(f"SELECT {items} FROM ({query})").fetchall()
    for values in columns:
        yield _disguised("\n".join(value for value in values or () if value is not None))


def _sqlite(path: Path) -> Iterator[str]:
    con = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        names = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            cells = (cell for row in con.execute(f"SELECT * FROM {identifier(name)}") for cell in row)
            yield "\n".join(_cell(cell) for cell in cells if isinstance(cell, str | bytes))
    finally:
        con.close()


def _cell(cell: str | bytes) -> str:
    if isinstance(cell, str):
        return _disguised(cell)
    with suppress(zlib.error):
        cell = zlib.decompress(cell)
    return cell.decode("latin-1")
