"""Noise: its distribution, what it hides, and the values and intervals that follow from noisy sums.

Noise comes from the operating system and cannot be seeded; the tests of its distribution fail by chance once in 100,000
runs.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import polars as pl
import pytest
from opendp.accuracy import discrete_laplacian_scale_to_accuracy
from scipy import stats

from headway.errors import HeadwayError
from headway_pipelines.noise import mechanism
from headway_pipelines.noise.mechanism import MISSING, margin_of, with_laplace
from headway_pipelines.noise.sums import Bound, noisy_sums, values_of

CHANCE = 1e-5


def cells(estimate: str, people: list[int], numerator: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"estimate": estimate, "people": people, "numerator": numerator})


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(1, 0.5), (3, 1.0)])
def test_noise_is_discrete_laplace_of_sensitivity_by_epsilon(sensitivity: int, epsilon: float) -> None:
    """Oracle: `scipy.stats.dlaplace`, by a chi-squared test of how often each step was drawn."""
    drawn = with_laplace([70] * 20_000, sensitivity=sensitivity, epsilon=epsilon)
    seen = Counter(abs(each - 70) if abs(each - 70) < 9 else 9 for each in drawn)
    expected = np.array(
        [stats.dlaplace.pmf(step, epsilon / sensitivity) * (2 if step else 1) for step in range(9)]
    )
    expected = np.append(expected, 1 - expected.sum()) * len(drawn)
    assert stats.chisquare([seen[step] for step in range(10)], expected).pvalue > CHANCE
    up = sum(each > 70 for each in drawn)
    assert stats.binomtest(up, sum(each != 70 for each in drawn)).pvalue > CHANCE


def test_with_and_without_a_person_every_result_is_about_as_likely() -> None:
    """What epsilon promises, counted: no result is more than exp(epsilon) times as likely with somebody."""
    epsilon, many = 1.0, 20_000
    without = Counter(with_laplace([40] * many, sensitivity=1, epsilon=epsilon))
    somebody = Counter(with_laplace([41] * many, sensitivity=1, epsilon=epsilon))
    for result in range(38, 44):
        a, b = without[result], somebody[result]
        slack = 5 * (1 / a + 1 / b) ** 0.5
        assert abs(np.log(a / b)) < epsilon + slack


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0, 7.5, 40.0, 5e5])
def test_the_margin_is_exceeded_once_in_twenty_times(scale: float) -> None:
    """Oracles: the distribution function of scipy, and OpenDP's own accuracy, which rounds up to where P < alpha."""
    margin = margin_of(scale)
    assert stats.dlaplace.cdf(margin, 1 / scale) - stats.dlaplace.cdf(-margin - 1, 1 / scale) >= 0.95
    assert margin == 0 or stats.dlaplace.sf(margin - 1, 1 / scale) * 2 > 0.05
    assert margin <= np.ceil(discrete_laplacian_scale_to_accuracy(scale, 0.05)) <= margin + 1


