"""What people tell of a release: equal to loops, and right about what is planted."""

from __future__ import annotations

import os
from datetime import timedelta

import numpy as np
import pytest
from metric_worlds import World, load
from release_world import DAYS, RELEASED, START, Naive, Planted, build, product, rollout

from headway.releases import Evidence, Release, Told, ask_people
from headway.statistics.did import Panel, group_time

SEEDS = range(30 if os.environ.get("HEADWAY_FULL") else 2)
EMAIL = rollout((0, "channel=email"))
LAST = START + timedelta(days=DAYS - 1)


def ask(world: World, *releases: Release) -> Told:
    con = load(world)
    try:
        return ask_people(con, product(world), releases, world.horizon)
    finally:
        con.close()


def by_rung(told: Told, metric: str = "depth") -> dict[str, Evidence]:
    return {each.rung: each for each in told.evidence if each.metric == metric}


@pytest.mark.parametrize("seed", SEEDS)
def test_segments_of_a_rollout_are_compared_as_loops_do_it(seed: int) -> None:
    world = build(seed)
    found = by_rung(ask(world, EMAIL))["staggered"]
    rows = Naive(world).units_by_week(6, 4)
    labels = ["ads", "direct", "email"]
    arrays = [np.array([row for (label, _), row in rows.items() if label == each]) for each in labels]
    starts = [6 if each == "email" else None for each in labels]
    naive = group_time(Panel.of_units(starts, arrays))
    assert found.effect == pytest.approx(float(naive.overall().effect), rel=1e-9)
    assert found.low == pytest.approx(float(naive.overall().interval()[0]), rel=1e-9)
    assert found.pre_trend == pytest.approx(float(naive.pre_trend()), rel=1e-6)
    assert found.people == min(int(sum((a[:, 10 + week] > 0).sum() for a in side)) for week in range(10)
                               for side in ([arrays[2]], arrays[:2]))  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_adopters_are_counted_and_compared_as_loops_do_it(seed: int) -> None:
    world = build(seed, Planted(eagerness=1.5), people=300)
    told = ask(world, rollout((0, None), feature="search"))
    naive = Naive(world)
    row = told.adoption.row(0, named=True)
    counted = naive.adoption(LAST, 14)
    assert (row["eligible"], row["tried"], row["ripe"], row["kept"]) == counted
    assert row["tried_rate"] == counted[1] / counted[0]
    assert row["kept_low"] < row["kept_rate"] <= row["kept_high"]
    found = by_rung(told)["matched"]
    matched, _ = naive.matched(RELEASED + timedelta(days=14), RELEASED + timedelta(days=27))
    assert found.effect == pytest.approx(matched, rel=1e-9)


def test_a_planted_effect_on_a_segment_is_found_and_a_planted_trend_is_refused() -> None:
    staggered = by_rung(ask(build(5, Planted(segments=1.0), 300), EMAIL))["staggered"]
    assert staggered.grade == "B", staggered.reason
    assert staggered.low is not None and staggered.high is not None
    assert 0 < staggered.low < 1.0 < staggered.high
    assert staggered.days_to_value is not None and staggered.days_to_value <= 14
    drifting = by_rung(ask(build(6, Planted(drift=0.3), 300), EMAIL))["staggered"]
    assert drifting.grade is None
    assert "no grade: the groups had been going different ways before" in drifting.reason


def test_a_segment_that_got_nothing_has_no_effect_and_no_first_day() -> None:
    found = by_rung(ask(build(7, people=300), EMAIL))["staggered"]
    assert found.low is not None and found.high is not None and found.low < 0 < found.high
    assert found.days_to_value is None


