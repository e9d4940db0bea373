"""What detectors report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Hit(NamedTuple):
    """A part of a text that looks personal.

    Attributes:
        type: What it looks like, for example ``email``.
        start: First character.
        end: Behind the last character.
    """

    type: str
    start: int
    end: int


def moved(hits: Iterable[Hit], by: int) -> list[Hit]:
    """Hits of a part of a text as hits of the text.

    Args:
        hits: Hits of the part.
        by: Where the part begins.

    Returns:
        The same hits, moved.
    """
    return [Hit(kind, start + by, end + by) for kind, start, end in hits]


def outermost(hits: Iterable[Hit]) -> list[Hit]:
    """Leaves out hits that lie within another one, in order of their place.

    Args:
        hits: Any hits of one text.

    Returns:
        Those that are kept; they may still overlap.
    """
    kept: list[Hit] = []
    for hit in sorted(set(hits), key=lambda each: (each.start, -each.end, each.type)):
        if kept and hit.end <= kept[-1].end:
            continue
        kept.append(hit)
    return kept
