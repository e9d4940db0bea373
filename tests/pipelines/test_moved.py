"""What moved, as it is published: from what is shown alone, and adding up on the demo."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest

from headway.moved import metric_changes, metric_effects, moves
from headway.moved.decomposition import DO_NOT_ADD_UP, RATES, SUMS
from headway.moved.pairs import BEFORE, CUT
from headway_pipelines.publishing.publish import publish
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

MOVED = ("metric_changes", "metric_effects", "metric_anomalies")
CELL = ("metric", "segment", "period", "period_start")
Tables = Mapping[str, pl.DataFrame]


class DemoWorkspace(Protocol):
    """The shared demo of the tests."""

    root: Path


@pytest.fixture(scope="module")
def inside(demo_workspace: DemoWorkspace) -> Tables:
    return tables_of(Workspace(demo_workspace.root).metrics_db)


@pytest.fixture(scope="module")
def outside(demo_workspace: DemoWorkspace) -> Tables:
    return tables_of(Workspace(demo_workspace.root).published_db)


def published(tables: Tables, root: Path, demo: Path) -> Tables:
    """What becomes of computed tables, by the definitions of the demo."""
    workspace = Workspace(root)
    for name in ("tracking_plan.yml", "product.yml"):
        shutil.copy(demo / name, root)
    shutil.copytree(demo / "metrics", root / "metrics")
    replace_database(workspace.metrics_db, tables)
    # As often as the demo: what is published again is compared with what was published.
    publish(workspace)
    publish(workspace)
    return tables_of(workspace.published_db)


def test_what_hidden_cells_hide_changes_nothing(
    inside: Tables, outside: Tables, demo_workspace: DemoWorkspace, tmp_path: Path
) -> None:
    """Other values in all hidden cells, the same people: the same file."""
    hidden = pl.Series(outside["metric_values"]["suppressed"])
    values = inside["metric_values"]
    free = hidden & ~values["estimate"].is_in(["proportion", "promoter_score", "ratio"])
    other = values.with_columns(
        *(
            pl.when(hidden).then(pl.col(name) * 7 + 0.5).otherwise(name).alias(name)
            for name in ("value", "low", "high")
        ),
        *(
            pl.when(free).then(pl.col(name) * 3 + 1).otherwise(name).alias(name)
            for name in ("numerator", "denominator")
        ),
    )
    assert hidden.sum() > 500 and not other.equals(values)
    found = published({**inside, "metric_values": other}, tmp_path, demo_workspace.root)
    assert found["metric_values"].equals(outside["metric_values"])
    for name in MOVED:
        assert found[name].equals(outside[name]), name


def test_only_shown_values_are_compared(outside: Tables) -> None:
    shown = (
        outside["metric_values"].unique(CELL, keep="first").select(*CELL, "value", "complete", "suppressed")
    )
    changes = outside["metric_changes"].join(shown, on=CELL, suffix="_shown", how="left")
    earlier = shown.rename({"period_start": "period_before"})
    changes = changes.join(
        earlier, on=["metric", "segment", "period", "period_before"], suffix="_earlier", how="left"
    )
    moved = changes.filter(pl.col("change").is_not_null())
    assert moved.height > 50
    assert (moved["change"] == moved["value_shown"] - moved["value_earlier"]).all()
    assert (moved["complete"] & moved["complete_earlier"]).all()
    assert not (moved["suppressed"] | moved["suppressed_earlier"]).any()
    still = changes.filter(pl.col("change").is_null())
    assert still["reason"].null_count() == still["low"].count() == still["high"].count() == 0


def test_effects_add_up_to_the_changes_of_the_demo(inside: Tables, outside: Tables) -> None:
    """Every metric of the demo is made of its segments, before anything is hidden and after."""
    values = inside["metric_values"]
    kinds = dict(values.select("metric", "estimate").unique().iter_rows())
    assert set(kinds.values()) & (set(RATES) | set(SUMS))
    keys = ["metric", "period", "period_start", "compared_with"]
    for effects, changes, least in (
        (metric_effects(values, kinds), metric_changes(values), 200),
        (outside["metric_effects"], outside["metric_changes"], 1),
    ):
        assert DO_NOT_ADD_UP not in set(effects["reason"])
        sums = effects.group_by(*keys, "dimension").agg(
            pl.col("effect").sum(), whole=pl.col("effect").is_not_null().all()
        )
        found = sums.filter("whole").join(changes.filter(segment="all"), on=keys)
        assert found.height >= least
        assert (found["effect"] - found["change"]).abs().max() < 1e-9  # type: ignore[operator]


def test_periods_in_which_the_log_begins_are_not_compared(
    inside: Tables, demo_workspace: DemoWorkspace, tmp_path: Path
) -> None:
    values = inside["metric_values"]
    weeks = values.filter(period="week")["period_start"].unique().sort()
    second: date = weeks[1]
    # Half past ten at night in UTC is the next day in Berlin: the third week begins with the log.
    sunday = datetime.combine(weeks[2], datetime.min.time()) - pl.select(pl.duration(minutes=90)).item()
    info = inside["run_info"].with_columns(first_event_at=pl.lit(sunday))
    cut = published({**inside, "run_info": info}, tmp_path, demo_workspace.root)["metric_changes"].filter(
        segment="all", period="week", compared_with="previous"
    )
    assert cut["period_start"].min() == weeks[2]
    third = cut.filter(period_start=weeks[2])
    assert set(third["period_before"]) == {second}
    assert third["change"].null_count() == third.height
    assert BEFORE + CUT in set(third["reason"])


def test_a_report_can_say_what_moved_most(outside: Tables) -> None:
    found = moves(outside["metric_changes"], outside["metric_effects"])
    assert len({each.metric for each in found}) == len(found) > 5
    evidence = [each.evidence for each in found if each.evidence is not None]
    assert evidence == sorted(evidence, reverse=True)
    for each in found:
        for dimension in each.whole:
            parts = sum(effect.effect for effect in each.effects if effect.dimension == dimension)
            assert parts == pytest.approx(each.change, abs=1e-9)
