"""The ladder as a whole: which estimate is believed, what it is worth, and who earns credit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

from headway.models.product import Product
from headway.releases import (
    Evidence,
    Randomised,
    Release,
    Step,
    estimates_table,
    impact_table,
    read_estimates,
    strongest,
)
from headway.releases.evidence import holm, judged
from headway.releases.impact import BETTER, NOTHING, UNKNOWN, WORSE

FIRST, DAYS, DAY = date(2026, 1, 5), 84, 56
DATA = FIRST, FIRST + timedelta(days=DAYS - 1)
METRICS = ("visits", "orders", "calm")


def make_product() -> Product:
    common = {
        "framework": "aarrr",
        "stage": "activation",
        "title": "T",
        "unit": "events",
        "kind": "count",
        "of": "A",
    }
    told = {name: {**common, "direction": "down" if name == "calm" else "up"} for name in METRICS}
    return Product.model_validate(
        {"name": "P", "timezone": "UTC", "currency": "EUR", "activity": "A", "metrics": told}
    )


def released(name: str = "it", metrics: tuple[str, ...] = ("visits",), **more: Any) -> Release:
    on = FIRST + timedelta(days=DAY)
    return Release(name, name, "release", (Step(on),), datetime(2026, 3, 2), metrics=metrics, **more)


def values(**steps: float) -> pl.DataFrame:
    rng = np.random.default_rng(17)
    frames = []
    for name in METRICS:
        level = 30 + rng.standard_normal(DAYS) + steps.get(name, 0.0) * (np.arange(DAYS) >= DAY)
        frames.append(
            pl.DataFrame({"period_start": [FIRST + timedelta(days=n) for n in range(DAYS)], "value": level})
            .with_columns(metric=pl.lit(name), segment=pl.lit("all"), period=pl.lit("day"), people=pl.lit(40))
            .with_columns(complete=pl.lit(True), suppressed=pl.lit(False), definition_hash=pl.lit("h"))
        )
    return pl.concat(frames)


def impact(
    *told: Evidence,
    release: Release | None = None,
    randomised: tuple[Randomised, ...] = (),
    **steps: float,
) -> pl.DataFrame:
    kinds = dict.fromkeys(METRICS, "count")
    it = release or released()
    return impact_table(make_product(), [it], values(**steps), kinds, told, randomised, data=DATA)


def best(table: pl.DataFrame, metric: str = "visits") -> dict[str, Any]:
    return table.filter("strongest", metric=metric).row(0, named=True)


EXPERIMENT = Randomised("it", "visits", 0.22, 0.1, 0.34, 0.0004, 120, days_to_value=21)
GROUPS = Evidence("it", "visits", "staggered", 0.3, 0.1, 0.5, 0.004, 80, 0.6, (0.4, 0.7), 14)


def test_an_experiment_outranks_what_series_say_and_earns_credit() -> None:
    row = best(impact(GROUPS, randomised=(EXPERIMENT,), visits=3.0))
    assert (row["rung"], row["grade"], row["verdict"], row["credited"]) == ("randomised", "A", BETTER, True)
    assert row["people"] == 120
    assert (row["effect"], row["low"], row["high"], row["days_to_value"]) == (0.22, 0.1, 0.34, 21)
    assert row["reason"] == "randomised exposure is graded A at best"


@pytest.mark.parametrize("intended", [True, False])
def test_what_its_experiment_decides_by_a_release_was_meant_to_change(intended: bool) -> None:
    """Also where that is a metric of the product and the log of releases names none."""
    experiment = replace(EXPERIMENT, intended=intended)
    row = best(impact(release=released(metrics=()), randomised=(experiment,)))
    assert (row["intended"], row["credited"]) == (intended, intended)


def test_every_rung_that_could_be_tried_is_shown() -> None:
    table = impact(GROUPS, randomised=(EXPERIMENT,), visits=3.0).filter(metric="visits")
    assert table.select("rung", "grade", "strongest").rows() == [
        ("randomised", "A", True), ("staggered", "B", False), ("interrupted", "D", False), ("before_after", "E", False)
    ]  # fmt: skip


def test_a_release_that_did_nothing_gets_no_credit_by_any_rung() -> None:
    null = replace(GROUPS, effect=0.05, low=-0.15, high=0.25, p_value=0.6)
    table = impact(null)
    assert not table["credited"].any()
    assert best(table)["verdict"] == NOTHING
    assert table.filter("strongest")["verdict"].unique().to_list() == [NOTHING]


def test_a_series_alone_is_a_hint_and_earns_no_credit() -> None:
    row = best(impact(visits=3.0))
    assert (row["rung"], row["grade"], row["verdict"], row["credited"]) == ("interrupted", "D", BETTER, False)


def test_more_of_what_should_be_less_is_worse() -> None:
    it = released(metrics=("calm",))
    row = best(impact(replace(GROUPS, metric="calm"), release=it), "calm")
    assert (row["verdict"], row["credited"]) == (WORSE, False)


def test_what_was_taken_back_earns_no_credit() -> None:
    it = released(rolled_back_on=FIRST + timedelta(days=70))
    assert not best(impact(GROUPS, release=it))["credited"]


def test_a_metric_it_was_not_meant_for_earns_no_credit() -> None:
    row = best(impact(replace(GROUPS, metric="orders")), "orders")
    assert (row["verdict"], row["intended"], row["credited"]) == (BETTER, False, False)


def test_several_metrics_share_one_chance_of_a_false_alarm() -> None:
    it = released(metrics=("visits", "orders"))
    weak = replace(GROUPS, p_value=0.03)
    table = impact(weak, replace(weak, metric="orders", p_value=0.4), release=it)
    assert best(table)["adjusted_p"] == 0.06
    assert best(table)["verdict"] == NOTHING


def test_a_refused_rung_is_shown_with_its_reason_and_the_next_is_believed() -> None:
    refused = judged(replace(GROUPS, pre_trend=0.01))
    table = impact(refused, visits=3.0)
    assert best(table)["rung"] == "interrupted"
    shown = table.filter(rung="staggered").row(0, named=True)
    assert shown["grade"] is None
    assert shown["reason"] == "no grade: the groups had been going different ways before (p = 0.010)"
    ratio = replace(EXPERIMENT, refused="the arms are not of the planned sizes")
    row = impact(randomised=(ratio,), visits=3.0).filter(rung="randomised").row(0, named=True)
    assert row["reason"] == "no grade: the arms are not of the planned sizes"


def test_groups_of_few_people_are_hidden_with_everything_they_tell() -> None:
    table = impact(replace(GROUPS, people=9), randomised=(replace(EXPERIMENT, people=3),))
    for row in table.filter(pl.col("rung").is_in(["randomised", "staggered"])).iter_rows(named=True):
        assert row["suppressed"]
        assert [row[name] for name in ("effect", "low", "high", "p_value", "people", "pre_trend_p")] == [
            None
        ] * 6
        assert row["reason"] == "no grade: fewer than 10 people in one of the groups"


def test_without_any_estimate_that_is_said_for_every_metric() -> None:
    kinds = dict.fromkeys(METRICS, "count")
    few = values().filter(pl.col("period_start") < FIRST + timedelta(days=9))
    table = impact_table(make_product(), [released()], few, kinds, (), data=DATA)
    assert table["verdict"].to_list() == [UNKNOWN] * 6
    assert not table["strongest"].any()


def test_deploys_and_what_is_still_to_come_are_not_assessed() -> None:
    deploy = replace(released(metrics=()), kind="deploy")
    assert impact(release=deploy).is_empty()
    later = replace(released(), steps=(Step(DATA[1] + timedelta(days=5)),))
    assert impact(release=later).is_empty()


def test_holm_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(5)
    for size in (1, 2, 7):
        p = rng.random(size).tolist()
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_grades_fall_by_one_for_each_weakness_and_end_below_e() -> None:
    grades = [replace(GROUPS, weakened=("w",) * n).grade for n in range(5)]
    assert grades == ["B", "C", "D", "E", None]


def test_of_equal_grades_the_higher_rung_is_believed() -> None:
    series = Evidence("it", "visits", "matched", 0.1, 0.0, 0.2, 0.04, 50)
    chosen = strongest([series, replace(GROUPS, weakened=("w",))])
    assert chosen is not None and chosen.rung == "staggered"


def test_a_placebo_pays_for_being_one_of_several() -> None:
    assert judged(replace(GROUPS, placebos=(0.03, 0.9))).grade == "B"
    assert "a start that never was has an effect too" in judged(replace(GROUPS, placebos=(0.03,))).reason


def test_evidence_survives_being_kept() -> None:
    kept = (
        GROUPS,
        judged(replace(GROUPS, pre_trend=0.01, weakened=("a; b", "c"))),
        Evidence("x", "y", "matched"),
    )
    assert tuple(read_estimates(estimates_table(kept))) == kept
