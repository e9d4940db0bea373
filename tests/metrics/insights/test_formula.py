"""Formulas against arithmetic in Python over the frames of their trends, and what a formula may hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import Formula, People, Trend
from headway.log import EventLog

EXAMPLES = 500 if os.environ.get("HEADWAY_FULL") else 8
MARCH = datetime(2026, 3, 27)
Numbers = dict[str, float | None]
#: A formula beside the same in Python; nothing where there is nothing to compute with, or a division by zero.
FORMULAS: list[tuple[str, Callable[[float, float], float]]] = [
    ("A / B", lambda a, b: a / b),
    ("A - B * 2", lambda a, b: a - b * 2),
    ("(A - B) * -2", lambda a, b: (a - b) * -2),
    ("100 * A / (A + B)", lambda a, b: 100 * a / (a + b)),
    ("A / B / 4 - 1e-3", lambda a, b: a / b / 4 - 1e-3),
]


def make_log(seed: int) -> EventLog:
    dice = Random(seed)
    rows = [
        (
            dice.choice("opq"),
            dice.choice(["Visit", "Payment"]),
            MARCH + timedelta(hours=dice.randrange(96)),
            dice.choice(["x", "y", None]),
            dice.choice([None, 0.5, 4.0, -4.0]),
        )
        for _ in range(dice.choice([6, 20]))
    ]
    rows += [("z", name, datetime(2026, 4, 2), "x", 1.0) for name in ("Visit", "Payment")]
    schema = ["person", "event", "occurred_at", "plan", "amount"]
    return EventLog(pl.DataFrame(rows, schema=schema, orient="row"), timezone="Europe/Berlin")


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    seed=st.integers(1, 10**9),
    formula=st.sampled_from(FORMULAS),
    measures=st.lists(
        st.sampled_from(["total", "people", "sum:amount", "mean:amount"]), min_size=2, max_size=2
    ),
    by=st.sampled_from(["plan", None]),
    period=st.sampled_from(["day", "week", None]),
)
def test_equals_arithmetic_over_the_frames(
    seed: int,
    formula: tuple[str, Callable[[float, float], float]],
    measures: list[str],
    by: str | None,
    period: Any,
) -> None:
    a, b = Trend("Payment", measures[0], period, by), Trend("Visit", measures[1], period, by)
    with make_log(seed) as log:
        result = Formula(formula[0], A=a, B=b, since="2026-03-27", until="2026-03-31").run(log)
        keys = [name for name in (by, "period_start" if period else None) if name]
        values: dict[tuple[Any, ...], Numbers] = {}
        for name, trend in (("A", a), ("B", b)):
            frame = replace(trend, since="2026-03-27", until="2026-03-31").run(log).frame
            for row in frame.iter_rows(named=True):
                values.setdefault(tuple(row[key] for key in keys), {})[name] = row["value"]
        wanted = []
        for key in sorted(values):
            numbers = [
                values[key].get(name, None if measure.startswith("mean") else 0)
                for name, measure in zip("AB", measures, strict=True)
            ]
            wanted.append((*key, about(formula[1], *numbers), *numbers))
        assert result.frame.select(*keys, "value", "A", "B").rows() == wanted
        assert log.sql(result.sql)["value"].equals(result.frame["value"])


def about(compute: Callable[[float, float], float], a: float | None, b: float | None) -> Any:
    if a is None or b is None:
        return None
    try:
        return pytest.approx(compute(a, b))
    except ZeroDivisionError:
        return None


def story() -> EventLog:
    rows = [
        ("ann", "Visit", datetime(2026, 3, 1), 1.0),
        ("bob", "Visit", datetime(2026, 3, 1), 1.0),
        ("bob", "Payment", datetime(2026, 3, 1), 1e308),
        ("bob", "Payment", datetime(2026, 3, 3), 2.0),
    ]
    return EventLog(
        pl.DataFrame(rows, schema=["person", "event", "occurred_at", "amount"], orient="row"),
        horizon=datetime(2026, 3, 3),
    )


PAID, SEEN = Trend("Payment", "people"), Trend("Visit", "people")


def test_a_ratio_by_hand() -> None:
    with story() as log:
        result = Formula("paid / seen", paid=PAID, seen=SEEN).run(log)
        assert result.frame.columns == ["period_start", "value", "complete", "paid", "seen"]
        assert result.frame.rows() == [
            (date(2026, 3, 1), 0.5, True, 1.0, 2.0),
            (date(2026, 3, 2), None, True, 0.0, 0.0),
            (date(2026, 3, 3), None, False, 1.0, 0.0),
        ]
        assert "A division by zero has no value" in result.describe()
        assert "People with Visit" in result.describe()
        whole = Formula("paid / seen", paid=replace(PAID, period=None), seen=replace(SEEN, period=None))
        assert whole.run(log).frame.rows() == [(0.5, True, 1.0, 2.0)]
        assert whole.run(log).figure().to_html(include_plotlyjs=False)
        assert result.figure().to_html(include_plotlyjs=False)


def test_what_is_not_finite_has_no_value() -> None:
    large = Trend("Payment", "sum:amount", None)
    with story() as log:
        assert Formula("A * A", A=large).run(log).frame["value"].to_list() == [None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A / C", "unknown trend in the formula 'C'"),
        ("A // B", "cannot use INTDIV"),
        ("A ** B", "cannot use POW"),
        ("sum(A) + B", "cannot use SUM"),
        ("A + B -- ;", "cannot hold a comment"),
        ("A + B; DROP TABLE events", "cannot "),
        ("A +", "cannot read the formula"),
        ("A + B + 'x'", "cannot use LITERAL"),
        ("A + B + 1e999", "cannot use LITERAL"),
        ("A + (SELECT 1) + B", "cannot "),
        ("A = B", "cannot use EQ"),
        ("A", "never uses 'B'"),
        ("", "is a text of at most"),
        ("A + " + "(" * 400 + "B" + ")" * 400, "cannot read|nested too deeply"),
    ],
)
def test_a_formula_holds_arithmetic_only(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Formula(text, A=PAID, B=SEEN)


@pytest.mark.parametrize(
    ("trends", "options", "message"),
    [
        ({}, {}, "a formula needs trends"),
        ({"A": PAID, "B": replace(SEEN, period="week")}, {}, "differ in period"),
        ({"A": PAID, "B": replace(SEEN, by="plan")}, {}, "differ in by"),
        ({"A": PAID, "B": replace(SEEN, since="2026-03-01")}, {}, "differ in since"),
        ({"A": PAID, "B": SEEN}, {"where": "amount > 1"}, "where belongs to each trend"),
        ({"A": PAID, "B": "Visit"}, {}, "must be a Trend"),
        ({"A": PAID, "a": SEEN}, {}, "more than upper and lower case"),
        ({"value": PAID, "B": SEEN}, {}, "cannot be called 'value'"),
        ({"A": PAID, "B": replace(SEEN, since="2026-03-01", compare="previous")}, {}, "differ in since"),
    ],
)
def test_trends_must_fit_together(trends: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Formula("A + B", **trends, **options)


def test_a_cohort_is_that_of_the_formula_or_of_its_trends() -> None:
    bob, ann = People(["bob"]), People(["ann"])
    with story() as log:
        asked = Formula("paid / seen", paid=PAID, seen=SEEN, cohort=bob)
        assert replace(asked) == asked
        assert asked.run(log).frame["value"].to_list() == [1.0, None, None]
        own = Formula("paid / seen", paid=PAID, seen=replace(SEEN, cohort=ann.named("annies")))
        assert own.run(log).frame["seen"].to_list() == [1.0, 0.0, 0.0]
        assert "of annies" in own.describe()
    with pytest.raises(InputError, match="has a cohort of its own"):
        replace(own, cohort=bob)


def test_each_trend_may_have_its_own_condition() -> None:
    small = replace(PAID, where="amount < 10", measure="total")
    with story() as log:
        frame = Formula("A - B", A=replace(PAID, measure="total"), B=small).run(log).frame
        assert frame["value"].to_list() == [1.0, 0.0, 0.0]
