"""Retention against a naive second implementation, and against hand and published counts."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
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
    begin: datetime = START

    @property
    def at(self) -> datetime:
        return self.begin + timedelta(hours=self.hour)

    def local(self, zone: ZoneInfo) -> date:
        return local(self.at, zone)


def local(at: datetime, zone: ZoneInfo) -> date:
    return at.replace(tzinfo=UTC).astimezone(zone).date()


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        {
            "person": [row.person for row in rows],
            "event": [row.event for row in rows],
            "occurred_at": [row.at for row in rows],
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
    """Cell by cell, straight from the definition: group, cohort, its size, column, who counts, whether it is over."""
    values = sorted({row.kind or "(none)" for row in rows})
    if question.get("by") and question.get("attribution") == "same":
        # Each value is a question of its own, asked of the events with that value.
        alone = {**question, "by": None}
        parts = {v: [row for row in rows if (row.kind or "(none)") == v] for v in values}
        cells = [
            (v, *cell[1:]) for v, own in parts.items() for cell in naive(own, alone, zone, weekday, horizon)
        ]
        started = {cell[0] for cell in cells if cell[2]}
        return [cell for cell in cells if cell[0] in started]
    first, last, period = question["since"], question["until"], question["period"]
    width = timedelta(days={"day": 1, "week": 7, "month": 30}[period])
    ends = question.get("brackets") or list(range(1, question["periods"] + 1))
    spans = [(0, 0), *zip([1, *(end + 1 for end in ends)], ends, strict=False)]
    periods = cohorts_of(first, last, period, weekday)
    observed = min(horizon, _utc(last + timedelta(days=1), zone))
    members = [starters(rows, question, zone, weekday, cohort) for cohort in periods]
    groups = (
        sorted({touch for each in members for touch, _ in each.values()}) if question.get("by") else ["(all)"]
    )
    result = []
    for group in groups:
        for number, cohort in enumerate(periods):
            own = {who: at for who, (touch, at) in members[number].items() if group in ("(all)", touch)}
            kept = {
                who: columns(rows, question, zone, weekday, (cohort, periods), spans, who, at)
                for who, at in own.items()
            }
            for column, (opens, closes) in enumerate(spans):
                rolling = question["windows"] == "rolling"
                final = after(periods[-1], period) - timedelta(days=1)
                if number + opens >= len(periods) if not rolling else cohort + opens * width > final:
                    continue
                if rolling:
                    # The last window of whoever starts last in the cohort.
                    over = _utc(after(cohort, period), zone)
                    if column and question["anchor"] == "day":
                        last_day = after(cohort, period) - timedelta(days=1)
                        over = _utc(last_day + width * (closes + 1), zone)
                    elif column:
                        hour = (over - timedelta(microseconds=1)).replace(minute=0, second=0, microsecond=0)
                        over = (hour if question["anchor"] == "hour" else over) + width * (closes + 1)
                else:
                    ends_on = cohort
                    for _ in range(closes + 1):
                        ends_on = after(ends_on, period)
                    over = _utc(ends_on, zone)
                back = sorted(who for who in own if column == 0 or column in kept[who])
                result.append((group, cohort, len(own), column, back, over <= observed))
    return result


def starters(
    rows: list[Row], question: dict[str, Any], zone: ZoneInfo, weekday: int, cohort: date
) -> dict[str, tuple[str, datetime]]:
    """Who is in a cohort, with the value of the first start in it and its instant."""
    members = {}
    for person in sorted({row.person for row in rows}):
        starts = [row for row in rows if row.person == person and row.event == "Start"]
        here = [
            row
            for row in starts
            if question["since"] <= row.local(zone) <= question["until"]
            and start_of(row.local(zone), question["period"], weekday) == cohort
        ]
        if not here:
            continue
        start = min(here, key=lambda row: (row.at, row.kind or "(none)"))
        if question["cohort"] == "recurring" or start.at == min(row.at for row in starts):
            members[person] = (start.kind or "(none)", start.at)
    return members


def columns(
    rows: list[Row],
    question: dict[str, Any],
    zone: ZoneInfo,
    weekday: int,
    calendar: tuple[date, list[date]],
    spans: list[tuple[int, int]],
    person: str,
    started: datetime,
) -> set[int]:
    """The columns in which a person counts."""
    period, (cohort, periods) = question["period"], calendar
    returned: Counter[int] = Counter()
    for row in rows:
        day = row.local(zone)
        if row.person != person or row.event != "Back" or not question["since"] <= day <= question["until"]:
            continue
        if question["windows"] == "calendar":
            later = periods.index(start_of(day, period, weekday)) - periods.index(cohort)
        elif question["anchor"] == "day":
            later = (day - local(started, zone)).days // {"day": 1, "week": 7, "month": 30}[period]
        else:
            begins = started.replace(minute=0, second=0) if question["anchor"] == "hour" else started
            later = (row.at - begins) // timedelta(days={"day": 1, "week": 7, "month": 30}[period])
        for column, (opens, closes) in enumerate(spans):
            returned[column] += opens <= later <= closes
        if later > spans[-1][1]:
            # After the last column: as many columns more without brackets, else one.
            returned[later if not question.get("brackets") else len(spans)] += 1
    enough = {column for column, count in returned.items() if column > 0 and count >= question["min_events"]}
    numbers = range(1, len(spans))
    if question["criterion"] == "on":
        return enough & set(numbers)
    if question["criterion"] == "streak":
        return {column for column in numbers if set(range(1, column + 1)) <= enough}
    return {column for column in numbers if any(each >= column for each in enough)}


def _utc(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(("anchor", "known_until"), [("instant", 4), ("hour", 3.96), ("day", 3)])
def test_a_rolling_cell_is_complete_as_soon_as_its_last_window_is_over(
    anchor: str, known_until: float
) -> None:
    """Of those who start on 1 March: three days later by the calendar, by hours from the one they started in."""
    first = datetime(2026, 3, 1)
    frame = pl.DataFrame({"person": ["ann"] * 2, "event": ["Start", "Back"], "occurred_at": [first] * 2})

    def complete(horizon: datetime) -> list[bool]:
        asked = Retention(
            "Start",
            "Back",
            period="day",
            periods=2,
            windows="rolling",
            anchor=anchor,  # type: ignore[arg-type]
            until="2026-03-09",
        )
        with EventLog(frame, horizon=horizon) as log:
            cells = asked.run(log).frame.filter(pl.col("cohort_start") == first.date())
        return cells["complete"].to_list()

    assert complete(first + timedelta(days=known_until, hours=0.5)) == [True, True, True]
    assert complete(first + timedelta(days=known_until, hours=-1.5)) == [True, True, False]


FULL = bool(os.environ.get("HEADWAY_FULL"))
#: A history is one person's. A log costs more than its people: many in one make the full size possible.
MANY = 8 if FULL else 1
rows_of_people = st.lists(
    st.builds(
        Row,
        person=st.sampled_from([f"{name}{n}" for name in "opqr" for n in range(MANY)]),
        event=st.sampled_from(["Start", "Back"]),
        # Multiples of twelve hours meet window ends exactly, and are likely to; the others come close.
        hour=st.one_of(st.integers(0, 24).map(lambda n: n * 12), st.integers(0, 288)),
        kind=st.sampled_from(["x", "y", None]),
        begin=st.just(START),
    ),
    min_size=24 * MANY,
    max_size=48 * MANY,
)
# A change of the clock in Berlin, a leap day, the end of a year.
beginnings = st.sampled_from([START, datetime(2024, 2, 24), datetime(2025, 12, 25, 18)])
EXAMPLES = 250 if FULL else 20


asked = st.fixed_dictionaries(
    {
        "cohort": st.sampled_from(["first_time", "recurring"]),
        "criterion": st.sampled_from(["on", "on_or_after", "streak"]),
        "windows": st.sampled_from(["calendar", "rolling"]),
        "anchor": st.sampled_from(["instant", "hour", "day"]),
        "brackets": st.sampled_from([None, (1, 3), (2, 3, 6)]),
        "attribution": st.sampled_from([None, "start", "same"]),
        "min_events": st.integers(1, 2),
    }
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=rows_of_people,
    begin=beginnings,
    period=st.sampled_from(["day", "week", "month"]),
    questions=st.lists(asked, min_size=4, max_size=4),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    week=st.sampled_from(["monday", "wednesday", "sunday"]),
    ends=st.tuples(st.sampled_from([-3, 0, 1, 4]), st.integers(4, 12)),
    horizon=st.integers(0, 400),
)
def test_equals_naive_count(
    rows: list[Row],
    begin: datetime,
    period: str,
    questions: list[dict[str, Any]],
    zone: str,
    week: str,
    ends: tuple[int, int],
    horizon: int,
) -> None:
    # Hours become as far apart as the periods are long, and starts are half an hour off.
    stretch = {"day": 1, "week": 5, "month": 14}[period]
    rows = [
        row._replace(begin=begin + timedelta(minutes=30 * (n % 2)), hour=row.hour * stretch)
        for n, row in enumerate(rows)
    ]
    known = [Row("z", "Start", 50000), Row("z", "Back", 50000)]
    since = begin.date() + timedelta(days=ends[0] * stretch)
    until = since + timedelta(days=ends[1] * stretch)
    over = begin + timedelta(hours=horizon * stretch)
    weekday = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].index(week)
    with make_log(rows + known, timezone=zone, week_start=week, horizon=over) as log:
        for number, options in enumerate(questions):
            by = "kind" if options["attribution"] else None
            question: dict[str, Any] = {
                "period": period,
                "periods": 4,
                "since": since,
                "until": until,
                "by": by,
                **options,
            }
            result = Retention("Start", "Back", **question).run(log)
            wanted = naive(rows, question, ZoneInfo(zone), weekday, over)
            frame = result.frame if by else result.frame.select(pl.lit("(all)").alias("kind"), pl.all())
            got = frame.select("kind", "cohort_start", "cohort_people", "period", "people", "complete").rows()
            assert got == [(*cell[:4], len(cell[4]), cell[5]) for cell in wanted]
            if number == 0:
                assert log.sql(result.sql)["people"].to_list() == frame["people"].to_list()
                people = (
                    result.people if by else result.people.select(pl.lit("(all)").alias("kind"), pl.all())
                )
                cells = {(cell[0], cell[1], cell[3]) for cell in wanted}
                assert [row for row in people.rows() if row[:3] in cells] == [
                    (*cell[:2], cell[3], who) for cell in wanted for who in cell[4]
                ]


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


def test_several_returns_on_or_after() -> None:
    # Twice in one day: ann on the 27th. Bob, once on the 28th, is no return.
    with make_log(SEVEN) as log:
        assert counts(log, criterion="on_or_after", min_events=2)[26] == [2, 1, 0]


WEEK = [
    Row("ann", "Start", 0, "x"),
    *(Row("ann", "Back", 24 * day, "y") for day in (1, 2, 4, 9)),
    Row("bob", "Start", 1, "y"),
    *(Row("bob", "Back", 24 * day, "y") for day in (2, 3)),
    Row("cat", "Start", 2, None),
]


def cohort_of_the_first_day(log: EventLog, **options: Any) -> list[int]:
    question = Retention("Start", "Back", period="day", since="2026-03-26", until="2026-04-04", **options)
    frame = question.run(log).frame
    return frame.filter(pl.col("cohort_start") == START.date())["people"].to_list()


def test_streaks_and_brackets_by_hand() -> None:
    with make_log(WEEK) as log:
        assert cohort_of_the_first_day(log, periods=4) == [3, 1, 2, 1, 1]
        # Ann misses the third day; bob missed the first.
        assert cohort_of_the_first_day(log, periods=4, criterion="streak") == [3, 1, 1, 0, 0]
        # Brackets: day 1; days 2 and 3; days 4 to 7.
        brackets: dict[str, Any] = {"brackets": [1, 3, 7]}
        assert cohort_of_the_first_day(log, **brackets) == [3, 1, 2, 1]
        # Two events within a bracket, on whichever of its days.
        assert cohort_of_the_first_day(log, **brackets, min_events=2) == [3, 0, 1, 0]
        assert cohort_of_the_first_day(log, **brackets, criterion="streak") == [3, 1, 1, 1]
        # Ann's ninth day lies after the last bracket, and is later than all of them.
        assert cohort_of_the_first_day(log, brackets=[1, 3, 5], criterion="on_or_after") == [3, 2, 2, 1]
        result = Retention("Start", "Back", period="day", **brackets).run(log)
        assert result.frame.select("period", "from_period", "to_period").rows()[:4] == [
            (0, 0, 0),
            (1, 1, 1),
            (2, 2, 3),
            (3, 4, 7),
        ]
        assert "in brackets of periods 1, 2 to 3, 4 to 7" in result.describe()
        # The log ends on the tenth day: the first cohort's brackets are over, the fourth's last is not.
        complete = result.frame.filter(pl.col("period") == 3).select("cohort_start", "complete").rows()
        assert complete[0][1] and not complete[3][1]


def test_breakdown_by_the_value_on_the_start_or_on_both_events() -> None:
    with make_log(WEEK) as log:
        options: dict[str, Any] = {"period": "day", "periods": 2, "by": "kind", "until": "2026-03-28"}
        on_start = Retention("Start", "Back", **options).run(log)
        first = on_start.frame.filter(pl.col("cohort_start") == START.date())
        assert first.select("kind", "period", "people").rows() == [
            *[("(none)", 0, 1), ("(none)", 1, 0), ("(none)", 2, 0)],
            *[("x", 0, 1), ("x", 1, 1), ("x", 2, 1)],
            *[("y", 0, 1), ("y", 1, 0), ("y", 2, 1)],
        ]
        # Ann started with x and came back with y: that is no return of x.
        both = Retention("Start", "Back", preset="posthog", **options).run(log)
        first = both.frame.filter(pl.col("cohort_start") == START.date())
        assert first.filter(pl.col("kind") == "x")["people"].to_list() == [1, 0, 0]
        assert "by kind on the start event" in on_start.describe()
        assert "start and return need the same value" in both.describe()
        assert on_start.average().columns[0] == "kind" == on_start.people.columns[0]


def test_rolling_windows_from_the_hour_or_the_day_of_the_start() -> None:
    # Start on the 26th at 12:50, back on the 27th at 12:20: 23 and a half hours later.
    rows = [Row("p", "Start", 0), Row("p", "Back", 24), Row("q", "Start", 200)]
    rows = [row._replace(begin=START + timedelta(minutes=50 - 30 * n)) for n, row in enumerate(rows)]
    with make_log(rows) as log:
        options: dict[str, Any] = {"windows": "rolling", "periods": 1}
        assert cohort_of_the_first_day(log, **options) == [1, 0]
        assert cohort_of_the_first_day(log, **options, anchor="hour") == [1, 1]
        assert cohort_of_the_first_day(log, **options, anchor="day") == [1, 1]


def test_presets_set_what_was_not_named() -> None:
    def options(**named: Any) -> tuple[Any, ...]:
        asked = Retention("Start", "Back", **named)
        return asked.criterion, asked.windows, asked.anchor, asked.attribution

    assert options() == ("on", "calendar", "instant", "start")
    assert options(preset="posthog") == ("on", "calendar", "instant", "same")
    assert options(preset="mixpanel") == ("on_or_after", "rolling", "instant", "start")
    assert options(preset="amplitude", period="day") == ("on_or_after", "rolling", "hour", "start")
    assert options(preset="amplitude") == ("on_or_after", "rolling", "day", "start")
    assert options(preset="amplitude", criterion="on", anchor="instant")[:3] == ("on", "rolling", "instant")


def test_mean_over_complete_cells_only() -> None:
    # Days 26 (two start, one back on the next day), 27 (one starts, not back); 28 is not over.
    with make_log(SEVEN) as log:
        result = Retention("Start", "Back", period="day", periods=1).run(log)
        assert result.frame.select("cohort_people", "period", "people", "complete").rows() == [
            *[(2, 0, 2, True), (2, 1, 1, True), (1, 0, 1, True), (1, 1, 0, False), (0, 0, 0, False)],
        ]
        assert result.average().rows() == [(0, 2, 3, 3, 1.0), (1, 1, 2, 1, 0.5)]
    with make_log([*SEVEN, Row("cat", "Visit", 90)]) as log:
        result = Retention("Start", "Back", period="day", periods=2).run(log)
        assert result.average()["rate"].to_list() == [1.0, 1 / 3, 1 / 3]
        assert result.average(weights="none")["rate"].to_list() == [1.0, 1 / 4, 1 / 4]
        # Of the one who came back on day 1, one came back on day 2; of cat's cohort none did on day 1.
        previous = result.average(reference="previous")
        assert previous.rows() == [(0, 2, 3, 3, 1.0), (1, 2, 3, 1, 1 / 3), (2, 1, 1, 1, 1.0)]
        with pytest.raises(InputError, match="unknown weights 'size'"):
            result.average(weights="size")  # type: ignore[arg-type]


def test_no_complete_cell_has_no_mean() -> None:
    with make_log([Row("ann", "Start", 0), Row("ann", "Back", 24)]) as log:
        mean = Retention("Start", "Back", period="week", periods=1).run(log).average()
    assert mean.rows() == [(0, 0, 0, 0, None)]


def test_churn_is_the_complement() -> None:
    with make_log(SEVEN) as log:
        result = Retention("Start", "Back", period="day", periods=2).run(log)
        kept, churned = result.frame, result.churn
    assert churned.columns == kept.columns
    assert churned["people"].to_list()[:3] == [0, 1, 1]
    assert (churned["people"] + kept["people"]).equals(kept["cohort_people"])
    assert churned["low"].to_list()[1] == pytest.approx(1 - kept["high"][1])


def test_survival_by_hand() -> None:
    # Known to the end of the tenth day. Ann was last seen in period 9, bob in 3, cat in 0.
    with make_log([*WEEK, Row("dan", "Visit", 24 * 10 - 12)]) as log:
        asked = Retention("Start", "Back", period="day", until="2026-04-04")
        curve = asked.run(log).survival()
        rows = curve.select("period", "at_risk", "lost", "censored", "survival").rows()
        assert rows[:6] == [
            *[(0, 3, 0, 0, 1.0), (1, 3, 1, 0, pytest.approx(2 / 3)), (2, 2, 0, 0, pytest.approx(2 / 3))],
            *[(3, 2, 0, 0, pytest.approx(2 / 3)), (4, 2, 1, 0, pytest.approx(1 / 3))],
            (5, 1, 0, 0, pytest.approx(1 / 3)),
        ]
        # Ann's last return lies in the last period: she may well come again.
        assert rows[-1] == (9, 1, 0, 1, pytest.approx(1 / 3))
        assert curve["low"].to_list()[0] is None and 0 < curve["low"][1] < curve["high"][1] < 1
        # Bob has been away for six whole days only.
        patient = asked.run(log).survival(inactive=7)
        assert patient.filter(pl.col("lost") > 0)["period"].to_list() == [1]
        assert (
            asked.run(log).survival().equals(dataclasses.replace(asked, brackets=[1, 3]).run(log).survival())
        )
        with pytest.raises(InputError, match="counts each person once"):
            Retention("Start", "Back", cohort="recurring").run(log).survival()
        with pytest.raises(InputError, match="inactive must be a whole number"):
            asked.run(log).survival(inactive=0)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(
    rows=rows_of_people,
    windows=st.sampled_from(["calendar", "rolling"]),
    anchor=st.sampled_from(["instant", "hour", "day"]),
    inactive=st.integers(1, 4),
    min_events=st.integers(1, 2),
    horizon=st.integers(0, 320),
)
def test_survival_equals_last_returns_counted_naively(
    rows: list[Row], windows: str, anchor: str, inactive: int, min_events: int, horizon: int
) -> None:
    known = [Row("z", "Start", 50000), Row("z", "Back", 50000)]
    over = START + timedelta(hours=horizon)
    until = START.date() + timedelta(days=9)
    observed = min(over, _utc(until + timedelta(days=1), UTC))
    lost, censored = Counter[int](), Counter[int]()
    for person in sorted({row.person for row in rows}):
        starts = [row.at for row in rows if row.person == person and row.event == "Start"]
        if not starts or min(starts).date() > until:
            continue
        start = min(starts)
        if windows == "calendar" or anchor == "day":
            start = start.replace(hour=0, minute=0)
        day = timedelta(days=1)
        ends = observed if windows == "calendar" or anchor != "day" else observed.replace(hour=0, minute=0)
        last_whole = (ends - start) // day - 1
        back = Counter(
            (row.at - start) // day
            for row in rows
            if row.person == person and row.event == "Back" and row.at.date() <= until
        )
        last_seen = max((k for k, count in back.items() if k > 0 and count >= min_events), default=0)
        if last_whole - last_seen >= inactive:
            lost[last_seen + 1] += 1
        else:
            censored[last_seen] += 1
    with make_log(rows + known, horizon=over) as log:
        options: dict[str, Any] = {
            "windows": windows,
            "anchor": anchor,
            "min_events": min_events,
            "period": "day",
        }
        result = Retention("Start", "Back", until=until, **options).run(log)
        curve = result.survival(inactive=inactive)
    assert curve.filter(pl.col("lost") > 0).select("period", "lost").rows() == sorted(lost.items())
    assert curve.filter(pl.col("censored") > 0).select("period", "censored").rows() == sorted(
        censored.items()
    )


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
        ({"criterion": "streaks"}, "unknown criterion 'streaks'. Did you mean 'streak'?"),
        ({"anchor": "week"}, "unknown anchor 'week'"),
        ({"preset": "posthod"}, "unknown preset 'posthod'. Did you mean 'posthog'?"),
        ({"brackets": []}, "brackets must be the last periods of the columns"),
        ({"brackets": [3, 1]}, "brackets must be the last periods of the columns"),
        ({"brackets": [0, 2]}, "brackets must be the last periods of the columns"),
        ({"brackets": 7}, "brackets must be the last periods of the columns"),
        ({"by": "kid"}, "unknown property 'kid'. Did you mean 'kind'?"),
        ({"attribution": "first"}, "unknown attribution 'first'"),
        ({"windows": "roling"}, "Did you mean 'rolling'?"),
        ({"week_start": "Monday"}, "unknown week start 'Monday'"),
        ({"start": 5}, "an event must be a name"),
    ],
)
def test_wrong_input_is_named(options: dict[str, Any], message: str) -> None:
    with make_log(SEVEN) as log, pytest.raises(InputError) as caught:
        Retention(**{"start": "Start", "returning": "Back", **options}).run(log)
    assert message in str(caught.value)


def test_says_how_far_back_ever_reaches() -> None:
    with make_log(SEVEN) as log:
        asked = Retention("Start", "Back", since="2026-03-27")
        assert "which begins on 2026-03-26" in asked.run(log).describe()
        assert "begins" not in Retention("Start", "Back", cohort="recurring").run(log).describe()


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


@pytest.mark.skipif(
    not (DATA / "online_retail").is_dir(), reason="the shop's invoices are not on this machine"
)
def test_online_retail_first_month_cohort() -> None:
    """Known answer: the cohort of December 2010 by calendar month, from all rows with a customer."""
    (path,) = (DATA / "online_retail").glob("*.csv*")
    raw = pl.read_csv(path, infer_schema=False, columns=["InvoiceDate", "CustomerID"])
    rows = raw.drop_nulls().select(
        person="CustomerID",
        event=pl.lit("Invoice"),
        occurred_at=pl.col("InvoiceDate").str.to_datetime(),
    )
    with EventLog(rows) as log:
        frame = Retention("Invoice", "Invoice", period="month").run(log).frame
    first = frame.filter(pl.col("cohort_start") == date(2010, 12, 1))
    assert first["people"].to_list() == [948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260]
    # The last invoice is of 9 December 2011: that month is not over.
    assert first["complete"].to_list() == [True] * 12 + [False]
