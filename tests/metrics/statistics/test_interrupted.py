"""Interrupted series: equal to generalised least squares, and honest about series whose values follow each other."""

from __future__ import annotations

import os

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from headway.statistics import interrupted
from headway.statistics.calibrated import CORRELATIONS, calibrated_p
from headway.statistics.interrupted import bend_design, seasonal, shift, step_design
from headway.statistics.intervals import Floats

DRAWS = 20_000 if os.environ.get("HEADWAY_FULL") else 2_000
DAYS = np.arange(56)
AFTER = DAYS >= 35
# What 2,000 draws may miss by: three standard errors of a share of 95 %.
SLACK = 0.015


def _noise(rng: np.random.Generator, phi: float, draws: int = DRAWS, days: int = len(DAYS)) -> Floats:
    """Autoregressive noise of variance 1."""
    fresh = rng.standard_normal((draws, days)) * np.sqrt(1 - phi**2)
    series: Floats = np.empty_like(fresh)
    series[:, 0] = rng.standard_normal(draws)
    for day in range(1, days):
        series[:, day] = phi * series[:, day - 1] + fresh[:, day]
    return series


@pytest.mark.parametrize("trend", [True, False])
@pytest.mark.parametrize("phi", [0.0, 0.4, -0.2])
def test_for_one_correlation_it_is_generalised_least_squares(
    phi: float, trend: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupted, "AUTOCORRELATIONS", np.array([phi]))
    rng = np.random.default_rng(3)
    keep = ~np.isin(DAYS, [5, 6, 30, 31, 32])
    at, weights = DAYS[keep], rng.uniform(0.5, 2, keep.sum())
    values = rng.standard_normal(len(at)) + 10 + 2 * AFTER[keep]
    holidays = np.isin(at, [3, 40])
    design = step_design(at, AFTER[keep], seasonal(at, 7, holidays), trend=trend)
    root = np.sqrt(weights / weights.mean())
    sigma = np.array([[phi ** abs(a - b) if a != b else 1.0 for b in at] for a in at]) / np.outer(root, root)
    oracle = sm.GLS(values, design.columns, sigma=sigma).fit()
    found = shift(values, at, design, weights)
    assert float(found.effect) == pytest.approx(oracle.params[-1], rel=1e-9)
    assert float(found.error) == pytest.approx(oracle.bse[-1], rel=1e-9)
    assert float(found.p_value) == pytest.approx(oracle.pvalues[-1], rel=1e-7)
    assert [float(end) for end in found.interval()] == pytest.approx(oracle.conf_int()[-1], rel=1e-8)


def test_over_a_long_series_it_agrees_with_a_regression_with_arima_errors() -> None:
    rng = np.random.default_rng(5)
    days = np.arange(250)
    after = days >= 150
    values = _noise(rng, 0.5, 1, 250)[0] + 3 + 0.8 * after
    design = step_design(days, after, np.ones((250, 1)), trend=False)
    oracle = sm.tsa.SARIMAX(values, exog=design.columns, order=(1, 0, 0)).fit(disp=False)
    found = shift(values, days, design)
    assert float(found.effect) == pytest.approx(oracle.params[1], abs=0.03)
    assert float(found.error) == pytest.approx(oracle.bse[1], rel=0.15)


@pytest.mark.parametrize("phi", [0.0, 0.5])
@pytest.mark.parametrize("trend", [True, False])
def test_a_planted_step_lies_within_95_of_100_intervals(phi: float, trend: bool) -> None:
    rng = np.random.default_rng(11)
    weekdays = np.array([0.0, 0.3, 0.2, 0.1, -0.2, -1.0, -0.8])[DAYS % 7]
    planted = 1.5
    values = 20 + weekdays + 0.03 * trend * DAYS + planted * AFTER + _noise(rng, phi)
    found = shift(values, DAYS, step_design(DAYS, AFTER, seasonal(DAYS, 7), trend=trend))
    low, high = found.interval()
    assert np.mean((low <= planted) & (high >= planted)) == pytest.approx(0.95, abs=SLACK)
    assert float(found.effect.mean()) == pytest.approx(planted, abs=0.12)


def test_least_squares_with_errors_after_newey_and_west_would_be_too_sure() -> None:
    rng = np.random.default_rng(12)
    values = _noise(rng, 0.5, 300)
    design = step_design(DAYS, AFTER, seasonal(DAYS, 7), trend=True)
    options = {"maxlags": 6, "use_correction": True}
    fits = [sm.OLS(each, design.columns).fit(cov_type="HAC", cov_kwds=options, use_t=True) for each in values]
    assert np.mean([fit.pvalues[-1] < 0.05 for fit in fits]) > 0.12
    assert np.mean(shift(values, DAYS, design).p_value < 0.05) < 0.10


