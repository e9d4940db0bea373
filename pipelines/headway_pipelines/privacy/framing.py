"""Cutting raw files into lines: every line keeps its number and its byte offset.

Only the privacy package may import this module. Nothing here interprets a line; what cannot be framed (a line over
the length cap, bytes that are not UTF-8) is rejected with its place, and a file whose compression is damaged is set
aside whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headway_pipelines.privacy.opening import DamagedFile, Readable, damage, open_raw

#: Small enough for the processor's cache and for the allocator to use the same memory again.
BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
LINE_TOO_LONG, NOT_UTF8 = "line too long", "not UTF-8"
_NEWLINE = 10
_BOM = b"\xef\xbb\xbf"
LINE_SCHEMA = pa.schema([("line", pa.uint32()), ("position", pa.int64()), ("text", pa.string())])


@dataclass
class Block:
    """Some consecutive lines of one file.

    Attributes:
        lines: Columns `line` (1-based), `position` (byte offset in the decompressed file) and `text`.
        rejects: ``(line, position, reason)`` of lines that could not be framed.
    """

    lines: pa.Table
    rejects: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """Whole lines of a file, as read.

    Attributes:
        data: Bytes that end with a newline, or nothing.
        line: Number of the first line in it.
        position: Byte offset of that line in the decompressed file.
        rejects: ``(line, position, reason)`` of lines before it that were too long to be held.
    """

    data: bytes
    line: int
    position: int
    rejects: list[tuple[int, int, str]] = field(default_factory=list)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int32]:
        """Where each line begins in the data, and the end of the last."""
        ends = np.flatnonzero(np.frombuffer(self.data, np.uint8) == _NEWLINE).astype(np.int32)
        return np.concatenate([np.zeros(1, np.int32), ends + 1])

    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self.offsets) - 1


@dataclass
class Place:
    """Where in a file reading has got to.

    Attributes:
        line: Number of the next line.
        position: Byte offset of the next line in the decompressed file.
    """

    line: int = 1
    position: int = 0


def cut(stream: Readable, max_line_bytes: int, place: Place | None = None) -> Iterator[Piece]:
    """Cuts a stream after newlines, a block at a time; a byte order mark is left out.

    Args:
        stream: Decompressed bytes.
        max_line_bytes: A line that grows over this while it is read is skipped and rejected.
        place: Where the stream begins in its file, moved to where it ends; None for the beginning.

    Yields:
        Pieces in order. The last one ends with a newline even where the stream does not.

    Raises:
        DamagedFile: The compressed stream is truncated or corrupt.
    """
    place = place or Place()
    start = place.position
    line, position, rest, skipped_from = place.line, start, b"", -1
    while chunk := _read(stream, line, position):
        if position == start and not rest and skipped_from < 0 and chunk.startswith(_BOM):
            chunk, position = chunk[3:], start + 3
        buffer, rejects = rest + chunk, []
        if skipped_from >= 0:
            newline = buffer.find(b"\n")
            if newline < 0:
                position += len(buffer)
                continue
            rejects.append((line, skipped_from, LINE_TOO_LONG))
            line, position, skipped_from = line + 1, position + newline + 1, -1
            buffer = buffer[newline + 1 :]
        end = buffer.rfind(b"\n") + 1
        if end or rejects:
            piece = Piece(buffer[:end], line, position, rejects)
            yield piece
            line, position = line + piece.count, position + end
        rest = buffer[end:]
        if len(rest) > max_line_bytes:
            # The line is over the cap already: forget its bytes, remember where it began.
            skipped_from, position, rest = position, position + len(rest), b""
    place.line, place.position = line + (skipped_from >= 0 or bool(rest)), position + len(rest)
    if skipped_from >= 0:
        yield Piece(b"", line, position, [(line, skipped_from, LINE_TOO_LONG)])
    elif rest:
        yield Piece(rest + b"\n", line, position)


def _read(stream: Readable, line: int, position: int) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except Exception as error:
        words = damage(error)
        if words is None:
            raise
    raise DamagedFile(f"compressed data damaged after byte {position} (line {line}): {words}")


def frame_lines(path: Path, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Block]:
    """Cuts a file into lines.

    Args:
        path: The file; plain, gzip, zstandard or a zip archive, whose members count as one file after the other.
        max_line_bytes: Longer lines are rejected; memory stays bounded by this and the block size.

    Yields:
        Blocks of lines, in order; all bytes of the file are in exactly one line or reject.

    Raises:
        DamagedFile: The compressed stream is truncated or corrupt.
    """
    place = Place()
    for stream in open_raw(path):
        for piece in cut(stream, max_line_bytes, place):
            yield _lines(piece, max_line_bytes)


def _lines(piece: Piece, cap: int) -> Block:
    if not piece.data:
        return Block(LINE_SCHEMA.empty_table(), piece.rejects)
    data, offsets, count, rejects = piece.data, piece.offsets, piece.count, list(piece.rejects)
    lines = np.arange(piece.line, piece.line + count, dtype=np.uint32)
    positions = piece.position + offsets[:-1].astype(np.int64)
    keep = np.diff(offsets) <= cap + 1
    rejects += [(int(lines[i]), int(positions[i]), LINE_TOO_LONG) for i in np.flatnonzero(~keep)]
    if not data.isascii():
        bad = not_utf8(data, offsets, keep)
        rejects += [(int(lines[i]), int(positions[i]), NOT_UTF8) for i in bad]
        keep[bad] = False
    # Without copying: the offsets point into the bytes as read; each text keeps its newline, which no reader minds.
    text = pa.BinaryArray.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    if not keep.all():
        text, lines, positions = pc.take(text, column(np.flatnonzero(keep))), lines[keep], positions[keep]
    text = pa.StringArray.from_buffers(len(text), *text.buffers()[1:], None, 0, text.offset)
    table = pa.Table.from_arrays([column(lines), column(positions), text], schema=LINE_SCHEMA)
    return Block(table, rejects)


def column(values: npt.NDArray[np.uint32] | npt.NDArray[np.int64]) -> pa.Array:
    """Hands numbers to Arrow without copying, and without the import of pandas that `pa.array` brings.

    Args:
        values: The numbers.

    Returns:
        An Arrow array over the same memory.
    """
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def not_utf8(data: bytes, offsets: npt.NDArray[np.int32], keep: npt.NDArray[np.bool_]) -> list[int]:
    """Finds lines that are not UTF-8.

    Args:
        data: Some lines.
        offsets: Where each begins, and the end of the last.
        keep: Which of them to look at.

    Returns:
        The places of those that are not UTF-8.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return []
    bad = []
    for index in np.flatnonzero(keep):
        try:
            data[offsets[index] : offsets[index + 1]].decode("utf-8")
        except UnicodeDecodeError:
            bad.append(int(index))
    return bad
