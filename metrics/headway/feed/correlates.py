"""Which early behaviours go with coming back: told apart from chance, and never from cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from headway.engine import bind, load, with_inputs
from headway.insights.question import Question, Scope, labels
from headway.log import EventLog
from headway.selectors import Selector, as_event
from headway.statistics.differences import mover
from headway.statistics.intervals import wilson
from headway.statistics.multiplicity import adjusted

_DAYS: Final = {"day": 1, "week": 7, "month": 30}
_DAY_US: Final = 86_400_000_000

COUNTS: Final = {
    "behaviour": pl.String(), "people": pl.Int64(), "kept": pl.Int64(), "did": pl.Int64(), "did_kept": pl.Int64(),
}  # fmt: skip
"""Columns of what `EarlyBehaviours` counts."""

TOLD: Final = {
    "rate_with": pl.Float64(), "rate_without": pl.Float64(), "difference": pl.Float64(), "low": pl.Float64(),
    "high": pl.Float64(), "p_value": pl.Float64(), "adjusted_p": pl.Float64(),
}  # fmt: skip
"""Columns that `with_differences` adds."""


@dataclass(frozen=True)
class EarlyBehaviours(Question):
    """What else people did in the period after their start, beside whether they came back in the period after that.

    Every person counts once, from the first start ever seen; a period is a day, 7 days or 30 days from that instant,
    to the microsecond, so that everybody has had as much time. Only those count whose second period is over.

    Attributes:
        start: Events that start.
        returning: Events of somebody who came back.
        period: Length of the periods.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "ann", "bob", "bob", "bob"],
        ...     "event": ["Sign", "Save", "Watch", "Sign", "Skip", "Watch"],
        ...     "occurred_at": [datetime(2026, 3, d) for d in (1, 2, 9, 1, 3, 30)],
        ... })
        >>> with EventLog(frame) as log:
        ...     EarlyBehaviours("Sign", "Watch").run(log).rows()
        [('Save', 2, 1, 1, 1), ('Skip', 2, 1, 1, 0)]
    """

    start: Selector
    returning: Selector
    period: str = "week"

    def run(self, log: EventLog) -> pl.DataFrame:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            One row per event that somebody did early; see `COUNTS`.

        Raises:
            InputError: An event never occurs.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)
        starts, returns = (scope.matches(as_event(each)) for each in (self.start, self.returning))
        text = bind(
            load("headway.feed", "correlates"),
            {
                "starts": starts,
                "returns": returns,
                "width": _DAYS[self.period] * _DAY_US,
                "observed": scope.observed_us,
            },
        )
        found = log.sql(with_inputs(text, {"ev": scope.events([starts, returns], ever=True)}))
        return found.select(pl.col(name).cast(kind) for name, kind in COUNTS.items())

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        start, returning = labels([as_event(self.start), as_event(self.returning)])
        return (
            f"People by what they did in the {self.period} after their first {start}, and how many of them had "
            f"{returning} in the {self.period} after that; those whose second {self.period} is not over do not count."
        )


def with_differences(counts: pl.DataFrame) -> pl.DataFrame:
    """Compares who did something early with who did not.

    Args:
        counts: Rows with the columns of `COUNTS`; rows without numbers are told nothing of.

    Returns:
        The rows with the columns of `TOLD`: both rates of coming back, their difference with Newcombe's (1998, method
        10) 95 % interval, the p-value of Fisher's exact test, and the same by Holm (1979) for all rows together. A
        difference says that both go together, not that one brings the other: who is keen does more of everything.

    Examples:
        >>> rows = pl.DataFrame([("Save", 200, 80, 100, 60)], schema=list(COUNTS), orient="row")
        >>> told = with_differences(rows)
        >>> told.select("rate_with", "rate_without").row(0), round(told["low"][0], 3)
        ((0.6, 0.2), 0.268)
    """
    rows = [_told(*row) for row in counts.select("people", "kept", "did", "did_kept").iter_rows()]
    told = pl.DataFrame(rows, schema=[name for name in TOLD if name != "adjusted_p"], orient="row")
    p_values = told["p_value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    told = told.with_columns(adjusted_p=pl.Series(adjusted(p_values), dtype=pl.Float64).fill_nan(None))
    return counts.hstack(told.select(pl.col(name).cast(kind) for name, kind in TOLD.items()))


def _told(
    people: int | None, kept: int | None, did: int | None, did_kept: int | None
) -> tuple[float | None, ...]:
    if people is None or kept is None or did is None or did_kept is None or not 0 < did < people:
        return (None,) * 6
    others, others_kept = people - did, kept - did_kept
    rate, base = did_kept / did, others_kept / others
    one, other = wilson(did_kept, did), wilson(others_kept, others)
    between = mover(rate, one.low, one.high, base, other.low, other.high)
    table = np.array([[did_kept, did - did_kept], [others_kept, others - others_kept]])
    p_value = stats.fisher_exact(table).pvalue
    return rate, base, rate - base, float(between.low), float(between.high), float(p_value)


__all__ = ["COUNTS", "TOLD", "EarlyBehaviours", "with_differences"]
