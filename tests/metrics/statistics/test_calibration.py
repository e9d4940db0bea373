"""The Brier score and the coverage of stated ranges, against second definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from headway.errors import InputError
from headway.statistics.calibration import brier, range_coverage

FORECASTS = st.lists(
    st.tuples(st.sampled_from([0, 10, 25, 50, 70, 90, 100]), st.booleans()), min_size=1, max_size=40
)


def test_the_score_of_five_forecasts_counted_by_hand() -> None:
    scored = brier([0.9, 0.9, 0.6, 0.6, 0.2], [True, True, True, False, False])
    # 0.01 + 0.01 + 0.16 + 0.36 + 0.04 = 0.58, over five; three of five happened: 0.6 * 0.4
    assert scored.score == pytest.approx(0.116)
    assert scored.uncertainty == pytest.approx(0.24)
    assert scored.skill == pytest.approx(1 - 0.116 / 0.24)


@settings(max_examples=60)
@given(FORECASTS)
def test_score_and_parts_are_what_exact_arithmetic_says(forecasts: list[tuple[int, bool]]) -> None:
    scored = brier([said / 100 for said, _ in forecasts], [happened for _, happened in forecasts])
    n = len(forecasts)
    exact = sum((Fraction(said, 100) - happened) ** 2 for said, happened in forecasts) / n
    overall = Fraction(sum(happened for _, happened in forecasts), n)
    reliability = resolution = Fraction(0)
    for group in {said for said, _ in forecasts}:
        members = [happened for said, happened in forecasts if said == group]
        often = Fraction(sum(members), len(members))
        reliability += len(members) * (Fraction(group, 100) - often) ** 2 / n
        resolution += len(members) * (often - overall) ** 2 / n
    assert scored.score == pytest.approx(float(exact), abs=1e-12)
    assert scored.reliability == pytest.approx(float(reliability), abs=1e-12)
    assert scored.resolution == pytest.approx(float(resolution), abs=1e-12)
    # Murphy's partition is an identity, not an approximation.
    assert scored.score == pytest.approx(
        scored.reliability - scored.resolution + scored.uncertainty, abs=1e-12
    )


def test_skill_is_not_defined_where_everything_ended_alike() -> None:
    assert math.isnan(brier([0.7, 0.9], [True, True]).skill)


@pytest.mark.parametrize(
    ("probabilities", "happened", "message"),
    [([], [], "at least one"), ([0.5], [True, False], "one outcome"), ([1.2], [True], "between 0 and 1")],
)
def test_unusable_forecasts_are_named(probabilities: list[float], happened: list[bool], message: str) -> None:
    with pytest.raises(InputError, match=message):
        brier(probabilities, happened)


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_coverage_has_the_interval_that_statsmodels_gives(held: list[bool]) -> None:
    coverage = range_coverage(held, [0.8] * len(held))
    low, high = proportion_confint(sum(held), len(held), method="wilson")
    assert (coverage.low, coverage.high) == pytest.approx((low, high), abs=1e-9)
    assert coverage.expected == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("held", "ranges", "verdict"),
    [(3, 12, "overconfident"), (9, 12, "unclear"), (12, 12, "unclear"), (60, 60, "underconfident")],
)
def test_ranges_are_called_too_narrow_or_too_wide_only_when_chance_does_not_explain_it(
    held: int, ranges: int, verdict: str
) -> None:
    assert range_coverage([True] * held + [False] * (ranges - held), [0.8] * ranges).verdict == verdict


def test_ranges_without_confidence_are_named() -> None:
    with pytest.raises(InputError, match="one confidence"):
        range_coverage([True], [])
