"""Making the next of something while the one before is used."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T]) -> Generator[T]:
    """Yields items of a generator, of which the next is made in a thread of its own meanwhile.

    Args:
        items: The generator; it is never in two threads at once, and closed at the end.

    Yields:
        Its items, in order. What it raises is raised where its item was due.

    Examples:
        >>> list(ahead(number for number in range(3)))
        [0, 1, 2]
    """
    end = object()
    with closing(items), ThreadPoolExecutor(max_workers=1) as maker:
        following = maker.submit(next, items, end)
        while (item := following.result()) is not end:
            following = maker.submit(next, items, end)
            yield item  # type: ignore[misc]
