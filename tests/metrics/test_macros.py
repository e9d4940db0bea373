"""The macros of the team's database give the numbers the insights give."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway.macros import MACROS, add_macros

#: Before the night in which Berlin moves its clocks forward; a week and a month end in it, too.
START = datetime(2026, 3, 26, 12)
NAMES = ["Visit", "Read", 'it\'s; "paid" ✓']
VISIT, READ, PAID = NAMES
EXAMPLES = 300 if os.environ.get("HEADWAY_FULL") else 15

histories = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(NAMES), st.integers(0, 24 * 12)),
    min_size=1,
    max_size=40,
)


def frame_of(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person": [person for person, _, _ in rows],
            "event": [event for _, event, _ in rows],
            "occurred_at": [START + timedelta(hours=hour) for *_, hour in rows],
        },
        schema={"person": pl.String, "event": pl.String, "occurred_at": pl.Datetime("us")},
    )


@cache
def macros(timezone: str, week_start: str) -> duckdb.DuckDBPyConnection:
    """A database with the macros, made once: they read the tables that are there when they are asked."""
    con = duckdb.connect()
    tell(con, frame_of([]), None)
    add_macros(con, timezone=timezone, week_start=week_start)
    return con


def tell(con: duckdb.DuckDBPyConnection, frame: pl.DataFrame, horizon: datetime | None) -> None:
    con.register("frame", frame.to_arrow())
    con.execute("CREATE OR REPLACE TABLE events AS FROM frame")
    con.execute("CREATE OR REPLACE TABLE horizon AS SELECT $at::TIMESTAMP AS horizon", {"at": horizon})


def database(
    frame: pl.DataFrame, horizon: datetime | None, timezone: str, week_start: str
) -> duckdb.DuckDBPyConnection:
    con = macros(timezone, week_start).cursor()
    tell(con, frame, horizon)
    return con


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=histories,
    hours=st.integers(0, 24 * 9),
    period=st.sampled_from(["day", "week", "month"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
    week_start=st.sampled_from(["monday", "sunday"]),
    later=st.sampled_from([None, 1, 200]),
)
def test_the_same_numbers(
    rows: list[tuple[str, str, int]],
    hours: int,
    period: Any,
    timezone: str,
    week_start: str,
    later: int | None,
) -> None:
    frame = frame_of(rows)
    last = frame["occurred_at"].max()
    assert isinstance(last, datetime)
    horizon = None if later is None else last + timedelta(hours=later)
    with (
        database(frame, horizon, timezone, week_start) as con,
        hw.EventLog(frame, timezone=timezone, week_start=week_start, horizon=horizon) as log,
    ):
        steps = [name for name in NAMES if name in log.names]
        mine = asked(con, f"funnel($steps, INTERVAL {hours} HOUR)", steps=steps)
        assert_same(mine, hw.Funnel(steps, within=f"{hours}h").run(log).frame)
        for event in steps:
            mine = asked(con, "retention($a, $b, period := $p, periods := 3)", a=event, b=steps[0], p=period)
            assert_same(mine, hw.Retention(event, steps[0], period=period, periods=3).run(log).frame)
        for did in [None, steps[-1]]:
            mine = asked(con, "active_people($did, windows := [1, 3, 28])", did=did)
            assert_same(mine, hw.ActivePeople(did, windows=(1, 3, 28)).run(log).frame)
            mine = asked(con, "lifecycle($did, period := $p)", did=did, p=period)
            assert_same(mine, hw.Lifecycle(did, period=period).run(log).frame)


def asked(con: duckdb.DuckDBPyConnection, macro: str, **params: Any) -> pl.DataFrame:
    frame: pl.DataFrame = con.sql(f"FROM {macro}", params=params).pl()
    return frame


def assert_same(mine: pl.DataFrame, theirs: pl.DataFrame) -> None:
    assert mine.height
    assert mine.rows() == theirs.select(mine.columns).rows()


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with database(frame_of([("a", VISIT, 0), ("a", READ, 1)]), None, "UTC", "monday") as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (f"FROM funnel(['{VISIT}', '{VISIT}'])", "each step once"),
        ("FROM funnel([]::VARCHAR[])", "1 to 10 steps"),
        (f"FROM funnel(['{VISIT}'], INTERVAL '-1 day')", "negative"),
        ("FROM lifecycle(period := 'year')", "day, week or month"),
        (f"FROM funnel(['{VISIT}', 'Pya'])", "unknown event 'Pya'"),
        (f"FROM retention('{VISIT}', 'Raed')", "unknown event 'Raed'.*SELECT DISTINCT event"),
        (f"FROM retention('Raed', '{VISIT}')", "unknown event 'Raed'"),
        (f"FROM retention('{VISIT}', '{READ}', periods := 0)", "from 1 on"),
        ("FROM lifecycle('a''; DROP TABLE events; --')", "unknown event 'a'; DROP TABLE events; --'"),
        ("FROM active_people('Raed')", "unknown event 'Raed'"),
        ("FROM active_people(windows := [0])", "from 1 on"),
    ],
)
def test_a_wrong_question_is_told_what_to_ask(con: duckdb.DuckDBPyConnection, query: str, told: str) -> None:
    with pytest.raises(duckdb.Error, match=told):
        con.execute(query).fetchall()


def test_the_file_says_what_its_macros_do(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT function_name, comment FROM duckdb_functions() WHERE comment IS NOT NULL"
    ).fetchall()
    assert dict(rows) == MACROS
