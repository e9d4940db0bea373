"""Trends and active people against naive second implementations and hand counts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import ActivePeople, Funnel, Trend
from headway.log import EventLog
from headway.selectors import Event

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
UTC = ZoneInfo("UTC")
# Clocks in Berlin go back on 25 October 2026 at 01:00 UTC: that day has 25 hours.
EXAMPLES = 2000 if os.environ.get("HEADWAY_FULL") else 18
START = datetime(2026, 10, 22)


class Row(NamedTuple):
    person: str
    event: str
    minutes: int
    plan: str | None = None
    amount: float | None = None

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minutes)


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        {
            "person": [row.person for row in rows],
            "event": [row.event for row in rows],
            "occurred_at": [row.at for row in rows],
            "plan": [row.plan for row in rows],
            "amount": [row.amount for row in rows],
        },
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "plan": pl.String,
            "amount": pl.Float64,
        },
    )
    return EventLog(frame, **options)


def local_day(row: Row, zone: str) -> date:
    return row.at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def start_of(day: date, period: str, weekday: int) -> date:
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - weekday) % 7) if period == "week" else day


def last_of(start: date, period: str) -> date:
    if period == "month":
        return (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return start + timedelta(days=6 if period == "week" else 0)


def starts_between(first: date, last: date, period: str, weekday: int) -> list[date]:
    result = [start_of(first, period, weekday)]
    while last_of(result[-1], period) < last:
        result.append(last_of(result[-1], period) + timedelta(days=1))
    return result


def is_over(day: date, zone: str, observed: datetime) -> bool:
    midnight = datetime(day.year, day.month, day.day) + timedelta(days=1)
    return midnight.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) <= observed.replace(tzinfo=UTC)


def quantile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    values, place = sorted(values), share * (len(values) - 1)
    low = int(place)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (place - low)


def measured(rows: list[Row], measure: str) -> float | None:
    amounts = [row.amount for row in rows if row.amount is not None]
    if measure == "total":
        return len(rows)
    if measure == "people":
        return len({row.person for row in rows})
    if measure == "sum:amount":
        return sum(amounts)
    if measure == "mean:amount":
        return sum(amounts) / len(amounts) if amounts else None
    return quantile(amounts, 0.5 if measure == "median:amount" else 0.9)


rows_of_people = st.lists(
    st.builds(
        Row,
        person=st.sampled_from("opqrs"),
        event=st.sampled_from(["Visit", "Payment"]),
        # Whole hours meet midnights, in every time zone used; the others fall in between.
        minutes=st.one_of(st.integers(0, 400).map(lambda n: n * 60), st.integers(0, 400 * 60)),
        plan=st.sampled_from(["x", "y", None]),
        amount=st.sampled_from([None, 0.0, 0.5, 10.25, -3.0, 1e6]),
    ),
    max_size=40,
)
KNOWN = [Row("z", "Visit", 60 * 9000), Row("z", "Payment", 60 * 9000)]
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland"])
periods = st.sampled_from(["day", "week", "month"])
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=rows_of_people,
    measure=st.sampled_from(["total", "people", "sum:amount", "mean:amount", "median:amount", "p90:amount"]),
    period=periods,
    zone=zones,
    week=st.sampled_from(WEEKDAYS),
    by=st.sampled_from([None, "plan"]),
    ends=st.tuples(st.integers(-2, 8), st.integers(0, 12)),
    horizon=st.integers(0, 400),
)
def test_trend_equals_naive_count(
    rows: list[Row],
    measure: str,
    period: Literal["day", "week", "month"],
    zone: str,
    week: str,
    by: str | None,
    ends: tuple[int, int],
    horizon: int,
) -> None:
    since = START.date() + timedelta(days=ends[0])
    until = since + timedelta(days=ends[1])
    known_until = START + timedelta(hours=horizon)
    with make_log(rows + KNOWN, timezone=zone, week_start=week, horizon=known_until) as log:
        result = Trend("Payment", measure, period=period, by=by, since=since, until=until).run(log)
        inside = [row for row in rows if row.event == "Payment" and since <= local_day(row, zone) <= until]
        groups = ["(all)"] if by is None else sorted({row.plan or "(none)" for row in inside})
        wanted = []
        for group in groups:
            mine = [row for row in inside if group in ("(all)", row.plan or "(none)")]
            for start in starts_between(since, until, period, WEEKDAYS.index(week)):
                own = [
                    row
                    for row in mine
                    if start_of(local_day(row, zone), period, WEEKDAYS.index(week)) == start
                ]
                over = is_over(last_of(start, period), zone, known_until) and last_of(start, period) <= until
                wanted.append((group, start, measured(own, measure), over))
        frame = result.frame if by else result.frame.select(pl.lit("(all)").alias("plan"), pl.all())
        assert frame.columns == ["plan", "period_start", "value", "complete"]
        assert [(*row[:2], pytest.approx(row[2]), row[3]) for row in frame.rows()] == wanted
        assert log.sql(result.sql)["value"].to_list() == frame["value"].to_list()


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=rows_of_people,
    period=periods,
    windows=st.lists(st.integers(1, 30), min_size=1, max_size=3, unique=True),
    zone=zones,
    event=st.sampled_from([None, "Visit", Event("Visit", where="plan = 'x'")]),
    ends=st.tuples(st.integers(-2, 14), st.integers(0, 12)),
    horizon=st.integers(0, 400),
)
def test_active_people_equal_naive_count(
    rows: list[Row],
    period: Literal["day", "week", "month"],
    windows: list[int],
    zone: str,
    event: str | Event | None,
    ends: tuple[int, int],
    horizon: int,
) -> None:
    since = START.date() + timedelta(days=ends[0])
    until = since + timedelta(days=ends[1])
    known_until = START + timedelta(hours=horizon)
    with make_log(rows + KNOWN, timezone=zone, horizon=known_until) as log:
        result = ActivePeople(event, windows, period, since=since, until=until).run(log)
        wanted = []
        for start in starts_between(since, until, period, 0):
            look = min(last_of(start, period), until)
            over = is_over(last_of(start, period), zone, known_until) and last_of(start, period) <= until
            for days in sorted(windows):
                people = {
                    row.person
                    for row in rows
                    if look - timedelta(days=days) < local_day(row, zone) <= look
                    and (event is None or row.event == "Visit")
                    and (not isinstance(event, Event) or row.plan == "x")
                }
                wanted.append((start, days, len(people), over))
        assert result.frame.columns == ["period_start", "window_days", "value", "complete"]
        assert result.frame.rows() == wanted
        assert log.sql(result.sql).equals(result.frame)


SEVEN = [
    Row("ann", "Payment", 0, "x", 10.0),
    Row("ann", "Payment", 10, "x", 20.0),
    Row("bob", "Payment", 60 * 23, None, 40.0),
    Row("bob", "Visit", 60 * 30),
    Row("cat", "Payment", 60 * 49, "y", None),
    Row("cat", "Payment", 60 * 50, "y", float("nan")),
    Row("dan", "Visit", 60 * 51),
]


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("total", [3, 0, 2]),
        ("people", [2, 0, 1]),
        ("sum:amount", [70.0, 0.0, 0.0]),
        ("mean:amount", [70 / 3, None, None]),
        ("median:amount", [20.0, None, None]),
        ("p90:amount", [36.0, None, None]),
    ],
)
def test_seven_rows_counted_by_hand(measure: str, values: list[float | None]) -> None:
    with make_log(SEVEN) as log:
        frame = Trend("Payment", measure).run(log).frame
    assert frame["period_start"].to_list() == [date(2026, 10, 22), date(2026, 10, 23), date(2026, 10, 24)]
    assert frame["value"].to_list() == pytest.approx(values)
    assert frame["complete"].to_list() == [True, True, False]


def test_time_zone_moves_days() -> None:
    # In Berlin, two hours ahead, bob pays on the 23rd.
    with make_log(SEVEN, timezone="Europe/Berlin") as log:
        assert Trend("Payment").run(log).frame["value"].to_list() == [2, 1, 2]
        assert Trend("Payment", timezone="UTC").run(log).frame["value"].to_list() == [3, 0, 2]
        assert Trend("Payment", where="plan <> 'x'").run(log).frame["value"].to_list() == [0, 1, 2]


def test_actives_by_hand() -> None:
    with make_log(SEVEN) as log:
        frame = ActivePeople(windows=(1, 2)).run(log).frame
        assert frame["value"].to_list() == [2, 2, 1, 2, 2, 3]
        # Looked at on the last day only, with the days before the range.
        frame = ActivePeople(windows=(1, 3), since="2026-10-24").run(log).frame
        assert frame["value"].to_list() == [2, 4]


def test_empty_log() -> None:
    with make_log([]) as log:
        assert Trend("Payment").run(log).frame.is_empty()
        assert ActivePeople().run(log).frame.is_empty()
        frame = Trend("Payment", "mean:amount", since="2026-10-22", until="2026-10-23").run(log).frame
        assert frame["value"].to_list() == [None, None]
        frame = ActivePeople(windows=(7,), since="2026-10-22", until="2026-10-23").run(log).frame
        assert frame["value"].to_list() == [0, 0]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: Trend("Paymnt"), "Did you mean 'Payment'?"),
        (lambda: Trend("Payment", "sum:amonut"), "unknown property 'amonut'. Did you mean 'amount'?"),
        (lambda: Trend("Payment", "sum:plan"), "property 'plan' is VARCHAR; sum needs numbers"),
        (lambda: Trend("Payment", "sum:"), "unknown measure 'sum:'"),
        (lambda: Trend("Payment", "summ:amount"), "unknown measure 'summ:amount'"),
        (lambda: Trend("Payment", by="paln"), "Did you mean 'plan'?"),
        (lambda: Trend("Payment", period=cast(Any, "hour")), "unknown period 'hour'"),
        (lambda: ActivePeople("Vist"), "Did you mean 'Visit'?"),
        (lambda: ActivePeople(windows=()), "windows must be a list of whole numbers"),
        (lambda: ActivePeople(windows=(0, 7)), "windows must be a list of whole numbers"),
        (lambda: ActivePeople(timezone="Berlin"), "unknown time zone 'Berlin'"),
        (lambda: ActivePeople(where="drop table x"), "cannot read the condition"),
    ],
)
def test_wrong_input_is_named(question: Any, message: str) -> None:
    with make_log(SEVEN) as log, pytest.raises(InputError) as caught:
        question().run(log)
    assert message in str(caught.value)


def test_describe_themselves() -> None:
    with make_log(SEVEN) as log:
        assert (
            Trend("Payment", "p90:amount", by="plan")
            .run(log)
            .describe()
            .startswith("90th percentile of amount over Payment per local day, by plan.")
        )
        assert "1, 7, 28 local days" in ActivePeople().run(log).describe()


def test_a_hostile_name_stays_a_name() -> None:
    name = "x'; DROP TABLE events; --"
    with make_log([Row("p", name, 0)]) as log:
        assert Trend(name).run(log).frame["value"].to_list() == [1]
        assert log.events()["event"].to_list() == [name]


@pytest.mark.skipif(not (DATA / "mitzu_samples").is_dir(), reason="the shop clicks are not on this machine")
def test_shop_clicks_with_known_answers() -> None:
    """REES46 clicks of a cosmetics shop with the answers of mitzu's own tests, times not cut to minutes."""
    raw = pl.read_csv(DATA / "mitzu_samples" / "simple.csv", infer_schema=False)
    at = pl.col("event_time").str.to_datetime()
    frame = raw.select(person="user_id", event="event_type", occurred_at=at, hour=at.dt.hour())
    with EventLog(frame) as log:
        assert log.events().rows() == [
            ("cart", 787, 108),
            ("purchase", 87, 11),
            ("remove_from_cart", 569, 61),
            ("view", 1556, 581),
        ]
        assert Trend("cart", "people").run(log).frame["value"].to_list() == [108]
        funnel = Funnel([Event("view", where="hour = 0"), "cart"], within="1h").run(log).frame
        assert funnel["people"].to_list() == [160, 20]
