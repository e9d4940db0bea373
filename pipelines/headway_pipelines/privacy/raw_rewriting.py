"""Taking lines out of raw files, when that is asked for.

A line is taken out only where everything in it is an erased person's; it becomes an empty line, and a row of Parquet
one without values, so that all others keep their number. Files are written beside the old one and renamed over it,
packed as they were.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import secrets
import zipfile
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import zstandard
from pyarrow import parquet

from headway_pipelines.privacy.columnar import is_parquet
from headway_pipelines.privacy.opening import (
    DamagedFile,
    Readable,
    damage,
    decompressed,
    is_zip,
    members_of,
    open_raw,
    opened_zip,
)
from headway_pipelines.sources.shape import Reader, Source
from headway_pipelines.workspace import sync_file, sync_folder

_CHUNK = 1 << 20
_ROWS = 16_384
_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def why_not(path: Path) -> str:
    """Says why lines cannot be taken out of a file; empty where they can.

    Args:
        path: The file.

    Returns:
        The reason in words.

    Raises:
        DamagedFile: It is an archive whose list of members cannot be read.
    """
    if is_zip(path):
        with opened_zip(path) as archive:
            names = [member.filename for member in archive.infolist()]
        if len(set(names)) < len(names):
            return "members of the zip archive have the same name"
    return ""


def blank_lines(path: Path, lines: Collection[int], source: Source) -> tuple[int, str]:
    """Empties lines of a file.

    Args:
        path: The file; a link is followed.
        lines: Their numbers, from 1: those in which their rows begin. What was not found at the beginning of a row is
            left.
        source: How the file is read.

    Returns:
        How many rows were emptied, and the file's new SHA-256.

    Raises:
        DamagedFile: The file cannot be read to its end; it is left as it was.
    """
    real = path.resolve()
    beside = real.with_name(f".{real.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("wb") as handle:
            beside.chmod(real.stat().st_mode & 0o7777)
            emptied = _rewritten(real, handle, frozenset(lines), source.reader)
        sync_file(beside)
        with beside.open("rb") as handle:
            checksum = hashlib.file_digest(handle, "sha256").hexdigest()
        beside.replace(real)
        sync_folder(real.parent)
    finally:
        beside.unlink(missing_ok=True)
    return emptied, checksum


def _rewritten(path: Path, target: IO[bytes], lines: frozenset[int], reader: Reader) -> int:
    if reader.kind == "parquet" or (reader.kind == "table" and is_parquet(path)):
        return _without_rows(path, target, lines)
    rows = _Emptying(lines, reader)
    if is_zip(path):
        _without_lines_of_members(path, target, rows)
        return rows.emptied
    with path.open("rb") as handle:
        magic = handle.read(4)
    for stream in open_raw(path):
        _repack(stream, target, magic, rows)
    return rows.emptied


def _repack(stream: Readable, target: IO[bytes], magic: bytes, rows: _Emptying) -> None:
    packed = _packed(target, magic)
    for line in rows.without(_lines(stream)):
        packed.write(line)
    if packed is not target:
        packed.close()


def _packed(handle: IO[bytes], magic: bytes) -> IO[bytes]:
    if magic[:2] == _GZIP:
        return cast("IO[bytes]", gzip.GzipFile(filename="", mode="wb", fileobj=handle, mtime=0))
    if magic == _ZSTANDARD:
        return zstandard.ZstdCompressor().stream_writer(handle, closefd=False)
    return handle


def _without_lines_of_members(path: Path, target: IO[bytes], rows: _Emptying) -> None:
    """Writes an archive anew. Members are read in the order in which their lines are numbered; others are copied."""
    with opened_zip(path) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        read = members_of(archive)
        for number, member in enumerate(read, 1):
            which = f"member {number} of {len(read)} of the zip archive"
            with archive.open(member) as handle:
                magic = handle.read(4)
            with (
                archive.open(member) as handle,
                closing(decompressed(handle, which)) as stream,
                made.open(_named_as(member), "w") as written,
            ):
                _repack(stream, written, magic, rows)
        for member in archive.infolist():
            if member not in read:
                made.writestr(_named_as(member), archive.read(member))
        made.comment = archive.comment


def _named_as(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The head of a member, without what says how long it was."""
    head = zipfile.ZipInfo(member.filename, member.date_time)
    head.compress_type = member.compress_type
    head.external_attr, head.create_system = member.external_attr, member.create_system
    return head


