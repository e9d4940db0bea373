"""Spells: one person's observations of one period, in periods that overlap and on clocks that are put back."""

from __future__ import annotations

import numpy as np
import polars as pl

from headway.frameworks.spells import Observed, grouped, spells_of


def observed(*rows: tuple[int, int, float, int]) -> Observed:
    """Person, day, value and profile of some observations, by person and time."""
    person, day, value, profile = zip(*rows, strict=True)
    return Observed(
        np.array(person),
        np.array(day),
        np.array(value),
        np.zeros(len(rows), dtype=np.bool_),
        np.array(profile),
    )


def periods(*spans: tuple[str, int, int]) -> pl.DataFrame:
    rows = [(grain, day, start) for grain, start, end in spans for day in range(start, end + 1)]
    return pl.DataFrame(
        rows, schema={"grain": pl.String, "day": pl.Int32, "start_day": pl.Int32}, orient="row"
    )


def listed(rows: Observed, spans: pl.DataFrame) -> dict[tuple[str, int, int], tuple[list[float], int]]:
    """By kind of period, first day and person: what was observed, and the profile it counts under."""
    found = {}
    for spells in spells_of(rows, spans):
        ends = np.append(spells.first, spells.observed.person.size)[1:]
        assert spells.ranked.tolist() == sorted(spells.observed.value.tolist())
        for place, end, period, profile in zip(
            spells.first.tolist(), ends.tolist(), spells.period.tolist(), spells.profile.tolist(), strict=True
        ):
            key = (spells.grain, int(spells.starts[period]), int(spells.observed.person[place]))
            assert key not in found
            found[key] = (spells.observed.value[place:end].tolist(), profile)
    return found


def test_a_spell_counts_under_the_profile_of_its_first_observation() -> None:
    rows = observed((1, 10, 5.0, 0), (1, 10, 2.0, 3), (1, 11, 1.0, 3), (2, 11, 9.0, 1), (2, 30, 8.0, 1))
    assert listed(rows, periods(("day", 10, 10), ("day", 11, 11))) == {
        ("day", 10, 1): ([5.0, 2.0], 0),
        ("day", 11, 1): ([1.0], 3),
        ("day", 11, 2): ([9.0], 1),
    }


def test_an_observation_counts_in_every_window_that_holds_its_day() -> None:
    rows = observed((1, 10, 5.0, 0), (1, 12, 2.0, 3))
    assert listed(rows, periods(("rolling_7d", 4, 10), ("rolling_7d", 5, 11), ("rolling_7d", 6, 12))) == {
        ("rolling_7d", 4, 1): ([5.0], 0),
        ("rolling_7d", 5, 1): ([5.0], 0),
        ("rolling_7d", 6, 1): ([5.0, 2.0], 0),
    }


def test_a_clock_that_is_put_back_past_midnight_does_not_part_a_day() -> None:
    rows = observed((1, 10, 1.0, 0), (1, 11, 2.0, 1), (1, 10, 3.0, 2), (1, 11, 4.0, 3))
    assert listed(rows, periods(("day", 10, 10), ("day", 11, 11))) == {
        ("day", 10, 1): ([1.0, 3.0], 0),
        ("day", 11, 1): ([2.0, 4.0], 1),
    }


def test_many_codes_are_ordered_as_few_are() -> None:
    codes = np.array([70_000, 3, 70_000, 0])
    order, bounds = grouped(codes, 70_001)
    assert order.tolist() == [3, 1, 0, 2]
    assert bounds[[0, 1, 3, 4, 70_000, 70_001]].tolist() == [0, 1, 1, 2, 2, 4]
