"""What may be said about a value: against other software, and by the rules of the definitions page."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from headway.statistics.intervals import wilson
from headway_pipelines.report.judge import Change, Estimate, against_target, difference

TODAY = date(2026, 3, 1)


def share(successes: int, trials: int) -> Estimate:
    low, high = wilson(successes, trials)
    return Estimate(successes / trials, float(low), float(high))


# Newcombe (1998), table II, method 10, as printed there: 56/70-48/80, 9/10-3/10, 6/7-2/7, 5/56-0/29.
@pytest.mark.parametrize(
    ("new", "old", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_difference_of_shares_agrees_with_the_paper(
    new: tuple[int, int], old: tuple[int, int], low: float, high: float
) -> None:
    change = difference(share(*new), share(*old))
    assert (change.low, change.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("a", "n", "b", "m"), [(120, 320, 100, 310), (3, 40, 9, 35), (0, 12, 12, 12)])
def test_difference_of_shares_agrees_with_statsmodels(a: int, n: int, b: int, m: int) -> None:
    expected = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff")
    change = difference(share(a, n), share(b, m))
    assert (change.low, change.high) == pytest.approx(expected, abs=1e-12)


def test_equal_means_with_known_errors_give_the_textbook_interval() -> None:
    # Symmetric intervals: the half widths add in squares, 3 and 4 make 5.
    assert difference(Estimate(10, 7, 13), Estimate(10, 6, 14)) == Change(0, -5, 5)


def test_a_value_without_an_interval_cannot_be_told_from_noise() -> None:
    change = difference(Estimate(4.0), Estimate(3.0, 2.0, 4.0))
    assert (change.value, change.low, change.distinct) == (1.0, None, None)


@given(
    new=st.tuples(st.integers(1, 500), st.floats(0, 1)).map(lambda t: (round(t[0] * t[1]), t[0])),
    old=st.tuples(st.integers(1, 500), st.floats(0, 1)).map(lambda t: (round(t[0] * t[1]), t[0])),
)
def test_swapping_the_weeks_mirrors_the_interval(new: tuple[int, int], old: tuple[int, int]) -> None:
    there, back = difference(share(*new), share(*old)), difference(share(*old), share(*new))
    assert there.low is not None and there.high is not None and back.low is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))  # type: ignore[operator]
    assert there.low <= there.value <= there.high
    assert there.distinct == back.distinct


@pytest.mark.parametrize(
    ("estimate", "direction", "due", "verdict"),
    [
        (Estimate(0.50, 0.45, 0.55), "up", None, "met"),
        (Estimate(0.38, 0.35, 0.41), "up", None, "missed"),
        (Estimate(0.38, 0.35, 0.41), "up", date(2026, 2, 28), "missed"),
        (Estimate(0.38, 0.35, 0.41), "up", TODAY, "short"),
        (Estimate(0.46, 0.44, 0.48), "up", None, "uncertain"),
        (Estimate(0.44, 0.42, 0.45), "up", None, "uncertain"),
        (Estimate(0.38, 0.35, 0.41), "down", None, "met"),
        (Estimate(0.50, 0.46, 0.55), "down", None, "missed"),
        (Estimate(0.50), "up", None, "uncertain"),
        (None, "up", None, "unknown"),
    ],
)
def test_verdict_against_a_target_of_45_percent(
    estimate: Estimate | None, direction: str, due: date | None, verdict: str
) -> None:
    assert against_target(estimate, 0.45, direction=direction, due=due, today=TODAY) == verdict


@pytest.mark.parametrize(
    ("estimate", "direction", "verdict"),
    [
        (Estimate(0.6, 0.5, None), "up", "met"),  # open above: all of it is above the target
        (Estimate(0.6, 0.5, None), "down", "missed"),
        (Estimate(0.6, 0.4, None), "up", "uncertain"),
        (Estimate(0.3, None, 0.4), "up", "missed"),
        (Estimate(0.3, None, 0.4), "down", "met"),
    ],
)
def test_one_end_of_an_interval_may_be_enough(estimate: Estimate, direction: str, verdict: str) -> None:
    assert against_target(estimate, 0.45, direction=direction, due=None, today=TODAY) == verdict


def test_no_target_is_no_verdict() -> None:
    assert against_target(Estimate(1, 0, 2), None, direction="up", due=None, today=TODAY) == "none"
