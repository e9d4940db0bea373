"""Judging metric values row by row: the table is small, so Great Expectations sees it whole."""

from __future__ import annotations

import polars as pl

from headway_pipelines.quality.judge import Rule, judge

_VALUE_RULES = (
    Rule("people are counted", "people", 0, None, "No count of people is negative."),
    Rule(
        "shares lie between 0 and 1",
        "share",
        0,
        1,
        "Every percent value but a ratio is a fraction of one.",
    ),
    Rule("intervals hold their value", "outside_interval", 0, 0, "Every value lies within its interval."),
    Rule("undefined values say why", "unexplained_null", 0, 0, "Every null value has a reason."),
    Rule("no cell twice", "repeated_cell", 0, 0, "One row per metric, place, segment, period and start."),
    Rule("definitions are stamped", "unstamped", 0, 0, "Every value carries the hash of its definition."),
)
_CELL = ("metric", "framework", "stage", "segment", "period", "period_start")
#: Floating point: a bound may differ from its value in the last digits.
_SLACK = 1e-9


def judge_values(values: pl.DataFrame) -> list[str]:
    """Judges metric values.

    Args:
        values: The table ``metric_values`` before suppression.

    Returns:
        Names of the violated rules.
    """
    slack = _SLACK * (1 + pl.col("value").abs())
    outside = (pl.col("value") < pl.col("low") - slack) | (pl.col("value") > pl.col("high") + slack)
    profile = values.select(
        "people",
        # Of two amounts one may be larger than the other: revenue kept, of what it was, may be 110 %.
        share=pl.when(pl.col("unit") == "percent", pl.col("estimate").ne_missing("ratio")).then(
            pl.col("value")
        ),
        outside_interval=outside.fill_null(False).cast(pl.Int8),
        unexplained_null=(pl.col("value").is_null() & pl.col("reason").is_null()).cast(pl.Int8),
        repeated_cell=pl.struct(_CELL).is_duplicated().cast(pl.Int8),
        unstamped=pl.col("definition_hash").is_null().cast(pl.Int8),
    )
    return [finding.rule.name for finding in judge(profile, _VALUE_RULES)]
