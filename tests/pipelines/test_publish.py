"""Publishing, attacked: whoever has the published tables must not be able to work out a number of 1 to 9 people.

The attacker writes down everything that is known: what is shown, that channels add up to everybody, that the days of a
cohort add up to its week, that the sum over all weeks is known from elsewhere, that no number is negative. A linear
programme then finds the largest value each small hidden number could have. It must be 10 or more: then nothing says
that the number is small, let alone which it is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.optimize import linprog
from shop import Shop, track

from headway.engine import connect
from headway.errors import EngineError
from headway.frameworks.values import SCHEMA
from headway_pipelines.lake.promote import BASE_COLUMNS
from headway_pipelines.locking import workspace_lock
from headway_pipelines.noise import NOISE
from headway_pipelines.people.sessions import derive_sessions
from headway_pipelines.privacy.proof import scan
from headway_pipelines.publishing.publish import MIN_PEOPLE, publish, publish_explore, suppress
from headway_pipelines.publishing.views import views
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

K = MIN_PEOPLE
MONDAY = date(2026, 3, 2)
Key = tuple[str, date]
"""Segment and first day."""


# -- metric values -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """People by day and channel: how many, and how many of them did it.

    Attributes:
        people: ``[day, channel]``.
        part: ``[day, channel]``, at most as many.
        start: First day; weeks begin on its weekday.
        cohort: Whether each person counts on one day only. Otherwise a person may be active on several days of a
            week; then everybody of the busiest day is assumed to be the whole week.
    """

    people: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    start: date = MONDAY
    cohort: bool = True

    def cells(self, counts: npt.NDArray[np.int64]) -> dict[str, dict[Key, int]]:
        """The counts by period ("day", "week"), segment and first day."""
        days, channels = counts.shape
        out: dict[str, dict[Key, int]] = {"day": {}, "week": {}}
        for segment, by_day in [("all", counts.sum(axis=1))] + [
            (f"channel=c{c}", counts[:, c]) for c in range(channels)
        ]:
            for day in range(days):
                out["day"][segment, self.start + timedelta(day)] = int(by_day[day])
        for first in range(0, days, 7):
            block = counts[first : first + 7]
            week = block.sum(axis=0) if self.cohort else block.max(axis=0)
            for c in range(channels):
                out["week"][f"channel=c{c}", self.start + timedelta(first)] = int(week[c])
            out["week"]["all", self.start + timedelta(first)] = int(week.sum())
        return out

    def frame(self, *, method: str = "wilson", places: tuple[str, ...] = ("activation",)) -> pl.DataFrame:
        people, part = self.cells(self.people), self.cells(self.part)
        rows = [
            row(segment, period, day, n, part[period][segment, day], method=method) | {"stage": place}
            for place in places
            for period in ("day", "week")
            for (segment, day), n in people[period].items()
        ]
        return pl.DataFrame(rows, schema=SCHEMA).sort("metric", "stage", "segment", "period", "period_start")


def row(segment: str, period: str, day: date, people: int, part: float, *, method: str) -> dict[str, Any]:
    """A metric value as the internal database holds it."""
    known = people > 0
    return {
        "metric": "activation",
        "framework": "aarrr",
        "stage": "activation",
        "segment": segment,
        "period": period,
        "period_start": day,
        "value": part / people if known else None,
        "unit": "percent",
        "numerator": float(part),
        "denominator": float(people),
        "people": people,
        "contributors": part if method == "wilson" else people,
        "estimate": {"wilson": "proportion", "student t": "mean", "adjusted wald": "promoter_score"}[method],
        "period_end": day + timedelta(6 if period == "week" else 0),
        "low": 0.0 if known else None,
        "high": 1.0 if known else None,
        "interval_method": method if known else None,
        "complete": True,
        "suppressed": False,
        "reason": None if known else "no people in the denominator",
        "as_of": None,
        "definition_hash": "x",
        "code_version": "x",
    }


def shown(frame: pl.DataFrame, column: str) -> dict[str, dict[Key, float]]:
    """What a reader of the published rows sees."""
    out: dict[str, dict[Key, float]] = {"day": {}, "week": {}}
    # A period that is not over and has no value says why, and no number.
    for r in frame.filter(~pl.col("suppressed"), pl.col("people").is_not_null()).iter_rows(named=True):
        value = (r["denominator"] - r["numerator"]) if column == "rest" else r[column]
        out[r["period"]][r["segment"], r["period_start"]] = value
    return out


class Attacker:
    """Knows the sums and what is shown; asks how large a hidden number can be.

    Variables are the days of each label and, where people may count on several days, its weeks. The labels of each
    segment add up to everybody.
    """

    def __init__(
        self,
        known: Mapping[str, Mapping[Key, float]],
        truth: Mapping[str, Mapping[Key, int]],
        *,
        cohort: bool,
        total_known: bool,
        weeks_above_days: bool = True,
    ) -> None:
        self.days = sorted({d for _, d in truth["day"]})
        self.weeks = sorted({d for _, d in truth["week"]})
        self.channels = sorted({s for s, _ in truth["day"] if s != "all"})
        self.cohort = cohort
        count = len(self.days) * len(self.channels)
        self.width = count + (0 if cohort else len(self.weeks) * len(self.channels))
        equal: list[tuple[npt.NDArray[np.float64], float]] = list(self.segments_agree())
        at_most: list[tuple[npt.NDArray[np.float64], float]] = []
        for period, cells in known.items():
            for key, value in cells.items():
                equal.append((self.line(period, key), float(value)))
        if cohort and total_known:
            everybody = np.sum([self.line("week", ("all", week)) for week in self.weeks], axis=0)
            equal.append((everybody, sum(truth["week"]["all", week] for week in self.weeks)))
        if not cohort:
            for channel in self.channels:
                for week in self.weeks:
                    week_line = self.line("week", (channel, week))
                    mine = [
                        self.line("day", (channel, day)) for day in self.days if self.week_of(day) == week
                    ]
                    at_most += [(day_line - week_line, 0.0) for day_line in mine]
                    if weeks_above_days:
                        at_most.append((week_line - np.sum(mine, axis=0), 0.0))
        self.equal = (
            (np.array([a for a, _ in equal]), np.array([float(b) for _, b in equal])) if equal else None
        )
        self.at_most = (
            (np.array([a for a, _ in at_most]), np.array([b for _, b in at_most])) if at_most else None
        )

    def week_of(self, day: date) -> date:
        return max(week for week in self.weeks if week <= day)

    def segments_agree(self) -> Iterator[tuple[npt.NDArray[np.float64], float]]:
        """Everybody is the same people, whatever they are divided by."""
        dimensions = sorted({channel.split("=")[0] for channel in self.channels})
        cells = [("day", day) for day in self.days]
        cells += [] if self.cohort else [("week", week) for week in self.weeks]
        for period, first in cells:
            one, *others = (self.line(period, (f"{name}=*", first)) for name in dimensions)
            yield from ((one - other, 0.0) for other in others)

    def line(self, period: str, key: Key) -> npt.NDArray[np.float64]:
        """The sum of variables that a cell is; ``channel=*`` is everybody, by channel."""
        segment, first = key
        if segment == "all":
            segment = f"{self.channels[0].split('=')[0]}=*"
        out = np.zeros(self.width)
        for c, channel in enumerate(self.channels):
            if segment not in (channel, f"{channel.split('=')[0]}=*"):
                continue
            if period == "week" and not self.cohort:
                out[
                    len(self.days) * len(self.channels) + self.weeks.index(first) * len(self.channels) + c
                ] = 1
                continue
            for d, day in enumerate(self.days):
                if day == first if period == "day" else self.week_of(day) == first:
                    out[d * len(self.channels) + c] = 1
        return out

    def most(self, period: str, key: Key) -> float:
        """The largest value the cell can have."""
        matrix, right = self.at_most or (None, None)
        lines, sums = self.equal or (None, None)
        found = linprog(
            -self.line(period, key),
            A_ub=matrix,
            b_ub=right,
            A_eq=lines,
            b_eq=sums,
            method="highs",
        )
        if found.status == 3:  # without a bound
            return float("inf")
        assert found.status == 0, found.message
        assert found.fun is not None
        return -float(found.fun)


def recovered(world: World, frame: pl.DataFrame, *, most: int | None = None) -> list[tuple[str, str, Key]]:
    """The small numbers that the published rows give away: people, parts and remainders of shares."""
    given_away = []
    for quantity, column, counts in (
        ("people", "people", world.people),
        ("part", "numerator", world.part),
        ("rest", "rest", world.people - world.part),
    ):
        truth = world.cells(counts)
        if quantity == "rest" and not world.cohort:
            continue  # a difference of two numbers that are bounded separately
        known = shown(frame, column)
        attacker = Attacker(
            known,
            truth,
            cohort=world.cohort,
            total_known=quantity == "people",
            weeks_above_days=quantity == "people",
        )
        small = [(p, key) for p in truth for key, n in truth[p].items() if 1 <= n < K]
        assert not [key for p, key in small if key in known[p]], "a small number is shown"
        for period, key in small[:: max(1, len(small) // (most or len(small) or 1))]:
            if attacker.most(period, key) < K - 1e-6:
                given_away.append((quantity, period, key))
    return given_away


def random_world(seed: int, *, cohort: bool) -> World:
    rng = np.random.default_rng(seed)
    days, channels = 14, int(rng.integers(1, 5))
    scale = rng.choice([1, 6, 20, 60], size=channels) * rng.choice([0, 1, 1, 3], size=(days, 1))
    people = rng.poisson(scale)
    part = rng.binomial(people, rng.choice([0.02, 0.3, 0.9, 1.0], size=channels))
    return World(people, part, start=MONDAY + timedelta(int(rng.integers(0, 7))), cohort=cohort)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cohort", [True, False], ids=["cohort", "active"])
def test_no_small_number_can_be_worked_out(seed: int, cohort: bool) -> None:
    world = random_world(seed, cohort=cohort)
    assert recovered(world, suppress("metric_values", world.frame()), most=12) == []


def test_the_attack_finds_what_hiding_small_cells_alone_gives_away() -> None:
    """The attacker's own test: without complementary suppression nearly everything can be worked out."""
    world = random_world(3, cohort=True)
    frame = world.frame()
    small = (
        pl.col("people").is_between(1, K - 1)
        | pl.col("numerator").is_between(1, K - 1)
        | (pl.col("denominator") - pl.col("numerator")).is_between(1, K - 1)
    )
    assert recovered(world, frame.with_columns(suppressed=small), most=12)