def _lines(stream: Readable) -> Iterator[bytes]:
    """Lines with their ends; a long one comes in one piece, as erasing it needs all of it."""
    rest = b""
    while chunk := _read(stream):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _read(stream: Readable) -> bytes:
    try:
        return stream.read(_CHUNK)
    except Exception as error:
        words = damage(error)
        if words is None:
            raise
    raise DamagedFile(f"compressed data is damaged: {words}")


@dataclass
class _Emptying:
    """Empties rows while lines go by, numbered on from one stream to the next as the gate numbers them.

    A quoted field may run over several lines: all lines of its row are emptied. Where it never ends, the row is left as
    the gate leaves it, which takes its first line for a reject.
    """

    lines: frozenset[int]
    reader: Reader
    emptied: int = 0
    number: int = field(default=0)

    def without(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """The lines of one stream, with empty ones in place of those that go."""
        for line in lines:
            self.number += 1
            if self.number not in self.lines:
                yield line
                continue
            row, whole = self._row(line, lines)
            self.number += len(row) - 1
            self.emptied += whole
            yield from (map(_emptied, row) if whole else row)

    def _row(self, first: bytes, following: Iterator[bytes]) -> tuple[list[bytes], bool]:
        """The lines of a row, and whether its end was found."""
        row = [first]
        if self.reader.kind == "lines" or self.reader.separator == "whitespace":
            return row, True

        def texts() -> Iterator[str]:
            yield first.decode("utf-8", "surrogateescape")
            for line in following:
                row.append(line)
                yield line.decode("utf-8", "surrogateescape")

        try:
            next(csv.reader(texts(), delimiter=self.reader.separator, strict=False), None)
        except csv.Error:
            return row, False
        return row, True


def _emptied(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _without_rows(path: Path, target: IO[bytes], rows: frozenset[int]) -> int:
    """Writes a Parquet file whose rows have no values where they go: same row groups, columns and compression."""
    emptied, row = 0, 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            schema = _plain(file.schema_arrow)
            first = file.metadata.row_group(0) if file.num_row_groups else None
            packed = first.column(0).compression if first and first.num_columns else "SNAPPY"
            packed = "NONE" if packed == "UNCOMPRESSED" else packed
            with parquet.ParquetWriter(target, schema, compression=packed) as writer:
                for group in range(file.num_row_groups):
                    kept = []
                    for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group], use_threads=False):
                        places = [None if row + at + 1 in rows else at for at in range(batch.num_rows)]
                        emptied += places.count(None)
                        row += batch.num_rows
                        # Taking copies: no buffer or dictionary holds what was not taken.
                        table = pa.Table.from_batches([batch]).cast(schema)
                        kept.append(table.take(pa.array(places, pa.int64())))
                    table = pa.concat_tables(kept) if kept else schema.empty_table()
                    writer.write_table(table, row_group_size=max(1, table.num_rows))
    except (pa.ArrowException, OSError) as error:
        raise DamagedFile(f"the Parquet file cannot be written anew: {type(error).__name__}") from None
    return emptied


def _plain(schema: pa.Schema) -> pa.Schema:
    """The columns, any value missing; dictionaries as what they hold: they keep values that no row has any more."""
    fields = [
        each.with_type(each.type.value_type) if pa.types.is_dictionary(each.type) else each for each in schema
    ]
    return pa.schema([each.with_nullable(True) for each in fields], schema.metadata)


__all__ = ["blank_lines", "why_not"]
