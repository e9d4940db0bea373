"""The beginning of a raw file, as recognisers see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Sample:
    """The beginning of one raw file. It holds raw values: nothing of it may be shown or kept.

    Attributes:
        name: The file's name.
        lines: Its first lines without newlines; empty for Parquet.
        objects: Those of the lines that are JSON objects, parsed.
        columns: Columns of a Parquet file, or the first line of a text file cut at commas or tabs.
        parquet: Whether it is a Parquet file.
    """

    name: str
    lines: tuple[str, ...] = ()
    objects: tuple[Mapping[str, Any], ...] = ()
    columns: tuple[str, ...] = ()
    parquet: bool = False

    def share(self, holds: Callable[[Mapping[str, Any]], bool]) -> float:
        """Which share of the lines are objects for which something holds.

        Args:
            holds: The condition.

        Returns:
            A number from 0 to 1; 0 where there is no line.

        Examples:
            >>> Sample("a.json", ("{}", "x"), ({},)).share(lambda each: True)
            0.5
        """
        return sum(map(holds, self.objects)) / len(self.lines) if self.lines else 0.0


Recogniser: TypeAlias = Callable[[Sample], str | None]
"""Says why a sample is of its format (a reason a person can check, without any value of the file), or None."""
