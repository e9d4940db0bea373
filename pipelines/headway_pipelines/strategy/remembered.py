"""Options that were taken out of the files after something was bet on them: what they did still counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headway.models.strategy import Bet, Option, Strategy
from headway.strategy import FrozenBet
from headway_pipelines.strategy.follow import History


def with_remembered(strategy: Strategy, histories: Mapping[str, History]) -> Strategy:
    """Adds the options that only the ledger of bets still knows.

    Deleting an option that failed would otherwise improve the share of work that helped. An option that was only given
    another name is there already: the release or experiment that told of it is named by another one.

    Args:
        strategy: The tree, as the files have it.
        histories: Bet -> what the ledger knows of it.

    Returns:
        The tree with these options, as they were when they were frozen.
    """
    named = {
        each for option in strategy.options.values() for each in (option.release, option.experiment) if each
    }
    gone: dict[str, list[FrozenBet]] = {}
    for history in histories.values():
        bet = history.bet
        if bet.option not in strategy.options and not named & {bet.release, bet.experiment}:
            gone.setdefault(bet.option, []).append(bet)
    remembered = {name: _option(name, bets) for name, bets in gone.items()}
    return strategy.model_copy(update={"options": {**strategy.options, **remembered}})


def _option(name: str, bets: Iterable[FrozenBet]) -> Option:
    first, *others = bets
    return Option(
        title=name,
        under=first.initiative or None,
        team=first.team,
        guardrails=first.guardrails,
        horizon=first.horizon,
        release=first.release,
        experiment=first.experiment,
        bets=tuple(
            Bet(
                metric=bet.metric, expect=bet.expect, low=bet.low, high=bet.high, scale=bet.scale,
                confidence=bet.confidence, probability=bet.probability, segment=bet.segment,
            )
            for bet in (first, *others)
        ),
    )  # fmt: skip


__all__ = ["with_remembered"]
