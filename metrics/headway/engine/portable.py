"""Which queries other engines answer alike, and how they are written for them.

SQLGlot alone is not enough: of the constructs it translates, some fail elsewhere and some silently mean something
else (the order inside an aggregate, week numbers, differences of dates, rounding on a cast). So nothing is translated
that is not on a list of what was seen to give equal answers on DuckDB, ClickHouse and Spark: counting in integers,
conditions, joins, groups and windows with an order. Dates and time zones stay in the relations `PRELUDE`, which every
engine has to provide in its own way; everything after them counts in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp

from headway.engine.sql import DIALECT
from headway.errors import EngineError, InputError

Dialect = Literal["clickhouse", "spark"]
DIALECTS: tuple[Dialect, ...] = ("clickhouse", "spark")

PRELUDE = ("ev", "calendar")
"""Relations that know dates and time zones, and belong to an engine."""

_STRUCTURE = (
    exp.Select, exp.With, exp.CTE, exp.Subquery, exp.Union, exp.From, exp.Join, exp.Where, exp.Group, exp.Having,
    exp.Order, exp.Ordered, exp.Distinct, exp.Limit, exp.Values, exp.Tuple, exp.Table, exp.TableAlias, exp.Alias,
    exp.Column, exp.Identifier, exp.Star, exp.Paren,
)  # fmt: skip
_VALUES = (
    exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.IntDiv, exp.Mod, exp.EQ, exp.NEQ,
    exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.Case, exp.If,
    exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest, exp.Abs, exp.Lower, exp.Upper, exp.Cast, exp.DataType,
    exp.StartsWith, exp.Contains,
)  # fmt: skip
_AGGREGATES = (exp.Count, exp.Sum, exp.Min, exp.Max, exp.CountIf, exp.Filter)
_WINDOWS = (exp.Window, exp.WindowSpec, exp.RowNumber, exp.Lag, exp.Lead)
_ALLOWED = frozenset((*_STRUCTURE, *_VALUES, *_AGGREGATES, *_WINDOWS))

#: What a value may become. To a date and from a fraction to a whole number, engines do not agree.
_KIND = exp.DataType.Type
_CASTS = frozenset((_KIND.BIGINT, _KIND.BOOLEAN, _KIND.DOUBLE, _KIND.TEXT, _KIND.VARCHAR))


class NotPortableError(EngineError):
    """A question that only DuckDB answers was put to another engine."""


@dataclass(frozen=True)
class Parts:
    """A query, taken apart.

    Attributes:
        prelude: The relations that belong to an engine, as DuckDB provides them.
        core: Everything after them.
    """

    prelude: dict[str, str]
    core: exp.Expr


def parts(sql: str) -> Parts:
    """Takes the relations that belong to an engine off a query.

    Args:
        sql: A query in DuckDB's dialect, such as the ``.sql`` of a result.

    Returns:
        Both parts.

    Examples:
        >>> taken = parts("WITH ev AS (SELECT 1 AS us), b AS (SELECT us FROM ev) SELECT us FROM b")
        >>> taken.prelude, taken.core.sql()
        ({'ev': 'SELECT 1 AS us'}, 'WITH b AS (SELECT us FROM ev) SELECT us FROM b')
    """
    core = sqlglot.parse_one(sql, read=DIALECT)
    prelude: dict[str, str] = {}
    opening = core.args.get("with_")
    for cte in list(opening.expressions) if opening is not None else []:
        if cte.alias in PRELUDE:
            prelude[cte.alias] = cte.this.sql(dialect=DIALECT)
            cte.pop()
    if opening is not None and not opening.expressions:
        opening.pop()
    return Parts(prelude, core)


def unproven(core: exp.Expr) -> list[str]:
    """Lists what in a query was not seen to mean the same on every engine.

    Args:
        core: A query after its prelude.

    Returns:
        Each construct once, in words; empty where the query may be translated.

    Examples:
        >>> unproven(sqlglot.parse_one("SELECT CAST(count(*) AS BIGINT) AS n FROM ev", read="duckdb"))
        []
        >>> unproven(sqlglot.parse_one("SELECT median(us), sum(us) OVER (PARTITION BY person) FROM ev", read="duckdb"))
        ['Median', 'an aggregate over a whole partition: give the window an ORDER BY']
    """
    return list(dict.fromkeys(found for node in core.walk() for found in _objections(node)))


def translated(sql: str, dialect: Dialect) -> str:
    r"""Writes a query for another engine.

    Args:
        sql: A query in DuckDB's dialect.
        dialect: The other engine's.

    Returns:
        The query after its prelude, in the other dialect; the engine has to hold the relations of `PRELUDE`.

    Raises:
        InputError: The dialect is unknown.
        NotPortableError: The query holds something that was not seen to mean the same there.

    Examples:
        >>> translated("WITH ev AS (SELECT 7 AS day) SELECT day // 7 AS week FROM ev", "spark")
        'SELECT\n  day DIV 7 AS week\nFROM ev'
    """
    if dialect not in DIALECTS:
        raise InputError.unknown("dialect", str(dialect), DIALECTS)
    core = parts(sql).core
    if found := unproven(core):
        raise NotPortableError(
            f"only DuckDB answers this question: {', '.join(found)} may mean something else to {dialect}. Ask it of a "
            "log on this machine, or leave out the option that needs it"
        )
    core = _signed(_named(core))
    return core.sql(dialect=dialect, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE)


def _signed(core: exp.Expr) -> exp.Expr:
    """Makes every count a signed number, as it is in DuckDB: ClickHouse counts without a sign."""
    for count in list(core.find_all(exp.Count, exp.CountIf)):
        node: exp.Expr = count
        while isinstance(node.parent, exp.Filter | exp.Window) and node.arg_key == "this":
            node = node.parent
        if not isinstance(node.parent, exp.Cast):
            node.replace(exp.cast(node.copy(), "BIGINT"))
    return core


def _named(core: exp.Expr) -> exp.Expr:
    """Gives every column that comes out of a SELECT its name: ClickHouse puts the name of a joined table before it."""
    for select in core.find_all(exp.Select):
        select.set(
            "expressions",
            [
                exp.alias_(item, item.name, quoted=item.this.quoted)
                if isinstance(item, exp.Column) and item.table and not item.is_star
                else item
                for item in select.expressions
            ],
        )
    return core


def _objections(node: exp.Expr) -> Iterator[str]:
    if type(node) not in _ALLOWED:
        yield node.name or type(node).__name__ if isinstance(node, exp.Anonymous) else type(node).__name__
    if isinstance(node, exp.Window) and not node.args.get("order"):
        yield "an aggregate over a whole partition: give the window an ORDER BY"
    if isinstance(node, exp.Cast):
        if node.to.this not in _CASTS:
            yield f"a cast to {node.to.sql(dialect=DIALECT)}"
        elif node.to.this is _KIND.BIGINT and not _whole(node.this):
            yield "a cast of a fraction to a whole number"
    if isinstance(node, exp.Like) and "\\" in node.expression.name:
        yield "a backslash in a LIKE pattern"
    if isinstance(node, exp.Window) and isinstance(node.this, exp.Filter):
        yield "FILTER on a window"


def _whole(value: exp.Expr) -> bool:
    """Whether nothing in a value makes a fraction of it, as far as its text tells."""
    fractions = (exp.Div, exp.Avg)
    return not any(
        isinstance(node, fractions)
        or (isinstance(node, exp.Literal) and not node.is_string and not node.is_int)
        for node in value.walk()
    )
