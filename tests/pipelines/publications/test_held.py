"""Publications, attacked together: who keeps an old one must not learn of a difference of 1 to 9 people.

The attacker writes down both publications, that channels add up to everybody and days to weeks in each, and asks by
how much a number may have changed. Where it truly changed by 1 to 9 people, the answer must leave room for 10 or more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.optimize import linprog
from test_publish import MONDAY, Attacker, K, World, funnel, one_week, row, shown, triangle

from headway.frameworks.values import SCHEMA
from headway_pipelines.publications import PublicationLedger, hold_back
from headway_pipelines.publications.held import as_released
from headway_pipelines.publishing.suppression import suppress

Ints = npt.NDArray[np.int64]
FIRST = datetime(2026, 4, 1)


class Publisher:
    """Publishes one table after the other, a day apart."""

    def __init__(self, folder: Path) -> None:
        self.ledger = PublicationLedger(folder / "publications")
        self.at = FIRST
        self.hide: Callable[..., pl.DataFrame] = suppress
        self.show: Callable[[str, pl.DataFrame], pl.DataFrame] = suppress

    def publish(self, name: str, computed: pl.DataFrame, *, basis: str = "") -> pl.DataFrame:
        if name == "metric_values":
            computed = computed.with_columns(as_of=pl.lit(self.at, dtype=pl.Datetime("us")))
        made = hold_back(
            self.ledger,
            {name: self.show(name, computed)},
            {name: computed},
            hide=self.hide,
            min_people=K,
            basis=basis,
            at=self.at,
        )
        self.ledger.append(self.at, made.released)
        self.at += timedelta(days=1)
        return made.tables[name]

    def values(self, *cells: Mapping[str, Any], basis: str = "") -> pl.DataFrame:
        return self.publish("metric_values", pl.DataFrame(list(cells), schema=SCHEMA), basis=basis)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def count(people: int, *, day: date = MONDAY, segment: str = "all", **other: Any) -> dict[str, Any]:
    cell = row(segment, "week", day, people, float(people), method="wilson")
    return cell | {"estimate": "count", "denominator": None, "low": None, "high": None} | other


def only(frame: pl.DataFrame) -> dict[str, Any]:
    return frame.row(0, named=True)


# -- metric values -------------------------------------------------------------------------------------------------


def test_by_hand_a_number_stays_until_ten_people_changed_it(publisher: Publisher) -> None:
    told = [only(publisher.values(count(people))) for people in (100, 104, 109, 110, 101, 110, 95)]
    assert [cell["people"] for cell in told] == [100, 100, 100, 110, 110, 110, None]
    assert [cell["numerator"] for cell in told] == [100, 100, 100, 110, 110, 110, None]
    held_since = [cell["held_since"] and (cell["held_since"] - FIRST).days for cell in told]
    # 101 is near 110, 95 near the 100 of the first publication: with 110 it would be wrong by 15.
    assert held_since == [None, 0, 0, None, 3, None, None]
    assert told[1]["reason"] == "as published before: fewer than 10 people changed it"
    assert told[1]["as_of"] == FIRST


def test_by_hand_a_number_that_changed_much_is_hidden_where_it_may_not_be_told(publisher: Publisher) -> None:
    publisher.values(count(100))
    publisher.values(count(115))
    # 8 more than at first: 15 fewer than was told last, so that staying would be wrong by more than 9.
    cell = only(publisher.values(count(92)))
    assert cell["suppressed"] and cell["value"] is None and cell["people"] is None
    assert (
        cell["reason"] == "changed since it was published, in a way that would tell of fewer than 10 people"
    )


def amount(total: float, *, low: float, high: float, **other: Any) -> dict[str, Any]:
    cell = row("all", "week", MONDAY, 50, total, method="student t")
    return cell | {"estimate": "total", "effective": 40.0, "low": low, "high": high, "value": total} | other


def test_by_hand_one_person_s_amount_is_not_told_by_a_difference(publisher: Publisher) -> None:
    assert only(publisher.values(amount(1000, low=900, high=1100)))["value"] == 1000
    # The same 50 people gave 40 more: somebody did.
    later = only(publisher.values(amount(1040, low=940, high=1140)))
    assert (later["value"], later["numerator"], later["low"]) == (1000, 1000, 900)
    # What is beyond the interval that was told would mislead.
    assert only(publisher.values(amount(1200, low=1100, high=1300)))["suppressed"]
    # Exchange rates that change move everybody's amounts, and so does other code or another question.
    assert only(publisher.values(amount(1050, low=950, high=1150), basis="new rates"))["value"] == 1050


def test_by_hand_a_running_total_stays_as_other_numbers_do(publisher: Publisher) -> None:
    def total(people: int) -> dict[str, Any]:
        more = {"estimate": "running", "numerator": None, "contributors": people, "value": float(people)}
        return count(people) | more

    # Which points of it may be shown is another question (running totals): here all of them are.
    publisher.show = lambda _, frame: frame.drop("contributors", "effective", "estimate", "components")
    told = [only(publisher.values(total(people)))["value"] for people in (100, 103, 115)]
    assert told == [100, 100, 115]


def test_a_new_question_is_told_of_enough_people_and_never_answered_with_an_old_number(
    publisher: Publisher,
) -> None:
    publisher.values(count(100))
    assert only(publisher.values(count(103, definition_hash="y")))["suppressed"]
    assert only(publisher.values(count(120, definition_hash="y")))["people"] == 120


def test_by_hand_a_small_change_takes_another_one_along(publisher: Publisher) -> None:
    def cells(a: int, b: int, c: int) -> list[dict[str, Any]]:
        labels = {"channel=a": a, "channel=b": b, "channel=c": c}
        return [count(a + b + c), *(count(n, segment=segment) for segment, n in labels.items())]

    publisher.values(*cells(40, 50, 60))
    told = publisher.values(*cells(43, 70, 85))
    # 48 more in all: with b and c told, the 3 of a would be what is left.
    assert dict(told.select("segment", "people").iter_rows()) == {
        "all": 198, "channel=a": 40, "channel=b": None, "channel=c": 85,
    }  # fmt: skip
    assert told.filter(segment="channel=a")["held_since"].to_list() == [FIRST]


def test_what_is_not_complete_is_told_of_many_people_only(publisher: Publisher) -> None:
    cells = [
        count(100, complete=False),
        count(99, complete=False, metric="fewer"),
        count(100, complete=False, metric="some", segment="channel=a"),
        amount(1000, low=900, high=1100, complete=False, metric="sum", people=500),
        count(12, metric="over"),
    ]
    told = publisher.values(*cells)
    assert told["suppressed"].to_list() == [False, True, True, True, False]
    assert told["reason"].to_list()[1] == "not complete yet; shown when it is"


def test_by_hand_what_has_no_value_yet_tells_its_reason_and_no_people(publisher: Publisher) -> None:
    cells = [
        count(30, complete=False, segment="channel=paid"),
        count(0, complete=False, segment="channel=mail", value=0.0, reason=None),
        # A formula that has no value says why, and nothing of those whose number its part does not show either.
        count(
            30,
            complete=False,
            segment="channel=paid",
            metric="cost",
            value=None,
            numerator=None,
            denominator=30.0,
        )
        | {"components": "activation", "reason": "no spend"},
        count(30, segment="channel=paid", metric="cost", value=None, numerator=None, denominator=30.0)
        | {"period_start": MONDAY - timedelta(7), "reason": "no spend"},
    ]
    told = publisher.values(*cells)
    assert told["reason"].to_list() == ["not complete yet; shown when it is"] * 2 + ["no spend"] * 2
    assert told["suppressed"].to_list() == [True, True, False, False]
    assert told["people"].to_list() == [None, None, None, 30]
    assert told["denominator"].to_list() == [None, None, None, 30.0]
    again = publisher.values(*cells)
    assert again.drop("as_of").equals(told.drop("as_of"))
    assert len(publisher.ledger.releases) == 1
    over = publisher.values(*[cell | {"complete": True, "reason": None} for cell in cells[:2]])
    assert over["people"].to_list() == [30, 0]
    assert over["held_since"].to_list() == [None, None]


def test_nothing_new_is_noted_where_nothing_changed(publisher: Publisher) -> None:
    frame = one_week((30, 40, 50)).frame()
    first = publisher.publish("metric_values", frame)
    again = publisher.publish("metric_values", frame)
    assert first.drop("as_of").equals(again.drop("as_of"))
    assert len(publisher.ledger.releases) == 1


def test_as_of_views_tell_what_was_told_then(publisher: Publisher) -> None:
    for people in (100, 104, 115):
        publisher.values(count(people))
    seen = [as_released(publisher.ledger, FIRST + timedelta(days))["people"].to_list() for days in range(3)]
    assert seen == [[100], [100], [115]]
    assert as_released(publisher.ledger, FIRST - timedelta(1)).is_empty()
    assert not {"contributors", "estimate", "basis", "publication_number"} & set(
        as_released(publisher.ledger, FIRST).columns
    )


# -- the attack ----------------------------------------------------------------------------------------------------


def later(people: Ints, seed: int) -> Ints:
    """The same world after late data: mostly of few people, now and then of many."""
    rng = np.random.default_rng(seed)
    touched = rng.random(people.shape) < 0.3
    more = rng.choice([1, 3, 8, 15, 40], size=people.shape, p=[0.3, 0.3, 0.2, 0.1, 0.1])
    return people + np.where(touched, more, 0)


def given_away(publisher: Publisher, seed: int, *, most: int = 10) -> list[Any]:
    """Small changes that the two publications tell."""
    rng = np.random.default_rng(seed)
    scale = np.array([20, *rng.choice([12, 40, 90], size=2)]) * np.ones((14, 1), np.int64)
    before = rng.poisson(scale)
    after = later(before, seed)
    tables = [World(each, each) for each in (before, after)]
    told = [publisher.publish("metric_values", each.frame()) for each in tables]
    known = [shown(each.filter(pl.col("held_since").is_null()), "people") for each in told]
    truths = [each.cells(each.people) for each in tables]
    both = [Attacker(k, t, cohort=True, total_known=False) for k, t in zip(known, truths, strict=True)]
    zero = np.zeros_like(both[0].equal[0]), np.zeros_like(both[1].equal[0])  # type: ignore[index]
    (first, first_sums), (second, second_sums) = both[0].equal, both[1].equal  # type: ignore[misc]
    lines = np.block([[first, zero[0]], [zero[1], second]])
    sums = np.concatenate([first_sums, second_sums])
    changed = sorted(
        (p, key)
        for p in truths[0] for key, n in truths[0][p].items() if 1 <= truths[1][p][key] - n < K
    )  # fmt: skip
    out = []
    for period, key in changed[:: max(1, len(changed) // most)]:
        line = both[0].line(period, key)
        goal = np.concatenate([-line, line])
        ends = []
        for sign in (1, -1):
            found = linprog(sign * goal, A_eq=lines, b_eq=sums, method="highs")
            assert found.status in (0, 3), found.message
            ends.append(float("inf") if found.fun is None else -float(found.fun))
        if sum(ends) < K - 1e-6:
            out.append((period, key))
    return out


@pytest.mark.parametrize("seed", range(5))
def test_no_small_change_can_be_worked_out_from_two_publications(publisher: Publisher, seed: int) -> None:
    assert given_away(publisher, seed) == []


def test_the_attack_finds_what_a_publication_without_memory_gives_away(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher.ledger, "cells", lambda *_, **__: pl.DataFrame())
    assert given_away(publisher, 0)


def test_the_attack_finds_what_staying_alone_gives_away(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holding small changes back without others beside them leaves them to be worked out from totals."""

    def small_alone(_: str, changes: pl.DataFrame, **__: object) -> pl.DataFrame:
        return changes.with_columns(suppressed=pl.col("people").is_between(1, K - 1))

    publisher.hide = small_alone
    assert given_away(publisher, 5)


