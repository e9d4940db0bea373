"""The questions of the bench: as Headway asks them, and as ClickHouse is asked for the same numbers.

Each answer is brought into one form, a sorted list of integers, so that they can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insights_lake import STEPS

Answer = list[tuple[int, ...]]
_NAMES = ", ".join(f"'{step}'" for step in STEPS)
_LEVEL = ", ".join(f"event = '{step}'" for step in STEPS)
_DAY = "toInt32(intDiv(us, 86400000000))"


@dataclass(frozen=True)
class Best:
    """The best of several runs."""

    seconds: float
    cpu: float
    answer: Answer


def best(repeat: int, ask: Callable[[], Answer]) -> Best:
    """Asks several times; the first one warms up and counts only if it is the only one."""
    runs = []
    for _ in range(max(repeat, 1) + (repeat > 1)):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = ask()
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    fastest = min(runs[1:] or runs)
    return Best(*fastest, answer)


#: ClickHouse may be asked in several ways; the fastest counts. `t` is the table of events, `d` its days.
CLICKHOUSE: dict[str, tuple[str, ...]] = {
    "funnel": tuple(
        f"""
        SELECT toInt64(step), toInt64(sum(people)) FROM (
            SELECT level, count() AS people FROM (
                SELECT person, windowFunnel(604800000000)(us, {_LEVEL}) AS level
                FROM t WHERE event IN ({_NAMES}) GROUP BY person
            ) WHERE level > 0 GROUP BY level
        ) ARRAY JOIN range(1, level + 1) AS step GROUP BY step ORDER BY step
        SETTINGS optimize_aggregation_in_order = {in_order}"""
        for in_order in (0, 1)
    ),
    "retention": (
        f"""
        SELECT cohort, day - cohort AS k, toInt64(count()) FROM (
            SELECT person, minIf({_DAY}, event = 'Signed Up') AS cohort, countIf(event = 'Signed Up') AS starts,
                groupUniqArray({_DAY}) AS days
            FROM t GROUP BY person HAVING starts > 0
        ) ARRAY JOIN days AS day WHERE day > cohort GROUP BY cohort, k ORDER BY cohort, k""",
        f"""
        SELECT cohort, day - cohort AS k, toInt64(count()) FROM (
            SELECT person, min({_DAY}) AS cohort FROM t WHERE event = 'Signed Up' GROUP BY person
        ) AS c INNER JOIN (SELECT DISTINCT person, {_DAY} AS day FROM t) AS d USING (person)
        WHERE day > cohort GROUP BY cohort, k ORDER BY cohort, k""",
    ),
    "active people": (
        f"""
        SELECT length, toInt32(day + later) AS looked, toInt64(uniqExact(person)) FROM (
            SELECT DISTINCT person, {_DAY} AS day FROM t
        ) ARRAY JOIN [1, 7, 28] AS length ARRAY JOIN range(length) AS later
        GROUP BY length, looked HAVING looked <= (SELECT max({_DAY}) FROM t) ORDER BY length, looked""",
        f"""
        SELECT length, toInt32(looked) AS at, toInt64(count()) FROM (
            SELECT person, arraySort(groupUniqArray({_DAY})) AS days, (SELECT max({_DAY}) FROM t) AS final
            FROM t GROUP BY person
        ) ARRAY JOIN days AS day, arrayPushBack(arrayPopFront(days), final + 1) AS next
        ARRAY JOIN [1, 7, 28] AS length
        ARRAY JOIN range(day, least(day + length, next)) AS looked
        GROUP BY length, at ORDER BY length, at""",
    ),
    "lifecycle": (
        f"""
        SELECT toInt32(move.1) AS at, toInt64(countIf(move.2 = 0)), toInt64(countIf(move.2 = 1)),
            toInt64(countIf(move.2 = 2)), toInt64(countIf(move.2 = 3))
        FROM (
            SELECT person, arraySort(groupUniqArray({_DAY})) AS days, (SELECT max({_DAY}) FROM t) AS final
            FROM t GROUP BY person
        ) ARRAY JOIN arrayConcat(
            arrayMap(
                (day, before, n) -> (day, if(n = 1, 0, if(day - before = 1, 1, 2))),
                days, arrayPushFront(arrayPopBack(days), days[1]), arrayEnumerate(days)
            ),
            arrayMap(
                day -> (day + 1, 3),
                arrayFilter(
                    (day, next) -> next - day > 1 AND day < final, days, arrayPushBack(arrayPopFront(days), final + 2)
                )
            )
        ) AS move GROUP BY at ORDER BY at""",
    ),
    "stickiness": (
        f"""
        SELECT toInt32(active) AS days, toInt64(count()) FROM (
            SELECT person, uniqExact({_DAY}) AS active FROM t GROUP BY person
        ) GROUP BY days ORDER BY days""",
    ),
}
#: ClickHouse's own pre-aggregation: a row per person and active day.
DAYS = f"""
    INSERT INTO bench.d SELECT person, {_DAY} AS day, max(event = 'Signed Up') AS started
    FROM bench.t GROUP BY person, day SETTINGS max_threads = 2
