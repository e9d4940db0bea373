"""Whole worlds, from planted probabilities through raw logs and the pipeline to values: smoke.

One world says whether numbers are right; many say whether intervals are. Each world is simulated with its own seed,
read by the pipeline, and asked for metrics that estimate what was planted. What was realised must come out exactly, in
every world; what was planted must lie within 95 % intervals as often as that promises, no more and no less than chance
allows.

The first world is read by the command, with everything it does. What differs from world to world are numbers: the
others go through the same functions in the same order, without notes of each step, the report, the team's database and
the look for personal text, which move no number.

``HEADWAY_WORLDS=5 pytest tests/pipelines/test_many_worlds.py`` tries five worlds; the full run takes fifty.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planted import CHANNELS, Computed, computed
from scipy import stats
from shop import by_bounds

from headway.frameworks.identities import broken_identities
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.demo import Scenario, simulate_scenario
from headway_pipelines.ingest import ingest
from headway_pipelines.inputs import derive_inputs
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import promote, repeated_events
from headway_pipelines.people.derive import derive_people
from headway_pipelines.people.sessions import derive_sessions
from headway_pipelines.publishing.publish import publish
from headway_pipelines.quality.batches import judge_batches
from headway_pipelines.quality.values import judge_values
from headway_pipelines.store import derive_store
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

WORLDS = int(os.environ.get("HEADWAY_WORLDS") or (50 if os.environ.get("HEADWAY_FULL") else 0))

#: Probability of calling a right pipeline wrong, for each bound.
CHANCE = 0.001

#: Option -> verdicts that are wrong about it, each with a probability of at most 2.5 %.
WRONG = {"welcome_tour": ("miss", "harm"), "search_ranking": ("hit", "harm"), "profile_first": ("hit",)}
RIGHT = {"welcome_tour": "hit"}

LEARNER = "{event: Signed Up, where: \"role = 'learner'\"}"
ASKED = f"""
p_teacher: {{<<: &share {{framework: heart, stage: adoption, title: T, unit: percent, grains: [rolling_28d]}},
  kind: share, of: Signed Up, did: {{event: Signed Up, where: "role = 'teacher'"}}}}
p_treatment: {{<<: *share, kind: share, of: Feature Exposed,
  did: {{event: Feature Exposed, where: "variant = 'treatment'"}}}}
p_invite: {{<<: *share, kind: share, of: Signed Up, did: Invite Accepted}}
p_activation: {{<<: *share, kind: conversion, start: {LEARNER},
  reach: {{event: Lesson Watched, where: "completed = true"}}, within: 7d}}
p_week1: {{<<: *share, kind: retention, start: {LEARNER}, returning: [Lesson Watched, Course Enrolled],
  after: 7d, within: 7d}}
p_upload: {{<<: *share, kind: task, start: Upload Started, success: Upload Finished, failure: Upload Failed,
  key: upload_id, within: 1h, attempts: first}}
"""


def scenario(seed: int) -> Scenario:
    """A small world: enough for four weeks of people whose fortnight is over, and nobody on another's device."""
    # Fifty-five days end within a week: a week of its last hour alone may hold no event, and would not be there.
    return Scenario(people=700, days=55, seed=seed, shared_device=0.0)


def planted(world: Scenario) -> Iterator[tuple[str, str, int, float]]:
    """Metric, segment, first day of the window (from the first of the log), and what was planted."""
    yield "p_teacher", "all", 0, world.teacher
    yield "p_treatment", "all", 26, world.treatment
    yield "p_invite", "channel=referral", 0, world.invite_accepted
    yield "p_upload", "all", 0, world.upload_outcome[0]
    for channel in CHANNELS:
        yield "p_activation", f"channel={channel}", 0, world.activation[channel]
        yield "p_week1", f"channel={channel}", 0, world.week1_expected(channel)


def is_realised(found: Computed) -> bool:
    """Whether every week of every metric of ``product.yml`` is what happened in this world, and everybody is there."""
    for metric in found.truth["metrics"]:
        weeks = zip(found.weekly(metric, "all"), found.planted(metric, "all"), strict=True)
        assert all(n == m and x == pytest.approx(y, abs=1e-6) for (x, n), (y, m) in weeks), metric
    return bool(found.tables["run_info"]["people"][0] == found.truth["people"]["people"])


def verdicts(found: Computed, world: Scenario) -> Iterator[tuple[str, bool, str]]:
    """Metric, whether its interval holds what was planted, and by which method."""
    values = found.tables["metric_values"]
    for metric, segment, days, probability in planted(world):
        first = world.start + timedelta(days=days)
        cell = values.filter(pl.col("low").is_not_null(), metric=metric, segment=segment, period_start=first)
        assert cell.height == 1, (metric, segment)
        low, high, method = cell.select("low", "high", "interval_method").row(0)
        yield metric, low <= probability <= high, method


