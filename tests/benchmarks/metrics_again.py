"""What one new day costs: all metrics of the demo, computed again from what was kept of the days before.

Two logs end on the same day, have the same number of events a day and the same people, and differ in how far they reach
back. Of each all days but the last are computed as a whole; then the last one comes, and what it can have changed is
computed again, what is kept for the next day included. The aim is that the longer log takes at most 1.3 times as long.

    metrics_again.py --per-day 10958 --people 26301

The figures are CPU seconds, the lowest of several runs, each in a process of its own with two threads.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metrics import END, attached, cpu_seconds, definitions, generate  # noqa: TID251  (the script beside)

if TYPE_CHECKING:
    import duckdb

PEOPLE = """
    SELECT seen.person, people.channel, seen.first_seen_at
    FROM (SELECT person, min(occurred_at) AS first_seen_at FROM events GROUP BY person) AS seen
    LEFT JOIN people USING (person)"""


def opened(options: argparse.Namespace, days: int) -> duckdb.DuckDBPyConnection:
    """Opens the first so many days of a log."""
    con = attached(options)
    files = sorted((options.root / "events").glob("*.parquet"))[:days]
    listed = ", ".join(f"'{path}'" for path in files)
    con.execute(f"CREATE OR REPLACE VIEW events AS SELECT *, person AS account FROM read_parquet([{listed}])")
    path = options.root / f"people{days}.parquet"
    if not path.exists():
        con.execute(f"COPY ({PEOPLE}) TO '{path}' (FORMAT parquet)")
    con.execute(f"CREATE OR REPLACE VIEW people AS FROM '{path}'")
    return con


def one_more_day(options: argparse.Namespace) -> dict[str, float]:
    """Computes all days but the last, then what the last one can have changed."""
    from headway.frameworks import measure
    from headway.frameworks.kept import FIRSTS, NEEDED, TOUCHES, News
    from headway.periods import EPOCH

    _, product = definitions(options)
    last = END - timedelta(days=1)

    def keep(con: duckdb.DuckDBPyConnection, suffix: str) -> None:
        for table in (FIRSTS, TOUCHES):
            con.execute(f"COPY {table} TO '{options.root}/{table}{suffix}.parquet' (FORMAT parquet)")
        # Of parts in which nothing is new the files stay.
        parts = con.execute(f"SELECT DISTINCT part FROM {NEEDED}").fetchall()
        for (part,) in parts:
            target = options.root / f"{NEEDED}{suffix}_{part}.parquet"
            con.execute(f"COPY (FROM {NEEDED} WHERE part = {part}) TO '{target}' (FORMAT parquet)")

    con = opened(options, options.days - 1)
    start = cpu_seconds()
    before = measure(con, product, horizon=last, as_of=last, code_version="bench", keep=True)
    whole = cpu_seconds() - start
    keep(con, "")
    con.close()
    con = opened(options, options.days)
    for table in (FIRSTS, TOUCHES):
        con.execute(f"CREATE VIEW known_{table} AS FROM '{options.root}/{table}.parquet'")
    con.execute(f"CREATE VIEW known_{NEEDED} AS FROM read_parquet('{options.root}/{NEEDED}_[0-9]*.parquet')")
    con.execute(
        f"CREATE TABLE news AS SELECT person, epoch_us(min(occurred_at)) AS since_us FROM events "
        f"WHERE occurred_at >= TIMESTAMP '{last}' GROUP BY person"
    )
    # The last day of the log reaches into the next local day.
    day = (last.date() - EPOCH).days
    news = News(frozenset({day, day + 1}), "news", f"known_{FIRSTS}", f"known_{TOUCHES}", f"known_{NEEDED}")
    start = cpu_seconds()
    after = measure(
        con, product, horizon=END, as_of=END, code_version="bench", keep=True, kept=before.kept, news=news
    )
    keep(con, "_next")
    assert not after.anew, after.anew
    return {"whole": whole, "again": cpu_seconds() - start, "values": after.values.height}


def measured(options: argparse.Namespace, days: int, folder: Path) -> dict[str, float]:
    """Measures a log of so many days: the lowest figure of each."""
    root = folder / str(days)
    told = ["--per-day", str(options.per_day), "--people", str(options.people), "--root", str(root)]
    runs = []
    for _ in range(options.repeat):
        subprocess.run(
            [sys.executable, __file__, *told, "--worker", str(days)], check=True, env=dict(os.environ)
        )
        runs.append(json.loads((root / "again.json").read_text()))
    return {name: min(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Measures and prints the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--per-day", type=int, default=5_000, help="events")
    parser.add_argument("--people", type=int, default=12_000)
    parser.add_argument(
        "--days", type=int, nargs=2, default=(60, 365), help="of the shorter log and the longer one"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the lowest counts")
    parser.add_argument("--root", type=Path, help="keep the logs here, and use them again")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.product = None
    if options.worker:
        options.days, options.events = options.worker, options.per_day * options.worker
        if not (options.root / "events").exists():
            generate(options)
        (options.root / "again.json").write_text(json.dumps(one_more_day(options)))
        return
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {options.per_day:,} events a day, "
        f"{options.people:,} people"
    )
    with tempfile.TemporaryDirectory() as folder:
        found = {days: measured(options, days, options.root or Path(folder)) for days in options.days}
    for days, figures in found.items():
        print(
            f"{days} days, {figures['values']:,.0f} values: all of it {figures['whole']:.2f} CPU s, "
            f"one new day {figures['again']:.2f} CPU s"
        )
    short, long = (found[days] for days in options.days)
    print(
        f"one new day: {long['again'] / short['again']:.2f} times; all: {long['whole'] / short['whole']:.2f} times"
    )


if __name__ == "__main__":
    main()
