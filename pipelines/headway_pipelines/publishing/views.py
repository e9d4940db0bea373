"""The views of the published database: one per framework and one per metric, over suppressed cells alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import polars as pl
from sqlglot import exp

from headway.engine.sql import bind, load, with_inputs
from headway.models.metrics import STAGES
from headway_pipelines.publishing.comments import TABLE_COMMENTS

_HERE = "headway_pipelines.publishing"

_ASKS = {
    "aarrr": "acquisition, activation, retention, referral and revenue",
    "heart": "happiness, engagement, adoption, retention and task success",
    "customer": "how people are served who ask for help",
    "quality": "the product itself as a feature: reliability, speed, availability",
}

_ADVICE = (
    "Choose one period and one dimension before adding up or averaging; latest marks the last complete period. "
    "Cells of few people are null and marked."
)


@dataclass(frozen=True)
class View:
    """A view of the published database.

    Attributes:
        query: Its query, over ``metric_values`` and ``metric_catalogue``.
        comment: What one row of it is.
    """

    query: str
    comment: str


def views(catalogue: pl.DataFrame) -> dict[str, View]:
    """Lists the views over the published metric values.

    Args:
        catalogue: The rows of ``metric_catalogue``.

    Returns:
        Name -> view: ``aarrr``, ``heart``, ``customer`` and ``quality``, then one view per metric; see `view_names`.
    """
    names = view_names(catalogue["metric"].unique(maintain_order=True).to_list())
    first = catalogue.unique("metric", keep="first", maintain_order=True)
    return {name: _of_framework(name) for name in STAGES} | {
        names[row["metric"]]: _of_metric(row) for row in first.iter_rows(named=True)
    }


def view_names(metrics: list[str]) -> dict[str, str]:
    """Names the view of each metric: ``metric_`` and its name, with a number where a table has that name.

    Args:
        metrics: Names of metrics.

    Returns:
        Metric -> name of its view, no two alike.

    Examples:
        >>> view_names(["activation", "values"])
        {'activation': 'metric_activation', 'values': 'metric_values_2'}
    """
    plain = {metric: f"metric_{metric}" for metric in metrics}
    taken = {*TABLE_COMMENTS, *plain.values()}
    found = {}
    for metric, name in plain.items():
        free = (name,) if name not in TABLE_COMMENTS else (f"{name}_{number}" for number in count(2))
        found[metric] = next(each for each in free if each == name or each not in taken)
        taken.add(found[metric])
    return found


def with_view_names(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Adds to each metric of the catalogue which view shows its values.

    Args:
        catalogue: The rows of ``metric_catalogue``.

    Returns:
        The rows with the column ``view_name``.
    """
    names = view_names(catalogue["metric"].unique(maintain_order=True).to_list())
    shown = [names[metric] for metric in catalogue["metric"]]
    return catalogue.with_columns(view_name=pl.Series(shown, dtype=pl.String))


def _of_framework(framework: str) -> View:
    query = bind(load(_HERE, "view_framework.sql"), {"framework": framework})
    comment = (
        f"One row per stage, metric, segment and period of {_ASKS[framework]}: value, interval, target, definition. "
        + _ADVICE
    )
    return View(_over_cells(query), comment)


def _of_metric(row: Mapping[str, Any]) -> View:
    place = {name: row[name] for name in ("metric", "framework", "stage")}
    asked = f"{row['title']}: {row['question']}" if row["question"] else row["title"]
    comment = f"{asked} One row per segment and period. {row['definition']} {_ADVICE}"
    return View(_over_cells(bind(load(_HERE, "view_metric.sql"), place)), comment)


def _over_cells(query: str) -> str:
    places = [exp.convert(f"{framework} {stage}") for framework in STAGES for stage in STAGES[framework]]
    return with_inputs(query, {"cells": bind(load(_HERE, "published_cells.sql"), {"places": places})})