@pytest.mark.parametrize(
    ("estimate", "bound"), [("mean", Bound(8.0)), ("mean", Bound(19.99, whole=False)), ("total", Bound(8.0))]
)
def test_noise_hides_the_most_that_a_person_adds(
    estimate: str, bound: Bound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By how much somebody with nothing, half or all of the most moves the numbers that noise is added to."""
    asked: list[tuple[list[int], int]] = []

    def note(numbers: list[int], *, sensitivity: int, epsilon: float) -> list[int]:
        asked.append((list(numbers), sensitivity))
        return list(numbers)

    monkeypatch.setattr("headway_pipelines.noise.sums.with_laplace", note)
    most = bound.at_most
    for more in (0.0, most / 2, most):
        noisy_sums(cells(estimate, [20, 21], [30.0, 30.0 + more]), bound, 1.0)
    assert len(asked) == 6
    moved = [(abs(numbers[1] - numbers[0]), sensitivity) for numbers, sensitivity in asked]
    assert all(by <= sensitivity for by, sensitivity in moved)
    # And no more than it takes.
    assert max(by / sensitivity for by, sensitivity in moved if sensitivity > 1) > 0.99


def test_those_who_did_it_and_the_others_get_noise_of_their_own() -> None:
    sums = noisy_sums(cells("proportion", [500] * 2_000, [200.0] * 2_000), Bound(), 1.0)
    did, others = sums["y"] - 200, sums["n"] - sums["y"] - 300
    assert abs(np.corrcoef(did, others)[0, 1]) < 0.12
    assert float(did.to_numpy().var()) == pytest.approx(float(stats.dlaplace.var(1.0)), rel=0.35)


def test_values_are_made_of_noisy_sums_by_hand() -> None:
    schema = {
        "n": pl.Float64,
        "y": pl.Float64,
        "at_most": pl.Float64,
        "n_margin": pl.Float64,
        "y_margin": pl.Float64,
    }
    rows = [
        (103.0, 103.0, 1.0, 6.0, 6.0),
        (50.0, 20.0, 1.0, 3.0, 3.0),
        (10.0, 15.0, 8.0, 1.0, 5.0),
        (4.0, -2.0, 8.0, 1.0, 5.0),
    ]
    kinds = pl.Series("estimate", ["count", "proportion", "mean", "total"])
    told = values_of(pl.DataFrame(rows, schema=schema, orient="row").with_columns(kinds))
    # The mean is half of the most and the excess over it by person.
    assert told["value"].to_list() == [103.0, 0.4, 5.5, 0.0]
    assert told["numerator"].to_list() == [103.0, 20.0, 55.0, 0.0]
    assert told["denominator"].to_list() == [None, 50.0, 10.0, None]
    assert told["people"].to_list() == [103, 50, 10, 4]
    assert told["noise_margin"].to_list() == pytest.approx(
        [6.0, (0.4**2 + 0.6**2) ** 0.5 * 3 / 50, (25 + 1.5**2) ** 0.5 / 10, 5.0]
    )
    chance = 1.959964 * (5.5 * 2.5 / 10) ** 0.5
    wide = (chance**2 + told["noise_margin"][2] ** 2) ** 0.5
    assert (told["low"][2], told["high"][2]) == pytest.approx((5.5 - wide, 5.5 + wide))
    assert told["interval_method"].to_list()[:2] == ["poisson exact, with noise", "wilson, with noise"]


@pytest.mark.parametrize("estimate", ["count", "proportion", "mean", "total"])
def test_intervals_hold_the_truth_as_often_as_they_say(
    estimate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 seeded worlds: people come by chance, do it by chance, and scipy's noise of the same law is added."""
    chance, many, most = np.random.default_rng(20), 2_000, 6.0

    def seeded(numbers: list[int], *, sensitivity: int, epsilon: float) -> list[int]:
        law = stats.dlaplace(epsilon / sensitivity)
        return [
            n + int(step) for n, step in zip(numbers, law.rvs(len(numbers), random_state=chance), strict=True)
        ]

    monkeypatch.setattr("headway_pipelines.noise.sums.with_laplace", seeded)
    people = chance.poisson(120, many)
    amounts = [chance.choice([0.0, 0.0, 1.0, 2.0, 6.0], n) for n in people]
    did = {"proportion": chance.binomial(people, 0.3), "count": people}.get(
        estimate, np.array([each.sum() for each in amounts])
    )
    truth = {"count": 120.0, "proportion": 0.3, "mean": 1.8, "total": 120 * 1.8}[estimate]
    bound = Bound(most) if estimate in ("mean", "total") else Bound()
    told = values_of(noisy_sums(cells(estimate, people.tolist(), [float(each) for each in did]), bound, 1.0))
    held = told.select(held=pl.lit(truth).is_between("low", "high"))["held"].to_numpy()
    # Amounts are given the largest variance they may have: those intervals hold it more often.
    assert 0.94 <= held.mean() <= (0.975 if bound == Bound() else 1.0)


def test_without_opendp_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    mechanism._mechanism.cache_clear()
    with pytest.raises(HeadwayError) as caught:
        with_laplace([1], sensitivity=1, epsilon=0.123)
    assert str(caught.value) == MISSING and "headway[dp]" in MISSING


def test_a_refused_number_is_not_in_the_message() -> None:
    with pytest.raises(HeadwayError) as caught:
        with_laplace([987_654_321_987_654_321_000], sensitivity=1, epsilon=1.0)
    assert "987" not in str(caught.value) and caught.value.__cause__ is None
