"""Units in several experiments: named, tested for interaction, and refused where effects cannot be told apart."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

import headway as hw
from headway.experiments import ExperimentResult, together
from headway.experiments.together import DEPENDS, differences

START = datetime(2026, 3, 2)
Bools = NDArray[np.bool_]


def world(first: Bools, second: Bools, done: Bools, late: int = 0, **options: Any) -> list[ExperimentResult]:
    """Everybody meets two experiments, the second one `late` days after the first, and does something or not."""
    n = len(first)
    people = [f"u{each}" for each in range(n)]
    frames = [
        pl.DataFrame(
            {
                "person": people,
                "event": "Exposed",
                "occurred_at": START + timedelta(days=days),
                "flag": flag,
                "variant": np.where(arm, "new", "old"),
            }
        )
        for flag, arm, days in (("cart", first, 0), ("price", second, late))
    ]
    did = [who for who, yes in zip(people, done, strict=True) if yes]
    paid = {"event": "Paid", "occurred_at": START + timedelta(days=late + 1), "flag": None, "variant": None}
    frames.append(pl.DataFrame({"person": did, **paid}, schema=frames[0].schema))
    log = hw.EventLog(pl.concat(frames), horizon=START + timedelta(days=60))
    asked: dict[str, Any] = {"since": date(2026, 3, 1), "until": date(2026, 3, 31), "before": None, **options}
    return [
        hw.Experiment(
            name,
            ["old", "new"],
            [hw.Outcome("paying", "Paid", within="40d")],
            exposure="Exposed",
            flag="flag",
            **asked,
        ).run(log)
        for name in ("cart", "price")
    ]


def arms(seed: int, n: int = 1200) -> tuple[Bools, Bools, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return rng.random(n) < 0.5, rng.random(n) < 0.5, rng


def test_an_interaction_is_that_of_a_regression_with_errors_of_their_own() -> None:
    first, second, rng = arms(1)
    done = rng.random(len(first)) < 0.2 + 0.3 * (first & ~second)
    found = together(world(first, second, done))
    assert found.select("experiment", "other", "units", "share").rows() == [
        ("cart", "price", 1200, 1.0),
        ("price", "cart", 1200, 1.0),
    ]
    columns = np.column_stack([np.ones(len(first)), first, second, first & second]).astype(float)
    # Means of cells with variances of their own, each over n - 1: that is what HC2 makes of a saturated regression.
    oracle = sm.OLS(done.astype(float), columns).fit(cov_type="HC2", use_t=False)
    assert found["interaction_p"].to_list() == pytest.approx([oracle.pvalues[3]] * 2)
    assert set(found["verdict"]) == {"depends on the other"}


def test_experiments_beside_each_other_are_named_and_left_alone() -> None:
    first, second, rng = arms(2)
    found = together(world(first, second, rng.random(len(first)) < 0.3))
    assert set(found["verdict"]) == {"no interaction shown"} and min(found["split_p"]) > 0.001


def test_the_same_split_twice_cannot_be_told_apart() -> None:
    first, _, rng = arms(3)
    found = together(world(first, first, rng.random(len(first)) < 0.3))
    assert set(found["verdict"]) == {"cannot be told apart"}
    assert found["interaction_p"].null_count() == 2


def test_few_units_tell_nothing_and_other_times_or_units_are_no_overlap() -> None:
    first, second, rng = arms(4, 20)
    few = world(first, second, rng.random(20) < 0.5)
    assert together(few)["verdict"].to_list() == ["too few to tell"] * 2
    cart, _ = few
    (_, price) = world(
        first, second, rng.random(20) < 0.5, late=35, until=date(2026, 5, 1), since=date(2026, 4, 1)
    )
    assert together([cart, price]).is_empty()


def test_of_experiments_that_do_not_touch_each_other_few_are_said_to() -> None:
    rng = np.random.default_rng(5)
    names, n, claims, draws = ["old", "new"], 400, 0, 3000
    means = rng.binomial(n, [0.3, 0.4, 0.3, 0.4], (draws, 4)) / n
    for drawn in means:
        cells = {
            (arm, other): {"n": n, "mean": mean, "variance": mean * (1 - mean) * n / (n - 1)}
            for (other, arm), mean in zip([(o, a) for o in names for a in names], drawn, strict=True)
        }
        (p_value,) = differences(cells, names, names)
        claims += p_value < DEPENDS
    # Three standard errors of a share of 1 %.
    assert claims / draws == pytest.approx(DEPENDS, abs=0.0055)
