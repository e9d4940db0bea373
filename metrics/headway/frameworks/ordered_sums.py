"""Sums of fractions by cell, in an order of their own: equal rows give equal bits whatever order they are read in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from headway.frameworks.profiles import Profiles
from headway.frameworks.segments import Dimension


def ordered_sums(
    adding: pl.DataFrame, profiles: Profiles, dimensions: Sequence[Dimension], keys: Sequence[str]
) -> pl.DataFrame:
    """Adds up what people add, smallest first.

    Args:
        adding: One row per person and period: profile, y, x and the keys.
        profiles: The profiles of people.
        dimensions: Those of them that are asked for.
        keys: What tells apart what is added up, beside segments.

    Returns:
        One row per segment and keys that any row has: n (rows), y, yy, x, xx, xy.
    """
    rows = adding.sort("y", "x")
    cells = rows.select(keys).unique(maintain_order=True)
    numbered = rows.join(cells.with_row_index("cell"), on=keys, how="left", maintain_order="left")
    profile, cell = rows["profile"].to_numpy(), numbered["cell"].to_numpy().astype(np.int64)
    y, x = rows["y"].to_numpy(), rows["x"].to_numpy()
    products = {"y": y, "yy": y * y, "x": x, "xx": x * x, "xy": x * y}
    found = []
    for dimension in dimensions:
        places = profiles.places_of(dimension)
        code = places[profile] * cells.height + cell
        there = np.flatnonzero(n := np.bincount(code))
        # Weights are added one after the other, in the order of the rows.
        sums = {name: np.bincount(code, weights=each)[there] for name, each in products.items()}
        names = pl.Series([dimension.segment(label) for label in dimension.labels], dtype=pl.String)
        found.append(
            cells[there % max(cells.height, 1)].select(
                names.gather(there // max(cells.height, 1)).alias("segment"),
                *keys,
                pl.Series("n", n[there], dtype=pl.Float64),
                *(pl.Series(name, each, dtype=pl.Float64) for name, each in sums.items()),
            )
        )
    return pl.concat(found)
