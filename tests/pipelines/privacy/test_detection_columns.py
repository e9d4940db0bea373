"""The fast way over columns says what the slow way says value by value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from detection import column
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_score import HELD_OUT, OWN, rows

from headway_pipelines.privacy.detection.columns import suspects
from headway_pipelines.privacy.detection.keys import Hint, hint
from headway_pipelines.privacy.detection.texts import find

#: Pieces of what detectors look for: put together at random, they come near the borders of patterns.
PIECES = st.sampled_from(
    [
        "a",
        "jo",
        "@",
        ".",
        "com",
        "2x",
        "+",
        "49",
        "0",
        "7",
        "12",
        "555",
        "2020",
        "-",
        ":",
        "/",
        "?",
        "=",
        "&",
        " ",
        "_",
        "%40",
        "%2B",
        "&#64;",
        "eyJ",
        "AKIA",
        "DE89",
        "email",
        "token",
        "tel",
        "code",
        "users",
        "john-smith",
        "(",
        ")",
        "4111",
        "1111",
        "203.0.113.7",
        "::",
        "f0",
        "Z3JpemVs",
        "é",
        "x",
    ]
)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def disagreements(values: list[str], told: Hint) -> list[str]:
    mask = suspects(pl.Series(values, dtype=pl.String), told).mask.to_list()
    slowly = [bool(find(value, told, prose=False)) for value in values]
    return [value for value, fast, slow in zip(values, mask, slowly, strict=True) if fast != slow]


@pytest.mark.parametrize("key", ["", "version", "order_id", "user_agent", "phone"])
def test_labelled_values(key: str) -> None:
    told = hint((key,)) if key else Hint()
    every = {text for row in rows(OWN + HELD_OUT) for text in (*texts(row["value"]), row["key"])}
    assert disagreements(sorted(every), told) == []


def test_values_of_the_benchmark() -> None:
    values = column(5_000).to_list()
    assert disagreements(values, Hint()) == []
    assert 0.05 < suspects(pl.Series(values)).mask.mean() < 0.15  # type: ignore[operator]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(PIECES, min_size=1, max_size=9).map("".join), min_size=1, max_size=20))
def test_values_near_the_borders(values: list[str]) -> None:
    assert disagreements(values, Hint()) == []


def test_types_are_counted_and_nulls_are_nothing() -> None:
    found = suspects(pl.Series(["a@example.com", None, "b@example.com", "203.0.113.7", "pro"]))
    assert found.types == {"email": 2, "ipv4": 1}
    assert found.mask.to_list() == [True, False, True, True, False]
    assert "example" not in repr(found)


def test_an_empty_column_has_no_suspects() -> None:
    assert suspects(pl.Series([], dtype=pl.String)).mask.to_list() == []
    assert suspects(pl.Series([None], dtype=pl.String), hint(("email",))).mask.to_list() == [False]
