"""Metrics that are made of other metrics: in which order they are computed, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from headway.errors import InputError
from headway.models.explain import listed
from headway.models.metrics import BaseMetric, CostPer
from headway.models.yaml_file import Problem

if TYPE_CHECKING:
    from headway.models.product import Product

Metrics = Mapping[str, BaseMetric]


def in_order(metrics: Metrics) -> tuple[str, ...]:
    """Orders metrics so that each comes after those it is made of.

    Args:
        metrics: Metrics by name.

    Returns:
        Their names.

    Raises:
        InputError: A metric is made of one that does not exist, or of itself.
    """
    done: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done:
            return
        if name not in metrics:
            raise InputError.unknown("metric", name, metrics)
        if name in above:
            raise InputError(f"{name} is made of itself: {_way((*above[above.index(name) :], name))}")
        for part in parts_of(metrics[name]):
            visit(part, (*above, name))
        done[name] = None

    for name in metrics:
        visit(name, ())
    return tuple(done)


def parts_of(metric: BaseMetric) -> tuple[str, ...]:
    """Returns the names of the metrics that a metric is made of, each once."""
    return tuple(dict.fromkeys(name for _, name in metric.components()))


def leaves_of(name: str, metrics: Metrics) -> tuple[str, ...]:
    """Lists the metrics, computed from the log, that a metric comes from in the end.

    Args:
        name: The metric.
        metrics: Metrics by name, none of them made of itself.

    Returns:
        Names in alphabetical order; of a metric computed from the log its own.
    """
    parts = parts_of(metrics[name])
    return tuple(sorted({leaf for part in parts for leaf in leaves_of(part, metrics)})) if parts else (name,)


def composition_problems(product: Product) -> Iterator[Problem]:
    """Lists what is wrong with metrics that are made of others.

    Args:
        product: A product whose shape is right.

    Yields:
        One problem each, with its place in the product's file.
    """
    metrics = product.metrics
    found = [
        *(each for name in metrics for each in _unknown(name, metrics)),
        *(each for name in metrics for each in _made_of_itself(name, metrics)),
    ]
    yield from found
    if not found:
        for name in metrics:
            yield from _grains(name, product)
            yield from _cost(name, product)


def _unknown(name: str, metrics: Metrics) -> Iterator[Problem]:
    for place, part in metrics[name].components():
        if part not in metrics:
            yield Problem(("metrics", name, *place), str(InputError.unknown("metric", part, metrics)))


def _made_of_itself(name: str, metrics: Metrics) -> Iterator[Problem]:
    for place, part in metrics[name].components():
        way = _way_back(part, name, metrics, ())
        if way:
            yield Problem(("metrics", name, *place), f"is made of itself: {_way((name, *way))}")


def _way_back(at: str, to: str, metrics: Metrics, gone: tuple[str, ...]) -> tuple[str, ...]:
    """The metrics that lead from one to another; none where no way does."""
    if at == to:
        return (*gone, at)
    if at in gone or at not in metrics:
        return ()
    for part in parts_of(metrics[at]):
        way = _way_back(part, to, metrics, (*gone, at))
        if way:
            return way
    return ()


def _way(names: tuple[str, ...]) -> str:
    return " -> ".join(names)


def _grains(name: str, product: Product) -> Iterator[Problem]:
    metric = product.metrics[name]
    parts = parts_of(metric)
    if not parts:
        return
    shared = set.intersection(*(set(product.grains_of(part)) for part in parts))
    told = "; ".join(f"{part}: {', '.join(product.grains_of(part))}" for part in parts)
    if not shared:
        place, _ = metric.components()[0]
        yield Problem(("metrics", name, *place), f"its metrics share no kind of period ({told})")
    for grain in metric.grains or ():
        if shared and grain not in shared:
            yield Problem(
                ("metrics", name, "grains"),
                f"{grain} is no kind of period that all its metrics have ({told})",
            )


def _cost(name: str, product: Product) -> Iterator[Problem]:
    metric = product.metrics[name]
    if not isinstance(metric, CostPer):
        return
    if not product.metrics[metric.per].is_count:
        counts = [each for each, known in product.metrics.items() if known.is_count]
        yield Problem(
            ("metrics", name, "per"), f"{metric.per!r} counts nothing; metrics that do: {listed(counts)}"
        )
    if metric.unit != product.currency:
        yield Problem(
            ("metrics", name, "unit"), f"costs are in the product's currency; write {product.currency}"
        )
