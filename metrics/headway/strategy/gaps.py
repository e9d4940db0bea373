"""What a strategy does not say yet: nothing here is an error, everything is a question to a team."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from headway.models.explain import did_you_mean
from headway.models.strategy import RISKS, Initiative, Intent, Node, Option, Strategy
from headway.strategy.bets import owner_of

_OPEN = ("proposed", "active")


@dataclass(frozen=True)
class Gap:
    """Something that is missing.

    Attributes:
        section: Section of the node, or ``vision``.
        node: The node's name; empty for the vision.
        missing: What is missing, as one word or two.
        ask: What to write, kindly.
    """

    section: str
    node: str
    missing: str
    ask: str


def gaps(strategy: Strategy, *, today: dt.date) -> tuple[Gap, ...]:
    """Lists what is missing in a strategy.

    Args:
        strategy: A tree without errors.
        today: The day on which it is looked at.

    Returns:
        What is missing, from the top down; nothing for an empty strategy.
    """
    nodes = list(strategy.nodes())
    if not nodes and strategy.vision is None:
        return ()
    return (
        *_vision(strategy),
        *(gap for section, name, node in nodes for gap in _node(section, name, node, strategy, today)),
        *_overlaps(strategy),
    )


def _vision(strategy: Strategy) -> Iterator[Gap]:
    if strategy.vision is None:
        yield Gap("vision", "", "vision", "Where is the company going? Say it in vision: {statement: ...}.")
    elif not strategy.vision.principles:
        yield Gap(
            "vision", "", "principles", "What do you always decide the same way? List it in principles:."
        )


def _node(section: str, name: str, node: Node, strategy: Strategy, today: dt.date) -> Iterator[Gap]:
    yield from _owner(section, name, strategy, today)
    if not node.problem:
        yield Gap(section, name, "problem", "Whose problem is it, in their own words? Say it in problem:.")
    if node.status == "stopped" and not any(each.decision == "stop" for each in node.decisions):
        yield Gap(
            section, name, "reason", "It was stopped: record why in decisions:, it is worth remembering."
        )
    if node.status not in _OPEN:
        return
    if not node.decisions:
        yield Gap(
            section, name, "decision", "Why is it done, and not something else? Record it in decisions:."
        )
    if isinstance(node, Intent | Initiative):
        yield from _aims(section, name, node)
        yield from _below(section, name, node, strategy)
    if isinstance(node, Option):
        yield from _option(section, name, node)


def _owner(section: str, name: str, strategy: Strategy, today: dt.date) -> Iterator[Gap]:
    owner = owner_of(name, strategy)
    node = strategy.node(name)
    if owner is None:
        yield Gap(section, name, "owner", "Which team answers for it? Say it in team:.")
        return
    team = strategy.teams.get(owner)
    if team is None:
        hint = did_you_mean(owner, strategy.teams)
        yield Gap(
            section, name, "team", f"The team {owner!r} is not among teams:{hint}; add it, or name another."
        )
    elif team.ended and team.ended <= today and node is not None and node.status in _OPEN:
        yield Gap(section, name, "team", f"The team {owner!r} ended on {team.ended}: who goes on with it?")


def _aims(section: str, name: str, node: Node) -> Iterator[Gap]:
    if not node.aims:
        yield Gap(section, name, "outcome", "Which metric tells that it worked? Name it in aims:.")
    elif not any(aim.target is not None for aim in node.aims):
        yield Gap(
            section, name, "target", "How far should it move, and by when? Add target: and by: to an aim."
        )


def _below(section: str, name: str, node: Node, strategy: Strategy) -> Iterator[Gap]:
    if any(each.under == name for _, _, each in strategy.nodes()):
        return
    if isinstance(node, Initiative):
        yield Gap(section, name, "options", "Which options are there to solve it? One is no choice.")
    else:
        yield Gap(
            section, name, "initiatives", "Which initiative serves it? Without one nothing will move it."
        )


def _option(section: str, name: str, option: Option) -> Iterator[Gap]:
    if not option.bets:
        yield Gap(
            section,
            name,
            "bet",
            "What will it do, to which metric, by when? Say it in bets: first.",
        )
    elif any(bet.probability is None for bet in option.bets):
        yield Gap(
            section, name, "probability", "How sure are you of the bet? Add probability:, and learn from it."
        )
    if option.bets and not (option.release or option.experiment):
        yield Gap(section, name, "test", "How will you tell? Name a release: or, better, an experiment:.")
    if not option.guardrails:
        yield Gap(
            section, name, "guardrails", "What must not get worse meanwhile? Name metrics in guardrails:."
        )
    if option.kill is None:
        yield Gap(section, name, "kill rule", "When would you give it up? Say it in kill: while it is easy.")
    if option.start is None:
        yield Gap(section, name, "start", "When does work begin? A bet counts when it was made before that.")
    for risk in RISKS:
        if not option.risks.of(risk):
            yield Gap(
                section,
                name,
                f"{risk} evidence",
                f"{_QUESTIONS[risk]} Refer to what you found in risks.{risk}:.",
            )


_QUESTIONS = {
    "value": "Do people want it?",
    "usability": "Can people use it?",
    "viability": "Does it work for the business?",
    "feasibility": "Can it be built?",
}


def _overlaps(strategy: Strategy) -> Iterator[Gap]:
    """Two bets on one metric at a time: neither can be told from the other without a test that splits people."""
    running = [
        (name, option, bet)
        for name, option in strategy.options.items()
        for bet in option.bets
        if option.status != "stopped" or option.released
    ]
    for (one, a, first), (two, b, second) in combinations(running, 2):
        if (first.metric, first.segment) != (second.metric, second.segment) or one == two:
            continue
        if a.experiment and b.experiment:
            continue
        if _begins(a) < (b.horizon or dt.date.max) and _begins(b) < (a.horizon or dt.date.max):
            yield Gap(
                "options", two, "one at a time",
                f"{one!r} is a bet on {first.metric} in the same days: without an experiment for each, nobody can "
                "tell which of them did it.",
            )  # fmt: skip


def _begins(option: Option) -> dt.date:
    return option.released or option.start or dt.date.min
