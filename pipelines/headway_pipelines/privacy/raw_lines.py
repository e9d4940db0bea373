"""Erased people in raw files: where they are, and, when that is asked for, their lines taken out.

A line is taken out only where everything in it is theirs; it becomes an empty line, so that all others keep their
number. Files are written beside the old one and renamed over it, packed as they were.
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import IO, cast

import zstandard

from headway_pipelines.privacy.columnar import is_parquet
from headway_pipelines.privacy.gate import Gate, RawFile
from headway_pipelines.privacy.opening import DamagedFile, Readable, is_zip, open_raw
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.sources.shape import Source
from headway_pipelines.workspace import sync_file, sync_folder

_CHUNK = 1 << 20
_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass
class Named:
    """The lines of one raw file that name erased people.

    Attributes:
        own: Numbers of the lines that are theirs alone.
        others: How many more name them: other people's lines, or lines that hold several events.
    """

    own: set[int]
    others: int = 0


def find_lines(gate: Gate, files: Sequence[RawFile], source: Source, some: Tombstones) -> dict[int, Named]:
    """Finds erased people in raw files.

    Args:
        gate: The gate.
        files: The files, each with a number.
        source: How to read them.
        some: The tombstones of those people.

    Returns:
        Number of the file -> its lines; files without any are left out.
    """
    found: dict[int, Named] = {}
    for frame in gate.naming(files, source, some):
        for batch, line, own in frame.rows():
            named = found.setdefault(batch, Named(set()))
            if own:
                named.own.add(line)
            else:
                named.others += 1
    return found


def why_not(path: Path, source: Source) -> str:
    """Says why lines cannot be taken out of a file; empty where they can.

    Args:
        path: The file.
        source: How it is read.

    Returns:
        The reason in words.
    """
    if is_zip(path):
        return "it is a zip archive"
    if source.reader.kind == "parquet" or (source.reader.kind == "table" and is_parquet(path)):
        return "it is a Parquet file"
    return ""


def blank_lines(path: Path, lines: Collection[int], source: Source) -> tuple[int, str]:
    """Empties lines of a file.

    Args:
        path: The file; a link is followed.
        lines: Their numbers, from 1.
        source: How the file is read.

    Returns:
        How many lines were emptied, and the file's new SHA-256. In delimited text a line with an open quote may go on
        in the next one, and is left.

    Raises:
        DamagedFile: The file cannot be read to its end; it is left as it was.
    """
    real = path.resolve()
    beside = real.with_name(f".{real.name}.{secrets.token_hex(4)}")
    tabular = source.reader.kind != "lines"
    try:
        with real.open("rb") as handle:
            magic = handle.read(4)
        with beside.open("wb") as handle:
            beside.chmod(real.stat().st_mode & 0o7777)
            packed = _packed(handle, magic)
            emptied = _copy(real, lines, packed, tabular=tabular)
            if packed is not handle:
                packed.close()
        sync_file(beside)
        with beside.open("rb") as handle:
            checksum = hashlib.file_digest(handle, "sha256").hexdigest()
        beside.replace(real)
        sync_folder(real.parent)
    finally:
        beside.unlink(missing_ok=True)
    return emptied, checksum


def _packed(handle: BufferedWriter, magic: bytes) -> IO[bytes]:
    if magic[:2] == _GZIP:
        return cast("IO[bytes]", gzip.GzipFile(filename="", mode="wb", fileobj=handle, mtime=0))
    if magic == _ZSTANDARD:
        return zstandard.ZstdCompressor().stream_writer(handle, closefd=False)
    return handle


def _copy(path: Path, lines: Collection[int], target: IO[bytes], *, tabular: bool) -> int:
    emptied = 0
    for stream in open_raw(path):
        for number, line in enumerate(_lines(stream), 1):
            if number in lines and not (tabular and line.count(b'"') % 2):
                emptied += 1
                line = line[len(line.rstrip(b"\r\n")) :]
            target.write(line)
    return emptied


def _lines(stream: Readable) -> Iterator[bytes]:
    """Lines with their ends; a long one comes in one piece, as erasing it needs all of it."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


__all__ = ["DamagedFile", "Named", "blank_lines", "find_lines", "why_not"]
