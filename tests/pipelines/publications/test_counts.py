"""Accounts of lines and dropped values, attacked by who keeps every publication and subtracts one from another."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest

from headway_pipelines.publications import PublicationLedger, hold_counts
from headway_pipelines.publishing.suppression import hide_few_values

K = 10
FIRST = datetime(2026, 3, 2)
COLUMNS = {"line_outcomes": "lines", "dropped_values": "n_values", "metric_exclusions": "n_events"}
KEYS = {
    "line_outcomes": ("source", "state", "outcome"),
    "dropped_values": ("event", "property", "reason"),
    "metric_exclusions": ("metric", "reason"),
}
Publish = Callable[[str, pl.DataFrame, int], pl.DataFrame]


def table(name: str, counts: dict[str, int]) -> pl.DataFrame:
    """One cell a reason; of ``none`` the other keys are null, as where a value belongs to no property."""
    *others, last = KEYS[name]
    rest = {key: [None if reason == "none" else "one" for reason in counts] for key in others}
    return pl.DataFrame(
        {**rest, last: list(counts), COLUMNS[name]: list(counts.values())},
        schema={**dict.fromkeys(KEYS[name], pl.String), COLUMNS[name]: pl.Int64},
    )


def publisher(folder: Path) -> Publish:
    def publish(name: str, exact: pl.DataFrame, day: int) -> pl.DataFrame:
        ledger, at = PublicationLedger(folder), FIRST + timedelta(days=day)
        few_hidden = hide_few_values(exact, COLUMNS[name], K)
        shown, noted = hold_counts(ledger, name, few_hidden, exact, K, at)
        ledger.append(at, noted)
        return shown

    return publish


def told_by_differences(seen: list[pl.DataFrame], name: str) -> set[int]:
    """Every number below k that the difference of two publications of one cell gives away."""
    *_, last = KEYS[name]
    of_cell: dict[str, list[int]] = {}
    for frame in seen:
        for reason, number in frame.select(last, COLUMNS[name]).rows():
            of_cell.setdefault(reason, []).extend([] if number is None else [number])
    return {abs(a - b) for each in of_cell.values() for a, b in combinations(each, 2)} & set(range(1, K))


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_no_two_publications_tell_of_few(name: str, tmp_path: Path) -> None:
    rng, publish = random.Random(6), publisher(tmp_path)
    counts = {"sensitive": 40, "consent": 3, "none": 25}
    shown, exact = [], []
    for day in range(25):
        counts = {reason: number + rng.choice((0, 1, 2, 5, 30)) for reason, number in counts.items()}
        exact.append(table(name, counts))
        shown.append(publish(name, exact[-1], day))
    # The same attack succeeds on what only hides small numbers.
    assert told_by_differences([hide_few_values(each, COLUMNS[name], K) for each in exact], name) != set()
    assert told_by_differences(shown, name) == set()
    # Held back is not taken away: every number is one that was right once, and most are told in the end.
    assert shown[-1].filter(pl.col(COLUMNS[name]).is_null()).is_empty()
    assert shown[-1].select(KEYS[name]).equals(exact[-1].select(KEYS[name]))


def test_what_is_held_back_says_since_when(tmp_path: Path) -> None:
    publish = publisher(tmp_path)
    publish("dropped_values", table("dropped_values", {"sensitive": 40}), 0)
    held = publish("dropped_values", table("dropped_values", {"sensitive": 43}), 1)
    assert held.select("n_values", "held_since").rows() == [(40, FIRST)]
    fresh = publish("dropped_values", table("dropped_values", {"sensitive": 52}), 2)
    assert fresh.select("n_values", "held_since").rows() == [(52, None)]


def test_a_number_that_was_small_appears_once_it_is_not(tmp_path: Path) -> None:
    publish = publisher(tmp_path)
    assert publish("line_outcomes", table("line_outcomes", {"rejected": K - 1}), 0)["lines"].to_list() == [
        None
    ]
    assert publish("line_outcomes", table("line_outcomes", {"rejected": K}), 1)["lines"].to_list() == [K]
