"""What whoever subtracts one number of an experiment from another works out: of whom each difference speaks.

Metrics of the same events are parts of each other: who did it within three days is among those who did it within
seven, and who did it on one day among those who did it at all. Differences of such numbers are numbers of people, too.
They decide what is shown, and the ledger of publications notes them, since they may move by few where each number moves
by many or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import polars as pl

from headway.experiments import Outcome

Row = Mapping[str, Any]

ALIKE: Final[dict[str, Any]] = {"alike": pl.List(pl.String), "opens": pl.Int64, "closes": pl.Int64}
"""Internal columns of the results: the experiment's metrics of the same events, itself included, and when the metric
counts, in microseconds after the exposure; null where it never ends."""
DIFFERENCES: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "variant": pl.String, "beside": pl.String, "what": pl.String,
    "people": pl.Int64,
}  # fmt: skip
"""Columns of the differences: `metric` and `beside` are the two metrics, `what` says which of their numbers."""


def alike(outcome: Outcome, among: Iterable[Outcome]) -> list[str]:
    """Lists the metrics that read the same events as another.

    Args:
        outcome: The one.
        among: All metrics of its experiment.

    Returns:
        Names of metrics that share the name of an event with it, itself included; those of any event share all.

    Examples:
        >>> week, month = (Outcome(each, "Saved", within=each) for each in ("7d", "28d"))
        >>> alike(week, [week, month, Outcome("paid", "Paid")])
        ['7d', '28d']
    """
    return [each.name for each in among if _share_events(each, outcome)]


def _share_events(one: Outcome, other: Outcome) -> bool:
    names, others = ([event.names for event in each.selectors()] for each in (one, other))
    return any(a is None or b is None or set(a) & set(b) for a in names for b in others)


def close(difference: int, k: int) -> bool:
    """Says whether a difference speaks of few.

    Args:
        difference: How many more or fewer.
        k: Smallest number of people that may be spoken of.

    Returns:
        True from 1 to k-1, in either direction.

    Examples:
        >>> [close(difference, 10) for difference in (0, 9, -9, 10)]
        [False, True, True, False]
    """
    return 0 < abs(difference) < k


class Arms:
    """The arms that are told of experiments: how many of which did it.

    Args:
        results: ``experiment_results`` as they are shown, with `some` and `alike`; None: none yet.
    """

    def __init__(self, results: pl.DataFrame | None = None) -> None:
        self._arms: dict[tuple[str, str, str], Row] = {}
        if results is not None:
            self.add(results.filter(~pl.col("suppressed")).iter_rows(named=True))

    def add(self, rows: Iterable[Row]) -> None:
        """Adds the arms of one more metric."""
        self._arms |= {(row["experiment"], row["metric"], row["variant"]): row for row in rows}

    def of(self, row: Row) -> Row | None:
        """Returns the arm that a row of any table of experiments is a part of; None where it is not told."""
        return self._arms.get((row["experiment"], row["metric"], row["variant"]))

    def beside(self, row: Row) -> Iterator[Row]:
        """Lists what is told of the same events, itself included.

        Args:
            row: A row of any table of experiments.

        Yields:
            Arms of these metrics, of the row's variant; none of metrics that do not say how many units did it.
        """
        told = self.of(row)
        names = (row if told is None else told).get("alike") or [row["metric"]]
        for name in names:
            arm = self._arms.get((row["experiment"], name, row["variant"]))
            if arm is not None and arm["some"] is not None:
                yield arm


def result_differences(row: Row, arms: Arms) -> Iterator[tuple[str, str, int]]:
    """Lists by how many an arm differs from those of other metrics of the same events.

    Args:
        row: A row of ``experiment_results``.
        arms: What is told beside it.

    Yields:
        The other metric, which of its numbers, and how many more did that.
    """
    if row["some"] is not None:
        for arm in arms.beside(row):
            if arm["metric"] != row["metric"]:
                yield arm["metric"], "did it", arm["some"] - row["some"]


def differences_of_results(results: pl.DataFrame) -> pl.DataFrame:
    """Lists what whoever subtracts works out of arms.

    Args:
        results: ``experiment_results`` as they are shown, with `some` and `alike`.

    Returns:
        See `DIFFERENCES`.
    """
    arms = Arms(results)
    told = results.filter(~pl.col("suppressed"))
    return as_differences(
        (row, each) for row in told.iter_rows(named=True) for each in result_differences(row, arms)
    )


def as_differences(rows: Iterable[tuple[Row, tuple[str, str, int]]]) -> pl.DataFrame:
    """Puts differences into a table.

    Args:
        rows: Rows of a table of experiments, each with a difference: other metric, which number, how many.

    Returns:
        See `DIFFERENCES`; `suppressed` is false for all.
    """
    found = [
        {**{name: row[name] for name in ("experiment", "metric", "variant")},
         "beside": beside, "what": what, "people": people}
        for row, (beside, what, people) in rows
    ]  # fmt: skip
    return pl.DataFrame(found, schema=DIFFERENCES).with_columns(suppressed=pl.lit(False))
