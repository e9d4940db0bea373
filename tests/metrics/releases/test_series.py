"""Series around a release: planted steps are found, what else could explain them is refused, neighbours weaken."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from headway.releases import Evidence, Release, Step
from headway.releases.log import Span, span_of
from headway.releases.series import Daily, daily_values, series_evidence
from headway.statistics.intervals import Floats

FIRST = date(2026, 1, 5)
DAY = 56
DAYS = np.arange(84)
DATA = FIRST, FIRST + timedelta(days=83)


def release(day: int = DAY, name: str = "it", last: int | None = None) -> Release:
    steps = [Step(FIRST + timedelta(days=each)) for each in (day, *([last] if last else []))]
    return Release(name, name.upper(), "release", tuple(steps), datetime(2026, 3, 2))


def daily(values: Floats, wait: int = 0) -> Daily:
    at = DAYS + (FIRST - date(1970, 1, 1)).days
    return Daily("visits", at, values, None, np.full(len(values), 50), wait)


def noise(seed: int) -> Floats:
    weekdays = np.array([0.0, 0.3, 0.2, 0.1, -0.2, -1.0, -0.8])[DAYS % 7]
    return np.asarray(20 + weekdays + 0.5 * np.random.default_rng(seed).standard_normal(84))


def read(values: Floats, *others: Release, it: Release | None = None, wait: int = 0) -> dict[str, Evidence]:
    it = it or release()
    span = span_of(it, others, DATA, weeks_before=8, weeks_after=4)
    return {each.rung: each for each in series_evidence(it, span, daily(values, wait))}


def test_a_planted_step_is_found_by_both_and_when_it_could_first_be_told() -> None:
    found = read(noise(1) + 1.2 * (DAYS >= DAY))
    for rung, grade in (("interrupted", "D"), ("before_after", "E")):
        each = found[rung]
        assert each.grade == grade, each.reason
        assert each.low is not None and each.high is not None and each.low < 1.2 < each.high
        assert each.low > 0
        assert each.days_to_value == 7
        assert each.people == 50


def test_without_a_step_nothing_is_found_and_there_is_no_first_day() -> None:
    found = read(noise(2))
    for each in found.values():
        assert each.low is not None and each.high is not None and each.low < 0 < each.high
        assert each.days_to_value is None


def test_a_trend_before_refuses_before_and_after_and_not_the_series_that_knows_it() -> None:
    found = read(noise(3) + 0.05 * DAYS)
    assert found["before_after"].grade is None
    assert "there was a trend before (p = 0.000)" in found["before_after"].reason
    assert found["interrupted"].grade == "D"
    low, high = found["interrupted"].low, found["interrupted"].high
    assert low is not None and high is not None and low < 0 < high


def test_a_bend_before_refuses_both() -> None:
    found = read(noise(4) + 0.002 * np.maximum(DAYS - 20, 0) ** 2)
    assert [each.grade for each in found.values()] == [None, None]
    assert "no grade: the trend bent before" in found["interrupted"].reason


def test_a_step_that_was_there_before_the_release_is_a_placebo_with_an_effect() -> None:
    found = read(noise(5) + 2.0 * (DAYS >= 38))
    assert [each.grade for each in found.values()] == [None, None]


def test_a_release_close_by_refuses_and_one_farther_off_weakens_both_named() -> None:
    values = noise(6) + 1.2 * (DAYS >= DAY)
    close = read(values, release(DAY + 5, "other"))
    assert {each.refused for each in close.values()} == {
        "OTHER went live on 2026-03-07, too close to tell the two apart"
    }
    farther = read(values, release(DAY - 12, "other"))
    assert farther["interrupted"].grade == "E"
    assert farther["before_after"].grade is None
    assert farther["before_after"].reason == (
        "no grade: before and after is graded E at best; lowered because OTHER went live on 2026-02-18, within the "
        "days it is compared with"
    )


def test_days_of_a_rollout_and_people_it_could_still_reach_belong_to_neither_side() -> None:
    values = noise(7) + 1.2 * (DAYS >= DAY)
    values[DAY - 7 : DAY + 5] = 1_000
    found = read(values, it=release(DAY, last=DAY + 5), wait=7)
    assert found["interrupted"].effect == pytest.approx(1.2, abs=0.7)


def test_too_few_days_say_nothing_and_how_many_it_takes() -> None:
    span = Span(FIRST + timedelta(days=50), release().on, release().on, FIRST + timedelta(days=60))
    found = list(series_evidence(release(), span, daily(noise(8))))
    assert {each.reason for each in found} == {
        "no grade: 6 daily values before and 5 after it are too few; it takes 21 and 7"
    }


@pytest.mark.parametrize("values", [np.zeros(84), np.full(84, 0.4)], ids=["all zeros", "all the same"])
def test_values_that_do_not_vary_have_no_effect(values: Floats) -> None:
    assert {each.refused for each in read(values).values()} == {
        "the values do not vary, or holidays could explain all of it"
    }


def test_one_extreme_day_is_no_effect() -> None:
    values = noise(9)
    values[DAY + 3] = 90
    for each in read(values).values():
        assert each.grade is None or (each.low is not None and each.low < 0)


def test_hidden_and_open_days_and_those_of_another_definition_are_gaps() -> None:
    days = [FIRST + timedelta(days=n) for n in range(6)]
    frame = pl.DataFrame(
        {
            "metric": ["a"] * 6,
            "segment": ["all"] * 6,
            "period": ["day"] * 6,
            "period_start": days,
            "value": [1.0, None, 3.0, 4.0, 5.0, float("nan")],
            "people": [11, None, 12, 13, 14, 15],
            "complete": [True, True, True, True, False, True],
            "suppressed": [False, True, False, False, False, False],
            "definition_hash": ["old", "new", "new", "new", "new", "new"],
        }
    )
    found = daily_values(frame, "a", "proportion", 0)
    assert found.values.tolist() == [3.0, 4.0]
    assert found.weights is not None and found.weights.tolist() == [12.0, 13.0]
    assert daily_values(frame, "a", "count", 0).weights is None
