"""What the command line says of strategy after every run, one with nothing new too: it imports next to nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import polars as pl

from headway_pipelines.strategy.fields import changed_fields
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

_SHOWN = 8
_ENDS = {
    "hit": "hit", "miss": "missed", "harm": "did harm", "inconclusive": "inconclusive", "untested": "never tested",
}  # fmt: skip


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