def one_week(*days: tuple[int, ...], start: date = MONDAY) -> World:
    """Everybody did it, so that only the numbers of people matter."""
    people = np.array([*days, *([(0,) * len(days[0])] * (7 - len(days)))])
    return World(people, people.copy(), start=start)


def hidden(frame: pl.DataFrame) -> set[tuple[str, str, int]]:
    rows = frame.filter("suppressed").select("period", "segment", "period_start")
    first = frame["period_start"].min()
    assert isinstance(first, date)
    return {(p, s.removeprefix("channel="), (d - first).days) for p, s, d in rows.iter_rows()}


def test_by_hand_a_small_channel_hides_the_next_smallest_with_it() -> None:
    # 3 + 40 + 50 = 93 in the week, all on one day: 93 - 50 = 43 is all that is left to know
    frame = suppress("metric_values", one_week((3, 40, 50)).frame())
    weeks = {cell for cell in hidden(frame) if cell[0] == "week"}
    assert weeks == {("week", "c0", 0), ("week", "c1", 0)}
    # day by day the same two channels, for the whole week; everybody's day is shown
    days = {cell for cell in hidden(frame) if cell[0] == "day"}
    assert days == {("day", c, d) for c in ("c0", "c1") for d in range(7)}


def test_by_hand_two_small_channels_hide_a_third_when_their_sum_is_small() -> None:
    # 3 + 4 = 7 would follow from the total: the next one joins them, 3 + 4 + 40
    frame = suppress("metric_values", one_week((3, 4, 40, 50)).frame())
    assert {c for p, c, _ in hidden(frame) if p == "week"} == {"c0", "c1", "c2"}
    # 6 + 7 = 13 is no small number, and either could be 13
    frame = suppress("metric_values", one_week((6, 7, 40, 50)).frame())
    assert {c for p, c, _ in hidden(frame) if p == "week"} == {"c0", "c1"}


