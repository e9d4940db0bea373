"""The columns of files that no recogniser knows, with some of their values. All of it stays within this package."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from headway_pipelines.privacy.detect import safe_name
from headway_pipelines.privacy.fields import field_names
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.sampling import take_sample
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import Reader
from headway_pipelines.sources.wire.envelope import wire_requests

ROWS = 500
_SEPARATORS = (",", "\t", ";", "|")
_DEPTH = 2

Kind = Literal["jsonl", "delimited", "parquet"]


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are written.

    Attributes:
        kind: Format of `sources.yml`.
        separator: Between fields of delimited text.
        columns: Names of the columns; empty for JSON, whose names may differ from line to line.
    """

    kind: Kind
    separator: str = ""
    columns: frozenset[str] = frozenset()


@dataclass
class Columns:
    """Some rows of files of one layout.

    Attributes:
        layout: The layout.
        rows: Rows without empty values; nested JSON under dotted names.
    """

    layout: Layout
    rows: list[Mapping[str, str]] = field(default_factory=list)

    def names(self) -> list[str]:
        """Names of columns that may be shown, in the order of the rows."""
        return [name for name in dict.fromkeys(n for row in self.rows for n in row) if safe_name(name)]

    def values(self, name: str) -> list[str]:
        """Values of a column, without empty ones."""
        return [row[name] for row in self.rows if name in row]


def layout_of(path: Path) -> Layout | None:
    """Says how the rows of a file are written.

    Args:
        path: The file.

    Returns:
        The layout; None where it has no columns with names.
    """
    try:
        sample = take_sample(path)
    except DamagedFile:
        return None
    if sample.parquet:
        return Layout("parquet", columns=frozenset(sample.columns))
    if wire_requests(sample):
        return None
    if sample.share(lambda _: True) > 0.9:
        return Layout("jsonl")
    return _delimited(sample)


def read_columns(path: Path, layout: Layout) -> list[Mapping[str, str]]:
    """Reads the first rows of a file.

    Args:
        path: The file.
        layout: How they are written.

    Returns:
        At most `ROWS` rows.
    """
    try:
        if layout.kind == "jsonl":
            return [dict(_flat(each)) for each in take_sample(path).objects]
        reader = Reader(layout.kind, layout.separator or ",")
        blocks = frame_table(path, reader)
        rows = (dict(row) for block in blocks for row in block.lines["fields"].slice(0, ROWS).to_pylist())
        return list(islice(rows, ROWS))
    except DamagedFile:
        return []


def _delimited(sample: Sample) -> Layout | None:
    """Takes the separator that cuts the first line into most names."""
    found = []
    for separator in _SEPARATORS:
        cells = next(csv.reader(sample.lines[:1], delimiter=separator), [])
        trimmed = [cell.strip() for cell in cells]
        # A first line of values instead of names has a number, a date or nothing somewhere.
        if len(cells) > 1 and len(set(trimmed)) == len(trimmed) and all(map(_is_name, trimmed)):
            found.append(Layout("delimited", separator, frozenset(field_names(cells))))
    return max(found, key=lambda layout: len(layout.columns), default=None)


def _is_name(cell: str) -> bool:
    return bool(re.match(r"[^\W\d]", cell)) and len(cell) <= 64


def _flat(value: Mapping[str, Any], before: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        if isinstance(each, Mapping):
            if depth > 1 and "." not in name:
                yield from _flat(each, f"{before}{name}.", depth - 1)
        elif isinstance(each, bool):
            yield before + name, str(each).lower()
        elif isinstance(each, str | int | float) and each != "":
            yield before + name, str(each)


def common_rows(paths: Sequence[Path], layout: Layout) -> Columns:
    """Reads the first rows of several files of one layout.

    Args:
        paths: The files.
        layout: How they are written.

    Returns:
        The columns.
    """
    return Columns(layout, [row for path in paths for row in read_columns(path, layout)])
