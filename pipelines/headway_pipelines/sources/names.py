"""What events are called in a tool, and what the tracking plan calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp


def canonical(own: Iterable[str], names: Mapping[str, str] | None) -> tuple[str, ...]:
    """Lists the names of events that stand in a source and not in its logs, so that they may be shown.

    Args:
        own: Names the source gives by itself.
        names: Name in the log -> name in the tracking plan; it may rename what the source gave.

    Returns:
        The names, each once.

    Examples:
        >>> canonical(["Page Viewed"], {"paid": "Order Completed", "bought": "Order Completed"})
        ('Page Viewed', 'Order Completed')
        >>> canonical(["Page Viewed"], {"Page Viewed": "Shop Opened"})
        ('Shop Opened',)
    """
    names = names or {}
    return tuple(dict.fromkeys([*(name for name in own if name not in names), *names.values()]))


def renamed(column: str, names: Mapping[str, str] | None) -> exp.Expr:
    """Writes the SQL of an event's name.

    Args:
        column: The column with the name as the tool has it.
        names: That name -> name in the tracking plan; other names stay.

    Returns:
        The expression.

    Examples:
        >>> renamed("raw_name", {"paid": "Order Completed"}).sql("duckdb")
        "CASE raw_name WHEN 'paid' THEN 'Order Completed' ELSE raw_name END"
        >>> renamed("raw_name", None).sql("duckdb")
        'raw_name'
    """
    raw = exp.column(column)
    if not names:
        return raw
    expression = exp.Case(this=raw, default=raw.copy())
    for old, new in names.items():
        expression = expression.when(exp.convert(old), exp.convert(new), copy=False)
    return expression
