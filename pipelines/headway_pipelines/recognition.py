"""Which source reads which raw file, for a workspace that nobody has described yet: found out, and written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headway_pipelines.privacy.detect import safe_path
from headway_pipelines.privacy.sampling import Found, recognise_files
from headway_pipelines.privacy.suggest import Suggested, suggest
from headway_pipelines.quoting import quoted
from headway_pipelines.sources.config import source_of
from headway_pipelines.sources.formats import RECOGNISERS
from headway_pipelines.sources.patterns import patterns_for
from headway_pipelines.sources.shape import Source

_SHOWN = 10
_HEAD = """\
# Which raw files are read how, as 'headway init' found out. A file belongs to the first source with a matching
# pattern; one that no source claims is left alone. docs/sources.md explains the keys.
sources:
"""


@dataclass(frozen=True)
class Recognised:
    """Files of one format.

    Attributes:
        name: Name of their source.
        format: The format.
        files: Their paths below ``raw/``; they may hold names of people.
        why: What told the format, each with the number of files it holds for.
        patterns: Patterns that claim these files and no others.
        settings: Further lines of the source in ``sources.yml``.
        guessed: Whether it is a mapping that a person has to check.
    """

    name: str
    format: str
    files: tuple[str, ...]
    why: tuple[tuple[str, int], ...]
    patterns: tuple[str, ...] = ("**/*",)
    settings: tuple[str, ...] = ()
    guessed: bool = False


@dataclass(frozen=True)
class Recognition:
    """What was found out about all files.

    Attributes:
        sources: The sources, in order of precedence.
        unknown: Path of a file that is left alone -> why; the path may hold names of people.
        contested: Number of files that a later source's pattern matches too.
    """

    sources: tuple[Recognised, ...]
    unknown: Mapping[str, str]
    contested: int = 0

    def text(self) -> str:
        """What ``sources.yml`` says."""
        return _HEAD + "".join(line + "\n" for source in self.sources for line in _written(source))

    def left_alone(self) -> list[str]:
        """Says which files no source reads and why; names that may not be shown are counted."""
        shown = [f"{name}: {why}" for name, why in self.unknown.items() if safe_path(name)]
        more = [f"and {files(len(shown) - _SHOWN)} more"] if len(shown) > _SHOWN else []
        hidden = Counter(why for name, why in self.unknown.items() if not safe_path(name))
        counted = [f"{files(n)} whose name is not shown: {why}" for why, n in sorted(hidden.items())]
        return [*shown[:_SHOWN], *more, *counted]


def files(count: int) -> str:
    """Counts files in words.

    Args:
        count: How many.

    Returns:
        The words.

    Examples:
        >>> files(1), files(1200)
        ('1 file', '1,200 files')
    """
    return f"{count:,} file{'' if count == 1 else 's'}"


def recognise(raw: Mapping[str, Path]) -> Recognition:
    """Finds out of which format each file is, and guesses mappings for those of no known export.

    Args:
        raw: Path below ``raw/`` -> where the file lies.

    Returns:
        The sources, each with patterns that claim exactly its files.
    """
    found = recognise_files(raw, RECOGNISERS)
    unknown = {each.file: each.why for each in found if each.format is None}
    alike = {each.file: each.like for each in found if each.format is None and each.like is not None}
    suggested, refused = suggest({name: raw[name] for name in unknown}, alike)
    unknown |= refused
    groups = [*_plain(found), *(_guessed(each) for each in suggested)]
    for name in {name for group in groups for name in group.files}:
        unknown.pop(name, None)
    return _claimed(groups, raw, unknown)


def described(raw: Sequence[str], sources: Sequence[Source]) -> Recognition:
    """Says which files the sources of a workspace read.

    Args:
        raw: Paths below ``raw/``.
        sources: The sources.

    Returns:
        The sources that read any, with their files.
    """
    claimed: dict[str, list[str]] = {source.name: [] for source in sources}
    unknown: dict[str, str] = {}
    contested = 0
    for name in raw:
        if (source := source_of(sources, name)) is None:
            unknown[name] = "no source in sources.yml claims it"
        else:
            claimed[source.name].append(name)
            contested += source_of(sources[sources.index(source) + 1 :], name) is not None
    reason = "as sources.yml says"
    return Recognition(
        tuple(
            Recognised(s.name, s.format, tuple(mine), ((reason, len(mine)),), s.files)
            for s in sources
            if (mine := claimed[s.name])
        ),
        unknown,
        contested,
    )


def _plain(found: Sequence[Found]) -> Iterator[Recognised]:
    for format_ in dict.fromkeys(each.format for each in found):
        mine = [each for each in found if each.format == format_]
        if format_ is not None:
            reasons = Counter(each.why for each in mine).most_common()
            yield Recognised(format_, format_, tuple(each.file for each in mine), tuple(reasons))


def _guessed(made: Suggested) -> Recognised:
    why = ((made.why, len(made.files)),)
    return Recognised(made.name, made.format, made.files, why, settings=made.settings, guessed=True)


def _claimed(groups: Sequence[Recognised], raw: Mapping[str, Path], unknown: dict[str, str]) -> Recognition:
    """Gives each group its patterns and a name of its own."""
    if len(groups) == 1 and not unknown:
        return Recognition(tuple(groups), unknown)
    sources: list[Recognised] = []
    for group in groups:
        others = sorted(raw.keys() - set(group.files))
        patterns, left = patterns_for(group.files, others, safe_part, anywhere=not group.guessed)
        unknown |= dict.fromkeys(
            left, f"{group.format}, but its name cannot be written into a pattern; rename it"
        )
        kept = tuple(name for name in group.files if name not in left)
        if kept:
            taken = {source.name for source in sources}
            names = (group.name, *(f"{group.name}_{number}" for number in range(2, len(groups) + 2)))
            name = next(name for name in names if name not in taken)
            sources.append(
                Recognised(name, group.format, kept, group.why, patterns, group.settings, group.guessed)
            )
    return Recognition(tuple(sources), dict(sorted(unknown.items())))


def safe_part(part: str) -> bool:
    """Says whether a part of a path may be written into ``sources.yml``."""
    return safe_path(part)


def _written(source: Recognised) -> Iterator[str]:
    yield f"  {source.name}: # {files(len(source.files))}: {'; '.join(why for why, _ in source.why)}"
    yield f"    format: {source.format}"
    if source.patterns != ("**/*",):
        yield f"    files: {quoted(source.patterns)}"
    yield from (f"    {line}" for line in source.settings)
