"""Sums that must come out: parts of one whole, declared as metrics of their own, have to add up to it.

A wrong join or a lost event rarely makes a single number look wrong. It makes parts miss their whole.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from headway.frameworks.segments import CHANNEL
from headway.models.metrics import PRESENTATION, BaseMetric, Count, Lifecycle, Mrr, Task
from headway.models.product import Product

_SLACK = 1e-9
_KEYS = ("segment", "period", "period_start")


@dataclass(frozen=True)
class Identity:
    """A sum that must be 0 in every cell.

    Attributes:
        name: What adds up.
        terms: Sign (+1 or -1), metric, and how many periods later its value is taken (0 or 1).
    """

    name: str
    terms: tuple[tuple[int, str, int], ...]


_BRIDGE: Final = {
    "opening": 1,
    "new": 1,
    "reactivation": 1,
    "expansion": 1,
    "contraction": -1,
    "churned": -1,
    "closing": -1,
}


def identities(product: Product) -> tuple[Identity, ...]:
    """Lists what must add up among the metrics a product declares.

    * opening + new + reactivation + expansion - contraction - churned = closing, and closing = the next opening
    * new + returning + resurrected = active people, and of these returning and dormant ones make up the next period
    * attempts that succeed, fail and are abandoned = attempts

    Args:
        product: The product.

    Returns:
        Identities whose metrics are all declared, with the same definition but for the part.
    """
    found: list[Identity] = []
    for parts in _families(product, Mrr, "part"):
        if set(_BRIDGE) <= set(parts):
            terms = tuple((sign, parts[part], 0) for part, sign in _BRIDGE.items())
            found.append(Identity("the bridge of recurring revenue", terms))
        if {"opening", "closing"} <= set(parts):
            terms = ((1, parts["closing"], 0), (-1, parts["opening"], 1))
            found.append(Identity("recurring revenue from month to month", terms))
    for parts in _families(product, Lifecycle, "part"):
        active = ("new", "returning", "resurrected")
        if not set(active) <= set(parts):
            continue
        now = tuple((1, parts[part], 0) for part in active)
        if "dormant" in parts:
            later = ((-1, parts["returning"], 1), (-1, parts["dormant"], 1))
            found.append(Identity("active people stay or leave", (*now, *later)))
        counted = _people_who_did(product, parts["new"])
        found += [
            Identity("active people are new or were here before", (*now, (-1, each, 0))) for each in counted
        ]
    for parts in _families(product, Task, "outcome"):
        if {"success", "failure", "abandoned"} == set(parts):
            found.append(Identity("attempts end one way", tuple((1, each, 0) for each in parts.values())))
    return tuple(found)


def broken_identities(product: Product, values: pl.DataFrame) -> list[str]:
    """Checks what must add up.

    Args:
        product: The product.
        values: Its metric values before suppression, see `headway.frameworks.metric_values`.

    Returns:
        One sentence per identity that fails, with the number of cells and the first period: no numbers of people.

    Examples:
        >>> from headway.frameworks.values import SCHEMA
        >>> shop = Product(name="Shop", timezone="UTC", currency="EUR", activity={"event": ["Paid"]})
        >>> broken_identities(shop, pl.DataFrame(schema=SCHEMA))
        []
    """
    told = []
    for identity in identities(product):
        wrong = _misses(identity, values, product)
        if wrong.height:
            metrics = ", ".join(dict.fromkeys(name for _, name, _ in identity.terms))
            told.append(
                f"{identity.name} ({metrics}): {wrong.height} cells do not add up, the first in the "
                f"{wrong['period'][0]} of {wrong['period_start'][0]}"
            )
    return told


def alike(product: Product, kind: type[BaseMetric], field: str) -> Iterator[Mapping[str, Any]]:
    """Groups metrics of a kind that measure the same but for one field.

    Args:
        product: The product.
        kind: The kind of metric.
        field: The field in which they may differ, for example ``part``.

    Yields:
        Name of the metric -> its value of the field, one mapping per group.
    """
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, metric in product.metrics.items():
        if isinstance(metric, kind):
            content = metric.model_dump(mode="json", exclude={*PRESENTATION, "unit", field})
            groups[json.dumps(content, sort_keys=True)][name] = getattr(metric, field)
    yield from groups.values()


def _families(product: Product, kind: type[BaseMetric], field: str) -> Iterator[Mapping[str, str]]:
    """Groups metrics that differ by their part alone: part -> name of the first metric that is it."""
    for group in alike(product, kind, field):
        yield {part: name for name, part in reversed(list(group.items()))}


def _people_who_did(product: Product, lifecycle: str) -> list[str]:
    """Names counts of the people whom a metric of the life cycle calls active."""
    metric = product.metrics[lifecycle]
    assert isinstance(metric, Lifecycle)
    return [
        name
        for name, each in product.metrics.items()
        if isinstance(each, Count) and each.of.measure == "people" and each.of.event == metric.of
    ]


def _misses(identity: Identity, values: pl.DataFrame, product: Product) -> pl.DataFrame:
    """Finds the cells in which the terms do not add up, of those that have all of them."""
    whole: pl.DataFrame | None = None
    as_shares = isinstance(product.metrics[identity.terms[0][1]], Task)
    # Labels as of a time may change from one period to the next; the first channel of a person does not.
    lasting = (pl.col("segment") == "all") | pl.col("segment").str.starts_with(f"{CHANNEL}=")
    later = any(shift for _, _, shift in identity.terms)
    for number, (sign, name, shift) in enumerate(identity.terms):
        rows = values.filter(pl.col("metric") == name).unique(_KEYS, keep="first")
        if later:
            rows = rows.filter(lasting)
        amount = pl.col("numerator") if as_shares else pl.col("value")
        term = rows.sort(_KEYS).select(
            *_KEYS,
            (sign * amount.shift(-shift).over("segment", "period")).alias(f"t{number}"),
            pl.col("denominator").alias(f"d{number}"),
        )
        whole = term if whole is None else whole.join(term, on=_KEYS)
    assert whole is not None
    parts = [pl.col(f"t{number}") for number in range(len(identity.terms))]
    total = pl.sum_horizontal(parts)
    if as_shares:
        total = total - pl.col("d0")
    size = pl.sum_horizontal(part.abs() for part in parts) + 1
    known = pl.all_horizontal(part.is_not_null() for part in parts)
    return whole.filter(known & (total.abs() > _SLACK * size)).sort("period_start", "period")