def test_by_hand_a_small_day_hides_the_next_smallest_of_its_week() -> None:
    frame = suppress("metric_values", one_week((4,), (30,), (20,), (50,)).frame())
    # with one channel, its days are everybody's days; zeros come last
    assert {d for p, c, d in hidden(frame) if (p, c) == ("day", "all")} == {0, 2}
    assert ("week", "all", 0) not in hidden(frame)


def test_by_hand_a_small_week_hides_the_next_smallest_week() -> None:
    people = np.zeros((21, 1), np.int64)
    people[[0, 7, 14], 0] = (5, 80, 30)
    frame = suppress("metric_values", World(people, people.copy()).frame())
    assert {d for p, c, d in hidden(frame) if (p, c) == ("week", "all")} == {0, 14}


def test_by_hand_weeks_start_on_the_product_s_day() -> None:
    # from a Sunday on: Sunday 4, Monday 30, ... Saturday 20 are one week; by Mondays the Sunday would stand alone
    days = [(4,), (30,), (31,), (32,), (33,), (34,), (20,)]
    sunday = MONDAY - timedelta(1)
    frame = suppress("metric_values", one_week(*days, start=sunday).frame())
    assert {d for p, c, d in hidden(frame) if (p, c) == ("day", "all")} == {0, 6}


def test_by_hand_small_numerators_and_remainders_hide_too() -> None:
    people = np.array([[50, 60, 70]] + [[0] * 3] * 6)
    part = np.array([[3, 30, 35]] + [[0] * 3] * 6)
    frame = suppress("metric_values", World(people, part).frame())
    assert {c for p, c, _ in hidden(frame) if p == "week"} == {"c0", "c1"}
    frame = suppress("metric_values", World(people, people - part).frame())
    assert {c for p, c, _ in hidden(frame) if p == "week"} == {"c0", "c1"}


