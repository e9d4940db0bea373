"""What stands against the promises of metrics whose published values are noisy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from headway.models.explain import listed
from headway.models.metrics import PRESENTATION, Count, Mean, Metric
from headway.models.privacy import Privacy
from headway.models.yaml_file import Location, Problem

if TYPE_CHECKING:
    from headway.models.product import Product

KINDS: Final = ("new_people", "share", "conversion", "retention", "count", "mean")
"""Kinds of metric in which a person's part has a bound: one each, or an amount that is cut off."""

_SLACK = 1e-9


def private_metrics(product: Product) -> dict[str, Privacy]:
    """Lists the metrics of a product whose published values are noisy.

    Args:
        product: The product.

    Returns:
        What each declares, by name.
    """
    return {name: each.privacy for name, each in product.metrics.items() if each.privacy is not None}


def privacy_problems(product: Product) -> Iterator[Problem]:
    """Lists what stands against the promises of metrics with noise.

    Args:
        product: A product whose shape is right, and whose metrics are made of metrics that exist.

    Yields:
        One problem each, with its place in the product's file.
    """
    found = private_metrics(product)
    for name, privacy in found.items():
        at: Location = ("metrics", name, "privacy")
        for message in (*_kind(product.metrics[name], privacy), *_budget(product, name, privacy)):
            yield Problem(at, message)
        yield from _told_elsewhere(product, name, at)
    if found:
        yield from _product_budget(product, found)


def _kind(metric: Metric, privacy: Privacy) -> Iterator[str]:
    if metric.kind not in KINDS:
        yield (
            f"what one person does to a metric of kind {metric.kind} has no bound that noise could hide; kinds that "
            f"have: {listed(KINDS)}"
        )
        return
    needed = isinstance(metric, Mean) or (isinstance(metric, Count) and metric.of.measure != "people")
    if needed and privacy.at_most is None:
        yield "needs at_most: what one person adds to a cell at most; noise must hide that much"
    if not needed and privacy.at_most is not None:
        yield "takes no at_most: a person counts once here; remove it"
    if privacy.at_most is not None and not _adds_values(metric) and privacy.at_most != int(privacy.at_most):
        yield f"at_most: {privacy.at_most:g} must be a whole number: what is counted here is whole"


def _adds_values(metric: Metric) -> bool:
    measure = metric.of.measure if isinstance(metric, Count) else getattr(metric, "measure", "")
    return bool(measure == "sum")


def _budget(product: Product, name: str, privacy: Privacy) -> Iterator[str]:
    grains = product.grains_of(name)
    cost = privacy.cost_of_month(grains)
    if cost > privacy.budget + _SLACK:
        by = " for everybody and by channel" if privacy.by_channel else ""
        yield (
            f"epsilon {privacy.epsilon:g} a cell spends up to {cost:g} a month on {', '.join(grains)}{by}; its budget "
            f"is {privacy.budget:g}; write budget: {cost:g}, a smaller epsilon, or fewer grains"
        )


def _told_elsewhere(product: Product, name: str, at: Location) -> Iterator[Problem]:
    """Exact numbers from which the noise could be taken off again."""
    metric = product.metrics[name]
    for other, each in product.metrics.items():
        if name in (part for _, part in each.components()):
            yield Problem(at, f"{other} is made of it, and would be published exactly; remove one of them")
        if other != name and each.privacy is None and _same_question(metric, each):
            yield Problem(
                at, f"{other} counts the same and is published exactly; give it privacy too, or remove it"
            )
    if isinstance(metric, Count) and metric.of.measure == "people" and metric.of.event == product.activity:
        yield Problem(
            at, "active_people publishes the same number exactly: it counts who did what activity: names"
        )


def _same_question(one: Metric, other: Metric) -> bool:
    return one.model_dump(exclude=set(PRESENTATION)) == other.model_dump(exclude=set(PRESENTATION))


def _product_budget(product: Product, found: Mapping[str, Privacy]) -> Iterator[Problem]:
    total = sum(float(each.budget) for each in found.values())
    allowed = product.publishing.privacy_budget
    at: Location = ("publishing", "privacy_budget")
    if allowed is None:
        yield Problem(
            at,
            f"is missing: say what all metrics with privacy may tell of a person in a month together; their budgets "
            f"add up to {total:g}",
        )
    elif total > allowed + _SLACK:
        yield Problem(
            at,
            f"{allowed:g} is less than the budgets of {listed(found)} together: {total:g}; raise it, or lower theirs",
        )
