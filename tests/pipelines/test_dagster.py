"""The pipeline as Dagster sees it: assets, checks, partitions, the job, the schedule and the sensor."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from shop import Shop, track

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from headway_pipelines.assets import ASSETS, CHECKS, DOWNSTREAM, INGEST  # noqa: E402
from headway_pipelines.assets.resource import WorkspaceResource  # noqa: E402
from headway_pipelines.automation import due_runs, headway_job, nightly, range_tags, raw_folder  # noqa: E402
from headway_pipelines.warehouse.reading import tables_of  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def _definitions(shop: Shop) -> dg.Definitions:
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=[headway_job],
        schedules=[nightly],
        sensors=[raw_folder],
        resources={"warehouse": WorkspaceResource(root=str(shop.root))},
        executor=dg.in_process_executor,
    )


def _story(people: int = 30) -> list[dict[str, Any]]:
    calls = []
    for i in range(people):
        calls.append(
            track("Page Viewed", i, device=f"d{i}", url="https://shop.example.com/?utm_medium=email")
        )
        calls.append(track("Signed Up", i + 1, user=f"u{i}", device=f"d{i}", method="email"))
        calls.append(track("Order Completed", i + 1500, user=f"u{i}", amount=i))
    return calls


def test_the_assets_their_groups_and_what_they_depend_on(shop: Shop) -> None:
    graph = {
        spec.key.to_user_string(): (spec.group_name, sorted(d.asset_key.to_user_string() for d in spec.deps))
        for spec in _definitions(shop).resolve_all_asset_specs()
    }
    assert graph == {
        "raw_logs": ("raw", []),
        "staged_batches": ("ingest", ["raw_logs"]),
        "event_lake": ("lake", ["staged_batches"]),
        "people": ("people", ["event_lake"]),
        "sessions": ("people", ["people"]),
        "person_store": ("people", ["people"]),
        "side_inputs": ("raw", []),
        "metric_values": ("metrics", ["sessions", "side_inputs"]),
        "published_database": ("publish", ["metric_values"]),
        "explore_database": ("publish", ["metric_values", "person_store"]),
        "report": ("publish", ["published_database"]),
    }


def test_every_asset_says_what_it_is_who_answers_for_it_and_what_it_is_made_of(shop: Shop) -> None:
    for spec in _definitions(shop).resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key


def test_checks_block() -> None:
    blocking = {spec.name: spec.blocking for check in CHECKS for spec in check.check_specs}
    assert blocking == {
        "batches_pass_quality": True,
        "each_event_once": True,
        "stored_text_is_clean": True,
        "values_are_sound": True,
        "parts_add_up": True,
        # A ledger that was rewritten is told; the numbers do not wait for it to be mended.
        "bets_are_unchanged": False,
    }


def test_the_code_location_loads_with_one_job_a_schedule_and_a_sensor(shop: Shop) -> None:
    definitions = _definitions(shop)
    dg.Definitions.validate_loadable(definitions)
    assert definitions.resolve_job_def("headway").executor_def is dg.in_process_executor


def test_the_job_does_what_headway_run_does(shop: Shop, instance: dg.DagsterInstance) -> None:
    shop.land("a.json", _story())
    job = _definitions(shop).resolve_job_def("headway")
    (ingest,) = _due(shop)
    assert ingest.asset_selection == [key for asset in INGEST for key in asset.keys]
    assert job.execute_in_process(instance=instance, asset_selection=ingest.asset_selection).success
    (promote,) = _due(shop)
    assert promote.tags == range_tags(["2026-03-02", "2026-03-03"])
    result = job.execute_in_process(
        instance=instance, asset_selection=promote.asset_selection, tags=promote.tags
    )
    assert result.success
    assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()} == {
        "each_event_once": True,
        "stored_text_is_clean": True,
        "values_are_sound": True,
        "parts_add_up": True,
        "bets_are_unchanged": True,
    }
    lake = next(asset.key for asset in DOWNSTREAM if asset.key.to_user_string() == "event_lake")
    assert instance.get_materialized_partitions(lake) == {"2026-03-02", "2026-03-03"}
    assert shop.workspace.published_db.exists()
    assert (shop.workspace.report / "index.html").exists()
    (nothing,) = due_runs(WorkspaceResource(root=str(shop.root)))
    assert isinstance(nothing, dg.SkipReason)


def test_a_changed_side_input_or_definition_is_measured_again_without_touching_the_lake(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    job = _definitions(shop).resolve_job_def("headway")

    def work() -> dg.RunRequest:
        (due,) = _due(shop)
        result = job.execute_in_process(instance=instance, asset_selection=due.asset_selection, tags=due.tags)
        assert result.success
        return due

    shop.land("a.json", _story())
    work(), work()
    assert _due(shop) == []
    shop.workspace.inputs.mkdir()
    (shop.workspace.inputs / "holidays.csv").write_text("day\n2026-03-02\n", encoding="utf-8")
    measured = {key.to_user_string() for key in work().asset_selection or ()}
    assert "event_lake" not in measured and {"side_inputs", "metric_values", "report"} <= measured
    assert tables_of(shop.workspace.published_db)["side_inputs"].rows() == [("holidays", "used", 1, None)]
    assert _due(shop) == []


def test_a_blocked_batch_stops_its_own_run_and_other_batches_proceed(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    shop.land("bad.json", ["not json"] * 9 + [track("Signed Up", 0, user="u1")])
    shop.land("good.json", _story())
    job = _definitions(shop).resolve_job_def("headway")
    result = job.execute_in_process(
        instance=instance, asset_selection=[k for a in INGEST for k in a.keys], raise_on_error=False
    )
    (evaluation,) = result.get_asset_check_evaluations()
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    assert "bad.json" in str(evaluation.metadata["blocked"].value)
    (promote,) = _due(shop)
    job.execute_in_process(instance=instance, asset_selection=promote.asset_selection, tags=promote.tags)
    assert shop.query("SELECT count(*) FROM lake") == [(90,)]
    with shop.ledger() as ledger:
        assert [b.label for b in ledger.batches("blocked")] == ["bad.json"]
        assert ledger.waiting_groups()


def test_a_failing_step_tells_dagster_nothing_about_the_data(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    shop.land("a.json", _story())
    job = _definitions(shop).resolve_job_def("headway")
    (ingest,) = _due(shop)

    def leak(*_: object, **__: object) -> None:
        raise ValueError("grizelda@example.com")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headway_pipelines.ingest.stage", leak)
        result = job.execute_in_process(
            instance=instance, asset_selection=ingest.asset_selection, raise_on_error=False
        )
    assert not result.success
    told = "".join(str(record) for record in instance.all_logs(result.run_id))
    assert "ValueError at" in told
    assert "grizelda" not in told


def test_the_sensor_and_the_schedule_ask_for_the_same(shop: Shop) -> None:
    shop.land("a.json", _story())
    resources = {"warehouse": WorkspaceResource(root=str(shop.root))}
    with dg.build_sensor_context(resources=resources) as sensor_context:
        sensed = raw_folder.evaluate_tick(sensor_context).run_requests
    with dg.build_schedule_context(resources=resources) as schedule_context:
        planned = nightly.evaluate_tick(schedule_context).run_requests
    assert sensed
    assert planned
    assert [(r.asset_selection, r.tags.get("dagster/asset_partition_range_start")) for r in sensed] == [
        (r.asset_selection, r.tags.get("dagster/asset_partition_range_start")) for r in planned
    ]
    # the sensor does not hammer on a run that failed; the nightly schedule tries again
    assert sensed[0].run_key
    assert planned[0].run_key is None


def test_new_events_of_the_same_days_are_a_run_of_their_own(shop: Shop, instance: dg.DagsterInstance) -> None:
    keys = set()
    for number in range(2):
        shop.land(
            f"{number}.json", [{**call, "messageId": f"{number}-{i}"} for i, call in enumerate(_story())]
        )
        shop.ingest()
        shop.judge()
        keys |= {r.run_key for r in _due(shop)}
        shop.promote()
    assert len(keys) == 2


def test_a_sensor_over_an_unusable_workspace_says_why_and_goes_on(tmp_path: Path) -> None:
    (reason,) = due_runs(WorkspaceResource(root=str(tmp_path / "nowhere")))
    assert isinstance(reason, dg.SkipReason)
    assert "does not exist" in str(reason.skip_message)


def _due(shop: Shop) -> list[dg.RunRequest]:
    return [r for r in due_runs(WorkspaceResource(root=str(shop.root))) if isinstance(r, dg.RunRequest)]


def test_the_ui_opens_on_loopback_and_stops(shop: Shop) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "headway_pipelines.cli.commands",
        "dev",
        "--workspace",
        str(shop.root),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as a shell does in its background
        start_new_session=True,
    )
    try:
        assets = "{ repositoriesOrError { ... on RepositoryConnection { nodes { assetNodes { id } } } } }"
        question = json.dumps({"query": assets}).encode()
        assert _answer(port, process, question).count('"id"') == len(ASSETS)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode != -signal.SIGKILL, "SIGTERM did not end it"


def _answer(
    port: int, process: subprocess.Popen[bytes], question: bytes = b'{"query": "{ version }"}'
) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", data=question, headers={"Content-Type": "application/json"}
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = str(answer.read().decode())
                if '"nodes": []' not in text and '"nodes":[]' not in text:
                    return text
        except OSError:
            pass
        time.sleep(1)
    raise AssertionError("Dagster's UI did not answer")