def given_away_by_many(publisher: Publisher, seed: int, publications: int = 4) -> list[Any]:
    """Small changes between any two of several publications that these tell.

    Publications share no unknown number: of each change the ends are those of its two numbers.
    """
    rng = np.random.default_rng(seed)
    worlds = [rng.poisson(np.array([20, *rng.choice([12, 40, 90], size=2)]) * np.ones((7, 1), np.int64))]
    while len(worlds) < publications:
        worlds.append(later(worlds[-1], seed + len(worlds)))
    systems, truths = [], []
    for people in worlds:
        world = World(people, people)
        told = publisher.publish("metric_values", world.frame()).filter(pl.col("held_since").is_null())
        truths.append(world.cells(people))
        systems.append(Attacker(shown(told, "people"), truths[-1], cohort=True, total_known=False))
    found: dict[Any, float] = {}

    def room(at: int, period: str, key: Any) -> float:
        """How far apart the smallest and the largest value are that a number can have."""
        if (at, period, key) not in found:
            line, (left, right) = systems[at].line(period, key), systems[at].equal or (None, None)
            both = [linprog(sign * line, A_eq=left, b_eq=right, method="highs") for sign in (1, -1)]
            assert all(each.status in (0, 3) for each in both)
            ends = [-float("inf") if each.fun is None else float(each.fun) for each in both]
            found[at, period, key] = -sum(ends)
        return found[at, period, key]

    return [
        (earlier, late, period, key)
        for earlier, late in combinations(range(publications), 2)
        for period in truths[0]
        for key, n in truths[earlier][period].items()
        if 1 <= abs(truths[late][period][key] - n) < K
        and room(earlier, period, key) + room(late, period, key) < K - 1e-6
    ]


