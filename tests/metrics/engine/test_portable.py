"""Questions whose SQL other engines answer alike: the list of constructs, and ClickHouse as a second engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlglot

import headway as hw
from headway.engine.portable import NotPortableError, parts, translated, unproven

#: Settings that make ClickHouse mean what the SQL standard says.
_STANDARD = (
    "join_use_nulls = 1, aggregate_functions_null_for_empty = 1, prefer_column_name_to_alias = 1, "
    "union_default_mode = 'DISTINCT', transform_null_in = 0"
)

QUESTIONS: dict[str, Any] = {
    "retention": hw.Retention("Visit", "Pay", period="day", periods=5),
    "retention on or after": hw.Retention(
        "Visit", ["Pay", "Read"], period="week", periods=3, criterion="on_or_after"
    ),
    "rolling recurring retention": hw.Retention(
        "Visit", "Read", period="day", periods=4, cohort="recurring", windows="rolling", min_events=2
    ),
    "streaks": hw.Retention("Visit", "Read", period="day", periods=4, criterion="streak"),
    "brackets by plan": hw.Retention("Visit", "Read", period="day", brackets=[1, 3, 7], by="plan"),
    "lifecycle": hw.Lifecycle("Read", period="week"),
    "lifecycle by first event": hw.Lifecycle("Read", period="day", first=hw.Event(None)),
    "lifecycle that forgets": hw.Lifecycle("Read", period="day", forget=3),
    "growth": hw.GrowthAccounting(period="day"),
    "stickiness": hw.Stickiness("Visit", min_events=2),
    "power users": hw.PowerUsers(days=28),
    "usage interval": hw.UsageInterval("Read"),
    "active people": hw.ActivePeople(windows=(1, 7, 28)),
    "active people by month": hw.ActivePeople("Pay", windows=(1, 30), period="month"),
    "trend of events": hw.Trend("Pay", period="week", by="plan"),
    "trend of people": hw.Trend("Read", measure="people", period="month"),
    "trend of a sum": hw.Trend("Pay", measure="sum:amount", period="week"),
    "first-time people": hw.Trend("Pay", measure="first_time", period="week"),
    "rolling people": hw.Trend("Read", measure="people", period="day", window=7),
    "funnel": hw.Funnel(["Visit", "Read", "Pay"], within="7d"),
    "funnel with repeats": hw.Funnel(["Visit", "Visit", ["Visit", "Pay"]], within="3d", entry="first"),
    "funnel of restarts": hw.Funnel(["Visit", "Read", "Pay"], within="7d", entry="latest", by="plan"),
    "strict funnel": hw.Funnel(["Visit", "Read"], within="7d", order="strict"),
    "any order": hw.Funnel(["Visit", "Read", "Pay"], within="5d", order="any"),
    "any order of steps that share events": hw.Funnel(
        ["Visit", "Visit", ["Visit", "Pay"], "Read"], within="3d", order="any"
    ),
    "funnel with exclusions": hw.Funnel(
        ["Visit", "Pay"], within="7d", exclude=[hw.Exclude("Read", after=1, before=2)]
    ),
    "a cohort's funnel": hw.Funnel(["Visit", "Pay"], within="7d", cohort=hw.Did("Read", at_least=3)),
}


@pytest.fixture(scope="module")
def log() -> Iterator[hw.EventLog]:
    dice = random.Random(20261126)
    start = datetime(2026, 3, 20)
    rows = [
        {
            "person": f"p{dice.randrange(25)}",
            "event": dice.choice(["Visit", "Visit", "Read", "Pay"]),
            # whole hours, so that many lie at the same instant
            "occurred_at": start + timedelta(hours=dice.randrange(24 * 30)),
            "plan": dice.choice(["free", "pro", 'it\'s; "pro"', None]),
            "amount": dice.randrange(1, 100),
        }
        for _ in range(400)
    ]
    with hw.EventLog(pl.DataFrame(rows), timezone="Europe/Berlin") as opened:
        yield opened


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[Any]:
    session = pytest.importorskip("chdb.session", reason="chdb is not installed").Session()
    yield session
    session.close()


def asked(name: str, log: hw.EventLog) -> str:
    """The query of a question; of a funnel that of its counts, for its times are percentiles."""
    question = QUESTIONS[name]
    return str(question.counts_sql(log) if isinstance(question, hw.Funnel) else question.run(log).sql)


@pytest.mark.parametrize("name", QUESTIONS)
def test_another_engine_gives_the_same_answer(
    name: str, log: hw.EventLog, clickhouse: Any, tmp_path: Path
) -> None:
    sql = asked(name, log)
    for relation, query in parts(sql).prelude.items():
        file = tmp_path / f"{relation}.parquet"
        log.sql(query).write_parquet(file)
        clickhouse.query(f"DROP TABLE IF EXISTS {relation}")
        clickhouse.query(
            f"CREATE TABLE {relation} ENGINE = Memory AS SELECT * FROM file('{file}', Parquet) "
            "SETTINGS schema_inference_make_columns_nullable = 1"
        )
    there, here = tmp_path / "there.parquet", log.sql(sql)
    clickhouse.query(
        f"{translated(sql, 'clickhouse')} INTO OUTFILE '{there}' FORMAT Parquet SETTINGS {_STANDARD}"
    )
    found = pl.read_parquet(there)
    assert found.columns == here.columns
    assert here.height > 1
    assert sorted(found.cast(dict(here.schema)).rows(), key=repr) == sorted(here.rows(), key=repr)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_unproven_is_in_it(name: str, log: hw.EventLog) -> None:
    sql = asked(name, log)
    assert unproven(parts(sql).core) == []
    assert "ev" in translated(sql, "spark")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT median(us) FROM ev", "Median"),
        ("SELECT list(us ORDER BY us) FROM ev", "Array"),
        ("SELECT DATE '2026-01-01' + 1 FROM ev", "DATE"),
        ("SELECT CAST(us AS DATE) FROM ev", "DATE"),
        ("SELECT CAST(us / 2 AS BIGINT) FROM ev", "Div"),
        ("SELECT CAST(1.5 AS BIGINT) FROM ev", "fraction"),
        ("SELECT sum(us) OVER (PARTITION BY person) FROM ev", "ORDER BY"),
        ("SELECT hash(us) FROM ev", "HASH"),
        ("SELECT unnest([1, 2]) FROM ev", "Explode"),
        ("SELECT us FROM ev QUALIFY row_number() OVER (ORDER BY us) = 1", "Qualify"),
        (r"SELECT us FROM ev WHERE event LIKE 'a\%'", "LIKE"),
        ("SELECT epoch_us(us) FROM ev", "EPOCH_US"),
        ("SELECT us FROM ev, range(3)", "GenerateSeries"),
        ("SELECT approx_count_distinct(us) FROM ev", "Approx"),
        ("SELECT list_transform([1], lambda x: x) FROM ev", "Lambda"),
        ("SELECT us FROM ev USING SAMPLE 10", "Sample"),
    ],
)
def test_what_engines_do_not_agree_on_is_refused_by_name(query: str, told: str) -> None:
    with pytest.raises(NotPortableError, match="only DuckDB answers this question") as error:
        translated(query, "spark")
    assert told.lower() in str(error.value).lower()
    assert told.lower() in " ".join(unproven(sqlglot.parse_one(query, read="duckdb"))).lower()


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(hw.InputError, match="Did you mean 'spark'"):
        translated("SELECT 1", "sparc")  # type: ignore[arg-type]


@pytest.mark.parametrize("ask", [lambda: hw.Sessions(), lambda: hw.Trend("Pay", measure="median:amount")])
def test_other_questions_say_that_only_duckdb_answers_them(log: hw.EventLog, ask: Callable[[], Any]) -> None:
    with pytest.raises(NotPortableError):
        translated(ask().run(log).sql, "spark")
