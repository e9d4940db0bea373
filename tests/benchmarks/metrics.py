"""What computing all metrics of a product costs beside one scan of the columns that they read.

A log of the demo's shape is written as Parquet, one file a day, no raw log is read: visits of several events each,
people of whom a quarter make half of the visits, and every property of the demo's tracking plan. The scan reads each
column that some metric uses and hashes its values, so that nothing of it can be skipped.

The size the aim speaks of:

    metrics.py --events 20000000 --days 365

The figures are CPU seconds of processes of their own, two threads each, the lowest of several runs; the aim is at most
3 scans for ten metrics. ``--product`` measures another product file over the same log.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generated import number, write  # beside this script

if TYPE_CHECKING:
    import duckdb

    from headway.models.plan import TrackingPlan
    from headway.models.product import Product

END = datetime(2026, 1, 1)
"""First instant after the log: months and weeks end alike however many days it has."""
PER_VISIT = 6
#: Events of each kind in a thousand, roughly as a simulated half year of the demo has them.
SHARES = {
    "Page Viewed": 480,
    "Lesson Watched": 190,
    "Search Performed": 98,
    "Video Edited": 34,
    "Signed Up": 23,
    "Survey Shown": 23,
    "Course Enrolled": 21,
    "Upload Started": 20,
    "Upload Finished": 15,
    "Payment Completed": 13,
    "Survey Answered": 10,
    "Support Ticket Answered": 8,
    "App Error": 6,
    "Invite Sent": 5,
    "Support Ticket Opened": 4,
    "Support Ticket Resolved": 4,
    "Invite Accepted": 4,
}
_REST = 1000 - sum(SHARES.values())
#: By class of a property: a value made of a number u between 0 and 1 that differs from event to event.
VALUES = {
    "number": "round(100 * {u}, 2)",
    "integer": "floor({low} + ({high} - {low} + 1) * {u} * {u})::BIGINT",
    "bool": "{u} < 0.1",
    "id": "md5('{name}' || floor({people} * {u})::BIGINT)::UUID",
    "enum": "{values}[1 + floor({n} * {u})::BIGINT]",
    "token": "CASE WHEN {u} < 0.1 THEN {values}[1 + floor(10 * {n} * {u})::BIGINT] END",
    "url": "CASE WHEN {u} < 0.3 THEN {values}[1 + floor({n} * {u} / 0.3)::BIGINT] END",
}
TOKENS = ("cpc", "email", "referral", "invite")
HOSTS = ("www.google.com", "www.bing.com", "news.example.org", "duckduckgo.com")


def log_query(plan: TrackingPlan, first: int, events: int, people: int, start: datetime, day: int) -> str:
    """Writes the query of one day's events, the events numbered from `first` on."""
    names = [name for name in plan.events if name not in SHARES]
    kinds = {**SHARES, **{name: _REST / len(names) for name in names}}
    bound, cases = 0.0, []
    for name, share in kinds.items():
        bound += share / 1000
        cases.append(f"WHEN what < {bound!r} THEN '{name}'")
    columns = ", ".join(
        _property(plan, each.name, people, salt) for salt, each in enumerate(_columns(plan), 10)
    )
    when = start + timedelta(days=day)
    return f"""
        WITH numbered AS (
            SELECT range AS i, range // {PER_VISIT} AS visit, {number("range", 1)} AS what
            FROM range({first}, {first + events})
        ), named AS (
            SELECT *, CASE {" ".join(cases[:-1])} ELSE '{list(kinds)[-1]}' END AS event FROM numbered
        )
        SELECT
            md5('e' || i)::UUID AS event_id,
            md5('u' || floor({people} * pow({number("visit", 2)}, 2))::BIGINT)::UUID AS person,
            event,
            TIMESTAMP '{when}' + to_microseconds(
                floor(86000000000 * {number("visit", 3)} + 60000000 * (i % {PER_VISIT} + {number("i", 4)}))::BIGINT
            ) AS occurred_at,
            i::UBIGINT AS line,
            {columns}
        FROM named ORDER BY occurred_at"""


def _columns(plan: TrackingPlan) -> list[Any]:
    return list(plan.columns().values())


def _property(plan: TrackingPlan, name: str, people: int, salt: int) -> str:
    column = plan.columns()[name]
    carriers = sorted(
        event
        for event, declared in plan.events.items()
        if name in declared.properties or (name.startswith("utm_") and "url" in declared.properties)
    )
    declared = next((e.properties[name] for e in plan.events.values() if name in e.properties), None)
    values = column.values or (HOSTS if column.privacy_class == "url" else TOKENS)
    value = VALUES[column.privacy_class].format(
        u=number("i", salt),
        name=name,
        people=people,
        n=len(values),
        values=list(values),
        low=getattr(declared, "min", None) or 0,
        high=min(getattr(declared, "max", None) or 1000, 10_000),
    )
    listed = ", ".join(f"'{event}'" for event in carriers)
    return f'CASE WHEN event IN ({listed}) THEN {value} END AS "{name}"'


