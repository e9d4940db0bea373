"""Counts of numbers by bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from headway.errors import InputError


def binned(numbers: pl.Series, edges: Sequence[float]) -> pl.DataFrame:
    """Counts numbers by left-closed bins.

    Args:
        numbers: Numbers without nulls.
        edges: Lower ends of the bins, rising; the first bin takes all that is smaller as well.

    Returns:
        Columns ``low``, ``high`` (null for the last), ``sessions`` and ``share`` of all (null where there are none).

    Raises:
        InputError: The edges do not rise.

    Examples:
        >>> binned(pl.Series([1, 2, 2, 9]), [1, 2, 5])["sessions"].to_list()
        [1, 2, 1]
    """
    ends = [float(edge) for edge in edges]
    if not ends or not all(map(math.isfinite, ends)) or any(b <= a for a, b in pairwise(ends)):
        raise InputError("edges are the lower ends of bins: numbers that rise, at least one")
    values = numbers.cast(pl.Float64)
    above = [len(values), *(int((values >= edge).sum()) for edge in ends[1:]), 0]
    counts = [above[place] - above[place + 1] for place in range(len(ends))]
    shares = [count / len(values) if len(values) else None for count in counts]
    return pl.DataFrame(
        {"low": ends, "high": [*ends[1:], None], "sessions": counts, "share": shares},
        schema={"low": pl.Float64, "high": pl.Float64, "sessions": pl.Int64, "share": pl.Float64},
    )
