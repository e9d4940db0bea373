"""A lake of generated events, written day by day, with the people and the store that the pipeline makes of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from generated import add_file, number  # beside this script

STEPS = ("Signed Up", "Course Created", "Course Published", "Payment")
START = date(2025, 1, 1)
PLAN = """
version: 1
product: bench
defaults: {purpose: bench, owner: bench, retention: 60 months}
events:
  Page Viewed:
  Lesson Watched:
  Signed Up:
  Course Created:
  Course Published:
  Payment:
"""
PRODUCT = """
name: Bench
timezone: UTC
currency: EUR
activity: Page Viewed
identity: {mode: none}
funnels:
  paying: {title: Paying, steps: [Signed Up, Course Created, Course Published, Payment], within: 7d}
retentions:
  coming_back: {title: Coming back, start: Signed Up, returning: Page Viewed, period: week, periods: 4}
"""
#: A quarter of the events are a step of the funnel; who does something is skewed: half of it a quarter of the people.
EVENTS = """
    SELECT
        md5('e' || {day} || ':' || i)::UUID AS event_id,
        md5('u' || {who})::UUID AS actor,
        NULL::UUID AS account,
        CASE WHEN what < 12 THEN 'Signed Up' WHEN what < 18 THEN 'Course Created'
             WHEN what < 22 THEN 'Course Published' WHEN what < 25 THEN 'Payment'
             WHEN what < 50 THEN 'Lesson Watched' ELSE 'Page Viewed' END AS event,
        TIMESTAMP '{start}' + to_days({day}) + to_microseconds((hash(i, {day}, 2) % 86400000000)::BIGINT)
            AS occurred_at,
        NULL::TIMESTAMP AS client_at, NULL::TIMESTAMP AS received_at, 1::UINTEGER AS line, 1::UINTEGER AS batch,
        'bench' AS source, 'people' AS traffic
    FROM (SELECT range AS i, hash(range, {day}, 3) % 100 AS what FROM range({events}))
"""


def prepare(root: Path) -> None:
    """Makes an empty workspace."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "tracking_plan.yml").write_text(PLAN)
    (root / "product.yml").write_text(PRODUCT)
    (root / "raw").mkdir(exist_ok=True)


def add_day(root: Path, day: int, events: int, people: int) -> None:
    """Writes the events of a day into the lake."""
    label = str(START + timedelta(days=day))
    who = f"floor({people} * pow({number('i', day, 1)}, 2))::BIGINT"
    query = EVENTS.format(day=day, events=events, who=who, start=START)
    add_file(root, "events", query, f"events/day={label}", label, events)


def derive(root: Path, what: str) -> None:
    """Derives the people or the store of a workspace."""
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.people.derive import derive_people
    from headway_pipelines.store import derive_store, sweep_store
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    ledger = Ledger(workspace.ledger_file)
    if what == "people":
        derive_people(workspace, ledger)
    else:
        print("      ", derive_store(workspace, ledger))
        sweep_store(workspace)
    ledger.close()
