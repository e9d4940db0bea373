"""Reads ``sources.yml``: which raw files are read how."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Annotated, get_args

from pydantic import Field, StrictStr, field_validator

from headway.models.yaml_file import Definition, parse_document, read_text, validate
from headway_pipelines.sources import access_log
from headway_pipelines.sources import segment as segment_json
from headway_pipelines.sources.access_log import AccessLogSource
from headway_pipelines.sources.mapped import DelimitedSource, JsonlSource, ParquetSource
from headway_pipelines.sources.patterns import matches
from headway_pipelines.sources.sample import Recogniser
from headway_pipelines.sources.segment import SegmentSource, segment
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.wire import segment as segment_requests
from headway_pipelines.sources.wire.segment import SegmentWireSource
from headway_pipelines.workspace import Workspace

AnySource = Annotated[
    SegmentSource | SegmentWireSource | JsonlSource | DelimitedSource | ParquetSource | AccessLogSource,
    Field(discriminator="format"),
]

RECOGNISERS: dict[str, Recogniser] = {
    "segment_wire": segment_requests.recognise,
    "segment": segment_json.recognise,
    "access_log": access_log.recognise,
}
"""Format -> how ``headway init`` knows it, for the formats that need no mapping; the most specific first."""


def formats() -> tuple[str, ...]:
    """Lists the formats that `sources.yml` can name, in alphabetical order.

    Examples:
        >>> {"segment", "jsonl"} <= set(formats())
        True
    """
    return tuple(sorted(_models()))


def plain_formats() -> tuple[str, ...]:
    """Lists the formats that need no mapping: naming them is enough.

    Examples:
        >>> "segment" in plain_formats(), "jsonl" in plain_formats()
        (True, False)
    """
    return tuple(sorted(name for name, model in _models().items() if not _needs(model)))


def _needs(model: type[FileSet]) -> bool:
    return any(field.is_required() for name, field in model.model_fields.items() if name != "format")


def _models() -> dict[str, type[FileSet]]:
    union, _ = get_args(AnySource)
    return {get_args(model.model_fields["format"].annotation)[0]: model for model in get_args(union)}


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
    return tuple(each.source(name) for name, each in definition.sources.items())


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
