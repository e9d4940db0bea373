"""What compares arms, against other software. Numbers of tea-tasting come from the script in `TEA_TASTING`."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import integrate, optimize, stats
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from headway.errors import InputError
from headway.statistics.arms import ArmSums, cuped, moments
from headway.statistics.bayes import posterior
from headway.statistics.comparisons import lift_delta, lift_fieller, sample_ratio, two_proportions, welch
from headway.statistics.heterogeneity import shrunken
from headway.statistics.logrank import logrank
from headway.statistics.multiplicity import Method, adjusted
from headway.statistics.power import power_of, smallest_effect, units_needed
from headway.statistics.sequential import confidence_sequence

TEA_TASTING = """
import numpy as np, pandas as pd, tea_tasting as tt                     # tea-tasting 1.14.0
rng = np.random.default_rng(11)
n = 400
c = rng.gamma(2, 5, n); d = 1 + rng.poisson(2, n); variant = rng.integers(0, 2, n)
x = 1 + rng.poisson(d); y = c * 0.8 + rng.gamma(2, 3, n) + variant
data = pd.DataFrame({"variant": variant, "y": y, "x": x, "c": c, "d": d})
experiment = tt.Experiment(
    mean=tt.Mean("y"), cuped=tt.Mean("y", covariate="c"), ratio=tt.RatioOfMeans("y", "x"),
    ratio_cuped=tt.RatioOfMeans("y", "x", numer_covariate="c", denom_covariate="d"),
)
for name, r in experiment.analyze(data).items():
    print(name, r.effect_size, r.effect_size_ci_lower, r.effect_size_ci_upper, r.pvalue,
          r.rel_effect_size, r.rel_effect_size_ci_lower, r.rel_effect_size_ci_upper)
