"""What an experiment with many metrics costs beside one with a single metric.

A log is written as Parquet, one file a day; no raw log is read. Everybody meets the experiment's flag once, some twice,
and is counted in one of four variants; events before the exposure are taken off (CUPED), two segments and two phases
are told apart. The size the aim speaks of:

    experiments.py --events 20000000 --people 1000000

The figures are CPU seconds and memory of processes of their own, two threads each, the lowest of several runs; the aim
is at most five times the cost of one metric for twenty, and 4 GB. ``one`` is the first of the twenty, a share of units;
``a sum`` is one of amounts.
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
from typing import TYPE_CHECKING

from generated import number, write  # beside this script

if TYPE_CHECKING:
    import headway as hw

START = datetime(2026, 1, 1)
EXPOSED_FROM = 15
VARIANTS = ("control", "red", "green", "blue")
KINDS = ("Lesson Watched", "Page Viewed", "Search", "Course Saved", "Payment", "Refund", "Answered", "Invite")


def generate(options: argparse.Namespace) -> None:
    """Writes the log, a file a day."""
    from headway.engine import connect

    con = connect(threads=2)
    per_day = (options.events - options.people) // options.days
    exposing = options.people // (options.days - EXPOSED_FROM - 10) + 1
    kinds = list(KINDS)
    for day in range(options.days):
        first, when = day * per_day, START + timedelta(days=day)
        since = (day - EXPOSED_FROM) * exposing
        exposed = range(max(0, since), min(options.people, since + exposing)) if since >= 0 else range(0)
        query = f"""
            SELECT
              md5('u' || floor({options.people} * {number("range", 2)})::BIGINT)::UUID AS person,
              {kinds}[1 + floor({len(kinds)} * pow({number("range", 3)}, 2))::BIGINT] AS event,
              TIMESTAMP '{when}' + to_microseconds(floor(86400000000 * {number("range", 4)})::BIGINT) AS occurred_at,
              NULL AS flag, NULL AS variant,
              round(100 * {number("range", 5)}, 2) AS amount,
              ['web', 'app'][1 + (hash(range, 6) % 2)::BIGINT] AS device
            FROM range({first}, {first + per_day})
            UNION ALL
            SELECT
              md5('u' || (range * 7919) % {options.people})::UUID,
              'Experiment Viewed',
              TIMESTAMP '{when}' + to_microseconds(floor(86400000000 * {number("range", 7)})::BIGINT),
              'bench',
              {list(VARIANTS)}[1 + (hash((range * 7919) % {options.people}, 8) % {len(VARIANTS)})::BIGINT],
              NULL,
              ['web', 'app'][1 + (hash(range, 9) % 2)::BIGINT]
            FROM range({exposed.start}, {exposed.stop})
            ORDER BY occurred_at"""
        write(con, query, options.root / "events" / f"{day:05}.parquet")
    con.close()


def experiment(count: int, first: int = 0) -> hw.Experiment:
    """Writes the experiment with the first of twenty metrics.

    Args:
        count: How many metrics.
        first: Number of the first one.

    Returns:
        The experiment.
    """
    import headway as hw

    metrics = [
        hw.Outcome("saved", "Course Saved", within="7d"),
        hw.Outcome("revenue", "Payment", "sum:amount", minus="Refund", within="14d"),
        hw.Outcome("saved soon", "Course Saved", within="1d"),
        hw.Outcome("paid", "Payment", within="14d"),
        hw.Outcome("back", "Lesson Watched", after="7d", within="7d"),
        hw.Outcome("lessons", "Lesson Watched", "events", within="7d"),
        hw.Outcome("lessons, long", "Lesson Watched", "events", within="14d"),
        hw.Outcome("days", "Lesson Watched", "days", within="14d"),
        hw.Outcome("pages", "Page Viewed", "events", within="7d"),
        hw.Outcome("searches", "Search", "events", within="7d"),
        hw.Outcome("searched", "Search", within="7d"),
        hw.Outcome("per payment", "Payment", "sum:amount", per="Payment", within="14d"),
        hw.Outcome("found", "Course Saved", "events", per="Search", within="7d"),
        hw.Outcome("invited", "Invite", within="14d"),
        hw.Outcome("invites", "Invite", "events", within="14d"),
        hw.Outcome("refunded", "Refund", within="14d", direction="down"),
        hw.Outcome("answered", "Answered", within="14d"),
        hw.Outcome("large", hw.Event("Payment", where="amount > 80"), within="14d"),
        hw.Outcome("on the web", hw.Event("Lesson Watched", where="device = 'web'"), "events", within="7d"),
        hw.Outcome("any", list(KINDS), "days", within="14d"),
    ][first : first + count]
    return hw.Experiment(
        "bench",
        list(VARIANTS),
        metrics,
        exposure="Experiment Viewed",
        flag="flag",
        by="device",
        phases=[
            hw.Phase(None, list(VARIANTS)),
            hw.Phase((START + timedelta(days=30)).date(), list(VARIANTS)),
        ],
    )


def ask(options: argparse.Namespace) -> dict[str, float]:
    """Asks once."""
    import headway as hw
    from headway.engine import connect

    con = connect(threads=2, temp_directory=options.root / "tmp")
    con.execute(f"CREATE VIEW events AS FROM read_parquet('{options.root}/events/*.parquet')")
    log = hw.EventLog((con, "events"))
    _ = log.names
    start = cpu_seconds()
    found = experiment(options.metrics, options.first).run(log)
    return {
        "cpu": cpu_seconds() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "units": int(found.sums["units"].sum()) // 3,
        "rows": found.frame["effect"].drop_nulls().len(),
    }


def cpu_seconds() -> float:
    """CPU time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def work(options: argparse.Namespace, worker: str, *more: str) -> dict[str, float]:
    """Runs a step in a process of its own."""
    given = [f"--{name}={getattr(options, name)}" for name in ("events", "people", "days", "root")]
    done = subprocess.run(
        [sys.executable, __file__, worker, *given, *more],
        check=True,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
    )
    found: dict[str, float] = json.loads(done.stdout or "{}")
    return found


def compare(options: argparse.Namespace) -> None:
    """Measures and prints."""
    if not (options.root / "events").exists():
        work(options, "generate")
    asked = {"one": (1, 0), "a sum": (1, 1), "twenty": (20, 0)}
    lowest: dict[str, dict[str, float]] = {}
    for _ in range(options.repeat):
        for name, (count, first) in asked.items():
            found = work(options, "ask", f"--metrics={count}", f"--first={first}")
            if name not in lowest or found["cpu"] < lowest[name]["cpu"]:
                lowest[name] = found
    one = lowest["one"]["cpu"]
    print(f"{lowest['one']['units']:,.0f} units, {len(VARIANTS)} variants")
    for name, found in lowest.items():
        print(
            f"{name}: {found['cpu']:.1f} CPU s, {found['cpu'] / one:.2f} times one, peak {found['peak_mb']:,.0f} MB"
        )


def main() -> None:
    """Measures and prints the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the lowest counts")
    parser.add_argument("--root", type=Path, help="keep the log here, and use it again")
    parser.add_argument("--metrics", type=int, default=20, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("worker", nargs="?", choices=["generate", "ask"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker == "generate":
        generate(options)
    elif options.worker == "ask":
        print(json.dumps(ask(options)))
    else:
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {options.events:,} events")
        with tempfile.TemporaryDirectory() as folder:
            options.root = options.root or Path(folder) / "bench"
            compare(options)


if __name__ == "__main__":
    main()
