"""Logs on every kind of source, the prelude's days, weeks and months, and what is left out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway.errors import EngineError, InputError
from headway.log import EventLog, ExcludedEventsWarning
from headway.periods import Period, Span, day_start_us, period_number, period_start, utc_us

EXAMPLES = 1000 if os.environ.get("HEADWAY_FULL") else 20

ROWS: dict[str, list[Any]] = {
    "person": ["ann", "bob", "ann"],
    "event": ["Signed Up", "Signed Up", "Paid"],
    "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 1), datetime(2026, 3, 2, 12)],
    "amount": [None, None, 9.5],
}
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Asia/Beirut",
]


def frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS)


def in_duckdb() -> tuple[duckdb.DuckDBPyConnection, str]:
    con = duckdb.connect()
    con.register("rows", frame())
    con.execute('CREATE TABLE "my events" AS SELECT * FROM rows')
    return con, '"my events"'


SOURCES: dict[str, Callable[[Path], Any]] = {
    "frame": lambda path: frame(),
    "lazy frame": lambda path: frame().lazy(),
    "file": lambda path: path,
    "text": lambda path: str(path),
    "glob": lambda path: str(path.parent / "*.parquet"),
    "list": lambda path: [path],
    "connection": lambda path: in_duckdb(),
    "relation": lambda path: in_duckdb()[0].sql('FROM "my events"'),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_log(kind: str, tmp_path: Path) -> None:
    frame().write_parquet(tmp_path / "rows.parquet")
    with EventLog(SOURCES[kind](tmp_path / "rows.parquet")) as log:
        assert log.events().rows() == [("Paid", 1, 1), ("Signed Up", 2, 2)]
        assert log.properties == ["amount"]
        assert log.sql(f"SELECT count(*) AS n FROM {log.relation}").rows() == [(3,)]
        assert log.sql(f"SELECT sum(us) AS us FROM ({log.prelude()})").rows() == [
            (sum(utc_us(at) for at in ROWS["occurred_at"]),)
        ]
        assert hw.Funnel(["Signed Up", "Paid"]).run(log).frame["people"].to_list() == [2, 1]


def test_a_given_connection_stays_open_and_unchanged() -> None:
    con, name = in_duckdb()
    before = con.execute(
        "SELECT current_setting('disabled_optimizers'), current_setting('TimeZone')"
    ).fetchall()
    with EventLog((con, name)) as log:
        hw.Trend("Paid").run(log)
    assert con.execute("SHOW TABLES").fetchall() == [("my events",), ("rows",)]
    assert (
        con.execute("SELECT current_setting('disabled_optimizers'), current_setting('TimeZone')").fetchall()
        == before
    )
    con.close()


def test_columns_may_have_any_name() -> None:
    renamed = frame().rename({"person": 'user "id"', "event": "what; drop", "occurred_at": "select"})
    with EventLog(renamed, person='user "id"', event="what; drop", time="select") as log:
        assert log.events().rows() == [("Paid", 1, 1), ("Signed Up", 2, 2)]
        assert hw.ActivePeople(windows=(7,)).run(log).frame["value"].to_list() == [2, 2]


def test_rows_that_cannot_be_used_are_counted() -> None:
    rows = pl.DataFrame(
        {
            "person": ["ann", None, "bob", "cat"],
            "event": ["A", "A", None, "A"],
            "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 3), None],
        }
    )
    with pytest.warns(
        ExcludedEventsWarning, match="1 have no person, 1 have no name, 1 have no time"
    ) as caught:
        log = EventLog(rows)
    assert caught[0].filename == __file__
    assert log.events().rows() == [("A", 1, 1)]
    assert log.sql(f"SELECT person FROM ({log.prelude()})").rows() == [("ann",)]
    assert (log.first_us, log.last_us) == (utc_us(datetime(2026, 3, 1)),) * 2
    log.close()


def test_equal_times_keep_their_order_in_the_log(tmp_path: Path) -> None:
    frame().write_parquet(tmp_path / "rows.parquet")
    numbered = frame().with_columns(line=pl.Series([7, 5, 3]))
    sources: dict[str, Any] = {"frame": frame(), "file": tmp_path / "rows.parquet", "own": numbered}
    wanted = {"frame": [0, 1, 2], "file": [0, 1, 2], "own": [7, 5, 3]}
    for kind, source in sources.items():
        with EventLog(source) as log:
            rows = log.sql(f"SELECT person, event, seq FROM ({log.prelude()})")
            order = {(person, event): seq for person, event, seq in rows.rows()}
        assert [order["ann", "Signed Up"], order["bob", "Signed Up"], order["ann", "Paid"]] == wanted[kind]


def test_times_with_a_zone_and_other_precisions() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    units: list[Literal["ms", "us", "ns"]] = ["ms", "us", "ns"]
    for kind in units:
        rows = pl.DataFrame({"person": [1], "event": ["A"], "occurred_at": [at]}).with_columns(
            pl.col("occurred_at").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit(kind)
        )
        with EventLog(rows, timezone="Asia/Tokyo") as log:
            us, day = log.sql(f"SELECT us, day FROM ({log.prelude(since=at, until=at)})").rows()[0]
            assert (us, day) == (utc_us(at), (date(2026, 3, 1) - date(1970, 1, 1)).days)
            assert log.horizon_us == us
    dates = pl.DataFrame({"person": [1], "event": ["A"], "occurred_at": [date(2026, 3, 1)]})
    with EventLog(dates) as log:
        assert log.first_us == day_start_us(date(2026, 3, 1), "UTC")


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    moments=st.lists(st.datetimes(datetime(1969, 12, 25), datetime(2032, 1, 1)), min_size=1, max_size=20),
    zone=st.sampled_from(ZONES),
    period=st.sampled_from(["day", "week", "month"]),
    week=st.sampled_from(["monday", "saturday", "thursday", "friday"]),
)
def test_days_weeks_and_months_are_those_of_the_local_calendar(
    moments: list[datetime], zone: str, period: Period, week: str
) -> None:
    rows = pl.DataFrame({"person": 1, "event": "A", "occurred_at": moments, "n": range(len(moments))})
    with EventLog(rows, timezone=zone, week_start=week) as log:
        got = log.sql(f"SELECT us, day, period FROM ({log.prelude(['n'], period=period)}) ORDER BY n").rows()
        numbers = [number for *_, number in got]
        calendar = log.sql(log.calendar(period, min(numbers), max(numbers))).to_dicts()
    by_number = {row["period"]: row for row in calendar}
    assert sorted(by_number) == list(range(min(numbers), max(numbers) + 1))
    for at, (us, day, number) in zip(moments, got, strict=True):
        local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
        assert (us, day, number) == (
            utc_us(at),
            (local - date(1970, 1, 1)).days,
            period_number(local, period, week),
        )
        row = by_number[number]
        assert row["period_start"] == period_start(number, period, week)
        assert row["first_day"] <= day <= row["last_day"]
        assert row["starts_us"] == day_start_us(period_start(number, period, week), zone)
        assert row["ends_us"] == day_start_us(period_start(number + 1, period, week), zone)
        assert row["starts_us"] <= us < row["ends_us"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    moments=st.lists(st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31)), min_size=1, max_size=20),
    zone=st.sampled_from(ZONES),
    ends=st.tuples(st.integers(0, 4), st.integers(0, 2)),
)
def test_a_range_of_dates_holds_whole_local_days(
    moments: list[datetime], zone: str, ends: tuple[int, int]
) -> None:
    since = date(2026, 3, 27) + timedelta(days=ends[0])
    until = since + timedelta(days=ends[1])
    rows = pl.DataFrame({"person": 1, "event": "A", "occurred_at": moments})
    with EventLog(rows, timezone=zone) as log:
        got = log.sql(f"SELECT us FROM ({log.prelude(since=since, until=str(until))}) ORDER BY us")[
            "us"
        ].to_list()
    inside = [
        at for at in moments if since <= at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() <= until
    ]
    assert got == sorted(map(utc_us, inside))


def test_instants_are_inclusive_and_local_without_offset() -> None:
    span = Span.parse("2026-03-29T12:00", "2026-03-29T12:00:00+00:00", "Europe/Berlin")
    assert span.since_us == utc_us(datetime(2026, 3, 29, 10))
    assert span.until_us == utc_us(datetime(2026, 3, 29, 12))


def test_midnight_that_does_not_exist_starts_at_the_jump() -> None:
    # Egypt set its clocks from 00:00 to 01:00 on 28 April 2023.
    assert day_start_us(date(2023, 4, 28), "Africa/Cairo") == utc_us(datetime(2023, 4, 27, 22))


def test_an_empty_log() -> None:
    with EventLog(frame().clear()) as log:
        assert log.events().is_empty() and log.names == frozenset()
        assert log.first_us is log.last_us is log.horizon_us is None


def test_shows_itself() -> None:
    with EventLog(frame(), timezone="Europe/Berlin") as log:
        assert repr(log) == "EventLog(3 events, timezone='Europe/Berlin', week_start='monday')"
        assert "Signed Up" in log._repr_html_()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EventLog(frame(), person="user"), "unknown column 'user'"),
        (lambda: EventLog(frame(), event="evnt"), "Did you mean 'event'?"),
        (lambda: EventLog(frame(), time="amount"), "column 'amount' is DOUBLE; make it a timestamp first"),
        (lambda: EventLog(frame(), timezone="Mars"), "unknown time zone 'Mars'"),
        (lambda: EventLog(frame(), week_start="modnay"), "Did you mean 'monday'?"),
        (lambda: EventLog("no/such.parquet"), "no file at 'no/such.parquet'"),
        (lambda: EventLog([]), "an empty list of Parquet files"),
        (lambda: EventLog([3]), "a list of Parquet files holds paths, not a int"),  # type: ignore[list-item]
        *(
            (
                lambda year=year: EventLog(frame().with_columns(occurred_at=datetime(year, 12, 31))),
                "events lie outside",
            )
            for year in (1, 1899, 9999)
        ),
        (lambda: EventLog({"a": 1}), "a log needs a Polars frame"),  # type: ignore[arg-type]
        (lambda: EventLog((duckdb.connect(), "read_csv('x')")), "is not the name of a table or view"),
        (lambda: hw.open(5), "a workspace is the path of a folder, not a int"),  # type: ignore[arg-type]
        (lambda: EventLog(frame()).prelude(["amonut"]), "Did you mean 'amount'?"),
        (lambda: EventLog(frame()).prelude(period="year"), "unknown period 'year'"),  # type: ignore[arg-type]
        (lambda: EventLog(frame().with_columns(day=1)).prelude(["day"]), "has a name Headway uses itself"),
    ],
)
def test_wrong_input_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_the_ends_of_time_are_no_time() -> None:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE events AS SELECT 'a' AS person, 'X' AS event, 'infinity'::TIMESTAMP AS occurred_at"
    )
    with pytest.raises(
        InputError, match="1 events lie outside of the years 1900 to 9998: times such as 9999-12-31"
    ):
        EventLog((con, "events"))
    con.execute("UPDATE events SET occurred_at = '9998-12-31 23:59:59'")
    with EventLog((con, "events"), timezone="Europe/Berlin") as log:
        assert hw.Trend("X", period="month").run(log).frame["value"].to_list() == [1]
    con.close()


def test_database_errors_carry_no_data(tmp_path: Path) -> None:
    with EventLog(frame().with_columns(mail=pl.lit("alice@example.com"))) as log:
        for query in ("SELECT CAST(mail AS INTEGER) FROM events", "SELECT nothing", "SELEC"):
            with pytest.raises(EngineError, match="could not run the query") as caught:
                log.sql(query)
            assert "alice" not in str(caught.value) and caught.value.__cause__ is None
    with pytest.raises(EngineError, match='could not read the columns of "nothing"'):
        EventLog((duckdb.connect(), "nothing"))
    (tmp_path / "bad.parquet").write_text("alice@example.com")
    with pytest.raises(EngineError, match="could not read the events"):
        EventLog(tmp_path / "bad.parquet")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace as the pipeline leaves it."""
    (tmp_path / "warehouse").mkdir()
    con = duckdb.connect(str(tmp_path / "warehouse" / "explore.duckdb"))
    con.register("rows", frame())
    con.execute(
        """
        CREATE TABLE stored AS SELECT *, CAST(1 AS UINTEGER) AS line, 'segment' AS source FROM rows;
        CREATE VIEW events AS SELECT * FROM stored;
        CREATE TABLE horizon AS SELECT TIMESTAMP '2026-03-03 00:00:00' AS horizon;
        CREATE TABLE product AS SELECT 'Lectern' AS name, 'Europe/Berlin' AS timezone, 'sunday' AS week_start;
        CREATE MACRO twice(x) AS 2 * x;
        """
    )
    con.close()
    return tmp_path


