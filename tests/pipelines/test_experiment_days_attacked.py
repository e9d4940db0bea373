"""An attack on days since exposure: whoever has all that is told of an arm, and solves it as one linear system.

An arm's units are sorted by what they did on each day: nothing, something, or just what a narrower metric asks. How
many there are of each sort is unknown; everything told is a sum of some of them. Of each group that one would like to
know of (who did it on these days and not on those, the one and not the other, again) the attack works out the least and
the greatest number that fit. It may know that the event happens once to each. Nobody may be sure that there is
somebody, and fewer than k.

What is not attacked: guesses from the day on which a curve ends, which says that the next one, or what it would leave
over, is of few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import linprog

from headway_pipelines.warehouse.experiment_days import DAYS, shown_days
from headway_pipelines.warehouse.experiment_differences import ALIKE
from headway_pipelines.warehouse.experiments import HEALTH, RESULTS, shown_results

K, DAY = 3, 86_400_000_000
ARMS = ("old", "new")
NOTHING, OTHER, NARROW = 0, 1, 2
Sort = tuple[int, ...]
"""What a unit did on each day; the last of them is all time after the days."""
#: Whether a day's doings count.
METRICS: dict[str, Callable[[int], bool]] = {
    "wide": lambda what: what != NOTHING,
    "narrow": lambda what: what == NARROW,
    # Of the first two days.
    "short": lambda what: what != NOTHING,
}


def counted(metric: str, sort: Sort) -> bool:
    """Whether a unit counts as one that did it."""
    return any(METRICS[metric](what) for what in (sort[:2] if metric == "short" else sort))


class World:
    """Two arms whose units do something on some days.

    Args:
        chance: Where it comes from.
    """

    def __init__(self, chance: np.random.Generator) -> None:
        self.days = int(chance.integers(2, 5))
        self.units = int(chance.integers(20, 60))
        rates = chance.uniform(0.05, 0.5, self.days + 1)
        # Windows that end with the days leave nothing later; some events happen once to each.
        rates[-1] *= chance.random() < 0.5
        self.once, narrow = bool(chance.random() < 0.5), chance.uniform(0.2, 0.9)
        self.later = bool(rates[-1])
        # Seldom are there several of the same events.
        self.metrics = ["wide", *(each for each in ("narrow", "short") if chance.random() < 0.3)]
        self.arms: dict[str, list[Sort]] = {}
        for arm in ARMS:
            did = chance.random((self.units, self.days + 1)) < rates
            if self.once:
                did &= np.cumsum(did, axis=1) == 1
            what = np.where(chance.random(did.shape) < narrow, NARROW, OTHER) * did
            self.arms[arm] = [tuple(row) for row in what.tolist()]

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Results and days as they would be computed."""
        results = [
            {**dict.fromkeys(RESULTS), "experiment": "e", "metric": metric, "variant": arm, "units": self.units,
             "units_open": 0, "some": sum(counted(metric, sort) for sort in sorts), "alike": self.metrics,
             "opens": 0, "closes": (2 if metric == "short" else self.days + self.later) * DAY}
            for metric in self.metrics
            for arm, sorts in self.arms.items()
        ]  # fmt: skip
        days = [
            {**dict.fromkeys(DAYS), "experiment": "e", "metric": metric, "variant": arm, "since": since,
             "units": self.units, "some": sum(METRICS[metric](sort[since]) for sort in sorts)}
            for metric in self.metrics
            if metric != "short"
            for arm, sorts in self.arms.items()
            for since in range(self.days)
        ]  # fmt: skip
        return pl.DataFrame(results, schema=RESULTS | ALIKE), pl.DataFrame(days, schema=DAYS)


def groups(days: int) -> Iterator[tuple[str, Callable[[Sort], bool]]]:
    """What one would like to know of the units of an arm."""
    every = range(days + 1)
    for metric, these, those in product(
        ("wide", "narrow"), subsets(every, 1, 2), subsets(every, 0, days + 1)
    ):
        if not set(these) & set(those):
            name = f"{metric} on all of {these} and not on {those}"
            yield name, partial(on_days, METRICS[metric], these, those)
    for metric in ("wide", "narrow"):
        yield f"{metric} again", partial(again, METRICS[metric], every)
        yield f"{metric} again within two days", partial(again, METRICS[metric], range(2))
    for day in every:
        yield f"the wide one alone on {day}", partial(on_days, lambda what: what == OTHER, (day,), ())
    yield "the wide one alone", lambda sort: counted("wide", sort) and not counted("narrow", sort)
    yield "after two days alone", lambda sort: counted("wide", sort) and not counted("short", sort)


def subsets(days: Sequence[int], least: int, most: int) -> list[tuple[int, ...]]:
    return [each for size in range(least, most + 1) for each in combinations(days, size)]


def on_days(does: Callable[[int], bool], these: Sequence[int], those: Sequence[int], sort: Sort) -> bool:
    return all(does(sort[day]) for day in these) and not any(does(sort[day]) for day in those)


def again(does: Callable[[int], bool], days: Sequence[int], sort: Sort) -> bool:
    return sum(does(sort[day]) for day in days) > 1


def worked_out(world: World, arm: str, results: pl.DataFrame, days: pl.DataFrame) -> list[str]:
    """Groups of an arm of which somebody who knows these tables is sure that they are of 1 to k-1 units."""
    what = (NOTHING, OTHER, NARROW)
    sorts = [
        sort
        for sort in product(*[what] * world.days, what if world.later else (NOTHING,))
        if not world.once or sum(each != NOTHING for each in sort) < 2
    ]
    known, numbers = [[1.0] * len(sorts)], [world.units]
    for row in results.filter(~pl.col("suppressed"), variant=arm).iter_rows(named=True):
        known.append([float(counted(row["metric"], sort)) for sort in sorts])
        numbers.append(row["some"])
    for row in days.filter(variant=arm).iter_rows(named=True):
        known.append([float(METRICS[row["metric"]](sort[row["since"]])) for sort in sorts])
        numbers.append(row["some"])

    def least(wanted: Any) -> float:
        found: Any = linprog(wanted, A_eq=np.array(known), b_eq=np.array(numbers), method="highs")
        return float(found.fun)

    found = []
    for name, inside in groups(world.days):
        wanted = np.array([float(inside(sort)) for sort in sorts])
        if wanted.any() and np.ceil(least(wanted) - 1e-6) >= 1 and np.floor(1e-6 - least(-wanted)) < K:
            found.append(name)
    return found


def attacked(seed: int, worlds: int, *, guarded: bool) -> tuple[int, list[tuple[int, str]]]:
    """How many curves were told of chance worlds, and what of few was worked out from them."""
    chance, told, found = np.random.default_rng(seed), 0, []
    for number in range(worlds):
        world = World(chance)
        computed, days = world.tables()
        results, _ = shown_results(computed, pl.DataFrame(schema=HEALTH), K)
        if guarded:
            days = shown_days(days, results, K)
        told += days["metric"].n_unique()
        for arm in ARMS if days.height else ():
            found += [(number, group) for group in worked_out(world, arm, results, days)]
    return told, found


def test_nobody_works_out_few_units_from_days_and_all_other_numbers_of_their_arm() -> None:
    told, found = attacked(1, 60, guarded=True)
    assert found == []
    assert told > 10, "some curves are told"


def test_the_attack_works_out_few_units_where_all_days_are_told() -> None:
    _, found = attacked(1, 6, guarded=False)
    assert len(found) > 10
