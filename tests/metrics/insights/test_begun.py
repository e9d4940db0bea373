"""Breakdowns of sessions and paths, which are of the group of the event they begin with, against naive counts."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway.errors import InputError

START = datetime(2026, 3, 28, 20)
EXAMPLES = 1000 if os.environ.get("HEADWAY_FULL") else 12
Key = tuple[str, ...]


class Row(NamedTuple):
    person: str
    event: str
    minutes: int
    plan: str | None = None
    channel: str | None = None


def make_log(rows: Sequence[Row]) -> hw.EventLog:
    frame = pl.DataFrame(
        [
            (row.person, row.event, START + timedelta(minutes=row.minutes), row.plan, row.channel, line)
            for line, row in enumerate(rows)
        ],
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "plan": pl.String,
            "channel": pl.String,
            "line": pl.Int64,
        },
        orient="row",
    )
    return hw.EventLog(frame, timezone="Europe/Berlin")


def runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Each person's events in order of time, then of the log, split at pauses of more than half an hour."""
    found: list[list[Row]] = []
    for person in sorted({row.person for row in rows}):
        own = sorted((row for row in rows if row.person == person), key=lambda row: row.minutes)
        for n, row in enumerate(own):
            if n == 0 or row.minutes - own[n - 1].minutes > 30:
                found.append([])
            found[-1].append(row)
    return found


def group(row: Row, names: Sequence[str], payers: set[str]) -> Key:
    values = {"plan": row.plan or "(none)", "channel": row.channel or "(none)"}
    values["payer"] = "in" if row.person in payers else "not in"
    return tuple(values[name] for name in names)


def with_largest(found: Iterable[tuple[Key, str, Any]], top: int | None) -> dict[Key, list[tuple[str, Any]]]:
    """By group what begins there: all of them, or the ones with most people and the rest as one."""
    listed = list(found)
    people: dict[Key, set[str]] = defaultdict(set)
    for key, person, _ in listed:
        people[key].add(person)
    ranked = sorted(people, key=lambda key: (-len(people[key]), [value.encode() for value in key]))
    kept = ranked if top is None else ranked[:top]
    groups: dict[Key, list[tuple[str, Any]]] = defaultdict(list)
    for key, person, what in listed:
        groups[key if key in kept else ("(other)",) * len(key)].append((person, what))
    return dict(sorted(groups.items()))


histories = st.lists(
    st.builds(
        Row,
        person=st.sampled_from("abcd"),
        event=st.sampled_from(["Home", "Search", "Payment"]),
        minutes=st.sampled_from([0, 5, 20, 60, 100, 131, 200]),
        plan=st.sampled_from([None, "pro", 'say "hi"', "ü;"]),
        channel=st.sampled_from(["ads", None]),
    ),
    max_size=30,
).map(
    lambda rows: [
        *rows,
        *(Row("z", name, 5000 + 100 * n) for n, name in enumerate(["Home", "Search", "Payment"])),
    ]
)
splits = st.sampled_from(["plan", ["plan", "channel"], ["payer", "plan"]])
tops = st.none() | st.integers(1, 3)


def asked_by(by: Any) -> Any:
    payer = hw.Did("Payment").named("payer")
    items = [payer if name == "payer" else name for name in ([by] if isinstance(by, str) else by)]
    return items if isinstance(by, list) else items[0]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    rows=histories, by=splits, top=tops, from_search=st.booleans(), keep=st.sampled_from(["first", "last"])
)
def test_paths_equal_a_naive_count(
    rows: list[Row], by: Any, top: int | None, from_search: bool, keep: str
) -> None:
    names = [by] if isinstance(by, str) else by
    payers = {row.person for row in rows if row.event == "Payment"}
    found = []
    for run in runs(rows):
        begin = next((n for n, row in enumerate(run) if row.event == "Search" or not from_search), None)
        if begin is not None:
            items = [row.event for n, row in enumerate(run) if n == 0 or row.event != run[n - 1].event]
            if from_search:
                items = items[items.index("Search") :]
            kept = items[-3:] if keep == "last" else items[:3]
            found.append((group(run[begin], names, payers), run[0].person, tuple(kept)))
    groups = with_largest(found, top)
    edges: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for key, walked in groups.items():
        for person, items in walked:
            for step, (source, target) in enumerate(pairwise(items), 1 - len(items) if keep == "last" else 1):
                edges[*key, step, source, target].append(person)
    start = "Search" if from_search else None
    with make_log(rows) as log:
        result = hw.Paths(start=start, steps=3, keep=keep, by=asked_by(by), top=top).run(log)
        assert result.frame.columns[: len(names)] == names
        counts = result.frame.select(*names, "step", "source", "target", "traversals", "people").rows()
        assert counts == [(*at, len(who), len(set(who))) for at, who in sorted(edges.items())]
        wanted = {(*key, items) for key, walked in groups.items() for _, items in walked}
        assert {
            (*row[:-1], tuple(row[-1])) for row in result.top(99).select(*names, "items").rows()
        } == wanted
        begun = result.items.group_by(names).agg(pl.col("stopped").sum())
        assert set(begun.select(names).rows()) == set(groups)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(rows=histories, by=splits, top=tops)
