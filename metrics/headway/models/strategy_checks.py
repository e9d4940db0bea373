"""Checks of a strategy: every node has its place, every metric exists, every horizon comes after its start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from headway.models.explain import did_you_mean, listed
from headway.models.plan import TrackingPlan
from headway.models.product import Product
from headway.models.product_checks import selector_problems
from headway.models.strategy import LEVELS, SECTIONS, Bet, Node, Option, Strategy
from headway.models.yaml_file import Document, Location, Problem

_PARENTS: Mapping[str, tuple[str, ...]] = {
    "intents": ("intents",),
    "products": ("intents",),
    "initiatives": ("initiatives", "products", "intents"),
    "options": ("initiatives",),
}
"""Section -> sections whose nodes may stand above; intents and products may also stand directly below the vision."""

_AT_THE_TOP = ("intents", "products")


def shape_problems(document: Document) -> Iterator[Problem]:
    """Lists what keeps a strategy file from being read at all.

    Args:
        document: The file.

    Yields:
        One problem each.
    """
    if not isinstance(document.data, dict):
        yield Problem((), f"must be a mapping with any of {', '.join(SECTIONS)}")
        return
    for section, content in document.data.items():
        if section not in SECTIONS:
            hint = did_you_mean(section, SECTIONS)
            yield Problem((section,), f"unknown section; known: {', '.join(SECTIONS)}{hint}")
        elif content is not None and not isinstance(content, dict):
            yield Problem((section,), "must be a mapping of names to definitions")


def problems(strategy: Strategy, product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    """Lists everything that is wrong in a strategy whose shape is right.

    What is only missing is no error: ``headway.strategy.gaps`` lists it.

    Args:
        strategy: The tree.
        product: The product.
        plan: The tracking plan.

    Yields:
        One problem each, with its place.
    """
    yield from _names(strategy)
    yield from _places(strategy)
    yield from _cycles(strategy)
    for section, name, node in strategy.nodes():
        yield from _metrics(node, (section, name), product)
        if section == "initiatives" and not node.aims:
            yield Problem(
                (section, name),
                "an initiative needs an outcome: aims: [{metric: ...}] with a metric that tells whether people "
                "are better off",
            )
        if isinstance(node, Option):
            yield from _option(node, (section, name), product, plan)
    for name, team in strategy.teams.items():
        if team.value_stream and team.value_stream not in strategy.value_streams:
            yield Problem(
                ("teams", name, "value_stream"),
                _unknown("value stream", team.value_stream, strategy.value_streams),
            )


def _names(strategy: Strategy) -> Iterator[Problem]:
    """One name, one node: ``under`` names nodes of several levels."""
    often = Counter(name for _, name, _ in strategy.nodes())
    seen: set[str] = set()
    for section, name, _ in strategy.nodes():
        if often[name] > 1 and name in seen:
            yield Problem((section, name), "another node has the same name; give one of them another")
        seen.add(name)


def _places(strategy: Strategy) -> Iterator[Problem]:
    levels = {name: section for section, name, _ in strategy.nodes()}
    for section, name, node in strategy.nodes():
        at = (section, name)
        allowed = _PARENTS[section]
        fitting = [each for each, level in levels.items() if level in allowed and each != name]
        words = " or ".join(LEVELS[level] for level in allowed)
        if node.under is None:
            if section not in _AT_THE_TOP:
                yield Problem(
                    at, f"stands under nothing; add under: with the name of an {words} ({listed(fitting)})"
                )
        elif node.under not in levels:
            yield Problem((*at, "under"), _unknown("node", node.under, fitting))
        elif levels[node.under] not in allowed:
            above = LEVELS[levels[node.under]]
            yield Problem(
                (*at, "under"),
                f"an {LEVELS[section]} stands under an {words}, and {node.under!r} is an {above}",
            )


def _cycles(strategy: Strategy) -> Iterator[Problem]:
    above = {name: {node.under} if node.under else set() for _, name, node in strategy.nodes()}
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        around = list(reversed(error.args[1]))
        first = around[0]
        section = next(section for section, name, _ in strategy.nodes() if name == first)
        yield Problem(
            (section, first, "under"), f"goes in a circle: {' under '.join(around)}; let one stand elsewhere"
        )


def _metrics(node: Node, at: Location, product: Product) -> Iterator[Problem]:
    for position, aim in enumerate(node.aims):
        yield from _metric(aim.metric, (*at, "aims", position, "metric"), product)
        if aim.metric in product.metrics and aim.target is not None:
            yield from _period(aim.metric, aim.period, (*at, "aims", position, "period"), product)
    for position, metric in enumerate(node.guardrails):
        yield from _metric(metric, (*at, "guardrails", position), product)
    if node.kill:
        yield from _metric(node.kill.metric, (*at, "kill", "metric"), product)
        if node.kill.metric in product.metrics:
            yield from _period(node.kill.metric, node.kill.period, (*at, "kill", "period"), product)


def _metric(name: str, at: Location, product: Product) -> Iterator[Problem]:
    if name not in product.metrics:
        yield Problem(at, _unknown("metric", name, product.metrics))


def _period(metric: str, period: str, at: Location, product: Product) -> Iterator[Problem]:
    grains = product.grains_of(metric)
    if period not in grains:
        yield Problem(
            at,
            f"{metric} has no values by {period}; write one of {', '.join(grains)}, or add it to its grains",
        )


def _option(option: Option, at: Location, product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    for position, bet in enumerate(option.bets):
        yield from _metric(bet.metric, (*at, "bets", position, "metric"), product)
        if bet.metric in product.metrics:
            yield from _bet(bet, (*at, "bets", position), product)
    if option.income:
        yield from _metric(option.income, (*at, "income"), product)
        metric = product.metrics.get(option.income)
        if metric and metric.unit != product.currency:
            yield Problem(
                (*at, "income"),
                f"{option.income} is in {metric.unit}, not in {product.currency}; name a metric of money",
            )
    if option.feature:
        yield from selector_problems(option.feature, (*at, "feature"), plan)


def _bet(bet: Bet, at: Location, product: Product) -> Iterator[Problem]:
    direction = product.metrics[bet.metric].direction
    good = bet.low > 0 if direction == "up" else bet.high < 0
    if not good:
        side = "above" if direction == "up" else "below"
        yield Problem(
            at,
            f"the whole range must be {side} 0: for {bet.metric}, {direction} is good, and an effect of nothing or "
            "worse is none to bet on",
        )


def _unknown(kind: str, name: str, known: Mapping[str, object] | list[str]) -> str:
    return f"unknown {kind} {name!r}{did_you_mean(name, known)}; known: {listed(known)}"