def generate(options: argparse.Namespace) -> None:
    """Writes the log, a file a day, and the people with their channels."""
    from headway.engine import connect

    plan, product = definitions(options)
    folder = options.root / "events"
    con = connect(threads=2)
    per_day, start = options.events // options.days, END - timedelta(days=options.days)
    for day in range(options.days):
        query = log_query(plan, day * per_day, per_day, options.people, start, day)
        write(con, query, folder / f"{day:05}.parquet")
    channels = ["direct", *(each.name for each in product.channels)]
    con.execute(
        "CREATE TABLE everybody AS SELECT range AS k, md5('u' || range)::UUID AS person "
        f"FROM range({options.people})"
    )
    for name, query in {
        "people": f"SELECT person, {channels}[1 + (hash(k, 5) % {len(channels)})::BIGINT] AS channel FROM everybody",
        "person_properties": f"""
            SELECT person, TIMESTAMP '{start}' + to_days((hash(k, 6) % {options.days})::INTEGER) AS valid_from,
                ['teacher', 'learner'][1 + (hash(k, 7) % 2)::BIGINT] AS role
            FROM everybody""",
        "exchange_rates": f"""
            SELECT '{start.date()}'::DATE + range::INTEGER AS day, currency, 0.9 AS rate
            FROM range({options.days}), (VALUES ('USD'), ('GBP')) AS currencies(currency)""",
        "holidays": f"SELECT '{start.date()}'::DATE AS day",
    }.items():
        write(con, query, options.root / f"{name}.parquet")
    con.close()


def definitions(options: argparse.Namespace) -> tuple[TrackingPlan, Product]:
    """Reads the demo's tracking plan, and the product file."""
    import headway_pipelines.demo
    from headway.models.plan import load_plan
    from headway.models.product import load_product

    demo = Path(headway_pipelines.demo.__file__).parent
    plan = load_plan(demo / "tracking_plan.yml")
    return plan, load_product(options.product or demo / "product.yml", plan)


def attached(options: argparse.Namespace) -> duckdb.DuckDBPyConnection:
    """Opens the log."""
    from headway.engine import connect

    con = connect(threads=2, temp_directory=options.root / "tmp")
    # Everybody has an account of their own.
    con.execute(
        f"CREATE VIEW events AS SELECT *, person AS account FROM read_parquet('{options.root}/events/*.parquet')"
    )
    for name in ("people", "person_properties", "exchange_rates", "holidays"):
        con.execute(f"CREATE VIEW {name} AS FROM read_parquet('{options.root}/{name}.parquet')")
    return con


def scan(options: argparse.Namespace) -> dict[str, float]:
    """Reads every column that some metric uses, and touches every value."""
    from headway.engine import identifier
    from headway.frameworks.prelude import relation_columns, used_columns
    from headway.selectors import names_of, parse_where

    _, product = definitions(options)
    con = attached(options)
    known = relation_columns(con, "events")
    used = {*used_columns(product, known)}.intersection(known) - {"account"}
    if any(segment.touch for segment in product.segments.values()):
        used.update(names_of(parse_where(channel.where, known) for channel in product.channels))
    names = ("person", "event", "occurred_at", "line", "event_id", *sorted(used))
    start = cpu_seconds()
    con.execute(f"SELECT {', '.join(f'bit_xor(hash({identifier(name)}))' for name in names)} FROM events")
    con.fetchall()
    return {"cpu": cpu_seconds() - start, "columns": len(names)}


def metrics(options: argparse.Namespace) -> dict[str, float]:
    """Computes all metrics."""
    from headway.frameworks import measure

    _, product = definitions(options)
    con = attached(options)
    start = cpu_seconds()
    measured = measure(con, product, horizon=END, as_of=END, code_version="bench")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "cpu": cpu_seconds() - start,
        "metrics": len(product.metrics),
        "rows": measured.values.height,
        "peak_mb": peak,
    }


def cpu_seconds() -> float:
    """CPU time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


WORKERS = {"generate": generate, "scan": scan, "metrics": metrics}


def work(options: argparse.Namespace, worker: str) -> dict[str, float]:
    """Runs a step in a process of its own."""
    subprocess.run(
        [
            sys.executable,
            __file__,
            worker,
            *sys.argv[1:],
            "--people",
            str(options.people),
            "--root",
            options.root,
        ],
        check=True,
        env=dict(os.environ),
    )
    path = options.root / f"{worker}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def compare(options: argparse.Namespace) -> None:
    """Measures and prints."""
    if not (options.root / "events").exists():
        work(options, "generate")
    scans = [work(options, "scan") for _ in range(options.repeat)]
    runs = [work(options, "metrics") for _ in range(options.repeat)]
    one, all_of_them = min(scans, key=lambda each: each["cpu"]), min(runs, key=lambda each: each["cpu"])
    ratio = all_of_them["cpu"] / one["cpu"]
    print(f"one scan of {one['columns']:.0f} columns: {one['cpu']:.2f} CPU s")
    print(
        f"{all_of_them['metrics']:.0f} metrics, {all_of_them['rows']:,.0f} values: {all_of_them['cpu']:.2f} CPU s, "
        f"peak {all_of_them['peak_mb']:,.0f} MB"
    )
    print(f"{ratio:.2f} scans, {10 * ratio / all_of_them['metrics']:.2f} for ten metrics")


def main() -> None:
    """Measures and prints the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--people", type=int, help="a twenty-fifth of the events unless told")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the lowest counts")
    parser.add_argument("--product", type=Path, help="another product file over the demo's tracking plan")
    parser.add_argument("--root", type=Path, help="keep the log here, and use it again")
    parser.add_argument("worker", nargs="?", choices=list(WORKERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.people = options.people or options.events // 25
    if options.worker:
        result = WORKERS[options.worker](options)
        if result is not None:
            (options.root / f"{options.worker}.json").write_text(json.dumps(result))
        return
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {options.events:,} events, "
        f"{options.days} days, {options.people:,} people"
    )
    with tempfile.TemporaryDirectory() as folder:
        options.root = options.root or Path(folder) / "bench"
        compare(options)


if __name__ == "__main__":
    main()