def test_open_takes_the_product_from_the_workspace(workspace: Path) -> None:
    with hw.open(workspace) as log:
        assert (log.timezone, log.week_start) == ("Europe/Berlin", "sunday")
        assert log.horizon_us == utc_us(datetime(2026, 3, 3))
        assert log.sql("SELECT twice(21) AS x, name FROM product").rows() == [(42, "Lectern")]
        result = hw.Trend("Signed Up", "people").run(log)
        assert result.frame.rows() == [(date(2026, 3, 1), 2, True), (date(2026, 3, 2), 0, True)]
        with pytest.raises(EngineError):
            log.sql("CREATE TABLE t AS SELECT 1")
    # The text alone, in the file itself, gives the same numbers.
    con = duckdb.connect(str(workspace / "warehouse" / "explore.duckdb"), read_only=True)
    assert con.execute(result.sql).fetchall() == [("(all)", *row) for row in result.frame.rows()]
    con.close()


def test_open_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="headway demo"):
        hw.open(tmp_path / "nothing")
    with pytest.raises(InputError, match="headway run"):
        hw.open(tmp_path)
    (tmp_path / "warehouse").mkdir()
    duckdb.connect(str(tmp_path / "warehouse" / "explore.duckdb")).close()
    with pytest.raises(EngineError, match="could not open the events of the workspace"):
        hw.open(tmp_path)


def test_no_warning_for_a_clean_log() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EventLog(frame()).close()
