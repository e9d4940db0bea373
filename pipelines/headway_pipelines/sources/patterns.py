"""Patterns of paths that claim exactly the files of one format, by folder and extension where that is enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import PurePosixPath

_COMPRESSED = (".gz", ".zst", ".zip")


def matches(pattern: str, path: str) -> bool:
    """Says whether a pattern of `sources.yml` matches a path.

    Args:
        pattern: ``**`` is any number of folders, ``*`` and ``?`` stay within a name.
        path: Path below ``raw/``.

    Returns:
        True where it does.

    Examples:
        >>> matches("web/**/*.gz", "web/2026/a.gz"), matches("*.gz", "web/a.gz")
        (True, False)
    """
    return bool(_compiled(pattern).fullmatch(path))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        special = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        parts.append(special.get(part) or re.escape(part))
    return re.compile("".join(parts), re.DOTALL)


def patterns_for(
    files: Sequence[str],
    others: Sequence[str],
    safe: Callable[[str], bool] = lambda _: True,
    *,
    anywhere: bool = True,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Finds patterns that match some files and none of the others, as wide as they may be.

    Args:
        files: Paths to match.
        others: Paths that must not be matched.
        safe: Whether a part of a path may be written down; of one that may not, only its length is.
        anywhere: Whether a pattern may reach into every folder.

    Returns:
        The patterns, and those of the files that no such pattern can be found for.

    Examples:
        >>> patterns_for(["web/1.json.gz", "web/b/2.json.gz", "log/access.log.1"], ["a.csv", "b.json.gz"])
        (('**/*.log*', 'web/**/*.json.gz'), ())
        >>> patterns_for(["2026-03-01/a.json", "2026-03-02/a.json"], ["2026-03-02/b.json"])
        (('**/a.json',), ())
    """
    chosen: list[str] = []
    left: list[str] = []
    waiting = sorted(files)
    while waiting:
        path = waiting[0]
        claims = {
            pattern: sum(matches(pattern, each) for each in waiting)
            for pattern in dict.fromkeys(_candidates(path, safe))
            if (anywhere or not pattern.startswith("**"))
            and matches(pattern, path)
            and not any(matches(pattern, other) for other in others)
        }
        if claims:
            chosen.append(max(claims, key=claims.__getitem__))
            waiting = [each for each in waiting if not matches(chosen[-1], each)]
        else:
            left.append(path)
            waiting = waiting[1:]
    return tuple(chosen), tuple(left)


def _candidates(path: str, safe: Callable[[str], bool]) -> Iterator[str]:
    """Patterns that match a path, the widest that still say something first."""
    place = PurePosixPath(path)
    shown = [part if safe(part) else "?" * len(part) for part in place.parts]
    folders, name = shown[:-1], shown[-1]
    ending = _ending(place.name, safe)
    # Dates and numbers in a name differ from file to file.
    numberless = re.sub(r"[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*", "*", name)
    if ending != "*":
        yield f"**/{ending}"
    for depth in range(1, len(folders) + 1):
        yield "/".join([*folders[:depth], "**", ending])
    for last in (ending, numberless, name):
        if last not in ("*", ending):
            yield f"**/{last}"
        yield "/".join([*folders, last])


def _ending(name: str, safe: Callable[[str], bool]) -> str:
    """What a name ends in, as a pattern: ``*.json.gz``; rotated logs have their number behind: ``*.log*``."""
    if re.search(r"\.log\b", name):
        return "*.log*"
    suffixes = PurePosixPath(name).suffixes
    kept = suffixes[-2:] if suffixes[-1:] and suffixes[-1] in _COMPRESSED else suffixes[-1:]
    plain = all(re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{0,7}", suffix) and safe(suffix[1:]) for suffix in kept)
    return f"*{''.join(kept)}" if kept and plain else "*"
