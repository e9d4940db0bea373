"""Published answers about real logs, given by metrics as a product.yml declares them.

The data and where each answer comes from: ../shared/data/README.md. A naive count says the same of numbers that nobody
published.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import polars as pl
import pytest

from headway import EventLog, Retention
from headway.engine import connect
from headway.frameworks import measure
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
NAMES = UUID(int=5)
Months = dict[date, dict[str, Any]]


@pytest.fixture(scope="module")
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip("the real data sets are not here: ../shared/data")
    return DATA


def product_of(plan: str, product: str) -> Product:
    head = "version: 1\nproduct: test\ndefaults: {purpose: test, owner: test, retention: 60 months}\n"
    return parse_product(product, parse_plan(head + plan))


def measured(product: Product, events: pl.DataFrame, until: str) -> dict[str, Months]:
    """Everybody's cells by metric and month; `until`: what happens before this day is known."""
    con = connect()
    try:
        numbered = events.with_row_index("line").filter(pl.col("occurred_at") < datetime.fromisoformat(until))
        con.register("given", numbered.to_arrow())
        con.execute("CREATE TABLE events AS SELECT * REPLACE (CAST(person AS UUID) AS person) FROM given")
        con.execute("CREATE TABLE people AS SELECT DISTINCT person, 'direct' AS channel FROM events")
        found = measure(
            con,
            product,
            horizon=datetime.fromisoformat(until),
            as_of=datetime(2026, 1, 1),
            code_version="test",
        )
    finally:
        con.close()
    cells: dict[str, Months] = {}
    for row in found.values.filter(segment="all").iter_rows(named=True):
        cells.setdefault(row["metric"], {})[row["period_start"]] = row
    return cells


def added(months: Mapping[date, Mapping[str, Any]], column: str = "numerator") -> float:
    return math.fsum(row[column] or 0 for row in months.values())


def person(name: str) -> str:
    return str(uuid5(NAMES, name))


# -- CDNOW: who buys compact discs again ---------------------------------------------------------------------------

CDNOW_PLAN = """
events:
  Bought:
    properties:
      cds: {class: integer, min: 0}
      paid: {class: number, min: 0, unit: USD}
"""
CDNOW_PRODUCT = """
name: CDNOW
timezone: UTC
currency: USD
activity: Bought
grains: [month]
metrics:
  new_customers: {framework: aarrr, stage: acquisition, title: New, unit: people, kind: new_people}
  lines: {framework: aarrr, stage: revenue, title: Lines, unit: lines, kind: count, of: Bought}
  discs:
    {framework: aarrr, stage: revenue, title: Discs, unit: discs, kind: count,
     of: {event: Bought, measure: sum, value: cds}}
  revenue:
    {framework: aarrr, stage: revenue, title: Revenue, unit: USD, kind: count,
     of: &paid {event: Bought, measure: sum, value: paid}}
  buying_days:
    {framework: heart, stage: engagement, title: Days, unit: days, kind: mean, of: Bought, event: Bought, measure: days}
  repeaters:
    {framework: aarrr, stage: activation, title: Who buys again, unit: percent, kind: retention,
     start: Bought, returning: Bought, after: 1d, within: 600d}
  back_next_month:
    {framework: aarrr, stage: retention, title: Back, unit: people, kind: lifecycle, of: Bought, part: returning}
  first_time:
    {framework: aarrr, stage: retention, title: First, unit: people, kind: lifecycle, of: Bought, part: new}
  value_39w:
    {framework: aarrr, stage: revenue, title: Value in 39 weeks, unit: USD, kind: cohort_amount, start: Bought,
     of: *paid, within: 273d}
  per_line: {framework: aarrr, stage: revenue, title: A line, unit: USD, kind: quantile, event: Bought, value: paid}
"""
COHORTS = {
    1: [781, 124, 95, 70, 65, 77, 65],
    2: [857, 134, 110, 75, 77, 75, 61],
    3: [719, 87, 84, 78, 63, 64, 55],
}

Purchase = tuple[str, date, int, float]
"""Customer, day, discs, dollars."""


def purchases(file: Path, header: bool) -> Iterator[Purchase]:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open(encoding="ascii") as text:
        for line in text.read().splitlines()[header:]:
            *_, customer, day, discs, paid = line.split()
            yield customer, datetime.strptime(day, "%Y%m%d").date(), int(discs), float(paid)


def as_events(bought: Sequence[Purchase]) -> pl.DataFrame:
    return pl.DataFrame(
        [(person(c), "Bought", datetime(d.year, d.month, d.day), n, paid) for c, d, n, paid in bought],
        schema=["person", "event", "occurred_at", "cds", "paid"],
        orient="row",
    )


@pytest.fixture(scope="module")
def sample(data: Path) -> list[Purchase]:
    return list(purchases(data / "cdnow" / "CDNOW_sample.txt", header=False))


