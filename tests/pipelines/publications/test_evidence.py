"""Experiments and releases from one publication to the next: no difference speaks of 1 to 9 people."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from headway.experiments.flags import SCHEMA as FLAGS
from headway.releases.adopters import ADOPTION
from headway.releases.impact import ESTIMATES, IMPACT
from headway_pipelines.publications import PublicationLedger, hold_back, hold_experiments, hold_impact
from headway_pipelines.publishing.cell_size import MIN_PEOPLE as K
from headway_pipelines.warehouse.experiment_both_ways import BOTH_WAYS
from headway_pipelines.warehouse.experiment_days import DAYS
from headway_pipelines.warehouse.experiment_differences import ALIKE
from headway_pipelines.warehouse.experiment_segments import SEGMENTS
from headway_pipelines.warehouse.experiments import EXPERIMENTS, HEALTH, RESULTS, shown_experiments

FIRST = datetime(2026, 4, 1)
ARMS = ("new", "old")


class Publisher:
    """Publishes an experiment of two arms, a day apart."""

    def __init__(self, folder: Path) -> None:
        self.ledger = PublicationLedger(folder / "publications")
        self.at = FIRST
        self.forgetful = False

    def publish(
        self,
        units: tuple[int, int],
        some: tuple[int, int],
        *,
        why: str = "",
        definition: str = "d",
        small: tuple[int, int] = (30, 15),
        later: int = 20,
        both_met: tuple[int, int] = (40, 20),
        rest: int = 0,
        also: tuple[int, int] | None = None,
        without: tuple[str, ...] = (),
    ) -> dict[str, pl.DataFrame]:
        tables = computed(units, some, why, definition, small, later, both_met, rest, also)
        tables = shown_experiments(tables | {name: tables[name].clear() for name in without}, K)
        ledger = PublicationLedger(self.ledger._folder / "none") if self.forgetful else self.ledger
        told, noted = hold_experiments(ledger, tables, K, self.at)
        self.ledger.append(self.at, noted)
        self.at += timedelta(days=1)
        return told


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def computed(
    units: tuple[int, int],
    some: tuple[int, int],
    why: str,
    definition: str,
    small: tuple[int, int] = (30, 15),
    later: int = 20,
    both_met: tuple[int, int] = (40, 20),
    rest: int = 0,
    also: tuple[int, int] | None = None,
) -> dict[str, pl.DataFrame]:
    listed = {"experiment": "e", "decision": "wait", "why": why, "definition_hash": definition}
    results = [
        {"experiment": "e", "metric": metric, "title": "M", "purpose": "primary", "variant": arm, "units": n,
         "units_open": 25, "some": s, "mean": s / n, "effect": 0.1, "verdict": "not clear",
         "alike": ["m", "also"]}
        for metric, did in {"m": some, "also": also}.items() if did is not None
        for arm, n, s in zip(ARMS, units, did, strict=True)
    ]  # fmt: skip
    # 30 of each arm are in a smaller segment, where half of them did it; in the new one `small` says how many.
    inner = {"new": small, "old": (30, 15)}
    segments = [
        {"experiment": "e", "metric": "m", "title": "M", "by": "role", "segment": segment, "variant": arm, "units": n,
         "some": s, "effect": s / n if arm == "new" else None}
        for segment, few in (("large", False), ("small", True))
        for arm, whole, did in zip(ARMS, units, some, strict=True)
        for n, s in [inner[arm] if few else (whole - inner[arm][0], did - inner[arm][1])]
    ]  # fmt: skip
    # Of the new arm `later` did it on the second day, `rest` after it, and all others on the first. 40 more of each arm
    # met both variants.
    parts = {"new": (some[0] - later - rest, later), "old": (some[1] - 20, 20)}
    days = [
        {"experiment": "e", "metric": "m", "title": "M", "since": since, "variant": arm, "units": n,
         "some": parts[arm][since], "effect": parts[arm][since] / n if arm == "new" else None}
        for since in (0, 1)
        for arm, n in zip(ARMS, units, strict=True)
    ]  # fmt: skip
    met = {"new": both_met, "old": (40, 20)}
    both = [
        {"experiment": "e", "metric": "m", "title": "M", "several": way, "variant": arm, "units": n + more[0],
         "some": s + more[1], "effect": (s + more[1]) / (n + more[0]) if arm == "new" else None}
        for way in ("exclude", "first")
        for arm, n, s in zip(ARMS, units, some, strict=True)
        for more in [met[arm] if way == "first" else (0, 0)]
    ]  # fmt: skip
    health = [
        {
            "experiment": "e",
            "check": "split all",
            "label": None,
            "variant": arm,
            "units": n,
            "expected": 100.0,
        }
        for arm, n in zip(ARMS, units, strict=True)
    ]
    flags = [
        {"flag": "f", "step": 1, "since": FIRST.date(), "variant": arm, "units": n, "share": n / sum(units)}
        for arm, n in zip(ARMS, units, strict=True)
    ]
    return {
        "experiments": frame([listed], EXPERIMENTS),
        "experiment_results": frame(results, RESULTS | ALIKE),
        "experiment_segments": frame(segments, SEGMENTS),
        "experiment_days": frame(days, DAYS),
        "experiment_both_ways": frame(both, BOTH_WAYS),
        "experiment_health": frame(health, HEALTH),
        "flags": frame(flags, FLAGS),
    }


def frame(rows: list[dict[str, Any]], schema: Any) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def units_of(told: dict[str, pl.DataFrame]) -> list[list[int | None]]:
    return [told[name]["units"].to_list() for name in ("experiment_results", "experiment_health", "flags")]


def test_an_experiment_stays_until_every_arm_changed_by_ten(publisher: Publisher) -> None:
    first = publisher.publish((100, 100), (50, 50), why="100 units an arm")
    # Three more in one arm, and their three outcomes in its mean.
    second = publisher.publish((103, 130), (53, 65), why="103 units in the smallest arm")
    assert units_of(first) == [[100, 100]] * 3 == units_of(second)
    assert second["experiment_results"]["mean"].to_list() == [0.5, 0.5]
    assert second["experiments"]["why"].to_list() == ["100 units an arm"]
    assert second["experiment_results"]["held_since"].to_list() == [FIRST, FIRST]
    third = publisher.publish((120, 130), (60, 65), why="120 units an arm")
    assert units_of(third) == [[120, 130]] * 3
    assert third["experiments"]["why"].to_list() == ["120 units an arm"]
    assert third["experiment_results"]["held_since"].null_count() == 2


def test_segments_stay_with_their_experiment_and_never_say_how_many_they_are(publisher: Publisher) -> None:
    names = ("segment", "variant", "effect")
    first = publisher.publish((100, 100), (50, 50))["experiment_segments"]
    rows = [("large", "new", 0.5), ("large", "old", None), ("small", "new", 0.5), ("small", "old", None)]
    assert first.select(names).rows() == rows
    assert not {"units", "some", "definition_hash"} & set(first.columns)
    second = publisher.publish((103, 130), (53, 65))["experiment_segments"]
    assert (second.select(names).rows(), set(second["held_since"])) == (rows, {FIRST})
    third = publisher.publish((130, 130), (80, 65))["experiment_segments"]
    assert third["effect"].to_list() == [0.65, None, 0.5, None]
    # Twenty more in the large segment, and three of them in the small one.
    fourth = publisher.publish((150, 130), (90, 65), small=(33, 16))
    assert fourth["experiment_results"]["units"].to_list() == [150, 130]
    assert fourth["experiment_segments"]["effect"].to_list() == [0.65, None, 0.5, None]
    # Defined anew with three units more, it says nothing.
    assert publisher.publish((153, 130), (90, 65), definition="e")["experiment_segments"].is_empty()


def test_days_stay_with_their_experiment_and_longer_where_few_moved(publisher: Publisher) -> None:
    def told(**more: Any) -> tuple[list[int], list[float | None]]:
        found = publisher.publish(**more)
        days = found["experiment_days"]
        assert not {"units", "some", "alike", "definition_hash"} & set(days.columns)
        return found["experiment_results"]["units"].to_list(), days["effect"].to_list()

    assert told(units=(100, 100), some=(50, 50)) == ([100, 100], [0.3, None, 0.2, None])
    # A late line moved three from one day to the other: nothing else of the arm differs.
    assert told(units=(100, 100), some=(50, 50), later=23) == ([100, 100], [0.3, None, 0.2, None])
    # Three more did it, but no day differs by few.
    assert told(units=(100, 100), some=(53, 50), later=33) == ([100, 100], [0.3, None, 0.2, None])
    # Its experiment waits for seven more.
    assert told(units=(103, 100), some=(60, 50), later=30) == ([100, 100], [0.3, None, 0.2, None])
    assert told(units=(200, 100), some=(80, 50), later=30) == ([200, 100], [0.25, None, 0.15, None])
    # Few days moved while the experiment did: it is told, they are not.
    assert told(units=(300, 100), some=(132, 50), later=33) == ([300, 100], [0.25, None, 0.15, None])


def test_both_ways_stay_with_their_experiment_and_longer_where_few_met_both(publisher: Publisher) -> None:
    def told(**more: Any) -> tuple[list[int], list[float | None]]:
        found = publisher.publish(**more)
        both = found["experiment_both_ways"]
        assert not {"units", "some", "definition_hash"} & set(both.columns)
        return found["experiment_results"]["units"].to_list(), both.filter(variant="new")["effect"].to_list()

    assert told(units=(160, 160), some=(80, 80)) == ([160, 160], [0.5, 0.5])
    assert told(units=(160, 160), some=(80, 80), both_met=(43, 20)) == ([160, 160], [0.5, 0.5])
    anew = [0.55, pytest.approx(130 / 240)]
    assert told(units=(200, 160), some=(110, 80)) == ([200, 160], anew)
    # 100 more are told; that three more in all did it, those who met both included, is not.
    assert told(units=(300, 160), some=(123, 80), both_met=(40, 10)) == ([300, 160], anew)


def test_days_do_not_tell_by_subtraction_who_did_it_later_since_then(publisher: Publisher) -> None:
    """Ten more did it on each day, and 25 in all: 5 did it later, though no number moves by few."""

    def told(units: int, some: int, later: int, rest: int) -> tuple[list[int], list[float]]:
        found = publisher.publish((units, 100), (some, 50), later=later, rest=rest)
        days = found["experiment_days"].filter(variant="new")["effect"]
        return found["experiment_results"]["units"].to_list(), days.to_list()

    assert told(200, 100, 30, 20) == ([200, 100], [50 / 200, 30 / 200])
    assert told(240, 125, 40, 25) == ([240, 100], [50 / 200, 30 / 200])
    assert told(300, 150, 40, 50) == ([300, 100], [60 / 300, 40 / 300])


def test_days_do_not_tell_by_subtraction_who_did_it_on_other_days_since_then(publisher: Publisher) -> None:
    """25 more on the first day and 20 fewer after both: 5 more did it on others than the second."""
    publisher.publish((300, 100), (130, 50), later=30, rest=40)
    told = publisher.publish((400, 100), (175, 50), later=70, rest=20)
    assert told["experiment_results"]["units"].to_list() == [400, 100]
    assert told["experiment_days"].filter(variant="new")["effect"].to_list() == [60 / 300, 30 / 300]
    anew = publisher.publish((400, 100), (175, 50), later=60, rest=20)["experiment_days"].filter(
        variant="new"
    )
    assert anew["effect"].to_list() == [95 / 400, 60 / 400]


def test_both_ways_do_not_tell_by_subtraction_who_met_both_since_then(publisher: Publisher) -> None:
    """20 more without those who met both, 25 more with them: 5 met both, though no number moves by few."""

    def told(units: int, some: int, both_met: tuple[int, int]) -> tuple[list[int], list[float]]:
        found = publisher.publish((units, 160), (some, 80), both_met=both_met)
        both = found["experiment_both_ways"].filter(variant="new")["effect"]
        return found["experiment_results"]["units"].to_list(), both.to_list()

    assert told(160, 80, (40, 20)) == ([160, 160], [80 / 160, 100 / 200])
    assert told(180, 90, (45, 20)) == ([180, 160], [80 / 160, 100 / 200])
    assert told(220, 110, (60, 30)) == ([220, 160], [110 / 220, 140 / 280])
    # Nobody more met both, but of those who had, five more did it.
    assert told(260, 130, (60, 35)) == ([260, 160], [110 / 220, 140 / 280])
    # Of 65 who met both 45 did it: 15 more did, and 10 fewer did not.
    assert told(260, 130, (65, 45)) == ([260, 160], [110 / 220, 140 / 280])


def test_metrics_of_the_same_events_do_not_tell_by_subtraction_who_did_the_one_alone(
    publisher: Publisher,
) -> None:
    """20 more did the one and 15 the other."""

    def told(some: int, also: int) -> list[float]:
        return publisher.publish((200, 100), (some, 50), also=(also, 70))["experiment_results"][
            "mean"
        ].to_list()

    first = [100 / 200, 50 / 100, 60 / 200, 70 / 100]
    assert told(100, 60) == first
    assert told(120, 75) == first
    assert told(120, 60) == [120 / 200, 50 / 100, 60 / 200, 70 / 100]


def test_days_and_both_ways_are_not_told_of_what_was_published_with_another_definition(
    publisher: Publisher,
) -> None:
    """A metric of the same events that it had then would tell more of its days."""
    publisher.publish(
        (160, 160), (80, 80), also=(60, 60), without=("experiment_days", "experiment_both_ways")
    )
    told = publisher.publish((300, 300), (150, 150), definition="e")
    assert told["experiment_results"]["units"].to_list() == [300, 300]
    assert told["experiment_segments"].height == 4
    assert told["experiment_days"].is_empty() and told["experiment_both_ways"].is_empty()


FURTHER = ("experiment_segments", "experiment_days", "experiment_both_ways")


def test_what_was_never_told_waits_for_an_experiment_that_stays(publisher: Publisher) -> None:
    """When it is over, its arms stay for three late units: its days would add up to a total that is not told."""
    publisher.publish((100, 100), (50, 50), without=FURTHER)
    over = publisher.publish((103, 100), (53, 50))
    assert over["experiment_results"]["units"].to_list() == [100, 100]
    assert [over[name].height for name in FURTHER] == [0, 0, 0]
    anew = publisher.publish((160, 160), (80, 80))
    assert [anew[name].height for name in FURTHER] == [4, 4, 4]


def test_who_did_not_do_it_counts_too(publisher: Publisher) -> None:
    """20 more units of whom 14 did it: 6 did not."""
    publisher.publish((100, 100), (50, 50))
    told = publisher.publish((120, 100), (64, 50))
    assert told["experiment_results"]["mean"].to_list() == [0.5, 0.5]
    assert publisher.publish((120, 100), (60, 50))["experiment_results"]["mean"].to_list() == [0.5, 0.5]


def test_an_outcome_that_changes_of_the_same_units_is_one_unit_s(publisher: Publisher) -> None:
    publisher.publish((100, 100), (50, 50))
    told = publisher.publish((100, 100), (51, 50))
    assert told["experiment_results"]["mean"].to_list() == [0.5, 0.5]


def test_an_experiment_that_was_defined_anew_is_hidden_where_it_would_tell(publisher: Publisher) -> None:
    publisher.publish((100, 100), (50, 50))
    told = publisher.publish((104, 100), (50, 50), definition="e")
    results = told["experiment_results"]
    assert results["suppressed"].all() and results["mean"].null_count() == 2
    assert results["verdict"].to_list() == ["hidden"] * 2
    # What is hidden still says what it is of.
    assert results.select("title", "purpose").rows() == [("M", "primary")] * 2
    assert told["experiment_health"]["units"].to_list() == [None, None]


def test_nothing_is_noted_twice_and_nothing_internal_is_shown(publisher: Publisher) -> None:
    told = publisher.publish((100, 100), (50, 50))
    publisher.publish((100, 100), (50, 50))
    assert len(publisher.ledger.releases) == 1
    columns = {name for each in told.values() for name in each.columns}
    assert "some" not in columns and "definition_hash" not in told["experiment_results"].columns


def test_whether_a_split_holds_is_told_also_where_units_stay_hidden(publisher: Publisher) -> None:
    """5 units more are assigned than are compared: the split's units are hidden, its verdict is not."""
    for units in ((100, 100), (104, 100)):
        tables = computed(units, (50, 50), "", "d")
        more = tables["experiment_health"].with_columns(pl.col("units") + 5, verdict=pl.lit("as planned"))
        told, noted = hold_experiments(
            publisher.ledger, shown_experiments(tables | {"experiment_health": more}, K), K, publisher.at
        )
        publisher.ledger.append(publisher.at, noted)
        assert told["experiment_health"].select("units", "verdict").rows() == [(None, "as planned")] * 2


