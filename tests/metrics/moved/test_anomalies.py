"""Days nobody expected: planted ones are found, weekdays are not, and noise seldom is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from moved_oracle import HIDDEN, Row, cell, hidden, table
from scipy import stats

from headway.moved import metric_anomalies
from headway.moved.anomalies import BY_DAY, BY_WEEK, NO_NOISE, TOO_LITTLE
from headway.moved.expectation import CONFIDENCE, expected
from headway.statistics.intervals import Floats

MONDAY = date(2026, 3, 2)
WEEK = np.array([10.0, 12.0, 11.0, 12.0, 9.0, 4.0, 3.0])
DAYS = 70


def noise(seed: int, days: int = DAYS, size: float = 0.5) -> Floats:
    chance: Floats = np.random.default_rng(seed).normal(0, size, days)
    values: Floats = np.tile(WEEK, 20)[:days] + 0.03 * np.arange(days) + chance
    return values


def days(values: Floats, period: str = "day") -> list[Row]:
    step = 7 if period == "week" else 1
    return [cell(MONDAY + timedelta(step * n), float(v), period=period) for n, v in enumerate(values)]


def judged(rows: list[Row], kind: str = "quantile", first_day: date | None = None) -> pl.DataFrame:
    return metric_anomalies(table(rows), {"m": kind}, first_day=first_day)


def flagged(rows: list[Row], kind: str = "quantile") -> list[date]:
    return judged(rows, kind).filter("is_anomaly")["period_start"].to_list()


def test_weekdays_are_expected_and_a_planted_day_is_not() -> None:
    values = noise(1)
    assert flagged(days(values)) == []
    values[65] += 5  # a Wednesday
    found = judged(days(values))
    row = found.filter("is_anomaly").row(0, named=True)
    assert (found["is_anomaly"].sum(), row["period_start"]) == (1, MONDAY + timedelta(65))
    # 11 on Wednesdays and 0.03 a day
    assert row["expected"] == pytest.approx(11 + 0.03 * 65, abs=0.5)
    assert row["low"] < row["expected"] < row["high"] < row["value"] == values[65]
    assert (row["method"], row["reason"]) == (BY_DAY.method, None)


def test_a_usual_value_on_the_wrong_weekday_is_found() -> None:
    values = noise(2)
    values[DAYS - 2] = 13.0  # a Saturday like a Tuesday
    assert flagged(days(values)) == [MONDAY + timedelta(DAYS - 2)]


def test_outliers_of_the_past_hide_no_later_one() -> None:
    """So many that by least squares none of them lies three standard deviations away."""
    values = noise(3)
    values[[3, 5, 11, 16, 20, 25, 30, 34, 39, 43, 48, 52]] += 40
    values[66] -= 5
    assert flagged(days(values)) == [MONDAY + timedelta(66)]


def test_what_was_ten_weeks_ago_does_not_count() -> None:
    values = noise(20, 110)
    long_ago = np.where(np.arange(110) < 40, 500.0 * (np.arange(110) % 3), values)
    found = judged(days(long_ago))
    assert found.equals(judged(days(values)))
    assert found["is_anomaly"].sum() == 0


def test_the_latest_complete_days_are_judged_and_a_later_one_is_not_looked_at() -> None:
    rows = days(noise(4))
    late = rows[-1] | {"complete": False, "value": 0.0}
    found = judged([*rows[:-1], late])
    assert found["period_start"].to_list() == [MONDAY + timedelta(n) for n in range(55, 69)]
    assert found["is_anomaly"].to_list() == [False] * 14
    # Nor does a period before the log began.
    assert judged(rows, first_day=MONDAY).equals(judged(rows))
    assert judged(rows, first_day=MONDAY + timedelta(40))["reason"].unique().to_list() == [TOO_LITTLE]


def test_hidden_days_are_not_judged_and_what_they_hide_changes_nothing() -> None:
    values = noise(5)
    values[[10, 60, 66]] = 900.0
    rows = days(values)
    for at in (10, 60, 66):
        rows[at] = hidden(rows[at])
    found = judged(rows)
    assert found["is_anomaly"].sum() == 0
    gone = found.filter(pl.col("reason").is_not_null())
    assert gone.select("period_start", "value", "expected", "is_anomaly", "reason").rows() == [
        (MONDAY + timedelta(at), None, None, None, HIDDEN) for at in (60, 66)
    ]


def test_too_little_history_and_no_noise_are_reasons() -> None:
    rows = days(noise(6, 41))
    found = judged(rows)
    assert found["reason"].to_list() == [TOO_LITTLE] * 14
    assert found["is_anomaly"].null_count() == 14
    assert judged(days(noise(6, 42)))["reason"].null_count() == 14
    assert judged(days(np.ones(DAYS)))["reason"].to_list() == [NO_NOISE] * 14
    assert judged(days(np.tile(WEEK, 10)))["reason"].to_list() == [NO_NOISE] * 14
    assert judged([]).is_empty()


def test_a_metric_without_days_is_judged_by_week() -> None:
    values = 50 + np.random.default_rng(7).normal(0, 1, 52)
    values[49] += 9
    found = judged(days(values, "week"))
    assert found["period_start"].to_list() == [MONDAY + timedelta(7 * n) for n in range(48, 52)]
    assert found["is_anomaly"].to_list() == [False, True, False, False]
    assert found["method"].unique().to_list() == [BY_WEEK.method]


def test_segments_and_other_periods_are_not_judged() -> None:
    rows = days(noise(8))
    more = [row | {"segment": "channel=a"} for row in rows] + days(noise(9)[:60], "week")
    assert judged([*rows, *more]).equals(judged(rows))


def test_numbers_vary_with_their_size_and_never_fall_below_0() -> None:
    rng = np.random.default_rng(10)
    values = rng.poisson(np.tile([400, 400, 400, 400, 400, 9, 4], 10)).astype(float)
    found = judged(days(values), "count")
    width = (found["high"] - found["low"]).to_list()
    assert min(width[:5]) > 2.5 * max(width[5:7])
    assert (found["low"] >= 0).all() and not found["is_anomaly"].any()
    wild = judged(days(rng.choice([0.0, 30.0], DAYS)), "count")
    assert (wild["low"] == 0).all()
    negative = judged(days(values - 5), "total")
    assert negative["is_anomaly"].null_count() == 0


def test_days_of_few_people_have_wider_ranges() -> None:
    rng = np.random.default_rng(11)
    people = np.tile([900, 900, 900, 900, 900, 30, 30], 10)
    yes = rng.binomial(people, 0.3)
    rows = [
        cell(MONDAY + timedelta(n), float(y), float(x), period="day")
        for n, (y, x) in enumerate(zip(yes, people, strict=True))
    ]
    for kind in ("proportion", "mean"):
        found = judged(rows, kind)
        width = (found["high"] - found["low"]).to_list()
        assert min(width[5:7]) > 3 * max(width[:5])
        assert not found["is_anomaly"].any()
    assert judged(rows, "proportion")["low"].min() >= 0  # type: ignore[operator]


Draw = Callable[[np.random.Generator, int], tuple[list[Row], str]]


def normal(rng: np.random.Generator, n: int) -> tuple[list[Row], str]:
    return days(np.tile(WEEK, 20)[:n] + rng.normal(0, 1, n)), "mean"


def counts(rng: np.random.Generator, n: int) -> tuple[list[Row], str]:
    return days(rng.poisson(np.tile(WEEK, 20)[:n] * 10).astype(float)), "count"


def shares(rng: np.random.Generator, n: int) -> tuple[list[Row], str]:
    people = rng.poisson(np.tile(WEEK, 20)[:n] * 20)
    yes = rng.binomial(people, 0.1)
    rows = [
        cell(MONDAY + timedelta(at), float(y), float(x), period="day")
        for at, (y, x) in enumerate(zip(yes, people, strict=True))
    ]
    return rows, "proportion"


@pytest.mark.parametrize(("draw", "n"), [(normal, 42), (normal, 70), (counts, 70), (shares, 70)])
def test_noise_is_seldom_an_anomaly(draw: Draw, n: int) -> None:
    """0.2 % of the days; of 80 x 14 days 2.2 are expected, and 9 or more have a probability of 0.1 %."""
    rng = np.random.default_rng(12)
    rows, kind, worlds = [], "", 80
    for world in range(worlds):
        own, kind = draw(rng, n)
        rows += [row | {"metric": f"m{world}"} for row in own]
    found = metric_anomalies(table(rows), {f"m{world}": kind for world in range(worlds)})
    assert found.height == worlds * 14 and found["is_anomaly"].null_count() == 0
    number = int(found["is_anomaly"].sum())
    assert stats.binomtest(number, found.height, 1 - CONFIDENCE).pvalue > 0.001


@pytest.mark.parametrize("n", [42, 70])
def test_the_range_holds_what_it_says(n: int) -> None:
    rng = np.random.default_rng(15)
    outside = []
    for _ in range(60):
        values = np.tile(WEEK, 20)[:n] + rng.normal(0, 1, n)
        low, high = expected(values, np.arange(n), np.ones(n), confidence=0.95).range
        outside.append(np.mean((values < low) | (values > high)))
    assert 0.035 < np.mean(outside) < 0.06


def test_without_outliers_it_is_the_least_squares_line_through_the_other_days() -> None:
    """The prediction interval of statsmodels for a day that was left out of the fit."""
    values = np.tile(WEEK, 10) + np.random.default_rng(13).uniform(-1, 1, DAYS)
    at = np.arange(DAYS)
    found = expected(values, at, np.ones(DAYS))
    time = 2 * at / (DAYS - 1) - 1
    columns = np.column_stack([np.eye(7)[at % 7], time, (3 * time**2 - 1) / 2])
    for day in (0, 30, 69):
        others = np.delete(at, day)
        fit = sm.OLS(values[others], columns[others]).fit()
        frame = fit.get_prediction(columns[[day]]).summary_frame(alpha=1 - CONFIDENCE)
        assert found.value[day] == pytest.approx(frame["mean"].iloc[0])
        # The noise is estimated with the day, and made larger by 1.4 % as if days beyond three deviations had been cut.
        width = found.range.high[day] - found.range.low[day]
        assert width == pytest.approx((frame["obs_ci_upper"] - frame["obs_ci_lower"]).iloc[0], rel=0.04)


def test_a_day_that_alone_holds_its_weekday_is_not_judged() -> None:
    at = np.array([n for n in range(DAYS) if n % 7 != 6 or n == 62])
    found = expected(noise(16)[at], at, np.ones(at.size))
    assert np.isnan(found.value).tolist() == (at == 62).tolist()


def test_weekdays_that_contradict_themselves_are_not_judged_by_others() -> None:
    """Two Sundays, far apart: neither is usual, so that nothing says what a third would be."""
    at = np.array([n for n in range(DAYS) if n % 7 != 6 or n in (34, 62)])
    values = noise(17)
    values[34], values[62] = 300.0, -300.0
    found = expected(values[at], at, np.ones(at.size))
    low, high = found.range
    usual = ~np.isin(at, (34, 62))
    assert np.isnan(found.value[~usual]).all()
    assert ((low <= values[at]) & (values[at] <= high))[usual].all()
    assert (high - low)[usual].max() < 10
