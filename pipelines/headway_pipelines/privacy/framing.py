"""Opening raw files and cutting them into lines: every line keeps its number and its byte offset.

Only the privacy package may import this module. Nothing here interprets a line; what cannot be framed (a line over
the length cap, bytes that are not UTF-8) is rejected with its place, and a file whose compression is damaged is set
aside whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import zstandard
from isal import igzip, isal_zlib

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 1 << 20
_NEWLINE = 10
_BOM = b"\xef\xbb\xbf"
_DAMAGE = (EOFError, zlib.error, isal_zlib.error, igzip.BadGzipFile, zstandard.ZstdError)

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


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def open_raw(path: Path) -> BinaryIO:
    """Opens a raw file for reading; gzip and zstandard are recognised by content, not by name.

    Args:
        path: The file.

    Returns:
        A stream of decompressed bytes.
    """
    handle = path.open("rb")
    magic = handle.read(4)
    handle.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return igzip.IGzipFile(fileobj=handle, mode="rb")  # type: ignore[no-any-return]
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
        yield from _Framer(max_line_bytes).blocks(stream)
    finally:
        stream.close()


class _Framer:
    def __init__(self, max_line_bytes: int) -> None:
        self.cap = max_line_bytes
        self.line = 1
        self.position = 0
        self.skipping = False

    def blocks(self, stream: _Readable) -> Iterator[Block]:
        rest = b""
        first = True
        while True:
            chunk = self._read(stream)
            if first and chunk.startswith(_BOM):
                chunk, self.position = chunk[3:], 3
            first = False
            if not chunk:
                break
            buffer = rest + chunk
            end = buffer.rfind(b"\n") + 1
            rejects: list[tuple[int, int, str]] = []
            if self.skipping:
                buffer, end = self._skip(buffer, rejects)
            if end:
                yield self._block(buffer[:end], rejects)
            rest = buffer[end:]
            if len(rest) > self.cap:
                # The line is over the cap already: forget its bytes, remember where it began.
                self.skipping, self._skip_from = True, self.position
                self.position += len(rest)
                rest = b""
        if self.skipping:
            yield Block(LINE_SCHEMA.empty_table(), [(self.line, self._skip_from, "line too long")])
        elif rest:
            yield self._block(rest + b"\n", [])

    def _read(self, stream: _Readable) -> bytes:
        try:
            return stream.read(BLOCK_BYTES)
        except _DAMAGE as error:
            kind = type(error).__name__
        raise DamagedFile(f"compressed data damaged after byte {self.position} (line {self.line}): {kind}")

    def _skip(self, buffer: bytes, rejects: list[tuple[int, int, str]]) -> tuple[bytes, int]:
        newline = buffer.find(b"\n")
        if newline < 0:
            self.position += len(buffer)
            return b"", 0
        rejects.append((self.line, self._skip_from, "line too long"))
        self.line += 1
        self.position += newline + 1
        self.skipping = False
        buffer = buffer[newline + 1 :]
        return buffer, buffer.rfind(b"\n") + 1

    def _block(self, data: bytes, rejects: list[tuple[int, int, str]]) -> Block:
        array = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(array == _NEWLINE).astype(np.int32)
        offsets = np.concatenate([np.zeros(1, np.int32), ends + 1])
        count = len(ends)
        lines = np.arange(self.line, self.line + count, dtype=np.uint32)
        positions = self.position + offsets[:-1].astype(np.int64)
        keep = np.diff(offsets) <= self.cap + 1
        rejects += [(int(lines[i]), int(positions[i]), "line too long") for i in np.flatnonzero(~keep)]
        if not bool((array < 128).all()):
            bad = _not_utf8(data, offsets, keep)
            rejects += [(int(lines[i]), int(positions[i]), "not UTF-8") for i in bad]
            keep[bad] = False
        # Without copying: the offsets point into the bytes as read; each text keeps its newline, which no reader minds.
        text = pa.BinaryArray.from_buffers(
            pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        )
        if not keep.all():
            mask = pa.array(keep)
            text, lines, positions = pc.filter(text, mask), lines[keep], positions[keep]
        text = pa.StringArray.from_buffers(len(text), *text.buffers()[1:], None, 0, text.offset)
        table = pa.Table.from_arrays([pa.array(lines), pa.array(positions), text], schema=LINE_SCHEMA)
        self.line += count
        self.position += len(data)
        return Block(table, rejects)


def _not_utf8(data: bytes, offsets: npt.NDArray[np.int32], keep: npt.NDArray[np.bool_]) -> list[int]:
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
