"""Small pieces the queries of a funnel are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from sqlglot import exp

from headway.engine import bind, load

_PACKAGE = "headway.insights"
Side = Literal["PRECEDING", "FOLLOWING"]


def filled(name: str, **params: exp.Expr | Sequence[exp.Expr] | int | str) -> str:
    """Reads a query of funnels and fills it in.

    Args:
        name: What comes after ``funnel_`` in the name of the file.
        **params: One value a placeholder.

    Returns:
        The query.
    """
    return bind(load(_PACKAGE, f"funnel_{name}"), params)


def columns(names: Iterable[str], table: str | None = None) -> list[exp.Expr]:
    """Makes columns of names.

    Args:
        names: Names Headway made itself.
        table: Relation they come from.

    Returns:
        One column each.
    """
    return [exp.column(name, table=table) for name in names]


def named(value: exp.Expr, name: str) -> exp.Expr:
    """Gives a value a name.

    Args:
        value: The value.
        name: Its name.

    Returns:
        A select item.
    """
    return exp.alias_(value, name)


def case(*branches: tuple[exp.Expr, exp.Expr], default: exp.Expr | None = None) -> exp.Expr:
    """Builds a CASE.

    Args:
        *branches: Condition and value.
        default: Value where none holds; None is null.

    Returns:
        The expression; null without branches.
    """
    if not branches:
        return default or nothing()
    built = exp.Case()
    for condition, value in branches:
        built = built.when(condition, value)
    return built if default is None else built.else_(default)


def nothing() -> exp.Expr:
    """Builds a null instant."""
    return exp.cast(exp.null(), "BIGINT")


def least(values: Sequence[exp.Expr]) -> exp.Expr:
    """Builds the smallest of values that are not null, as DuckDB's LEAST does by itself.

    Args:
        values: The values; none give null.

    Returns:
        The expression.
    """
    if len(values) < 2:
        return values[0] if values else nothing()
    return exp.Least(this=values[0], expressions=list(values[1:]), ignore_nulls=True)


def greatest(values: Sequence[exp.Expr]) -> exp.Expr:
    """Builds the largest of values.

    Args:
        values: At least one value.

    Returns:
        The expression.
    """
    if len(values) < 2:
        return values[0]
    return exp.Greatest(this=values[0], expressions=list(values[1:]), ignore_nulls=True)


def is_null(value: exp.Expr) -> exp.Expr:
    """Builds the test whether a value is missing.

    Args:
        value: The value.

    Returns:
        The expression.
    """
    return value.is_(exp.null())


def same(names: Iterable[str], left: str, right: str) -> exp.Expr:
    """Builds the condition of a join.

    Args:
        names: Columns that must be equal.
        left: One relation.
        right: The other one.

    Returns:
        The expression.
    """
    pairs = zip(columns(names, left), columns(names, right), strict=True)
    return exp.and_(*(one.eq(other) for one, other in pairs))


def frame(
    start: int | str = "UNBOUNDED",
    start_side: Side = "PRECEDING",
    end: int | str = "UNBOUNDED",
    end_side: Side = "FOLLOWING",
    kind: str = "RANGE",
) -> exp.WindowSpec:
    """Builds the frame of a window.

    Args:
        start: Distance of its start; 0 is the current row and its peers.
        start_side: Where the start lies.
        end: Distance of its end.
        end_side: Where the end lies.
        kind: RANGE or ROWS.

    Returns:
        The frame.
    """

    def edge(name: str, at: int | str, side: Side) -> dict[str, object]:
        if at == 0:
            return {name: "CURRENT ROW", f"{name}_side": ""}
        return {name: exp.convert(at) if isinstance(at, int) else at, f"{name}_side": side}

    return exp.WindowSpec(kind=kind, **edge("start", start, start_side), **edge("end", end, end_side))


def over(
    value: exp.Expr, unit: Sequence[str], order: Sequence[str] = ("us",), spec: exp.WindowSpec | None = None
) -> exp.Expr:
    """Puts an aggregate over a window in order of time.

    Args:
        value: The aggregate or window function.
        unit: Columns to partition by.
        order: Columns to order by.
        spec: The frame, or None where the function needs none.

    Returns:
        The expression.
    """
    return exp.Window(
        this=value,
        partition_by=columns(unit),
        order=exp.Order(expressions=[exp.Ordered(this=key) for key in columns(order)]),
        spec=spec,
    )
