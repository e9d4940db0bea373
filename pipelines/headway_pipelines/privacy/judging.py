"""What becomes of each line, once a source has read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import duckdb
import polars as pl

from headway.engine.sql import bind, load, with_inputs
from headway_pipelines.privacy.ids import NO_ID
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.sources.shape import BEGINNING, ERASED, EXPIRED

#: An event later than this after its arrival did not happen yet; one before the beginning is a broken clock.
FUTURE_TOLERANCE = timedelta(days=1)
ANCIENT = BEGINNING

_HERE = "headway_pipelines.privacy"


def possible_times(now: datetime) -> dict[str, datetime | int]:
    """Gives the queries the times that can be.

    Args:
        now: The present, naive UTC.

    Returns:
        Parameters ``ancient``, ``tolerance_us`` (microseconds) and ``now``.
    """
    return {"ancient": ANCIENT, "tolerance_us": FUTURE_TOLERANCE // timedelta(microseconds=1), "now": now}


def judged(shape: str, declared: Sequence[str], now: datetime) -> str:
    """Writes the query that says what becomes of each line.

    Args:
        shape: Query for rows of the common shape.
        declared: Names of the events that may pass.
        now: The present, naive UTC.

    Returns:
        Query text. `forget_no_ids` is still to come.
    """
    text = bind(load(_HERE, "judge.sql"), {"declared": list(declared), **possible_times(now)})
    return with_inputs(text, {"shape": shape})


def refuse_repeated_names(con: duckdb.DuckDBPyConnection, rows: str = "judged") -> None:
    """Lets no line pass that gives two properties one name; where properties are a MAP, the source has seen to that.

    Args:
        con: The connection that holds the rows.
        rows: Their table: `judged`, or one with the columns of the shape.
    """
    repeated = con.execute(load(_HERE, "repeated_names.sql").replace("judged", rows)).fetchall()
    if repeated:
        text = load(_HERE, "without_repeated_names.sql").replace("judged", rows)
        con.execute(text, {"hashed": [hashed for (hashed,) in repeated]})


def forget_no_ids(con: duckdb.DuckDBPyConnection) -> None:
    """Takes the identifiers that are none out of ``judged``, and lists the others in ``told(domain, raw)``.

    Args:
        con: The connection that holds `judged`.
    """
    # Each text is looked at once, not each line: nearly all lines carry identifiers that are some.
    con.execute(f"CREATE OR REPLACE TABLE told AS {load(_HERE, 'told_ids.sql')}")
    found = con.execute(bind(load(_HERE, "no_ids.sql"), {"no_id": list(NO_ID)})).fetchall()
    if found:
        none = [text for (text,) in found]
        con.execute(bind(load(_HERE, "without_no_ids.sql"), {"no_ids": none}))
        con.execute(bind("DELETE FROM told WHERE raw IN $no_ids", {"no_ids": none}))


def leave_out_expired(con: duckdb.DuckDBPyConnection, limits: Mapping[str, date]) -> None:
    """Says of lines of ``judged`` that they are older than what was written away already.

    Args:
        con: The connection that holds `judged`.
        limits: Event -> first day that is kept; the name ``""`` stands for calls that are no events.
    """
    if not limits:
        return
    rows = {"event": list(limits), "first_day": list(limits.values())}
    con.register("limits", pl.DataFrame(rows, {"event": pl.String, "first_day": pl.Date}).to_arrow())
    expired = con.execute(bind(load(_HERE, "without_expired.sql"), {"outcome": EXPIRED})).fetchall()[0][0]
    con.unregister("limits")
    if expired:
        con.execute(f"CREATE OR REPLACE TABLE told AS {load(_HERE, 'told_ids.sql')}")


def leave_out_erased(con: duckdb.DuckDBPyConnection, vault: Vault) -> None:
    """Takes whoever was erased out of ``judged``, as if they had never sent anything; counts the lines.

    Args:
        con: The connection that holds `judged`.
        vault: The vault, which knows the tombstones.
    """
    if mark_erased(con, vault, vault.tombstones):
        con.execute(bind(load(_HERE, "without_erased.sql"), {"outcome": ERASED}))
        # What else those lines named is nobody's business any more.
        con.execute(f"CREATE OR REPLACE TABLE told AS {load(_HERE, 'told_ids.sql')}")


def mark_erased(con: duckdb.DuckDBPyConnection, vault: Vault, some: Tombstones) -> bool:
    """Makes `erased_rows`: which rows of ``judged`` name erased people, and which are their own.

    Args:
        con: The connection that holds `judged`.
        vault: The vault.
        some: The tombstones that count.

    Returns:
        False where there is none, and no table then.
    """
    if not len(some):
        return False
    gone, held = vault.erased(con.sql(load(_HERE, "gone_ids.sql")).pl(), some)
    if gone.is_empty() and held.is_empty():
        return False
    con.register("gone", gone.to_arrow())
    con.register("held", held.to_arrow())
    con.execute(f"CREATE OR REPLACE TEMP TABLE erased_rows AS {load(_HERE, 'erased_rows.sql')}")
    con.unregister("gone")
    con.unregister("held")
    return True