def test_a_metric_in_several_places_is_hidden_alike() -> None:
    world = random_world(1, cohort=True)
    frame = suppress("metric_values", world.frame(places=("activation", "retention")))
    by_place = frame.partition_by("stage", as_dict=True)
    assert len(by_place) == 2
    one, other = (f.drop("stage") for f in by_place.values())
    assert one.equals(other)
    assert one.equals(suppress("metric_values", world.frame()).drop("stage"))


def test_small_and_other_hidden_cells_say_the_same() -> None:
    frame = suppress("metric_values", one_week((3, 40, 50)).frame())
    assert frame.filter("suppressed")["reason"].unique().to_list() == [
        "fewer than 10 people, or would reveal so few"
    ]
    emptied = frame.filter("suppressed").select("value", "numerator", "denominator", "people", "low", "high")
    assert emptied.null_count().row(0) == (emptied.height,) * 6


def test_nothing_is_hidden_without_a_small_number() -> None:
    frame = one_week((30, 40, 50), (0, 20, 10), (12, 12, 12)).frame()
    published = suppress("metric_values", frame)
    assert published.equals(frame.drop("contributors", "effective", "estimate", "components"))


def test_a_sum_of_few_contributors_is_hidden_however_many_share_the_mean() -> None:
    # 100 people, EUR 50 each from so many of them: with 9 payers the mean would speak of 9 people.
    def published(payers: int) -> dict[str, Any]:
        half = 1.984217 * np.std([50.0] * payers + [0.0] * (100 - payers), ddof=1) / 10
        cell = row("all", "week", MONDAY, 100, 50.0 * payers, method="student t")
        cell |= {
            "value": payers / 2,
            "low": payers / 2 - half,
            "high": payers / 2 + half,
            "contributors": payers,
            "effective": float(payers),
        }
        return suppress("metric_values", pl.DataFrame([cell], schema=SCHEMA)).row(0, named=True)

    assert published(9)["suppressed"] and published(9)["value"] is None
    assert not published(10)["suppressed"] and published(10)["value"] == 5.0
    assert "contributors" not in published(10)


def test_sums_that_rest_on_one_person_are_hidden() -> None:
    def mean(amounts: list[float]) -> dict[str, Any]:
        total, squares = sum(amounts), sum(amount**2 for amount in amounts)
        cell = row("all", "week", MONDAY, 100, total, method="student t")
        return cell | {
            "contributors": 20 if total else 0,
            "effective": total**2 / squares if squares else None,
        }

    def published(amounts: list[float]) -> bool:
        cell = pl.DataFrame([mean(amounts)], schema=SCHEMA)
        return not suppress("metric_values", cell)["suppressed"][0]

    assert not published([49.0])
    assert not published([*[49.0] * 20, 2000.0])
    assert published([49.0] * 20)
    assert published([])


def test_a_quantile_beyond_which_few_people_lie_is_hidden() -> None:
    def hidden_with(beyond: int, estimate: str | None = "quantile") -> bool:
        cell = row("all", "week", MONDAY, 100, 100.0, method="student t")
        cell |= {"numerator": None, "contributors": beyond, "estimate": estimate}
        return bool(suppress("metric_values", pl.DataFrame([cell], schema=SCHEMA))["suppressed"][0])

    assert hidden_with(9) and not hidden_with(10)
    # Of what nobody knows what it is, nothing is shown.
    assert hidden_with(100, None)


def test_scores_do_not_give_their_promoters_away() -> None:
    from headway.statistics.estimates import SufficientStatistics, estimate

    def published(promoters: int, passives: int, detractors: int) -> dict[str, Any]:
        n, total = promoters + passives + detractors, promoters - detractors
        result = estimate("promoter_score", SufficientStatistics.of([n], [total], [promoters + detractors]))
        cell = row("all", "week", MONDAY, n, total, method="adjusted wald") | {
            "value": float(result.value[0]),
            "low": float(result.low[0]),
            "high": float(result.high[0]),
        }
        return suppress("metric_values", pl.DataFrame([cell], schema=SCHEMA)).row(0, named=True)

    # 20 - 3 = 17 of 33 answers: the score stays, its interval would say that 3 people are unhappy
    narrowed = published(20, 10, 3)
    assert (narrowed["suppressed"], narrowed["numerator"], narrowed["low"], narrowed["high"]) == (
        False,
        17,
        None,
        None,
    )
    assert published(20, 13, 10)["low"] is not None
    assert published(0, 0, 20)["low"] is not None
    # 19 of 20 answers more promoters than detractors: the twentieth can only be a passive
    assert published(19, 1, 0)["suppressed"]


