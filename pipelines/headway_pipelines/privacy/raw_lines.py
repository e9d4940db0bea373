"""Erased people in raw files: where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headway_pipelines.privacy.gate import Gate, RawFile
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.sources.shape import Source


@dataclass
class Named:
    """The lines of one raw file that name erased people.

    Attributes:
        own: Numbers of the lines that are theirs alone.
        others: How many more name them: other people's lines, or lines that hold several events.
    """

    own: set[int]
    others: int = 0


def find_lines(gate: Gate, files: Sequence[RawFile], source: Source, some: Tombstones) -> dict[int, Named]:
    """Finds erased people in raw files.

    Args:
        gate: The gate.
        files: The files, each with a number.
        source: How to read them.
        some: The tombstones of those people.

    Returns:
        Number of the file -> its lines; files without any are left out.
    """
    found: dict[int, Named] = {}
    for frame in gate.naming(files, source, some):
        for batch, line, own in frame.rows():
            named = found.setdefault(batch, Named(set()))
            if own:
                named.own.add(line)
            else:
                named.others += 1
    return found


__all__ = ["DamagedFile", "Named", "find_lines"]
