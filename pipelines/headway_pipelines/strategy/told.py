"""What the command line says of bets and kata: what is frozen, what is written otherwise, how it ended."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

import polars as pl

from headway.models.kata import kata_files
from headway.models.product import Product
from headway.models.strategy import Strategy
from headway.strategy import FrozenBet, bets_of
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.report.pages.strategy_words import changed_fields
from headway_pipelines.strategy.bets_ledger import read_bets
from headway_pipelines.strategy.follow import histories
from headway_pipelines.strategy.kata_files import katas_of
from headway_pipelines.strategy.tables import last_seen
from headway_pipelines.warehouse.compute import tables_of
from headway_pipelines.workspace import Workspace

_SHOWN = 8
_ENDS = {
    "hit": "hit", "miss": "missed", "harm": "did harm", "inconclusive": "inconclusive", "untested": "never tested",
}  # fmt: skip


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


def bets_told(workspace: Workspace) -> Iterator[str]:
    """Says after a run how bets stand, and which were changed since they were frozen.

    Args:
        workspace: The workspace, published.

    Yields:
        Lines; none without bets.
    """
    bets = _published(workspace, "bets")
    if bets.is_empty():
        return
    ends = Counter(bets["verdict"])
    settled = bets.height - ends["open"]
    how = ", ".join(f"{ends[verdict]} {word}" for verdict, word in _ENDS.items())
    yield f"{'bets':20}{bets.height} frozen, {settled} settled{f': {how}' if settled else ''}"
    edited = [line for row in bets.iter_rows(named=True) if (line := _edited(row))]
    for line in edited[:_SHOWN]:
        yield f"{'':20}{line}"
    if len(edited) > _SHOWN:
        yield f"{'':20}and {len(edited) - _SHOWN} more, in the report"


def _edited(row: dict[str, str | dt.datetime | None]) -> str:
    if row["withdrawn_at"] is not None:
        return f"{row['bet']} was taken out of the files; it is settled as it was frozen"
    if row["changed"]:
        return f"{row['bet']}: {changed_fields(str(row['changed']).split(', '))} written otherwise; settled as frozen"
    return ""


def problems_told(workspace: Workspace) -> Iterator[str]:
    """Says after a run which file about strategy is not what Headway wrote.

    Args:
        workspace: The workspace, published.

    Yields:
        One line a file.
    """
    problems = _published(workspace, "strategy_problems")
    if not problems.is_empty():
        yield from problems["problem"]


def _published(workspace: Workspace, name: str) -> pl.DataFrame:
    path = workspace.published_db
    return tables_of(path, (name,)).get(name, pl.DataFrame()) if path.exists() else pl.DataFrame()


__all__ = ["bets_told", "ledger_told", "problems_told"]
