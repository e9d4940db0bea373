"""Quantiles, waiting times and coming back as outcomes, from events to numbers, beside other software."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

import headway as hw

START = datetime(2026, 3, 2)
ARMS = ("old", "new")
UNITS = 300


def world() -> tuple[pl.DataFrame, dict[str, Any]]:
    """Units that wait, come back, and load pages whose time hangs together within a unit."""
    rng = np.random.default_rng(11)
    rows: list[tuple[Any, ...]] = []
    truth: dict[str, Any] = {arm: {"waits": [], "loads": [], "back": 0} for arm in ARMS}
    for arm in ARMS:
        faster = 0.0 if arm == "old" else 0.35
        for unit in range(UNITS):
            who = f"{arm}{unit}"
            rows.append((who, "Exposed", START, arm, None))
            hours = int(rng.exponential(60 if arm == "old" else 40))
            rows.append((who, "Bought", START + timedelta(hours=hours), None, None))
            truth[arm]["waits"].append((min(hours, 72), hours < 72))
            own = rng.normal(5 - faster, 0.5)
            loads = np.exp(rng.normal(own, 0.5, rng.integers(1, 12)))
            rows += [(who, "Loaded", START + timedelta(hours=1), None, float(each)) for each in loads]
            # Before the exposure, and after the window: neither counts.
            rows += [(who, "Loaded", START + timedelta(days=days), None, 1e6) for days in (-1, 3)]
            truth[arm]["loads"].append(loads)
            if rng.random() < 0.4 + faster:
                day = rng.uniform(7, 14)
                rows.append((who, "Back", START + timedelta(days=day), None, None))
                truth[arm]["back"] += 1
            rows.append((who, "Back", START + timedelta(days=rng.choice([6.9, 14.1])), None, None))
    names = ("person", "event", "occurred_at", "variant", "ms")
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None), truth


@pytest.fixture(scope="module", name="told")
def asked() -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, Any]]:
    frame, truth = world()
    outcomes = [
        hw.Outcome("p90", "Loaded", "p90:ms", within="3d", direction="down"),
        hw.Outcome("wait", "Bought", "time", within="3d"),
        hw.Outcome("week 1", "Back", after="7d", within="7d"),
    ]
    with hw.EventLog(frame, horizon=START + timedelta(days=30)) as log:
        found = hw.Experiment("test", list(ARMS), outcomes, exposure="Exposed", before=None).run(log)
    return {(row["metric"], row["variant"]): row for row in found.rows}, truth


def test_a_quantile_of_single_events_varies_as_units_drawn_anew_say(told: Any) -> None:
    rows, truth = told
    rng = np.random.default_rng(3)
    drawn: dict[str, Any] = {}
    for arm in ARMS:
        units = truth[arm]["loads"]
        flat = np.concatenate(units)
        assert rows["p90", arm]["mean"] == pytest.approx(np.quantile(flat, 0.9), rel=0.01)
        choices = rng.integers(0, UNITS, (600, UNITS))
        drawn[arm] = np.array(
            [np.quantile(np.concatenate([units[i] for i in each]), 0.9) for each in choices]
        )
    row = rows["p90", "new"]
    assert row["effect"] == pytest.approx(row["mean"] - rows["p90", "old"]["mean"])
    assert row["error"] == pytest.approx((drawn["new"] - drawn["old"]).std(), rel=0.15)
    # Events drawn as if each were a unit of its own would be too sure.
    sizes = [len(np.concatenate(truth[arm]["loads"])) for arm in ARMS]
    alone = [
        rng.choice(np.concatenate(truth[arm]["loads"]), (600, n)) for arm, n in zip(ARMS, sizes, strict=True)
    ]
    naive = (np.quantile(alone[1], 0.9, axis=1) - np.quantile(alone[0], 0.9, axis=1)).std()
    assert row["error"] > 1.3 * naive
    assert (row["verdict"], row["low"] < row["effect"] < row["high"] < 0) == ("better", True)


def test_waiting_is_that_of_survival_analysis(told: Any) -> None:
    rows, truth = told
    times, over = (np.array([each[at] for arm in ARMS for each in truth[arm]["waits"]]) for at in (0, 1))
    group = np.repeat([0, 1], UNITS)
    _, p_value = survdiff(times, over, group)
    for at, arm in enumerate(ARMS):
        curve = SurvfuncRight(times[group == at], over[group == at])
        assert rows["wait", arm]["mean"] == pytest.approx(1 - curve.surv_prob[-1])
    assert rows["wait", "new"]["p_value"] == pytest.approx(p_value, rel=1e-6)
    assert rows["wait", "new"]["verdict"] == "better"


def test_coming_back_counts_in_its_own_window(told: Any) -> None:
    rows, truth = told
    for arm in ARMS:
        assert rows["week 1", arm]["mean"] == truth[arm]["back"] / UNITS
    assert rows["week 1", "new"]["units"] == UNITS


def test_who_is_exposed_after_the_horizon_has_not_waited_yet() -> None:
    """Clocks that are ahead: such units are exposed at a time of which nothing is known."""
    frame, _ = world()
    ahead = pl.DataFrame(
        [
            (f"{arm} ahead {n}", "Exposed", START + timedelta(days=900), arm, None)
            for arm in ARMS
            for n in range(5)
        ],
        schema=frame.schema,
        orient="row",
    )
    outcomes = [hw.Outcome("wait", "Bought", "time", within="3d"), hw.Outcome("wait on", "Bought", "time")]
    experiment = hw.Experiment("test", list(ARMS), outcomes, exposure="Exposed", before=None)
    told = []
    for rows in (frame, pl.concat([frame, ahead])):
        with hw.EventLog(rows, horizon=START + timedelta(days=30)) as log:
            told.append([(row["mean"], row["effect"], row["p_value"]) for row in experiment.run(log).rows])
    assert told[0] == told[1]
