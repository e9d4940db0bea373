"""Bets: what an option was expected to do to a metric, in a form that can be frozen before anybody sees the outcome."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from headway.models.product import Product
from headway.models.strategy import Bet, Option, Strategy


@dataclass(frozen=True)
class FrozenBet:
    """A bet with everything that decides how it is settled.

    Attributes:
        bet: Its name: option, metric and, where there is one, segment.
        option: The option that is bet on.
        initiative: The initiative whose problem the option is to solve.
        team: The team that owns the option, or the nearest node above that has an owner.
        metric: The metric.
        segment: Segment in which the effect is expected; None for everybody.
        direction: Which way is good for the metric.
        definition_hash: Definition of the metric at that time.
        scale: Whether effects are relative (fractions) or in the metric's unit.
        expect: Effect thought likeliest.
        low: Lower end of the range.
        high: Upper end.
        confidence: Stated probability that the effect lies within the range.
        probability: Stated probability of a hit, or None.
        start: First day of work, or None.
        horizon: Day on which it is settled.
        release: Id of the release that brings the option to people, or None.
        experiment: Experiment that tests it, or None.
        guardrails: Metrics that must not get worse.
    """

    bet: str
    option: str
    initiative: str
    team: str | None
    metric: str
    segment: str | None
    direction: Literal["up", "down"]
    definition_hash: str
    scale: Literal["relative", "absolute"]
    expect: float
    low: float
    high: float
    confidence: float
    probability: float | None
    start: dt.date | None
    horizon: dt.date
    release: str | None
    experiment: str | None
    guardrails: tuple[str, ...]

    def text(self) -> str:
        """Returns the bet as text that is the same for the same bet: JSON with sorted keys."""
        return json.dumps(
            asdict(self), sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False
        )

    @property
    def hash(self) -> str:
        """SHA-256 of `text`, in hexadecimal."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @classmethod
    def from_text(cls, text: str) -> FrozenBet:
        """Reads what `text` wrote.

        Args:
            text: The text.

        Returns:
            The bet.
        """
        said: dict[str, Any] = json.loads(text)
        known = {each.name for each in fields(cls)}
        said = {name: value for name, value in said.items() if name in known}
        start = said["start"]
        return cls(
            **{
                **said,
                "start": dt.date.fromisoformat(start) if start else None,
                "horizon": dt.date.fromisoformat(said["horizon"]),
                "guardrails": tuple(said["guardrails"]),
            }
        )


def bets_of(strategy: Strategy, product: Product) -> tuple[FrozenBet, ...]:
    """Lists the bets of a strategy as they would be frozen now.

    Args:
        strategy: The tree.
        product: The product, for the metrics' definitions.

    Returns:
        The bets of its options, in the tree's order.
    """
    return tuple(
        _frozen(name, option, bet, strategy, product)
        for name, option in strategy.options.items()
        for bet in option.bets
    )


def bet_name(option: str, bet: Bet) -> str:
    """Returns the name of a bet.

    Args:
        option: The option's name.
        bet: The bet.

    Returns:
        Option and metric, and the segment where there is one.
    """
    return f"{option}.{bet.metric}" + (f".{bet.segment}" if bet.segment else "")


def owner_of(name: str, strategy: Strategy) -> str | None:
    """Returns the team that owns a node: its own, or that of the nearest node above that has one.

    Args:
        name: The node.
        strategy: The tree.

    Returns:
        The team's name, or None where nobody owns it.
    """
    node = strategy.node(name)
    while node is not None and node.team is None:
        node = strategy.node(node.under) if node.under else None
    return node.team if node else None


def _frozen(name: str, option: Option, bet: Bet, strategy: Strategy, product: Product) -> FrozenBet:
    assert option.horizon is not None, "the model asks for a horizon where there are bets"
    return FrozenBet(
        bet=bet_name(name, bet),
        option=name,
        initiative=option.under or "",
        team=owner_of(name, strategy),
        metric=bet.metric,
        segment=bet.segment,
        direction=product.metrics[bet.metric].direction,
        definition_hash=product.definition_hash(bet.metric),
        scale=bet.scale,
        expect=float(bet.expect),
        low=float(bet.low),
        high=float(bet.high),
        confidence=bet.confidence,
        probability=bet.probability,
        start=option.start,
        horizon=option.horizon,
        release=option.release,
        experiment=option.experiment,
        guardrails=option.guardrails,
    )
