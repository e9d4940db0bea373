"""Opening raw files and cutting them into lines: every line keeps its number and its byte offset.

Only the privacy package may import this module. Nothing here interprets a line; what cannot be framed (a line over
the length cap, bytes that are not UTF-8) is rejected with its place, and a file whose compression is damaged is set
aside whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import zstandard
from isal import igzip, isal_zlib

#: Small enough for the processor's cache and for the allocator to use the same memory again.
BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
LINE_TOO_LONG, NOT_UTF8 = "line too long", "not UTF-8"
_NEWLINE = 10
_BOM = b"\xef\xbb\xbf"
# The cast is for a type checker that may not see isal.
_DAMAGE = cast(
    "tuple[type[Exception], ...]",
    (EOFError, zlib.error, isal_zlib.error, igzip.BadGzipFile, zstandard.ZstdError),
)

LINE_SCHEMA = pa.schema([("line", pa.uint32()), ("position", pa.int64()), ("text", pa.string())])


class DamagedFile(Exception):
    """The compressed stream ends early or is corrupt; carries only where."""


@dataclass
class Block:
    """Some consecutive lines of one file.

    Attributes:
        lines: Columns `line` (1-based), `position` (byte offset in the decompressed file) and `text`.
        rejects: ``(line, position, reason)`` of lines that could not be framed.
    """

    lines: pa.Table
    rejects: list[tuple[int, int, str]] = field(default_factory=list)


class Readable(Protocol):
    """What can be framed."""

    def read(self, size: int, /) -> bytes:
        """Reads at most so many bytes."""
        ...


def open_raw(path: Path) -> BinaryIO:
    """Opens a raw file for reading; gzip and zstandard are recognised by content, not by name.

    Args:
        path: The file.

    Returns:
        A stream of decompressed bytes.
    """
    handle = path.open("rb")
    magic = handle.read(4)
    if magic[:2] == b"\x1f\x8b":
        # By name: it closes only what it opened itself.
        handle.close()
        return igzip.IGzipFile(str(path), "rb")  # type: ignore[no-any-return]
    handle.seek(0)
    if magic == b"\x28\xb5\x2f\xfd":
        return _ZstdStream(handle)  # type: ignore[return-value]
    return handle


class _ZstdStream:
    """Decompresses zstandard frames and, unlike the library's reader, notices a truncated one."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle, self._pending, self._done = handle, b"", False
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while sum(map(len, parts)) < size and not self._done:
            chunk = self._pending or self._handle.read(1 << 20)
            self._pending = b""
            if not chunk:
                self._done = True
                raise EOFError("zstandard frame ended early")
            parts.append(self._frame.decompress(chunk))
            if self._frame.eof:
                self._pending = self._frame.unused_data or self._handle.read(1 << 20)
                self._done = not self._pending
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        return b"".join(parts)

    def close(self) -> None:
        self._handle.close()


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


def cut(stream: Readable, max_line_bytes: int) -> Iterator[Piece]:
    """Cuts a stream after newlines, a block at a time; a byte order mark is left out.

    Args:
        stream: Decompressed bytes.
        max_line_bytes: A line that grows over this while it is read is skipped and rejected.

    Yields:
        Pieces in order. The last one ends with a newline even where the file does not.

    Raises:
        DamagedFile: The compressed stream is truncated or corrupt.
    """
    line, position, rest, skipped_from = 1, 0, b"", -1
    while chunk := _read(stream, line, position):
        if position == 0 and not rest and chunk.startswith(_BOM):
            chunk, position = chunk[3:], 3
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
    if skipped_from >= 0:
        yield Piece(b"", line, position, [(line, skipped_from, LINE_TOO_LONG)])
    elif rest:
        yield Piece(rest + b"\n", line, position)


def _read(stream: Readable, line: int, position: int) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except _DAMAGE as error:
        kind = type(error).__name__
    raise DamagedFile(f"compressed data damaged after byte {position} (line {line}): {kind}")


def frame_lines(path: Path, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Block]:
    """Cuts a file into lines.

    Args:
        path: The file; plain, gzip or zstandard.
        max_line_bytes: Longer lines are rejected; memory stays bounded by this and the block size.

    Yields:
        Blocks of lines, in order; all bytes of the file are in exactly one line or reject.

    Raises:
        DamagedFile: The compressed stream is truncated or corrupt.
    """
    stream = open_raw(path)
    try:
        for piece in cut(stream, max_line_bytes):
            yield _lines(piece, max_line_bytes)
    finally:
        stream.close()


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
