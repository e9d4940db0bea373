"""What moved most, as a report needs it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from moved_oracle import Row, cell, hidden, table

from headway.moved import Effect, Move, moved_tables, moves

MONDAY = date(2026, 3, 2)
KINDS = {"sure": "proportion", "unsure": "proportion", "late": "proportion", "bare": "quantile"}


def week(
    metric: str, n: int, a: tuple[float, float], b: tuple[float, float], half: float | None
) -> list[Row]:
    start = MONDAY + timedelta(7 * n)
    cells = {"all": (a[0] + b[0], a[1] + b[1]), "channel=a": a, "channel=b": b}
    rows = [cell(start, y, x, segment=segment, metric=metric) for segment, (y, x) in cells.items()]
    return [
        row | ({} if half is None else {"low": row["value"] - half, "high": row["value"] + half})
        for row in rows
    ]


def history() -> list[Row]:
    return [
        *week("sure", -1, (30, 100), (50, 100), 0.03),
        *week("sure", 0, (10, 100), (50, 100), 0.03),
        *week("sure", 1, (30, 100), (50, 100), 0.04),
        *week("unsure", 0, (10, 100), (50, 100), 0.03),
        *week("unsure", 1, (10, 100), (44, 100), 0.04),
        *week("late", 0, (10, 100), (50, 100), 0.03),
        *week("late", 1, (10, 100), (48, 100), 0.04),
        *(row | {"complete": False} for row in week("late", 2, (90, 100), (48, 100), 0.04)),
        *week("bare", 0, (10, 100), (50, 100), None),
        *week("bare", 1, (90, 100), (50, 100), None),
    ]


def found(rows: list[Row], period: str = "week", compared_with: str = "previous") -> tuple[Move, ...]:
    tables = moved_tables(table(rows), KINDS)
    return moves(
        tables["metric_changes"], tables["metric_effects"], period=period, compared_with=compared_with
    )


def test_the_surest_change_comes_first_and_what_has_no_interval_last() -> None:
    moved = found(history())
    assert [each.metric for each in moved] == ["sure", "unsure", "late", "bare"]
    # 0.1 against sqrt(0.03^2 + 0.04^2) = 0.05, and -0.03 against it.
    assert [each.evidence for each in moved] == [
        pytest.approx(2),
        pytest.approx(0.6),
        pytest.approx(0.2),
        None,
    ]
    assert [each.is_sure for each in moved] == [True, False, False, False]
    first = moved[0]
    assert (first.period_start, first.period_before) == (MONDAY + timedelta(7), MONDAY)
    assert (first.value, first.value_before, first.change) == pytest.approx((0.4, 0.3, 0.1))
    assert (first.low, first.high) == pytest.approx((0.05, 0.15))


def test_a_week_that_is_not_over_does_not_count() -> None:
    assert next(
        each for each in found(history()) if each.metric == "late"
    ).period_start == MONDAY + timedelta(7)


def test_the_largest_effects_come_first() -> None:
    first, second, *_, bare = found(history())
    largest = first.effects[0]
    assert largest == Effect("channel", "a", largest.effect, 0, largest.effect)
    assert largest.effect == pytest.approx(0.1)
    assert [each.label for each in second.effects] == ["b", "a"]
    assert first.whole == {"channel"}
    assert (bare.effects, bare.whole) == ((), frozenset())


def test_hidden_labels_are_absent_and_said_to_be() -> None:
    rows = [hidden(row) if row["segment"] == "channel=b" else row for row in history()]
    first = found(rows)[0]
    assert ([each.label for each in first.effects], first.whole) == (["a"], frozenset())


def test_what_did_not_change_or_cannot_be_compared() -> None:
    assert found(history(), compared_with="last year") == ()
    assert found([]) == ()
    still = [row | {"metric": "sure"} for row in week("sure", 0, (1, 10), (5, 10), 0.1)]
    later = [row | {"period_start": MONDAY + timedelta(7)} for row in still]
    assert found(still + later)[0].evidence == 0
    # The latest week is hidden: an older change is not told in its place.
    gone = [
        hidden(row) if row["period_start"] > MONDAY and row["segment"] == "all" else row for row in history()
    ]
    assert [each.metric for each in found(gone)] == []
