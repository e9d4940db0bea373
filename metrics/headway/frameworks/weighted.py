"""Answers weighted back to the people who were asked, by the channel of their first touch."""

from __future__ import annotations

import numpy as np
import polars as pl

from headway.frameworks.cells import KEYS
from headway.frameworks.formulas import Part
from headway.frameworks.segments import ALL, CHANNEL
from headway.statistics.estimates import NOBODY, NOTHING
from headway.statistics.intervals import Floats
from headway.statistics.poststratified import Weighted, poststratified

METHOD = "post-stratified"
NO_SEGMENT = "weighted for everybody only; a channel is as it is"


def weighted_part(
    cells: pl.DataFrame,
    answers: pl.DataFrame,
    shown: pl.DataFrame,
    ends: tuple[float, float],
    scale: float = 1.0,
) -> Part:
    """Weights the channels of everybody's answers by their shares of the people asked.

    Args:
        cells: The unweighted metric.
        answers: Sums of everybody's answers by cell and channel (member), see
            `headway.frameworks.cells.groups_of_units`.
        shown: The same of the people who were asked.
        ends: Smallest and largest possible value, at which intervals are cut.
        scale: What the mean of what people add is multiplied by; standard errors are, too.

    Returns:
        The metric: everybody's cells weighted, those of channels as they are, others without a value. Of everybody,
        `effective` is the smallest number of people of any channel, but 0, who were asked, or asked without an answer:
        it could be told from weights.
    """
    rows = cells.with_row_index("row").filter(pl.col("segment") == ALL)
    channels = sorted({*answers["member"], *shown["member"]})
    asked, n, y, yy = (
        *_placed(shown, rows, channels, "n"),
        *_placed(answers, rows, channels, "n", "y", "yy"),
    )
    found = Weighted(*(scale * each for each in poststratified(asked, n, y, yy)))
    everybody = _everybody(rows.drop("row"), found, ends).with_columns(
        effective=pl.Series(_smallest(asked, n), dtype=pl.Float64).fill_nan(None)
    )
    by_channel = cells.filter(pl.col("segment").str.starts_with(f"{CHANNEL}="))
    others = cells.join(pl.concat([everybody, by_channel]), on=KEYS, how="anti").with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in _NUMBERS),
        people=pl.lit(0, dtype=cells.schema["people"]),
        contributors=pl.lit(0, dtype=cells.schema["contributors"]),
        interval_method=pl.lit(None, dtype=pl.String),
        reason=pl.lit(NO_SEGMENT),
        estimate=pl.lit("weighted"),
    )
    return Part(pl.concat([everybody, by_channel, others]), None)


_NUMBERS = ("value", "numerator", "denominator", "low", "high", "effective")


def _placed(groups: pl.DataFrame, rows: pl.DataFrame, channels: list[str], *columns: str) -> list[Floats]:
    """Sums as arrays: cells by channels."""
    here = rows.select(KEYS).with_row_index("place")
    placed = groups.join(here, on=KEYS, how="inner")
    at = placed["place"].to_numpy(), np.searchsorted(channels, placed["member"].to_list())
    found = []
    for column in columns:
        sums = np.zeros((rows.height, max(len(channels), 1)))
        if placed.height:
            sums[at] = placed[column].to_numpy()
        found.append(sums)
    return found


def _everybody(cells: pl.DataFrame, found: Weighted, ends: tuple[float, float]) -> pl.DataFrame:
    value = pl.Series(found.value, dtype=pl.Float64).fill_nan(None)
    low, high = (np.clip(end, *ends) for end in (found.low, found.high))
    known = [METHOD if each else None for each in ~np.isnan(found.low)]
    answered = pl.when(pl.col("people") > 0).then(pl.lit(NOTHING)).otherwise(pl.lit(NOBODY))
    return cells.with_columns(
        value=value,
        numerator=pl.lit(None, dtype=pl.Float64),
        denominator=pl.lit(None, dtype=pl.Float64),
        low=pl.Series(low, dtype=pl.Float64).fill_nan(None),
        high=pl.Series(high, dtype=pl.Float64).fill_nan(None),
        interval_method=pl.Series(known, dtype=pl.String),
        estimate=pl.lit("weighted"),
        reason=pl.when(value.is_null()).then(answered),
    )


def _smallest(asked: Floats, n: Floats) -> Floats:
    """The smallest number of people, but 0, that a channel's weight could tell."""
    told = np.concatenate([asked, np.abs(asked - n)], axis=-1)
    least = np.where(told > 0, told, np.inf).min(axis=-1)
    return np.where(np.isfinite(least), least, np.nan)
