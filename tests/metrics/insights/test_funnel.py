"""Funnels against a brute-force second implementation that tries every attempt, and against hand counts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headway.errors import HeadwayError, InputError
from headway.insights import Funnel
from headway.log import EventLog
from headway.selectors import Event, Selector, as_event

HOUR = 3_600_000_000
FULL = bool(os.environ.get("HEADWAY_FULL"))
EXAMPLES = 200 if FULL else 24
#: A history is one person's. A log costs more than its people: many in one make the full size possible.
MANY = 12 if FULL else 1
START = datetime(2026, 3, 27)


class Row(NamedTuple):
    person: str
    event: str
    hour: int
    plan: str | None = None


class Attempt(NamedTuple):
    times: tuple[int, ...]
    seq: int
    plan: str


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    frame = pl.DataFrame(
        {
            "person": [row.person for row in rows],
            "event": [row.event for row in rows],
            "occurred_at": [START + timedelta(hours=row.hour) for row in rows],
            "plan": [row.plan for row in rows],
        },
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us"), "plan": pl.String},
    )
    return EventLog(frame, **options)


def can_fill(step: Selector, row: Row) -> bool:
    """The sentences of the definition of a selector; the only conditions used here are on plan."""
    event = as_event(step)
    if event.names is not None and row.event not in event.names:
        return False
    return {
        None: True,
        "plan = 'x'": row.plan == "x",
        "plan <> 'x'": row.plan != "x",
        "plan in ('x', 'y')": row.plan in ("x", "y"),
    }[event.where]


def attempts(
    rows: list[Row], steps: Sequence[Selector], window: int, entry: str, strictly: bool
) -> Iterator[Attempt]:
    """Tries every event as start and every choice of later events."""
    starts = [n for n, row in enumerate(rows) if can_fill(steps[0], row)]
    if not starts:
        return
    first = min(rows[n].hour for n in starts)
    for n in starts:
        t1 = rows[n].hour
        if entry == "first" and t1 != first:
            continue
        end = t1 + window
        if entry == "latest":
            end = min([end, *(rows[m].hour for m in starts if rows[m].hour > t1)])
        stack: list[tuple[int, ...]] = [(n,)]
        while stack:
            used = stack.pop()
            yield Attempt(tuple(rows[m].hour for m in used), n, rows[n].plan or "(none)")
            if len(used) == len(steps):
                continue
            for m, row in enumerate(rows):
                if m in used or not can_fill(steps[len(used)], row) or (entry == "latest" and m in starts):
                    continue
                before = rows[used[-1]].hour
                if row.hour <= end and (row.hour > before if strictly else row.hour >= before):
                    stack.append((*used, m))


def best(found: Iterator[Attempt]) -> Attempt | None:
    """Furthest, then earliest finish, then latest start; then earliest steps, then last in the log."""
    key = lambda a: (len(a.times), -a.times[-1], a.times[0], tuple(-t for t in a.times[1:]), a.seq)  # noqa: E731
    return max(found, key=key, default=None)


def percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def expected_rows(reported: list[Attempt], steps: int, groups: list[str]) -> list[tuple[Any, ...]]:
    rows = []
    for group in groups:
        members = [a for a in reported if group in ("(all)", a.plan)]
        for step in range(1, steps + 1):
            reached = [a for a in members if len(a.times) >= step]
            waits = (
                [float((a.times[step - 1] - a.times[step - 2]) * 3600) for a in reached] if step > 1 else []
            )
            mean = sum(waits) / len(waits) if waits else None
            rows.append((group, step, len(reached), mean, percentile(waits, 0.5), percentile(waits, 0.9)))
    return rows


PEOPLE = tuple(f"{name}{n}" for name in "opqrst" for n in range(MANY))
events = st.builds(
    Row,
    person=st.sampled_from(PEOPLE),
    event=st.sampled_from(["A", "B", "C", "D"]),
    hour=st.integers(0, 8),
    plan=st.sampled_from(["x", "y", None]),
)
selectors = st.one_of(
    st.sampled_from(["A", "B", "C"]),
    st.just(["A", "B"]),
    st.sampled_from([Event("A", where="plan = 'x'"), Event(["B", "C"], where="plan <> 'x'"), Event(None)]),
    st.just(Event(None, where="plan in ('x', 'y')")),
)
ALL = [Row("z", name, 1000) for name in "ABCD"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=st.lists(events, min_size=18 * (MANY - 1), max_size=36 * MANY),
    steps=st.lists(selectors, min_size=1, max_size=4),
    window=st.integers(0, 6),
    entry=st.sampled_from(["best", "first", "latest"]),
    tie=st.sampled_from(["0s", None]),
    by=st.sampled_from([None, "plan"]),
)
@example([Row("p0", "A", 1), Row("p0", "B", 1)], [["A", "B"], "A"], 0, "best", "0s", None)
@example([Row("p0", "A", 1), Row("p0", "B", 2)], ["A", "B"], 3, "latest", "0s", None)
@example([Row("p0", "A", 1), Row("p0", "A", 2), Row("p0", "B", 3)], ["A", "B"], 3, "latest", None, None)
@example([Row("p0", "A", 1, "x"), Row("p0", "B", 1, "y")], [["A", "B"], "A"], 0, "best", "0s", "plan")
def test_equals_brute_force(
    rows: list[Row],
    steps: list[Selector],
    window: int,
    entry: Literal["best", "first", "latest"],
    tie: Literal["0s"] | None,
    by: str | None,
) -> None:
    # Person z makes every name known; far away in time, and left out by the range.
    with make_log(rows + ALL) as log:
        result = Funnel(
            steps, within=f"{window}h", entry=entry, tie=tie, by=by, until=START + timedelta(hours=900)
        ).run(log)
        reported = {}
        for person in PEOPLE:
            own = [row for row in rows if row.person == person]
            if chosen := best(attempts(own, steps, window, entry, strictly=tie is None)):
                reported[person] = chosen
        groups = ["(all)"] if by is None else sorted({a.plan for a in reported.values()})
        wanted = expected_rows(list(reported.values()), len(steps), groups)
        got = result.frame if by else result.frame.select(pl.lit("(all)").alias("plan"), pl.all())
        columns = ["plan", "step", "people", "seconds_mean", "seconds_median", "seconds_p90"]
        assert _rounded(got.select(columns).rows()) == _rounded(wanted)
        assert result.people.rows() == [(p, len(a.times)) for p, a in sorted(reported.items())]
        done = {
            p: (a.times[-1] - a.times[0]) * 3600 for p, a in reported.items() if len(a.times) == len(steps)
        }
        assert dict(result.durations.select("person", "seconds").rows()) == done
        assert log.sql(result.sql)["people"].to_list() == result.frame["people"].to_list()


def _rounded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in rows]


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(
    rows=st.lists(events, min_size=18 * (MANY - 1) + 1, max_size=30 * MANY),
    steps=st.lists(selectors, min_size=1, max_size=3),
    window=st.integers(0, 6),
    entry=st.sampled_from(["best", "first", "latest"]),
    tie=st.sampled_from(["0s", None]),
)
def test_trend_equals_brute_force(
    rows: list[Row],
    steps: list[Selector],
    window: int,
    entry: Literal["best", "first", "latest"],
    tie: Literal["0s"] | None,
) -> None:
    # Ten hours of an event make a day here, so that a history touches several days.
    spread = [row._replace(hour=row.hour * 10) for row in rows]
    last = START + timedelta(hours=900)
    with make_log(spread + ALL, timezone="Europe/Berlin", horizon=START + timedelta(hours=60)) as log:
        trend = (
            Funnel(steps, within=f"{window * 10}h", entry=entry, tie=tie, until=last).run(log).trend("day")
        )
    reached: dict[tuple[str, date], int] = {}
    for person in PEOPLE:
        own = [row for row in spread if row.person == person]
        for attempt in attempts(own, steps, window * 10, entry, strictly=tie is None):
            key = (person, _berlin_day(attempt.times[0]))
            reached[key] = max(reached.get(key, 0), len(attempt.times))
    for day, entered, converted, rate, complete in trend.rows():
        levels = [level for (_, start), level in reached.items() if start == day]
        assert (entered, converted) == (len(levels), sum(level == len(steps) for level in levels))
        assert rate == (converted / entered if entered else None)
        midnight = datetime(day.year, day.month, day.day) + timedelta(days=1)
        end = midnight - timedelta(hours=1 if midnight < datetime(2026, 3, 29, 12) else 2)
        assert complete == (end + timedelta(hours=window * 10) <= START + timedelta(hours=60))
    assert {day for _, day in reached} <= set(trend["period_start"].to_list())


def _berlin_day(hour: int) -> date:
    """Clocks went forward on 2026-03-29 at 01:00 UTC: one hour ahead before, two after."""
    at = START + timedelta(hours=hour)
    return (at + timedelta(hours=1 if at < datetime(2026, 3, 29, 1) else 2)).date()


SEVEN = [
    Row("ann", "Signed Up", 0, "x"),
    Row("ann", "Published", 24, "x"),
    Row("ann", "Paid", 24 + 12, "y"),
    Row("bob", "Signed Up", 1, None),
    Row("bob", "Published", 1 + 48, "y"),
    Row("cat", "Signed Up", 2, "y"),
    Row("dan", "Published", 3, "x"),
]
STEPS = ["Signed Up", "Published", "Paid"]


def test_seven_rows_counted_by_hand() -> None:
    with make_log(SEVEN) as log:
        result = Funnel(STEPS, within="2d").run(log)
        frame = result.frame
        assert frame.columns == [
            *["step", "event", "people", "from_first", "from_previous", "low", "high", "dropped"],
            *["seconds_mean", "seconds_median", "seconds_p90", "previous_low", "previous_high"],
        ]
        assert frame["people"].to_list() == [3, 2, 1]
        assert frame["from_first"].to_list() == [1.0, 2 / 3, 1 / 3]
        assert frame["from_previous"].to_list() == [1.0, 2 / 3, 1 / 2]
        assert frame["dropped"].to_list() == [0, 1, 1]
        assert frame["seconds_mean"].to_list() == [None, (24 + 48) / 2 * 3600, 12 * 3600]
        assert frame["seconds_p90"].to_list() == [None, pytest.approx((24 + 0.9 * 24) * 3600), 12 * 3600]
        # Wilson (1927), for 2 of 3 people.
        z = 1.959963984540054
        middle, half = (2 + z**2 / 2) / (3 + z**2), z / (3 + z**2) * (2 * 1 / 3 + z**2 / 4) ** 0.5
        assert (frame["low"][1], frame["high"][1]) == pytest.approx((middle - half, middle + half))
        assert result.people.rows() == [("ann", 3), ("bob", 2), ("cat", 1)]
        assert result.durations.rows() == [("ann", 36 * 3600.0)]


def test_window_includes_its_last_instant() -> None:
    with make_log(SEVEN) as log:
        assert Funnel(STEPS[:2], within="48h").run(log).frame["people"].to_list() == [3, 2]
        assert Funnel(STEPS[:2], within="47h").run(log).frame["people"].to_list() == [3, 1]


def test_breakdown_takes_the_value_where_the_attempt_starts() -> None:
    with make_log(SEVEN) as log:
        frame = Funnel(STEPS, by="plan").run(log).frame
    assert frame.select("plan", "step", "people").rows() == [
        *[("(none)", 1, 1), ("(none)", 2, 1), ("(none)", 3, 0)],
        *[("x", 1, 1), ("x", 2, 1), ("x", 3, 1)],
        *[("y", 1, 1), ("y", 2, 0), ("y", 3, 0)],
    ]


def test_range_condition_and_time_zone() -> None:
    with make_log(SEVEN) as log:
        day = Funnel(STEPS, since="2026-03-27", until="2026-03-27").run(log).frame["people"].to_list()
        assert day == [3, 0, 0]
        until = datetime(2026, 3, 28, tzinfo=UTC)
        assert Funnel(STEPS, until=until).run(log).frame["people"].to_list() == [3, 1, 0]
        assert Funnel(STEPS, where="plan = 'x'").run(log).frame["people"].to_list() == [1, 1, 0]
        # In Honolulu the first day of the log ends ten hours into the second one in UTC.
        honolulu = Funnel(STEPS, until="2026-03-27", timezone="Pacific/Honolulu").run(log)
        assert honolulu.frame["people"].to_list() == [3, 1, 0]


def test_entries_differ_as_defined() -> None:
    rows = [
        Row("p", "A", 0),
        Row("p", "B", 1),
        Row("p", "A", 2),
        Row("p", "C", 3),
        Row("p", "A", 9),
        Row("p", "B", 9),
    ]
    with make_log(rows) as log:
        counts = {
            entry: Funnel(["A", "B", "C"], within="2h", entry=entry).run(log).frame["people"].to_list()
            for entry in ("best", "first", "latest")
        }
        assert counts == {"best": [1, 1, 0], "first": [1, 1, 0], "latest": [1, 1, 0]}
        wide = {
            entry: Funnel(["A", "B", "C"], within="3h", entry=entry).run(log).frame["people"].to_list()
            for entry in ("best", "first", "latest")
        }
        assert wide == {"best": [1, 1, 1], "first": [1, 1, 1], "latest": [1, 1, 0]}


def test_equal_steps_need_two_events() -> None:
    with make_log([Row("p", "A", 0), Row("q", "A", 0), Row("q", "A", 0)]) as log:
        assert Funnel(["A", "A"]).run(log).frame["people"].to_list() == [2, 1]
        assert Funnel(["A", "A"], tie=None).run(log).frame["people"].to_list() == [2, 0]


def test_empty_log_gives_zero_rows() -> None:
    with make_log([]) as log:
        result = Funnel(STEPS).run(log)
        assert result.frame["people"].to_list() == [0, 0, 0]
        assert result.frame["from_first"].to_list() == [None] * 3
        assert result.people.is_empty()
        assert result.trend("day").is_empty()
        assert Funnel(STEPS, by="plan").run(log).frame.is_empty()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": []}, "a funnel needs a list of steps"),
        ({"steps": "Paid"}, "a funnel needs a list of steps"),
        ({"steps": ["Paid", "Sgned Up"]}, "unknown event 'Sgned Up'. Did you mean 'Signed Up'?"),
        ({"steps": [Event("Paid", where="pln = 'x'")]}, "unknown property 'pln'. Did you mean 'plan'?"),
        ({"by": "pln"}, "unknown property 'pln'. Did you mean 'plan'?"),
        ({"within": "2 weeks"}, "is not a duration"),
        ({"within": "-1d"}, "is not a duration"),
        ({"entry": "frist"}, "unknown entry 'frist'. Did you mean 'first'?"),
        ({"order": "loose"}, "unknown order 'loose'"),
        ({"attribution": "step:4"}, "unknown attribution 'step:4'"),
        ({"tie": "two"}, "is not a duration"),
        ({"timezone": "Europe/Berln"}, "unknown time zone 'Europe/Berln'. Did you mean 'Europe/Berlin'?"),
        ({"week_start": "mon"}, "unknown week start 'mon'"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "since lies after until"),
        ({"since": "yesterday"}, "is not a date or an instant"),
        ({"since": 3}, "must be a date"),
        ({"where": "plan ="}, "cannot read the condition"),
        ({"steps": ["Paid"] * 9}, "can be filled by the same events"),
    ],
)
def test_wrong_input_is_named(options: dict[str, Any], message: str) -> None:
    with make_log(SEVEN) as log, pytest.raises(InputError) as caught:
        Funnel(**{"steps": STEPS, **options}).run(log)
    assert message in str(caught.value)


def test_trend_refuses_impossible_steps() -> None:
    with make_log(SEVEN) as log, pytest.raises(InputError, match="1 <= entered <= converted <= 3"):
        Funnel(STEPS).run(log).trend("day", entered=3, converted=2)


def test_breakdown_by_a_result_column_is_refused() -> None:
    frame = pl.DataFrame({"person": ["p"], "event": ["A"], "occurred_at": [START], "step": ["s"]})
    with EventLog(frame) as log, pytest.raises(InputError, match="the result has a column of that name"):
        Funnel(["A"], by="step").run(log)


def test_errors_do_not_quote_data() -> None:
    rows = [Row("p", "A", 0, "alice@example.com")]
    with make_log(rows) as log, pytest.raises(HeadwayError) as caught:
        Funnel([Event("A", where="plan > 5")]).run(log)
    assert "alice" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_describes_itself() -> None:
    with make_log(SEVEN) as log:
        result = Funnel(STEPS, within="2d", until=date(2026, 3, 30), where="plan = 'x'").run(log)
    text = result.describe()
    assert "within 2 days" in text and "To 2026-03-30" in text and "time zone UTC" in text
    assert "&#x27;x&#x27;" in result._repr_html_()
    assert text in repr(result)
    assert text.endswith("Attempts that began less than 2 days before the end had less time than that.")
    assert result.figure().layout.title.text == "Funnel within 2 days"


def test_no_attempt_of_one_step_or_one_session_is_said_to_have_had_less_time() -> None:
    with make_log(SEVEN) as log:
        told = [Funnel(STEPS[:1]).run(log).describe(), Funnel(STEPS, within="session").run(log).describe()]
    assert not any("had less time" in text for text in told)
