"""The simulator itself: the same bytes for the same arguments, and rates as planted."""

from __future__ import annotations

import gzip
import hashlib
import math
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from headway.errors import InputError
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.demo import CHANNELS, Scenario, Truth, simulate, writer
from headway_pipelines.demo.canaries import build
from headway_pipelines.demo.catalogue import CURRENCIES
from headway_pipelines.demo.clock import DAY, HOUR, Clock
from headway_pipelines.demo.journeys import draw_block
from headway_pipelines.demo.measures import MEASURES
from headway_pipelines.demo.mess import linked, send
from headway_pipelines.demo.people import NEVER, blocks, flatten, running_sum
from headway_pipelines.demo.rows import LOGGED_IN, ROW, Kind
from headway_pipelines.demo.tally import FUNNELS, Tally
from headway_pipelines.demo.truth_money import PARTS
from headway_pipelines.demo.truth_values import open_quantile, quantile
from headway_pipelines.demo.world import BLOCK, World


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


def drawn(scenario: Scenario) -> Tally:
    """All blocks of a world, counted without writing a log."""
    world = World.build(scenario)
    tally = Tally(world, build(world))
    for block in range(blocks(world)):
        rng = world.rng(block)
        people, rows = draw_block(world, block, rng)
        tally.add_people(people, send(world, rng, rows))
    return tally


def test_every_arm_of_the_revenue_bridge_occurs_in_sixty_days() -> None:
    mrr = drawn(Scenario(people=5_000)).money.subscriptions()["mrr"]
    assert {part: sum(values) > 0 for part, values in mrr.items()} == dict.fromkeys(PARTS, True)


def test_quick_replies_bring_back_as_planted() -> None:
    tally = drawn(Scenario(people=8_192, ticket=0.4))
    planted = tally.support.table()["retention"]
    quick, slow = planted["quick"], planted["slow"]
    away = quick["people"] - quick["retained_without_effect"]
    brought = quick["retained"] - quick["retained_without_effect"]
    assert away > 100
    assert within_five_sigma(brought, away, tally.world.scenario.quick_reply_return)
    assert slow["retained"] == slow["retained_without_effect"]
    # Without the effect, both groups come back alike.
    share = slow["retained"] / slow["people"]
    assert within_five_sigma(quick["retained_without_effect"], quick["people"], share)


def test_weighting_by_channel_undoes_who_answers() -> None:
    """Answers alone are too glad, as glad channels answer more; weighted, they say what everybody would."""
    mood = dict(zip(CHANNELS, (0.0, -3.0, 0.0, 2.0, 0.0), strict=True))
    surveys = drawn(Scenario(people=8_192, survey=1.0, survey_mood=mood)).surveys.table()
    overall = surveys["nps"]["all"]
    assert overall["shown"] > 1_500
    assert overall["raw"] > overall["population"] + 8
    assert abs(overall["weighted"] - overall["population"]) < 4
    for channel in surveys["nps"]["channels"].values():
        assert channel["raw"] == pytest.approx(channel["population"], abs=15)


def test_surveys_are_answered_as_planted() -> None:
    world = World.build(Scenario(people=8_192))
    people, rows = draw_block(world, 0, world.rng(0))
    channel = people.channel[rows["person"].astype(np.int64)]
    for code, name in enumerate(CHANNELS):
        shown = (rows["kind"] == Kind.SURVEY_SHOWN) & (channel == code)
        answered = (rows["kind"] == Kind.SURVEY_ANSWERED) & (channel == code)
        planted = world.scenario.survey_response[name]
        assert within_five_sigma(answered.sum(), shown.sum(), planted), name


