"""Checks that a condition compares properties with values they can have.

A misspelt enum value would otherwise select nothing without a word, and a value of the wrong type would fail
in the database much later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from headway.models.explain import did_you_mean, listed
from headway.models.plan import Column

_NUMBERS = ("number", "integer")
_TEXTS = ("enum", "token", "url")


def mismatches(tree: exp.Expr, columns: Mapping[str, Column]) -> Iterator[str]:
    """Lists comparisons of a property with a value it cannot have.

    Args:
        tree: What `headway.selectors.parse_where` returned.
        columns: Columns the condition may use.

    Yields:
        What is wrong and what is allowed, once each.

    Examples:
        >>> from headway.selectors import parse_where
        >>> role = {"role": Column("role", "VARCHAR", "enum", values=("teacher", "learner"))}
        >>> list(mismatches(parse_where("role = 'teachr'", role), role))
        ["'role' is never 'teachr' (did you mean 'teacher'?); its values are: learner, teacher"]
    """
    seen: set[str] = set()
    for column, value, exact in _comparisons(tree):
        message = _mismatch(columns[column], value, exact)
        if message is not None and message not in seen:
            seen.add(message)
            yield message


def _comparisons(tree: exp.Expr) -> Iterator[tuple[str, exp.Expr, bool]]:
    """Yields column, literal and whether the comparison asks for exactly that value."""
    for node in tree.find_all(exp.Binary, exp.In, exp.Between):
        if isinstance(node, exp.Connector | exp.Is):
            continue
        if isinstance(node, exp.In):
            sides = [node.this, *node.expressions]
        elif isinstance(node, exp.Between):
            sides = [node.this, node.args["low"], node.args["high"]]
        else:
            sides = [node.this, node.expression]
        exact = isinstance(node, exp.EQ | exp.NEQ | exp.In)
        for column in (side for side in sides if isinstance(side, exp.Column)):
            for value in (side for side in sides if isinstance(side, exp.Literal | exp.Boolean | exp.Neg)):
                yield column.name, value, exact


def _mismatch(column: Column, value: exp.Expr, exact: bool) -> str | None:
    name, is_text = column.name, isinstance(value, exp.Literal) and value.is_string
    is_bool = isinstance(value, exp.Boolean)
    shown = value.sql("duckdb")
    if column.privacy_class == "id":
        return f"{name!r} is a pseudonym; only 'is null' and 'is not null' make sense for it"
    if column.privacy_class in _NUMBERS and (is_text or is_bool):
        return f"{name!r} is a number; compare it with a number, not with {shown}"
    if column.privacy_class == "bool" and not is_bool:
        return f"{name!r} is true or false; compare it with true or false, not with {shown}"
    if column.privacy_class in (*_TEXTS, "timestamp") and not is_text:
        return f"{name!r} is {'an instant' if column.privacy_class == 'timestamp' else 'text'}; quote {shown}"
    if column.privacy_class == "enum" and exact and value.name not in column.values:
        hint = did_you_mean(value.name, column.values)
        return f"{name!r} is never {value.name!r}{hint}; its values are: {listed(column.values)}"
    return None