def test_a_planted_trend_or_bend_before_is_noticed_and_noise_is_not() -> None:
    rng = np.random.default_rng(13)
    before = DAYS[~AFTER]
    noise = _noise(rng, 0.3, days=len(before))
    season = seasonal(before, 7)
    rising = calibrated_p(noise + 0.12 * before, before, bend_design(before, season, degree=1))
    bent = calibrated_p(noise + 0.01 * (before - 17.0) ** 2, before, bend_design(before, season, degree=2))
    calm = calibrated_p(noise, before, bend_design(before, season, degree=1))
    straight = calibrated_p(noise + 0.12 * before, before, bend_design(before, season, degree=2))
    assert np.mean(rising < 0.05) > 0.9
    assert np.mean(bent < 0.05) > 0.8
    assert np.mean(calm < 0.05) == pytest.approx(0.05, abs=SLACK)
    assert np.mean(straight < 0.05) == pytest.approx(0.05, abs=SLACK)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("phi", [-0.2, 0.0, 0.3, 0.5, 0.7])
def test_of_five_weeks_of_noise_one_in_twenty_is_taken_for_a_trend_however_they_hang_together(
    phi: float, degree: int
) -> None:
    before = DAYS[~AFTER]
    noise = _noise(np.random.default_rng(13), phi, days=len(before))
    found = calibrated_p(
        noise + 0.12 * before * (degree - 1), before, bend_design(before, seasonal(before, 7), degree=degree)
    )
    assert np.mean(found < 0.05) == pytest.approx(0.05, abs=SLACK)
    assert 0.42 < np.mean(found < 0.5) < 0.56


@pytest.mark.parametrize(("phi", "share"), [(0.0, 0.029), (0.3, 0.037), (0.5, 0.043), (0.7, 0.062)])
def test_by_student_s_distribution_it_would_be_careful_or_eager(phi: float, share: float) -> None:
    """What `shift` promises for such a trend: not calibrated, it errs with the correlation that nobody knows."""
    before = DAYS[~AFTER]
    noise = _noise(np.random.default_rng(13), phi, days=len(before))
    found = shift(noise, before, bend_design(before, seasonal(before, 7), degree=1))
    assert np.mean(found.p_value < 0.05) == pytest.approx(share, abs=0.009 + 12 / DRAWS)


def test_four_weeks_with_gaps_and_days_that_are_not_equally_certain_keep_the_promise() -> None:
    days = np.arange(30)[~np.isin(np.arange(30), [4, 5, 17])]
    weights = np.where(days % 7 >= 5, 0.4, 1.5)
    for phi in (0.0, 0.5):
        noise = _noise(np.random.default_rng(17), phi, days=30)[:, days] / np.sqrt(weights)
        found = calibrated_p(noise, days, bend_design(days, seasonal(days, 7), degree=1), weights)
        assert np.mean(found < 0.05) == pytest.approx(0.05, abs=SLACK)


def test_chance_is_what_a_bootstrap_of_every_correlation_finds() -> None:
    """The same probabilities by drawing whole series and looking how often the statistic is as large."""
    days = np.arange(28)
    design = bend_design(days, seasonal(days, 7), degree=1)
    asked = _noise(np.random.default_rng(21), 0.4, 6, 28)
    own = interrupted.weighed(asked, days, design, None, CORRELATIONS)
    seen = np.abs(own.effect / own.error)
    tails = []
    for phi in CORRELATIONS:
        drawn = interrupted.weighed(
            _noise(np.random.default_rng(22), float(phi), 4_000, 28), days, design, None, CORRELATIONS
        )
        chance = np.abs(drawn.effect / drawn.error)
        tails.append([(chance >= each).mean() for each in seen])
    oracle = (own.share * np.array(tails)).sum(axis=0)
    assert calibrated_p(asked, days, design) == pytest.approx(oracle, abs=0.025)


def test_which_weekday_it_begins_with_and_how_it_is_scaled_make_no_difference() -> None:
    noise = _noise(np.random.default_rng(23), 0.3, 5, 35)
    days = np.arange(35)
    told = [
        calibrated_p(
            scale * noise, days + start, bend_design(days + start, seasonal(days + start, 7), degree=2)
        )
        for start, scale in ((0, 1.0), (3, 1.0), (0, 1e-6))
    ]
    assert told[1] == pytest.approx(told[0]) and told[2] == pytest.approx(told[0])


@pytest.mark.parametrize(
    ("at", "values"),
    [
        (np.arange(9), np.arange(9.0)),
        (np.arange(40), np.full(40, 3.0)),
        (np.arange(40), np.zeros(40)),
        (np.arange(40) % 7 + 7 * np.arange(40), np.ones(40)),
    ],
    ids=["too few values", "no noise at all", "all zeros", "nothing to tell"],
)
def test_no_number_where_none_is_warranted(at: NDArray[np.int64], values: Floats) -> None:
    after = np.arange(len(at)) >= len(at) - 4
    found = shift(values, at, step_design(at, after, seasonal(at, 7), trend=True))
    assert np.isnan(found.effect) and np.isnan(found.error)
    assert np.isnan(calibrated_p(values, at, bend_design(at, seasonal(at, 7), degree=2)))


def test_a_step_that_a_holiday_could_explain_is_none() -> None:
    after = DAYS >= 54
    design = step_design(DAYS, after, seasonal(DAYS, 7, after), trend=True)
    assert np.isnan(shift(np.random.default_rng(1).standard_normal(56), DAYS, design).effect)