"""


def of_days(query: str) -> str:
    """Asks the days instead of the events."""
    text = query.replace(_DAY, "day").replace("event = 'Signed Up'", "started = 1")
    return text.replace("FROM t", "FROM bench.d")


def clickhouse_load(folder: Path, source: str) -> tuple[Any, float]:
    """Loads the events into ClickHouse, ordered by person and time. Returns the session and the seconds."""
    from chdb import session

    chdb: Any = session
    con = chdb.Session(str(folder))
    start = time.perf_counter()
    con.query("CREATE DATABASE bench")
    con.query(
        "CREATE TABLE bench.t (person UInt32, us UInt64, event LowCardinality(String)) "
        "ENGINE = MergeTree ORDER BY (person, us)"
    )
    con.query(f"INSERT INTO bench.t SELECT person, us, event FROM {source} SETTINGS max_threads = 2")
    con.query("OPTIMIZE TABLE bench.t FINAL")
    return con, time.perf_counter() - start


def clickhouse_days(con: Any) -> float:
    """Pre-aggregates the events to days. Returns the seconds."""
    start = time.perf_counter()
    con.query(
        "CREATE TABLE bench.d (person UInt32, day Int32, started UInt8) ENGINE = MergeTree ORDER BY (person, day)"
    )
    con.query(DAYS)
    con.query("OPTIMIZE TABLE bench.d FINAL")
    return time.perf_counter() - start


def clickhouse_ask(con: Any, query: str) -> Answer:
    """Asks ClickHouse with two threads."""
    settings = "max_threads = 2"
    text = query.replace("FROM t", "FROM bench.t")
    text = f"{text}, {settings}" if "SETTINGS" in text else f"{text} SETTINGS {settings}"
    lines = str(con.query(text, "TSV")).strip().splitlines()
    return sorted(tuple(int(cell) for cell in line.split("\t")) for line in lines)


def headway_questions(days: int) -> dict[str, Callable[[Any], Answer]]:
    """The same questions as functions of a log."""
    import headway as hw

    def number(frame: Any, column: str) -> Any:
        return frame[column].cast(int).to_list()

    def funnel(log: Any) -> Answer:
        frame = hw.Funnel(STEPS, within="7d").run(log).frame
        return list(zip(frame["step"].to_list(), frame["people"].to_list(), strict=True))

    def retention(log: Any) -> Answer:
        frame = (
            hw.Retention("Signed Up", hw.Event(None), period="day", periods=max(days - 1, 1)).run(log).frame
        )
        frame = frame.filter((frame["period"] > 0) & (frame["people"] > 0))
        start = number(frame, "cohort_start")
        return sorted(zip(start, frame["period"].to_list(), frame["people"].to_list(), strict=True))

    def active_people(log: Any) -> Answer:
        frame = hw.ActivePeople(windows=(1, 7, 28)).run(log).frame
        columns = (number(frame, "window_days"), number(frame, "period_start"), number(frame, "value"))
        return sorted(zip(*columns, strict=True))

    def lifecycle(log: Any) -> Answer:
        frame = hw.Lifecycle(period="day").run(log).frame
        states = (frame[name].to_list() for name in ("new", "returning", "resurrected", "dormant"))
        return sorted(zip(number(frame, "period_start"), *states, strict=True))

    def stickiness(log: Any) -> Answer:
        frame = hw.Stickiness(interval="day").run(log).frame
        frame = frame.filter(frame["people"] > 0)
        return list(zip(frame["periods"].to_list(), frame["people"].to_list(), strict=True))

    return {
        "funnel": funnel,
        "retention": retention,
        "active people": active_people,
        "lifecycle": lifecycle,
        "stickiness": stickiness,
    }
