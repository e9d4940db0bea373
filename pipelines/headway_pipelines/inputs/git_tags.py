"""Tags of a git repository as releases: when each was made, and when what it holds was committed.

Nothing of a repository is read but names of tags and times: no author, no message, no file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from statistics import median_low
from typing import Final, NamedTuple

from headway.errors import InputError
from headway.models.releases import Releases
from headway_pipelines.inputs.cells import UnusableCellError, ids

INPUT: Final = "git tags"
"""What the side inputs call them where they say what became of them."""

_SECONDS = 60


class Tag(NamedTuple):
    """One tag.

    Attributes:
        release: Its name.
        released_at: When it was made, UTC.
        committed_at: When the median commit since the tag before was made, UTC; None for the first tag, and where
            there is no commit in between.
        changes: Commits since the tag before; None for the first tag.
    """

    release: str
    released_at: datetime
    committed_at: datetime | None
    changes: int | None


class Tags(NamedTuple):
    """The tags of a repository.

    Attributes:
        used: Tags in order of time.
        rejected: Position among the tags and reason, of those whose names may not be shown.
    """

    used: tuple[Tag, ...]
    rejected: tuple[tuple[int, str], ...]


def read_tags(root: Path, asked: Releases) -> Tags | None:
    """Reads the tags that a product's releases are.

    Args:
        root: Folder of the workspace.
        asked: What ``product.yml`` says of releases.

    Returns:
        The tags; None where no repository is named.

    Raises:
        InputError: There is no git on this machine, no repository in the folder, or git refuses to read it.
    """
    if asked.git is None:
        return None
    repository = root / asked.git
    listed = _git(
        repository, asked.git, "for-each-ref", "--sort=creatordate",
        "--format=%(refname:strip=2)%09%(creatordate:unix)", f"refs/tags/{asked.tags}",
    )  # fmt: skip
    named = ids("name of the tag")
    used: list[Tag] = []
    rejected: list[tuple[int, str]] = []
    before: str | None = None
    for position, line in enumerate(listed.splitlines(), start=1):
        name, _, seconds = line.partition("\t")
        try:
            named.read(name)
        except UnusableCellError as error:
            rejected.append((position, str(error)))
        else:
            used.append(_tag(repository, asked.git, name, int(seconds), before))
        before = name
    return Tags(tuple(used), tuple(rejected))


def _tag(repository: Path, told: str, name: str, seconds: int, before: str | None) -> Tag:
    if before is None:
        return Tag(name, _utc(seconds), None, None)
    span = f"refs/tags/{before}..refs/tags/{name}"
    times = [int(line) for line in _git(repository, told, "log", "--format=%ct", span, "--").split()]
    committed = min(median_low(times), seconds) if times else None
    return Tag(name, _utc(seconds), None if committed is None else _utc(committed), len(times))


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _git(repository: Path, told: str, *arguments: str) -> str:
    """Runs git, which reads only: no hook, no pager, no question."""
    program = shutil.which("git")
    if program is None:
        raise InputError(
            "product.yml asks for the tags of a git repository (releases: git:), but there is no git on this "
            "machine. Install it, or write the releases into inputs/releases.csv."
        )
    if not repository.is_dir():
        raise InputError(
            f"product.yml asks for the tags of {told!r} (releases: git:), and there is no such folder. The path is "
            "taken from the workspace."
        )
    surroundings = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [program, "--no-pager", "-C", str(repository), *arguments],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            env=surroundings | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"git took more than {_SECONDS} seconds to read the tags of {told!r}.") from None
    if done.returncode != 0:
        why = (
            "it belongs to somebody else: tell git with safe.directory that this is fine"
            if "dubious ownership" in done.stderr
            else "it is no git repository"
            if "not a git repository" in done.stderr
            else "git cannot read it"
        )
        raise InputError(f"the tags of {told!r} (product.yml, releases: git:) cannot be read: {why}.")
    return done.stdout
