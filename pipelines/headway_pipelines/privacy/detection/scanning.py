"""Values in, findings out: what teams call on samples of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from headway.errors import InputError
from headway_pipelines.privacy.detection.walk import Finding, Verdict, judge

_SCHEMA = {
    "row": pl.Int64,
    "action": pl.String,
    "type": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "depth": pl.Int64,
    "in_name": pl.Boolean,
}


@dataclass(frozen=True)
class Scanned:
    """What detection makes of a sample. Its `repr` and its `frame` hold counts and places, never a value.

    Attributes:
        verdicts: One a value, in the same order.
    """

    verdicts: Sequence[Verdict] = field(repr=False)

    @property
    def types(self) -> dict[str, int]:
        """Type -> how many values hold it."""
        return dict(sorted(Counter(kind for each in self.verdicts for kind in each.types).items()))

    @property
    def actions(self) -> dict[str, int]:
        """What becomes of how many values: ``keep``, ``redact``, ``drop``."""
        counts = Counter(each.action for each in self.verdicts)
        return {action: counts[action] for action in ("keep", "redact", "drop")}

    @property
    def cleaned(self) -> list[Any]:
        """What may be kept of each value, None where it is dropped."""
        return [each.cleaned for each in self.verdicts]

    @property
    def frame(self) -> pl.DataFrame:
        """One row a finding: row, action, type, start and end in code points, depth below the value, in_name."""
        found = [
            (row, each.action, one.type, one.start, one.end, len(one.path), one.in_name)
            for row, each in enumerate(self.verdicts)
            for one in each.findings
        ]
        return pl.DataFrame(found, schema=_SCHEMA, orient="row")

    def __repr__(self) -> str:
        return f"Scanned(rows={len(self.verdicts)}, actions={self.actions}, types={self.types})"


def scan(values: Iterable[Any], keys: str | Iterable[str] = "") -> Scanned:
    """Says of each value what detection finds in it and what would be kept.

    Args:
        values: A Polars series or any values that JSON can hold: texts, numbers, objects, arrays.
        keys: The property's name, or one name a value; dots part the names of what a value lies in.

    Returns:
        The findings. Nothing that is printed of them holds a value.

    Raises:
        InputError: There are not as many keys as values.

    Examples:
        >>> found = scan(["spring_sale", "write to grizelda@example.com", 52.520008], ["campaign", "note", "lat"])
        >>> found
        Scanned(rows=3, actions={'keep': 1, 'redact': 0, 'drop': 2}, types={'email': 1, 'location': 1})
        >>> found.frame.select("row", "type", "start", "end").rows()
        [(1, 'email', 9, 29), (2, 'location', 0, 9)]
    """
    rows = list(values)
    names = [keys] * len(rows) if isinstance(keys, str) else list(keys)
    if len(names) != len(rows):
        raise InputError(
            f"{len(rows):,} values, but {len(names):,} keys: give one key, or one for each value"
        )
    return Scanned([judge(_plain(value), name) for value, name in zip(rows, names, strict=True)])


def _plain(value: Any) -> Any:
    """What JSON would hold: dates and other objects become texts."""
    if value is None or isinstance(value, str | int | float | dict | list):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return str(value)


__all__ = ["Finding", "Scanned", "scan"]
