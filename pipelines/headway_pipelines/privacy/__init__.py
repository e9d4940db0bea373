"""The privacy gate and what belongs to it: the only code that sees raw data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway_pipelines.privacy.detection import Scanned


def scan(values: Iterable[Any], keys: str | Iterable[str] = "") -> Scanned:
    """Says of each value of a sample what detection finds in it and what would be kept.

    Args:
        values: A Polars series or any values that JSON can hold: texts, numbers, objects, arrays.
        keys: The property's name, or one name a value; dots part the names of what a value lies in.

    Returns:
        The findings: counts, a frame of places, and what may be kept. Nothing that is printed of them holds a value.

    Raises:
        InputError: There are not as many keys as values.

    Examples:
        >>> scan(["pro", "grizelda@example.com"], "plan")
        Scanned(rows=2, actions={'keep': 1, 'redact': 1, 'drop': 0}, types={'email': 1})
    """
    # The detectors' tables take a moment to load, and most commands need none of them.
    from headway_pipelines.privacy.detection import scan as found

    return found(values, keys)


__all__ = ["scan"]
