"""Reads ``sources.yml``: which raw files are read how."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from pydantic import StrictStr, field_validator

from headway.models.yaml_file import Definition, parse_document, read_text, validate
from headway_pipelines.sources.formats import AnySource
from headway_pipelines.sources.patterns import matches
from headway_pipelines.sources.segment import segment
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.workspace import Workspace


class SourcesFile(Definition):
    """The whole file.

    Attributes:
        sources: Sources by name; a file belongs to the first one with a matching pattern.
    """

    sources: dict[StrictStr, AnySource]

    @field_validator("sources")
    @classmethod
    def _names_are_plain(cls, sources: dict[str, AnySource]) -> dict[str, AnySource]:
        if not sources:
            raise ValueError("is empty; describe at least one source")
        for name in sources:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
                raise ValueError(
                    f"{name!r} is not a source name; use lower-case letters, digits and underscores, at most 63"
                )
        return sources


def parse_sources(text: str, name: str = "sources.yml") -> tuple[Source, ...]:
    """Reads source definitions from YAML text.

    Args:
        text: The YAML text.
        name: File name to show in messages.

    Returns:
        The sources in the order of the file.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its line.

    Examples:
        >>> orders, site = parse_sources('''
        ... sources:
        ...   orders:
        ...     format: delimited
        ...     files: ["orders/*.csv"]
        ...     event: {value: Order Completed}
        ...     user: customer
        ...     time: {column: date, format: "%Y%m%d"}
        ...   site: {format: access_log, files: ["**/*.log*"]}
        ... ''')
        >>> orders.reader.required
        ('customer', 'date')
        >>> parse_sources("sources: {web: {format: segmnt}}")
        Traceback (most recent call last):
        headway.errors.DefinitionError: sources.yml:1: sources.web: unknown format 'segmnt'; allowed: access_log,
        ... (did you mean 'segment'?)
    """
    definition = validate(parse_document(text, name), SourcesFile)
    return tuple(_as_stated(each.source(name), each) for name, each in definition.sources.items())


def _as_stated(source: Source, stated: FileSet) -> Source:
    """The source with what `sources.yml` says of its files; what an export does by itself holds until then."""
    source = replace(source, replaces=stated.replaces, copies=stated.copies)
    if "finished_by" not in stated.model_fields_set:
        return source
    return replace(source, finished_by=stated.finished_by, waits=None)


def load_sources(workspace: Workspace) -> tuple[Source, ...]:
    """Reads the sources of a workspace.

    Args:
        workspace: The workspace.

    Returns:
        What ``sources.yml`` says; without that file, one source that reads everything as Segment JSON lines.

    Raises:
        DefinitionError: The file is wrong; the message lists every problem with its line.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> [source.name for source in load_sources(Workspace(Path(tempfile.mkdtemp())))]
        ['segment']
    """
    if not workspace.sources_file.exists():
        return (segment(),)
    return parse_sources(*read_text(workspace.sources_file))


def source_of(sources: Sequence[Source], path: str | PurePath) -> Source | None:
    """Finds the source that reads a file.

    Args:
        sources: The sources, in order of precedence.
        path: Path below ``raw/``.

    Returns:
        The first source with a matching pattern, None where no source reads the file.

    Examples:
        >>> sources = (segment("web", ("web/**/*.gz",)), segment("rest", ("*.jsonl",)))
        >>> source_of(sources, "web/2026/03/a.json.gz").name, source_of(sources, "b/c.jsonl")
        ('web', None)
    """
    text = path.as_posix() if isinstance(path, PurePath) else path
    return next((s for s in sources if any(matches(pattern, text) for pattern in s.files)), None)
