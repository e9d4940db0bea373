"""The simulator itself: the same bytes for the same arguments, and rates as planted."""

from __future__ import annotations

import gzip
import hashlib
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from headway.errors import InputError
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.demo import CHANNELS, Scenario, Truth, simulate, writer
from headway_pipelines.demo.canaries import build
from headway_pipelines.demo.clock import DAY, Clock
from headway_pipelines.demo.journeys import draw_block
from headway_pipelines.demo.measures import MEASURES
from headway_pipelines.demo.mess import linked, send
from headway_pipelines.demo.people import flatten, running_sum
from headway_pipelines.demo.rows import LOGGED_IN, ROW, Kind
from headway_pipelines.demo.tally import FUNNELS, Tally
from headway_pipelines.demo.world import World


def digests(workspace: Path) -> dict[str, str]:
    return {
        path.relative_to(workspace).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(workspace.rglob("*"))
        if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    simulate(tmp_path / "a", people=40, days=14, seed=3)
    simulate(tmp_path / "b", people=40, days=14, seed=3)
    simulate(tmp_path / "c", people=40, days=14, seed=4)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert not set(digests(tmp_path / "a").values()) & {
        digest for name, digest in digests(tmp_path / "c").items() if name.startswith("raw/")
    }


def test_how_many_lines_are_rendered_at_once_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path / "a", people=40, days=14)
    monkeypatch.setattr(writer, "SLICE", 37)
    monkeypatch.setattr(writer, "GATHER", 91)
    simulate(tmp_path / "b", people=40, days=14)
    one, other = (
        [(path.name, gzip.decompress(path.read_bytes())) for path in sorted((tmp_path / w).rglob("*.gz"))]
        for w in "ab"
    )
    assert one == other


@pytest.fixture(scope="module")
def planted() -> tuple[World, Tally]:
    """One full block of people, counted without writing a log."""
    world = World.build(Scenario(people=8_192))
    rng = world.rng(0)
    people, rows = draw_block(world, 0, rng)
    tally = Tally(world, build(world))
    tally.add_people(people, send(world, rng, rows))
    return world, tally


def within_five_sigma(successes: float, trials: float, probability: float) -> bool:
    return abs(successes - trials * probability) <= 5 * math.sqrt(trials * probability * (1 - probability))


def test_channel_shares_are_as_planted(planted: tuple[World, Tally]) -> None:
    world, tally = planted
    people = tally.measures["new_people"][1, -1]
    for code, name in enumerate(CHANNELS):
        assert within_five_sigma(people[code], people.sum(), world.scenario.channel_share[name]), name


def test_week_1_is_as_planted(planted: tuple[World, Tally]) -> None:
    world, tally = planted
    good, all_ = tally.measures["learner_week1"][:, -1]
    for code, name in enumerate(CHANNELS):
        assert within_five_sigma(good[code], all_[code], world.scenario.week1_expected(name)), name


def test_the_editor_does_what_is_planted() -> None:
    everybody = dict.fromkeys(CHANNELS, 1.0)
    world = World.build(Scenario(people=8_192, sign_up=everybody, teacher=1.0, course_created=1.0))
    rng = world.rng(0)
    people, rows = draw_block(world, 0, rng)
    tally = Tally(world, build(world))
    tally.add_people(people, send(world, rng, rows))
    (_, control, old), (_, treated, new) = tally.experiment.tolist()
    planted = world.scenario.publish_control
    assert within_five_sigma(old, control, planted)
    assert within_five_sigma(new, treated, planted + world.scenario.editor_uplift)
    assert not within_five_sigma(new, treated, planted)


def test_learners_activate_as_planted() -> None:
    everybody = dict.fromkeys(CHANNELS, 1.0)
    world = World.build(Scenario(people=8_192, sign_up=everybody, teacher=0.0, late=0.0))
    rng = world.rng(0)
    people, rows = draw_block(world, 0, rng)
    tally = Tally(world, build(world))
    tally.add_people(people, send(world, rng, rows))
    good, all_ = tally.measures["activation"][:, -1]
    for code, name in enumerate(CHANNELS):
        assert within_five_sigma(good[code], all_[code], world.scenario.activation[name]), name
    expected = sum(all_[code] * world.scenario.activation[name] for code, name in enumerate(CHANNELS))
    assert within_five_sigma(good.sum(), all_.sum(), expected / all_.sum())


