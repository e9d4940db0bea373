"""What stitching costs: people and sessions derived over a generated lake, in full, then after one more day.

The lake and its links are written directly, no raw log is read. Every figure is a whole process's wall time, CPU time
and peak memory, measured from outside.

* first    the whole lake, nothing known yet
* again    the same with nothing new
* day      one more day of events: new users and devices, and those that come back
* anew     the whole lake with that day, everybody derived anew: what the day would cost otherwise

Who acts on a day does ``--together`` things in a row. The modes are measured apart; ``--ids`` counts users and devices
together. The size that the tests of scale speak of is ``--events 50000000 --ids 5000000``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from generated import add_file  # beside this script
from ingest import measure

PLAN = """
version: 1
product: bench
defaults: {purpose: bench, owner: bench, retention: 60 months}
events:
  Page Viewed:
"""
PRODUCT = """
name: Bench
timezone: UTC
currency: EUR
activity: Page Viewed
identity: {{mode: {mode}}}
"""
#: Of ten ids, four are users; a device in eight has a second user, one in a hundred several.
EVENTS = """
    SELECT
        md5('e' || {day} || ':' || i)::UUID AS event_id,
        CASE WHEN hash(who, 1) % 3 = 0 THEN md5('d' || who % ({ids} * 6 // 10))::UUID
             ELSE md5('u' || who % ({ids} * 4 // 10))::UUID END AS actor,
        NULL::UUID AS account, 'Page Viewed' AS event,
        TIMESTAMP '2025-01-01' + to_days({day}) + to_seconds((hash(who, 2) % 86000 + i % {together} * 60)::BIGINT)
            AS occurred_at,
        NULL::TIMESTAMP AS client_at, NULL::TIMESTAMP AS received_at, 1::UINTEGER AS line, 1::UINTEGER AS batch,
        'bench' AS source, 'people' AS traffic
    FROM (SELECT range AS i, hash(range // {together}, {day}) AS who FROM range({events}))
"""
LINKS = """
    SELECT
        1::UINTEGER AS batch, md5('d' || d)::UUID AS device, NULL::UUID AS other,
        md5('u' || hash(d, n) % ({ids} * 4 // 10))::UUID AS person_actor,
        TIMESTAMP '2025-01-01' + to_seconds(d % 10000000) AS first_at,
        TIMESTAMP '2025-01-02' + to_seconds(d % 10000000 + n) AS last_at,
        CASE WHEN d % 20 = 0 THEN last_at END AS logout_at
    FROM range({low}, {high}) t(d),
        range(CASE WHEN d % 100 = 0 THEN 5 WHEN d % 8 = 0 THEN 2 ELSE 1 END) s(n)
    UNION ALL
    SELECT 1, md5('u' || (u + 1))::UUID, md5('u' || (u + 1))::UUID, md5('u' || u)::UUID, TIMESTAMP '2025-01-01',
        TIMESTAMP '2025-01-01', NULL
    FROM range({low} * 4 // 10, {high} * 4 // 10) t(u)
    WHERE u % 50 = 0
"""
#: A device in fifty is seen again on a day, with one of its users, later than before.
RETURNING = """
    UNION ALL
    SELECT
        1::UINTEGER, md5('d' || d)::UUID, NULL, md5('u' || hash(d, 0) % ({ids} * 4 // 10))::UUID,
        TIMESTAMP '2025-01-01' + to_days({day}), TIMESTAMP '2025-01-01' + to_days({day}), NULL
    FROM range({low}) t(d)
    WHERE hash(d, {day}) % 50 = 0
"""


def add(root: Path, events: int, ids: int, day: int, low: int, high: int, together: int) -> None:
    """Writes a day of events, and the links of some devices."""
    query = EVENTS.format(day=day, events=events, ids=ids, together=together)
    add_file(root, "events", query, f"events/day={day}", str(day), events)
    if low < high:
        links = (LINKS + RETURNING).format(low=low, high=high, ids=ids, day=day)
        add_file(root, "links", links, "people", "", events)


def derive(root: Path, what: str, anew: bool) -> None:
    """Derives the people or the sessions of a workspace."""
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.people.derive import derive_people
    from headway_pipelines.people.sessions import derive_sessions
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    ledger = Ledger(workspace.ledger_file)
    if anew:
        ledger.put_json(f"{what}_basis", None)
    if what == "people":
        done = derive_people(workspace, ledger)
        print("      ", {name: n for name, n in done.counts().items() if n}, done.anew)
    else:
        visits = derive_sessions(workspace, ledger)
        print("      ", f"{visits.sessions} sessions", visits.anew)
    ledger.close()


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000, help="events in the lake")
    parser.add_argument("--ids", type=int, default=200_000, help="users and devices")
    parser.add_argument("--days", type=int, default=60, help="days they are spread over")
    parser.add_argument("--together", type=int, default=5, help="events in a row of who acts")
    parser.add_argument("--modes", nargs="+", default=["latest_user", "components"])
    parser.add_argument("--what", nargs="+", default=["people", "sessions"])
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--anew", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        derive(Path(options.worker[0]), options.worker[1], options.anew)
        return
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {options.events:,} events, {options.ids:,} ids"
    )
    for mode in options.modes:
        with tempfile.TemporaryDirectory() as folder:
            bench(Path(folder), mode, options)


def bench(root: Path, mode: str, options: argparse.Namespace) -> None:
    """Measures one mode."""
    (root / "tracking_plan.yml").write_text(PLAN)
    (root / "product.yml").write_text(PRODUCT.format(mode=mode))
    (root / "raw").mkdir()
    daily, devices = options.events // options.days, options.ids * 6 // 10
    for day in range(options.days):
        add(root, daily, options.ids, day, 0, devices if day == 0 else 0, options.together)
    for name in ("first", "again", "day", "anew"):
        if name == "day":
            more = devices + devices // options.days
            add(root, daily, options.ids, options.days, devices, more, options.together)
        for what in options.what:
            worker = [sys.executable, __file__, "--worker", str(root), what]
            done = measure([*worker, *(["--anew"] if name == "anew" else [])], dict(os.environ))
            print(
                f"{mode:12} {what:9} {name:6} {done.wall:7.1f} s {done.cpu:7.1f} s cpu {done.peak_mb:6.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
