"""Trends against the sentences that define them, on generated histories, and against hand counts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import Trend
from headway.log import EventLog
from headway.selectors import Event

UTC = ZoneInfo("UTC")
DAY = 86_400
#: Clocks go back in Berlin on 25 October 2026, forward on 29 March 2026; 2024 has a 29 February.
STARTS = [datetime(2026, 10, 23), datetime(2026, 3, 27), datetime(2024, 2, 27), datetime(2025, 12, 29)]
EXAMPLES = 2000 if os.environ.get("HEADWAY_FULL") else 20
SCHEMA: dict[str, Any] = {
    "person": pl.String,
    "event": pl.String,
    "occurred_at": pl.Datetime("us"),
    "plan": pl.String,
    "amount": pl.Float64,
    "items": pl.Int64,
}


class Row(NamedTuple):
    person: str
    event: str
    at: datetime
    plan: str | None = None
    amount: float | None = None
    items: int | None = None


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame([tuple(row) for row in rows], schema=SCHEMA, orient="row")
    return EventLog(frame, **options)


def local(at: datetime, zone: str) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def start_of(day: date, period: str) -> date:
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if period == "week" else day


def after(start: date, period: str) -> date:
    return (
        start_of(start + timedelta(days=31), "month")
        if period == "month"
        else start + timedelta(days=7 if period == "week" else 1)
    )


def periods_of(since: date, until: date, period: str | None) -> list[tuple[date, date]]:
    """First and last day of each period of a range; without a period the range itself."""
    if period is None:
        return [(since, until)]
    found = [start_of(since, period)]
    while (following := after(found[-1], period)) <= until:
        found.append(following)
    return [(start, after(start, period) - timedelta(days=1)) for start in found]


def percentile(values: Sequence[float], share: float) -> float:
    ordered, place = sorted(values), share * (len(values) - 1)
    low = int(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)


AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "mean": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "median": lambda values: percentile(values, 0.5),
    "p90": lambda values: percentile(values, 0.9),
    "p2.5": lambda values: percentile(values, 0.025),
}


def measured(rows: Sequence[Row], measure: str) -> float | None:
    kind, _, rest = measure.partition(":")
    if kind == "total" or kind == "first_time":
        return len(rows)
    if kind == "people":
        return len({row.person for row in rows})
    if kind == "per_person":
        numbers = [float(n) for n in Counter(row.person for row in rows).values()]
        return AGGREGATES[rest](numbers) if numbers else None
    values = [value for row in rows if (value := getattr(row, rest)) is not None]
    return AGGREGATES[kind](values) if values else 0 if kind == "sum" else None


def first_ones(rows: Sequence[Row], asked: Trend) -> list[Row]:
    """For each person the first event of that name ever if it matches, or the first one that matches."""
    named = [row for row in rows if row.event == "Payment"]
    may_be = [row for row in named if matches(row, asked)] if asked.first == "matching" else named
    firsts: dict[str, Row] = {}
    for row in sorted(may_be, key=lambda row: row.at):  # a stable sort keeps the log's order
        firsts.setdefault(row.person, row)
    return [row for row in firsts.values() if matches(row, asked)]


def matches(row: Row, asked: Trend) -> bool:
    condition = asked.event.where if isinstance(asked.event, Event) else None
    return row.event == "Payment" and (condition is None or row.plan == "x")


def naive(rows: Sequence[Row], asked: Trend, since: date, until: date, zone: str) -> dict[Any, float | None]:
    """Value by breakdown value and number of the period."""

    def day(row: Row) -> date:
        return local(row.at, zone).date()

    known = [row for row in rows if day(row) <= until]
    candidates = (
        first_ones(known, asked) if asked.measure == "first_time" else [r for r in known if matches(r, asked)]
    )
    spans = periods_of(since, until, asked.period)
    looked = [(max(start, since), min(end, until)) for start, end in spans]
    if asked.window:
        looked = [(end - timedelta(days=asked.window - 1), end) for _, end in looked]
    elif asked.cumulative:
        looked = [(since, end) for _, end in looked]
    seen = [row for row in candidates if looked and min(s for s, _ in looked) <= day(row)]
    groups = ["(all)"] if asked.by is None else sorted({row.plan or "(none)" for row in seen})
    return {
        (group, place): measured(
            [r for r in seen if group in ("(all)", r.plan or "(none)") and start <= day(r) <= end],
            asked.measure,
        )
        for group in groups
        for place, (start, end) in enumerate(looked)
    }


def found_in(frame: pl.DataFrame, asked: Trend, column: str = "value") -> dict[Any, float | None]:
    places: Counter[str] = Counter()
    found = {}
    for row in frame.iter_rows(named=True):
        group = row["plan"] if asked.by else "(all)"
        found[(group, places[group])] = row[column]
        places[group] += 1
    return found


def history(seed: int) -> list[Row]:
    """Up to 30 events of three people in ten days, many at midnights and at the same instant."""
    dice = Random(seed)
    start = dice.choice(STARTS)
    return [
        Row(
            dice.choice("opq"),
            dice.choice(["Visit", "Payment", "Payment"]),
            start
            + timedelta(seconds=dice.choice([dice.randrange(40) * 21_600, dice.randrange(10 * DAY), 0])),
            dice.choice(["x", "x", "ž; '\"", None]),
            dice.choice([None, 0.0, 0.5, 10.25, -3.0, float("nan"), float("inf")]),
            dice.choice([None, 0, 1, 7]),
        )
        for _ in range(dice.choice([5, 20, 30]))
    ]


histories = st.integers(1, 10**9).map(history)


def plain(rows: Sequence[Row]) -> list[Row]:
    """Values that are not finite are no values."""
    finite = (None, 0.0, 0.5, 10.25, -3.0)
    return [row if row.amount in finite else row._replace(amount=None) for row in rows]


selectors = st.sampled_from(["Payment", Event("Payment", where="plan = 'x'")])
any_period = st.sampled_from(["day", "week", "month", None])
any_by = st.sampled_from([None, "plan"])
NUMBERS = ["sum:items", "median:items", *(f"{name}:amount" for name in AGGREGATES)]
PER_PERSON = [f"per_person:{name}" for name in ("mean", "median", "min", "max", "p90")]
plain_questions = st.builds(
    Trend, selectors, st.sampled_from(["total", "people", *NUMBERS, *PER_PERSON]), any_period, any_by
)
first_questions = st.builds(
    Trend, selectors, st.just("first_time"), any_period, any_by, first=st.sampled_from(["event", "matching"])
)
rolling_questions = st.builds(
    Trend, selectors, st.just("people"), any_period, any_by, window=st.integers(1, 9)
)
running_questions = st.builds(
    Trend,
    selectors,
    st.sampled_from(["people", "people", "people", "total", "first_time", "sum:amount", "sum:items"]),
    st.sampled_from(["day", "week"]),
    any_by,
    cumulative=st.just(True),
)


def about(value: dict[Any, float | None]) -> dict[Any, Any]:
    return {key: None if each is None else pytest.approx(each, abs=1e-9) for key, each in value.items()}


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    rows=histories,
    questions=st.tuples(plain_questions, first_questions, rolling_questions, running_questions),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]),
    ends=st.sampled_from([(-2, 8), (0, 9), (2, 5), (3, 3), (4, 9), (5, 0), (8, 2)]),
)
def test_equals_the_sentence(
    rows: list[Row], questions: Sequence[Trend], zone: str, ends: tuple[int, int]
) -> None:
    base = min((row.at for row in rows), default=STARTS[0])
    since = base.date() + timedelta(days=ends[0])
    until = since + timedelta(days=ends[1])
    late = [Row("z", "Visit", datetime(2027, 1, 1)), Row("z", "Payment", datetime(2027, 1, 1))]
    with make_log([*rows, *late], timezone=zone) as log:
        for asked in questions:
            result = replace(asked, since=since, until=until).run(log)
            wanted = naive(plain(rows), asked, since, until, zone)
            assert found_in(result.frame, asked) == about(wanted), asked
            starts = [start for start, _ in periods_of(since, until, asked.period)]
            if asked.period is None:
                assert "period_start" not in result.frame.columns
            elif wanted:
                assert result.frame["period_start"].unique().sort().to_list() == starts
        assert log.sql(result.sql)["value"].equals(result.frame["value"])


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    rows=histories,
    period=st.sampled_from(["day", "week", None]),
    by=st.sampled_from([None, "plan"]),
    measure=st.sampled_from(["total", "people", "mean:items"]),
    ends=st.sampled_from([(5, 4), (4, 2), (3, 2), (6, 3), (8, 1), (5, 0)]),
)
def test_the_range_before_equals_a_question_about_it(
    rows: list[Row], period: Any, by: str | None, measure: str, ends: tuple[int, int]
) -> None:
    """With days and weeks it is the same question, asked of the equally long range right before."""
    base = min((row.at for row in rows), default=STARTS[0])
    since = base.date() + timedelta(days=ends[0])
    until = since + timedelta(days=ends[1])
    asked = Trend("Payment", measure, period, by)
    count = len(periods_of(since, until, period))
    length = {"day": count, "week": 7 * count, None: (until - since).days + 1}[period]
    late = [Row("z", "Payment", datetime(2027, 1, 1))]
    with make_log([*rows, *late], timezone="Europe/Berlin") as log:
        frame = replace(asked, since=since, until=until, compare="previous").run(log).frame
    moved = (since - timedelta(days=length), until - timedelta(days=length))
    now = naive(rows, asked, since, until, "Europe/Berlin")
    before = naive(rows, asked, *moved, "Europe/Berlin")
    nothing = None if measure == "mean:items" else 0
    groups = sorted({group for group, _ in [*now, *before]})
    keys = [(group, place) for group in groups for place in range(count)]
    assert found_in(frame, asked) == about({key: now.get(key, nothing) for key in keys})
    assert found_in(frame, asked, "value_before") == about({key: before.get(key, nothing) for key in keys})
    for row in frame.iter_rows(named=True):
        known = row["value"] is not None and row["value_before"] is not None
        assert row["change"] == (row["value"] - row["value_before"] if known else None)
        share = row["change"] / row["value_before"] if known and row["value_before"] else None
        assert row["change_share"] == (None if share is None else pytest.approx(share))


# -- by hand --------------------------------------------------------------------------------------------------------

MARCH = datetime(2026, 3, 1)
STORY = [
    Row("ann", "Payment", MARCH, "x", 10.0, 1),
    Row("ann", "Payment", MARCH + timedelta(days=2), "y", 20.0, 2),
    Row("bob", "Payment", MARCH + timedelta(days=2), "y", 0.1, 3),
    Row("bob", "Visit", MARCH + timedelta(days=3), "x"),
    Row("ann", "Payment", MARCH + timedelta(days=4), "x", 0.2, 4),
]


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, [1, 0, 2, 0, 1]),
        ({"measure": "people", "window": 3}, [1, 1, 2, 2, 2]),
        ({"measure": "people", "cumulative": True}, [1, 1, 2, 2, 2]),
        ({"measure": "people", "period": None}, [2]),
        ({"measure": "total", "period": None}, [4]),
        ({"cumulative": True}, [1, 1, 3, 3, 4]),
        ({"measure": "first_time"}, [1, 0, 1, 0, 0]),
        ({"measure": "first_time", "since": "2026-03-02"}, [0, 1, 0, 0]),
        ({"measure": "min:amount"}, [10.0, None, 0.1, None, 0.2]),
        ({"measure": "max:items", "period": None}, [4.0]),
        ({"measure": "per_person:mean", "period": None}, [2.0]),
        ({"measure": "per_person:max", "period": None}, [3.0]),
        ({"measure": "per_person:median"}, [1.0, None, 1.0, None, 1.0]),
        ({"measure": "people", "window": 2, "since": "2026-03-04", "until": "2026-03-04"}, [2]),
    ],
)
def test_a_story_counted_by_hand(options: dict[str, Any], values: list[float | None]) -> None:
    with make_log(STORY) as log:
        assert Trend("Payment", **options).run(log).frame["value"].to_list() == values


def test_first_by_name_and_first_that_matches_differ() -> None:
    only_y = Event("Payment", where="plan = 'y'")
    with make_log(STORY) as log:
        # ann's first payment was on plan x, so that by name only bob is new on plan y
        assert Trend(only_y, "first_time", None).run(log).frame["value"].to_list() == [1]
        assert Trend(only_y, "first_time", None, first="matching").run(log).frame["value"].to_list() == [2]


def test_people_of_a_range_are_no_sum_of_days() -> None:
    with make_log(STORY) as log:
        days = Trend("Payment", "people").run(log).frame["value"].sum()
        assert (days, Trend("Payment", "people", None).run(log).frame["value"].to_list()) == (4, [2])
        groups = Trend("Payment", "people", None, by="plan").run(log).frame
        assert groups.rows() == [("x", 1, True), ("y", 2, True)]


@pytest.mark.parametrize(
    ("since", "until", "period", "before"),
    [
        ("2026-03-01", "2026-03-31", "month", ("2026-02-01", "2026-02-28")),
        ("2024-03-10", "2024-03-31", "month", ("2024-02-10", "2024-02-29")),
        ("2026-01-01", "2026-02-28", "month", ("2025-11-01", "2025-12-31")),
        ("2026-03-29", "2026-03-29", "day", ("2026-03-28", "2026-03-28")),
        ("2026-03-04", "2026-03-18", "week", ("2026-02-11", "2026-02-25")),
        ("2026-03-04", "2026-03-18", None, ("2026-02-17", "2026-03-03")),
        ("2026-03-30T10:00", "2026-03-30T12:00", "day", ("2026-03-29T10:00", "2026-03-29T12:00")),
        (
            "2026-03-30T10:00",
            "2026-03-30T11:59:59.999999",
            None,
            ("2026-03-30T08:00", "2026-03-30T09:59:59.999999"),
        ),
    ],
)
def test_the_range_before(since: str, until: str, period: Any, before: tuple[str, str]) -> None:
    from headway.insights.question import Scope
    from headway.insights.trend_range import range_before
    from headway.periods import Span

    with make_log(STORY, timezone="Europe/Berlin") as log:
        scope = Scope.of(Trend("Payment", period=period, since=since, until=until), log)
        expected = Span.parse(*before, "Europe/Berlin")
        found = range_before(scope, period)
    assert (found.since_us, found.until_us) == (expected.since_us, expected.until_us)


def test_an_open_range_is_compared_with_as_many_days() -> None:
    with make_log(STORY) as log:
        frame = Trend("Payment", since="2026-03-03", compare="previous").run(log).frame
        assert frame.columns == [
            "period_start",
            "value",
            "value_before",
            "change",
            "change_share",
            "complete",
        ]
        assert frame["value"].to_list() == [2, 0, 1]
        # 28 February to 2 March
        assert frame["value_before"].to_list() == [0, 1, 0]
        assert frame["change"].to_list() == [2, -1, 1]
        assert frame["change_share"].to_list() == [None, -1.0, None]


def test_the_largest_groups_are_those_of_the_range_also_before_it() -> None:
    rows = [
        *[Row(person, "Payment", MARCH + timedelta(days=1), "y") for person in ("ann", "bob")],
        Row("ann", "Payment", MARCH + timedelta(days=1), "x"),
        *[Row(person, "Payment", MARCH, "x") for person in ("ann", "bob", "cat")],
        Row("ann", "Payment", MARCH, "y"),
    ]
    asked: dict[str, Any] = {"by": "plan", "top": 1, "since": "2026-03-02", "compare": "previous"}
    with make_log(rows) as log:
        columns = ["plan", "value", "value_before"]
        frame = Trend("Payment", **asked).run(log).frame
        assert frame.select(columns).rows() == [("(other)", 1, 3), ("y", 2, 1)]
        frame = Trend("Payment", "people", window=1, **asked).run(log).frame
        assert frame.select(columns).rows() == [("(other)", 1, 3), ("y", 2, 1)]
        frame = Trend("Payment", "people", None, **asked).run(log).frame
        assert frame.select(columns).rows() == [("(other)", 1, 3), ("y", 2, 1)]


def test_two_properties_make_one_group() -> None:
    with make_log(STORY) as log:
        result = Trend("Payment", "total", None, by=["plan", "items"]).run(log)
        assert result.frame.rows() == [
            ("x", "1", 1, True),
            ("x", "4", 1, True),
            ("y", "2", 1, True),
            ("y", "3", 1, True),
        ]
        assert result.figure().to_html(include_plotlyjs=False)


def test_whole_numbers_and_decimals_add_up_exactly() -> None:
    cents = [0.1] * 10
    frame = pl.DataFrame(
        {
            "person": ["ann"] * 10,
            "event": ["Payment"] * 10,
            "occurred_at": [MARCH] * 10,
            "price": pl.Series(cents).cast(pl.Decimal(10, 2)),
            "large": [2**53 + 1] * 9 + [-9 * 2**53],
        }
    )
    with EventLog(frame) as log:
        assert Trend("Payment", "sum:price").run(log).frame["value"].to_list() == [1.0]
        assert Trend("Payment", "sum:large").run(log).frame["value"].to_list() == [9.0]
        assert Trend("Payment", "p50:price").run(log).frame["value"].to_list() == [0.1]


@pytest.mark.parametrize("moment", [datetime(1970, 1, 1), datetime(2199, 12, 31, 23, 59)])
def test_one_event_of_any_time(moment: datetime) -> None:
    with make_log([Row("ann", "Payment", moment)], timezone="America/St_Johns") as log:
        for options in ({"measure": "total"}, {"measure": "people", "window": 28}, {"measure": "first_time"}):
            assert Trend("Payment", **options).run(log).frame["value"].to_list() == [1]
            assert Trend("Payment", period=None, **options).run(log).frame["value"].to_list() == [1]


def test_an_empty_log_has_no_periods_and_nothing_in_the_whole() -> None:
    with make_log([]) as log:
        assert Trend("Payment", "people", window=7).run(log).frame.is_empty()
        assert Trend("Payment", "people", None).run(log).frame.rows() == [(0, False)]
        assert Trend("Payment", "mean:amount", None).run(log).frame.rows() == [(None, False)]
        assert Trend("Payment", since="2026-03-01", compare="previous").run(log).frame.is_empty()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measure": "p100:amount"}, "unknown measure 'p100:amount'"),
        ({"measure": "p0:amount"}, "unknown measure 'p0:amount'"),
        ({"measure": "per_person:sum"}, "unknown measure 'per_person:sum'. Did you mean 'per_person:"),
        ({"measure": "mean:plan"}, "property 'plan' is VARCHAR; mean needs numbers"),
        ({"measure": "total", "window": 7}, "window goes with measure='people'"),
        ({"measure": "people", "window": 0}, "whole number of days from 1"),
        ({"measure": "people", "window": True}, "whole number of days from 1"),
        ({"measure": "people", "window": 7, "cumulative": True}, "exclude each other"),
        ({"measure": "mean:amount", "cumulative": True}, "there is no running mean:amount"),
        ({"cumulative": True, "period": None}, "cumulative needs a period"),
        ({"first": "matching"}, "first goes with measure='first_time'"),
        (
            {"measure": "first_time", "first": "mathcing"},
            "unknown first 'mathcing'. Did you mean 'matching'?",
        ),
        ({"compare": "previous"}, "needs since"),
        ({"compare": "last", "since": "2026-03-01"}, "unknown compare 'last'"),
        ({"period": "hour"}, "unknown period 'hour'"),
        ({"by": "plam"}, "unknown property 'plam'. Did you mean 'plan'?"),
        ({"timezone": "Europe/Berlim"}, "unknown time zone 'Europe/Berlim'"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "the range of time is empty"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with make_log(STORY) as log, pytest.raises(InputError) as caught:
        Trend("Payment", **options).run(log)
    assert message in str(caught.value)


def test_describe_says_what_a_number_is() -> None:
    with make_log(STORY) as log:
        told = (
            Trend("Payment", "people", window=7, since="2026-03-03", compare="previous").run(log).describe()
        )
        assert told.startswith(
            "People with Payment in the 7 local days ending with it per local day, "
            "beside the equally long range before."
        )
        told = Trend("Payment", "first_time", None).run(log).describe()
        assert "for the first time ever over the whole range" in told and "before the log begins" in told
        assert "90th percentile number of Payment" in Trend("Payment", "per_person:p90").describe()
