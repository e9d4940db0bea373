"""Effects by day since exposure: novelty that wears off, learning that grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from headway.errors import InputError
from headway.statistics.comparisons import welch

if TYPE_CHECKING:
    from headway.experiments.result import ExperimentResult

_MOST_DAYS = 366


def by_day(result: ExperimentResult, metric: str, days: int) -> pl.DataFrame:
    """Compares what units add on each day after their exposure.

    Args:
        result: The experiment's result.
        metric: Name of an outcome that is a share, a number or a sum.
        days: Days to show.

    Returns:
        One row per day and variant, see `ExperimentResult.by_day`.

    Raises:
        InputError: There is no such outcome, or it has no value by day.
    """
    experiment = result.insight
    names = [each.name for each in experiment.outcomes]
    if metric not in names:
        raise InputError.unknown("metric", metric, names)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
        raise InputError(f"days must be a whole number from 1 to {_MOST_DAYS}")
    if experiment.split_changes:
        raise InputError(
            "the planned split changed, so that days added up over phases cannot be compared; ask each phase by "
            "itself, with since= and until="
        )
    place = names.index(metric)
    outcome = experiment.outcomes[place]
    if outcome.kind not in ("proportion", "mean") or outcome.numerator.kind == "days":
        raise InputError(f"{metric} has no value by day: only shares, numbers and sums per unit do")
    sums = result.scope.log.sql(result.compiled.daily(place, days)).with_columns(
        mean=pl.col("y") / pl.col("n")
    )
    spread = (pl.col("yy") - pl.col("y") ** 2 / pl.col("n")) / (pl.col("n") - 1)
    sums = sums.with_columns(variance=pl.when(pl.col("n") > 1).then(spread))
    control = sums.filter(pl.col("variant") == experiment.control).select(
        "since", n0="n", mean0="mean", variance0="variance"
    )
    both = sums.join(control, on="since", how="left", maintain_order="left")
    n, mean, variance, n0, mean0, variance0 = (
        both[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("n", "mean", "variance", "n0", "mean0", "variance0")
    )
    with np.errstate(all="ignore"):
        found = welch(n, mean, variance, n0, mean0, variance0, 1 - experiment.alpha)
    own = pl.col("variant") == experiment.control
    numbers = {
        "effect": np.where(np.isnan(found.p_value), np.nan, found.effect),
        "low": found.low,
        "high": found.high,
    }
    return (
        both.with_columns(**{name: pl.Series(values) for name, values in numbers.items()})
        .with_columns(pl.when(~own).then(pl.col(name)).fill_nan(None).alias(name) for name in numbers)
        .select("since", "variant", units="n", mean="mean", effect="effect", low="low", high="high")
        .sort("since", "variant")
    )
