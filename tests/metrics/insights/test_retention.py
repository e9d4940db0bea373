"""Retention against a naive second implementation, and against hand and published counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import Retention
from headway.log import EventLog
from headway.selectors import Event

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
# The week in which Berlin moves its clocks forward (29 March 2026, 01:00 UTC).
START = datetime(2026, 3, 26, 12)
UTC = ZoneInfo("UTC")


class Row(NamedTuple):
    person: str
    event: str
    hour: int
    kind: str | None = None


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        {
            "person": [row.person for row in rows],
            "event": [row.event for row in rows],
            "occurred_at": [START + timedelta(hours=row.hour) for row in rows],
            "kind": [row.kind for row in rows],
        },
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us"), "kind": pl.String},
    )
    return EventLog(frame, **options)


def start_of(day: date, period: str, weekday: int) -> date:
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - weekday) % 7) if period == "week" else day


def after(day: date, period: str) -> date:
    if period == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if period == "week" else 1)


def cohorts_of(first: date, last: date, period: str, weekday: int) -> list[date]:
    result = [start_of(first, period, weekday)]
    while after(result[-1], period) <= last:
        result.append(after(result[-1], period))
    return result


def naive(
    rows: list[Row], question: dict[str, Any], zone: ZoneInfo, weekday: int, horizon: datetime
) -> list[Any]:
    """Cell by cell, straight from the definition."""
    period, rolling = question["period"], question["windows"] == "rolling"
    width = timedelta(days={"day": 1, "week": 7, "month": 30}[period])
    first, last = question["since"], question["until"]
    events = [(row, START + timedelta(hours=row.hour)) for row in rows]
    local = {at: at.replace(tzinfo=UTC).astimezone(zone).date() for _, at in events}
    inside = {at: first <= day <= last for at, day in local.items()}
    periods = cohorts_of(first, last, period, weekday)
    observed = min(horizon, _utc(last + timedelta(days=1), zone))
    result = []
    for number, cohort in enumerate(periods):
        members = {}
        for person in sorted({row.person for row in rows}):
            starts = [at for row, at in events if row.person == person and row.event == "Start"]
            here = [at for at in starts if inside[at] and start_of(local[at], period, weekday) == cohort]
            if here and (question["cohort"] == "recurring" or min(starts) == min(here)):
                members[person] = min(here)
        for column in range(question["periods"] + 1):
            if not rolling and number + column >= len(periods):
                continue
            final = after(periods[-1], period) - timedelta(days=1)
            if rolling and cohort + column * width > final:
                continue
            back = 0
            for person, started in members.items():
                counts: Counter[int] = Counter()
                for row, at in events:
                    if row.person == person and row.event == "Back" and inside[at] and at >= started:
                        own = (at - started) // width
                        calendar = start_of(local[at], period, weekday)
                        counts[own if rolling else periods.index(calendar) - number] += 1
                kept = {k for k, count in counts.items() if count >= question["min_events"] and k > 0}
                hit = column in kept if question["criterion"] == "on" else any(k >= column for k in kept)
                back += column == 0 or hit
            if rolling:
                over = _utc(after(cohort, period), zone) + (width * (column + 1) if column else timedelta())
            else:
                over = _utc(after(periods[number + column], period), zone)
            result.append((cohort, len(members), column, back if members else 0, over <= observed))
    return result


def _utc(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


rows_of_people = st.lists(
    st.builds(
        Row,
        person=st.sampled_from("opqr"),
        event=st.sampled_from(["Start", "Back"]),
        # Multiples of twelve hours meet window ends exactly, and are likely to; the others come close.
        hour=st.one_of(st.integers(0, 24).map(lambda n: n * 12), st.integers(0, 288)),
    ),
    min_size=6,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    rows=rows_of_people,
    period=st.sampled_from(["day", "week", "month"]),
    cohort=st.sampled_from(["first_time", "recurring"]),
    criterion=st.sampled_from(["on", "on_or_after"]),
    windows=st.sampled_from(["calendar", "rolling"]),
    min_events=st.integers(1, 2),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    week=st.sampled_from(["monday", "wednesday", "sunday"]),
    ends=st.tuples(st.integers(0, 6), st.integers(0, 10)),
    horizon=st.integers(0, 400),
)
def test_equals_naive_count(
    rows: list[Row],
    period: Literal["day", "week", "month"],
    cohort: Literal["first_time", "recurring"],
    criterion: Literal["on", "on_or_after"],
    windows: Literal["calendar", "rolling"],
    min_events: int,
    zone: str,
    week: str,
    ends: tuple[int, int],
    horizon: int,
) -> None:
    known = [Row("z", "Start", 5000), Row("z", "Back", 5000)]
    since = date(2026, 3, 26) + timedelta(days=ends[0])
    until = since + timedelta(days=ends[1])
    options = {"cohort": cohort, "criterion": criterion, "windows": windows, "min_events": min_events}
    question: dict[str, Any] = {"period": period, "periods": 4, "since": since, "until": until, **options}
    over = START + timedelta(hours=horizon)
    with make_log(rows + known, timezone=zone, week_start=week, horizon=over) as log:
        result = Retention("Start", "Back", **question).run(log)
        got = result.frame.select("cohort_start", "cohort_people", "period", "people", "complete").rows()
        weekday = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].index(week)
        assert got == naive(rows, question, ZoneInfo(zone), weekday, over)
        assert (
            log.sql(result.sql).rows() == [(row[0], row[1], row[2], row[3], row[4]) for row in got] or not got
        )


SEVEN = [
    Row("ann", "Start", 0),
    Row("bob", "Start", 3, "trial"),
    Row("ann", "Back", 24),
    Row("ann", "Back", 26),
    Row("bob", "Back", 48),
    Row("cat", "Start", 24),
    Row("cat", "Start", 49),
]


def counts(log: EventLog, **options: Any) -> dict[int, list[int]]:
    frame = Retention("Start", "Back", period="day", periods=2, **options).run(log).frame
    return {
        day.day: frame.filter(pl.col("cohort_start") == day)["people"].to_list()
        for day in frame["cohort_start"].unique().sort()
    }


def test_seven_rows_counted_by_hand() -> None:
    # Noon of the 26th: ann and bob start; ann is back on the 27th (twice), bob on the 28th; cat starts on the 27th.
    with make_log(SEVEN) as log:
        assert counts(log) == {26: [2, 1, 1], 27: [1, 0], 28: [0]}
        assert counts(log, cohort="recurring") == {26: [2, 1, 1], 27: [1, 0], 28: [1]}
        assert counts(log, criterion="on_or_after") == {26: [2, 2, 1], 27: [1, 0], 28: [0]}
        assert counts(log, min_events=2) == {26: [2, 1, 0], 27: [1, 0], 28: [0]}
        # Bob comes back 45 hours after his own start: in his second 24 hours.
        assert counts(log, windows="rolling") == {26: [2, 2, 0], 27: [1, 0], 28: [0]}
        assert counts(log, since="2026-03-27") == {27: [1, 0], 28: [0]}
        assert counts(log, since="2026-03-27", cohort="recurring") == {27: [1, 0], 28: [1]}
        # Cat started before the range: not for the first time in it.
        assert counts(log, since="2026-03-28") == {28: [0]}


def test_rolling_windows_include_their_first_instant() -> None:
    rows = [Row("p", "Start", 0), Row("p", "Back", 24), Row("q", "Start", 1), Row("q", "Back", 24)]
    with make_log(rows) as log:
        assert counts(log, windows="rolling") == {26: [2, 1], 27: [0]}


def test_rates_intervals_and_complete() -> None:
    with make_log(SEVEN) as log:
        frame = Retention("Start", "Back", period="day", periods=1, since="2026-03-26").run(log).frame
    assert frame.columns == [
        "cohort_start",
        "cohort_people",
        "period",
        "people",
        "rate",
        "low",
        "high",
        "complete",
    ]
    assert frame["rate"].to_list() == [1.0, 0.5, 1.0, 0.0, None]
    assert frame["low"].to_list()[-1] is None
    # The last event, at 13:00 on the 28th, is the horizon.
    assert frame["complete"].to_list() == [True, True, True, False, False]


def test_selector_conditions_apply() -> None:
    with make_log(SEVEN) as log:
        frame = (
            Retention(Event("Start", where="kind = 'trial'"), "Back", period="day", periods=2).run(log).frame
        )
    assert frame["people"].to_list()[:3] == [1, 0, 1]


def test_empty_log_has_no_rows_but_a_named_range_has_zeros() -> None:
    with make_log([]) as log:
        assert Retention("Start", "Back").run(log).frame.is_empty()
        frame = (
            Retention("Start", "Back", period="day", periods=1, since="2026-03-01", until="2026-03-02")
            .run(log)
            .frame
        )
    assert frame.select("cohort_people", "period", "people", "complete").rows() == [
        (0, 0, 0, False),
        (0, 1, 0, False),
        (0, 0, 0, False),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "Strat"}, "unknown event 'Strat'. Did you mean 'Start'?"),
        ({"period": "weak"}, "unknown period 'weak'. Did you mean 'week'?"),
        ({"periods": 0}, "periods must be a whole number from 1"),
        ({"periods": 2.5}, "periods must be a whole number from 1"),
        ({"min_events": True}, "min_events must be a whole number"),
        ({"cohort": "first"}, "unknown cohort 'first'"),
        ({"criterion": "streak"}, "unknown criterion 'streak'"),
        ({"windows": "roling"}, "Did you mean 'rolling'?"),
        ({"week_start": "Monday"}, "unknown week start 'Monday'"),
        ({"start": 5}, "an event must be a name"),
    ],
)
def test_wrong_input_is_named(options: dict[str, Any], message: str) -> None:
    with make_log(SEVEN) as log, pytest.raises(InputError) as caught:
        Retention(**{"start": "Start", "returning": "Back", **options}).run(log)
    assert message in str(caught.value)


def test_describes_itself() -> None:
    with make_log(SEVEN, timezone="Europe/Berlin") as log:
        text = Retention("Start", "Back", windows="rolling", min_events=3).run(log).describe()
    assert "windows of 7 days since their own start" in text
    assert "at least 3 times" in text and "Europe/Berlin" in text and "incomplete" in text


@pytest.mark.skipif(not (DATA / "cdnow").is_dir(), reason="the CDNOW purchases are not on this machine")
def test_cdnow_month_cohorts() -> None:
    """Published monthly cohorts of the CDNOW sample: customers who bought again 1 to 6 months after the first."""
    lines = [line.split() for line in (DATA / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()]
    frame = pl.DataFrame(
        {
            "person": [line[1] for line in lines],
            "event": "Purchase",
            "occurred_at": [datetime.strptime(line[2], "%Y%m%d") for line in lines],
        }
    )
    with EventLog(frame) as log:
        result = Retention("Purchase", "Purchase", period="month", periods=6).run(log).frame
    got = [result.filter(pl.col("cohort_start") == date(1997, m, 1))["people"].to_list() for m in (1, 2, 3)]
    assert got == [
        [781, 124, 95, 70, 65, 77, 65],
        [857, 134, 110, 75, 77, 75, 61],
        [719, 87, 84, 78, 63, 64, 55],
    ]
