"""What erasing a person costs: files of a generated lake are written anew without the person, all others stay.

The lake is written directly, no raw log is read. Every figure is a whole process's wall time, CPU time and peak memory,
measured from outside.

* look     one look at the columns of ids of every file, which any erasure needs
* erase    a person who was there on ``--active`` days
* all      a person who was there on every day, which is what it costs to write the whole lake anew

Afterwards it is checked by the names of files that only the days changed on which the person was there.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from generated import add_file  # beside this script
from identity import PLAN, PRODUCT
from ingest import measure

RARE, DAILY = "rare", "daily"
EVENTS = """
    SELECT
        md5('e' || {day} || ':' || i)::UUID AS event_id, md5(who)::UUID AS actor, NULL::UUID AS account,
        'Page Viewed' AS event,
        TIMESTAMP '2025-01-01' + to_days({day}) + to_seconds((hash(who, i) % 86000)::BIGINT) AS occurred_at,
        NULL::TIMESTAMP AS client_at, NULL::TIMESTAMP AS received_at, 1::UINTEGER AS line, 1::UINTEGER AS batch,
        'bench' AS source, 'people' AS traffic
    FROM (
        SELECT range AS i, 'u' || hash(range // 5, {day}) % {people} AS who FROM range({events})
        UNION ALL SELECT -range, '{daily}' FROM range(1, 6)
        UNION ALL SELECT -range, '{rare}' FROM range(6, 11) WHERE {is_there}
    )
"""


def generate(root: Path, options: argparse.Namespace) -> set[str]:
    """Writes the lake; returns the days on which the rare person was there."""
    (root / "tracking_plan.yml").write_text(PLAN)
    (root / "product.yml").write_text(PRODUCT.format(mode="latest_user"))
    (root / "raw").mkdir()
    there: set[str] = set()
    for day in range(options.days):
        is_there = day % (options.days // options.active) == 0 and len(there) < options.active
        if is_there:
            there.add(str(day))
        query = EVENTS.format(
            day=day,
            people=options.people,
            events=options.events // options.days,
            daily=DAILY,
            rare=RARE,
            is_there=is_there,
        )
        add_file(root, "events", query, f"events/day={day}", str(day), options.events // options.days)
    return there


def work(root: Path, what: str) -> None:
    """Looks for a person, or erases one, and prints the days that were written anew."""
    from headway.engine import connect
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.rights.lake_rows import make_live, write_without
    from headway_pipelines.rights.subject import Subject
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    ledger = Ledger(workspace.ledger_file)
    if what == "look":
        files = [str(workspace.warehouse / path) for path in ledger.lake_files("events")]
        with connect() as con:
            query = "SELECT count(*) FROM read_parquet($1) WHERE md5($2)::UUID IN (actor, account)"
            print("days:", con.execute(query, [files, RARE]).fetchall()[0][0], "rows")
    else:
        with connect() as con:
            ((surrogate,),) = con.execute("SELECT md5($1)", [what]).fetchall()
        without = write_without(workspace, ledger, Subject((surrogate,), ()))
        with ledger.transaction():
            make_live(ledger, without)
        print("days:", *without.days)
    ledger.close()


def files_of(root: Path) -> dict[str, str]:
    """Live files of events and their days."""
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.workspace import Workspace

    ledger = Ledger(Workspace.at(root).ledger_file)
    try:
        return ledger.lake_files("events")
    finally:
        ledger.close()


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000, help="events in the lake")
    parser.add_argument("--people", type=int, default=200_000, help="people")
    parser.add_argument("--days", type=int, default=60, help="days they are spread over")
    parser.add_argument("--active", type=int, default=3, help="days on which who is erased was there")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(Path(options.worker[0]), options.worker[1])
        return
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {options.events:,} events of {options.days} days"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        there, before = generate(root, options), files_of(root)
        for name, what in (("look", "look"), ("erase", RARE), ("all", DAILY)):
            done = measure([sys.executable, __file__, "--worker", str(root), what], dict(os.environ))
            print(f"{name:6} {done.wall:7.1f} s {done.cpu:7.1f} s cpu {done.peak_mb:6.0f} MB")
            if name == "erase":
                changed = {before[path] for path in before.keys() - files_of(root).keys()}
                print(f"       {len(changed)} of {options.days} days were written anew")
                if changed != there:
                    raise SystemExit("other days than those on which the person was there were written anew")


if __name__ == "__main__":
    main()
