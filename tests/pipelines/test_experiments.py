"""Experiments of the demo as the pipeline judges them, against what was planted; and what of them is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planted import Computed, computed

import headway as hw
from headway.experiments import ExperimentResult
from headway.experiments.flags import SCHEMA as FLAGS
from headway_pipelines.publishing.comments import COLUMN_COMMENTS, TABLE_COMMENTS
from headway_pipelines.warehouse.experiment_both_ways import BOTH_WAYS, both_ways_rows, shown_both_ways
from headway_pipelines.warehouse.experiment_days import DAYS, day_rows, shown_days
from headway_pipelines.warehouse.experiment_days import INTERNAL as OF_DAYS
from headway_pipelines.warehouse.experiment_segments import SEGMENTS, shown_segments
from headway_pipelines.warehouse.experiments import (
    ABOUT,
    EXPERIMENTS,
    HEALTH,
    RESULTS,
    shown_experiments,
    shown_flags,
    shown_results,
)
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

K = 10
#: Releases that no experiment tells of, and that a weaker rung does.
GRADED = ("search", "recommendations")


def results(found: Computed, experiment: str, metric: str) -> dict[str, dict[str, Any]]:
    rows = found.tables["experiment_results"].filter(experiment=experiment, metric=metric)
    return {row["variant"]: row for row in rows.iter_rows(named=True)}


def listed(found: Computed, experiment: str) -> dict[str, Any]:
    return found.tables["experiments"].row(by_predicate=pl.col("experiment") == experiment, named=True)


@pytest.mark.parametrize("trial", ["welcome_tour", "search_ranking", "price_badge"])
def test_units_and_shares_are_those_planted(exact: Computed, trial: str) -> None:
    truth = exact.truth["trials"][trial]
    assert truth["first_day"] == str(listed(exact, trial)["start"])
    saved = results(exact, trial, "saved")
    for variant, arm in truth["arms"].items():
        assert saved[variant]["units"] == arm["window_elapsed"] == arm["exposed"]
        assert saved[variant]["mean"] == pytest.approx(arm["saved"] / arm["window_elapsed"])


def test_the_planted_effect_is_found_and_shipped(exact: Computed) -> None:
    row = results(exact, "welcome_tour", "saved")["treatment"]
    assert row["low"] < exact.truth["trials"]["welcome_tour"]["planted_uplift"] < row["high"]
    assert row["verdict"] == "better" and row["low"] > 0
    assert (listed(exact, "welcome_tour")["decision"], listed(exact, "welcome_tour")["ships"]) == (
        "ship",
        "treatment",
    )


def test_where_nothing_was_planted_nothing_is_claimed(exact: Computed) -> None:
    row = results(exact, "search_ranking", "saved")["treatment"]
    assert row["low"] < 0 < row["high"] and row["verdict"] == "no difference shown"
    assert listed(exact, "search_ranking")["decision"] != "ship"


def test_the_broken_split_is_found(exact: Computed) -> None:
    split = exact.tables["experiment_health"].filter(experiment="price_badge", check="split all")
    assert split["verdict"].to_list() == ["broken"] * 2
    assert listed(exact, "price_badge")["decision"] == "inconclusive"
    assert "split differs from the plan" in listed(exact, "price_badge")["why"]


def test_flags_are_listed_with_their_rollout(exact: Computed) -> None:
    flags = exact.tables["flags"].filter(flag="welcome_tour")
    assert flags["step"].unique().to_list() == [1] and not flags["stale"].any()
    assert set(exact.tables["flags"]["flag"]) == {
        "video_editor",
        "welcome_tour",
        "search_ranking",
        "price_badge",
        "profile_first",
    }


def test_segments_of_a_trial_add_up_to_its_arms(exact: Computed) -> None:
    told = exact.tables["experiment_segments"].filter(experiment="welcome_tour")
    assert set(told["metric"]) == {"saved"} and set(told["by"]) == {"person.role"}
    assert told["segment"].n_unique() > 1
    arms = results(exact, "welcome_tour", "saved")
    for variant, arm in arms.items():
        rows = told.filter(variant=variant)
        assert (rows["units"].sum(), rows["some"].sum()) == (arm["units"], arm["some"])
    for segment in told["segment"].unique():
        old, new = (told.filter(segment=segment, variant=each).row(0, named=True) for each in arms)
        apart = new["some"] / new["units"] - old["some"] / old["units"]
        assert (old["effect"], new["effect"]) == (None, pytest.approx(apart))
    # an experiment without `by`
    assert exact.tables["experiment_segments"].filter(experiment="video_editor").is_empty()


def test_days_of_a_trial_are_days_of_its_units(exact: Computed) -> None:
    told = exact.tables["experiment_days"].filter(experiment="welcome_tour")
    assert set(told["metric"]) == {"saved"} and told["since"].unique().to_list() == list(range(7))
    arms = results(exact, "welcome_tour", "saved")
    for variant, arm in arms.items():
        rows = told.filter(variant=variant)
        assert rows["units"].unique().to_list() == [arm["units"]]
        # Whoever did it, did so on one of the seven days, or on several.
        assert rows["some"].max() <= arm["some"] <= rows["some"].sum()
    for since in range(7):
        old, new = (told.filter(since=since, variant=each).row(0, named=True) for each in arms)
        apart = new["some"] / new["units"] - old["some"] / old["units"]
        # Where nobody of an arm did it, nothing varies, and there is no estimate.
        assert new["effect"] == (pytest.approx(apart) if old["some"] and new["some"] else None)
        assert old["effect"] is None
        assert list(new["alike"]) == ["saved"]


def small_experiment() -> ExperimentResult:
    """Four units in each arm, and one that met both; who saved on which days after the exposure."""
    saved = {
        "c1": [0],
        "c2": [0, 1],
        "c3": [],
        "c4": [],
        "t1": [0],
        "t2": [1],
        "t3": [0],
        "t4": [],
        "m1": [0],
    }
    start = datetime(2026, 3, 2, 9)
    rows: list[tuple[Any, ...]] = [
        (who, "Seen", start, "e", "control" if who[0] in "cm" else "treatment") for who in saved
    ]
    rows.append(("m1", "Seen", start + timedelta(hours=1), "e", "treatment"))
    rows += [
        (who, "Saved", start + timedelta(days=day, hours=2), None, None)
        for who, days in saved.items()
        for day in days
    ]
    rows.append(("other", "Saved", start + timedelta(days=9), None, None))
    names = ("person", "event", "occurred_at", "experiment", "variant")
    asked = hw.Experiment(
        "e",
        ["control", "treatment"],
        [hw.Outcome("saved", "Saved", within="2d")],
        secondary=[hw.Outcome("again", "Saved", "events", within="2d")],
        exposure=hw.Exposure("Seen", "experiment"),
    )
    return asked.run(hw.EventLog(pl.DataFrame(rows, schema=names, orient="row")))


def test_days_and_both_ways_of_a_few_units_by_hand() -> None:
    found = small_experiment()
    days = [(row["since"], row["variant"], row["units"], row["some"]) for row in day_rows("e", found)]
    assert days == [
        (0, "control", 4, 2),
        (0, "treatment", 4, 2),
        (1, "control", 4, 1),
        (1, "treatment", 4, 1),
    ]
    assert {tuple(row["alike"]) for row in day_rows("e", found)} == {("saved", "again")}
    both = [
        (row["several"], row["variant"], row["units"], row["some"], row["effect"])
        for row in both_ways_rows("e", found)
        if row["metric"] == "saved"
    ]
    assert both == [
        ("exclude", "control", 4, 2, None),
        ("first", "control", 5, 3, None),
        ("exclude", "treatment", 4, 3, pytest.approx(3 / 4 - 2 / 4)),
        ("first", "treatment", 4, 3, pytest.approx(3 / 4 - 3 / 5)),
    ]


def test_nothing_is_told_by_day_or_both_ways_while_an_experiment_runs() -> None:
    running = replace(small_experiment(), over=False)
    assert list(day_rows("e", running)) == list(both_ways_rows("e", running)) == []


@pytest.mark.skipif(not os.environ.get("HEADWAY_FULL"), reason="the demo at its usual size: HEADWAY_FULL=1")
def test_who_reads_the_demo_s_report_sees_what_was_planted(
    tmp_path: Path, headway: Callable[..., Any], key_outside_the_workspace: Path
) -> None:
    done = headway("demo", cwd=tmp_path, key_file=key_outside_the_workspace)
    assert done.returncode == 0, done.stderr
    root = tmp_path / "demo"
    tables = tables_of(Workspace.at(root).published_db)
    planted = computed(root).truth["releases"]
    impact = tables["release_impact"].filter("intended", "strongest", rung="randomised")
    rows = {row["release"]: row for row in impact.iter_rows(named=True)}
    assert set(rows) == {"video_editor", "welcome_tour", "search_ranking"}
    for release, row in rows.items():
        (effect,) = planted[release].values()
        assert row["grade"] == "A" and row["low"] < effect < row["high"]
        assert row["credited"] == (effect > 0) and (row["effect"] > 0 or effect == 0)
    others = tables["release_impact"].filter(~pl.col("release").is_in(["video_editor", "welcome_tour"]))
    assert not others["credited"].any()
    told = {each: others.filter("strongest", "intended", release=each)["grade"][0] for each in GRADED}
    assert all(told.values()), told
    page = (root / "report" / "releases.html").read_text(encoding="utf-8")
    editor = page[page.index("New video editor", page.index('id="')) :]
    assert "did what it was meant to" in editor
    shown = tables["experiment_results"].filter(experiment="video_editor", metric="publishing")
    assert not shown["suppressed"].any() and "better" in shown["verdict"].to_list()


# -- what is shown -------------------------------------------------------------------------------------------------


def result_rows(
    metric: str, units: tuple[int, int], some: tuple[int | None, int | None]
) -> list[dict[str, Any]]:
    empty: dict[str, Any] = dict.fromkeys(RESULTS)
    return [
        {**empty, "experiment": "e", "metric": metric, "variant": v, "units": n, "units_open": 0, "some": s,
         "mean": 0.5, "verdict": "better"}
        for v, n, s in zip(("old", "new"), units, some, strict=True)
    ]  # fmt: skip


def shown(
    *rows: list[dict[str, Any]], split: tuple[int, int] = (100, 100)
) -> tuple[pl.DataFrame, pl.DataFrame]:
    empty: dict[str, Any] = dict.fromkeys(HEALTH)
    health = [
        {
            **empty,
            "experiment": "e",
            "check": "split all",
            "variant": v,
            "units": n,
            "expected": 100.0,
            "p_value": 0.12345,
        }
        for v, n in zip(("old", "new"), split, strict=True)
    ]
    frame = pl.DataFrame([row for part in rows for row in part], schema=RESULTS)
    return shown_results(frame, pl.DataFrame(health, schema=HEALTH), K)  # fmt: skip


@pytest.mark.parametrize(
    ("units", "some"),
    [((9, 100), (None, None)), ((100, 100), (3, 50)), ((100, 100), (50, 95))],
    ids=["few units", "few did it", "few did not"],
)
def test_a_metric_with_a_small_arm_is_hidden_as_a_whole(
    units: tuple[int, int], some: tuple[int | None, int | None]
) -> None:
    found, _ = shown(result_rows("m", units, some))
    assert found["suppressed"].to_list() == [True, True]
    assert found.select("mean", "units", "effect").null_count().row(0) == (2, 2, 2)


def segments_shown(*segments: tuple[str, tuple[int, int], tuple[int, int]], units: tuple[int, int]) -> int:
    """How many rows are shown of a metric in segments, of each of which units and those who did it are given."""
    empty: dict[str, Any] = dict.fromkeys(SEGMENTS)
    rows = [
        {**empty, "experiment": "e", "metric": "m", "segment": name, "variant": v, "units": n, "some": s}
        for name, all_, did in segments
        for v, n, s in zip(("old", "new"), all_, did, strict=True)
    ]
    arms, _ = shown(result_rows("m", units, (50, 50)), split=units)
    return shown_segments(pl.DataFrame(rows, schema=SEGMENTS), arms, K).height


def test_segments_are_told_all_or_none() -> None:
    large = ("teacher", (60, 70), (30, 30))
    assert segments_shown(large, ("learner", (40, 30), (20, 20)), units=(100, 100)) == 4
    # 9 units, 9 who did it, 9 who did not, nobody at all in one arm
    assert segments_shown(large, ("learner", (9, 30), (0, 20)), units=(69, 100)) == 0
    assert segments_shown(large, ("learner", (40, 30), (9, 20)), units=(100, 100)) == 0
    assert segments_shown(large, ("learner", (40, 30), (31, 20)), units=(100, 100)) == 0
    assert segments_shown(large, ("learner", (0, 30), (0, 20)), units=(60, 100)) == 0


def test_segments_that_do_not_add_up_to_what_is_shown_are_not_told() -> None:
    both = ("teacher", (60, 70), (30, 30)), ("learner", (40, 30), (20, 20))
    assert segments_shown(*both, units=(103, 100)) == 0
    # the metric itself is hidden
    assert segments_shown(both[0], units=(60, 55)) == 0


def days_shown(
    *days: tuple[tuple[int, int], tuple[int, int]],
    units: tuple[int, int] = (300, 300),
    some: tuple[int, int] = (150, 150),
    alike: tuple[str, ...] = ("m",),
    beside: tuple[int, int] = (150, 150),
    hidden: bool = False,
) -> list[int]:
    """Which days are shown, of each of which units and those who did it are given, by arm.

    `beside` did it as another metric of the experiment counts, which is one of the same event where `alike` names it.
    """
    empty: dict[str, Any] = dict.fromkeys(DAYS)
    rows = [
        {**empty, "experiment": "e", "metric": "m", "alike": list(alike), "since": since, "variant": v, "units": n,
         "some": s}
        for since, (all_, did) in enumerate(days)
        for v, n, s in zip(("old", "new"), all_, did, strict=True)
    ]  # fmt: skip
    few = (3, 150) if hidden else some
    arms, _ = shown(result_rows("m", units, few), result_rows("other", (300, 300), beside), split=units)
    return shown_days(pl.DataFrame(rows, schema=DAYS), arms, K)["since"].unique(maintain_order=True).to_list()


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


def test_days_do_not_tell_what_a_metric_of_the_same_event_leaves_out() -> None:
    """A metric of one day only, of whom 84 did it, and 80 did it on the first day: 4 did it on the edge of both."""
    days = (MANY, (80, 80)), (MANY, (40, 40))
    assert days_shown(*days, alike=("m", "other"), beside=(84, 80)) == []
    assert days_shown(*days, alike=("m", "other"), beside=(90, 80)) == [0, 1]
    assert days_shown(*days, beside=(84, 80)) == [0, 1]


def both_shown(
    without: tuple[tuple[int, int], tuple[int, int]],
    whole: tuple[tuple[int, int], tuple[int, int]],
    *,
    split: tuple[int, int] = (400, 400),
    met: int = 500,
    hidden: bool = False,
) -> int:
    """How many rows are shown of a metric both ways, of each of which units and those who did it are given, by arm."""
    empty: dict[str, Any] = dict.fromkeys(BOTH_WAYS)
    rows = [
        {**empty, "experiment": "e", "metric": "m", "several": way, "variant": v, "units": n, "some": s}
        for way, (all_, did) in (("exclude", without), ("first", whole))
        for v, n, s in zip(("old", "new"), all_, did, strict=True)
    ]
    arms, health = shown(result_rows("m", without[0], (3, 50) if hidden else without[1]), split=split)
    flags = pl.DataFrame({"variant": ["old"], "units": [met]})
    return shown_both_ways(pl.DataFrame(rows, schema=BOTH_WAYS), arms, health, flags, K).height


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


def reason(why: str, about: list[str] | None, decision: str = "inconclusive", tickets: int = 4) -> str | None:
    """What is shown of a reason, where the metric improved and few of 300 had a ticket."""
    rows = result_rows("orders", (300, 300), (90, 150)) + result_rows(
        "tickets", (300, 300), (tickets, tickets)
    )
    for row in rows:
        guards = row["metric"] == "tickets"
        row |= {"title": row["metric"].capitalize(), "purpose": "guardrail" if guards else "primary"}
        row["verdict"] = "control" if row["variant"] == "old" else "unclear" if guards else "better"
    facts = {
        **dict.fromkeys(EXPERIMENTS),
        "experiment": "e",
        "control": "old",
        "decision": decision,
        "why": why,
    }
    tables = {
        "experiments": pl.DataFrame([facts | {"about": about}], schema=EXPERIMENTS | ABOUT),
        "experiment_results": pl.DataFrame(rows, schema=RESULTS),
        "experiment_segments": pl.DataFrame(schema=SEGMENTS),
        "experiment_days": pl.DataFrame(schema=DAYS),
        "experiment_both_ways": pl.DataFrame(schema=BOTH_WAYS),
        "experiment_health": pl.DataFrame(schema=HEALTH),
        "flags": pl.DataFrame(schema=FLAGS),
    }
    (told,) = shown_experiments(tables, K)["experiments"].to_dicts()
    assert set(told) == set(EXPERIMENTS)
    return told["why"] if told["why"] is None else str(told["why"])


def test_a_reason_names_what_is_hidden_and_quotes_none_of_its_numbers() -> None:
    both = ["orders", "tickets"]
    assert reason("Tickets has 4 of 100", both) == (
        'Orders is better with new, but does not ship: the guardrail "Tickets" has too few people to be judged'
    )
    assert reason("the split differs", []) == "the split differs"
    assert reason("Orders is worse", ["orders"]) == "Orders is worse"
    assert reason("Tickets has 4 of 100", both, tickets=40) == "Tickets has 4 of 100"
    assert reason("an arm has 4 units", ["tickets"], "continue") == (
        'Orders is better with new, but does not ship: the guardrail "Tickets" has too few people to be judged'
    )
    assert reason("7 % are in another one, too", None) is None
    assert reason("Tickets is past its margin", ["tickets"], "stop") is None


def test_metrics_do_not_tell_each_other_s_open_windows() -> None:
    """97 units of 100 have the longer window behind them: the two together would speak of 3 people."""
    found, _ = shown(result_rows("short", (100, 100), (50, 50)), result_rows("long", (97, 100), (50, 50)))
    assert found["suppressed"].to_list() == [False, False, True, True]


def test_the_split_does_not_tell_how_few_saw_several_variants() -> None:
    _, health = shown(result_rows("m", (100, 100), (50, 50)), split=(104, 100))
    assert health["units"].to_list() == [None, None] and health["expected"].to_list() == [None, None]
    assert health["p_value"].to_list() == [0.12, 0.12]
    _, told = shown(result_rows("m", (100, 100), (50, 50)), split=(120, 100))
    assert told["units"].to_list() == [120, 100]


def test_a_split_names_no_segment_of_few() -> None:
    empty: dict[str, Any] = {**dict.fromkeys(HEALTH), "experiment": "e", "check": "split segment"}
    health = [
        {**empty, "label": label, "variant": variant, "units": units, "verdict": "as planned"}
        for label, arms in (("teacher", (60, 70)), ("observer", (9, 70)), ("learner", (10, 10)))
        for variant, units in zip(("old", "new"), arms, strict=True)
    ]
    _, told = shown_results(pl.DataFrame(schema=RESULTS), pl.DataFrame(health, schema=HEALTH), K)
    assert told["label"].to_list() == ["teacher", "teacher", "learner", "learner"]
    assert told["units"].to_list() == [None] * 4


def test_flags_do_not_tell_more_than_experiments() -> None:
    _, health = shown(result_rows("m", (100, 100), (50, 50)))
    flags = pl.DataFrame(
        {
            "flag": ["f", "f", "g", "g"],
            "step": [1, 1, 1, 1],
            "variant": ["old", "new"] * 2,
            "units": [105, 300, 400, 500],
            "share": [0.2, 0.8, 0.5, 0.5],
        }
    )
    assert shown_flags(flags, health, K)["suppressed"].to_list() == [True, True, False, False]


def test_every_column_is_documented() -> None:
    schemas = {
        "experiments": EXPERIMENTS,
        "experiment_results": RESULTS,
        "experiment_segments": SEGMENTS,
        "experiment_days": {name: kind for name, kind in DAYS.items() if name not in OF_DAYS},
        "experiment_both_ways": BOTH_WAYS,
        "experiment_health": HEALTH,
        "flags": FLAGS,
    }
    assert set(schemas) <= set(TABLE_COMMENTS)
    for table, schema in schemas.items():
        for column in (*schema, "suppressed"):
            assert f"{table}.{column}" in COLUMN_COMMENTS or column in COLUMN_COMMENTS, (table, column)
