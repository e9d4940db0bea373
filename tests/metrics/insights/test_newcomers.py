"""Who counts as new in a lifecycle that goes by another event or forgets, against naive counts."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw

EXAMPLES = 1000 if os.environ.get("HEADWAY_FULL") else 15
#: A Thursday; the days after it cross the end of a leap month and the day clocks change.
START = date(2024, 2, 15)
SINCE, UNTIL = START + timedelta(days=8), START + timedelta(days=48)


class Row(NamedTuple):
    person: str
    event: str
    day: int

    @property
    def on(self) -> date:
        return START + timedelta(days=self.day)


def make_log(rows: list[Row]) -> hw.EventLog:
    frame = pl.DataFrame(
        [(row.person, row.event, datetime(row.on.year, row.on.month, row.on.day, 12)) for row in rows],
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us")},
        orient="row",
    )
    return hw.EventLog(frame, timezone="Europe/Berlin")


def start_of(day: date, period: str) -> date:
    return day - timedelta(days=day.weekday()) if period == "week" else day


def before(start: date, period: str, periods: int = 1) -> date:
    return start - timedelta(days=periods * (7 if period == "week" else 1))


histories = st.lists(
    st.builds(
        Row,
        person=st.sampled_from("abcd"),
        event=st.sampled_from(["Visit", "Visit", "Other"]),
        day=st.integers(0, 60),
    ),
    max_size=40,
).map(lambda rows: [*rows, Row("z", "Visit", 70), Row("z", "Other", 70)])


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    rows=histories,
    period=st.sampled_from(["day", "week"]),
    new=st.sampled_from([{"first": hw.Event(None)}, {"first": "Other"}, {"forget": 1}, {"forget": 3}]),
)
def test_who_is_new_equals_a_naive_count(rows: list[Row], period: Any, new: dict[str, Any]) -> None:
    known = [row for row in rows if row.on <= UNTIL]
    people = {row.person for row in known}

    def is_new(person: str, start: date) -> bool:
        active = {start_of(row.on, period) for row in known if (row.person, row.event) == (person, "Visit")}
        if start not in active or before(start, period) in active:
            return False
        if "forget" in new:
            return not any(before(start, period, back) in active for back in range(1, new["forget"] + 1))
        named = [
            row.on for row in known if row.person == person and new["first"] in ("Other", hw.Event(None))
        ]
        if new["first"] == "Other":
            named = [row.on for row in known if (row.person, row.event) == (person, "Other")]
        return bool(named) and start_of(min(named), period) == start

    with make_log(rows) as log:
        asked: dict[str, Any] = {"period": period, "since": SINCE, "until": UNTIL}
        usual = hw.GrowthAccounting("Visit", **asked).run(log).frame
        found = hw.GrowthAccounting("Visit", **new, **asked).run(log).frame
    starts = found["period_start"].to_list()
    assert found["new"].to_list() == [sum(is_new(who, start) for who in people) for start in starts]
    # Only who is new differs, and those who are not are back.
    same = ["returning", "dormant", "active", "change", "complete"]
    assert found.select(same).equals(usual.select(same))
    assert (found["new"] + found["resurrected"]).equals(usual["new"] + usual["resurrected"])


def test_a_year_without_activity_makes_new_again() -> None:
    rows = [Row("ann", "Visit", 0), Row("ann", "Visit", 3), Row("ann", "Visit", 9)]
    with make_log(rows) as log:
        asked = hw.Lifecycle("Visit", period="day", forget=5)
        frame = asked.run(log).frame
        assert frame.filter(pl.col("new") > 0)["period_start"].to_list() == [rows[0].on, rows[2].on]
        assert frame.filter(pl.col("resurrected") > 0)["period_start"].to_list() == [rows[1].on]
        assert "new (not in the 5 days before)" in asked.describe()


def test_who_was_created_before_is_back_and_not_new() -> None:
    rows = [Row("ann", "Other", 0), Row("ann", "Visit", 2), Row("bob", "Visit", 2)]
    with make_log(rows) as log:
        asked = hw.Lifecycle("Visit", period="day", first=hw.Event(None))
        frame = asked.run(log).frame
        assert frame.select("new", "resurrected").rows() == [(0, 0), (0, 0), (1, 1)]
        assert "new (any event for the first time ever)" in asked.describe()