def test_matched_adopters_are_nearer_to_the_truth_than_adopters_beside_everybody() -> None:
    """Any seeds: what the statistic is right about at which rate, draws of its sums say in `test_matching`.

    Strata are coarse, so that in worlds of 400 people about 0.7 standard errors of bias are left; with that, one world
    in 2,000 lies beyond four standard errors.
    """
    errors = []
    for seed in SEEDS:
        world = build(100 + seed, Planted(adopters=0.8, eagerness=1.2), people=400)
        found = by_rung(ask(world, rollout((0, None), feature="search")))["matched"]
        _, plain = Naive(world).matched(RELEASED + timedelta(days=14), RELEASED + timedelta(days=27))
        assert found.effect is not None and found.low is not None and found.high is not None
        standard_error = (found.high - found.low) / (2 * 1.96)
        assert abs(found.effect - 0.8) < 4 * standard_error
        errors.append((found.effect - 0.8, plain - 0.8))
    matched, naive = np.mean(errors, axis=0)
    assert abs(matched) < naive / 2


@pytest.mark.parametrize("seed", [21, 22])
def test_an_interval_of_matched_adopters_holds_the_truth(seed: int) -> None:
    world = build(seed, Planted(adopters=0.8, eagerness=1.2), people=400)
    found = by_rung(ask(world, rollout((0, None), feature="search")))["matched"]
    _, plain = Naive(world).matched(RELEASED + timedelta(days=14), RELEASED + timedelta(days=27))
    assert found.effect is not None and found.low is not None and found.high is not None
    assert 3 * abs(found.effect - 0.8) < abs(plain - 0.8)
    assert found.low < 0.8 < found.high


def test_adopters_who_were_different_before_are_refused() -> None:
    world = build(25, Planted(hidden=1.0), people=300)
    found = by_rung(ask(world, rollout((0, None), feature="search")))["matched"]
    assert found.grade is None
    assert "those who chose it had differed before" in found.reason


def test_who_has_it_later_is_compared_with_until_then() -> None:
    world = build(9, Planted(segments=1.0), people=300)
    steps = rollout((0, "channel=email"), (14, "channel=ads"), (21, None))
    found = by_rung(ask(world, steps))["staggered"]
    # Three weeks of the first segment and one of the second have anybody left to compare with.
    rows = Naive(world).units_by_week(6, 6)
    labels = ("ads", "direct", "email")
    arrays = [np.array([row for (label, _), row in rows.items() if label == each]) for each in labels]
    naive = group_time(Panel.of_units([8, 9, 6], arrays)).overall()
    assert found.effect == pytest.approx(float(naive.effect), rel=1e-9)
    odd = by_rung(ask(world, rollout((0, "channel=email"), (4, "channel=ads"))))["staggered"]
    assert "its steps are not whole weeks apart" in odd.weakened


@pytest.mark.parametrize(
    ("release", "metric", "says"),
    [
        (rollout((0, "channel=email"), (0, "touched=ads")), "depth", "segments of several kinds, which overlap"),
        (rollout((0, "channel=email"), (0, None)), "depth", "everybody got it at once"),
        (rollout((0, "channel=podcast")), "depth", "nobody was seen in podcast"),
        (rollout((0, "channel=email"), feature="search"), "reach", "a person counts once"),
    ],
)  # fmt: skip
def test_no_number_where_none_is_warranted(release: Release, metric: str, says: str) -> None:
    told = [each.refused for each in ask(build(1, people=40), release).evidence if each.metric == metric]
    assert any(says in each for each in told), told


def test_numbers_without_a_denominator_are_left_to_series() -> None:
    assert by_rung(ask(build(1, people=40), EMAIL), "volume") == {}


def test_a_release_too_young_or_too_early_says_what_it_takes() -> None:
    early = rollout((-35, "channel=email"))
    (found,) = [each for each in ask(build(1, people=40), early).evidence if each.metric == "depth"]
    assert found.refused == "1 whole weeks before and 4 after it are too few; it takes 3 and 1"
    young = rollout((35, None), feature="search")
    (found,) = [each for each in ask(build(1, people=40), young).evidence if each.metric == "depth"]
    assert "it takes 14 days before, as many to adopt, and a week after" in found.refused


def test_without_such_releases_nothing_is_asked() -> None:
    told = ask(build(1, people=5), rollout((0, None)))
    assert told.evidence == () and told.adoption.is_empty()
