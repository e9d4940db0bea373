"""Opening raw files: plain, gzip, zstandard, or a zip archive of such files.

Only the privacy package may import this module. What a file is, its first bytes say, not its name. Everything is read
as a stream, so memory does not grow with what a file claims to hold. Names of members are only sorted by: none becomes
a path, and none is shown unless it may be.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Protocol, cast

import zstandard
from isal import igzip, isal_zlib

from headway_pipelines.privacy.detect import safe_path

_GZIP, _ZSTANDARD, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06"
#: Beginnings of files that hold logs in a way that is not read here, and what that way is called.
_REFUSED = {
    **{b"BZh%d1AY&SY" % level: "bzip2" for level in range(1, 10)},
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
}
_PARQUET = b"PAR1"
_CHUNK = 1 << 20
_ENCRYPTED = 1
# The cast is for a type checker that may not see isal.
_CORRUPT = cast(
    "tuple[type[Exception], ...]",
    (zlib.error, isal_zlib.error, igzip.BadGzipFile, zstandard.ZstdError, zipfile.BadZipFile, lzma.LZMAError),
)


class DamagedFile(Exception):
    """A file that cannot be read to its end; says why, and carries nothing of it but where."""


class Readable(Protocol):
    """What can be framed."""

    def read(self, size: int, /) -> bytes:
        """Reads at most so many bytes."""
        ...


def open_raw(path: Path) -> Iterator[Readable]:
    """Opens a raw file for reading.

    Args:
        path: The file.

    Yields:
        Streams of decompressed bytes: one, or for a zip archive one per member in the order of their names. Each has
        to be read before the next is asked for.

    Raises:
        DamagedFile: The file is packed in a way that is not read, the archive cannot be read, or a member is
            encrypted or an archive itself.
    """
    if is_zip(path):
        yield from _members(path)
        return
    with path.open("rb") as handle, closing(decompressed(handle)) as stream:
        yield stream


def is_zip(path: Path) -> bool:
    """Says whether a file is a zip archive.

    Args:
        path: The file.

    Returns:
        True where it begins as one does.
    """
    with path.open("rb") as handle:
        return handle.read(4) in (_ZIP, _EMPTY_ZIP)


def damage(error: Exception) -> str | None:
    """Says in words what an error of a decompressor means.

    Args:
        error: What was raised while reading.

    Returns:
        The words; None where it is another kind of error.

    Examples:
        >>> damage(EOFError()), damage(ZeroDivisionError())
        ('it ends early', None)
    """
    if isinstance(error, EOFError):
        return "it ends early"
    if isinstance(error, NotImplementedError):
        return "its kind of compression is not known here"
    # An OSError without a number does not come from the disk, but from a decompressor.
    corrupt = isinstance(error, _CORRUPT) or (isinstance(error, OSError) and error.errno is None)
    return "it is corrupt" if corrupt else None


def _members(path: Path) -> Iterator[Readable]:
    """The members of a zip archive, hidden ones apart; sorted, so that their order in the archive means nothing."""
    with opened_zip(path) as archive:
        files = members_of(archive)
        for number, member in enumerate(files, 1):
            shown = f" ({member.filename})" if safe_path(member.filename) else ""
            which = f"member {number} of {len(files)} of the zip archive{shown}"
            if member.flag_bits & _ENCRYPTED:
                raise DamagedFile(f"{which} is encrypted; unpack the archive with its password first")
            with _opened(archive, member, which) as handle, closing(decompressed(handle, which)) as stream:
                yield stream


def opened_zip(path: Path) -> zipfile.ZipFile:
    """Opens a zip archive.

    Args:
        path: The archive.

    Raises:
        DamagedFile: Its list of members cannot be read.
    """
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise DamagedFile(
            "the zip archive ends early or is corrupt: its list of members cannot be read"
        ) from None


def members_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Lists the members of a zip archive that are read, in the order in which they are.

    Args:
        archive: The archive.
    """
    files = [m for m in archive.infolist() if not m.is_dir() and not _hidden(m.filename)]
    return sorted(files, key=lambda m: (m.filename, m.CRC, m.file_size))


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, which: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except Exception as error:
        words = damage(error)
        if words is None:
            raise
    raise DamagedFile(f"{which} cannot be read: {words}")


def decompressed(handle: IO[bytes], which: str = "") -> Stream:
    """Reads on from a file's first bytes, in the way they ask for.

    Args:
        handle: The file, at its beginning.
        which: What it is called in an archive; empty for a file of its own.

    Returns:
        The stream of its bytes.

    Raises:
        DamagedFile: It is packed in a way that is not read.
    """
    try:
        first = handle.read(10)
        handle.seek(0)
    except Exception as error:
        words = damage(error)
        if words is None:
            raise
        raise DamagedFile(f"{which or 'the file'} cannot be read: {words}") from None
    if which and first[:4] in (_ZIP, _EMPTY_ZIP):
        raise DamagedFile(f"{which} is a zip archive itself; unpack the outer one")
    if which and first[:4] == _PARQUET:
        raise DamagedFile(f"{which} is a Parquet file; unpack the archive, Parquet is compressed already")
    packed = next((name for magic, name in _REFUSED.items() if first.startswith(magic)), None)
    if packed is not None:
        raise DamagedFile(
            f"{which or 'the file'} is packed by {packed}; pack it again with gzip, zstandard or zip"
        )
    if first[:2] == _GZIP:
        return cast("Stream", igzip.IGzipFile(fileobj=handle, mode="rb"))
    return _ZstdStream(handle) if first[:4] == _ZSTANDARD else handle


class Stream(Readable, Protocol):
    """What can be framed and closed."""

    def close(self) -> None:
        """Closes it."""
        ...


class _ZstdStream:
    """Decompresses zstandard frames and, unlike the library's reader, notices a truncated one."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle, self._pending, self._done = handle, b"", False
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while sum(map(len, parts)) < size and not self._done:
            chunk = self._pending or self._handle.read(_CHUNK)
            self._pending = b""
            if not chunk:
                self._done = True
                raise EOFError("zstandard frame ended early")
            parts.append(self._frame.decompress(chunk))
            if self._frame.eof:
                self._pending = self._frame.unused_data or self._handle.read(_CHUNK)
                self._done = not self._pending
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        return b"".join(parts)

    def close(self) -> None:
        self._handle.close()
