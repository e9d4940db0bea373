"""What segments did to a change: counted by hand, exact for all, and never from hidden cells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moved_oracle import HIDDEN, Row, cell, exact_effects, hidden, table

from headway.moved import metric_changes, metric_effects
from headway.moved.decomposition import DO_NOT_ADD_UP, EVERYBODY, NOT_ADDITIVE
from headway.moved.pairs import BEFORE, CUT

FIRST = date(2026, 3, 2)
SECOND = FIRST + timedelta(7)
Cells = Mapping[str, tuple[int, int]]
"""Numerator and denominator by label."""


def rows(start: date, cells: Cells, scale: float = 1.0, dimension: str = "channel") -> list[Row]:
    everybody = (sum(y for y, _ in cells.values()), sum(x for _, x in cells.values()))
    every = [("all", everybody), *((f"{dimension}={label}", pair) for label, pair in cells.items())]
    return [cell(start, float(y), float(x), segment=segment, scale=scale) for segment, (y, x) in every]


def effects(*weeks: list[Row], kind: str = "proportion", first_day: date | None = None) -> pl.DataFrame:
    values = table(row for week in weeks for row in week)
    found = metric_effects(values, {"m": kind}, first_day=first_day)
    return found.filter(compared_with="previous", period_start=SECOND)


def by_label(frame: pl.DataFrame) -> dict[str, tuple[float | None, ...]]:
    return {
        label: tuple(rest)
        for label, *rest in frame.select("label", "mix_effect", "rate_effect", "effect").rows()
    }


def test_the_mix_can_move_everybody_against_all_rates() -> None:
    """Simpson's paradox: both channels got better, everybody got worse, as the worse channel grew.

    Before: a 80 of 100 (80 %), b 10 of 100 (10 %); together 45 %. After: a 45 of 50 (90 %), b 30 of 150 (20 %);
    together 37.5 %. Shares went from 50 and 50 % to 25 and 75 %, the middle of both totals is 41.25 %.
    """
    found = effects(
        rows(FIRST, {"a": (80, 100), "b": (10, 100)}), rows(SECOND, {"a": (45, 50), "b": (30, 150)})
    )
    shares = found.select("label", "share_before", "share").rows()
    assert shares == [("a", 0.5, 0.25), ("b", 0.5, 0.75)]
    assert by_label(found) == {
        # mix -25 % x (85 - 41.25), rate 37.5 % x 10
        "a": pytest.approx((-0.109375, 0.0375, -0.071875)),
        # mix +25 % x (15 - 41.25), rate 62.5 % x 10
        "b": pytest.approx((-0.065625, 0.0625, -0.003125)),
    }
    assert found["effect"].sum() == pytest.approx(0.375 - 0.45)


def test_growth_of_all_alike_is_no_effect() -> None:
    found = effects(
        rows(FIRST, {"a": (40, 50), "b": (5, 50)}), rows(SECOND, {"a": (80, 100), "b": (10, 100)})
    )
    assert by_label(found) == {"a": pytest.approx((0, 0, 0)), "b": pytest.approx((0, 0, 0))}


def test_a_label_that_comes_or_goes_is_mix_alone() -> None:
    """Before a 50 of 100 and b 10 of 100, together 30 %; after a 50 of 100 and c 30 of 100, together 40 %."""
    found = effects(
        rows(FIRST, {"a": (50, 100), "b": (10, 100), "c": (0, 0)}),
        rows(SECOND, {"a": (50, 100), "b": (0, 0), "c": (30, 100)}),
    )
    assert by_label(found) == {
        "a": pytest.approx((0, 0, 0)),
        # 0 - 5 % of everybody, having lost half of them: -0.05 + 0.5 x 0.35
        "b": pytest.approx((0.125, 0, 0.125)),
        "c": pytest.approx((-0.025, 0, -0.025)),
    }


def test_a_score_is_in_points() -> None:
    """20 points to 30: promoters minus detractors 20 of 100, then 30 of 100, all of it by a."""
    weeks = (
        rows(FIRST, {"a": (10, 50), "b": (10, 50)}, scale=100),
        rows(SECOND, {"a": (20, 50), "b": (10, 50)}, scale=100),
    )
    found = effects(*weeks, kind="promoter_score")
    assert by_label(found) == {"a": pytest.approx((0, 10, 10)), "b": pytest.approx((0, 0, 0))}


@pytest.mark.parametrize("kind", ["count", "total"])
def test_a_number_is_made_of_its_labels_changes(kind: str) -> None:
    def week(start: date, a: float, b: float) -> list[Row]:
        return [cell(start, n, segment=s) for s, n in (("all", a + b), ("channel=a", a), ("channel=b", b))]

    found = effects(week(FIRST, 30, 10), week(SECOND, 25, 25), kind=kind)
    assert by_label(found) == {"a": (None, None, -5), "b": (None, None, 15)}
    assert found["share"].to_list() == [0.5, 0.5]
    assert found["share_before"].to_list() == [0.75, 0.25]


@pytest.mark.parametrize("kind", ["quantile", "formula", "something new"])
def test_other_kinds_are_not_divided(kind: str) -> None:
    found = effects(rows(FIRST, {"a": (1, 50)}), rows(SECOND, {"a": (2, 50)}), kind=kind)
    assert found.select("effect", "mix_effect", "rate_effect", "share", "reason").row(0) == (
        *[None] * 4,
        NOT_ADDITIVE,
    )
    assert found["value"].to_list() == [0.04]


def test_a_hidden_label_is_not_worked_out_and_the_others_are_shown() -> None:
    before = rows(FIRST, {"a": (80, 100), "b": (10, 100), "c": (20, 50)})
    after = rows(SECOND, {"a": (45, 50), "b": (30, 150), "c": (20, 50)})
    whole = by_label(effects(before, after))
    for at, reason in ((0, BEFORE + HIDDEN), (1, HIDDEN)):
        weeks = [list(before), list(after)]
        weeks[at][2] = hidden(weeks[at][2])
        found = effects(*weeks)
        assert by_label(found) == {**whole, "b": (None, None, None)}
        assert found.filter(label="b").select("share", "share_before", "reason").row(0) == (
            None,
            None,
            reason,
        )


def test_nothing_is_divided_where_everybody_is_hidden_or_the_log_begins_within() -> None:
    before, after = rows(FIRST, {"a": (80, 100)}), rows(SECOND, {"a": (45, 50)})
    found = effects([hidden(before[0]), before[1]], after)
    assert found.select("effect", "reason").row(0) == (None, EVERYBODY + BEFORE + HIDDEN)
    found = effects(before, after, first_day=FIRST + timedelta(1))
    assert found.select("value_before", "effect", "reason").row(0) == (None, None, BEFORE + CUT)


def test_labels_that_are_not_everybody_are_not_divided() -> None:
    before, after = rows(FIRST, {"a": (80, 100), "b": (1, 9)}), rows(SECOND, {"a": (45, 50), "b": (1, 9)})
    for weeks in (
        ([*before[:2], cell(FIRST, 1.0, 8.0, segment="channel=b")], after),
        ([*before[:2], cell(FIRST, 2.0, 9.0, segment="channel=b")], after),
        (before, after[:2]),
    ):
        found = effects(*weeks)
        assert found["reason"].unique().to_list() == [DO_NOT_ADD_UP]
        assert found["effect"].null_count() == found.height > 0


def test_each_segment_is_divided_by_itself() -> None:
    weeks = []
    for start, channel, plan in (
        (FIRST, {"a=1": (50, 100), "b": (10, 100)}, {"free": (20, 150), "pro": (40, 50)}),
        (SECOND, {"a=1": (60, 100), "b": (10, 100)}, {"free": (30, 150), "pro": (40, 50)}),
    ):
        weeks.append(rows(start, channel) + rows(start, plan, dimension="plan")[1:])
    found = effects(*weeks)
    sums = found.group_by("dimension", maintain_order=True).agg(pl.col("effect").sum().round(9)).rows()
    assert sums == [("channel", 0.05), ("plan", 0.05)]
    assert found["label"].to_list() == ["a=1", "b", "free", "pro"]


def test_labels_without_anybody_have_no_row() -> None:
    found = effects(rows(FIRST, {"a": (1, 50), "b": (0, 0)}), rows(SECOND, {"a": (2, 50), "b": (0, 0)}))
    assert found["label"].to_list() == ["a"]
    assert metric_effects(table([]), {}).is_empty()


LABELS = ("a", "b", "c")
pairs_of = st.tuples(st.integers(-50, 50), st.integers(0, 40))


@settings(max_examples=150)
@given(
    after=st.tuples(*[pairs_of] * 3),
    before=st.tuples(*[pairs_of] * 3),
    kind=st.sampled_from(["ratio", "promoter_score"]),
)
def test_effects_add_up_exactly_and_equal_fractions(
    after: tuple[tuple[int, int], ...], before: tuple[tuple[int, int], ...], kind: str
) -> None:
    """Numerators may be negative, and a label may have a numerator without a denominator."""
    if not sum(x for _, x in after) or not sum(x for _, x in before):
        return
    scale = 100 if kind == "promoter_score" else 1
    cells1, cells0 = dict(zip(LABELS, after, strict=True)), dict(zip(LABELS, before, strict=True))
    weeks = rows(FIRST, cells0, scale), rows(SECOND, cells1, scale)
    found = effects(*weeks, kind=kind)
    change = metric_changes(table([*weeks[0], *weeks[1]])).filter(
        segment="all", period_start=SECOND, compared_with="previous"
    )["change"][0]
    size = scale * (1 + sum(abs(y) for y, _ in (*after, *before)))
    assert found["effect"].sum() == pytest.approx(change, abs=1e-13 * size)
    exact = exact_effects(cells1, cells0, scale)
    assert set(found["label"]) >= {label for label in LABELS if any(exact[label])}
    for label, (mix, rate, effect) in by_label(found).items():
        assert mix == pytest.approx(float(exact[label][0]), abs=1e-13 * size)
        assert rate == pytest.approx(float(exact[label][1]), abs=1e-13 * size)
        assert effect == pytest.approx(float(sum(exact[label])), abs=1e-13 * size)