@pytest.mark.parametrize("seed", range(20 if os.environ.get("HEADWAY_FULL") else 1))
def test_no_small_change_can_be_worked_out_from_four_publications(publisher: Publisher, seed: int) -> None:
    assert given_away_by_many(publisher, seed) == []


def test_by_hand_two_steps_of_ten_do_not_tell_a_change_of_nine(publisher: Publisher) -> None:
    """Of 10 and 10 more, 6 and 5 came by one channel and 4 and 5 by the other: the last total would tell of 9."""
    channels = ("channel=a", "channel=b")
    for everybody, a, b in ((200, 100, 100), (210, 106, 104), (220, 111, 109)):
        cells = [
            count(n, segment=name) for name, n in (("all", everybody), *zip(channels, (a, b), strict=True))
        ]
        told = publisher.values(*cells)
    fresh = told.filter(pl.col("held_since").is_null() & ~pl.col("suppressed"))
    assert fresh.height < 2


# -- funnels, cohorts, active people, what is left out ----------------------------------------------------------------


def test_by_hand_a_funnel_stays_until_every_step_changed_enough(publisher: Publisher) -> None:
    told = [
        publisher.publish("funnel_steps", funnel(*people))
        for people in ((100, 60, 30), (120, 65, 45), (130, 80, 40))
    ]
    assert [each["people"].to_list() for each in told] == [[100, 60, 30], [100, 60, 30], [130, 80, 40]]
    assert told[1]["held_since"].to_list() == [FIRST] * 3 and told[2]["held_since"].null_count() == 3
    # all three steps differ by enough, but 4 of the new 20 did not go on
    last = publisher.publish("funnel_steps", funnel(150, 96, 50))
    assert last["people"].to_list() == [130, 80, 40]