# -- funnels, retention, active people ----------------------------------------------------------------------------


def funnel(*people: int) -> pl.DataFrame:
    before = [people[0], *people[:-1]]
    return pl.DataFrame(
        {
            "funnel": "f",
            "title": "F",
            "within": "7d",
            "step": list(range(1, len(people) + 1)),
            "event": [f"E{i}" for i in range(len(people))],
            "people": list(people),
            "from_first": [p / people[0] for p in people],
            "from_previous": [p / b if b else None for p, b in zip(people, before, strict=True)],
            "low": [0.0] * len(people),
            "high": [1.0] * len(people),
            "dropped": [b - p for p, b in zip(people, before, strict=True)],
            "seconds_mean": [1.0] * len(people),
            "seconds_median": [1.0] * len(people),
            "seconds_p90": [1.0] * len(people),
        }
    )


@pytest.mark.parametrize(
    ("people", "shown_people"),
    [
        ((100, 60, 30), (100, 60, 30)),
        ((100, 60, 5), (100, 60, None)),  # a small step
        ((100, 95, 60), (100, None, 60)),  # 5 were lost
        ((100, 96, 92, 60), (100, None, None, 60)),  # 8 were lost in two steps
        ((100, 95, 88, 60), (100, None, 88, 60)),  # 12 were lost in two steps: either could be all of them
        ((100, 100, 60), (100, 100, 60)),  # nobody was lost
        ((100, 95, 95, 95), (100, None, None, None)),
        ((8, 8, 0), (None, None, 0)),
    ],
)
def test_by_hand_funnels_never_show_a_small_loss(
    people: tuple[int, ...], shown_people: tuple[int | None, ...]
) -> None:
    published = suppress("funnel_steps", funnel(*people))
    assert tuple(published["people"]) == shown_people
    visible = [p for p in published["people"] if p is not None]
    assert all(a - b == 0 or a - b >= K for a, b in pairwise(visible))
    for this, before in zip(
        published.iter_rows(named=True), (None, *published.iter_rows(named=True)), strict=False
    ):
        reachable = before is not None and before["suppressed"]
        if this["suppressed"] or reachable:
            assert this["dropped"] is None and this["from_previous"] is None
        if this["suppressed"]:
            assert this["from_first"] is None and this["low"] is None and this["seconds_mean"] is None


def test_quantiles_are_shown_where_enough_people_lie_beyond_them() -> None:
    published = suppress("funnel_steps", funnel(1000, 100, 99 - 20, 20, 10 - 10))
    assert [q is not None for q in published["seconds_p90"]] == [True, True, False, False, False]
    assert [q is not None for q in published["seconds_median"]] == [True, True, True, True, False]


def triangle(cohorts: Mapping[date, tuple[int, ...]]) -> pl.DataFrame:
    """Cohort start -> people in period 0, 1, ...; period 0 is the cohort."""
    rows = [
        (start, people[0], period, n) for start, people in cohorts.items() for period, n in enumerate(people)
    ]
    return pl.DataFrame(
        {
            "retention": ["r"] * len(rows),
            "title": ["R"] * len(rows),
            "period_unit": ["week"] * len(rows),
            "cohort_start": [r[0] for r in rows],
            "cohort_people": [r[1] for r in rows],
            "period": [r[2] for r in rows],
            "people": [r[3] for r in rows],
            "rate": [r[3] / r[1] if r[1] else None for r in rows],
            "low": [0.0] * len(rows),
            "high": [1.0] * len(rows),
            "complete": [True] * len(rows),
        }
    )


def test_by_hand_retention_hides_small_cells_complements_and_cohorts() -> None:
    weeks = [MONDAY + timedelta(7 * i) for i in range(4)]
    table = triangle(
        {
            weeks[0]: (100, 40, 5, 0),  # 5 came back
            weeks[1]: (50, 44, 50),  # all but 6 came back
            weeks[2]: (7, 3),  # a small cohort
            weeks[3]: (200,),
        }
    )
    published = suppress("retention_cells", table)
    cells = {
        (weeks.index(r["cohort_start"]), r["period"]): (r["cohort_people"], r["people"])
        for r in published.iter_rows(named=True)
    }
    assert cells == {
        (0, 0): (100, 100),
        (0, 1): (100, 40),
        (0, 2): (100, None),
        (0, 3): (100, 0),
        # the next smallest cohort: the sum of all cohorts may be known from a funnel
        (1, 0): (None, None),
        (1, 1): (None, None),
        (1, 2): (None, None),
        (2, 0): (None, None),
        (2, 1): (None, None),
        (3, 0): (200, 200),
    }
    hidden_rates = published.filter(pl.col("people").is_null())
    assert hidden_rates.select("rate", "low", "high").null_count().row(0) == (hidden_rates.height,) * 3
    assert hidden_rates["suppressed"].all()


