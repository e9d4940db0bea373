"""Query texts: read from files, filled with parameters, put on top of named inputs.

A ``.sql`` file is what runs and what a reader sees, comments included. It is never parsed and printed again:
parameters replace ``$name`` tokens where they stand, inputs are put in front as common table expressions.
Values and identifiers are rendered by SQLGlot, so quotes, semicolons and Unicode in them stay data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from headway.errors import InputError
from headway.queries import load as load

DIALECT = "duckdb"

Scalar = int | float | str | bool | date | datetime | None
Parameter = Scalar | Sequence[Scalar]
# What may stand for a placeholder: a value, a name or condition built by SQLGlot, or a list of select items.
Replacement = Parameter | exp.Expr | Sequence[exp.Expr]


def literal(value: Parameter) -> str:
    """Renders a Python value as a DuckDB literal.

    Args:
        value: None, bool, int, finite float, str, date, naive datetime, or a non-empty sequence of those,
            which becomes a parenthesised list for ``IN``.

    Returns:
        SQL text that evaluates to the value and to nothing else.

    Raises:
        InputError: The value has no literal: not finite, time zone aware, an empty list, another type.

    Examples:
        >>> literal("o'brien")
        "'o''brien'"
        >>> literal([1, 2])
        '(1, 2)'
        >>> literal(date(2026, 3, 29))
        "CAST('2026-03-29' AS DATE)"
    """
    if isinstance(value, list | tuple):
        if not value:
            raise InputError("an empty list cannot be a query parameter: IN needs at least one value")
        return f"({', '.join(literal(item) for item in value)})"
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError("a query parameter must be a finite number")
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise InputError("a query parameter must be a naive UTC datetime, without a time zone")
    if isinstance(value, str) and "\x00" in value:
        raise InputError("a query parameter must not contain a NUL character")
    if value is not None and not isinstance(value, bool | int | float | str | date):
        raise InputError(f"a query parameter cannot be a {type(value).__name__}")
    if isinstance(value, datetime):
        return f"CAST('{value.isoformat(sep=' ')}' AS TIMESTAMP)"
    return exp.convert(value).sql(dialect=DIALECT)


def identifier(name: str) -> str:
    """Quotes the name of a column or relation.

    Args:
        name: Any non-empty name.

    Returns:
        The name in double quotes, inner quotes doubled.

    Raises:
        InputError: The name is empty or holds a NUL character.

    Examples:
        >>> identifier('say "hi"; drop')
        '"say ""hi""; drop"'
    """
    if not name or "\x00" in name:
        raise InputError("a column or relation name must not be empty or contain a NUL character")
    return exp.to_identifier(name, quoted=True).sql(dialect=DIALECT)


def bind(text: str, params: Mapping[str, Replacement]) -> str:
    """Replaces every ``$name`` of a query by a literal, or by an expression that SQLGlot renders.

    Only placeholders outside strings, quoted names and comments count.

    Args:
        text: Query text.
        params: One replacement for every placeholder: a value (see `literal`), a SQLGlot expression such as a
            column or a condition, or a list of expressions, which become
            one item a line.

    Returns:
        The text with replacements in place, otherwise unchanged.

    Raises:
        InputError: A placeholder has no value, or a value has no placeholder.

    Examples:
        >>> bind("SELECT $a, '$a' -- $a", {"a": 7})
        "SELECT 7, '$a' -- $a"
        >>> print(bind("SELECT $columns", {"columns": [exp.column("a", quoted=True), exp.column("b")]}))
        SELECT "a",
          b
    """
    parts: list[str] = []
    seen: set[str] = set()
    position = 0
    tokens = _tokens(text)
    spans = False
    for mark, token in pairwise(tokens):
        if mark.token_type is not TokenType.PARAMETER or token.start != mark.end + 1:
            continue
        if token.text not in params:
            raise InputError.unknown("query parameter", token.text, params)
        seen.add(token.text)
        items = _items(params[token.text])
        parts += [text[position : mark.start], f",{_next_line(text, mark.start)}".join(items)]
        # What is rendered in one line has other lines' ends in strings and names alone.
        spans = spans or any("\n" in item for item in items)
        position = token.end + 1
    if unused := sorted(set(params) - seen):
        raise InputError(f"the query has no parameter {', '.join(repr(name) for name in unused)}")
    bound = "".join(parts) + text[position:]
    if parts:
        _remember(bound, _bound_shape(text, bound, spans=spans))
    return bound


def _bound_shape(template: str, bound: str, *, spans: bool) -> _Shape | None:
    """The shape of a query whose placeholders were filled, where that can be told from the template's."""
    tokens = _tokens(template)
    if any(token.token_type is TokenType.SEMICOLON for token in tokens):
        return None
    if tokens[0].token_type is TokenType.PARAMETER:
        return None
    shape = _shape_of(template)
    return replace(shape, body=bound.strip(), spans=shape.spans or spans)


