"""All experiments together, counted by hand; and what picking winners does to their sum."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from headway.errors import InputError
from headway.experiments.programme import programme, towards_zero


def one(name: str, decision: str, **more: Any) -> dict[str, Any]:
    return {"experiment": name, "start": date(2026, 3, 1), "end": date(2026, 3, 10), "declared": date(2026, 2, 1),
            "status": "over", "decision": decision, "ships": "new" if decision == "ship" else None, **more}  # fmt: skip


def result(name: str, relative: float, error: float) -> dict[str, Any]:
    return {"experiment": name, "metric": "m", "purpose": "primary", "variant": "new", "relative": relative,
            "relative_low": relative - 1.959964 * error, "relative_high": relative + 1.959964 * error}  # fmt: skip


def test_counts() -> None:
    found = programme(
        [
            one("a", "ship"),
            one("b", "stop", end=date(2026, 3, 20)),
            one("c", "inconclusive", declared=None),
            one("d", "continue", status="running"),
            one(
                "e",
                "ship",
                status="running",
                declared=date(2026, 3, 15),
                start=date(2026, 3, 14),
                end=date(2026, 3, 30),
            ),
        ],
        [result("a", 0.1, 0.03), result("e", 0.2, 0.05)],
        last_day=date(2026, 3, 20),
    )
    assert (found.experiments, found.judged, found.shipped, found.stopped, found.inconclusive) == (
        5,
        4,
        2,
        1,
        1,
    )
    # 10, 20 and 10 days, and 7 of 17 planned
    assert (found.days, found.planned_days) == (11.75, 14.25)
    assert (found.win_rate, found.early, found.undeclared) == (0.5, 1, 2)
    (impact,) = found.impacts
    assert (impact.shipped, round(impact.naive, 3), impact.shrunken) == (2, 0.3, None)


def test_nothing_judged_is_no_rate() -> None:
    found = programme([one("a", "continue")], [], last_day=date(2026, 3, 20))
    assert (found.judged, found.win_rate, found.days) == (0, None, None)


def test_shrunken_sums_of_winners_are_nearer_to_the_truth() -> None:
    """Ten experiments a year, true effects around 0: what is shipped was shipped because it looked good."""
    rng = np.random.default_rng(1)
    naive, shrunken = [], []
    for _ in range(400):
        truth = rng.normal(0, 0.03, 10)
        seen = rng.normal(truth, 0.03)
        names = [str(n) for n in range(10)]
        listed = [one(n, "ship" if s > 0.03 else "inconclusive") for n, s in zip(names, seen, strict=True)]
        rows = [result(n, s, 0.03) for n, s in zip(names, seen, strict=True)]
        found = programme(listed, rows, last_day=date(2026, 3, 20))
        (impact,) = found.impacts
        really = float(truth[seen > 0.03].sum())
        naive.append(impact.naive - really)
        shrunken.append((impact.shrunken or 0.0) - really)
    assert abs(np.mean(shrunken)) < 0.35 * abs(np.mean(naive))


def test_shrinking_needs_three() -> None:
    with pytest.raises(InputError, match="three effects"):
        towards_zero([0.1, 0.2], [0.1, 0.1])
    assert towards_zero([0.1, 0.0, -0.1], [1.0, 1.0, 1.0]).tolist() == [0.0, 0.0, 0.0]