def test_retention_and_metric_values_hide_the_same_weeks() -> None:
    """Both count the people who start in a week; a week hidden in one and shown in the other would be no use."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        sizes = rng.choice([0, 3, 8, 12, 12, 30, 200], size=6)
        people = np.zeros((42, 1), np.int64)
        people[::7, 0] = sizes
        values = suppress("metric_values", World(people, people.copy()).frame())
        weeks = values.filter(period="week", segment="all").filter("suppressed")["period_start"].to_list()
        starts = {MONDAY + timedelta(7 * i): (int(n),) for i, n in enumerate(sizes)}
        cohorts = suppress("retention_cells", triangle(starts)).filter("suppressed")["cohort_start"].to_list()
        assert sorted(weeks) == sorted(cohorts)


def test_by_hand_active_people_show_no_small_difference_of_nested_windows() -> None:
    def cells(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "period_start": [MONDAY + timedelta(d) for d, _, _ in rows],
                "window_days": [w for _, w, _ in rows],
                "value": [v for _, _, v in rows],
                "complete": [True] * len(rows),
            }
        )

    first_days = [(0, 1, 20), (0, 7, 20), (1, 1, 15), (1, 7, 24), (2, 1, 30), (2, 7, 50)]
    published = suppress("active_people", cells(first_days))
    # nothing has left the window of seven days yet: 24 - 20 = 4 people are new on the second day, and 24 - 15 = 9
    # were active on the first day only
    assert published["value"].to_list() == [None, 20, None, None, 30, 50]
    later = [(d, w, v) for d in range(9) for w, v in ((1, 50), (7, 100))] + [(9, 1, 95), (9, 7, 100)]
    published = suppress("active_people", cells(later))
    # 5 people of the last week were not active on its last day: metrics may show either, so both are hidden
    assert published.filter("suppressed").select("period_start", "window_days").rows() == [
        (MONDAY + timedelta(9), 1),
        (MONDAY + timedelta(9), 7),
    ]
    assert suppress("active_people", cells([(0, 1, 9), (0, 7, 9)]))["value"].to_list() == [None, None]


# -- the file -----------------------------------------------------------------------------------------------------


def published_shop(shop: Shop) -> None:
    calls = [track("Page Viewed", 60 * i, device=f"d{i}", url="https://shop.example.com/") for i in range(40)]
    calls += [track("Signed Up", 60 * i + 1, user=f"u{i}", device=f"d{i}") for i in range(0, 40, 2)]
    calls += [track("Order Completed", 60 * i + 2, user=f"u{i}", amount=9) for i in range(0, 40, 3)]
    shop.land("a.json", calls)
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
        publish(shop.workspace)
        publish_explore(shop.workspace, ledger)


PUBLISHED = {
    "activation_correlates",
    "active_people",
    "dropped_values",
    "funnel_steps",
    "insight_feed",
    "left_out",
    "line_outcomes",
    "metric_anomalies",
    "metric_catalogue",
    "metric_changes",
    "metric_effects",
    "metric_exclusions",
    "metric_values",
    "retention_cells",
    "run_info",
    "side_inputs",
    "step_changes",
}


def test_the_published_file_holds_these_tables_and_every_one_is_documented(shop: Shop) -> None:
    published_shop(shop)
    con = connect(shop.workspace.published_db, read_only=True)
    try:
        tables = dict(con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
        columns = con.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
        )
        undocumented = [(t, c) for t, c, comment in columns.fetchall() if not comment]
        others = con.execute(
            "SELECT count(*) FROM (SELECT function_name FROM duckdb_functions() WHERE NOT internal UNION ALL "
            "SELECT index_name FROM duckdb_indexes() UNION ALL SELECT sequence_name FROM duckdb_sequences())"
        ).fetchall()
        found = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        catalogue = con.table("metric_catalogue").pl()
    finally:
        con.close()
    assert set(tables) == PUBLISHED
    assert {name for (name,) in found} == set(views(catalogue))
    assert all(tables.values())
    assert undocumented == []
    assert others == [(0,)]


def test_properties_are_documented_as_such_whatever_they_are_called(shop: Shop) -> None:
    names = ("seconds", "people", "value")
    properties = "".join(f"      {name}: {{class: integer, min: 0, max: 9}}\n" for name in names)
    shop = Shop(
        shop.root, plan=shop.plan.replace(opening := "  Signed Up:\n    properties:\n", opening + properties)
    )
    published_shop(shop)
    con = connect(shop.workspace.explore_db, read_only=True)
    try:
        comments = con.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() "
            "WHERE table_name IN ('events', 'all_events', 'sessions')"
        ).fetchall()
    finally:
        con.close()
    told = {(table, column): comment for table, column, comment in comments}
    for table in ("events", "all_events"):
        declared = {
            column for t, column in told if told[t, column] == "Property declared in the tracking plan."
        }
        assert {*names, "amount"} <= declared
        assert not declared & {"person", *BASE_COLUMNS}
        assert {column for t, column in told if t == table} == declared | {"person", *BASE_COLUMNS} - {
            "batch"
        }
    assert told["sessions", "seconds"] == "Time from the first event to the last, seconds."


def test_published_cells_are_the_suppressed_ones_and_no_other(shop: Shop) -> None:
    published_shop(shop)
    inside, outside = tables_of(shop.workspace.metrics_db), tables_of(shop.workspace.published_db)
    for name in ("metric_values", "funnel_steps", "retention_cells", "active_people"):
        expected = suppress(name, inside[name])
        over = pl.col("complete") if "complete" in expected.columns else pl.lit(True)
        assert (
            outside[name].filter(over).drop("held_since", *NOISE, strict=False).equals(expected.filter(over))
        ), name
        # What is not complete yet is told when it is: it would stay as it was told.
        unfinished = outside[name].filter(~over)
        assert unfinished["suppressed"].all() or unfinished["value"].drop_nulls().eq(0).all(), name
    assert outside["metric_values"]["suppressed"].any()
    assert "rejected_lines" not in outside


def test_only_the_published_file_can_be_read_by_others(shop: Shop) -> None:
    before = os.umask(0o022)
    try:
        with workspace_lock(shop.workspace):
            published_shop(shop)
        after = os.umask(0o022)
    finally:
        os.umask(before)
    assert after == 0o022
    made = [p for name in ("warehouse", "state", "published") for p in (shop.root / name).rglob("*")]
    open_to_others = {p.relative_to(shop.root).as_posix() for p in made if p.stat().st_mode & 0o077}
    assert open_to_others == {"published/analytics.duckdb"}
    assert stat.S_IMODE(shop.workspace.published_db.stat().st_mode) == 0o644
    assert stat.S_IMODE(shop.workspace.published_db.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(shop.workspace.warehouse.stat().st_mode) == 0o700


def test_readers_keep_the_old_file_while_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "published" / "a.duckdb"
    replace_database(path, {"t": pl.DataFrame({"a": [1]})})
    reader = connect(path, read_only=True)
    try:
        replace_database(path, {"t": pl.DataFrame({"a": [2]})})
        assert reader.execute("SELECT a FROM t").fetchall() == [(1,)]
    finally:
        reader.close()
    assert tables_of(path)["t"]["a"].to_list() == [2]
    assert [p.name for p in path.parent.iterdir()] == ["a.duckdb"]


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    replace_database(path, {"t": pl.DataFrame({"a": [1]})})
    before = path.read_bytes()
    with pytest.raises(EngineError, match=r"could not write a\.duckdb"):
        replace_database(path, {"t": pl.DataFrame({"a": [2]})}, views={"v": "SELECT nothing FROM nowhere"})
    with pytest.raises(KeyError, match="comment"):
        replace_database(path, {"metric_values": pl.DataFrame({"surprise": [2]})}, comments=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.duckdb"]


def test_replaced_cells_are_not_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    replace_database(path, {"t": pl.DataFrame({"a": ["grizelda-quux"] * 5000})})
    assert scan([path], ["grizelda-quux"])
    replace_database(path, {"t": pl.DataFrame({"a": ["x"]})})
    assert scan([path], ["grizelda-quux"]) == []


# -- the demo, attacked -------------------------------------------------------------------------------------------


class DemoWorkspace(Protocol):
    """The shared demo of the tests."""

    root: Path


@pytest.fixture(scope="session")
def demo(demo_workspace: DemoWorkspace) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """The demo's tables before suppression, and as published."""
    workspace = Workspace(demo_workspace.root)
    return tables_of(workspace.metrics_db), tables_of(workspace.published_db)