def test_sessions_equal_a_naive_count(rows: list[Row], by: Any, top: int | None) -> None:
    names = [by] if isinstance(by, str) else by
    payers = {row.person for row in rows if row.event == "Payment"}
    since, until = datetime(2026, 3, 28), datetime(2026, 3, 29, 23)
    found = [
        (group(run[0], names, payers), run[0].person, (run[0].minutes, len(run)))
        for run in runs(rows)
        if run[0].minutes < 1000
    ]
    groups = with_largest(found, top)
    with make_log(rows) as log:
        asked = hw.Sessions(by=asked_by(by), top=top, max_rate=None, since=since.date(), until=until.date())
        result = asked.run(log)
        listed = result.frame.select(*names, "person", "started_at", "events")
        assert listed.rows() == [
            (*key, person, START + timedelta(minutes=at), events)
            for key, visits in groups.items()
            for person, (at, events) in sorted(visits)
        ]
        summary = result.summary()
        assert summary.select(*names, "sessions", "people", "bounces").rows() == [
            (*key, len(v), len({person for person, _ in v}), sum(events == 1 for _, (_, events) in v))
            for key, v in groups.items()
        ]
        assert result.trend("day").height == 2 * len(groups)
        sizes = result.distribution("events", [1, 2]).select(*names, "sessions").rows()
        assert sizes == [
            (*key, sum((events > 1) == more for _, (_, events) in v))
            for key, v in groups.items()
            for more in (False, True)
        ]


STORY = [
    Row("ann", "Home", 0, "pro"),
    Row("ann", "Search", 1, "free"),
    Row("ann", "Home", 100, "free"),
    Row("bob", "Home", 0, "pro"),
    Row("cat", "Home", 0),
    Row("cat", "Search", 0, "free"),
]


def test_a_session_is_of_the_group_of_its_first_event_even_where_the_value_changes() -> None:
    with make_log(STORY) as log:
        result = hw.Sessions(by="plan").run(log)
        assert result.frame.select("plan", "person", "session").rows() == [
            ("(none)", "cat", 1),
            ("free", "ann", 2),
            ("pro", "ann", 1),
            ("pro", "bob", 1),
        ]
        assert ", by plan on the first event of a session." in result.describe()
        drawn = {trace.legendgroup or trace.name for trace in result.figure().data}
        assert {"(none)", "free", "pro"} <= drawn
        assert len(result.distribution_figure().layout.updatemenus[0].buttons) == 3


def test_a_path_is_of_the_group_of_the_event_it_begins_with() -> None:
    with make_log(STORY) as log:
        result = hw.Paths(by="plan").run(log)
        assert result.frame.select("plan", "source", "target", "people").rows() == [
            ("(none)", "Home", "Search", 1),
            ("pro", "Home", "Search", 1),
        ]
        assert result.top(1).select("plan", "items").rows() == [
            ("(none)", ["Home", "Search"]),
            ("free", ["Home"]),
            ("pro", ["Home"]),
        ]
        assert "by plan (the group with most people, the rest as (other)) on the first event of a path." in (
            hw.Paths(by="plan", top=1).describe()
        )
        menu = result.figure().layout.updatemenus[0]
        assert [each.label for each in menu.buttons] == ["(none)", "pro"]
        # Above the headings of the columns, which other figures do not have.
        assert menu.y > hw.Lifecycle(by="plan").run(log).figure().layout.updatemenus[0].y
        # Only people of the anchor's moment count: the search of ann is free.
        searched = hw.Paths(start="Search", by="plan").run(log)
        assert searched.items.select("plan", "item", "paths").rows() == [("free", "Search", 2)]


def test_without_anybody_there_are_the_columns() -> None:
    with make_log(STORY[:0]) as log:
        sessions = hw.Sessions(by=["plan", "channel"], top=2).run(log)
        assert sessions.frame.columns[:3] == ["plan", "channel", "person"]
        assert sessions.summary().is_empty() and sessions.distribution().columns[:2] == ["plan", "channel"]
        assert hw.Paths(by="plan").run(log).frame.columns[:2] == ["plan", "step"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: hw.Sessions(by="plann"), "unknown property 'plann'. Did you mean 'plan'?"),
        (lambda: hw.Paths(by="plann"), "unknown property 'plann'. Did you mean 'plan'?"),
        (lambda: hw.Sessions(top=2), "top says how many groups of a breakdown to keep: give by as well"),
        (lambda: hw.Paths(top=2), "top says how many groups"),
        (lambda: hw.Paths(by="plan", top=0), "top must be a whole number from 1"),
        (lambda: hw.Paths(by=hw.Did("Home").named("step")), "the result has a column of that name"),
        (lambda: hw.Sessions(by=hw.Did("Home").named("events")), "the result has a column of that name"),
    ],
)
def test_wrong_breakdowns_are_named(ask: Any, message: str) -> None:
    with make_log(STORY) as log, pytest.raises(InputError) as caught:
        ask().run(log)
    assert message in str(caught.value)
