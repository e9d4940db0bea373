"""Metric values on histories small enough to count by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import polars as pl
import pytest

from headway.engine import connect
from headway.errors import EngineError, InputError
from headway.frameworks import metric_catalogue, metric_values
from headway.frameworks.catalogue import SCHEMA as CATALOGUE_SCHEMA
from headway.frameworks.values import SCHEMA
from headway.models.product import Product
from headway.statistics import nps, poisson_exact, wilson

ANN, BOB, CID = (str(UUID(int=n)) for n in (1, 2, 3))
LATE = datetime(2027, 1, 1)
COMMON = {"framework": "aarrr", "stage": "activation", "title": "A title", "unit": "percent"}

Events = Sequence[tuple[str, str, str]]


def product(timezone: str = "UTC", **metric: Any) -> Product:
    return Product.model_validate(
        {
            "name": "Toy",
            "timezone": timezone,
            "currency": "EUR",
            "activity": "A",
            "channels": [{"name": "email", "where": "amount > 0"}],
            "metrics": {"m": {**COMMON, **metric}},
        }
    )


def database(
    events: Events, extra: str = "NULL::DOUBLE AS amount, NULL::BIGINT AS score"
) -> duckdb.DuckDBPyConnection:
    con = connect()
    con.execute("CREATE TABLE raw (person UUID, event VARCHAR, occurred_at TIMESTAMP)")
    con.executemany("INSERT INTO raw VALUES (?, ?, ?)", [list(event) for event in events])
    con.execute(f"CREATE VIEW events AS SELECT *, {extra} FROM raw")
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    return con


def compute(con: duckdb.DuckDBPyConnection, product: Product, horizon: datetime = LATE) -> pl.DataFrame:
    return metric_values(con, product, horizon=horizon, as_of=datetime(2026, 7, 1, 12), code_version="1.2.3")


def cell(frame: pl.DataFrame, start: date, period: str = "day", segment: str = "all") -> dict[str, Any]:
    return frame.filter(segment=segment, period=period, period_start=start).row(0, named=True)


TWO_PEOPLE: Events = [
    (ANN, "A", "2026-03-02 10:00:00"),
    (ANN, "B", "2026-03-03 10:00:00"),
    (BOB, "A", "2026-03-02 23:00:00"),
    (BOB, "B", "2026-03-03 23:00:00.000001"),
    (CID, "C", "2026-03-05 00:00:00"),
]


def test_columns_and_provenance() -> None:
    frame = compute(database(TWO_PEOPLE), product(kind="new_people", unit="people"))
    assert dict(frame.schema) == SCHEMA
    row = cell(frame, date(2026, 3, 2))
    assert (row["as_of"], row["code_version"], row["suppressed"]) == (
        datetime(2026, 7, 1, 12),
        "1.2.3",
        False,
    )
    assert row["definition_hash"] == product(kind="new_people", unit="people").definition_hash("m")


def test_new_people() -> None:
    frame = compute(database(TWO_PEOPLE), product(kind="new_people", unit="people"))
    row = cell(frame, date(2026, 3, 2))
    assert (row["value"], row["numerator"], row["denominator"], row["people"]) == (2, 2, None, 2)
    assert (row["low"], row["high"], row["interval_method"]) == (*poisson_exact(2), "poisson exact")
    # 2 March 2026 is a Monday, so all three people are of one week.
    assert cell(frame, date(2026, 3, 2), "week")["value"] == 3
    assert cell(frame, date(2026, 3, 3))["value"] == 0


def test_conversion_window_is_inclusive_to_the_microsecond() -> None:
    # Ann's B comes exactly 24 hours after her first A, Bob's a microsecond later.
    frame = compute(database(TWO_PEOPLE), product(kind="conversion", start="A", reach="B", within="24h"))
    row = cell(frame, date(2026, 3, 2))
    assert (row["value"], row["numerator"], row["denominator"], row["people"]) == (0.5, 1, 2, 2)
    assert (row["low"], row["high"], row["interval_method"]) == (*wilson(1, 2), "wilson")


def test_retention_window_opens_inclusive_and_closes_exclusive() -> None:
    opens = product(kind="retention", start="A", returning="B", after="24h", within="24h")
    closes = product(kind="retention", start="A", returning="B", after="1h", within="23h")
    assert cell(compute(database(TWO_PEOPLE), opens), date(2026, 3, 2))["value"] == 1.0
    assert cell(compute(database(TWO_PEOPLE), closes), date(2026, 3, 2))["value"] == 0.0


def test_one_event_is_not_its_own_conversion() -> None:
    again = product(kind="conversion", start="A", reach=["A", "B"], within="24h")
    once = database([(ANN, "A", "2026-03-02 10:00:00")])
    twice = database([(ANN, "A", "2026-03-02 10:00:00")] * 2)
    assert cell(compute(once, again), date(2026, 3, 2))["value"] == 0.0
    assert cell(compute(twice, again), date(2026, 3, 2))["value"] == 1.0


def test_the_cohort_is_the_first_start_ever() -> None:
    events = [
        (ANN, "A", "2026-03-02 10:00:00"),
        (ANN, "A", "2026-03-04 10:00:00"),
        (ANN, "B", "2026-03-04 11:00:00"),
    ]
    frame = compute(database(events), product(kind="conversion", start="A", reach="B", within="2h"))
    assert cell(frame, date(2026, 3, 2))["value"] == 0.0
    assert cell(frame, date(2026, 3, 4))["denominator"] == 0


def test_nobody_gives_null_with_a_reason_and_never_zero() -> None:
    frame = compute(database(TWO_PEOPLE), product(kind="share", of="A", did="B"))
    row = cell(frame, date(2026, 3, 4))
    assert (row["value"], row["low"], row["high"], row["interval_method"]) == (None, None, None, None)
    assert (row["numerator"], row["denominator"], row["people"]) == (0, 0, 0)
    assert row["reason"] == "no people in the denominator"
    assert frame.filter(pl.col("value").is_null() != pl.col("reason").is_not_null()).is_empty()


def test_share_looks_at_one_period_only() -> None:
    frame = compute(database(TWO_PEOPLE), product(kind="share", of="A", did="B"))
    assert cell(frame, date(2026, 3, 2))["value"] == 0.0
    assert cell(frame, date(2026, 3, 2), "week")["value"] == 1.0


def test_mean_counts_people_without_an_amount_as_zero() -> None:
    spent = product(kind="mean", unit="EUR", of="A", event="B", measure="sum", value="amount")
    con = database(
        TWO_PEOPLE, "CASE WHEN event = 'B' AND person = (SELECT min(person) FROM raw) THEN 9.5 END AS amount"
    )
    week = cell(compute(con, spent), date(2026, 3, 2), "week")
    assert (week["value"], week["numerator"], week["denominator"], week["people"]) == (4.75, 9.5, 2, 2)
    assert week["contributors"] == 1
    assert week["interval_method"] == "student t"


@pytest.mark.parametrize(("measure", "expected"), [("count", 3.0), ("days", 2.0)])
def test_mean_of_events_and_of_days(measure: str, expected: float) -> None:
    events = [(ANN, "A", f"2026-03-0{day} 10:00:00") for day in (2, 2, 4)]
    metric = product(kind="mean", unit="times", of="A", event="A", measure=measure)
    row = cell(compute(database(events), metric), date(2026, 3, 2), "week")
    # One person has a mean but no interval.
    assert (row["value"], row["low"], row["interval_method"], row["reason"]) == (expected, None, None, None)


def test_nps_takes_the_last_answer_by_time_then_line_then_id() -> None:
    con = connect()
    con.execute(
        "CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, line UINTEGER, event_id UUID, "
        "score BIGINT)"
    )
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    first, second = str(UUID(int=7)), str(UUID(int=8))
    for answer in (
        [ANN, "S", "2026-03-02 10:00:00", 9, second, 0],
        [ANN, "S", "2026-03-02 11:00:00", 0, first, 9],  # later wins over a higher line
        [BOB, "S", "2026-03-02 10:00:00", 2, first, 6],  # same instant: the higher line wins
        [BOB, "S", "2026-03-02 10:00:00", 1, second, 10],
        [CID, "S", "2026-03-02 10:00:00", 1, second, 7],  # same line: the higher id wins
        [CID, "S", "2026-03-02 10:00:00", 1, first, 10],
        [CID, "S", "2026-03-02 12:00:00", 1, first, 11],  # not a score
        [CID, "S", "2026-03-02 12:00:00", 1, first, None],
    ):
        con.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", answer)
    row = cell(compute(con, product(kind="nps", unit="points", event="S", score="score")), date(2026, 3, 2))
    # One promoter (Ann, 9), one detractor (Bob, 6), one passive (Cid, 7).
    assert (row["value"], row["numerator"], row["denominator"]) == (0.0, 0, 3)
    assert (row["low"], row["high"], row["interval_method"]) == (*nps(1, 1, 1), "adjusted wald")


def test_channels_partition_the_people() -> None:
    con = database(TWO_PEOPLE)
    con.execute("INSERT INTO people VALUES (?, 'email'), (?, NULL)", [ANN, BOB])
    frame = compute(con, product(kind="new_people", unit="people"))
    assert frame["segment"].unique().sort().to_list() == ["all", "channel=direct", "channel=email"]
    assert cell(frame, date(2026, 3, 2), segment="channel=email")["value"] == 1
    assert cell(frame, date(2026, 3, 2), segment="channel=direct")["value"] == 1
    assert cell(frame, date(2026, 3, 5), segment="channel=direct")["value"] == 1


def test_properties_may_have_the_names_that_queries_use() -> None:
    names = ("channel", "day", "week", "us", "tie", "is_of", "is_did", "amount", "code")
    con = database(
        TWO_PEOPLE, ", ".join(f"CASE WHEN event = 'A' THEN 7 ELSE 8 END AS {name}" for name in names)
    )
    where = " and ".join(f"{name} = {{}}" for name in names)
    metric = product(
        kind="share",
        of={"event": "A", "where": where.format(*[7] * 9)},
        did={"event": "B", "where": "day = 8"},
    )
    row = cell(compute(con, metric), date(2026, 3, 2), "week")
    assert (row["numerator"], row["denominator"]) == (2, 2)


def test_events_without_a_person_or_a_time_do_not_exist() -> None:
    con = database(TWO_PEOPLE)
    con.execute(
        "INSERT INTO raw VALUES (NULL, 'A', TIMESTAMP '2026-03-02'), (?, 'A', NULL)", [str(UUID(int=9))]
    )
    for metric in ({"kind": "new_people", "unit": "people"}, {"kind": "share", "of": ["A", "C"], "did": "B"}):
        assert cell(compute(con, product(**metric)), date(2026, 3, 2), "week")["people"] == 3


def test_rows_are_complete_and_sorted() -> None:
    frame = compute(database(TWO_PEOPLE), product(kind="share", of="A", did="B"))
    # 4 days and 1 week, for everybody, email and direct.
    assert frame.height == (4 + 1) * 3
    assert frame.equals(frame.sort(["metric", "framework", "stage", "segment", "period", "period_start"]))


def test_a_metric_is_reported_under_each_of_its_places() -> None:
    places = [{"framework": "aarrr", "stage": "retention"}, {"framework": "heart", "stage": "retention"}]
    metric = product(kind="share", of="A", did="B", framework=None, stage=None, report=places)
    frame = compute(database(TWO_PEOPLE), metric)
    assert frame.height == 2 * (4 + 1) * 3
    assert frame.drop("framework").unique().height == (4 + 1) * 3
    assert metric_catalogue(metric)["framework"].to_list() == ["aarrr", "heart"]


def test_a_cell_is_complete_once_period_and_window_are_over() -> None:
    # 29 March 2026 has 23 hours in Berlin: it ends at 22:00 UTC; people have 24 hours more.
    events = [(ANN, "A", "2026-03-29 10:00:00")]
    metric = product("Europe/Berlin", kind="conversion", start="A", reach="B", within="24h")
    for horizon, expected in (
        (datetime(2026, 3, 30, 21, 59, 59, 999_999), False),
        (datetime(2026, 3, 30, 22), True),
    ):
        assert cell(compute(database(events), metric, horizon), date(2026, 3, 29))["complete"] is expected
    share = product("Europe/Berlin", kind="share", of="A", did="B")
    assert (
        cell(compute(database(events), share, datetime(2026, 3, 29, 22)), date(2026, 3, 29))["complete"]
        is True
    )
    week = cell(compute(database(events), share, datetime(2026, 3, 29, 21)), date(2026, 3, 23), "week")
    assert week["complete"] is False


def test_an_empty_log_gives_an_empty_frame() -> None:
    frame = compute(
        database([(ANN, "A", "2026-03-02 10:00:00")]),
        Product(name="T", timezone="UTC", currency="EUR", activity="A"),
    )
    assert frame.is_empty()
    con = database([(ANN, "A", "2026-03-02 10:00:00")])
    con.execute("DELETE FROM raw")
    empty = compute(con, product(kind="share", of="A", did="B"))
    assert empty.is_empty()
    assert dict(empty.schema) == SCHEMA


def test_it_reads_a_read_only_database_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "explore.duckdb"
    con = connect(path)
    con.execute(
        "CREATE TABLE events AS SELECT ?::UUID AS person, 'A' AS event, TIMESTAMP '2026-03-02' AS occurred_at",
        [ANN],
    )
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    con.close()
    con = connect(path, read_only=True)
    assert compute(con, product(kind="new_people", unit="people")).height == 6
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall() == [(0,)]
    con.close()


def test_unknown_columns_and_missing_relations_are_named() -> None:
    spent = product(kind="mean", unit="EUR", of="A", event="B", measure="sum", value="amout")
    with pytest.raises(InputError, match=r"unknown property 'amout'\. Did you mean 'amount'"):
        compute(database(TWO_PEOPLE), spent)
    with pytest.raises(EngineError, match="read the columns of events"):
        compute(connect(), spent)


def test_catalogue() -> None:
    frame = metric_catalogue(
        product(
            kind="conversion", start="A", reach="B", within="24h", question="Q?", owner="growth",
            target={"value": 0.45, "by": date(2026, 12, 31)},
        )
    )  # fmt: skip
    assert dict(frame.schema) == CATALOGUE_SCHEMA
    row = frame.row(0, named=True)
    assert (row["target_value"], row["target_by"], row["target_period"]) == (0.45, date(2026, 12, 31), "week")
    assert row["definition"] == (
        "People who did 'B' after their first 'A', divided by people whose first 'A' ever falls in the period, "
        "within 24 hours of that first event (inclusive); a value is complete once the period and 1 day after it "
        "are over."
    )
