"""Reads ``sources.yml``: which raw files are read how."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import PurePath
from typing import Annotated

from pydantic import Field, StrictStr, field_validator

from headway.models.yaml_file import Definition, parse_document, read_text, validate
from headway_pipelines.sources import amplitude, mixpanel
from headway_pipelines.sources.access_log import AccessLogSource
from headway_pipelines.sources.amplitude import AmplitudeSource
from headway_pipelines.sources.mapped import DelimitedSource, JsonlSource, ParquetSource
from headway_pipelines.sources.mixpanel import MixpanelPipelineSource, MixpanelSource
from headway_pipelines.sources.sample import Recogniser
from headway_pipelines.sources.segment import SegmentSource, segment
from headway_pipelines.sources.shape import Source
from headway_pipelines.sources.wire import amplitude as amplitude_wire
from headway_pipelines.sources.wire import mixpanel as mixpanel_wire
from headway_pipelines.sources.wire.amplitude import AmplitudeWireSource
from headway_pipelines.sources.wire.mixpanel import MixpanelWireSource
from headway_pipelines.sources.wire.segment import SegmentWireSource
from headway_pipelines.workspace import Workspace

AnySource = Annotated[
    SegmentSource
    | SegmentWireSource
    | AmplitudeSource
    | AmplitudeWireSource
    | MixpanelSource
    | MixpanelPipelineSource
    | MixpanelWireSource
    | JsonlSource
    | DelimitedSource
    | ParquetSource
    | AccessLogSource,
    Field(discriminator="format"),
]

RECOGNISERS: dict[str, Recogniser] = {
    "amplitude_wire": amplitude_wire.recognise,
    "amplitude": amplitude.recognise,
    "mixpanel_wire": mixpanel_wire.recognise,
    "mixpanel": mixpanel.recognise,
    "mixpanel_pipeline": mixpanel.recognise_pipeline,
}
"""Format -> how ``headway init`` knows it, for the formats that need no mapping; the most specific first."""


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
        amplitude, amplitude_wire, delimited, jsonl, mixpanel, mixpanel_pipeline, mixpanel_wire, parquet, segment,
        segment_wire (did you mean 'segment'?)
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
    return next((source for source in sources if _matches(source.files, text)), None)


def _matches(patterns: Iterable[str], path: str) -> bool:
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Translates a glob: ``**`` is any number of folders, ``*`` and ``?`` stay within a name."""
    parts = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        special = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        parts.append(special.get(part) or re.escape(part))
    return re.compile("".join(parts), re.DOTALL)