def test_units_that_come_and_go_are_told_in_steps(publisher: Publisher) -> None:
    assert publisher.publish((100, 100), (50, 50))["experiment_results"]["units_open"].to_list() == [20, 20]


def told_apart(publisher: Publisher, seed: int) -> list[tuple[int, int]]:
    """Units that arrive by chance over 25 days; lists what any two publications tell apart of few."""
    chance, units, some = np.random.default_rng(seed), np.array([60, 60]), np.array([30, 30])
    seen: list[list[tuple[int, int]]] = [[], []]
    for _ in range(25):
        new = chance.integers(0, 9, 2)
        units, some = units + new, some + chance.binomial(new, 0.5)
        told = publisher.publish(tuple(units.tolist()), tuple(some.tolist()))["experiment_results"]
        for arm, (n, mean) in enumerate(told.select("units", "mean").iter_rows()):
            if n is not None:
                seen[arm].append((n, round(n * mean)))
    few = []
    for arm_seen in seen:
        for (n, did), (m, also) in combinations(arm_seen, 2):
            apart = (abs(n - m), abs(did - also), abs((n - did) - (m - also)))
            few += [(n, m)] if any(0 < each < K for each in apart) else []
    return few


@pytest.mark.parametrize("seed", [1, 2])
def test_no_two_of_many_publications_tell_few_units_apart(publisher: Publisher, seed: int) -> None:
    assert told_apart(publisher, seed) == []
    assert len(publisher.ledger.releases) > 2, "something was told anew in between"


