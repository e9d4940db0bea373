"""Foreign exceptions in our own words: what happened and what to do, never a value of a log.

Messages of databases, parsers and operating systems may quote the data they choked on. Only their kind, their error
number and the place in the code are passed on.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import traceback
from pathlib import Path

from headway.errors import HeadwayError


class InternalFault(HeadwayError):
    """A fault of Headway itself; carries where it happened, never what was in hand."""


_INTACT = "the previous state is intact"
_DISK_FULL = f"the disk is full: {_INTACT}. Free some space, then run again."
_NOT_WRITABLE = (
    f"the workspace cannot be written ({{why}}): {_INTACT}. Give this user the right to write below warehouse/, "
    "state/, published/ and report/, then run again."
)
_BROKEN_LEDGER = (
    "warehouse/ledger.sqlite is damaged. Delete the folder warehouse/ and run again: "
    "everything in it is made from raw/ and state/."
)
_BY_ERRNO = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EFBIG: _DISK_FULL,
    errno.EROFS: _NOT_WRITABLE.format(why="read-only file system"),
    errno.EACCES: _NOT_WRITABLE.format(why="permission denied"),
    errno.EPERM: _NOT_WRITABLE.format(why="operation not permitted"),
}
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: _DISK_FULL,
    sqlite3.SQLITE_IOERR: f"the disk is full or fails: {_INTACT}. Free some space, then run again.",
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE.format(why="the ledger is read-only"),
    sqlite3.SQLITE_CANTOPEN: _NOT_WRITABLE.format(why="the ledger cannot be opened"),
    sqlite3.SQLITE_CORRUPT: _BROKEN_LEDGER,
    sqlite3.SQLITE_NOTADB: _BROKEN_LEDGER,
}


def in_words(error: BaseException) -> HeadwayError:
    """Says what an exception means for the user.

    Args:
        error: What was raised.

    Returns:
        An error of our own: the same one if it already is; one that says what to do where the disk, the rights or
        the memory are at fault; else an `InternalFault` that says where.

    Examples:
        >>> str(in_words(OSError(errno.ENOSPC, "No space left on device"))).split(":")[0]
        'the disk is full'
        >>> str(in_words(ValueError("grizelda@example.com")))
        'ValueError at an unknown place (message withheld: it may hold data)'
    """
    for each in _causes(error):
        if isinstance(each, HeadwayError):
            return type(each)(str(each))
        if isinstance(each, sqlite3.Error):
            # The lower byte is the primary code.
            known = _BY_SQLITE_CODE.get(getattr(each, "sqlite_errorcode", 0) & 0xFF)
        elif isinstance(each, OSError):
            known = _BY_ERRNO.get(each.errno or 0)
        elif isinstance(each, MemoryError):
            known = "not enough memory. Free some, or run on fewer files at a time: headway run PATH"
        else:
            known = None
        if known:
            return HeadwayError(known)
    code = f" [{os.strerror(error.errno)}]" if isinstance(error, OSError) and error.errno else ""
    return InternalFault(
        f"{type(error).__name__}{code} at {place_of(error)} (message withheld: it may hold data)"
    )


def place_of(error: BaseException, frames: int = 1) -> str:
    """Says where an exception was raised.

    Args:
        error: What was raised.
        frames: How many callers to name.

    Returns:
        File names and line numbers, the innermost first.
    """
    calls = reversed(traceback.extract_tb(error.__traceback__)[-frames:])
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in calls) or "an unknown place"


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and what it wraps, outermost first."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        # SQLAlchemy, which Dagster writes through, keeps the driver's exception in `orig`.
        following = following.__cause__ or getattr(following, "orig", None) or following.__context__
    return found
