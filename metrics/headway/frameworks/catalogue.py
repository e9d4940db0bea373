"""The catalogue of a product's metrics: what each one asks, means and aims at."""

from __future__ import annotations

from typing import Final

import polars as pl

from headway.models.product import Product

SCHEMA: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "framework": pl.String(),
    "stage": pl.String(),
    "title": pl.String(),
    "question": pl.String(),
    "goal": pl.String(),
    "signal": pl.String(),
    "owner": pl.String(),
    "kind": pl.String(),
    "unit": pl.String(),
    "direction": pl.String(),
    "target_value": pl.Float64(),
    "target_by": pl.Date(),
    "target_period": pl.String(),
    "limit_value": pl.Float64(),
    "definition": pl.String(),
    "definition_hash": pl.String(),
}
"""Columns and types of the catalogue, in order."""


def metric_catalogue(product: Product) -> pl.DataFrame:
    """Lists a product's metrics with their definitions in plain words.

    Args:
        product: The product.

    Returns:
        One row per metric, framework and stage, in the product's order; see `SCHEMA`.
    """
    rows = [
        {
            "metric": name,
            "framework": framework,
            "stage": stage,
            "title": metric.title,
            "question": metric.question,
            "goal": metric.goal,
            "signal": metric.signal,
            "owner": metric.owner,
            "kind": metric.kind,
            "unit": metric.unit,
            "direction": metric.direction,
            "target_value": float(metric.target.value) if metric.target else None,
            "target_by": metric.target.by if metric.target else None,
            "target_period": metric.target.period if metric.target else None,
            "limit_value": None if metric.limit is None else float(metric.limit),
            "definition": metric.definition(),
            "definition_hash": product.definition_hash(name),
        }
        for name, metric in product.metrics.items()
        for framework, stage in metric.places()
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
