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
from arms_shown import K, result_rows, shown
from planted import Computed, computed

import headway as hw
from headway.experiments import ExperimentResult
from headway.experiments.flags import SCHEMA as FLAGS
from headway_pipelines.publishing.comments import COLUMN_COMMENTS, TABLE_COMMENTS
from headway_pipelines.warehouse.experiment_both_ways import BOTH_WAYS, both_ways_rows
from headway_pipelines.warehouse.experiment_days import DAYS, day_rows
from headway_pipelines.warehouse.experiment_differences import ALIKE
from headway_pipelines.warehouse.experiment_segments import SEGMENTS, shown_segments
from headway_pipelines.warehouse.experiments import (
    ABOUT,
    EXPERIMENTS,
    HEALTH,
    RESULTS,
    got_there,
    shown_experiments,
    shown_flags,
    shown_results,
)
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

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


def small_experiment(more: tuple[str, ...] = ()) -> ExperimentResult:
    """Four units in each arm, and one that met both; who saved on which days after the exposure.

    `more` are windows of further metrics; nine days are known.
    """
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
        secondary=[
            hw.Outcome("again", "Saved", "events", within="2d"),
            *(hw.Outcome(f"within {each}", "Saved", within=each) for each in more),
        ],
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


def test_who_got_there_in_time_is_who_did_it_in_time(exact: Computed) -> None:
    """Waiting for what another metric counts as done, over the same 14 days."""
    waited, did = (results(exact, "video_editor", each) for each in ("time_to_publish", "publishing"))
    for variant, arm in did.items():
        assert waited[variant]["some"] == arm["some"] > 0


def test_days_are_asked_of_shares_that_one_event_of_a_day_decides() -> None:
    """Not of steps, of two events together, of a window that opens later, of a single day, or of none that ends."""
    found = small_experiment()
    simple = hw.Outcome("saved", "Saved", within="2d")
    others = [
        hw.Outcome("steps", "Saved", via=["Seen"], within="2d"),
        hw.Outcome("both", "Saved", also="Seen", within="2d"),
        hw.Outcome("later", "Saved", after="1d", within="2d"),
        hw.Outcome("soon", "Saved", within="47h"),
        hw.Outcome("ever", "Saved"),
        hw.Outcome("often", "Saved", "events", within="2d"),
    ]
    asked = replace(found.insight, metrics=[simple, *others], secondary=[])
    assert {row["metric"] for row in day_rows("e", asked.run(found.scope.log))} == {"saved"}


def test_both_ways_count_whose_sums_the_units_that_met_several_variants_are() -> None:
    """The one unit that met both did it once; metrics of a longer window are told once that is over."""
    rows = list(both_ways_rows("e", small_experiment(more=("28d",))))
    assert {row["metric"] for row in rows} == {"saved", "again"}
    told = {(row["metric"], row["variant"]): row["effective"] for row in rows}
    assert told == {
        ("saved", "control"): None,
        ("saved", "treatment"): None,
        ("again", "control"): 1.0,
        ("again", "treatment"): None,
    }


def test_who_got_there_is_counted_of_waiting_times() -> None:
    """Two and three of four saved; of those who met both, one is left out."""
    found = small_experiment()
    waiting = replace(
        found.insight, secondary=[hw.Outcome("soon", "Saved", "time", within="2d")], several="exclude"
    )
    assert got_there(waiting.run(found.scope.log), 1) == {"control": 2, "treatment": 3}


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
        "experiment_results": RESULTS | ALIKE,
        "experiment_segments": SEGMENTS,
        "experiment_days": DAYS,
        "experiment_both_ways": BOTH_WAYS,
        "experiment_health": HEALTH,
        "flags": FLAGS,
    }
    assert set(schemas) <= set(TABLE_COMMENTS)
    for table, schema in schemas.items():
        for column in (*schema, "suppressed"):
            assert f"{table}.{column}" in COLUMN_COMMENTS or column in COLUMN_COMMENTS, (table, column)