"""


def test_moments_of_a_mean_are_those_of_the_sample() -> None:
    y = np.random.default_rng(1).gamma(2, 3, (3, 50))
    found = moments(ArmSums.of_units(y))
    assert np.allclose(found.mean, y.mean(1)) and np.allclose(found.variance, y.var(1, ddof=1))


def test_welch_is_scipys() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.gamma(2, 3, 30), rng.gamma(2, 4, 45)
    expected = stats.ttest_ind(a, b, equal_var=False)
    ends = expected.confidence_interval(0.95)
    found = welch(30, a.mean(), a.var(ddof=1), 45, b.mean(), b.var(ddof=1))
    assert (float(found.p_value), float(found.low), float(found.high), float(found.degrees)) == pytest.approx(
        (expected.pvalue, ends.low, ends.high, expected.df)
    )


@pytest.mark.parametrize("counts", [(20034, 44700, 20119, 45489), (3, 40, 9, 41), (0, 20, 5, 25)])
def test_proportions_are_statsmodels(counts: tuple[int, int, int, int]) -> None:
    found = two_proportions(*counts)
    y, n, y0, n0 = counts
    ends = confint_proportions_2indep(y, n, y0, n0, method="newcomb", compare="diff")
    assert (float(found.low), float(found.high)) == pytest.approx(ends)
    assert float(found.p_value) == pytest.approx(proportions_ztest([y, y0], [n, n0])[1])


def test_the_lift_by_the_delta_method_is_that_of_a_numeric_gradient() -> None:
    mean, error, mean0, error0 = 5.5, 0.4, 5.0, 0.3
    step = 1e-6
    slope = ((mean + step) / mean0 - (mean - step) / mean0) / (2 * step)
    slope0 = (mean / (mean0 + step) - mean / (mean0 - step)) / (2 * step)
    expected = np.hypot(slope * error, slope0 * error0)
    found = lift_delta(mean, error, mean0, error0)
    assert float(found.error) == pytest.approx(expected, rel=1e-6)
    assert float(found.high) == pytest.approx(0.1 + stats.norm.isf(0.025) * expected, rel=1e-6)


def test_fieller_holds_the_ratios_that_are_not_rejected() -> None:
    """Ends are where the test of mean - ratio x mean0 = 0 is just at its limit."""
    mean, error, mean0, error0 = 5.5, 0.4, 5.0, 0.3

    def distance(ratio: float) -> float:
        return float(abs(mean - ratio * mean0) / np.hypot(error, ratio * error0) - stats.t.isf(0.025, 40))

    found = lift_fieller(mean, error, mean0, error0, degrees=40)
    assert float(found.low) + 1 == pytest.approx(optimize.brentq(distance, 0.2, 1.1))
    assert float(found.high) + 1 == pytest.approx(optimize.brentq(distance, 1.1, 3))


def test_a_lift_over_what_may_be_nothing_has_no_interval() -> None:
    assert np.isnan(lift_fieller(5.0, 1.0, 0.5, 0.4).low) and np.isnan(lift_delta(5.0, 1.0, 0.0, 0.4).lift)
    assert np.isnan(lift_delta(5.0, 1.0, -1.0, 0.4).lift)


def test_cuped_is_a_regression_with_the_arm_and_what_was_before() -> None:
    """The pooled within-arm slope is that of y on arm and covariate; so is the adjusted difference."""
    rng = np.random.default_rng(3)
    c = rng.gamma(2, 5, (2, 80))
    y = 0.7 * c + rng.gamma(2, 2, (2, 80)) + np.array([[0.0], [1.5]])
    found = cuped(moments(ArmSums.of_units(y, c=c)))
    design = np.column_stack([np.ones(160), np.repeat([0, 1], 80), c.ravel()])
    fit = sm.OLS(y.ravel(), design).fit()
    means = found.moments.mean
    assert float(means[1] - means[0]) == pytest.approx(fit.params[1])
    assert float(found.theta) == pytest.approx(fit.params[2])


def test_the_sequence_is_the_papers() -> None:
    """Theorem 2.2 as printed: sd sqrt(2 (n rho^2 + 1) / (n^2 rho^2) log(sqrt(n rho^2 + 1) / alpha))."""
    n, sd = 700.0, 1.7
    rho = np.sqrt((-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / 5000)

    def half(alpha: float) -> float:
        inside = np.log(np.sqrt(n * rho**2 + 1) / alpha)
        return float(sd * np.sqrt(2 * (n * rho**2 + 1) / (n**2 * rho**2) * inside))

    found = confidence_sequence(0.3, sd / np.sqrt(n), n, tuned_to=5000)
    assert (float(found.low), float(found.high)) == pytest.approx((0.3 - half(0.05), 0.3 + half(0.05)))
    # The p-value is the alpha whose interval just touches 0.
    assert float(found.p_value) == pytest.approx(optimize.brentq(lambda alpha: half(alpha) - 0.3, 1e-9, 0.9))


def _tea_tasting_world() -> ArmSums:
    """The data of the script above, as sums of the two arms."""
    rng = np.random.default_rng(11)
    n = 400
    c = rng.gamma(2, 5, n)
    d = 1 + rng.poisson(2, n)
    variant = rng.integers(0, 2, n)
    x = 1 + rng.poisson(d)
    y = c * 0.8 + rng.gamma(2, 3, n) + variant
    arms = [ArmSums.of_units(*(each[variant == arm] for each in (y, x, c, d))) for arm in (0, 1)]
    return ArmSums(*(np.stack([getattr(arm, name) for arm in arms]) for name in ("n", "first", "second")))


def _as_mean(sums: ArmSums) -> ArmSums:
    """The same with denominators of 1."""
    first, second = sums.first.copy(), sums.second.copy()
    for one, other in ((1, 0), (3, 2)):
        first[..., one] = sums.n
        for at in range(4):
            second[..., one, at] = second[..., at, one] = first[..., at]
        second[..., one, other] = second[..., other, one] = first[..., other]
    second[..., 1, 3] = second[..., 3, 1] = second[..., 1, 1] = second[..., 3, 3] = sums.n
    return ArmSums(sums.n, first, second)


@pytest.mark.parametrize(
    ("ratio", "before", "expected"),
    [
        (False, False, (0.49963220, -0.83297401, 1.83223842, 0.46148915, 0.03438929)),
        (False, True, (0.29854227, -0.52732207, 1.12440662, 0.47766966, 0.02040720)),
        (True, False, (0.06942106, -0.47452656, 0.61336868, 0.80201796, 0.01906501)),
        (True, True, (-0.13236853, -0.50923159, 0.24449454, 0.49027156, -0.03539929)),
    ],
)
def test_effects_are_tea_tastings(ratio: bool, before: bool, expected: tuple[float, ...]) -> None:
    """It takes the weight of what was before from all units, not within arms: equal but for the third digit."""
    sums = _tea_tasting_world()
    arms = moments(sums if ratio else _as_mean(sums))
    arms = cuped(arms).moments if before else arms
    found = welch(arms.n[1], arms.mean[1], arms.variance[1], arms.n[0], arms.mean[0], arms.variance[0])
    numbers = (found.effect, found.low, found.high, found.p_value)
    assert [float(each) for each in numbers] == pytest.approx(expected[:4], rel=1e-6 if not before else 2e-2)
    assert float(arms.mean[1] / arms.mean[0]) - 1 == pytest.approx(
        expected[4], rel=1e-6 if not before else 2e-2
    )


def test_the_posterior_is_that_of_integration() -> None:
    effect, error, prior = 0.04, 0.03, 0.05
    grid = np.linspace(-1, 1, 400_001)
    weight = stats.norm.pdf(effect, grid, error) * stats.norm.pdf(grid, 0, prior)
    weight /= integrate.trapezoid(weight, grid)
    found = posterior(effect, error, prior)
    assert float(found.mean) == pytest.approx(integrate.trapezoid(weight * grid, grid), rel=1e-4)
    assert float(found.chance) == pytest.approx(integrate.trapezoid(weight * (grid > 0), grid), rel=1e-4)
    assert float(found.loss) == pytest.approx(
        integrate.trapezoid(weight * np.maximum(-grid, 0), grid), rel=1e-4
    )
    assert float(found.regret) == pytest.approx(
        integrate.trapezoid(weight * np.maximum(grid, 0), grid), rel=1e-4
    )
    assert float(posterior(effect, error).mean) == pytest.approx(effect)


def test_split_test_is_scipys() -> None:
    shares = np.array([0.8, 0.1, 0.1])
    expected = stats.chisquare([790, 130, 80], shares * 1000)
    assert [float(each) for each in sample_ratio([790, 130, 80], [8, 1, 1])] == pytest.approx(list(expected))
    assert np.isnan(sample_ratio([3, 4], [1, 1])[1])
    with pytest.raises(InputError, match="planned share"):
        sample_ratio([3, 4], [1, 0])


def test_power_is_statsmodels() -> None:
    there = NormalIndPower()
    assert float(power_of(0.3, 4.0, 300, 150)) == pytest.approx(there.power(0.15, 300, 0.05, 0.5))
    assert units_needed(0.3, 4.0) == 2 * np.ceil(there.solve_power(0.15, power=0.8, alpha=0.05))
    effect = float(smallest_effect(4.0, 300, 150))
    assert effect / 2 == pytest.approx(
        there.solve_power(nobs1=300, alpha=0.05, power=0.8, ratio=0.5), rel=1e-4
    )
    # A third of the units in one arm costs an eighth more in all.
    assert units_needed(0.3, 4.0, (1, 2)) / units_needed(0.3, 4.0) == pytest.approx(1.125, abs=0.002)


def test_logrank_is_statsmodels() -> None:
    rng = np.random.default_rng(4)
    time = np.ceil(rng.exponential(5, 120)).astype(int)
    group = np.repeat([0, 1], 60)
    status = (rng.random(120) < 0.8).astype(int)
    expected = survdiff(time, status, group)
    times = np.unique(time[status == 1])
    counts = [
        [[int(((time == t) & (status == 1) & (group == g)).sum()) for t in times],
         [int(((time >= t) & (group == g)).sum()) for t in times]]
        for g in (1, 0)
    ]  # fmt: skip
    assert logrank(*counts[0], *counts[1]).p_value == pytest.approx(float(expected[1]))
    assert np.isnan(logrank([0], [3], [0], [3]).p_value)


def test_shrinkage_is_statsmodels_random_effects() -> None:
    effects, errors = np.array([0.1, 0.3, -0.1, 0.5]), np.array([0.05, 0.1, 0.08, 0.2])
    expected = combine_effects(effects, errors**2, method_re="chi2")
    found = shrunken([*effects, np.nan], [*errors, 0.1])
    assert found.common == pytest.approx(expected.mean_effect_re)
    assert found.spread**2 == pytest.approx(expected.tau2)
    assert found.p_value == pytest.approx(float(stats.chi2.sf(expected.q, 3)))
    assert np.all(np.abs(found.effect[:4] - found.common) < np.abs(effects - found.common))
    # Three groups cannot tell how much they differ.
    assert shrunken(effects[:3], errors[:3]).effect == pytest.approx(effects[:3])
    assert np.isnan(found.effect[4]) and np.isnan(shrunken([1.0], [0.1]).common)


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("benjamini-hochberg", "fdr_bh")])
def test_adjusted_p_values_are_those_of_statsmodels(
    method: Method, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The oracle collects garbage at every call, which takes longer the more the tests before have left.
    monkeypatch.setattr(gc, "collect", lambda: 0)
    rng = np.random.default_rng(20)
    for n in (1, 2, 3, 7, 40):
        for _ in range(20):
            p = np.round(rng.beta(0.4, 1.0, n), 2)  # rounded: ties, zeros and ones are among them
            assert adjusted(p, method) == pytest.approx(multipletests(p, method=name)[1])


def test_adjusted_p_values_by_hand() -> None:
    """Holm: 3 x .01, 2 x .03, then never less than before. A missing one counts for nothing."""
    assert adjusted([0.01, np.nan, 0.04, 0.03]) == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert adjusted([0.01, 0.04, 0.03], "benjamini-hochberg") == pytest.approx([0.03, 0.04, 0.04])
    with pytest.raises(InputError, match="several questions"):
        adjusted([0.1], "bonferoni")  # type: ignore[arg-type]