def test_a_funnel_that_asks_anew_is_hidden_where_it_would_tell(publisher: Publisher) -> None:
    publisher.publish("funnel_steps", funnel(100, 60, 30))
    asked = funnel(104, 60, 30).with_columns(within=pl.lit("8d"))
    told = publisher.publish("funnel_steps", asked)
    assert told["suppressed"].all() and told["people"].null_count() == 3 and told["dropped"].null_count() == 3


def test_by_hand_a_cohort_stays_until_it_changed_enough(publisher: Publisher) -> None:
    def told(*people: int) -> list[int | None]:
        frame = publisher.publish("retention_cells", triangle({MONDAY: people}))
        return frame["people"].to_list()

    assert told(100, 40) == [100, 40]
    # the cell of the next period would show the new size of the cohort
    assert told(103, 40, 30) == [100, 40, None]
    assert told(112, 52, 30) == [112, 52, 30]


def test_active_people_and_what_is_left_out_stay(publisher: Publisher) -> None:
    def active(value: int, *, complete: bool = True) -> pl.DataFrame:
        return pl.DataFrame(
            {"period_start": [MONDAY], "window_days": [7], "value": [value], "complete": [complete]}
        )

    def told(frame: pl.DataFrame, name: str = "active_people") -> dict[str, Any]:
        return only(publisher.publish(name, frame))

    assert told(active(40, complete=False))["value"] is None
    assert [told(active(n))["value"] for n in (40, 45, 52)] == [40, 40, 52]
    kept = [
        told(
            pl.DataFrame({"kind": ["event"], "reason": ["bot"], "n_left_out": [n], "people": [p]}), "left_out"
        )
        for n, p in ((500, 20), (520, 20), (600, 31))
    ]
    assert [cell["n_left_out"] for cell in kept] == [500, 500, 600]
