"""Survival curves against other software, and how often their intervals hold the truth."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from headway.errors import InputError
from headway.statistics.survival import kaplan_meier


@pytest.mark.parametrize("seed", range(8))
def test_equals_scipy_and_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lost, censored = rng.integers(0, 6, 9), rng.integers(0, 4, 9)
    lost[0] = 0
    curve = kaplan_meier(lost, censored)
    times = np.arange(9.0)
    gone, unknown = np.repeat(times, lost), np.repeat(times, censored)
    ecdf: Any = stats.ecdf(stats.CensoredData(uncensored=gone, right=unknown)).sf
    assert curve.survival == pytest.approx(ecdf.evaluate(times))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy warns where the interval is not defined
        interval = ecdf.confidence_interval(method="log-log")
    inside = (curve.survival > 0) & (curve.survival < 1)
    for ours, theirs in ((curve.low, interval.low), (curve.high, interval.high)):
        assert ours[inside] == pytest.approx(theirs.evaluate(times)[inside])
        assert np.isnan(ours[~inside]).all()
    died = np.repeat([1, 0], [lost.sum(), censored.sum()])
    other = SurvfuncRight(np.concatenate([gone, unknown]), died)
    assert curve.at_risk[other.surv_times.astype(int)] == pytest.approx(other.n_risk)


def test_by_hand() -> None:
    # Ten people; two lost at 1, one last seen at 1, three lost at 2 of the seven left.
    curve = kaplan_meier([0, 2, 3], [0, 1, 4])
    assert curve.at_risk.tolist() == [10, 10, 7]
    assert curve.survival.tolist() == pytest.approx([1, 0.8, 0.8 * 4 / 7])
    assert np.isnan(curve.low[0]) and np.isnan(curve.high[0])


def test_nobody_left_and_nobody_at_all() -> None:
    curve = kaplan_meier([0, 1, 1], [0, 0, 0])
    assert curve.survival.tolist() == [1.0, 0.5, 0.0] and np.isnan(curve.high[2])
    assert kaplan_meier([], []).survival.size == 0
    assert kaplan_meier([0], [0]).survival.tolist() == [1.0]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """2,000 seeded draws of 80 people, lost with chance 0.2 a period, censored at a random one."""
    rng = np.random.default_rng(7)
    draws, people, periods = 2000, 80, 6
    held = np.zeros(periods)
    for _ in range(draws):
        lives, ends = rng.geometric(0.2, people), rng.integers(3, periods + 6, people)
        lost = np.bincount(lives[lives <= ends], minlength=40)[:40]
        censored = np.bincount(ends[lives > ends], minlength=40)[:40]
        curve = kaplan_meier(lost, censored)
        truth = 0.8 ** np.arange(periods)
        held += (curve.low[:periods] <= truth) & (truth <= curve.high[:periods])
    assert ((held[1:] / draws > 0.93) & (held[1:] / draws < 0.975)).all(), held / draws


@pytest.mark.parametrize(
    ("lost", "censored", "confidence"),
    [([-1], [0], 0.95), ([1], [0, 1], 0.95), ([[1]], [[1]], 0.95), ([1], [1], 1.0)],
)
def test_wrong_input_is_named(lost: list[int], censored: list[int], confidence: float) -> None:
    with pytest.raises(InputError):
        kaplan_meier(lost, censored, confidence)