def test_the_attack_finds_what_a_publication_without_memory_gives_away(publisher: Publisher) -> None:
    publisher.forgetful = True
    assert told_apart(publisher, 1)


def told_apart_further(publisher: Publisher, seed: int) -> dict[str, list[tuple[int, int]]]:
    """Late lines over 40 days of an experiment that is over; lists what two publications tell apart of few.

    Of the days: who did it on each, on another one, later than both, and not on it; of both ways: who met both variants
    and who of them did it, and did not.
    """
    chance = np.random.default_rng(seed)
    # On the first day, on the second, later, never; met both and did it, and did not.
    units = np.array([60, 40, 30, 100, 30, 30])
    seen: dict[str, list[list[int]]] = {"experiment_days": [], "experiment_both_ways": []}
    for _ in range(40):
        units = units + chance.integers(0, 14, 6) * (chance.random(6) < 0.5)
        first, second, later, never, met, met_not = units.tolist()
        did = first + second + later
        told = publisher.publish(
            (did + never, 160), (did, 80), later=second, rest=later, both_met=(met + met_not, met)
        )
        numbers = {
            "experiment_days": [first, second, did, did - first, did - second, later, did + never - first],
            "experiment_both_ways": [met + met_not, met, met_not, did + met, did + never + met + met_not],
        }
        for name, rows in seen.items():
            if told[name].height and told[name]["held_since"].null_count() == told[name].height:
                rows.append(numbers[name])
    return {
        name: [(a, b) for one, other in combinations(rows, 2) for a, b in zip(one, other, strict=True)
               if 0 < abs(a - b) < K]
        for name, rows in seen.items()
    }  # fmt: skip


