"""Looking at the beginnings of raw files: which format each is of, and why.

A sample holds raw values and stays within this package. What leaves it is a format's name and a reason that quotes
nothing of the file.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from headway_pipelines.privacy.fields import field_names
from headway_pipelines.privacy.framing import BLOCK_BYTES, MAX_LINE_BYTES, cut
from headway_pipelines.privacy.opening import DamagedFile, Readable, open_raw
from headway_pipelines.sources.sample import Recogniser, Sample
from headway_pipelines.sources.wire.envelope import wire_requests

SAMPLED_LINES = 200
_BLOCKS = 4
#: All of so many files are looked at; of more, so many of each group whose names differ in numbers only.
FEW_FILES, PER_GROUP = 40, 8
#: Characters that text files do not have.
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a]")


@dataclass(frozen=True)
class Found:
    """What was found out about one file.

    Attributes:
        file: Its path below ``raw/``.
        format: The format it is of; None where no recogniser knows it.
        why: The reason, or what speaks against it. No value of the file is in it.
        like: Where it was not looked at itself: the file it is taken to be like, as their names differ in numbers only.
    """

    file: str
    format: str | None
    why: str
    like: str | None = None


def recognise_files(files: Mapping[str, Path], recognisers: Mapping[str, Recogniser]) -> tuple[Found, ...]:
    """Says of which format files are.

    Args:
        files: Path below ``raw/`` -> where the file lies.
        recognisers: Format -> recogniser; the first that gives a reason wins.

    Returns:
        One finding per file, sorted by path.
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(files):
        groups.setdefault(_group(name), []).append(name)
    found: list[Found] = []
    for names in groups.values():
        looked = {name: recognise_file(name, files[name], recognisers) for name in _some(names, len(files))}
        if len({each.format for each in looked.values()}) > 1:
            looked |= {n: recognise_file(n, files[n], recognisers) for n in names if n not in looked}
        one = next(iter(looked.values()))
        found += [looked.get(name) or replace(one, file=name, like=one.file) for name in names]
    return tuple(sorted(found, key=lambda each: each.file))


def recognise_file(name: str, path: Path, recognisers: Mapping[str, Recogniser]) -> Found:
    """Asks recognisers about one file.

    Args:
        name: Its path below ``raw/``.
        path: Where it lies.
        recognisers: Format -> recogniser; the first that gives a reason wins.

    Returns:
        The finding.
    """
    try:
        sample = take_sample(path)
    except DamagedFile as error:
        return Found(name, None, str(error))
    for format_, recogniser in recognisers.items():
        if (why := recogniser(sample)) is not None:
            return Found(name, format_, why)
    return Found(name, None, _unknown(sample, recognisers))


def take_sample(path: Path) -> Sample:
    """Reads the beginning of a raw file.

    Args:
        path: The file.

    Returns:
        The sample; of a large file it holds lines of several blocks, of a zip archive those of several members.

    Raises:
        DamagedFile: Nothing of it can be read.
    """
    with path.open("rb") as handle:
        if handle.read(4) == b"PAR1":
            return Sample(path.name, columns=_parquet_columns(path), parquet=True)
    return sample_of(path.name, _lines(path))


def sample_of(name: str, lines: Sequence[str]) -> Sample:
    r"""Makes a sample of lines of text.

    Args:
        name: The file's name.
        lines: Lines, with or without newlines; blank ones are left out.

    Returns:
        The sample.

    Examples:
        >>> sample_of("a.tsv", ["user\ttime\n"]).columns
        ('user', 'time')
    """
    texts = tuple(line for raw in lines if (line := raw.rstrip("\r\n")).strip())
    objects = tuple(each for line in texts if isinstance(each := _parsed(line), dict))
    first = texts[0] if texts else ""
    cells = (
        next(csv.reader([first], delimiter="\t" if "\t" in first else ","), []) if "\0" not in first else []
    )
    return Sample(name, texts, objects, tuple(field_names(cells)))


def _lines(path: Path) -> tuple[str, ...]:
    """Lines from the beginnings of the first blocks. Damage further on is for the run to report."""
    parts: list[list[str]] = []
    try:
        for part in islice(_parts(path), _BLOCKS):
            lines = part[:SAMPLED_LINES]
            parts.append(lines)
    except DamagedFile:
        if not parts:
            raise
    filled = [part for part in parts if part]
    return tuple(line for part in filled for line in part[: SAMPLED_LINES // len(filled)])


def _parts(path: Path) -> Iterator[list[str]]:
    """The whole lines of each block, those that are no UTF-8 apart."""
    for stream in open_raw(path):
        beginning = _Beginning(stream)
        for piece in cut(beginning, MAX_LINE_BYTES):
            # What is cut off at the end stands in a piece of its own.
            if piece.count > 1 or beginning.left:
                yield [line for raw in piece.data.split(b"\n")[:-1] if (line := _decoded(raw)) is not None]


class _Beginning:
    """The first blocks of a stream: a line that never ends is not read to its end."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self.left = stream, _BLOCKS * BLOCK_BYTES

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _parsed(line: str) -> Any:
    if line.lstrip()[:1] != "{":
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            return tuple(field_names(file.schema_arrow.names))
    except (pa.ArrowException, OSError) as error:
        kind = type(error).__name__
    raise DamagedFile(f"this is no Parquet file, or its footer is damaged: {kind}")


def _group(name: str) -> str:
    """Names that differ in numbers only, or in hexadecimal ones, are of one group."""
    return re.sub(r"[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*", "#", name)


def _some(names: Sequence[str], total: int) -> Sequence[str]:
    if total <= FEW_FILES or len(names) <= PER_GROUP:
        return names
    return [names[place * (len(names) - 1) // (PER_GROUP - 1)] for place in range(PER_GROUP)]


def _unknown(sample: Sample, recognisers: Mapping[str, Recogniser]) -> str:
    """Says what a file that nobody knows looks like."""
    if sample.parquet:
        return "a Parquet file whose columns are of no known export"
    if not sample.lines:
        return "no line of text in it"
    kinds = Counter(_kind(line, recognisers) for line in sample.lines)
    named = sorted(kind for kind in kinds if kind)
    if len(named) > 1:
        return f"lines of different formats are mixed in it ({', '.join(named)}); split it"
    if named:
        return f"only {kinds[named[0]]} of its first {len(sample.lines)} lines are of the format {named[0]}"
    if wire_requests(sample):
        return "recorded requests of no known tracker"
    if len(sample.objects) > len(sample.lines) / 2:
        return "JSON objects, one a line, of no known export"
    if any(map(_CONTROL.search, sample.lines)):
        return "not text"
    if re.match(r"\s*(\[\s*\{|\{\s*\"|[\[{]\s*$)", sample.lines[0]):
        return "JSON that is not one object a line; write it so, for example with jq -c '.[]'"
    return "text of no known format"


def _kind(line: str, recognisers: Mapping[str, Recogniser]) -> str | None:
    single = sample_of("", [line])
    return next((name for name, knows in recognisers.items() if knows(single) is not None), None)
