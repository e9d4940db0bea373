"""What the command line says of bets and kata: what is frozen, what is written otherwise, how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from headway.models.kata import kata_files
from headway.models.product import Product
from headway.models.strategy import Strategy
from headway.strategy import FrozenBet, bets_of
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.strategy.bets_ledger import read_bets
from headway_pipelines.strategy.fields import changed_fields
from headway_pipelines.strategy.follow import histories
from headway_pipelines.strategy.kata_files import katas_of
from headway_pipelines.strategy.tables import last_seen
from headway_pipelines.workspace import Workspace


def ledger_told(workspace: Workspace, product: Product, strategy: Strategy) -> Iterator[str]:
    """Says what the ledger of bets knows, and what the files say otherwise.

    Args:
        workspace: The workspace; it has a key.
        product: Its product.
        strategy: Its strategy.

    Yields:
        Lines; none without bets.

    Raises:
        LedgerError: The ledger is not what Headway wrote.
        DefinitionError: Something that was measured for a kata was edited.
    """
    key = load_key(workspace, create=False)
    if kata_files(workspace.root):
        katas_of(workspace, product, strategy, key)
    written = {bet.bet: bet for bet in bets_of(strategy, product)}
    known = histories(read_bets(workspace.bets_file, key, seen=last_seen(workspace.published_db)))
    if not written and not known:
        return
    settled = sum(each.settled is not None for each in known.values())
    new = len(written.keys() - known.keys())
    yield f"bets            {len(known)} frozen, {settled} settled" + (f", {new} new" if new else "")
    for name, history in known.items():
        now, day = written.get(name), history.frozen_at.date()
        if now is None:
            yield f"                {name} is taken out of the files; it is settled as it was frozen on {day}"
        elif fields := _differing(history.bet, now):
            yield f"                {name}: {changed_fields(fields)} written otherwise; settled as frozen on {day}"


def _differing(frozen: FrozenBet, now: FrozenBet) -> list[str]:
    one, other = asdict(frozen), asdict(now)
    return [name for name in one if one[name] != other[name]]
