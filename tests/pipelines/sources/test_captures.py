"""What 17 real clients sent, from `headway init` to a funnel, with nothing written by hand in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from journey import COUNTS, FUNNEL, IN_A_BROWSER

from headway import Funnel
from headway.engine import connect
from headway_pipelines.ingest import ingest
from headway_pipelines.init_workspace import init_workspace
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import promote
from headway_pipelines.people.derive import derive_people
from headway_pipelines.privacy.proof import scan
from headway_pipelines.quality.batches import judge_batches
from headway_pipelines.warehouse.compute import PlannedLog, attach_people

SERVERS = [f"{language}_{client}" for language in ("py", "node") for client in
           ("amplitude", "mixpanel", "posthog", "rudder", "segment", "snowplow")]  # fmt: skip
BROWSERS = [f"browser_{client}" for client in ("mixpanel", "plausible", "posthog", "segment", "snowplow")]
#: Plausible knows nobody: both people of its recording are one device of that day.
PEOPLE = {"browser_plausible": 1} | {name: 2 for name in BROWSERS if name != "browser_plausible"}
#: Clients with names of their own for what the journey tells.
RENAMED = {
    "posthog": {"Experiment Viewed": "$feature_flag_called"},
    "snowplow": {
        name: name.lower().replace(" ", "_")
        for name in IN_A_BROWSER
        if name not in ("Page Viewed", "Order Completed")
    },
}


def planted(data: Path) -> list[str]:
    """Everything personal in the story: who the people are, and what of theirs was put into values."""
    story = json.loads((data / "tracker_captures" / "journey.json").read_text(encoding="utf-8"))
    texts = [
        text for person in story["USERS"].values() for key, text in person.items() if text and key != "plan"
    ]
    return [*texts, "1 Fixture Street, Testville"]


@pytest.mark.parametrize("name", [*SERVERS, *BROWSERS])
def test_a_recording_needs_nothing_written_by_hand(data: Path, tmp_path: Path, name: str) -> None:
    made = init_workspace(tmp_path / "shop", [data / "tracker_captures" / f"{name}.jsonl"])
    workspace, client = made.workspace, name.split("_")[1]
    assert made.source_formats == (f"{client}_wire",)
    ledger = Ledger(workspace.ledger_file)
    ingest(workspace, ledger)
    judge_batches(workspace, ledger)
    promote(workspace, ledger)
    assert derive_people(workspace, ledger).people == PEOPLE.get(name, 4)
    con = connect()
    attach_people(con, workspace, ledger)
    ledger.close()
    found = dict(con.execute("SELECT event, count(*) FROM events GROUP BY event").fetchall())
    renamed = RENAMED.get(client, {})
    told = COUNTS if name in SERVERS else IN_A_BROWSER
    wanted = {renamed.get(event, event): n for event, n in told.items()}
    if name == "browser_mixpanel":
        # its autocapture adds six page views to the page's own four
        wanted["Page Viewed"] = 10
    assert {event: found.get(event) for event in wanted} == wanted
    if name in SERVERS:
        steps = [renamed.get(step, step) for step in FUNNEL]
        log = PlannedLog((con, "events"), timezone="UTC", week_start="monday")
        assert Funnel(steps, within="60d").run(log).frame["people"].to_list() == [4, 2, 2, 2, 1]
    con.close()
    # the scan sees what was planted where it is, in the recording
    assert scan([data / "tracker_captures" / f"{name}.jsonl"], planted(data))
    hits = scan(
        [workspace.warehouse, workspace.state, workspace.plan_file, workspace.product_file], planted(data)
    )
    assert [(hit.path, hit.form) for hit in hits] == []
