"""The cells of a metric as a grid, segments by periods, into which sums are put where they belong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.frameworks.prelude import Prelude
from headway.frameworks.profiles import Profiles
from headway.frameworks.segments import Dimension
from headway.periods import EPOCH
from headway.statistics.intervals import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """Every cell of a metric that is computed, those without people included.

    Attributes:
        cells: One row per cell: segment, period, period_start, period_end and complete; segment by segment, the periods
            of each in one order.
        columns: The place in that order of each period, by its kind and first day, in days since 1970-01-01.
        labels: How many labels there are of each dimension.
    """

    cells: pl.DataFrame
    columns: Mapping[tuple[str, int], int]
    labels: Sequence[int]

    def placed(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Ints]:
        """Finds the periods of rows.

        Args:
            frame: Rows with grain and start_day.

        Returns:
            The rows that are of a period of the grid, and the place of each one's period.
        """
        listed = pl.DataFrame(
            [(*period, column) for period, column in self.columns.items()],
            schema={"grain": pl.String, "start_day": pl.Int64, "column": pl.Int64},
            orient="row",
        )
        rows = frame.with_columns(pl.col("grain").cast(pl.String), pl.col("start_day").cast(pl.Int64))
        found = rows.join(listed, on=["grain", "start_day"], how="inner", maintain_order="left")
        return found, found["column"].to_numpy()

    def summed(
        self,
        profiles: Profiles,
        profile: NDArray[np.integer],
        column: Ints,
        sums: Mapping[str, NDArray[np.generic]],
    ) -> dict[str, Floats]:
        """Adds rows up to the cells, from the profiles of people to the labels of every dimension.

        Args:
            profiles: The profiles of people.
            profile: The profile of each row.
            column: The place of its period.
            sums: What is added up, by name: whole numbers, or fractions in the order in which they are added.

        Returns:
            The sum of every cell, by name.
        """
        width = len(self.columns)
        codes = [places[profile] * width + column for places in profiles.places]
        return {
            name: np.concatenate(
                [
                    np.bincount(code, weights=weights, minlength=number * width)
                    for code, number in zip(codes, self.labels, strict=True)
                ]
            ).astype(np.float64)
            for name, weights in sums.items()
        }

    def with_sums(self, sums: Mapping[str, Floats]) -> pl.DataFrame:
        """Returns the cells with the sums of each."""
        return self.cells.with_columns(pl.Series(name, each, dtype=pl.Float64) for name, each in sums.items())


def grid_of(
    shared: Prelude,
    dimensions: Sequence[Dimension],
    complete_before: int,
    only: Collection[tuple[str, date]] | None,
) -> Grid:
    """Lists the cells of a metric.

    Args:
        shared: The shared input, with the kinds of period of the metric.
        dimensions: Ways to divide people.
        complete_before: Instant by which a period must have ended to be complete, microseconds since 1970 UTC.
        only: The periods that are computed; None: all.

    Returns:
        The cells.
    """
    first, last = shared.first_day, shared.last_day
    periods = [] if first is None or last is None else shared.calendar.periods(first, last, shared.grains)
    listed = [each for each in periods if only is None or (each.grain, each.start) in only]
    spans = pl.DataFrame(
        [(each.grain, each.start, each.last, each.end <= complete_before) for each in listed],
        schema={"period": pl.String, "period_start": pl.Date, "period_end": pl.Date, "complete": pl.Boolean},
        orient="row",
    )
    segments = [each.segment(label) for each in dimensions for label in each.labels]
    cells = pl.DataFrame({"segment": segments}).join(spans, how="cross", maintain_order="left_right")
    columns: dict[tuple[str, int], int] = {
        (each.grain, (each.start - EPOCH).days): place for place, each in enumerate(listed)
    }
    return Grid(cells, columns, [len(each.labels) for each in dimensions])


def compact(codes: Ints, number: int) -> tuple[Ints, Ints]:
    """Numbers the codes that there are.

    Args:
        codes: Numbers from 0 on.
        number: More than any of them.

    Returns:
        The codes that there are, ascending, and of each row the place of its code among them.
    """
    if number > 4 * codes.size + 1_000_000:
        found, places = np.unique(codes, return_inverse=True)
        return found, places
    there = np.zeros(number, dtype=np.bool_)
    there[codes] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[codes]
