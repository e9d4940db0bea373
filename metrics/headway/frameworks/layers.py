"""Layers: periods of one kind that do not overlap. Windows of days do, and are dealt out to several."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from headway.kernels.stays import Layer


def layers_of(periods: pl.DataFrame) -> Iterator[tuple[str, Layer]]:
    """Deals periods out.

    Args:
        periods: The periods of each local day: grain, day, start_day.

    Yields:
        Kinds of period and layers of them.

    Examples:
        >>> days = [("rolling_2d", day, start) for start in (1, 2, 3) for day in (start, start + 1)]
        >>> listed = pl.DataFrame(days, schema=["grain", "day", "start_day"], orient="row")
        >>> [(grain, layer.starts.tolist()) for grain, layer in layers_of(listed)]
        [('rolling_2d', [1, 3]), ('rolling_2d', [2])]
    """
    for (grain,), days in periods.sort("start_day", "day").group_by("grain", maintain_order=True):
        for layer in _layers(days):
            yield str(grain), layer


def _layers(days: pl.DataFrame) -> Iterator[Layer]:
    spans = days.group_by("start_day").agg(
        pl.col("day").min().alias("since"), pl.col("day").max().alias("last")
    )
    layers: list[list[tuple[int, int, int]]] = []
    for span in spans.sort("since", "start_day").iter_rows():
        free = next((layer for layer in layers if layer[-1][2] < span[1]), None)
        if free is None:
            layers.append([span])
        else:
            free.append(span)
    for layer in layers:
        first, last = layer[0][1], layer[-1][2]
        places = np.full(last - first + 1, -1, dtype=np.int64)
        for place, (_, since, until) in enumerate(layer):
            places[since - first : until - first + 1] = place
        yield Layer(np.array([start for start, _, _ in layer], dtype=np.int64), first, places)
