"""The demo's planted truth, recovered: exactly where nothing is ambiguous, as documented where something is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from headway_pipelines.compute import compute, tables_of
from headway_pipelines.demo import Scenario, Truth, simulate_scenario
from headway_pipelines.ingest import ingest
from headway_pipelines.lake import promote
from headway_pipelines.ledger import Ledger
from headway_pipelines.people import derive_people
from headway_pipelines.quality.batches import judge_batches
from headway_pipelines.workspace import Workspace

#: No shared devices: no rule can tell their visits apart. Bots look like people until they are marked; even at a rate
#: of 0 the simulator sends one, who came directly, viewed pages and did nothing else.
CLEAR = Scenario(people=700, days=42, seed=11, bots=0.0, shared_device=0.0)


@dataclass(frozen=True)
class Recovered:
    """A demo that went through the pipeline."""

    truth: Truth
    tables: dict[str, pl.DataFrame]
    outcomes: dict[str, int]
    events: int
    workspace: Workspace


@pytest.fixture(scope="module")
def recovered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recovered]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("truth")
        key = folder / "key"
        key.write_text("".join(f"{i:02x}" for i in range(32)))
        key.chmod(0o600)
        patch.setenv("HEADWAY_KEY_FILE", str(key))
        truth = simulate_scenario(folder / "demo", CLEAR)
        workspace = Workspace.at(folder / "demo")
        ledger = Ledger(workspace.ledger_file)
        ingest(workspace, ledger)
        verdict = judge_batches(workspace, ledger)
        assert not verdict.blocked
        promote(workspace, ledger)
        derive_people(workspace, ledger)
        compute(workspace, ledger)
        outcomes: dict[str, int] = {}
        for row in ledger.outcomes():
            outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + row["lines"]
        events = sum(ledger.rows_per_day().values())
        ledger.close()
        yield Recovered(truth, tables_of(workspace.metrics_db), outcomes, events, workspace)


def test_every_line_is_accounted_for_as_planted(recovered: Recovered) -> None:
    log, kinds = recovered.truth.log, recovered.truth.log["malformed_by_kind"]
    assert sum(recovered.outcomes.values()) == log["lines"]
    assert recovered.outcomes["malformed JSON"] == kinds["truncated"] + kinds["not_json"]
    assert recovered.outcomes["not UTF-8"] == kinds["not_utf8"]
    assert recovered.outcomes["not a JSON object"] == kinds["not_an_object"]
    assert recovered.outcomes["no usable id"] == kinds["no_id"]
    assert recovered.outcomes["no valid time"] == kinds["bad_timestamp"]


def test_retries_and_late_copies_are_one_event_each(recovered: Recovered) -> None:
    planted = recovered.truth.log["events"]
    lake = dict(recovered.tables["daily_events"].group_by("event").agg(pl.col("events").sum()).iter_rows())
    bots = recovered.truth.log["bot_lines"]
    assert lake == {name: n + bots * (name == "Page Viewed") for name, n in planted.items() if name in lake}
    assert set(planted) - set(lake) <= {"Logged In", "Playback Stalled"}
    assert recovered.outcomes["event"] > recovered.events


def test_people_are_found_again(recovered: Recovered) -> None:
    info = recovered.tables["run_info"].row(0, named=True)
    assert info["people"] == recovered.truth.people["people_if_bots_count"]
    assert recovered.truth.people["bots"] == 1
    # without joining devices to users there would be more "people" than people, and visitors would never sign up
    assert info["actors"] > info["people"]
    assert info["devices_joined"] > 0


def test_every_weekly_cell_of_every_metric_is_the_planted_one(recovered: Recovered) -> None:
    values = recovered.tables["metric_values"].filter(pl.col("period") == "week")
    weeks = recovered.truth.range["week_starts"]
    compared = 0
    for metric, truth in recovered.truth.metrics.items():
        for segment in [s for s in truth if s == "all" or s.startswith("channel=")]:
            cells = values.filter((pl.col("metric") == metric) & (pl.col("segment") == segment))
            found = {str(r["period_start"]): r for r in cells.unique("period_start").iter_rows(named=True)}
            counted_bots = 0
            for index, week in enumerate(weeks):
                cell, place = found[week], (metric, segment, week)
                numerator, denominator = cell["numerator"], cell["denominator"]
                if metric == "new_people":
                    counted_bots += numerator - truth[segment]["weekly_numerator"][index]
                elif metric == "sign_up_rate":
                    counted_bots += denominator - truth[segment]["weekly_denominator"][index]
                else:
                    assert denominator == pytest.approx(truth[segment]["weekly_denominator"][index]), place
                if metric != "new_people":
                    assert numerator == pytest.approx(truth[segment]["weekly_numerator"][index]), place
                compared += 1
            seen_by = metric in ("new_people", "sign_up_rate") and segment in ("all", "channel=direct")
            assert counted_bots == recovered.truth.people["bots"] * seen_by, (metric, segment)
    assert compared > 500


def test_the_funnels_and_the_retention_triangle_are_the_planted_ones(recovered: Recovered) -> None:
    steps = recovered.tables["funnel_steps"]
    for name, truth in recovered.truth.funnels.items():
        found = steps.filter(pl.col("funnel") == name).sort("step")["people"].to_list()
        found[0] -= recovered.truth.people["bots"] * (name == "learning")
        assert found == truth["people"]
    truth = recovered.truth.retention["learning"]
    cells = recovered.tables["retention_cells"].filter(pl.col("retention") == "learning")
    cohorts = cells.filter(pl.col("period") == 0).sort("cohort_start")
    assert cohorts["cohort_people"].to_list() == truth["cohort_people"]


def test_the_scenarios_rates_lie_within_the_intervals(recovered: Recovered) -> None:
    """Five channels at 95 %: at most one may miss its planted rate (more has a chance of 2 in 100)."""
    planted: Any = CLEAR.sign_up
    rates = recovered.truth.metrics["sign_up_rate"]
    misses = 0
    for channel, rate in planted.items():
        cell = rates[f"channel={channel}"]
        error = 1.96 * (rate * (1 - rate) / cell["denominator"]) ** 0.5
        misses += abs(cell["value"] - rate) > error
    assert misses <= 1


def test_without_stitching_the_funnel_is_wrong(recovered: Recovered) -> None:
    """By actor, hardly anybody who signs up has ever seen a page before: the visit was the device's."""
    from headway.engine import connect
    from headway_pipelines.lake import attach_lake

    con = connect()
    ledger = Ledger(recovered.workspace.ledger_file)
    attach_lake(con, recovered.workspace, ledger)
    ledger.close()
    both = con.execute(
        "SELECT count(*) FROM (SELECT actor FROM lake GROUP BY actor HAVING "
        "min(occurred_at) FILTER (event = 'Page Viewed') < min(occurred_at) FILTER (event = 'Signed Up'))"
    ).fetchall()[0][0]
    con.close()
    assert both < 0.2 * recovered.truth.funnels["learning"]["people"][1]