@pytest.mark.skipif(not WORLDS, reason="many worlds take minutes: HEADWAY_FULL=1 or HEADWAY_WORLDS=5")
def test_what_was_planted_lies_within_its_intervals_as_often_as_it_should(
    tmp_path: Path, headway: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, list[bool]] = defaultdict(list)
    ended: dict[str, list[str]] = defaultdict(list)
    for seed in range(1_000, 1_000 + WORLDS):
        monkeypatch.setenv("HEADWAY_KEY_FILE", str(tmp_path / "world.key"))
        found = realised(tmp_path / "world", seed, tmp_path / "world.key", headway if not held else None)
        for option, verdict in settled(found.root):
            ended[option].append(verdict)
        for metric, holds, _ in verdicts(found, scenario(seed)):
            held[metric].append(holds)
        shutil.rmtree(found.root)
    everything = [holds for each in held.values() for holds in each]
    missed = {metric: each.count(False) for metric, each in held.items()}
    assert_as_often_as_chance(missed, held)
    low, high = (float(stats.binom.ppf(at, len(everything), 0.05)) for at in (CHANCE / 2, 1 - CHANCE / 2))
    assert low <= everything.count(False) <= high, missed
    assert_bets_end_as_planted(ended)


def realised(root: Path, seed: int, key: Path, headway: Callable[..., Any] | None) -> Computed:
    """Simulates a world and reads it, by the command or without; what happened in it must come out exactly."""
    world = scenario(seed)
    root.mkdir()
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    simulate_scenario(root, world)
    for others in (root / "metrics").glob("*.yml"):
        if others.name != "newcomers.yml":  # experiments are told by it
            others.unlink()  # they have truths of their own, in one world: test_truth_outcomes.py
    (root / "experiments" / "editor.yml").unlink()  # no bet is told by it
    write_bets(root, world)
    (root / "metrics" / "planted.yml").write_text(ASKED, encoding="utf-8")
    if headway is None:
        read_world(Workspace(root))
    else:
        done = headway("run", "--workspace", str(root), cwd=root, key_file=key)
        assert (done.returncode, done.stderr) == (0, ""), seed
    found = computed(root)
    assert is_realised(found), seed
    return found


def read_world(workspace: Workspace) -> None:
    """What `headway run` does up to the published file, in its order, with its checks of numbers."""
    with closing(Ledger(workspace.ledger_file)) as ledger:
        ingest(workspace, ledger)
        with by_bounds():  # Great Expectations say the same, and take longer than all the rest of it
            assert not judge_batches(workspace, ledger).blocked
        promote(workspace, ledger)
        assert repeated_events(workspace, ledger) == 0
        derive_people(workspace, ledger)
        derive_sessions(workspace, ledger)
        derive_store(workspace, ledger)
        derive_inputs(workspace)
        compute(workspace, ledger)
    values = tables_of(workspace.metrics_db)["metric_values"]
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    assert (judge_values(values), broken_identities(product, values)) == ([], [])
    publish(workspace)


def write_bets(root: Path, world: Scenario) -> None:
    """Bets on what works, on what does nothing and on what does harm, as the simulator has it."""
    end = world.start + timedelta(days=world.days - 1)
    options = "".join(
        f"  {name}: {{title: T, under: newcomers, experiment: {name}, horizon: {end}, "
        "bets: [{metric: saved, expect: 0.15, low: 0.08, high: 0.3, scale: absolute}]}\n"
        for name in WRONG
    )
    aims = "title: N, aims: [{metric: saved}]"
    tree = f"intents: {{more: {{{aims}}}}}\ninitiatives: {{newcomers: {{{aims}, under: more}}}}\n"
    text = f"{tree}options:\n{options}"
    (root / "strategy").mkdir()
    (root / "strategy" / "bets.yml").write_text(text, encoding="utf-8")


def settled(root: Path) -> list[tuple[str, str]]:
    """Option and verdict of every bet, from the published file."""
    bets = tables_of(Workspace(root).published_db)["bets"]
    return [(str(option), str(verdict)) for option, verdict in bets.select("option", "verdict").iter_rows()]


def assert_bets_end_as_planted(ended: dict[str, list[str]]) -> None:
    """No wrong verdict is more frequent than 2.5 % let expect, and what is planted is found."""
    assert set(ended) == set(WRONG)
    for option, wrong in WRONG.items():
        for verdict in wrong:
            most = stats.binom.ppf(1 - CHANCE, len(ended[option]), 0.025)
            assert ended[option].count(verdict) <= most, (option, ended[option])
    right = {option: ended[option].count(verdict) for option, verdict in RIGHT.items()}
    # A world of 700 people cannot always tell; where it tells, it tells the truth.
    assert all(count >= len(ended[option]) / 4 for option, count in right.items()), right


def assert_as_often_as_chance(missed: dict[str, int], held: dict[str, list[bool]]) -> None:
    """No metric misses more often than a right one does in 999 of 1,000 repetitions of all of them."""
    for metric, each in held.items():
        most = stats.binom.ppf(1 - CHANCE / len(held), len(each), 0.05)
        assert missed[metric] <= most, (metric, missed[metric], len(each))
