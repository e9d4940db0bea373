"""Which segments a change comes from: those that grew, and those in which the metric itself moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from headway.frameworks.segments import ALL
from headway.moved.pairs import BEFORE, pairs, period_reason

SCHEMA: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "dimension": pl.String(),
    "label": pl.String(),
    "period": pl.String(),
    "period_start": pl.Date(),
    "compared_with": pl.String(),
    "period_before": pl.Date(),
    "value": pl.Float64(),
    "value_before": pl.Float64(),
    "share": pl.Float64(),
    "share_before": pl.Float64(),
    "mix_effect": pl.Float64(),
    "rate_effect": pl.Float64(),
    "effect": pl.Float64(),
    "reason": pl.String(),
}
"""Columns and types of the effects, in order."""

RATES: Final[Mapping[str, float]] = {"proportion": 1.0, "mean": 1.0, "ratio": 1.0, "promoter_score": 100.0}
"""Estimates that are a sum over people divided by a sum over people, and the unit they are in."""
SUMS: Final = ("count", "total")
"""Estimates that are a sum over people."""

NOT_ADDITIVE = "a value of this kind is not made of the values of its segments"
EVERYBODY = "everybody: "
DO_NOT_ADD_UP = "the segments do not add up to everybody"

_RELATIVE_ROUNDING = 1e-9
_WHERE = ("metric", "period", "period_start", "compared_with")


def metric_effects(
    values: pl.DataFrame, kinds: Mapping[str, str], *, first_day: date | None = None
) -> pl.DataFrame:
    """Divides the change of every metric exactly between the labels of each segment.

    A rate of everybody is R = sum of w r over the labels: w is a label's share of the denominator, r its own rate. Its
    change is divided as Kitagawa did, with the means of both periods as weights, so that no interaction is left over:

    - rate effect: mean w x (change of r), what the metric itself did within the label;
    - mix effect: (change of w) x (mean r - mean R), what the label's growth did: a label that grows draws everybody
      towards its own rate.

    The sum over the labels of a segment is the change of everybody. A label that has no rate in one of the periods, as
    nobody was in it, has no rate effect: what it did is its coming or going. A number or sum is divided into the
    changes of its labels; it has no rate.

    Only what is published is read. Where a label's cell is hidden its effect is null; it is never worked out from the
    others.

    Args:
        values: The table ``metric_values`` as it is published, hidden cells null.
        kinds: Metric -> kind of estimate (``proportion``, ``mean``, ``ratio``, ``promoter_score``, ``count``,
            ``total``; others, such as ``quantile``, are not made of their segments' values).
        first_day: First local day of the log; a period that began before it is no whole one.

    Returns:
        One row per metric, dimension, label, period, period start and ``compared_with``, see `SCHEMA`; shares are
        fractions of the denominator, of a number or sum fractions of it; `effect` is mix and rate effect together.
        Labels with nobody in both periods, and periods that the log does not reach back from, have no rows.

    References:
        Kitagawa, E. M. (1955). Components of a difference between two rates. Journal of the American Statistical
        Association 50, 1168-1194.

    Examples:
        >>> row = {"metric": "sign_ups", "period": "week", "low": None, "high": None, "people": None, "complete": True,
        ...        "suppressed": False, "reason": None, "definition_hash": "a"}
        >>> def week(day, **cells):
        ...     return [{**row, "period_start": date(2026, 3, day), "segment": name.replace("_", "="),
        ...              "numerator": y, "denominator": x, "value": y / x} for name, (y, x) in cells.items()]
        >>> weeks = pl.DataFrame(week(2, all=(50., 100.), channel_a=(40., 50.), channel_b=(10., 50.))
        ...                      + week(9, all=(68., 200.), channel_a=(40., 50.), channel_b=(28., 150.)))
        >>> found = metric_effects(weeks, {"sign_ups": "proportion"})
        >>> found.select("label", pl.col("mix_effect", "rate_effect").round(4)).rows()   # 50 % to 34 %: b trebled
        [('a', -0.095, 0.0), ('b', -0.0567, -0.0083)]
    """
    both = _beside_everybody(values, kinds, first_day)
    effects = both.with_columns(**_shares()).with_columns(**_effects())
    fine = pl.col("reason").is_null()
    hidden = {name: pl.when(fine).then(name) for name in ("share", "share_before", *_EFFECTS)}
    return (
        effects.with_columns(**hidden)
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort("metric", "dimension", "label", "period", "period_start", "compared_with")
    )


_ENDS = ("", "_before")
_EFFECTS = ("mix_effect", "rate_effect", "effect")


def _beside_everybody(values: pl.DataFrame, kinds: Mapping[str, str], first_day: date | None) -> pl.DataFrame:
    """Puts every label's pair beside that of everybody, and says where there is no effect."""
    kind = pl.col("metric").replace_strict(dict(kinds), default=None, return_dtype=pl.String)
    both = pairs(values, first_day).filter("exists").with_columns(kind=kind)
    everybody = both.filter(segment=ALL).select(
        *_WHERE,
        *(pl.col(f"value{end}").alias(f"all_value{end}") for end in _ENDS),
        *(_part(end).alias(f"all_part{end}") for end in _ENDS),
        *(_top(end).alias(f"all_top{end}") for end in _ENDS),
        all_reason=pl.col("reason"),
    )
    labels = (
        both.filter(pl.col("segment") != ALL)
        .with_columns(*_named(), unusable=period_reason())
        .with_columns(pl.when(pl.col("open_before").is_null()).then("value_before").alias("value_before"))
        .join(everybody, on=_WHERE, how="left", maintain_order="left")
    )
    return _adding_up(labels).with_columns(reason=_reason()).filter(~_empty())


def _part(end: str) -> pl.Expr:
    """What of a label is a part of everybody's: its value, or the denominator of its rate."""
    return pl.when(pl.col("kind").is_in(SUMS)).then(f"value{end}").otherwise(f"denominator{end}")


def _top(end: str) -> pl.Expr:
    return pl.when(pl.col("kind").is_in(SUMS)).then(f"value{end}").otherwise(f"numerator{end}")


def _reason() -> pl.Expr:
    return pl.coalesce(
        pl.when(~pl.col("kind").is_in([*RATES, *SUMS]).fill_null(False)).then(pl.lit(NOT_ADDITIVE)),
        "unusable",
        EVERYBODY + pl.col("all_reason"),
        pl.when(_part("").is_null() | _top("").is_null()).then("why"),
        pl.when(_part("_before").is_null() | _top("_before").is_null()).then(BEFORE + pl.col("why_before")),
        pl.when(~pl.col("adds_up")).then(pl.lit(DO_NOT_ADD_UP)),
    )


def _empty() -> pl.Expr:
    nothing = [part(end) == 0 for part in (_part, _top) for end in ("", "_before")]
    return pl.all_horizontal(nothing).fill_null(False)


def _named() -> tuple[pl.Expr, pl.Expr]:
    parts = pl.col("segment").str.splitn("=", 2)
    return parts.struct.field("field_0").alias("dimension"), parts.struct.field("field_1").alias("label")


def _adding_up(labels: pl.DataFrame) -> pl.DataFrame:
    """Checks whether the labels of each segment, where all of both periods are shown, are everybody."""
    checks = []
    for end in ("", "_before"):
        for part, name in ((_part(end), "part"), (_top(end), "top")):
            whole = pl.col(f"all_{name}{end}")
            near = (part.sum() - whole.first()).abs() <= _RELATIVE_ROUNDING * part.abs().sum()
            unknown = (part.null_count() > 0) | whole.first().is_null()
            checks.append(unknown | near)
    return labels.with_columns(adds_up=pl.all_horizontal(checks).over(*_WHERE, "dimension"))


def _shares() -> dict[str, pl.Expr]:
    """A label's part of everybody, and what it adds to everybody's value."""
    scale = pl.col("kind").replace_strict(dict(RATES), default=1.0, return_dtype=pl.Float64)
    found: dict[str, pl.Expr] = {}
    for end in _ENDS:
        whole = pl.col(f"all_part{end}")
        found[f"share{end}"] = pl.when(whole != 0).then(_part(end) / whole)
        rate = scale * pl.col(f"numerator{end}") / whole
        found[f"part{end}"] = pl.when(pl.col("kind").is_in(SUMS)).then(f"value{end}").otherwise(rate)
    return found


def _effects() -> dict[str, pl.Expr]:
    is_sum = pl.col("kind").is_in(SUMS)
    whole = (pl.col("all_value") + pl.col("all_value_before")) / 2
    own = (pl.col("value") + pl.col("value_before")) / 2
    grown = pl.col("share") - pl.col("share_before")
    has_rate = own.is_not_null()
    part = pl.col("part") - pl.col("part_before")
    rate = (pl.col("share") + pl.col("share_before")) / 2 * (pl.col("value") - pl.col("value_before"))
    rate = pl.when(has_rate).then(rate).otherwise(0.0)
    mix = pl.when(has_rate).then(grown * (own - whole)).otherwise(part - grown * whole)
    return {
        "mix_effect": pl.when(~is_sum).then(mix),
        "rate_effect": pl.when(~is_sum).then(rate),
        "effect": pl.when(is_sum).then(part).otherwise(mix + rate),
    }
