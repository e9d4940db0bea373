"""Differences in differences: equal to a saturated regression, unbiased, and honest with units that repeat."""

from __future__ import annotations

import os

import numpy as np
import pytest
import statsmodels.api as sm

from headway.errors import InputError
from headway.statistics.did import Panel, group_time
from headway.statistics.intervals import Floats

DRAWS = 20_000 if os.environ.get("HEADWAY_FULL") else 2_000
SLACK = 0.015
PERIODS = 6


def _y(rng: np.random.Generator, shape: tuple[int, ...], level: float) -> Floats:
    """Values of units that keep a level of their own, on top of a course all share."""
    own = rng.standard_normal((*shape, 1))
    course = np.array([0.0, 0.4, 0.1, 0.6, 0.5, 0.9])
    return np.asarray(level + own + course + 0.7 * rng.standard_normal((*shape, PERIODS)))


def _rows(y: Floats, x: Floats | None = None) -> Floats:
    return np.concatenate([y, np.ones(y.shape) if x is None else x], axis=-1)


def test_it_is_a_regression_on_units_with_clustered_errors() -> None:
    rng = np.random.default_rng(2)
    treated, control = _y(rng, (40,), 3.0), _y(rng, (60,), 1.0)
    treated[:, 3:] += 0.8
    found = group_time(Panel.of_units([3, None], [_rows(treated), _rows(control)]))
    y = np.concatenate([treated, control]).ravel()
    unit, period = np.repeat(np.arange(100), PERIODS), np.tile(np.arange(PERIODS), 100)
    group = unit < 40
    times = (period[:, None] == np.arange(PERIODS)).astype(float)
    columns = np.column_stack([times, group, group & (period >= 3)]).astype(float)
    fit = sm.OLS(y, columns).fit(cov_type="cluster", cov_kwds={"groups": unit, "use_correction": False})
    overall = found.overall()
    assert float(overall.effect) == pytest.approx(fit.params[-1], rel=1e-9)
    assert float(overall.error) == pytest.approx(fit.bse[-1] * np.sqrt(100 / 99), rel=1e-9)
    for since in range(3):
        keep = (period < 3) | (period == 3 + since)
        base = np.column_stack([period >= 3, group, group & (period >= 3), np.ones(600)])[keep].astype(float)
        one = sm.OLS(y[keep], base).fit(
            cov_type="cluster", cov_kwds={"groups": unit[keep], "use_correction": False}
        )
        assert float(found.at(since).effect) == pytest.approx(one.params[2], rel=1e-9)
        assert float(found.at(since).error) == pytest.approx(one.bse[2] * np.sqrt(100 / 99), rel=1e-9)


def test_ratios_by_hand_from_sums_alone() -> None:
    # Two people each; the ratio goes from 4/4 to 9/3 where it was rolled out, from 2/4 to 4/4 elsewhere.
    treated = np.array([[1.0, 4, 2, 1], [3.0, 5, 2, 2]])
    control = np.array([[2.0, 4, 3, 2], [0.0, 0, 1, 2]])
    found = group_time(Panel.of_units([1, None], [treated, control])).overall()
    assert float(found.effect) == pytest.approx((9 / 3 - 4 / 4) - (4 / 4 - 2 / 4))


def test_groups_that_come_later_are_compared_with_until_they_start() -> None:
    rng = np.random.default_rng(4)
    early, late = _y(rng, (400,), 2.0), _y(rng, (400,), 0.0)
    early[:, 2:] += 1.0
    late[:, 4:] += 3.0
    found = group_time(Panel.of_units([2, 4], [_rows(early), _rows(late)]))
    # Once the later group has started nobody is left to compare either with.
    assert sorted(zip(found.group.tolist(), found.period.tolist(), strict=True)) == [
        (0, 0), (0, 1), (0, 2), (0, 3)
    ]  # fmt: skip
    assert float(found.overall().effect) == pytest.approx(1.0, abs=0.15)


def test_with_nobody_to_compare_there_is_no_number() -> None:
    rows = _rows(np.ones((5, PERIODS)))
    for starts in ([2, 2], [0, None], [None, None], [9, None]):
        with pytest.raises(InputError, match="nobody can be compared"):
            group_time(Panel.of_units(starts, [rows, rows]))


def test_a_group_without_a_denominator_has_no_number() -> None:
    nothing = _rows(np.zeros((5, PERIODS)), np.zeros((5, PERIODS)))
    found = group_time(Panel.of_units([2, None], [nothing, _rows(np.ones((5, PERIODS)))])).overall()
    assert np.isnan(found.effect)


def _draws(rng: np.random.Generator, *, effect: float, drift: float = 0.0) -> Panel:
    """Panels of a rollout in two steps, to 40 and then 30 units, and 50 without."""
    early, late, never = (_y(rng, (DRAWS, n), level) for n, level in ((40, 2.0), (30, 1.0), (50, 0.0)))
    early[..., 3:] += effect
    late[..., 4:] += effect
    for each in (early, late):
        each += drift * np.arange(PERIODS)
    return Panel.of_units([3, 4, None], [_rows(each) for each in (early, late, never)])


def test_a_planted_effect_lies_within_95_of_100_intervals_and_no_trend_is_found_where_none_is() -> None:
    found = group_time(_draws(np.random.default_rng(21), effect=0.5))
    overall = found.overall()
    low, high = overall.interval()
    assert np.mean((low <= 0.5) & (high >= 0.5)) == pytest.approx(0.95, abs=SLACK)
    assert float(overall.effect.mean()) == pytest.approx(0.5, abs=0.02)
    assert np.mean(found.pre_trend() < 0.05) == pytest.approx(0.05, abs=2 * SLACK)
    assert np.mean(found.placebo().p_value < 0.05) == pytest.approx(0.05, abs=SLACK)


def test_a_planted_trend_before_is_noticed() -> None:
    found = group_time(_draws(np.random.default_rng(22), effect=0.0, drift=0.3))
    assert np.mean(found.pre_trend() < 0.05) > 0.8
    assert np.mean(found.placebo().p_value < 0.05) > 0.8
    # Believed, the drift would pass for an effect.
    assert np.mean(found.overall().p_value < 0.05) > 0.8
