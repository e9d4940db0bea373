"""Which files tell that a git repository has other tags than before, without running git.

Imports nothing heavy: every scheduled run looks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def tag_files(noted: Path) -> Iterator[Path]:
    """Lists the files in which git keeps the tags of the repository that releases come from.

    Args:
        noted: File that names the repository's folder; it need not exist.

    Yields:
        The files there are; none where no repository is noted.
    """
    if not noted.is_file():
        return
    repository = Path(noted.read_text(encoding="utf-8"))
    for folder in (repository / ".git", repository):
        tags = folder / "refs" / "tags"
        if tags.is_dir():
            yield from (path for path in [folder / "packed-refs"] if path.is_file())
            yield from sorted(path for path in tags.rglob("*") if path.is_file())
            return
