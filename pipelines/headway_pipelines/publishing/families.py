"""Metrics that are parts of one whole: who sees all of them but one can work that one out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from headway.frameworks.identities import alike
from headway.models.metrics import (
    Count,
    Lifecycle,
    Mean,
    Mrr,
    Retained,
    Share,
    Stickiness,
    Task,
)
from headway.models.product import Product

SCHEMA: Final[dict[str, pl.DataType]] = {"family": pl.Int64(), "metric": pl.String(), "role": pl.String()}
"""Columns and types of the families."""

_GONE = ("dormant", "churn", "quick_ratio")


def families(product: Product) -> pl.DataFrame:
    """Lists the metrics of a product that are parts of one whole, by declaration.

    * new, returning and resurrected people are the active ones; returning and dormant ones those active before
    * attempts that succeed, fail and are abandoned are the attempts
    * people whose start was answered in time, and the others, are the cohort
    * the parts of the bridge of recurring revenue lead from opening to closing

    Args:
        product: The product.

    Returns:
        One row per family and metric; `role` is ``part``, ``whole`` (hidden by its own numbers alone), or ``gone``:
        a part that also speaks of the whole of the period before.

    Examples:
        >>> families(Product(name="Shop", timezone="UTC", currency="EUR", activity={"event": ["Paid"]})).height
        0
    """
    found = [*_lifecycles(product), *_tasks(product), *_answered(product), *_bridges(product)]
    rows = [(number, *row) for number, family in enumerate(found) for row in family.items()]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _lifecycles(product: Product) -> Iterator[Mapping[str, str]]:
    for parts in alike(product, Lifecycle, "part"):
        metric = product.metrics[next(iter(parts))]
        assert isinstance(metric, Lifecycle)
        roles = {name: "gone" if part in _GONE else "part" for name, part in parts.items()}
        yield roles | dict.fromkeys(_people_active(product, metric), "whole")


def _people_active(product: Product, lifecycle: Lifecycle) -> list[str]:
    """Names the metrics that tell how many people are active, counts of them if there are any."""
    counts, others = [], []
    for name, each in product.metrics.items():
        if isinstance(each, Count) and each.of.event == lifecycle.of and each.of.measure == "people":
            counts.append(name)
        elif isinstance(each, Mean | Share | Stickiness) and each.of == lifecycle.of:
            others.append(name)
    return counts or others


def _tasks(product: Product) -> Iterator[Mapping[str, str]]:
    yield from (dict.fromkeys(parts, "part") for parts in alike(product, Task, "outcome"))


def _bridges(product: Product) -> Iterator[Mapping[str, str]]:
    for parts in alike(product, Mrr, "part"):
        yield {name: "whole" if part in ("opening", "closing") else "part" for name, part in parts.items()}


def _answered(product: Product) -> Iterator[Mapping[str, str]]:
    """Halves of a cohort: the same but for `in_time`, beside the cohort as it is."""
    for cohort in alike(product, Retained, "answered"):
        halves: dict[str, dict[str, str]] = defaultdict(dict)
        for name, answered in cohort.items():
            if answered is not None:
                content = answered.model_dump(mode="json", exclude={"in_time"})
                halves[json.dumps(content, sort_keys=True)][name] = "part"
        wholes = {name: "whole" for name, answered in cohort.items() if answered is None}
        yield from (half | wholes for half in halves.values())
