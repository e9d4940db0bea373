"""Events of which all must be at hand, whatever their day: kept in parts of some days, of which few are new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

import duckdb
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import bind, identifier, load, with_inputs
from headway.frameworks.kept import NEEDED
from headway.frameworks.prelude import OLDER, Prelude
from headway.frameworks.reach import Reach
from headway.models.metrics import EventSelector

_HERE = "headway.frameworks"
_DAYS = 28
_LATER = 700_000
"""Days that keep the division, which cuts towards zero, away from negative numbers."""


def parts_with(days: Iterable[int]) -> frozenset[int]:
    """Says in which parts some days lie.

    Args:
        days: Local days, in days since 1970-01-01.

    Returns:
        Numbers of parts.

    Examples:
        >>> sorted(parts_with([20_000, 20_001, 20_030]))
        [25714, 25715]
    """
    return frozenset((day + _LATER) // _DAYS for day in days)


def recall_needed(
    connection: duckdb.DuckDBPyConnection, shared: Prelude, known: str, days: Collection[int]
) -> None:
    """Writes the table of events of other days than those that are read, from what was kept of them.

    Args:
        connection: The connection of the prelude.
        shared: The shared input.
        known: Quoted name of the relation of the table `NEEDED` as it was kept.
        days: The local days that are read.

    Raises:
        EngineError: The database refused a statement.
    """
    text = bind(load(_HERE, "needed_known"), {"read": _within(exp.column("_day", table="known"), days)})
    inputs = {"known": f"FROM {known}", "everyone": f"SELECT person, code FROM {shared.people}"}
    with guarded("read the events of other days that were kept"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(OLDER)} AS {with_inputs(text, inputs)}")


def list_needed(
    connection: duckdb.DuckDBPyConnection,
    shared: Prelude,
    reaches: Iterable[Reach],
    parts: Collection[int] | None,
) -> None:
    """Writes the events of which all must be at hand, for the caller to keep.

    Args:
        connection: The connection of the prelude.
        shared: The shared input; its log holds the events.
        reaches: On what metrics depend.
        parts: The parts that are written; None: all.

    Raises:
        EngineError: The database refused a statement.
    """
    day = exp.column("_day", table="log", quoted=True)
    part = exp.IntDiv(this=exp.paren(day + _LATER), expression=exp.Literal.number(_DAYS))
    wanted = _wanted(shared, list(dict.fromkeys(each for reach in reaches for each in reach.log)))
    if parts is not None:
        wanted = exp.and_(wanted, part.copy().isin(*sorted(parts)) if parts else exp.false())
    stamped = "* EXCLUDE (_at)" if shared.stamped and shared.log == shared.events else "*"
    text = bind(load(_HERE, "needed"), {"part": part, "wanted": wanted})
    inputs = {
        "log": f"SELECT {stamped} FROM {shared.log}",
        "everyone": f"SELECT person, code FROM {shared.people}",
    }
    with guarded("list the events of which all are needed"):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {identifier(NEEDED)} AS {with_inputs(text, inputs)}"
        )


def _wanted(shared: Prelude, selectors: Sequence[EventSelector]) -> exp.Expr:
    bits = shared.marks.any_of(selectors) if selectors else tuple(0 for _ in shared.marks.names)
    # Nothing is known of a selector without a bit.
    if bits is None:
        return exp.true()
    return exp.paren(exp.or_(*(_carries(*each) for each in zip(shared.marks.names, bits, strict=True))))


def _carries(column: exp.Expr, bits: int) -> exp.Expr:
    masked = exp.BitwiseAnd(this=column, expression=exp.Literal.number(bits))
    return exp.NEQ(this=exp.paren(masked), expression=exp.Literal.number(0))


def _within(day: exp.Expr, days: Collection[int]) -> exp.Expr:
    """The condition that a day is one of some, stretch by stretch."""
    stretches = [
        [each for _, each in found]
        for _, found in groupby(enumerate(sorted(set(days))), lambda pair: pair[1] - pair[0])
    ]
    tests = [day.copy().between(stretch[0], stretch[-1]) for stretch in stretches]
    return exp.paren(exp.or_(*tests)) if tests else exp.false()
