"""Arms of experiments for tests, as they are shown to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from headway_pipelines.warehouse.experiment_differences import ALIKE
from headway_pipelines.warehouse.experiments import HEALTH, RESULTS, shown_results

K = 10


def result_rows(
    metric: str,
    units: tuple[int, int],
    some: tuple[int | None, int | None],
    alike: Sequence[str] = (),
    window: tuple[float, float] | None = None,
) -> list[dict[str, Any]]:
    """A metric of two arms: units, those who did it, metrics that read the same events, and its window in days."""
    opens, closes = (None, None) if window is None else (round(each * 86_400_000_000) for each in window)
    empty: dict[str, Any] = dict.fromkeys(RESULTS)
    return [
        {**empty, "experiment": "e", "metric": metric, "variant": v, "units": n, "units_open": 0, "some": s,
         "mean": 0.5, "verdict": "better", "alike": list(alike) or [metric],
         "opens": opens, "closes": closes}
        for v, n, s in zip(("old", "new"), units, some, strict=True)
    ]  # fmt: skip


def shown(
    *rows: list[dict[str, Any]], split: tuple[int, int] = (100, 100)
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Results and health as they are shown, of the given metrics and of how units were split."""
    empty: dict[str, Any] = dict.fromkeys(HEALTH)
    health = [
        {
            **empty,
            "experiment": "e",
            "check": "split all",
            "variant": v,
            "units": n,
            "expected": 100.0,
            "p_value": 0.12345,
        }
        for v, n in zip(("old", "new"), split, strict=True)
    ]
    frame = pl.DataFrame([row for part in rows for row in part], schema=RESULTS | ALIKE)
    return shown_results(frame, pl.DataFrame(health, schema=HEALTH), K)  # fmt: skip
