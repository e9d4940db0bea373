"""A definition that was changed while its experiment ran: seen, dated, and nothing concluded from it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import headway as hw
from headway.models.experiments import ExperimentDefinition
from headway.models.product import Product
from headway_pipelines.warehouse.experiment_history import changed_definitions
from headway_pipelines.warehouse.experiments import experiment_tables, shown_results
from headway_pipelines.warehouse.release_impact import randomised

START = date(2026, 3, 10)


def defined(**changed: Any) -> dict[str, ExperimentDefinition]:
    told = {
        "title": "Cart", "hypothesis": "Shorter is better.", "exposure": {"event": "Exposed"}, "start": START,
        "variants": {"old": 0.5, "new": 0.5}, "end": date(2026, 4, 1), "primary": ["buying"], **changed,
    }  # fmt: skip
    return {"cart": ExperimentDefinition.model_validate(told)}


def test_what_changes_before_the_start_or_back_again_is_no_matter(tmp_path: Path) -> None:
    file = tmp_path / "state" / "experiments.jsonl"
    other = defined(primary=["activation"])
    assert changed_definitions(file, other, date(2026, 3, 1)) == {}
    assert changed_definitions(file, defined(), date(2026, 3, 9)) == {}
    assert changed_definitions(file, defined(title="Another name"), date(2026, 3, 12)) == {}
    assert changed_definitions(file, other, date(2026, 3, 15)) == {"cart": date(2026, 3, 15)}
    assert changed_definitions(file, other, date(2026, 3, 20)) == {"cart": date(2026, 3, 15)}
    assert changed_definitions(file, defined(), date(2026, 3, 21)) == {}
    assert len(file.read_text().splitlines()) == 4


def test_what_no_run_saw_before_the_start_is_what_it_began_with(tmp_path: Path) -> None:
    file = tmp_path / "experiments.jsonl"
    assert changed_definitions(file, defined(), date(2026, 3, 20)) == {}
    assert changed_definitions(file, defined(alpha=0.1), date(2026, 3, 21)) == {"cart": date(2026, 3, 21)}


def test_a_line_that_was_being_written_when_a_run_was_killed_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "experiments.jsonl"
    changed_definitions(file, defined(), date(2026, 3, 1))
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:30])
    assert changed_definitions(file, defined(alpha=0.1), date(2026, 3, 12)) == {"cart": date(2026, 3, 12)}
    assert len(file.read_text().splitlines()) == 2


@pytest.mark.parametrize("changed", [True, False])
def test_of_a_changed_definition_nothing_is_concluded_and_nothing_credited(changed: bool) -> None:
    rows: list[tuple[str, str, datetime, str | None]] = []
    for unit in range(200):
        arm, who = ("old", "new")[unit % 2], f"u{unit}"
        rows.append((who, "Exposed", datetime(2026, 3, 11), arm))
        if unit % (3 if unit % 2 else 10) == 0:
            rows.append((who, "Paid", datetime(2026, 3, 12), None))
    names = ("person", "event", "occurred_at", "variant")
    log = hw.EventLog(pl.DataFrame(rows, schema=names, orient="row"), horizon=datetime(2026, 5, 1))
    shop = {"name": "Shop", "timezone": "UTC", "currency": "EUR", "activity": "Paid"}
    outcome = {"outcome": {"name": "paying", "of": "Paid", "within": "7d"}}
    asked = defined(primary=[outcome])
    days = {"cart": date(2026, 3, 15)} if changed else {}
    tables = experiment_tables(
        log, Product.model_validate(shop), asked, as_of=datetime(2026, 5, 1), changed=days
    )
    listed = tables["experiments"].row(0, named=True)
    row = tables["experiment_results"].filter(variant="new").row(0, named=True)
    log_rows = pl.DataFrame({"release": ["v1"], "experiment": ["cart"]})
    _, health = shown_results(tables["experiment_results"], tables["experiment_health"], 10)
    shown = {**tables, "experiment_health": health}
    (result,) = randomised(log_rows, shown)
    if not changed:
        assert (listed["decision"], row["verdict"], result.refused) == ("ship", "better", "")
        return
    assert (listed["decision"], listed["ships"]) == ("inconclusive", None)
    assert listed["why"].startswith("its definition was changed after it had begun, first seen on 2026-03-15")
    assert row["verdict"] == "not judged" and row["caution"] == listed["why"]
    assert result.refused == "its definition was changed after it had begun"