@pytest.fixture(scope="module")
def cdnow() -> Product:
    return product_of(CDNOW_PLAN, CDNOW_PRODUCT)


def test_cdnow_repeat_purchases_of_39_weeks(sample: list[Purchase], cdnow: Product) -> None:
    """Fader, Hardie and Lee (2005): 2,357 customers, 2,457 repeat days, 1,411 without any; then 1,882 more."""
    first = measured(cdnow, as_events(sample), "1997-10-01")
    customers, days = added(first["new_customers"]), added(first["buying_days"])
    assert (customers, days - customers) == (2_357, 2_457)
    assert added(first["repeaters"], "denominator") - added(first["repeaters"]) == 1_411
    whole = measured(cdnow, as_events(sample), "1998-07-01")
    assert added(whole["buying_days"]) - days == 1_882
    # 39 weeks after the last day of a month, everybody who was new in it has had the time.
    assert [row["complete"] for row in first["value_39w"].values()] == [False] * 9
    assert [row["complete"] for row in whole["value_39w"].values()] == [True] * 9 + [False] * 9


def test_cdnow_cohorts_of_months(sample: list[Purchase], cdnow: Product) -> None:
    events = as_events(sample)
    found = measured(cdnow, events, "1998-07-01")
    starts = [date(1997, month, 1) for month in COHORTS]
    assert [found["first_time"][start]["value"] for start in starts] == [c[0] for c in COHORTS.values()]
    # Whoever bought in January was new, so that February's returning customers are that cohort's.
    assert found["back_next_month"][starts[1]]["value"] == COHORTS[1][1]
    asked = Retention("Bought", "Bought", period="month", periods=6)
    told = asked.run(EventLog(events, person="person", event="event", time="occurred_at")).frame
    for month, expected in COHORTS.items():
        cohort = told.filter(pl.col("cohort_start") == date(1997, month, 1)).sort("period")
        assert cohort["people"].to_list() == expected


def test_cdnow_revenue_of_the_whole_cohort(data: Path, cdnow: Product) -> None:
    bought = list(purchases(data / "cdnow" / "CDNOW_master.txt.gz", header=True))
    found = measured(cdnow, as_events(bought), "1998-07-01")
    assert added(found["new_customers"]) == added(found["value_39w"], "denominator") == 23_570
    assert (added(found["lines"]), added(found["discs"])) == (69_659, 167_881)
    assert round(added(found["revenue"]), 2) == 2_500_315.63
    # 2,068 lines repeat a customer's day.
    assert added(found["buying_days"]) == 69_659 - 2_068
    # What nobody published, counted by hand: what each month's new customers bring in 39 weeks, and a line's median.
    first: dict[str, date] = {}
    for customer, day, _, _ in bought:
        first[customer] = min(day, first.get(customer, day))
    brought: dict[date, list[float]] = defaultdict(list)
    lines: dict[date, list[float]] = defaultdict(list)
    for customer, day, _, paid in bought:
        lines[day.replace(day=1)].append(paid)
        if day <= first[customer] + timedelta(days=273):
            brought[first[customer].replace(day=1)].append(paid)
    cohorts = Counter(day.replace(day=1) for day in first.values())
    for start, row in found["value_39w"].items():
        assert row["numerator"] == pytest.approx(math.fsum(brought.get(start, ())), abs=1e-6)
        assert row["denominator"] == cohorts.get(start, 0)
        assert (row["value"] is None) == (row["reason"] is not None) == (start not in cohorts)
    for start, amounts in lines.items():
        assert found["per_line"][start]["value"] == sorted(amounts)[math.ceil(len(amounts) / 2) - 1]


# -- mitzu's samples: clicks in a shop of cosmetics, and subscriptions ---------------------------------------------

CLICKS_PLAN = """
events:
  view: {properties: {price: {class: number}}}
  cart: {properties: {price: {class: number}}}
  remove_from_cart: {properties: {price: {class: number}}}
  purchase: {properties: {price: {class: number}}}
"""
CLICKS_PRODUCT = """
name: Cosmetics
timezone: UTC
currency: USD
activity: view
grains: [day]
metrics:
  views: {framework: heart, stage: engagement, title: Views, unit: views, kind: count, of: view}
  carts: {framework: heart, stage: engagement, title: Carts, unit: times, kind: count, of: cart}
  removed: {framework: heart, stage: engagement, title: Removed, unit: times, kind: count, of: remove_from_cart}
  bought: {framework: aarrr, stage: revenue, title: Bought, unit: times, kind: count, of: purchase}
  viewers: {framework: heart, stage: engagement, title: Viewers, unit: people, kind: count,
            of: {event: view, measure: people}}
  users_with_cart: {framework: heart, stage: adoption, title: Cart, unit: people, kind: count,
                    of: {event: cart, measure: people}}
  removers: {framework: heart, stage: engagement, title: Removers, unit: people, kind: count,
             of: {event: remove_from_cart, measure: people}}
  buyers: {framework: aarrr, stage: revenue, title: Buyers, unit: people, kind: count,
           of: {event: purchase, measure: people}}
  revenue: {framework: aarrr, stage: revenue, title: Revenue, unit: USD, kind: count,
            of: {event: purchase, measure: sum, value: price}}
  view_to_cart: {framework: aarrr, stage: activation, title: To the cart, unit: percent, kind: conversion,
                 start: view, reach: cart, within: 1h}
"""


