"""Experiments others have published, read as events and as counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import headway as hw
from headway.statistics.comparisons import sample_ratio, two_proportions

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
START = datetime(2026, 1, 1, tzinfo=UTC)


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here: the shared data are needed")
    return path


def events_of(players: pl.DataFrame) -> pl.DataFrame:
    """Every player exposed at the start, with an event for day 1, one for day 7 and one with the rounds."""
    exposed = players.select(
        "person", event=pl.lit("Exposed"), hours=pl.lit(0), variant="version", rounds=None
    )
    found = [exposed.with_columns(rounds=pl.lit(None, pl.Int64))]
    for name, hours in (("retention_1", 24), ("retention_7", 168)):
        back = players.filter(pl.col(name)).select(
            "person", event=pl.lit(name), hours=pl.lit(hours), variant=pl.lit(None, pl.String)
        )
        found.append(back.with_columns(rounds=pl.lit(None, pl.Int64)))
    found.append(
        players.select(
            "person",
            event=pl.lit("Played"),
            hours=pl.lit(1),
            variant=pl.lit(None, pl.String),
            rounds="sum_gamerounds",
        )
    )
    start = pl.lit(START.replace(tzinfo=None))
    return pl.concat(found).select(
        pl.exclude("hours"), occurred_at=start + pl.duration(hours=pl.col("hours"))
    )


def test_cookie_cats() -> None:
    """Both published rates, and what few who use these data say: the split itself does not hold."""
    players = pl.read_csv(data("cookie_cats/cookie_cats.csv.gz")).rename({"userid": "person"})
    experiment = hw.Experiment(
        "gate",
        ["gate_30", "gate_40"],
        [
            hw.Outcome("day 1", "retention_1", within="14d"),
            hw.Outcome("day 7", "retention_7", within="14d"),
            hw.Outcome("rounds", "Played", "sum:rounds", within="14d"),
        ],
        exposure="Exposed",
        before=None,
    )
    with hw.EventLog(events_of(players), horizon=START + timedelta(days=30)) as log:
        found = experiment.run(log)
        capped = hw.Experiment(
            "gate", ["gate_30", "gate_40"], experiment.metrics, exposure="Exposed", before=None, cap=0.999
        ).run(log)
    rows = {(row["metric"], row["variant"]): row for row in found.rows}
    assert [rows[m, v]["units"] for m in ("day 1",) for v in ("gate_30", "gate_40")] == [44_700, 45_489]
    means = [rows[m, v]["mean"] for m in ("day 1", "day 7") for v in ("gate_30", "gate_40")]
    assert means == pytest.approx([0.448, 0.442, 0.190, 0.182], abs=0.0005)
    assert rows["day 1", "gate_40"]["p_value"] == pytest.approx(0.0744, abs=5e-5)
    assert rows["day 7", "gate_40"]["p_value"] == pytest.approx(0.00155, abs=5e-6)
    split = found.splits.row(0, named=True)
    assert (split["verdict"], round(split["statistic"], 3), round(split["p_value"], 4)) == (
        "suspicious", 6.902, 0.0086,
    )  # fmt: skip
    assert "a sample-ratio mismatch" in found.describe()
    # One player has 49,854 rounds, 2 % of what his arm played in all; cut at a quantile he moves the mean no more.
    rounds = {row["variant"]: row for row in capped.rows if row["metric"] == "rounds"}
    assert rows["rounds", "gate_30"]["mean"] > rounds["gate_30"]["mean"] > 50
    assert abs(rounds["gate_40"]["effect"]) < abs(rows["rounds", "gate_40"]["effect"])


def test_udacity_free_trial() -> None:
    control, screener = (
        pl.read_csv(data(f"udacity_free_trial/{name}.csv"), infer_schema_length=None)
        for name in ("control", "experiment")
    )
    with_outcome = [each.filter(pl.col("Enrollments").is_not_null()) for each in (control, screener)]
    for column, ends in (
        ("Enrollments", (-0.0206, -0.0291, -0.0120)),
        ("Payments", (-0.0049, -0.0116, 0.0019)),
    ):
        (y0, n0), (y, n) = ((float(f[column].sum()), float(f["Clicks"].sum())) for f in with_outcome)
        found = two_proportions(y, n, y0, n0)
        assert [float(each) for each in found[:3]] == pytest.approx(ends, abs=6e-5), column
    for column in ("Pageviews", "Clicks"):
        assert float(sample_ratio([int(f[column].sum()) for f in (control, screener)], [1, 1])[1]) > 0.05
    days = {"Enrollments": 0.0026, "Payments": 0.6776}
    for column, p_value in days.items():
        share, share0 = (np.array(f[column] / f["Clicks"]) for f in with_outcome[::-1])
        assert stats.binomtest(int((share > share0).sum()), 23).pvalue == pytest.approx(p_value, abs=5e-5)


def test_resume_audit_and_search_algorithms() -> None:
    resume = pl.read_csv(data("openintro_experiments/resume.csv.gz"), infer_schema_length=None)
    calls = resume.group_by("race").agg(y=pl.col("received_callback").sum(), n=pl.len()).sort("race")
    (_, y0, n0), (_, y, n) = calls.rows()
    found = two_proportions(y, n, y0, n0)
    assert (y, n, y0, n0) == (235, 2_435, 157, 2_435)
    assert float(found.effect) == pytest.approx(0.032, abs=0.0005)
    assert float(stats.norm.isf(found.p_value / 2)) == pytest.approx(4.11, abs=0.01)
    # Column names are swapped upstream: what is called outcome is the arm.
    search = pl.read_csv(data("openintro_experiments/gsearch.csv.gz"), infer_schema_length=None)
    by_arm = search.group_by("outcome").agg(y=(pl.col("type") == "no new search").sum(), n=pl.len())
    table = [[y, n - y] for _, y, n in by_arm.rows()]
    whole = stats.chi2_contingency(table, correction=False)
    assert (round(float(whole.statistic), 2), whole.dof, round(float(whole.pvalue), 3)) == (6.12, 2, 0.047)
    counts = {arm: (y, n) for arm, y, n in by_arm.rows()}
    control = counts.pop("current")
    # Each against the current algorithm: the score test is the chi-squared test of the two.
    for y, n in counts.values():
        pair = stats.chi2_contingency([[y, n - y], [control[0], control[1] - control[0]]], correction=False)
        assert float(two_proportions(y, n, *control).p_value) == pytest.approx(float(pair.pvalue))
