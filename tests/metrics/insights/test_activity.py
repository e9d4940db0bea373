"""Lifecycle, growth, stickiness, power users and usage intervals against naive counts and counts by hand."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import EngineError, InputError
from headway.insights import ActivePeople, GrowthAccounting, Lifecycle, PowerUsers, Stickiness, UsageInterval
from headway.insights.lifecycle import _checked
from headway.log import EventLog
from headway.periods import Period

UTC = ZoneInfo("UTC")
# Clocks in Berlin go back on 25 October 2026 at 01:00 UTC; a leap day; the end of a year.
BEGINNINGS = (datetime(2026, 10, 20), datetime(2024, 2, 22), datetime(2025, 12, 22))
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
EXAMPLES = 2000 if os.environ.get("HEADWAY_FULL") else 20


class Row(NamedTuple):
    person: str
    hour: int
    event: str = "Visit"
    begin: datetime = BEGINNINGS[0]

    @property
    def at(self) -> datetime:
        return self.begin + timedelta(hours=self.hour)


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        [(row.person, row.event, row.at) for row in rows],
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us")},
        orient="row",
    )
    return EventLog(frame, **options)


def on_days(**days: Sequence[int]) -> list[Row]:
    """People by the days they visit, the first of which is day 0."""
    return [Row(person, 24 * day + 12) for person, each in days.items() for day in each]


def start_of(day: date, period: str, weekday: int = 0) -> date:
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - weekday) % 7) if period == "week" else day


def after(start: date, period: str) -> date:
    if period == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if period == "week" else 1)


class History(NamedTuple):
    """A generated history with everything a naive count needs."""

    rows: list[Row]
    zone: ZoneInfo
    weekday: int
    least: int
    since: date
    until: date
    horizon: datetime

    def log(self) -> EventLog:
        # Someone far in the future, so that the log itself does not end the range.
        rows = [*self.rows, Row("z", 90000)]
        return make_log(
            rows, timezone=str(self.zone), week_start=WEEKDAYS[self.weekday], horizon=self.horizon
        )

    @property
    def range(self) -> dict[str, Any]:
        return {"since": self.since, "until": self.until, "min_events": self.least}

    def day(self, row: Row) -> date:
        return row.at.replace(tzinfo=UTC).astimezone(self.zone).date()

    def active(self, period: str, first: date, last: date) -> dict[str, set[date]]:
        """First days of the periods each person is active in, often enough between two days."""
        counted: dict[str, Counter[date]] = {}
        for row in self.rows:
            if row.event == "Visit" and first <= self.day(row) <= last:
                start = start_of(self.day(row), period, self.weekday)
                counted.setdefault(row.person, Counter())[start] += 1
        enough = {
            who: {start for start, n in each.items() if n >= self.least} for who, each in counted.items()
        }
        return {who: starts for who, starts in enough.items() if starts}

    def starts(self, period: str) -> list[date]:
        result = [start_of(self.since, period, self.weekday)]
        while after(result[-1], period) <= self.until:
            result.append(after(result[-1], period))
        return result

    def is_over(self, end: date) -> bool:
        """Whether the time before a local day is all known and in the range."""
        instant = datetime(end.year, end.month, end.day, tzinfo=self.zone)
        return end <= self.until + timedelta(days=1) and instant <= self.horizon.replace(tzinfo=UTC)


@st.composite
def histories(draw: st.DrawFn) -> History:
    begin = draw(st.sampled_from(BEGINNINGS))
    stretch = draw(st.sampled_from([1, 4, 9]))
    rows = st.builds(
        Row,
        person=st.sampled_from("opqrs"),
        event=st.sampled_from(["Visit", "Visit", "Visit", "Other"]),
        # Whole days meet midnights; the others fall in between.
        hour=st.one_of(st.integers(0, 12).map(lambda n: n * 24), st.integers(0, 300)).map(
            lambda h: h * stretch
        ),
        begin=st.just(begin),
    )
    since = begin.date() + timedelta(days=stretch * draw(st.integers(-2, 5)))
    return History(
        rows=draw(st.lists(rows, min_size=15, max_size=50)),
        zone=ZoneInfo(
            draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"]))
        ),
        weekday=draw(st.sampled_from([0, 2, 6])),
        least=draw(st.integers(1, 2)),
        since=since,
        until=since + timedelta(days=stretch * draw(st.integers(2, 10))),
        horizon=begin + timedelta(hours=stretch * draw(st.integers(0, 400))),
    )


EVER = date(1970, 1, 1)


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories(), period=st.sampled_from(["day", "week", "month"]))
def test_lifecycle_and_growth_equal_naive_counts(history: History, period: Period) -> None:
    with history.log() as log:
        active = history.active(period, EVER, history.until)
        wanted, before = [], 0
        for start in history.starts(period):
            earlier = start_of(start - timedelta(days=1), period, history.weekday)
            here = {who for who, starts in active.items() if start in starts}
            there = {who for who, starts in active.items() if earlier in starts}
            known = {who for who, starts in active.items() if min(starts) < start}
            states = (
                len(here - known),
                len(here & there),
                len((here & known) - there),
                len(there - here),
            )
            wanted.append(
                (start, *states, len(here), len(here) - len(there), history.is_over(after(start, period)))
            )
        growth = GrowthAccounting("Visit", period, **history.range).run(log)
        columns = ("new", "returning", "resurrected", "dormant", "active", "change", "complete")
        assert growth.frame.select("period_start", *columns).rows() == wanted
        # The identities, from the frame alone.
        for place, row in enumerate(growth.frame.to_dicts()):
            assert row["active"] == row["new"] + row["returning"] + row["resurrected"]
            if place:
                assert row["active"] - before == row["new"] + row["resurrected"] - row["dormant"]
            before = row["active"]
            lost = row["dormant"]
            assert row["quick_ratio"] == ((row["new"] + row["resurrected"]) / lost if lost else None)
            assert row["nobody_left"] == (lost == 0)
        life = Lifecycle("Visit", period, **history.range).run(log)
        assert life.frame.equals(growth.frame.select(life.frame.columns))
        assert log.sql(growth.sql)["new"].equals(growth.frame["new"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories(), pair=st.sampled_from([("day", "week"), ("day", "month"), ("week", "month")]))
def test_stickiness_equals_naive_counts(history: History, pair: tuple[Period, Period]) -> None:
    interval, period = pair
    with history.log() as log:
        slots = history.starts(interval)
        active = history.active(interval, history.since, history.until)
        counts = Counter(len(starts) for starts in active.values())
        over = history.is_over(after(slots[-1], interval))
        result = Stickiness("Visit", period, interval, **history.range).run(log)
        people = [counts[number] for number in range(1, len(slots) + 1)]
        assert result.frame.select("periods", "people", "complete").rows() == [
            (number, count, over) for number, count in enumerate(people, start=1)
        ]
        least = Stickiness("Visit", period, interval, cumulative=True, **history.range).run(log).frame
        assert least["people"].to_list() == [sum(people[place:]) for place in range(len(people))]
        wanted = []
        for larger in sorted({start_of(slot, period, history.weekday) for slot in slots}):
            mine = [slot for slot in slots if start_of(slot, period, history.weekday) == larger]
            own = Counter(len(starts & set(mine)) for starts in active.values())
            wanted += [(larger, number, own[number]) for number in range(1, len(mine) + 1)]
        assert result.each.select("period_start", "periods", "people").rows() == wanted


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories(), days=st.sampled_from([7, 28, 30]))
def test_power_users_equal_naive_counts(history: History, days: int) -> None:
    first = history.until - timedelta(days=days - 1)
    active = history.active("day", first, history.until)
    counts = Counter(len(each) for each in active.values())
    over = history.is_over(history.until + timedelta(days=1))
    with history.log() as log:
        result = PowerUsers("Visit", days, **history.range).run(log)
    assert result.frame.select("active_days", "people", "complete").rows() == [
        (number, counts[number], over) for number in range(1, days + 1)
    ]
    mean = sum(map(len, active.values())) / len(active) if active else None
    assert result.mean == (None if mean is None else pytest.approx(mean))


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories(), longest=st.sampled_from([3, 20]), share=st.sampled_from([0.5, 0.8, 1.0]))
def test_usage_interval_equals_naive_counts(history: History, longest: int, share: float) -> None:
    active = {who: sorted(days) for who, days in history.active("day", history.since, history.until).items()}
    gaps = {
        who: [(later - day).days for day, later in pairwise(days)]
        for who, days in active.items()
        if len(days) > 1
    }
    usual = [-int(-median(each) // 1) for each in gaps.values()]
    every = Counter(gap for each in gaps.values() for gap in each)
    with history.log() as log:
        result = UsageInterval("Visit", share, longest, **history.range).run(log)
    assert result.frame.select("days", "gaps", "people").rows() == [
        (days, every[days], usual.count(days)) for days in range(1, longest + 1)
    ]
    assert result.longer == sum(days > longest for days in usual)
    reached = [
        n for n in range(1, longest + 1) if usual and sum(d <= n for d in usual) / len(usual) >= share - 1e-9
    ]
    assert result.interval == (reached[0] if reached else None)


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories())
def test_active_people_with_enough_events_equal_naive_counts(history: History) -> None:
    active = history.active("day", EVER, history.until)
    windows = (1, 7, 30)
    with history.log() as log:
        result = ActivePeople("Visit", windows, **history.range).run(log)
        wanted = [
            sum(any(look - timedelta(days=days) < day <= look for day in each) for each in active.values())
            for look in history.starts("day")
            for days in windows
        ]
        assert result.frame["value"].to_list() == wanted
        below = wanted[2::3]
        assert result.ratio(1, 30)["value"].to_list() == [
            above / long if long else None for above, long in zip(wanted[::3], below, strict=True)
        ]


THREE = on_days(ann=(0, 1, 2, 4), bob=(0, 3), cat=(1,))


def test_states_by_hand() -> None:
    with make_log(THREE) as log:
        result = Lifecycle("Visit", "day").run(log)
        states = ("new", "returning", "resurrected", "dormant")
        # Day 1: cat is new, ann returns, bob is gone. Day 3: bob is back, ann is gone. Day 4: the other way round.
        assert result.frame.select(states).rows() == [
            *[(2, 0, 0, 0), (1, 1, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1), (0, 0, 1, 1)],
        ]
        assert result.frame["complete"].to_list() == [True] * 4 + [False]
        # Nobody is new in a range that begins later: history before it counts.
        later = Lifecycle("Visit", "day", since="2026-10-23").run(log).frame
        assert later.select(states).rows() == [(0, 0, 1, 1), (0, 0, 1, 1)]
        growth = GrowthAccounting(period="day").run(log).frame
        assert growth["active"].to_list() == [2, 2, 1, 1, 1]
        assert growth["quick_ratio"].to_list() == [None, 1.0, 0.0, 1.0, 1.0]
        assert growth["nobody_left"].to_list() == [True, False, False, False, False]
        assert growth["change"].to_list() == [2, 0, -1, 0, 0]


def test_days_of_unequal_length_follow_each_other() -> None:
    # In Berlin the 25th has 25 hours: from 22:30 on the 24th to 22:30 on the 26th are two calendar steps.
    rows = [Row("ann", 24 * 4 + 20), Row("ann", 24 * 5 + 22), Row("ann", 24 * 6 + 21)]
    with make_log(rows, timezone="Europe/Berlin") as log:
        assert Lifecycle(period="day").run(log).frame.select("new", "returning", "dormant").rows() == [
            *[(1, 0, 0), (0, 1, 0), (0, 1, 0)],
        ]


def test_counts_that_contradict_each_other_are_refused() -> None:
    right = {"new": 1, "returning": 2, "resurrected": 3, "dormant": 1, "active": 6, "active_before": 3}
    assert _checked(pl.DataFrame([right])).height == 1
    for name in right:
        with pytest.raises(EngineError, match="contradict each other"):
            _checked(pl.DataFrame([{**right, name: right[name] + 1}]))


def test_stickiness_by_hand() -> None:
    with make_log(THREE) as log:
        result = Stickiness("Visit").run(log)
        assert result.frame.rows() == [
            *[(1, 1, 1 / 3, False), (2, 1, 1 / 3, False), (3, 0, 0.0, False), (4, 1, 1 / 3, False)],
            (5, 0, 0.0, False),
        ]
        assert Stickiness("Visit", cumulative=True).run(log).frame["people"].to_list() == [3, 2, 1, 1, 0]
        assert Stickiness("Visit", until="2026-10-21").run(log).frame["complete"].all()
        # Each week alone: the 20th to the 24th of October lie in one.
        assert result.each["period_start"].unique().to_list() == [date(2026, 10, 1)]
        each = Stickiness("Visit", "week").run(log).each
        assert each.select("period_start", "people").rows()[0] == (date(2026, 10, 19), 1)


def test_months_of_a_range_need_no_longer_period() -> None:
    with make_log(on_days(ann=(0, 20, 50), bob=(3,))) as log:
        result = Stickiness("Visit", interval="month").run(log)
        assert result.frame.select("periods", "people").rows() == [(1, 1), (2, 0), (3, 1)]
        with pytest.raises(InputError, match="a month holds no months"):
            _ = result.each


def test_power_users_by_hand() -> None:
    with make_log(THREE) as log:
        result = PowerUsers("Visit", days=3).run(log)
        # The last three days: ann on two of them, bob on one.
        assert result.frame.select("active_days", "people", "share").rows() == [
            (1, 1, 0.5),
            (2, 1, 0.5),
            (3, 0, 0.0),
        ]
        assert result.mean == 1.5
        # Days before the range count where the window reaches back.
        assert PowerUsers("Visit", days=3, since="2026-10-24").run(log).frame.equals(result.frame)
        assert "among the 28 that end with the range (L28)" in PowerUsers().run(log).describe()


def test_usage_interval_by_hand() -> None:
    # Ann's gaps are 1, 1 and 2 days, dan's 1 and 4 (median 2.5, so 3), bob's is 3; cat has none.
    with make_log([*THREE, *on_days(dan=(0, 1, 5))]) as log:
        result = UsageInterval("Visit", longest=4).run(log)
        assert result.frame.rows() == [(1, 3, 1, 1 / 3), (2, 1, 0, 1 / 3), (3, 1, 2, 1.0), (4, 1, 0, 1.0)]
        assert (result.interval, result.period, result.longer) == (3, "week", 0)
        assert "80% of them usually come back within 3 days, so look at weeks." in result.describe()
        assert UsageInterval("Visit", share=0.3).run(log).period == "day"
        short = UsageInterval("Visit", longest=1).run(log)
        assert (short.interval, short.period, short.longer) == (None, None, 2)
        assert "No interval up to 1 days covers" in short.describe()


def test_dau_mau_and_what_a_month_is() -> None:
    with make_log(THREE) as log:
        result = ActivePeople("Visit").run(log)
        assert result.ratio()["value"].to_list() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 1 / 3])
        assert "in the 1, 7, 28 local days" in result.describe()
        assert ActivePeople(preset="mixpanel").windows == (1, 7, 30)
        assert ActivePeople(windows=(28,), preset="mixpanel").windows == (28,)
        with pytest.raises(InputError, match="unknown window '30'"):
            result.ratio(1, 30)
        many = ActivePeople("Visit", (1,), min_events=2).run(log)
        assert many.frame["value"].sum() == 0
        assert "a day counting with 2 or more" in many.describe()


QUESTIONS: list[Any] = [
    Lifecycle(),
    GrowthAccounting(period="month"),
    Stickiness(),
    PowerUsers(),
    UsageInterval(),
    ActivePeople(),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_event_and_no_event(question: Any) -> None:
    with make_log([Row("ann", 0)]) as log:
        result = question.run(log)
        assert result.frame.height and result.describe() and result.figure()
    with make_log([]) as log:
        empty = question.run(log)
        assert empty.frame.height in (0, 28, 60) and empty.figure()
        assert sum(empty.frame["people"].to_list() if "people" in empty.frame.columns else []) == 0


@pytest.mark.parametrize("question", QUESTIONS)
def test_people_without_a_name_and_times_far_off(question: Any) -> None:
    rows = [("ann", datetime(1970, 1, 1)), (None, datetime(2026, 1, 1)), ("ann", datetime(1970, 3, 1))]
    frame = pl.DataFrame(rows, schema=["person", "occurred_at"], orient="row").with_columns(
        event=pl.lit("Visit")
    )
    with pytest.warns(match="1 have no person"):
        log = EventLog(frame, timezone="America/New_York")
    with log:
        assert question.run(log).frame.height


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: Lifecycle("Vist"), "unknown event 'Vist'. Did you mean 'Visit'?"),
        (lambda: GrowthAccounting(period=cast(Any, "year")), "unknown period 'year'"),
        (lambda: Lifecycle(first="Vist"), "unknown event 'Vist'. Did you mean 'Visit'?"),
        (lambda: Lifecycle(forget=0), "forget must be a whole number from 1"),
        (lambda: Lifecycle(first="Visit", forget=2), "first and forget exclude each other"),
        (lambda: Lifecycle(min_events=0), "min_events must be a whole number from 1"),
        (lambda: Lifecycle(timezone="Europe/Berlinn"), "unknown time zone 'Europe/Berlinn'"),
        (lambda: Stickiness(interval=cast(Any, "hour")), "unknown period 'hour'"),
        (lambda: PowerUsers(days=0), "days must be a whole number from 1"),
        (lambda: UsageInterval(share=0), "share must be a number above 0"),
        (lambda: UsageInterval(longest=True), "longest must be a whole number"),
        (lambda: ActivePeople(preset=cast(Any, "amplitud")), "unknown preset 'amplitud'"),
        (lambda: ActivePeople(min_events=-1), "min_events must be a whole number"),
    ],
)
def test_wrong_input_is_named(question: Any, message: str) -> None:
    with make_log(THREE) as log, pytest.raises(InputError) as caught:
        question().run(log)
    assert message in str(caught.value)


def test_hostile_names_stay_names() -> None:
    name = "Visit'; DROP TABLE events; -- ü"
    with make_log([Row("o'brien; --", 0, name), Row("o'brien; --", 24, name)]) as log:
        assert Lifecycle(name, "day").run(log).frame["returning"].to_list() == [0, 1]
        assert Stickiness(name).run(log).frame["people"].to_list() == [0, 1]
        assert UsageInterval(name).run(log).interval == 1


def test_says_what_ever_means() -> None:
    with make_log(THREE) as log:
        text = Lifecycle("Visit", "day", since="2026-10-22", min_events=2).run(log).describe()
    assert "People with Visit at least 2 times per day: new (for the first time ever)" in text
    assert "all retained history, which begins on 2026-10-20" in text
