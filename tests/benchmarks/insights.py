"""What questions cost from the person store, beside ClickHouse (chDB) on the same machine with the same threads.

A lake is generated day by day, no raw log is read; people and store are made of it as the pipeline does, then a day
more. Both engines are asked warm, the best of several runs counts, and their answers must be the same.

The sizes the aims speak of:

    insights.py --events 20000000 --days 60 --people 1000000
    insights.py --events 100000000 --days 365 --people 2000000

With ``--retentioneering PYTHON`` (an interpreter that has retentioneering 5.2.4) its own log is asked as well;
nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import insights_lake
import insights_questions
from ingest import Measured, measure  # beside this script


def ask_headway(root: Path, repeat: int, days: int, *, sql: bool) -> dict[str, Any]:
    """Asks a log with its store, and where asked SQL alone, once."""
    from headway.engine import connect
    from headway.log import EventLog
    from headway.store.files import read_manifest, read_store
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.warehouse.compute import attach_people
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    con = connect(threads=2)
    attach_people(con, workspace, Ledger(workspace.ledger_file))
    log = EventLog((con, "events"))
    manifest = read_manifest(workspace.store)
    assert manifest is not None
    log.store = read_store(workspace.store, manifest)
    result: dict[str, Any] = {"parts": [len(part) for part in log.store.parts]}
    for name, ask in insights_questions.headway_questions(days).items():
        done = insights_questions.best(repeat, lambda: ask(log))  # noqa: B023 - called at once
        result[name] = {"seconds": done.seconds, "cpu": done.cpu, "answer": done.answer}
        if sql:
            store, log.store = log.store, None
            done = insights_questions.best(1, lambda: ask(log))  # noqa: B023
            log.store = store
            result[f"{name}, SQL"] = {"seconds": done.seconds, "cpu": done.cpu, "answer": done.answer}
    return result


def ask_clickhouse(root: Path, repeat: int) -> dict[str, Any]:
    """Loads the events of the lake into ClickHouse and asks them."""
    lake = str(root / "warehouse" / "events" / "*" / "*.parquet")
    source = (
        "(SELECT p.number AS person, toUnixTimestamp64Micro(l.occurred_at) AS us, l.event AS event "
        f"FROM file('{lake}', Parquet) AS l INNER JOIN file('{_people(root)}', Parquet) AS p ON p.id = l.actor)"
    )
    with tempfile.TemporaryDirectory(dir=root) as folder:
        con, loading = insights_questions.clickhouse_load(Path(folder) / "clickhouse", source)
        result: dict[str, Any] = {"load": loading}
        for name, queries in insights_questions.CLICKHOUSE.items():
            runs = [
                insights_questions.best(repeat, lambda: insights_questions.clickhouse_ask(con, query))  # noqa: B023
                for query in queries
            ]
            assert all(run.answer == runs[0].answer for run in runs), (
                f"{name}: ClickHouse disagrees with itself"
            )
            done = min(runs, key=lambda run: run.seconds)
            result[name] = {"seconds": done.seconds, "cpu": done.cpu, "answer": done.answer}
        result["load days"] = insights_questions.clickhouse_days(con)
        for name, queries in list(insights_questions.CLICKHOUSE.items())[1:]:
            runs = [
                insights_questions.best(
                    repeat,
                    lambda: insights_questions.clickhouse_ask(con, insights_questions.of_days(query)),  # noqa: B023
                )
                for query in queries
            ]
            assert all(run.answer == result[name]["answer"] for run in runs), f"{name}: its days disagree"
            result[name]["days"] = min(run.seconds for run in runs)
        con.close()
    return result


def _people(root: Path) -> Path:
    return next((root / "warehouse" / "store").glob("numbers-*/people.parquet"))


WORKERS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "day": lambda options: insights_lake.add_day(
        options.root, options.days, options.events // options.days, options.people
    ),
    "people": lambda options: insights_lake.derive(options.root, "people"),
    "store": lambda options: insights_lake.derive(options.root, "store"),
    "headway": lambda options: ask_headway(options.root, options.repeat, options.days, sql=options.sql),
    "clickhouse": lambda options: ask_clickhouse(options.root, options.repeat),
}


def main() -> None:
    """Measures and prints tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each question; the best counts")
    parser.add_argument("--sql", action="store_true", help="ask SQL without the store too")
    parser.add_argument("--no-clickhouse", action="store_true")
    parser.add_argument("--retentioneering", type=Path, help="an interpreter that has it")
    parser.add_argument("--log", type=Path, help="its log, ecom.csv.gz")
    parser.add_argument("--root", type=Path, help="keep the lake here, and use it again")
    parser.add_argument("worker", nargs="?", choices=list(WORKERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
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
    if options.retentioneering:
        beside_retentioneering(options.retentioneering, options.log, options.repeat)


def compare(options: argparse.Namespace) -> None:
    """Generates, loads, asks both engines, and prints."""
    if not (options.root / "product.yml").exists():
        insights_lake.prepare(options.root)
        for day in range(options.days):
            insights_lake.add_day(options.root, day, options.events // options.days, options.people)
    print("\n| | wall s | CPU s | peak MB |\n|---|---|---|---|")
    for name in ("people", "store"):
        row(name, work(options, name))
    found = {"headway": work(options, "headway")}
    if not options.no_clickhouse:
        found["clickhouse"] = work(options, "clickhouse")
    work(options, "day")
    row("people, a day more", work(options, "people"))
    row("store, a day more", work(options, "store"))
    for name, measured in found.items():
        row(f"all questions, {name}", measured)
    answers = {name: json.loads((options.root / f"{name}.json").read_text()) for name in found}
    table(answers)


def work(options: argparse.Namespace, worker: str) -> Measured:
    """Does one step in a process of its own."""
    more = [f"--{name}={getattr(options, name)}" for name in ("events", "days", "people", "repeat", "root")]
    return measure(
        [sys.executable, __file__, worker, *more, *(["--sql"] if options.sql else [])], dict(os.environ)
    )


def row(name: str, done: Measured) -> None:
    """Prints what a process took."""
    print(f"| {name} | {done.wall:.1f} | {done.cpu:.1f} | {done.peak_mb:,.0f} |", flush=True)


def table(answers: dict[str, dict[str, Any]]) -> None:
    """Prints the questions, and stops where answers differ."""
    own, other = answers["headway"], answers.get("clickhouse", {})
    if other:
        print(
            f"\nClickHouse took {other['load']:.1f} s to load events, {other['load days']:.1f} s more for its days."
        )
    print("\n| | Headway s | CPU s | ClickHouse s | CPU s | × ClickHouse | ClickHouse, its days s |")
    print("|---|---|---|---|---|---|---|")
    for name in insights_questions.CLICKHOUSE:
        ours, theirs = own[name], other.get(name)
        beside = [each for each in (theirs, own.get(f"{name}, SQL")) if each]
        assert all(each["answer"] == ours["answer"] for each in beside), f"{name}: answers differ"
        line = f"| {name} | {ours['seconds']:.3f} | {ours['cpu']:.3f} |"
        if theirs:
            ratio = ours["seconds"] / theirs["seconds"]
            line += f" {theirs['seconds']:.3f} | {theirs['cpu']:.3f} | {ratio:.2f} |"
            line += f" {theirs['days']:.3f} |" if "days" in theirs else " – |"
        print(line)
        if plain := own.get(f"{name}, SQL"):
            print(f"| {name}, SQL alone | {plain['seconds']:.3f} | {plain['cpu']:.3f} | | | | |")


def beside_retentioneering(python: Path, log: Path, repeat: int) -> None:
    """Asks retentioneering and Headway the same of retentioneering's own log."""
    import insights_retentioneering

    script = Path(__file__).with_name("insights_retentioneering.py")
    told = subprocess.run([python, script, log, str(repeat)], check=True, capture_output=True, text=True)
    theirs = json.loads(told.stdout.splitlines()[-1])
    ours = insights_retentioneering.headway(log, repeat)
    print(
        "\n| its own log, 31,106 events | retentioneering ms, CPU | Headway ms, CPU | × faster, by CPU |"
        "\n|---|---|---|---|"
    )
    for name, (seconds, cpu, answer) in theirs.items():
        wall, own, found = ours[name]
        assert found == answer, f"{name}: answers differ: {found} {answer}"
        print(
            f"| {name} | {seconds * 1e3:.1f}, {cpu * 1e3:.1f} | {wall * 1e3:.2f}, {own * 1e3:.2f} "
            f"| {seconds / wall:.0f}, {cpu / own:.0f} |"
        )


if __name__ == "__main__":
    main()
