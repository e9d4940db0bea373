"""What experiments claim, over many experiments drawn from known worlds: errors, coverage, bias."""

from __future__ import annotations

import os

import numpy as np
import pytest

from headway.statistics.arms import ArmSums, Moments, cuped, moments, within_strata
from headway.statistics.bayes import posterior
from headway.statistics.comparisons import (
    Comparison,
    lift_delta,
    lift_fieller,
    sample_ratio,
    two_proportions,
    welch,
)
from headway.statistics.heterogeneity import shrunken
from headway.statistics.sequential import confidence_sequence

DRAWS = 20_000 if os.environ.get("HEADWAY_FULL") else 2_000
#: Three standard errors of a share of five per cent.
ROOM = 3 * np.sqrt(0.05 * 0.95 / DRAWS)


def arms_of(arms: Moments) -> Comparison:
    """The second arm against the first; arms along the last axis."""
    (n0, n), (mean0, mean), (variance0, variance) = (np.moveaxis(each, -1, 0) for each in arms[:3])
    return welch(n, mean, variance, n0, mean0, variance0)


def covered(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    return float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("units", [60, 300])
def test_means_of_skewed_amounts_err_as_seldom_as_said(units: int) -> None:
    rng = np.random.default_rng(1)
    y = rng.gamma(0.5, 10, (DRAWS, 2, units)) * (rng.random((DRAWS, 2, units)) < 0.6)
    found = arms_of(moments(ArmSums.of_units(y)))
    assert 0.03 < np.mean(found.p_value < 0.05) < 0.05 + ROOM
    assert 0.95 - ROOM < covered(found.low, found.high, 0.0) < 0.97


def test_proportions_cover() -> None:
    y = np.random.default_rng(3).binomial([400, 300], [0.12, 0.08], (DRAWS, 2))
    found = two_proportions(y[:, 0], 400, y[:, 1], 300)
    assert abs(covered(found.low, found.high, 0.04) - 0.95) < ROOM + 0.005


def test_effects_within_phases_err_as_seldom_as_said_where_the_split_changed() -> None:
    """Later units pay more often and get the variant more often: added up, nearly every experiment would claim it."""
    rng = np.random.default_rng(31)
    shares, units = ((0.1, 0.1), (0.4, 0.4)), ((300, 300), (80, 720))
    phases = []
    for pair, n in zip(shares, units, strict=True):
        y = rng.binomial(n, pair, (DRAWS, 2)).astype(float)
        first = np.stack([y, np.broadcast_to(n, y.shape), 0 * y, np.broadcast_to(n, y.shape)], axis=-1)
        second = np.zeros((DRAWS, 2, 4, 4))
        for at in range(4):
            for to in range(4):
                both = 2 in (at, to)
                second[..., at, to] = 0 if both else y if 0 in (at, to) else n
        phases.append(ArmSums(np.broadcast_to(np.array(n, float), y.shape), first, second))
    naive = arms_of(moments(phases[0] + phases[1]))
    found = arms_of(within_strata([moments(each) for each in phases]))
    assert np.mean(naive.p_value < 0.05) > 0.95
    assert abs(np.mean(found.p_value < 0.05) - 0.05) < ROOM + 0.01
    assert abs(covered(found.low, found.high, 0.0) - 0.95) < ROOM + 0.01
    assert abs(float(np.mean(found.effect))) < 3 * float(np.std(found.effect)) / np.sqrt(DRAWS)


def test_lifts_cover_by_both_methods() -> None:
    y = np.random.default_rng(4).gamma(1, 10, (DRAWS, 2, 200)) * np.array([[1.0], [1.2]])
    arms = moments(ArmSums.of_units(y))
    error = np.sqrt(arms.variance / arms.n)
    for method in (lift_delta, lift_fieller):
        found = method(arms.mean[:, 1], error[:, 1], arms.mean[:, 0], error[:, 0], degrees=398)
        assert abs(covered(found.low, found.high, 0.2) - 0.95) < ROOM + 0.005


def test_ratios_of_units_with_many_events_err_as_often_as_said() -> None:
    rng = np.random.default_rng(5)
    x = 1 + rng.negative_binomial(1, 0.2, (DRAWS, 2, 150))
    y = rng.binomial(x, rng.beta(2, 3, x.shape))
    assert abs(np.mean(arms_of(moments(ArmSums.of_units(y, x))).p_value < 0.05) - 0.05) < ROOM + 0.005


def test_cuped_is_unbiased_covers_and_is_narrower() -> None:
    rng = np.random.default_rng(6)
    c = rng.gamma(2, 5, (DRAWS, 2, 150))
    y = 0.8 * c + rng.gamma(2, 3, c.shape) + np.array([[0.0], [1.0]])
    arms = moments(ArmSums.of_units(y, c=c))
    found, plain = arms_of(cuped(arms).moments), arms_of(arms)
    bias = float(np.mean(found.effect) - 1.0)
    assert abs(bias) < 3 * float(np.std(found.effect)) / np.sqrt(DRAWS)
    assert abs(covered(found.low, found.high, 1.0) - 0.95) < ROOM + 0.005
    assert np.mean(found.error) < 0.65 * np.mean(plain.error)


def _looks(looks: int, batch: int, shares: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effect, its error and the units so far, for every path and look: sums of what came between looks."""
    came = np.random.default_rng(7).binomial(batch, shares, (DRAWS, looks, 2))
    n = batch * np.arange(1, looks + 1)
    share = np.cumsum(came, axis=1) / n[:, None]
    error = np.sqrt((share * (1 - share)).sum(-1) / (n - 1))
    return share[..., 1] - share[..., 0], error, 2 * n


def test_looking_all_the_time_does_no_harm_to_sequences() -> None:
    """200 looks, the first after 200 units: a fixed-sample test errs in a third of the worlds without any effect."""
    effect, error, n = _looks(200, 100, (0.2, 0.2))
    found = confidence_sequence(effect, error, n, tuned_to=5_000)
    assert np.mean(((found.low > 0) | (found.high < 0)).any(1)) < 0.05 + ROOM
    assert np.mean((found.p_value < 0.05).any(1)) < 0.05 + ROOM
    assert np.mean((np.abs(effect / error) > 1.96).any(1)) > 0.25


def test_sequences_find_what_is_there() -> None:
    effect, error, n = _looks(100, 100, (0.2, 0.25))
    found = confidence_sequence(effect, error, n)
    assert np.mean((found.low > 0).any(1)) > 0.95
    assert np.mean(((found.low <= 0.05) & (found.high >= 0.05)).all(1)) > 0.95 - ROOM


def test_posteriors_are_calibrated_where_the_prior_is_true() -> None:
    rng = np.random.default_rng(8)
    truth = rng.normal(0, 0.3, DRAWS)
    found = posterior(rng.normal(truth, 0.2), 0.2, prior_deviation=0.3)
    assert abs(np.mean((found.low <= truth) & (truth <= found.high)) - 0.95) < ROOM
    sure = found.chance > 0.8
    assert abs(np.mean(truth[sure] > 0) - np.mean(found.chance[sure])) < 0.04


def test_shrunken_effects_are_closer_to_the_truth_and_cover() -> None:
    rng = np.random.default_rng(9)
    truth = rng.normal(0.1, 0.1, (DRAWS // 4, 12))
    errors = np.linspace(0.05, 0.3, 12)
    seen = rng.normal(truth, errors)
    found = [shrunken(row, errors) for row in seen]
    effect = np.array([each.effect for each in found])
    inside = [(each.low <= row) & (row <= each.high) for each, row in zip(found, truth, strict=True)]
    assert np.mean((effect - truth) ** 2) < 0.5 * np.mean((seen - truth) ** 2)
    assert 0.93 < np.mean(inside) < 0.98


def test_splits_as_planned_are_seldom_called_broken() -> None:
    rng = np.random.default_rng(10)
    counts = rng.multinomial(2_000, [0.8, 0.1, 0.1], DRAWS)
    assert abs(np.mean(sample_ratio(counts, [8, 1, 1])[1] < 0.05) - 0.05) < ROOM
    broken = rng.multinomial(2_000, [0.74, 0.13, 0.13], DRAWS)
    assert np.mean(sample_ratio(broken, [8, 1, 1])[1] < 0.001) > 0.95
