"""Verdicts on limits."""

from __future__ import annotations

import math
from typing import Literal

import pytest

from headway.errors import InputError
from headway.statistics.verdicts import Verdict, verdict

Ends = tuple[float | None, float | None, float | None]


@pytest.mark.parametrize(
    ("ends", "direction", "expected"),
    [
        # Crash-free sessions must not fall below 10, say; and load times not exceed it.
        ((12, 11, 13), "up", "ok"),
        ((11, 10, 12), "up", "ok"),
        ((11, 9, 13), "up", "unclear"),
        ((9, 8, 10), "up", "unclear"),
        ((9, 8, 9.9), "up", "breached"),
        ((8, 7, 9), "down", "ok"),
        ((9, 8, 10), "down", "ok"),
        ((9, 8, 11), "down", "unclear"),
        ((11, 10, 12), "down", "unclear"),
        ((11, 10.1, 12), "down", "breached"),
        ((8, None, None), "up", "unclear"),
        ((8, math.nan, math.nan), "down", "unclear"),
        ((None, None, None), "up", "unclear"),
        # No upper end: what is certain all the same.
        ((12, 11, None), "down", "breached"),
        ((12, 11, None), "up", "ok"),
        ((8, 7, None), "down", "unclear"),
    ],
)
def test_verdicts(ends: Ends, direction: Literal["up", "down"], expected: Verdict) -> None:
    assert verdict(*ends, limit=10, direction=direction) == expected


def test_impossible_questions_are_refused() -> None:
    with pytest.raises(InputError, match="must be a number"):
        verdict(1, 0, 2, math.nan, "up")
    with pytest.raises(InputError, match="up or down, not 'left'"):
        verdict(1, 0, 2, 1, "left")  # type: ignore[arg-type]