def test_a_second_device_is_always_linked_in_the_log() -> None:
    world = World.build(Scenario(people=4_000, days=21))
    rng = world.rng(0)
    _, rows = draw_block(world, 0, rng)
    rows = send(world, rng, rows)
    second = rows[(rows["device"] % 2 == 1) & (rows["device"] != world.no_device)]
    linked = set(second["device"][second["kind"] == Kind.IDENTIFY].tolist())
    assert set(second["device"].tolist()) == linked
    assert (second["kind"] == Kind.PAGE_VIEWED).any()


def test_visits_nobody_can_be_tied_to_are_not_in_the_log() -> None:
    world = World.build(Scenario(people=10))
    rows = np.zeros(6, ROW)
    #                  own, second, second, borrowed, borrowed, backend
    rows["person"] = [2, 2, 3, 5, 7, 2]
    rows["device"] = [4, 5, 7, 8, 12, world.no_device]
    rows["flags"] = [0, 0, LOGGED_IN, 0, LOGGED_IN, LOGGED_IN]
    assert linked(world, rows)["device"].tolist() == [4, 7, 12, world.no_device]


def test_the_yaml_files_are_valid_and_agree_with_the_measures(workspace: Path) -> None:
    plan = load_plan(workspace / "tracking_plan.yml")
    product = load_product(workspace / "product.yml", plan)
    assert {name: metric.kind for name, metric in product.metrics.items()} == {
        name: measure.kind for name, measure in MEASURES.items()
    }
    assert set(product.funnels) == set(FUNNELS)
    stages = {stage for metric in product.metrics.values() for _, stage in metric.places()}
    aarrr = {"acquisition", "activation", "retention", "referral", "revenue"}
    heart = {"happiness", "engagement", "adoption", "retention", "task_success"}
    assert stages == aarrr | heart


def test_targets_are_partly_met(truth: Truth, workspace: Path) -> None:
    product = load_product(workspace / "product.yml", load_plan(workspace / "tracking_plan.yml"))
    met = []
    for name, metric in product.metrics.items():
        value = truth.metrics[name]["all"]["value"]
        assert metric.target is not None and value is not None
        met.append((value >= metric.target.value) == (metric.direction == "up"))
    assert 0 < sum(met) < len(met)


def test_progress_ends_where_it_said(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(tmp_path, people=30, days=7, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (60, 60)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_truth_survives_the_file(tmp_path: Path) -> None:
    truth = simulate(tmp_path, people=30, days=7, start=date(2026, 3, 25))
    assert Truth.read(tmp_path / "truth.json") == truth
    assert truth.range["week_starts"] == ["2026-03-23", "2026-03-30"]


@pytest.mark.parametrize(("people", "days", "seed"), [(0, 30, 1), (10, 6, 1), (10, 30, -1)])
def test_nonsense_is_refused(tmp_path: Path, people: int, days: int, seed: int) -> None:
    with pytest.raises(InputError):
        simulate(tmp_path, people=people, days=days, seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_raw_data_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine.json").write_text("{}")
    with pytest.raises(InputError, match="already holds raw data"):
        simulate(tmp_path, people=10, days=7)
    with pytest.raises(InputError, match="not a readable truth file"):
        Truth.read(tmp_path / "raw" / "mine.json")


def test_one_person_is_enough(tmp_path: Path) -> None:
    assert simulate(tmp_path, people=1, days=7).people["people"] == 1


def test_local_days_follow_the_change_of_clocks() -> None:
    clock = Clock.build(date(2026, 10, 24), 3, "Europe/Berlin")
    # 2026-10-25 is 25 hours long in Berlin: from 22:00 UTC the day before to 23:00 UTC.
    instants = np.array([clock.start + 22 * 3_600_000, clock.start + DAY + 23 * 3_600_000 - 1])
    assert np.unique(clock.day(instants)).size == 1
    assert clock.day(instants + 1)[1] == clock.day(instants)[1] + 1


def test_groups_are_listed_and_summed_in_order() -> None:
    group, place = flatten(np.array([0, 3, 1]))
    assert group.tolist() == [1, 1, 1, 2]
    assert place.tolist() == [0, 1, 2, 0]
    assert running_sum(np.array([5, 1, 1, 9]), group).tolist() == [5, 6, 7, 9]
