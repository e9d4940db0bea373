"""What became of every bet: frozen when first seen, followed through every change, settled at its horizon."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from headway.strategy import FrozenBet, MeasuredEffect, Settlement, settle
from headway_pipelines.strategy.bets_ledger import Entry, Kind
from headway_pipelines.strategy.git_time import Commit

MadeBefore = Literal["start", "release", "horizon", "nothing"]
"""What a bet was frozen before: the start of work, the release, only its horizon, or not even that."""

News = tuple[Kind, str, Mapping[str, Any]]

Evidence = Callable[[FrozenBet], Sequence[MeasuredEffect]]
"""What was measured of the release or experiment that a bet was frozen with."""


def nothing_measured(bet: FrozenBet) -> Sequence[MeasuredEffect]:
    """Returns no effects: evidence before anything was released."""
    return ()


@dataclass(frozen=True)
class History:
    """What the ledger knows of one bet.

    Attributes:
        bet: The bet as first frozen: what is settled.
        latest: The bet as it was last written.
        frozen_at: When it was frozen, UTC.
        commit_id: Commit that held it then, or None.
        committed_at: When that was, UTC, or None.
        changed: Fields that were written otherwise after it was frozen.
        changes: How often it was.
        withdrawn_at: When it was last taken out of the files, or None while it is there.
        settled: How it was first settled, or None.
        settled_at: When, UTC.
        revised: How it is settled by what is known now, where that is another verdict.
    """

    bet: FrozenBet
    latest: FrozenBet
    frozen_at: dt.datetime
    commit_id: str | None
    committed_at: dt.datetime | None
    changed: tuple[str, ...] = ()
    changes: int = 0
    withdrawn_at: dt.datetime | None = None
    settled: Settlement | None = None
    settled_at: dt.datetime | None = None
    revised: Settlement | None = None

    def made_before(self, released: dt.date | None) -> MadeBefore:
        """Says what the bet was frozen before.

        Args:
            released: Day of the release, as far as known.

        Returns:
            The earliest thing that had not happened; days are compared with the day on which it was frozen, or
            committed where that was earlier.
        """
        day = min(self.frozen_at, self.committed_at or self.frozen_at).date()
        if self.bet.start is not None and day <= self.bet.start:
            return "start"
        if released is not None and day <= released:
            return "release"
        return "horizon" if day < self.bet.horizon else "nothing"


def histories(entries: Sequence[Entry]) -> dict[str, History]:
    """Reads the history of every bet from the ledger.

    Args:
        entries: The ledger's entries, oldest first.

    Returns:
        Bet -> history, in the order in which they were frozen.
    """
    found: dict[str, History] = {}
    for entry in entries:
        known = found.get(entry.bet)
        if entry.kind == "frozen":
            found[entry.bet] = _frozen(entry)
        elif known is not None:
            found[entry.bet] = _followed(known, entry)
    return found


def _frozen(entry: Entry) -> History:
    bet = FrozenBet.from_text(json.dumps(entry.content["bet"]))
    commit = entry.content.get("commit") or {}
    at = commit.get("at")
    return History(
        bet, bet, entry.at, commit.get("id"), dt.datetime.fromisoformat(at) if at is not None else None
    )


def _followed(known: History, entry: Entry) -> History:
    said: dict[str, Any] = dict(known.__dict__)
    if entry.kind == "changed":
        latest = FrozenBet.from_text(json.dumps(entry.content["bet"]))
        said |= {
            "latest": latest,
            "changed": _differing(known.bet, latest),
            "changes": known.changes + 1,
            "withdrawn_at": None,
        }
    elif entry.kind == "withdrawn":
        said["withdrawn_at"] = entry.at
    elif entry.kind == "settled":
        said |= {"settled": Settlement(**entry.content), "settled_at": entry.at}
    elif entry.kind == "revised":
        now = Settlement(**entry.content)
        same = known.settled is not None and now.verdict == known.settled.verdict
        said["revised"] = None if same else now
    return History(**said)


def _differing(one: FrozenBet, other: FrozenBet) -> tuple[str, ...]:
    first, second = asdict(one), asdict(other)
    return tuple(name for name in first if first[name] != second[name])


def news(
    known: Mapping[str, History],
    bets: Sequence[FrozenBet],
    effects: Evidence,
    commits: Mapping[str, Commit],
    *,
    today: dt.date,
) -> Iterator[News]:
    """Lists what the ledger does not say yet.

    Args:
        known: What it says.
        bets: The bets of the files, as they would be frozen now.
        effects: Finds the effects that were measured of what a bet was frozen with: naming another release or
            experiment later, or taking the option out of the files, changes nothing.
        commits: Option -> last commit of its file.
        today: The day.

    Yields:
        Kind, bet and content of each new entry.
    """
    for bet in bets:
        history = known.get(bet.bet)
        content = {"bet": json.loads(bet.text()), "hash": bet.hash}
        if history is None:
            commit = commits.get(bet.option)
            told = {"id": commit.id, "at": commit.at.isoformat()} if commit else None
            yield "frozen", bet.bet, {**content, "commit": told}
        elif history.latest != bet or history.withdrawn_at is not None:
            yield "changed", bet.bet, content
    written = {bet.bet for bet in bets}
    for name, history in known.items():
        if name not in written and history.withdrawn_at is None:
            yield "withdrawn", name, {}
    # What was frozen counts, whatever the files say now.
    frozen = {bet.bet: bet for bet in bets} | {name: history.bet for name, history in known.items()}
    for name, bet in frozen.items():
        yield from _settled(name, bet, known.get(name), effects(bet), today)


def _settled(
    name: str,
    bet: FrozenBet,
    history: History | None,
    effects: Sequence[MeasuredEffect],
    today: dt.date,
) -> Iterator[News]:
    by_metric = {effect.metric: effect for effect in effects}
    measured = by_metric.get(bet.metric)
    if bet.segment is not None and measured is not None:
        # What everybody did says nothing certain of some of them.
        reason = f"effects are measured of everybody, not of {bet.segment} alone"
        measured = MeasuredEffect(bet.metric, None, None, None, direction=bet.direction, reason=reason)
    found = settle(bet, measured, by_metric, today=today)
    if found.verdict == "open":
        return
    content = asdict(found)
    if history is None or history.settled is None:
        yield "settled", name, content
    elif found.verdict != (history.revised or history.settled).verdict:
        yield "revised", name, content
