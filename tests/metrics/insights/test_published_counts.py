"""Published answers about two shops, asked as trends, formulas, sessions and paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from headway.insights import Formula, Paths, Sessions, Trend
from headway.log import EventLog

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
PAYING, BUYING = "payment_details", "purchase"


@pytest.fixture(scope="module")
def cosmetics() -> Iterator[EventLog]:
    """REES46 clicks, as mitzu's own tests take them."""
    file = DATA / "mitzu_samples" / "simple.csv"
    if not file.is_file():
        pytest.skip("the shop clicks are not on this machine")
    raw = pl.read_csv(file, infer_schema=False)
    frame = raw.select(
        pl.col("event_time").str.to_datetime().alias("occurred_at"),
        pl.col("price").cast(pl.Decimal(12, 2)),
        person="user_id",
        event="event_type",
        visit="user_session",
    )
    with EventLog(frame) as log:
        yield log


@pytest.fixture(scope="module")
def shop() -> Iterator[EventLog]:
    """The synthetic shop of retentioneering's authors, with the stories they planted."""
    file = DATA / "retentioneering_ecom" / "ecom.csv.gz"
    if not file.is_file():
        pytest.skip("the shop's clickstream is not on this machine")
    frame = pl.read_csv(file).with_columns(pl.col("timestamp").str.to_datetime())
    with EventLog(frame, person="user_id", time="timestamp") as log:
        yield log


def whole(log: EventLog, event: str | None, measure: str = "total", unit: str = "person") -> float:
    events = event if event else sorted(log.names)
    values = Trend(events, measure, None, unit=unit).run(log).frame["value"].to_list()
    assert len(values) == 1
    return float(values[0])


def test_cosmetics_events_people_and_revenue(cosmetics: EventLog) -> None:
    found = {name: (whole(cosmetics, name), whole(cosmetics, name, "people")) for name in cosmetics.names}
    assert found == {
        "view": (1556, 581),
        "cart": (787, 108),
        "remove_from_cart": (569, 61),
        "purchase": (87, 11),
    }
    # decimals add up exactly
    assert whole(cosmetics, "purchase", "sum:price") == 572.87
    revenue = Formula(
        "revenue / buyers",
        revenue=Trend("purchase", "sum:price", None),
        buyers=Trend("purchase", "people", None),
    )
    assert revenue.run(cosmetics).frame["value"].to_list() == [pytest.approx(572.87 / 11)]


def test_cosmetics_sessions(cosmetics: EventLog) -> None:
    result = Sessions(tracker="visit", max_length=None, max_rate=None).run(cosmetics)
    assert result.frame["tracker_id"].n_unique() == 783
    assert whole(cosmetics, None, "people", unit="visit") == 783


def test_shop_people_sessions_and_purchases(shop: EventLog) -> None:
    assert whole(shop, None, "people") == 600
    assert whole(shop, None, "people", unit="session_id") == 3605
    sessions = Sessions(tracker="session_id").run(shop)
    assert sessions.summary().row(0, named=True)["sessions"] == 3605
    assert sessions.trend("month")["sessions"].sum() == 3605
    assert (whole(shop, BUYING), whole(shop, BUYING, "people")) == (470, 328)
    # distinct people over half a year are no sum of days
    days = Trend(BUYING, "people").run(shop).frame["value"].sum()
    assert days > 328
    first = Trend(BUYING, "first_time", "month").run(shop).frame["value"].sum()
    running = Trend(BUYING, "people", "week", cumulative=True).run(shop).frame["value"].to_list()
    assert (first, running[-1]) == (328, 328)


def test_shop_failure_of_payments(shop: EventLog) -> None:
    """From 19 May to 7 June payments fail: 46 of 130 sessions with payment details buy, outside 424 of 502.

    A session is one path here; it holds the payment details, and the purchase or not.
    """
    paths = Paths(event=[PAYING, BUYING], unit="session_id", idle=None, steps=50)
    counts = []
    for since, until in ((None, "2024-05-18"), ("2024-05-19", "2024-06-07"), ("2024-06-08", None)):
        ways = replace(paths, since=since, until=until).run(shop).top(10_000)
        paying = ways.filter(pl.col("items").list.contains(PAYING))
        buying = paying.filter(pl.col("items").list.contains(BUYING))
        counts.append((int(buying["paths"].sum()), int(paying["paths"].sum())))
    before, failing, after = counts
    assert failing == (46, 130)
    assert (before[0] + after[0], before[1] + after[1]) == (424, 502)
    share = Formula(
        "buying / paying",
        buying=Trend(BUYING, "people", None, unit="session_id"),
        paying=Trend(PAYING, "people", None, unit="session_id"),
        since="2024-05-19",
        until="2024-06-07",
    )
    # all sessions that buy, those without payment details too
    assert share.run(shop).frame.select("buying", "paying").row(0)[1] == 130


def test_shop_loop_at_the_checkout(shop: EventLog) -> None:
    """From 9 April to 9 May people on phones meet a bug at the checkout, and nobody else and at no other time."""
    frame = Trend("checkout_bug", by="platform").run(shop).frame.filter(pl.col("value") > 0)
    assert frame["platform"].unique().to_list() == ["mobile"]
    days = frame["period_start"].cast(pl.Date).to_list()
    assert date(2024, 4, 9) <= min(days) and max(days) <= date(2024, 5, 9)
    loop = Paths(start="checkout_bug", steps=2, idle=None, unit="session_id").run(shop).frame
    back = Paths(end="checkout_bug", steps=2, keep="last", idle=None, unit="session_id").run(shop).frame
    assert set(loop["target"]) & set(back["source"]), "after the bug comes what came before it"
