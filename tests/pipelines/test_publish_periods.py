"""Months, windows and several segments: no small number can be worked out from all that is published together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.optimize import linprog

from headway.frameworks.values import SCHEMA
from headway_pipelines.publishing.publish import MIN_PEOPLE, suppress

K = MIN_PEOPLE
MONDAY = date(2026, 3, 16)  # the 1st of April is a Wednesday
DAYS = 35
Ints = npt.NDArray[np.int64]
Key = tuple[str, str, date]
"""Segment, period and first day."""


def spans() -> Iterator[tuple[str, date, int, int]]:
    """Every period of the range: kind, first day, and which days of the range it holds."""
    for day in range(DAYS):
        yield "day", MONDAY + timedelta(day), day, day + 1
    for day in range(0, DAYS, 7):
        yield "week", MONDAY + timedelta(day), day, day + 7
    yield "month", date(2026, 3, 1), 0, 16
    yield "month", date(2026, 4, 1), 16, DAYS
    for length in (7, 28):
        for day in range(DAYS - length + 1):
            yield f"rolling_{length}d", MONDAY + timedelta(day), day, day + length


def segments(shape: tuple[int, ...]) -> Iterator[tuple[str, Ints]]:
    """Every segment with the mask of its channels and plans."""
    yield "all", np.ones(shape[1:], np.int64)
    for c in range(shape[1]):
        mask = np.zeros(shape[1:], np.int64)
        mask[c] = 1
        yield f"channel=c{c}", mask
    for p in range(shape[2]):
        mask = np.zeros(shape[1:], np.int64)
        mask[:, p] = 1
        yield f"plan=p{p}", mask


def lines(shape: tuple[int, ...]) -> dict[Key, Ints]:
    """The days, channels and plans whose people a cell adds up: each person counts on one day only."""
    out = {}
    for segment, mask in segments(shape):
        for period, start, first, past in spans():
            line = np.zeros(shape, np.int64)
            line[first:past] = mask
            out[segment, period, start] = line.ravel()
    return out


def last_of(period: str, start: date) -> date:
    if period == "month":
        return (start + timedelta(31)).replace(day=1) - timedelta(1)
    days = {"day": 1, "week": 7, "rolling_7d": 7, "rolling_28d": 28}[period]
    return start + timedelta(days - 1)


def frame(people: Ints, part: Ints) -> pl.DataFrame:
    rows = []
    for (segment, period, start), line in lines(people.shape).items():
        n, y = int(line @ people.ravel()), int(line @ part.ravel())
        rows.append(
            {
                "metric": "activation", "framework": "aarrr", "stage": "activation", "segment": segment,
                "period": period, "period_start": start, "period_end": last_of(period, start),
                "value": y / n if n else None, "unit": "percent", "numerator": float(y), "denominator": float(n),
                "people": n, "contributors": y, "estimate": "proportion", "low": 0.0, "high": 1.0,
                "interval_method": "wilson", "complete": True, "suppressed": False, "definition_hash": "x",
                "code_version": "x",
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA)


def known(published: pl.DataFrame, quantity: str) -> dict[Key, float]:
    out = {}
    for r in published.filter(~pl.col("suppressed")).iter_rows(named=True):
        value = r["denominator"] - r["numerator"] if quantity == "rest" else r[quantity]
        out[r["segment"], r["period"], r["period_start"]] = value
    return out


def most(shown: Mapping[Key, float], shape: tuple[int, ...], key: Key) -> float:
    """The largest number the cell can have, given all that is shown."""
    at = lines(shape)
    equal = np.array([at[each] for each in shown])
    found = linprog(-at[key], A_eq=equal, b_eq=list(shown.values()), method="highs")
    if found.status == 3:
        return float("inf")
    assert found.status == 0 and found.fun is not None, found.message
    return -float(found.fun)


def recovered(people: Ints, part: Ints, published: pl.DataFrame, *, attempts: int) -> list[tuple[str, Key]]:
    given_away = []
    for quantity, counts in (("people", people), ("numerator", part), ("rest", people - part)):
        shown = known(published, quantity)
        small = [key for key, line in lines(people.shape).items() if 1 <= line @ counts.ravel() < K]
        assert not [key for key in small if key in shown], "a small number is shown"
        given_away += [
            (quantity, key)
            for key in small[:: max(1, len(small) // attempts)]
            if most(shown, people.shape, key) < K - 1e-6
        ]
    return given_away


def world(seed: int) -> tuple[Ints, Ints]:
    rng = np.random.default_rng(seed)
    channels, plans = int(rng.integers(2, 4)), 2
    scale = rng.choice([2, 8, 25, 60], size=(channels, plans)) * rng.choice([0, 1, 1, 2], size=(DAYS, 1, 1))
    people = rng.poisson(scale)
    return people, rng.binomial(people, rng.choice([0.1, 0.5, 0.9], size=(channels, plans)))


@pytest.mark.parametrize("seed", range(6))
def test_no_small_number_can_be_worked_out_across_periods_and_segments(seed: int) -> None:
    people, part = world(seed)
    assert recovered(people, part, suppress("metric_values", frame(people, part)), attempts=8) == []


def as_months(weeks: pl.DataFrame) -> pl.DataFrame:
    """The same cells as those of a metric that has months and nothing else."""
    starts = weeks["period_start"].unique().sort().to_list()
    months = {start: date(2026, 1 + place, 1) for place, start in enumerate(starts)}
    start = pl.col("period_start").replace_strict(months, return_dtype=pl.Date)
    return weeks.with_columns(
        period=pl.lit("month"), period_start=start, period_end=start.dt.offset_by("1mo").dt.offset_by("-1d")
    )


@pytest.mark.parametrize("seed", range(6))
def test_months_alone_hide_what_weeks_alone_would(seed: int) -> None:
    """They are cut by nothing and add up in the same way, so that one small month does not take all others along."""
    people, part = world(seed)
    weeks = frame(people, part).filter(period="week")
    published = suppress("metric_values", weeks)
    assert recovered(people, part, published, attempts=8) == []
    months = suppress("metric_values", as_months(weeks))
    assert months["suppressed"].to_list() == published["suppressed"].to_list()


def test_a_small_month_alone_takes_one_other_along_and_leaves_segments() -> None:
    people = np.full((DAYS, 2, 2), 40)
    people[28:] = 0
    people[28, 0, 0] = 4
    months = suppress("metric_values", as_months(frame(people, people).filter(period="week")))
    hidden = months.filter(pl.col("suppressed"))
    assert set(hidden["period_start"]) == {date(2026, 5, 1), date(2026, 1, 1)}
    assert months.filter(pl.col("suppressed"), period_start=date(2026, 1, 1), segment="all").height == 1


def test_large_months_and_windows_are_shown() -> None:
    people = np.full((DAYS, 2, 2), 40)
    published = suppress("metric_values", frame(people, np.full_like(people, 20)))
    hidden = published.filter("suppressed")
    # Windows are shown of everybody only.
    assert set(hidden["period"]) == {"rolling_7d", "rolling_28d"}
    assert "all" not in set(hidden["segment"])


def test_a_month_that_would_give_a_part_of_a_week_away_is_hidden() -> None:
    """The last two days of March hold 6 people; week and month, shown both, would say so."""
    people = np.full((DAYS, 1, 1), 40)
    people[14:16] = 3
    people[16] = 60
    published = suppress("metric_values", frame(people, people))
    shown = known(published, "people")
    assert ("all", "week", MONDAY + timedelta(14)) in shown
    assert ("all", "month", date(2026, 3, 1)) not in shown
    assert ("all", "month", date(2026, 4, 1)) not in shown


def test_the_attack_finds_what_months_give_away_where_only_small_cells_are_hidden() -> None:
    people, part = world(0)
    everything = frame(people, part)
    small = (
        pl.col("people").is_between(1, K - 1)
        | pl.col("numerator").is_between(1, K - 1)
        | (pl.col("denominator") - pl.col("numerator")).is_between(1, K - 1)
    )
    assert recovered(people, part, everything.with_columns(suppressed=small), attempts=8)


def test_a_small_label_is_hidden_beside_one_of_its_own_segment() -> None:
    """3 of 103 people came by one channel; hiding a plan beside them would leave the other channel to subtract."""
    people = np.zeros((DAYS, 2, 2), np.int64)
    people[0] = [[3, 0], [17, 83]]  # channels 3 and 100, plans 20 and 83
    published = suppress("metric_values", frame(people, people))
    hidden = published.filter(pl.col("suppressed"), period="week", period_start=MONDAY)
    assert set(hidden["segment"]) == {"channel=c0", "channel=c1"}


def test_windows_show_no_hidden_day_and_no_small_difference() -> None:
    people = np.full((DAYS, 1, 1), 30)
    people[10] = 4
    shown = known(suppress("metric_values", frame(people, people)), "people")
    windows = {start for segment, period, start in shown if (segment, period) == ("all", "rolling_7d")}
    assert windows and not [
        start for start in windows if start <= MONDAY + timedelta(10) <= start + timedelta(6)
    ]

    # All but 4 of the 34 people of a window were there on its first day.
    people = np.full((DAYS, 1, 1), 30)
    everything = frame(people, people).with_columns(
        people=pl.when(period="rolling_7d", period_start=MONDAY).then(34).otherwise("people"),
        numerator=pl.when(period="rolling_7d", period_start=MONDAY).then(34.0).otherwise("numerator"),
        denominator=pl.when(period="rolling_7d", period_start=MONDAY).then(34.0).otherwise("denominator"),
    )
    shown = known(suppress("metric_values", everything), "people")
    assert ("all", "rolling_7d", MONDAY) not in shown
    assert ("all", "rolling_7d", MONDAY + timedelta(1)) in shown
