"""Copies of one event: which of them stays, and how many there were.

Trackers send again what was not acknowledged, and exports overlap. Which copy stays is decided by an order over the
copies themselves, never by which came first into the lake, so that files may come in any order. Sources differ in what
that order begins with; what follows is always the smallest arrival and then the smallest content.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

import duckdb

from headway.engine.sql import bind, identifier, literal, load
from headway_pipelines.lake.ledger import Account, Ledger
from headway_pipelines.sources.shape import Copies, Source
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

COPY_OF_AN_EVENT = "copy of an event"
OTHER_CONTENT = "same id, other content"
"""Outcomes of lines that passed the gate and lost against another copy. One line of each event id whose copies do not
all say the same is counted under the second."""

CONTESTED = "contested"
"""Kind of the files that hold the ids whose copies do not all say the same."""

_HERE = "headway_pipelines.lake"
#: Copies that say something else are located so often per batch and promotion; all are counted.
_LOCATED = 20
#: What a copy is judged by first, smallest first.
_FIRST: Mapping[Copies, str] = {
    "first_received": "epoch_us(received_at)",
    "last_received": "-epoch_us(received_at)",
    "first_occurred": "epoch_us(occurred_at)",
    "last_occurred": "-epoch_us(occurred_at)",
}
#: Differs between copies that say the same: where they were read, when they arrived, and the clock's correction.
_NOT_CONTENT = ("event_id", "batch", "line", "source", "received_at", "occurred_at", "client_at")


def ranking(sources: Iterable[Source], columns: Iterable[str]) -> str:
    """Writes the order in which copies of one event are preferred.

    Args:
        sources: The sources, each with its rule.
        columns: The lake's columns.

    Returns:
        SQL for ORDER BY. Every column takes part, so that two copies that differ at all are ranked the same everywhere.

    Examples:
        >>> ranking([], ["event_id", "event", "received_at", "batch"])
        'epoch_us(received_at) NULLS LAST, "received_at" NULLS LAST, "event" NULLS LAST'
    """
    named: dict[Copies, list[str]] = {}
    for source in sources:
        if source.copies != "first_received":
            named.setdefault(source.copies, []).append(source.name)
    whens = " ".join(f"WHEN source IN {literal(names)} THEN {_FIRST[rule]}" for rule, names in named.items())
    usual = _FIRST["first_received"]
    first = f"CASE {whens} ELSE {usual} END" if whens else usual
    own = [name for name in columns if name not in ("event_id", "batch")]
    rest = ["received_at", *(name for name in own if name != "received_at")]
    return ", ".join([f"{first} NULLS LAST", *(f"{identifier(name)} NULLS LAST" for name in rest)])


def content(sources: Iterable[Source], columns: Iterable[str]) -> str:
    """Writes a fingerprint of what a copy says, apart from when it arrived.

    Args:
        sources: The sources, of which some correct the time of each copy anew.
        columns: The lake's columns.

    Returns:
        SQL of a number that is equal for copies that say the same.

    Examples:
        >>> content([], ["event_id", "event", "occurred_at", "client_at"])
        'hash(coalesce(client_at, occurred_at), "event")'
    """
    retimed = [source.name for source in sources if source.retimed]
    moment = f"CASE WHEN source NOT IN {literal(retimed)} THEN occurred_at END" if retimed else "occurred_at"
    own = [identifier(name) for name in columns if name not in _NOT_CONTENT]
    return f"hash(coalesce(client_at, {moment}), {', '.join(own)})"


def copies_left_out(ledger: Ledger) -> tuple[int, int]:
    """Counts what was stored once although it arrived more often.

    Args:
        ledger: The workspace's ledger.

    Returns:
        Copies of events, and event ids whose copies do not say the same, over everything read.
    """
    counted = {COPY_OF_AN_EVENT: 0, OTHER_CONTENT: 0}
    for each in ledger.outcomes():
        if each["outcome"] in counted:
            counted[each["outcome"]] += each["lines"]
    return sum(counted.values()), counted[OTHER_CONTENT]


def count_copies(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger
) -> tuple[dict[int, Account], dict[str, tuple[str, int]]]:
    """Counts copies that lose, and notes the ids whose copies do not all say the same, and where those lie.

    Args:
        con: A connection with `ranked`.
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        What to add to the account of each batch, and the file of contested ids to make live (none where nothing is
        new).
    """
    known = [str(workspace.warehouse / path) for path in ledger.lake_files(CONTESTED)]
    paths = f"[{', '.join(map(literal, known))}]"
    before = f"FROM read_parquet({paths})" if known else "SELECT NULL::UUID AS event_id LIMIT 0"
    con.execute(load(_HERE, "contested_ids.sql").replace("/* known */", before))
    counted: dict[int, Account] = {}
    for batch, losing, contested in con.execute(load(_HERE, "losing_copies.sql")).fetchall():
        counts = {"event": -losing, COPY_OF_AN_EVENT: losing - contested, OTHER_CONTENT: contested}
        counted[batch] = Account(outcomes={outcome: n for outcome, n in counts.items() if n})
    where = bind(load(_HERE, "locate_contested.sql"), {"most": _LOCATED})
    for batch, *place in con.execute(where).fetchall():
        counted[batch].contested.append((place[0], place[1], place[2]))
    fresh = con.execute("SELECT count(*) FROM contested").fetchall()[0][0]
    if not fresh:
        return counted, {}
    target = workspace.lake / f"{CONTESTED}-{secrets.token_hex(6)}.parquet"
    query = f"SELECT event_id FROM ({before}) UNION ALL SELECT event_id FROM contested ORDER BY event_id"
    con.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
    sync_file(target)
    sync_folder(target.parent)
    return counted, {target.relative_to(workspace.warehouse).as_posix(): ("", 0)}