Demo = tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]

#: Metrics in which a person counts in one day and one week only: their days add up to their weeks.
COHORTS = ("new_people", "sign_up_rate", "activation", "learner_week1", "first_enrolment")


@pytest.mark.parametrize("metric", [*COHORTS, "payers", "inviters", "tickets", "lessons_per_learner"])
def test_no_small_number_of_the_demo_can_be_worked_out(demo: Demo, metric: str) -> None:
    inside, outside = (
        tables["metric_values"]
        .filter(metric=metric)
        .unique(["segment", "period", "period_start"], keep="first")
        for tables in demo
    )
    share = "wilson" in inside["interval_method"]
    columns = {"people": "people"} | ({"part": "numerator"} if share else {})
    columns |= {"rest": "rest"} if share and metric in COHORTS else {}
    attacked = 0
    for quantity, column in columns.items():
        truth = shown(inside, column)
        counts = {p: {key: round(n) for key, n in cells.items()} for p, cells in truth.items()}
        known = shown(outside, column)
        attacker = Attacker(
            known,
            counts,
            cohort=metric in COHORTS,
            total_known=quantity == "people",
            weeks_above_days=quantity == "people",
        )
        small = sorted((p, key) for p in counts for key, n in counts[p].items() if 1 <= n < K)
        assert not [key for p, key in small if key in known[p]], "a small number is shown"
        for period, key in small[:: max(1, len(small) // 8)]:
            assert attacker.most(period, key) >= K - 1e-6, (quantity, period, key)
            attacked += 1
    assert attacked


def test_the_demo_s_other_tables_show_no_small_number(demo: Demo) -> None:
    _, outside = demo
    for funnel in outside["funnel_steps"].partition_by("funnel"):
        visible = funnel.sort("step")["people"].drop_nulls().to_list()
        assert all(a - b == 0 or a - b >= K for a, b in pairwise([*visible, 0]))
        assert not funnel["dropped"].is_between(1, K - 1).any()
    cells = outside["retention_cells"]
    for number in (cells["cohort_people"], cells["people"], cells["cohort_people"] - cells["people"]):
        assert not number.is_between(1, K - 1).any()
    assert not outside["active_people"]["value"].is_between(1, K - 1).any()
    values = outside["metric_values"]
    assert not values["people"].is_between(1, K - 1).any()
    hidden_cells = values.filter("suppressed").select(
        "value", "numerator", "denominator", "people", "low", "high"
    )
    assert hidden_cells.null_count().row(0) == (hidden_cells.height,) * 6


def test_the_demo_keeps_what_can_be_shown(demo: Demo) -> None:
    """Suppression must not be so eager that nothing is left to read."""
    inside, outside = (t["metric_values"].filter(period="week", segment="all") for t in demo)
    fine = (inside["people"] >= K) & (
        (inside["interval_method"] != "wilson")
        | ((inside["numerator"] >= K) & (inside["denominator"] - inside["numerator"] >= K))
    )
    # Few sessions that crash, and parts of one whole of which one is small, are hidden for a reason.
    counted = inside["estimate"].is_in(["ratio"])
    fine &= ~(counted & (inside["denominator"] - inside["numerator"]).is_between(1, K - 1))
    fine &= ~inside["metric"].str.contains("^people_|^uploads_|^churn$|^quick_ratio$")
    # A sum of few, and the far end of what few waited for, are few people's; weights tell of the smallest channel.
    fine &= (inside["contributors"] >= K) & (inside["effective"].is_null() | (inside["effective"] >= K))
    fine &= inside["estimate"] != "weighted"
    # What is not complete yet is told when it is.
    fine &= inside["complete"]
    kept = outside.filter(fine.fill_null(False))
    assert kept.height > 20
    assert kept["suppressed"].mean() == pytest.approx(0, abs=0.05)


def test_how_often_a_value_was_dropped_is_hidden_where_it_was_seldom(shop: Shop) -> None:
    calls = [track("Order Completed", i, user="u1", amount=5, email="ada@example.com") for i in range(3)]
    often = [track("Page Viewed", i, user=f"u{i}", title="Home") for i in range(12)]
    shop.land("a.json", [*calls, *often])
    shop.load()
    with shop.ledger() as ledger:
        derive_sessions(shop.workspace, ledger)
        compute(shop.workspace, ledger)
    publish(shop.workspace)
    dropped = tables_of(shop.workspace.published_db)["dropped_values"]
    rows = dropped.select("event", "property", "reason", "n_values").rows()
    assert {(event, name): n for event, name, _, n in rows} == {
        ("Order Completed", "email"): None,
        ("Page Viewed", "title"): 12,
    }


def test_how_many_lines_came_to_something_is_hidden_where_they_were_few(shop: Shop) -> None:
    calls = [track("Page Viewed", i, user=f"u{i}") for i in range(12)]
    strange = [track("Account Deleted", i, user="u1") for i in range(3)]
    shop.land("a.json", [*calls, *strange, *([""] * 10)])
    shop.load()
    with shop.ledger() as ledger:
        derive_sessions(shop.workspace, ledger)
        compute(shop.workspace, ledger)
    publish(shop.workspace)
    lines = {
        path: dict(tables_of(path)["line_outcomes"].select("outcome", "lines").rows())
        for path in (shop.workspace.published_db, shop.workspace.metrics_db)
    }
    assert lines == {
        shop.workspace.published_db: {"event": 12, "blank": 10, "undeclared event": None},
        shop.workspace.metrics_db: {"event": 12, "blank": 10, "undeclared event": 3},
    }