def test_business_hours_leave_out_nights_weekends_and_holidays() -> None:
    zone = ZoneInfo("Europe/Berlin")

    def at(day: int, month: int, hour: int, minute: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        moment = datetime(2026, month, day, hour, minute, tzinfo=zone)
        return np.array([int(moment.timestamp()) * 1000])

    hours = World.build(Scenario(people=10)).hours
    # 2026-10-05, a Monday, is a holiday: from Friday 16:30 half an hour on Friday, the rest on Tuesday.
    assert hours.after(at(2, 10, 16, 30), np.array([HOUR])).tolist() == at(6, 10, 9, 30).tolist()
    assert (hours.elapsed(at(6, 10, 9, 30)) - hours.elapsed(at(2, 10, 16, 30))).tolist() == [HOUR]
    # Clocks change on Sunday, 2026-10-25.
    assert hours.after(at(24, 10, 12), np.array([8 * HOUR])).tolist() == at(26, 10, 17).tolist()
    # At night nothing passes; the instant a wait is over is the first one.
    assert hours.after(at(8, 9, 3), np.array([HOUR])).tolist() == at(8, 9, 10).tolist()
    assert hours.after(np.array([NEVER]), np.array([HOUR])).tolist() == [NEVER]
    rng = np.random.default_rng(1)
    utc = hours.clock.start + rng.integers(0, 60 * DAY, 2_000)
    wait = rng.integers(1, 30 * HOUR, 2_000)
    assert (hours.elapsed(hours.after(utc, wait)) - hours.elapsed(utc) == wait).all()
    assert (hours.elapsed(hours.after(utc, wait) - 1) - hours.elapsed(utc) == wait - 1).all()


def test_members_of_a_school_are_of_one_block() -> None:
    world = World.build(Scenario(people=3 * BLOCK + 5))
    person = np.arange(world.scenario.people)
    pairs = np.unique(np.stack([world.school(person), person // BLOCK]), axis=1)
    assert np.unique(pairs[0]).size == pairs.shape[1]
    assert pairs[0].max() < world.schools
    # With few people, which is one block, every school has members.
    few = World.build(Scenario(people=1_000))
    assert np.unique(few.school(np.arange(1_000))).size == few.schools


def test_currencies_are_as_planted(planted: tuple[World, Tally]) -> None:
    world, _ = planted
    currency = world.currency(np.arange(20_000))
    for code, name in enumerate(CURRENCIES):
        assert within_five_sigma((currency == code).sum(), 20_000, world.scenario.currency_share[name])


def test_an_empty_block_of_answers_has_no_values() -> None:
    assert quantile(np.zeros(0), 0.5) is None
    assert open_quantile(np.array([1.0]), np.array([False]), 0.5) is None


def test_quantiles_of_open_durations_are_those_of_the_product_limit() -> None:
    """Against the estimate worked out one end at a time."""
    chance = np.random.default_rng(5)
    reached = 0
    for size in range(1, 40):
        values, closed = chance.integers(1, 12, size).astype(float), chance.random(size) < 0.6
        for share in (0.1, 0.5, 0.9):
            going, expected = 1.0, None
            for value in sorted(set(values[closed])):
                going *= 1 - sum(values[closed] == value) / sum(values >= value)
                if expected is None and 1 - going >= share - 1e-12:
                    expected = float(value)
            assert open_quantile(values, closed, share) == expected
            reached += expected is not None
    assert 20 < reached < 110


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
    kinds = {name: product.metrics[name].kind for name in MEASURES}
    # a mean of amounts in several currencies is declared as a ratio
    assert kinds.pop("revenue_per_active") == "ratio"
    assert kinds == {name: m.kind for name, m in MEASURES.items() if name in kinds}
    assert set(product.funnels) == set(FUNNELS)
    stages = {stage for metric in product.metrics.values() for _, stage in metric.places()}
    aarrr = {"acquisition", "activation", "retention", "referral", "revenue"}
    heart = {"happiness", "engagement", "adoption", "retention", "task_success"}
    assert stages == aarrr | heart | {"responsiveness", "resolution", "speed", "availability", "reliability"}


def test_targets_are_partly_met(truth: Truth, workspace: Path) -> None:
    product = load_product(workspace / "product.yml", load_plan(workspace / "tracking_plan.yml"))
    met = []
    for name, table in truth.metrics.items():
        metric, value = product.metrics[name], table["all"]["value"]
        if name == "saved":  # its target is that of an initiative
            continue
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