@pytest.mark.parametrize("seed", [3, 4])
def test_no_two_of_many_publications_tell_few_apart_by_days_or_both_ways(
    publisher: Publisher, seed: int
) -> None:
    assert told_apart_further(publisher, seed) == {"experiment_days": [], "experiment_both_ways": []}
    for name in ("experiment_days", "experiment_both_ways"):
        assert sum(name in release.cells for release in publisher.ledger.releases) > 2, (
            f"{name} was told anew"
        )


def test_the_attack_on_days_and_both_ways_finds_what_a_publication_without_memory_gives_away(
    publisher: Publisher,
) -> None:
    publisher.forgetful = True
    assert all(told_apart_further(publisher, 3).values())


def test_the_effect_of_a_release_stays_until_ten_people_came(tmp_path: Path) -> None:
    """The published number of people is in steps; the exact one decides."""
    ledger, at = PublicationLedger(tmp_path / "publications"), FIRST

    def told(people: int, effect: float) -> tuple[Any, ...]:
        nonlocal at
        row = {"release": "r", "metric": "m", "rung": "staggered", "effect": effect, "suppressed": False}
        row |= {
            "strongest": True,
            "intended": True,
            "credited": False,
            "verdict": "better",
            "unit": "percent",
        }
        shown = frame([row | {"people": people - people % K}], IMPACT)
        exact = frame([row | {"people": people}], ESTIMATES)
        held, noted = hold_impact(ledger, shown, exact, K, at)
        ledger.append(at, noted)
        at += timedelta(days=1)
        assert "exact" not in held.columns
        return held.select("people", "effect", "verdict").row(0)

    assert told(100, 0.5) == (100, 0.5, "better")
    assert told(104, 0.7) == (100, 0.5, "better")
    assert told(111, 0.8) == (110, 0.8, "better")
    assert told(111, 0.9) == (110, 0.9, "better")


def test_the_adoption_of_a_feature_stays_until_ten_people_came(tmp_path: Path) -> None:
    """The ledger counts publications, which are releases too: the two must not be taken for each other."""
    ledger = PublicationLedger(tmp_path / "publications")
    told = []
    for day, people in enumerate((100, 104, 120)):
        row = {"release": "2.1", "feature": "search", "kept_after_days": 7, "eligible": people, "tried": 50}
        cells = frame(
            [row | {"ripe": 40, "kept": 20, "suppressed": False}], {**ADOPTION, "suppressed": pl.Boolean}
        )
        tables = {"feature_adoption": cells}
        made = hold_back(ledger, tables, tables, min_people=K, at=FIRST + timedelta(days=day))
        ledger.append(FIRST + timedelta(days=day), made.released)
        told.append(made.tables["feature_adoption"].select("release", "eligible").row(0))
    assert told == [("2.1", 100), ("2.1", 100), ("2.1", 120)]
