"""Effects of experiments by day since exposure: computed when an experiment is over, shown where no day is of few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from headway.experiments import ExperimentResult
from headway_pipelines.warehouse.experiment_differences import Arms, Row, as_differences, close
from headway_pipelines.warehouse.experiment_segments import of_few

DAYS: Final[dict[str, Any]] = {
    "experiment": pl.String, "metric": pl.String, "title": pl.String, "unit": pl.String, "direction": pl.String,
    "since": pl.Int64, "variant": pl.String, "units": pl.Int64, "some": pl.Int64, "effect": pl.Float64,
    "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip
INTERNAL: Final = ("units", "some")
"""Columns that only decide what is shown."""
_DAY_US = 86_400_000_000
_MOST_DAYS = 28


def day_rows(experiment: str, found: ExperimentResult) -> Iterator[dict[str, Any]]:
    """Lists the effects of an experiment on each day since exposure.

    Args:
        experiment: Its name.
        found: What it found.

    Yields:
        One row per primary metric, day and variant, the control's among them; see `DAYS`. Only of shares of units
        that do something within days of their exposure, and only once the experiment is over: until then who was
        exposed last would come into one day after the other. None where the planned split changed.
    """
    asked = found.insight
    if not found.over or asked.split_changes:
        return
    for place, outcome in enumerate(asked.outcomes[: len(asked.metrics)]):
        window = found.compiled.windows[place]
        # Steps on the way, and what must not happen, are not asked of a single day.
        simple = (
            outcome.kind == "proportion" and not outcome.via and outcome.also is None and window.opens == 0
        )
        days = 0 if window.closes is None else min(window.closes // _DAY_US, _MOST_DAYS)
        if not simple or days < 2:
            continue
        for row in found.by_day(outcome.name, days).iter_rows(named=True):
            yield {
                "experiment": experiment,
                "metric": outcome.name,
                "title": outcome.title or outcome.name,
                "unit": outcome.unit or "percent",
                "direction": outcome.direction,
                "some": round(row["mean"] * row["units"]),
                **{name: row[name] for name in ("since", "variant", "units", "effect", "low", "high")},
            }


class _Days:
    """Days of an arm from the first on, and what they leave of those who did it at all.

    Args:
        arms: The arms that are told.
    """

    def __init__(self, arms: Arms) -> None:
        self._arms = arms
        self._some: dict[tuple[str, str, str], int] = {}

    def add(self, row: Row) -> None:
        """Adds the next day of an arm."""
        arm = (row["experiment"], row["metric"], row["variant"])
        self._some[arm] = self._some.get(arm, 0) + row["some"]

    def others(self, row: Row) -> int:
        """Counts those of an arm who did it, but not on the day of a row."""
        return self._whole(row) - int(row["some"])

    def later(self, row: Row) -> int:
        """Counts those of an arm who did it after the last day added, less the days on which it was done again."""
        return self._whole(row) - self._some[row["experiment"], row["metric"], row["variant"]]

    def _whole(self, row: Row) -> int:
        arm = self._arms.of(row)
        return 0 if arm is None else int(arm["some"])


def shown_days(days: pl.DataFrame, results: pl.DataFrame, k: int) -> pl.DataFrame:
    """Leaves out days that would speak of few people, alone or beside what else is told of an arm.

    Told are the days from the first on, up to one on which few did it, did not, or did it on others alone. As many of
    them as leave none or many in every arm who did it later: an event that happens once to each tells them exactly,
    others less the days on which it was done again. None at all where not every unit has all days behind it, and none
    beside another metric of the same events that counts at the same time and says something else of them: of several
    windows and days, those of few could be worked out; and days of one alone.

    Args:
        days: ``experiment_days`` as computed, day after day of each arm.
        results: ``experiment_results`` as they are shown, with `some` and the columns of `ALIKE`.
        k: Smallest number of people that may be spoken of.

    Returns:
        The rows that may be shown, with `suppressed`, false for all; the columns of `INTERNAL` are still there.
    """
    arms = Arms(results)
    # Also what is hidden: it may have been told before.
    everything = Arms(results.with_columns(suppressed=pl.lit(False)))
    kept = [days.clear()]
    told: set[tuple[str, str]] = set()
    for part in days.partition_by("experiment", "metric", maintain_order=True):
        rows = part.to_dicts()
        if not all((arm := arms.of(row)) is not None and arm["units"] == row["units"] for row in rows):
            continue
        if any(_says_else(everything, row) for row in rows) or any(
            (row["experiment"], arm["metric"]) in told for row in rows for arm in arms.beside(row)
        ):
            continue
        last = _last_day(rows, _Days(arms), k)
        if last > 0:
            told.add((rows[0]["experiment"], rows[0]["metric"]))
            kept.append(part.filter(pl.col("since") <= last))
    return pl.concat(kept).with_columns(suppressed=pl.lit(False))


def _says_else(arms: Arms, row: Row) -> bool:
    """Whether another metric of the same events counts in the same time, but other units or at another time, too."""
    mine = arms.of(row)
    if mine is None:
        return False
    opens, closes = _window(mine)
    return any(
        (other["some"], *_window(other)) != (mine["some"], opens, closes)
        for other in arms.beside(row)
        if closes is None or _window(other)[0] < closes
    )


def _window(arm: Row) -> tuple[int, int | None]:
    """When a metric counts; a last instant that counts is the least that there is."""
    opens, closes = arm.get("opens") or 0, arm.get("closes")
    return opens, None if closes is None else closes - (closes % _DAY_US == 1)


def _last_day(rows: Sequence[Row], days: _Days, k: int) -> int:
    """The last day that may be told of a metric; less than 1 where fewer than two may."""
    by_day: dict[int, list[Row]] = {}
    for row in rows:
        by_day.setdefault(row["since"], []).append(row)
    last = -1
    for since in sorted(by_day):
        for row in by_day[since]:
            days.add(row)
            if of_few(row["units"], row["some"], k) or close(days.others(row), k):
                return last
        if not any(close(days.later(row), k) for row in by_day[since]):
            last = since
    return last


def day_differences(days: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Lists what whoever subtracts works out of days.

    Args:
        days: ``experiment_days`` as they are shown, with `some`.
        results: ``experiment_results`` as they are shown, with `some` and the columns of `ALIKE`.

    Returns:
        See `headway_pipelines.warehouse.experiment_differences.DIFFERENCES`.
    """
    told = _Days(Arms(results))
    found: list[tuple[Row, tuple[str, str, int]]] = []
    for row in days.sort("since", maintain_order=True).iter_rows(named=True):
        told.add(row)
        found += [
            (row, (row["metric"], f"not on day {row['since']}", told.others(row))),
            (row, (row["metric"], f"not until day {row['since']}", told.later(row))),
        ]
    return as_differences(found)
