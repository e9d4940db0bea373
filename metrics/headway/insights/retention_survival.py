"""From last returns to survival curves."""

from __future__ import annotations

import polars as pl

_NO_CURVE = pl.DataFrame(
    schema={
        "touch": pl.String,
        "period": pl.Int64,
        "at_risk": pl.Int64,
        "lost": pl.Int64,
        "censored": pl.Int64,
        "survival": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
)


def survival_curves(rows: pl.DataFrame, inactive: int) -> pl.DataFrame:
    """Draws survival curves from last returns.

    Args:
        rows: One row per value of the breakdown (``touch``), ``last_seen`` and ``observed`` (periods since the
            start: of the last return, and the last whole one known), with ``people``.
        inactive: Whole periods without a return after which a person counts as lost.

    Returns:
        Columns ``touch``, ``period``, ``at_risk``, ``lost``, ``censored``, ``survival``, ``low``, ``high``.

    Examples:
        >>> rows = pl.DataFrame({
        ...     "touch": ["(all)"] * 2, "last_seen": [1, 4], "observed": [4, 4], "people": [1, 3],
        ... })
        >>> survival_curves(rows, inactive=2).select("period", "at_risk", "lost", "survival").rows()[2:4]
        [(2, 4, 1, 0.75), (3, 3, 0, 0.75)]
    """
    # SciPy takes longer to import than everything else; asking is early enough.
    from headway.statistics.survival import kaplan_meier

    lost = pl.col("observed") - pl.col("last_seen") >= inactive
    told = rows.with_columns(lost=lost, period=pl.col("last_seen") + lost.cast(pl.Int64))
    curves = []
    for (touch,), own in told.group_by("touch", maintain_order=True):
        last = int(own["period"].max())  # type: ignore[arg-type]
        people = [
            own.filter(pl.col("lost") == is_lost).group_by("period").agg(pl.col("people").sum())
            for is_lost in (True, False)
        ]
        grid = pl.DataFrame({"period": range(last + 1)}, schema={"period": pl.Int64})
        lost_then, censored = (
            grid.join(each, on="period", how="left").sort("period")["people"].fill_null(0) for each in people
        )
        curve = kaplan_meier(lost_then.to_numpy(), censored.to_numpy())
        counts = grid.with_columns(
            at_risk=pl.Series(curve.at_risk),
            lost=lost_then,
            censored=censored,
            survival=pl.Series(curve.survival),
        )
        ends = counts.with_columns(low=pl.Series(curve.low), high=pl.Series(curve.high)).fill_nan(None)
        curves.append(ends.select(pl.lit(touch).alias("touch"), pl.all()))
    return pl.concat(curves) if curves else _NO_CURVE.clone()
