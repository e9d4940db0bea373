"""Metrics made of others: values by hand, reasons, periods, and intervals against a loop over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from scipy import stats

from headway.engine import connect
from headway.errors import InputError
from headway.frameworks import measure
from headway.frameworks.prelude import prelude
from headway.frameworks.values import Measured
from headway.models.product import Product
from headway.statistics.intervals import poisson_exact

WORDS = {"framework": "aarrr", "stage": "revenue", "title": "A title", "unit": "EUR"}
METRICS: Mapping[str, Mapping[str, Any]] = {
    "new": {**WORDS, "unit": "people", "kind": "new_people"},
    "revenue": {**WORDS, "kind": "count", "of": {"event": "Pay", "measure": "sum", "value": "amount"}},
    "payers": {**WORDS, "unit": "percent", "kind": "share", "of": "Visit", "did": "Pay"},
    "typical": {**WORDS, "kind": "quantile", "event": "Pay", "value": "amount"},
    "later": {**WORDS, "unit": "percent", "kind": "conversion", "start": "Visit", "reach": "Pay", "within": "9d"},
}  # fmt: skip
WEEKS = date(2026, 3, 2), date(2026, 3, 9)
Row = tuple[int, str, str, float | None]
"""Person, event, time, amount."""


def made(expression: str, **more: Any) -> dict[str, Any]:
    return {**WORDS, "kind": "formula", "expression": expression, **more}


def measured(
    rows: Sequence[Row],
    metrics: Mapping[str, Mapping[str, Any]],
    *,
    channels: Mapping[int, str] | None = None,
    spend: Sequence[tuple[str, str, float, str]] | None = None,
    rates: Sequence[tuple[str, str, float]] = (),
    horizon: str = "2027-01-01",
    grains: Sequence[str] = ("week",),
) -> Measured:
    con = connect()
    try:
        con.execute("CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, amount DOUBLE)")
        con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
        con.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?)", [(str(UUID(int=p)), *rest) for p, *rest in rows]
        )
        for person, channel in (channels or {}).items():
            con.execute("INSERT INTO people VALUES (?, ?)", [str(UUID(int=person)), channel])
        if spend is not None:
            con.execute("CREATE TABLE spend (day DATE, channel VARCHAR, amount DOUBLE, currency VARCHAR)")
            for row in spend:
                con.execute("INSERT INTO spend VALUES (?, ?, ?, ?)", list(row))
        con.execute("CREATE TABLE exchange_rates (day DATE, currency VARCHAR, rate DOUBLE)")
        for rate in rates:
            con.execute("INSERT INTO exchange_rates VALUES (?, ?, ?)", list(rate))
        product = Product.model_validate(
            {
                "name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "Visit", "grains": list(grains),
                "metrics": metrics,
            }
        )  # fmt: skip
        return measure(
            con,
            product,
            horizon=datetime.fromisoformat(horizon),
            as_of=datetime(2027, 1, 1),
            code_version="test",
        )
    finally:
        con.close()


def cells(
    rows: Sequence[Row],
    metric: str,
    metrics: Mapping[str, Mapping[str, Any]],
    segment: str = "all",
    **more: Any,
) -> dict[date, dict[str, Any]]:
    values = measured(rows, metrics, **more).values.filter(metric=metric, segment=segment)
    return {row["period_start"]: row for row in values.iter_rows(named=True)}


LOG: list[Row] = [
    (1, "Visit", "2026-03-02 10:00", None),
    (2, "Visit", "2026-03-03 10:00", None),
    (2, "Pay", "2026-03-04 10:00", 30.0),
    (3, "Visit", "2026-03-05 10:00", None),
    (3, "Pay", "2026-03-05 11:00", 12.0),
    (3, "Visit", "2026-03-10 10:00", None),
]


def test_values_by_hand() -> None:
    metrics = {**METRICS, "m": made("revenue / new"), "twice": made("2 * (m - 1) + -payers")}
    first, second = (cells(LOG, "m", metrics)[week] for week in WEEKS)
    assert (first["value"], first["people"], first["estimate"]) == (14.0, 2, "formula")
    assert (first["numerator"], first["denominator"], first["components"]) == (None, None, "new,revenue")
    # Nobody is new in the second week.
    assert (second["value"], second["reason"]) == (None, "the denominator is 0")
    twice = cells(LOG, "twice", metrics)
    assert twice[WEEKS[0]]["value"] == pytest.approx(26 - 2 / 3)
    assert twice[WEEKS[0]]["components"] == "new,payers,revenue"
    assert (twice[WEEKS[1]]["value"], twice[WEEKS[1]]["reason"]) == (None, "m has no value")


def test_segments_and_periods_are_those_of_all_its_metrics() -> None:
    metrics = {
        "new": METRICS["new"],
        "revenue": {**METRICS["revenue"], "grains": ["week", "month"]},
        "m": made("revenue / new"),
        "of_months": made("revenue / new", grains=["month"]),
    }
    channels = {3: "email"}
    found = measured(LOG, metrics, channels=channels, grains=["day", "week", "month"]).values
    assert set(found.filter(metric="m")["period"]) == {"week", "month"}
    assert set(found.filter(metric="of_months")["period"]) == {"month"}
    week = found.filter(metric="m", period="week", period_start=WEEKS[0])
    assert dict(week.select("segment", "value").rows()) == {
        "all": 14.0, "channel=direct": 15.0, "channel=email": 12.0
    }  # fmt: skip


def test_it_is_complete_when_all_its_metrics_are() -> None:
    metrics = {**METRICS, "m": made("new * later"), "early": made("new * payers")}
    found = measured(LOG, metrics, horizon="2026-03-12").values.filter(segment="all", period_start=WEEKS[0])
    assert dict(found.select("metric", "complete").rows())["m"] is False
    assert dict(found.select("metric", "complete").rows())["early"] is True


def test_what_is_no_sum_over_people_leaves_no_interval() -> None:
    row = cells(LOG, "m", {**METRICS, "m": made("typical / new")})[WEEKS[0]]
    assert (row["value"], row["low"], row["interval_method"]) == (4.0, None, None)
    assert row["reason"] == "no interval: typical is no sum over people"


def test_the_interval_is_that_of_a_loop_over_groups_of_people() -> None:
    rng = np.random.default_rng(1)
    people = 250
    rows: list[Row] = [(p, "Visit", f"2026-03-0{2 + p % 6} 10:00", None) for p in range(1, people + 1)]
    amounts = {p: float(rng.integers(1, 90)) for p in range(1, people + 1) if rng.random() < 0.4}
    rows += [(p, "Pay", "2026-03-08 12:00", amount) for p, amount in amounts.items()]
    row = cells(rows, "m", {**METRICS, "m": made("revenue / new * (1 - payers)")})[WEEKS[0]]
    buckets = bucket_of(range(1, people + 1))
    assert len(set(buckets.values())) == 32

    def value(left_out: int | None) -> float:
        kept = [p for p in buckets if buckets[p] != left_out]
        paid = [amounts[p] for p in kept if p in amounts]
        return sum(paid) / len(kept) * (1 - len(paid) / len(kept))

    full = value(None)
    half = stats.t.ppf(0.975, 31) * np.sqrt(31 / 32 * sum((value(g) - full) ** 2 for g in range(32)))
    assert row["value"] == pytest.approx(full)
    assert (row["low"], row["high"]) == pytest.approx((full - half, full + half))
    assert (row["interval_method"], row["reason"]) == ("delete-a-group jackknife", None)


def bucket_of(people: Sequence[int]) -> dict[int, int]:
    con = connect()
    try:
        con.execute("CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP)")
        con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
        rows = [(str(UUID(int=p)), "Visit", "2026-03-02") for p in people]
        con.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
        product = Product.model_validate(
            {"name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "Visit", "metrics": METRICS}
            | {"metrics": {"new": METRICS["new"]}}
        )
        with prelude(con, product) as shared:
            found = con.execute(f"SELECT person, bucket FROM {shared.people}").fetchall()
    finally:
        con.close()
    return {person.int: bucket for person, bucket in found}


def test_a_persons_group_does_not_depend_on_who_else_there_is() -> None:
    few, many = bucket_of([7, 30]), bucket_of(range(1, 100))
    assert few == {7: many[7], 30: many[30]}


def test_a_product_that_was_not_checked_is_refused_all_the_same() -> None:
    with pytest.raises(InputError, match="a is made of itself: a -> b -> a"):
        measured(LOG, {"a": made("b"), "b": made("a")})
    with pytest.raises(InputError, match=r"unknown metric 'reveneu'\. Did you mean 'revenue'"):
        measured(LOG, {**METRICS, "m": made("reveneu / new")})


def test_a_components_change_changes_the_definition() -> None:
    def hashed(event: str) -> str:
        of = {"event": event, "measure": "people"}
        metrics = {"a": {**WORDS, "kind": "count", "of": of}, "m": made("a / 2")}
        return Product.model_validate(
            {"name": "T", "timezone": "UTC", "currency": "EUR", "activity": "A", "metrics": metrics}
        ).definition_hash("m")

    assert hashed("Visit") != hashed("Pay")


def test_exclusions_keep_the_order_of_the_product() -> None:
    metrics = {"m": made("revenue * 1"), **METRICS, "other": METRICS["revenue"]}
    found = measured(LOG, metrics).exclusions
    assert found["metric"].to_list() == ["revenue", "other"]


SPEND = [
    ("2026-03-02", "email", 40.0, "EUR"),
    ("2026-03-04", "email", 40.0, "USD"),
    ("2026-03-04", "paid", 9.0, "GBP"),  # no rate
    ("2026-03-05", "paid", 30.0, "EUR"),
    ("2026-03-06", "paid", -5.0, "EUR"),
    ("2026-03-08", "paid", 0.0, "EUR"),
    ("2026-03-20", "paid", 1.0, "GBP"),  # a day that the log does not know
]
CAC = {**WORDS, "kind": "cost_per", "per": "new"}
CHANNELS = {2: "email", 3: "email"}
DOLLAR = [("2026-03-01", "USD", 0.5)]


def costs(segment: str = "all", **more: Any) -> dict[date, dict[str, Any]]:
    given = {"spend": SPEND, "rates": DOLLAR, "channels": CHANNELS, **more}
    return cells(LOG, "m", {**METRICS, "m": CAC}, segment, **given)


def test_costs_by_hand() -> None:
    # Three new people cost 40 and 40 * 0.5 for two who came by e-mail, and 30.
    row = costs()[WEEKS[0]]
    assert (row["value"], row["numerator"], row["denominator"], row["people"]) == (30.0, 90.0, 3.0, 3)
    low, high = poisson_exact(3)
    assert (row["low"], row["high"]) == pytest.approx((90 / high, 90 / low))
    assert (row["interval_method"], row["components"]) == ("poisson exact", "new")
    email = costs("channel=email")[WEEKS[0]]
    assert (email["value"], email["denominator"]) == (30.0, 2.0)


def test_costs_say_why_there_are_none() -> None:
    assert costs("channel=direct")[WEEKS[0]]["reason"] == "no spend"
    assert costs(spend=None)[WEEKS[0]]["reason"] == "no spend"
    # In the second week something was spent, and nobody came.
    later = [*SPEND, ("2026-03-10", "email", 8.0, "EUR")]
    row = costs(spend=later)[WEEKS[1]]
    assert (row["value"], row["numerator"], row["reason"]) == (None, 8.0, "the denominator is 0")
    assert (row["low"], row["high"], row["interval_method"]) == (None, None, None)
    nobody = costs("channel=email", spend=[*SPEND, ("2026-03-02", "direct", 7.0, "EUR")])[WEEKS[1]]
    assert nobody["reason"] == "no spend"


def test_what_could_not_be_spent_is_counted() -> None:
    metrics = {**METRICS, "m": CAC}
    found = measured(LOG, metrics, spend=SPEND, rates=DOLLAR).exclusions.filter(metric="m")
    assert dict(found.select("reason", "n_events").rows()) == {
        "no exchange rate for the currency and day": 1,
        "the value is below 0": 1,
    }


def test_costs_are_complete_where_spend_is_told_of_all_days() -> None:
    through = [("2026-03-02", "email", 1.0, "EUR"), ("2026-03-08", "email", 1.0, "EUR")]
    assert costs(spend=through)[WEEKS[0]]["complete"]
    assert not costs(spend=through)[WEEKS[1]]["complete"]
    assert not costs(spend=through[1:])[WEEKS[0]]["complete"]
    assert not costs(spend=through, horizon="2026-03-08")[WEEKS[0]]["complete"]


def test_a_declared_segment_has_no_costs() -> None:
    product: dict[str, Any] = {"name": "T", "timezone": "UTC", "currency": "EUR", "activity": "Visit"}
    product |= {"segments": {"last": {"touch": "last"}}, "metrics": {"new": METRICS["new"], "m": CAC}}
    con = connect()
    try:
        con.execute(
            "CREATE TABLE events AS SELECT uuid() AS person, 'Visit' AS event, TIMESTAMP '2026-03-02' AS occurred_at"
        )
        con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
        con.execute(
            "CREATE TABLE spend AS "
            "SELECT DATE '2026-03-02' AS day, 'direct' AS channel, 6 AS amount, NULL::VARCHAR AS currency"
        )
        values = measure(
            con,
            Product.model_validate(product),
            horizon=datetime(2026, 5, 1),
            as_of=datetime(2026, 5, 1),
            code_version="test",
        ).values.filter(metric="m", period="day")
    finally:
        con.close()
    assert {
        segment: (value, reason)
        for segment, value, reason in values.select("segment", "value", "reason").rows()
    } == {
        "all": (6.0, None),
        "channel=direct": (6.0, None),
        "last=direct": (None, "spend is known by channel only"),
    }


def test_a_formula_over_costs_has_an_interval() -> None:
    metrics = {**METRICS, "m": CAC, "ratio": made("revenue / new / m")}
    row = cells(LOG, "ratio", metrics, spend=SPEND, rates=DOLLAR)[WEEKS[0]]
    # Revenue per new person over cost per new person is revenue over spend.
    buckets = bucket_of([1, 2, 3])
    assert len(set(buckets.values())) == 3
    without = [42.0 - amount for amount in (0.0, 30.0, 12.0)]
    full = 42.0 / 90
    squares = sum((one * 32 / 31 / 90 - full) ** 2 for one in [*without, *[42.0] * 29])
    half = stats.t.ppf(0.975, 2) * np.sqrt(31 / 32 * squares)
    assert row["value"] == pytest.approx(full)
    assert (row["low"], row["high"]) == pytest.approx((full - half, full + half))
