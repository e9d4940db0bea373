"""The demo's worlds after a run: what was planted and what was computed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import polars as pl

from headway_pipelines.demo import Scenario
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

SCENARIO = Scenario(people=2000, days=60, seed=7, shared_device=0.0, bots=0.01)
CHANNELS = tuple(SCENARIO.channel_share)


class DemoWorkspace(Protocol):
    """The shared demo of the tests."""

    root: Path


@dataclass(frozen=True)
class Computed:
    """A workspace after a run: what was planted and what was computed."""

    root: Path
    truth: dict[str, Any]
    tables: dict[str, pl.DataFrame]

    def weekly(self, metric: str, segment: str) -> list[tuple[float, int]]:
        """Numerator and people of every local week."""
        rows = self.tables["metric_values"].filter(metric=metric, segment=segment, period="week")
        rows = rows.filter(framework=rows["framework"][0]).sort("period_start")
        assert [str(day) for day in rows["period_start"]] == self.truth["range"]["week_starts"]
        return list(zip(rows["numerator"], rows["people"], strict=True))

    def planted(self, metric: str, segment: str) -> list[tuple[float, int]]:
        table = self.truth["metrics"][metric][segment]
        return list(zip(table["weekly_numerator"], map(int, table["weekly_denominator"]), strict=True))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        con = duckdb.connect(str(Workspace(self.root).explore_db), read_only=True)
        try:
            return con.execute(query).fetchall()
        finally:
            con.close()


def computed(root: Path) -> Computed:
    truth = json.loads((root / "truth.json").read_text(encoding="utf-8"))
    return Computed(root, truth, tables_of(Workspace(root).metrics_db))