def _next_line(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    indent = len(line) - len(line.lstrip())
    return "\n" + " " * (indent if line.isspace() or not line else indent + 2)


def _items(value: Replacement) -> list[str]:
    if isinstance(value, exp.Expr):
        return [value.sql(dialect=DIALECT)]
    if isinstance(value, list | tuple) and value and all(isinstance(item, exp.Expr) for item in value):
        return [item.sql(dialect=DIALECT) for item in value]
    return [literal(cast(Parameter, value))]


def with_inputs(text: str, ctes: Mapping[str, str | exp.Expr], once: Mapping[str, bool] | None = None) -> str:
    r"""Puts named input relations in front of a query, as common table expressions.

    Args:
        text: One query, with or without a ``WITH`` of its own; its header comment stays on top.
        ctes: Relation name to query, in an order in which each may use those before it.
        once: Relations of which the engine is told whether they are computed once and kept (True) or again for every
            reader (False); of others it decides itself.

    Returns:
        One readable statement that stands alone; the query's own text and comments are kept.

    Raises:
        InputError: A text is empty or holds more than one statement.

    Examples:
        >>> print(with_inputs("-- One row.\nSELECT * FROM ev", {"ev": "SELECT 1 AS us"}))
        -- One row.
        WITH "ev" AS (
          SELECT 1 AS us
        )
        SELECT * FROM ev
    """
    shape = _shape(text)
    body = shape.body
    if not ctes:
        return body
    start, word, separator = shape.start, "WITH ", "\n"
    rest = body[start:]
    if shape.with_end:
        word = "WITH RECURSIVE " if shape.recursive else "WITH "
        rest, separator = body[shape.with_end :].lstrip(" \t\n"), ",\n"
    words = {name: "MATERIALIZED " if kept else "NOT MATERIALIZED " for name, kept in (once or {}).items()}
    queries = {
        name: _shape(query.sql(DIALECT, pretty=True) if isinstance(query, exp.Expr) else query)
        for name, query in ctes.items()
    }
    inputs = ",\n".join(
        f"{identifier(name)} AS {words.get(name, '')}(\n{query.indented()}\n)"
        for name, query in queries.items()
    )
    found = f"{body[:start]}{word}{inputs}{separator}{rest}"
    spans = shape.spans or any(query.spans or "\n" in name for name, query in queries.items())
    _remember(found, _Shape(found, start, start + len(word) - 1, shape.recursive, spans))
    return found


@dataclass(frozen=True)
class _Shape:
    """What putting inputs in front of one query, or the query in front of another, takes to know.

    Attributes:
        body: The query without blanks around it and without a semicolon.
        start: Where its first word begins, after comments.
        with_end: Where its ``WITH`` ends; 0 where it has none.
        recursive: Whether that is a ``WITH RECURSIVE``.
        spans: Whether a string or a name in it spans lines.
    """

    body: str
    start: int
    with_end: int
    recursive: bool
    spans: bool

    def indented(self) -> str:
        """The query with two blanks before every line."""
        # Leading blanks would become part of what spans lines. Only a line feed ends a line here: what else Unicode
        # calls a line's end may stand in names and values.
        return (
            self.body
            if self.spans
            else "\n".join(f"  {line}" if line else line for line in self.body.split("\n"))
        )


# Queries are put in front of queries again and again: what was put together here is not taken apart again.
_SHAPES: dict[str, _Shape] = {}
_MOST_SHAPES = 1_000
_MARKS = re.compile(r"--|/[*]|[;$\\]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def _remember(text: str, shape: _Shape | None) -> None:
    if shape is not None:
        if len(_SHAPES) >= _MOST_SHAPES:
            _SHAPES.clear()
        _SHAPES[text] = shape


def _shape(text: str) -> _Shape:
    return _SHAPES.get(text) or _plain_shape(text) or _shape_of(text)


def _plain_shape(text: str) -> _Shape | None:
    """The shape of a SELECT without comments, semicolons, placeholders and escapes; None of everything else."""
    body = text.strip()
    if (not body.startswith("SELECT ") and not body.startswith("SELECT\n")) or _MARKS.search(body):
        return None
    if any(mark in _QUOTED.sub("", body) for mark in "'\""):
        return None
    return _Shape(body, 0, 0, False, any("\n" in quoted for quoted in _QUOTED.findall(body)))


@lru_cache(maxsize=512)
def _shape_of(text: str) -> _Shape:
    body, tokens = _statement(text)
    has_with = tokens[0].token_type is TokenType.WITH
    recursive = has_with and tokens[1].token_type is TokenType.RECURSIVE
    last = tokens[1] if recursive else tokens[0]
    spans = any("\n" in body[token.start : token.end + 1] for token in tokens)
    return _Shape(body, tokens[0].start, last.end + 1 if has_with else 0, recursive, spans)


def _statement(text: str) -> tuple[str, Sequence[Token]]:
    body = text.strip()
    tokens = _tokens(body)
    if tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        final = tokens[-1]
        body = (body[: final.start] + body[final.end + 1 :]).strip()
        tokens = _tokens(body)
    if not tokens or any(token.token_type is TokenType.SEMICOLON for token in tokens):
        raise InputError("expected exactly one query")
    return body, tokens


# A question reads the same texts again and again, as templates and inside of larger ones.
@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[Token, ...]:
    try:
        # An empty string at the very end would be taken for one that is not closed.
        return tuple(sqlglot.tokenize(f"{text}\n", read=DIALECT))
    except TokenError:
        raise InputError("the query text has an unclosed string, name or comment") from None
