"""What is shown of days since exposure, and of units that met several variants: nothing that speaks of few people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from arms_shown import K, result_rows, shown

from headway_pipelines.warehouse.experiment_both_ways import BOTH_WAYS, shown_both_ways
from headway_pipelines.warehouse.experiment_days import DAYS, shown_days

Day = tuple[tuple[int, int], tuple[int, int]]
"""Units of a day, and those who did it, of both arms."""


def day_rows(metric: str, days: Sequence[Day]) -> list[dict[str, Any]]:
    return [
        {**dict.fromkeys(DAYS), "experiment": "e", "metric": metric, "since": since, "variant": v, "units": n,
         "some": s}
        for since, (all_, did) in enumerate(days)
        for v, n, s in zip(("old", "new"), all_, did, strict=True)
    ]  # fmt: skip


def days_shown(
    *days: Day,
    units: tuple[int, int] = (300, 300),
    some: tuple[int, int] = (150, 150),
    beside: tuple[int, int] | None = None,
    window: tuple[float, float] = (0, 7),
    hidden: bool = False,
) -> list[int]:
    """Which days are shown, of each of which units and those who did it are given, by arm.

    The metric's window is of seven days. `beside` did it as another metric of the same events counts, in its `window`.
    """
    names = ["m"] if beside is None else ["m", "other"]
    others = [] if beside is None else result_rows("other", (300, 300), beside, names, window)
    mine = result_rows("m", units, (3, 150) if hidden else some, names, (0, 7))
    arms, _ = shown(others, mine, split=units)
    told = shown_days(pl.DataFrame(day_rows("m", days), schema=DAYS), arms, K)
    return told["since"].unique(maintain_order=True).to_list()


MANY = (300, 300)


def test_days_are_told_up_to_one_of_few() -> None:
    whole = (MANY, (80, 80)), (MANY, (40, 40)), (MANY, (30, 30))
    assert days_shown(*whole) == [0, 1, 2]
    assert days_shown(*whole, (MANY, (9, 40)), (MANY, (40, 40))) == [0, 1, 2]
    assert days_shown(*whole[:2], (MANY, (40, 295)), some=(220, 300)) == [0, 1]
    # Nobody is not few; one day is no curve.
    assert days_shown(*whole, (MANY, (0, 0))) == [0, 1, 2, 3]
    assert days_shown(whole[0], (MANY, (9, 40))) == []
    assert days_shown(*whole, hidden=True) == []


def test_days_on_which_not_all_units_were_looked_at_are_not_told() -> None:
    assert days_shown((MANY, (80, 80)), ((295, 300), (40, 40)), (MANY, (30, 30))) == []


def test_days_do_not_tell_who_did_it_later_or_again() -> None:
    """The arm's 150 less the days' sum are those who did it later, or did it again, where that is once for most."""
    assert days_shown((MANY, (80, 80)), (MANY, (65, 40))) == []
    assert days_shown((MANY, (80, 80)), (MANY, (75, 40))) == []
    assert days_shown((MANY, (80, 80)), (MANY, (70, 70))) == [0, 1]
    # With the third day it is five again, with the first two many.
    assert days_shown((MANY, (80, 80)), (MANY, (40, 40)), (MANY, (25, 30))) == [0, 1]


def test_days_do_not_tell_who_did_it_on_none_but_this_one() -> None:
    """145 of 150 did it on the first day: 5 did not, and did later."""
    assert days_shown((MANY, (145, 80)), (MANY, (60, 40))) == []
    assert days_shown((MANY, (140, 80)), (MANY, (60, 40))) == [0, 1]


def test_days_are_not_told_beside_another_metric_of_the_same_events() -> None:
    """115 did it within two days, 80 on the first and 40 on the second: 5 did it on both."""
    days = (MANY, (80, 80)), (MANY, (40, 40)), (MANY, (60, 60))
    assert days_shown(*days, beside=(115, 105), window=(0, 2)) == []
    # Many did it on both, and yet who did not come back on the third day could be worked out of others.
    assert days_shown(*days, beside=(100, 100), window=(0, 2)) == []
    # Of a narrower metric 76 did it in the same time: 4 did it otherwise on the first day, at least.
    assert days_shown(*days, beside=(76, 100), window=(0, 7)) == []
    # It differs in one arm, or in its window alone.
    assert days_shown(*days, beside=(150, 100), window=(0, 7)) == []
    assert days_shown(*days, beside=(150, 150), window=(0, 2)) == []


def test_days_are_told_beside_metrics_that_say_nothing_else_of_their_time() -> None:
    days = (MANY, (80, 80)), (MANY, (40, 40)), (MANY, (60, 60))
    # How often the same units did it in the same time, whether or not its last instant counts
    assert days_shown(*days, beside=(150, 150), window=(0, 7)) == [0, 1, 2]
    assert days_shown(*days, beside=(150, 150), window=(0, 7 + 1 / 86_400_000_000)) == [0, 1, 2]
    # Who did it after the metric's own time; after the days alone
    assert days_shown(*days, beside=(60, 90), window=(7, 14)) == [0, 1, 2]
    assert days_shown(*days, beside=(60, 90), window=(6.5, 14)) == []
    # What is hidden now may have been told before.
    assert days_shown(*days, beside=(9, 90), window=(7, 14)) == [0, 1, 2]
    assert days_shown(*days, beside=(9, 90)) == []


def test_of_metrics_of_the_same_events_one_alone_has_days() -> None:
    """Whoever did it did so as the narrower one asks, too, but not on every day: 4 of 40 otherwise on the second."""
    names = ["wide", "narrow"]
    days = {"wide": ((80, 80), (40, 40), (50, 50)), "narrow": ((80, 80), (36, 40), (50, 50))}
    for alike, told in ((names, ["wide"]), ([], names)):
        arms, _ = shown(*(result_rows(each, MANY, (150, 150), alike) for each in names), split=MANY)
        rows = [row for name in names for row in day_rows(name, [(MANY, day) for day in days[name]])]
        found = shown_days(pl.DataFrame(rows, schema=DAYS), arms, K)
        assert found["metric"].unique(maintain_order=True).to_list() == told


def both_shown(
    without: tuple[tuple[int, int], tuple[int, int]],
    whole: tuple[tuple[int, int], tuple[int, int]],
    *,
    split: tuple[int, int] = (400, 400),
    met: int = 500,
    hidden: bool = False,
    effective: float | None = None,
    beside: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> int:
    """How many rows are shown of a metric both ways, of each of which units and those who did it are given, by arm.

    `beside` are those who did it as another metric of the same events counts, without and with the units that met
    several variants.
    """
    ways = {"m": (without[1], whole[1])} if beside is None else {"other": beside, "m": (without[1], whole[1])}
    rows = [
        {**dict.fromkeys(BOTH_WAYS), "experiment": "e", "metric": metric, "several": way, "variant": v, "units": n,
         "some": s, "effective": effective if (way, v, metric) == ("first", "new", "m") else None}
        for metric, did_it in ways.items()
        for way, all_, did in zip(("exclude", "first"), (without[0], whole[0]), did_it, strict=True)
        for v, n, s in zip(("old", "new"), all_, did, strict=True)
    ]  # fmt: skip
    arms, health = shown(
        *(
            result_rows(each, without[0], (3, 50) if hidden else did[0], list(ways))
            for each, did in ways.items()
        ),
        split=split,
    )
    flags = pl.DataFrame({"variant": ["old"], "units": [met]})
    told = shown_both_ways(pl.DataFrame(rows, schema=BOTH_WAYS), arms, health, flags, K)
    return told.filter(metric="m").height


def test_both_ways_are_told_where_many_met_several_variants() -> None:
    arms = ((300, 300), (150, 150))
    assert both_shown(arms, ((330, 340), (165, 170))) == 4
    # nobody of one arm
    assert both_shown(arms, ((300, 340), (150, 170))) == 4
    # nine; of twenty three who did it; of twenty three who did not
    assert both_shown(arms, ((309, 340), (155, 170))) == 0
    assert both_shown(arms, ((320, 340), (153, 170))) == 0
    assert both_shown(arms, ((320, 340), (167, 170))) == 0
    assert both_shown(arms, ((330, 340), (165, 170)), hidden=True) == 0


def test_both_ways_do_not_come_close_to_what_else_is_told_of_an_arm() -> None:
    """335 units were split, of whom 330 are compared when all count: 5 were never looked at."""
    arms = ((300, 300), (150, 150))
    assert both_shown(arms, ((330, 340), (165, 170)), split=(335, 400)) == 0
    assert both_shown(arms, ((330, 340), (165, 170)), split=(340, 400)) == 4
    # 333 met the flag first in this variant: 3 of them outside of the experiment's time
    assert both_shown(arms, ((330, 340), (165, 170)), met=333) == 0
    assert both_shown(arms, ((330, 340), (165, 170)), met=330) == 4


def test_both_ways_do_not_tell_what_one_unit_that_met_several_variants_gave() -> None:
    """Of 40 units one gives so much that 4 who give alike would make the same sum: it gives half or more."""
    arms = ((300, 300), (150, 150)), ((330, 340), (165, 170))
    assert both_shown(*arms, effective=4.0) == 0
    assert both_shown(*arms, effective=4.1) == 4


def test_both_ways_do_not_tell_what_a_metric_of_the_same_events_leaves_out() -> None:
    """20 who met both did it, and 17 of them did it in a shorter window: 3 did it later."""
    arms = ((300, 300), (150, 150)), ((330, 340), (165, 170))
    assert both_shown(*arms, beside=((100, 100), (115, 117))) == 0
    assert both_shown(*arms, beside=((100, 100), (115, 110))) == 4
    assert both_shown(*arms, beside=((100, 100), (115, 120))) == 4


def test_results_do_not_tell_what_a_metric_of_the_same_events_leaves_out() -> None:
    """84 did it within a week, 80 of them within three days: 4 did it after the third."""
    units, both = (300, 300), ["week", "days"]
    week = result_rows("week", units, (84, 84), both)
    found, _ = shown(week, result_rows("days", units, (80, 60), both), split=units)
    assert found["suppressed"].to_list() == [False, False, True, True]
    found, _ = shown(week, result_rows("days", units, (74, 84), both), split=units)
    assert not found["suppressed"].any()
    found, _ = shown(week, result_rows("paid", units, (80, 60)), split=units)
    assert not found["suppressed"].any()
