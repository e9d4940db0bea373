"""When a definition file was committed: a bet that lies in git has a date that the team's history vouches for."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Commit:
    """The last commit of a file.

    Attributes:
        id: Its full hash.
        at: When it was committed, UTC without a time zone.
    """

    id: str
    at: datetime


def committed(path: Path) -> Commit | None:
    """Says when a file became what it is.

    Whoever commits can state another time, so that this is as trustworthy as the repository's history.

    Args:
        path: A file.

    Returns:
        The last commit that touched it; None where git is not there, the file lies in no repository, was never
        committed, or was changed since.
    """
    if shutil.which("git") is None:
        return None
    try:
        changed = _git(path, "status", "--porcelain", "--", path.name)
        logged = _git(path, "log", "-1", "--format=%H %ct", "--", path.name)
    except (OSError, subprocess.SubprocessError):
        return None
    if changed or not logged:
        return None
    commit, seconds = logged.split()
    return Commit(commit, datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None))


def _git(path: Path, *arguments: str) -> str:
    found = subprocess.run(
        ["git", "-C", str(path.parent), *arguments], capture_output=True, text=True, check=True, timeout=30
    )
    return found.stdout.strip()
