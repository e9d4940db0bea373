"""Published cells beside the cells they are compared with: the period before, and the same period last year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from headway.frameworks.calendar import DAYS
from headway.frameworks.segments import ALL

LATEST: Final[Mapping[str, int]] = {"day": 14, "week": 8, "month": 6, "rolling_7d": 1, "rolling_28d": 1}
"""How many of the latest complete periods of each kind are compared."""

PREVIOUS: Final = "previous"
LAST_YEAR: Final = "last year"

_DAYS_OF_52_WEEKS = 364

NOT_OVER = "it is not over yet"
CUT = "the log begins within it"
NO_PERIOD = "the log does not reach back to the earlier period"
BEFORE = "the earlier period: "
REDEFINED = "its definition changed in between"

KEYS: Final = ("metric", "segment", "period", "period_start")
_SIDE: Final = (
    "value",
    "numerator",
    "denominator",
    "low",
    "high",
    "people",
    "definition_hash",
    "open",
    "why",
)


def cells(values: pl.DataFrame, first_day: date | None) -> pl.DataFrame:
    """Lists every published cell once, and says which of them can be compared.

    Args:
        values: The table ``metric_values`` as it is published, hidden cells null.
        first_day: First local day of the log; a period that began before it is no whole one. None where every period
            is whole.

    Returns:
        One row per metric, segment, period and period start, with two columns more: `open` (why the period cannot be
        used, null where it can) and `why` (the same, or else why the value is null).
    """
    begun = pl.lit(False) if first_day is None else pl.col("period_start") < first_day
    unusable = pl.when(~pl.col("complete")).then(pl.lit(NOT_OVER)).when(begun).then(pl.lit(CUT))
    once = values.unique(KEYS, keep="first", maintain_order=True).with_columns(open=unusable)
    return once.with_columns(
        why=pl.coalesce(
            "open", pl.when(pl.col("value").is_null()).then(pl.col("reason").fill_null("no value"))
        )
    )


def pairs(values: pl.DataFrame, first_day: date | None = None) -> pl.DataFrame:
    """Puts each of the latest complete periods beside the two it is compared with.

    A day is compared with the day before and with the same weekday 52 weeks earlier; a week with the week before
    and with that of 52 weeks earlier; a month with the month before and the same month of the year before; a window
    of days with the one that ends where it begins, so that no day counts twice, and with that of 52 weeks earlier.

    Args:
        values: The table ``metric_values`` as it is published.
        first_day: First local day of the log.

    Returns:
        One row per metric, segment, period, period start and ``compared_with``: the columns of `cells`, `period_before`
        (first day of the earlier period), the earlier cell's columns with ``_before`` after their names, `exists`
        (whether the log reaches back that far) and `reason` (why the two cannot be compared, null where they can).
    """
    every = cells(values, first_day)
    later = every.join(_latest(every), on=["metric", "period", "period_start"], how="semi")
    both = pl.concat(
        later.with_columns(compared_with=pl.lit(name), period_before=start)
        for name, start in ((PREVIOUS, _previous()), (LAST_YEAR, _last_year()))
    )
    earlier = every.select(
        "metric",
        "segment",
        "period",
        pl.col("period_start").alias("period_before"),
        *(pl.col(name).alias(f"{name}_before") for name in _SIDE),
        exists=pl.lit(True),
    )
    joined = both.join(
        earlier, on=["metric", "segment", "period", "period_before"], how="left", maintain_order="left"
    ).with_columns(pl.col("exists").fill_null(False))
    return joined.with_columns(reason=_reason("why")).sort(*KEYS, "compared_with")


def _latest(every: pl.DataFrame) -> pl.DataFrame:
    """Finds the latest whole periods of each metric, hidden ones included."""
    whole = every.filter(pl.col("open").is_null(), segment=ALL)
    place = pl.col("period_start").rank("ordinal", descending=True).over("metric", "period")
    most = pl.col("period").replace_strict(LATEST, default=0, return_dtype=pl.Int64)
    return whole.filter(place <= most).select("metric", "period", "period_start")


def _reason(why: str) -> pl.Expr:
    return pl.coalesce(
        pl.col(why),
        pl.when(~pl.col("exists")).then(pl.lit(NO_PERIOD)),
        pl.lit(BEFORE) + pl.col(f"{why}_before"),
        pl.when(pl.col("definition_hash") != pl.col("definition_hash_before")).then(pl.lit(REDEFINED)),
    )


def period_reason() -> pl.Expr:
    """Says why the periods of a pair cannot be compared, whatever their values are."""
    return _reason("open")


def _previous() -> pl.Expr:
    days = pl.col("period").replace_strict(DAYS, default=0, return_dtype=pl.Int64)
    return _earlier("-1mo", days)


def _last_year() -> pl.Expr:
    return _earlier("-12mo", pl.lit(_DAYS_OF_52_WEEKS))


def _earlier(months: str, days: pl.Expr) -> pl.Expr:
    start = pl.col("period_start")
    by_days = (start - pl.duration(days=days)).cast(pl.Date)
    return pl.when(period="month").then(start.dt.offset_by(months)).otherwise(by_days)
