"""What the gate counts: lines by outcome, dropped values by property, and where rejected lines are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import duckdb

from headway.engine.sql import load
from headway_pipelines.lake.ledger import MISFIT, Account
from headway_pipelines.privacy.classes import WORD_BITS, ColumnRule, mask_columns
from headway_pipelines.privacy.detect import safe_name
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.second_line import SecondLine, told_apart

#: Located rejects kept per batch and group; all are counted.
LOCATED = 20
#: A name from the wild is shown only when this many people sent it: what one person typed is not a name.
MIN_NAME_PEOPLE = 10
_HERE = "headway_pipelines.privacy"
_NEVER_STORED = {"text": "free text", "sensitive": "sensitive"}


def count_group(
    con: duckdb.DuckDBPyConnection,
    declared: Mapping[tuple[str, str], str],
    typed: str,
    second_line: SecondLine,
    key: Key,
    framed: Mapping[int, int],
) -> dict[int, Account]:
    """Counts one group.

    Args:
        con: The gate's connection, holding `judged`.
        declared: ``(event, raw key) -> class`` of the plan.
        typed: A relation of the group's events with their violation bits, see `misfits`.
        second_line: What it caught is among the violations, and told apart here.
        key: Names that may not be shown are replaced by a keyed hash.
        framed: Lines framed, by batch.

    Returns:
        An account per batch.
    """
    accounts: dict[int, Account] = {}
    for batch, outcome, rows in con.execute(load(_HERE, "count_outcomes.sql")).fetchall():
        accounts.setdefault(batch, Account()).outcomes[outcome] = rows
        accounts[batch].events += rows if outcome == "event" else 0
    for account in accounts.values():
        account.lines = sum(account.outcomes.values())
    if {b: a.lines for b, a in accounts.items()} != dict(framed):
        # Some line holds several events (or a source lost one): only then are lines counted one by one.
        for batch, lines in con.execute(load(_HERE, "count_lines.sql")).fetchall():
            accounts[batch].lines = lines
    for batch, line, position, reason in con.execute(load(_HERE, "locate_rejects.sql")).fetchall():
        accounts[batch].rejects.append((line, position, reason))
    unfit = told_apart(misfits(con, second_line.rules, typed), second_line.count(con))
    dropped = _undeclared(con, declared, key) + unfit + _no_ids(con)
    for (batch, event, prop, reason), values in dropped.items():
        accounts[batch].dropped[(event, prop, reason)] = values
    return accounts


def add_rejects(account: Account, rejects: list[tuple[int, int, str]]) -> None:
    """Adds lines that could not even be framed.

    Args:
        account: The account of their batch.
        rejects: Line, byte offset and reason of each.
    """
    account.lines += len(rejects)
    account.rejects.extend(rejects[:LOCATED])
    for reason, lines in Counter(reason for _, _, reason in rejects).items():
        account.outcomes[reason] = account.outcomes.get(reason, 0) + lines


def _undeclared(
    con: duckdb.DuckDBPyConnection, declared: Mapping[tuple[str, str], str], key: Key
) -> Counter[tuple[int, str, str, str]]:
    counts: Counter[tuple[int, str, str, str]] = Counter()
    events: set[str] = set()
    properties: set[str] = set()
    key_sets: set[int] = set()
    for batch, outcome, event, keys, key_set, rows in con.execute(load(_HERE, "count_keys.sql")).fetchall():
        if outcome == "undeclared event":
            counts[batch, event, "", outcome] += rows
            events.add(event)
            continue
        owner = event if outcome == "event" else f"({outcome.removeprefix('traits of ')})"
        for name in keys or ():
            # What stands among the properties of an identify call is neither an event's nor declared anywhere.
            class_ = declared.get((owner, name)) if outcome not in ("identify", "group") else None
            if class_ is None:
                counts[batch, owner, name, "undeclared"] += rows
                properties.add(name)
                key_sets.add(key_set)
            elif class_ in _NEVER_STORED:
                counts[batch, owner, name, _NEVER_STORED[class_]] += rows
    people = _people_behind(con, events, properties, key_sets)
    names = [("event", name) for name in events] + [("property", name) for name in properties]
    shown = {
        (kind, name): name
        if people.get((kind, name), 0) >= MIN_NAME_PEOPLE and safe_name(name)
        else f"{kind}#{key.digest('name', name)[:6]}"
        for kind, name in names
    }
    result: Counter[tuple[int, str, str, str]] = Counter()
    for (batch, event, prop, reason), values in counts.items():
        result[
            batch, shown.get(("event", event), event) if not prop else event, _shown(shown, prop), reason
        ] += values
    return result


def _people_behind(
    con: duckdb.DuckDBPyConnection, events: set[str], properties: set[str], key_sets: set[int]
) -> dict[tuple[str, str], int]:
    """How many users or devices sent each undeclared name."""
    found: dict[tuple[str, str], int] = {}
    if events:
        text = load(_HERE, "people_behind_event_names.sql")
        rows = con.execute(text, {"names": sorted(events)}).fetchall()
        found |= {("event", name): people for name, people in rows}
    if properties:
        text = load(_HERE, "people_behind_property_names.sql")
        rows = con.execute(text, {"names": sorted(properties), "key_sets": sorted(key_sets)}).fetchall()
        found |= {("property", name): people for name, people in rows}
    return found


def _shown(shown: Mapping[tuple[str, str], str], prop: str) -> str:
    return shown.get(("property", prop), prop)


def _no_ids(con: duckdb.DuckDBPyConnection) -> Counter[tuple[int, str, str, str]]:
    rows = con.execute(load(_HERE, "count_no_ids.sql")).fetchall()
    return Counter(
        {
            (batch, event or f"({outcome})", kind, "is no identifier"): n
            for batch, outcome, event, kind, n in rows
        }
    )


def misfits(
    con: duckdb.DuckDBPyConnection, rules: list[ColumnRule], typed: str, rows: str = "count(*)"
) -> Counter[tuple[int, str, str, str]]:
    """Counts values that were there but did not fit their class.

    Args:
        con: The gate's connection.
        rules: The column rules, in the order of the violation bits.
        typed: A relation with batch, event and the bits in the columns of `classes.mask_columns`.
        rows: How many raw rows a group of rows stands for.

    Returns:
        Values by batch, event, column and reason.
    """
    words = mask_columns(rules)
    any_set = " OR ".join(f"{word} <> 0" for word in words)
    found = con.execute(
        f"SELECT batch, event, {', '.join(words)}, {rows} FROM {typed} WHERE {any_set} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    counts: Counter[tuple[int, str, str, str]] = Counter()
    for batch, event, *bits, count in found:
        for index, rule in enumerate(rules):
            if bits[index // WORD_BITS] >> (index % WORD_BITS) & 1:
                counts[batch, event, rule.name, MISFIT] += count
    return counts