@pytest.fixture(scope="module")
def clicks(data: Path) -> pl.DataFrame:
    with (data / "mitzu_samples" / "simple.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return pl.DataFrame(
        {
            "person": [person(row["user_id"]) for row in rows],
            "event": [row["event_type"] for row in rows],
            "occurred_at": [datetime.fromisoformat(row["event_time"]) for row in rows],
            "price": [float(row["price"]) for row in rows],
        }
    )


def test_mitzu_clicks(clicks: pl.DataFrame) -> None:
    first = clicks["occurred_at"].min()
    assert isinstance(first, datetime)
    # One day holds them all.
    assert clicks["occurred_at"].max() < first + timedelta(days=1)  # type: ignore[operator]
    found = measured(product_of(CLICKS_PLAN, CLICKS_PRODUCT), clicks, "2020-01-03")
    counts = {name: next(iter(cells.values()))["value"] for name, cells in found.items()}
    events = [counts[name] for name in ("views", "carts", "removed", "bought")]
    users = [counts[name] for name in ("viewers", "users_with_cart", "removers", "buyers")]
    assert (events, users) == ([1_556, 787, 569, 87], [581, 108, 61, 11])
    # Prices of what was bought, less than 0 nowhere.
    assert counts["revenue"] == pytest.approx(572.87, abs=1e-9)


def test_mitzu_from_view_to_cart(clicks: pl.DataFrame) -> None:
    """Of 160 users who view something in the first hour, 20 put something into the cart within an hour of it."""
    views = clicks.filter(event="view").group_by("person").agg(pl.col("occurred_at").min())
    early = views.filter(pl.col("occurred_at") < datetime(2020, 1, 1, 1))
    events = clicks.join(early.select("person"), on="person", how="semi", maintain_order="left")
    found = measured(product_of(CLICKS_PLAN, CLICKS_PRODUCT), events, "2020-01-03")
    (cell,) = found["view_to_cart"].values()
    assert (cell["numerator"], cell["denominator"], cell["complete"]) == (20, 160, True)


SUBSCRIPTIONS_PLAN = "events:\n  new_subscription:\n  renewed_subscription:\n"
SUBSCRIPTIONS_PRODUCT = """
name: Subscriptions
timezone: UTC
currency: USD
activity: [new_subscription, renewed_subscription]
grains: [month]
metrics:
  renewing: {framework: aarrr, stage: activation, title: Renewing, unit: percent, kind: conversion,
             start: new_subscription, reach: renewed_subscription, within: 7d}
  fifth_month: {framework: aarrr, stage: retention, title: In the fifth month, unit: percent, kind: retention,
                start: new_subscription, returning: renewed_subscription, after: 150d, within: 30d}
  renewals: {framework: heart, stage: engagement, title: Renewals, unit: renewals, kind: count,
             of: renewed_subscription}
  churn: {framework: aarrr, stage: retention, title: Churn, unit: percent, kind: lifecycle,
          of: [new_subscription, renewed_subscription], part: churn}
  wait: {framework: aarrr, stage: activation, title: Wait, unit: days, kind: duration, start: new_subscription,
         end: renewed_subscription}
"""


def test_mitzu_subscriptions(data: Path) -> None:
    with (data / "mitzu_samples" / "subscriptions.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    events = pl.DataFrame(
        {
            "person": [row["user_id"] for row in rows],
            "event": [row["event_type"] for row in rows],
            "occurred_at": [datetime.fromisoformat(row["event_time"]) for row in rows],
        }
    )
    found = measured(product_of(SUBSCRIPTIONS_PLAN, SUBSCRIPTIONS_PRODUCT), events, "2022-01-01")
    january = date(2021, 1, 1)
    cell = found["renewing"][january]
    assert (cell["numerator"], cell["denominator"], cell["complete"]) == (919, 1_000, True)
    months = [date(2021, month, 1) for month in range(1, 7)]
    assert [found["renewals"][month]["value"] for month in months] == [919, 878, 707, 606, 505, 404]
    # Each month's renewers are among those of the month before: who is missing has left.
    by_month = {m: {r["user_id"] for r in rows if r["event_time"][:7] == m.isoformat()[:7]} for m in months}
    for before, month in pairwise(months):
        gone = by_month[before] - by_month[month]
        cell = found["churn"][month]
        assert (cell["numerator"], cell["denominator"]) == (len(gone), len(by_month[before]))
    assert found["fifth_month"][january]["numerator"] == len(by_month[months[5]])
    assert found["wait"][january]["value"] == 3
