"""Arithmetic that definitions and questions may hold: names, numbers, ``+ - * /`` and parentheses.

The text is parsed by SQLGlot and rebuilt from these constructs alone, so that nothing else reaches a database.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

import numpy as np
import sqlglot
from numpy.typing import NDArray
from sqlglot import exp
from sqlglot.errors import SqlglotError

from headway.engine.sql import DIALECT
from headway.errors import InputError

Floats = NDArray[np.float64]

_OPERATORS: tuple[type[exp.Binary], ...] = (exp.Add, exp.Sub, exp.Mul)
_MAX_LENGTH = 1_000


def parse_arithmetic(
    text: str, names: Collection[str], *, what: str = "formula", of: str = "name"
) -> exp.Expr:
    """Parses arithmetic into an expression whose division by zero is null.

    Args:
        text: The arithmetic.
        names: Names it may use.
        what: What it is, for messages.
        of: What the names are, for messages, such as ``"trend in the formula"``.

    Returns:
        A SQLGlot expression over columns of these names.

    Raises:
        InputError: It cannot be read, uses anything else, or a name that is not there.

    Examples:
        >>> parse_arithmetic("quantity * unit_price", ["quantity", "unit_price"]).sql("duckdb")
        '"quantity" * "unit_price"'
        >>> parse_arithmetic("amout / 2", ["amount"], of="property")
        Traceback (most recent call last):
            ...
        headway.errors.InputError: unknown property 'amout'. Did you mean 'amount'? Available: 'amount'.
    """
    allowed = f"a {what} may use names, numbers, +, -, *, / and parentheses"
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_LENGTH:
        raise InputError(f"a {what} is a text of at most {_MAX_LENGTH} characters: {allowed}")
    try:
        if any(token.comments for token in sqlglot.tokenize(text, read=DIALECT)):
            raise InputError(f"a {what} cannot hold a comment: {allowed}")
        parsed = sqlglot.parse_one(text, read=DIALECT, into=exp.Condition)
        return _term(parsed, names, f"in a {what}: {allowed}", of)
    except SqlglotError:
        raise InputError(f"cannot read the {what} {text!r}: {allowed}") from None
    except RecursionError:
        raise InputError(f"the {what} is nested too deeply") from None


def names_in(text: str) -> tuple[str, ...]:
    """Lists the names that arithmetic uses, without judging it.

    Args:
        text: The arithmetic.

    Returns:
        Names, each once, in alphabetical order; none where it cannot be read.

    Examples:
        >>> names_in("quantity * unit_price - quantity")
        ('quantity', 'unit_price')
    """
    try:
        tree = sqlglot.parse_one(text, read=DIALECT, into=exp.Condition)
    except (SqlglotError, RecursionError):
        return ()
    return tuple(sorted({column.name for column in tree.find_all(exp.Column)}))


def _term(node: exp.Expr, names: Collection[str], where: str, of: str) -> exp.Expr:
    if isinstance(node, exp.Paren):
        return exp.Paren(this=_term(node.this, names, where, of))
    if isinstance(node, exp.Neg):
        return exp.Neg(this=exp.Paren(this=_term(node.this, names, where, of)))
    if isinstance(node, _OPERATORS):
        sides = [_term(side, names, where, of) for side in (node.this, node.expression)]
        return type(node)(this=sides[0], expression=sides[1])
    if isinstance(node, exp.Div):
        divisor = exp.Nullif(this=_term(node.expression, names, where, of), expression=exp.Literal.number(0))
        return exp.Div(this=_term(node.this, names, where, of), expression=divisor, typed=False, safe=False)
    if isinstance(node, exp.Literal) and not node.is_string and math.isfinite(float(node.this)):
        return exp.cast(exp.Literal.number(node.this), "DOUBLE")
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and not node.table:
        if node.name not in names:
            raise InputError.unknown(of, node.name, names)
        return exp.column(node.name, quoted=True)
    raise InputError(f"cannot use {type(node).__name__.upper()} {where}")


def evaluate(parsed: exp.Expr, values: Mapping[str, Floats]) -> Floats:
    """Computes parsed arithmetic over arrays.

    Args:
        parsed: What `parse_arithmetic` returned.
        values: Values by name, arrays that broadcast; NaN stands for null.

    Returns:
        The results; NaN where a value is missing, a divisor is 0, or the result is too large for a number.

    Examples:
        >>> ratio = parse_arithmetic("a / b", ["a", "b"])
        >>> evaluate(ratio, {"a": np.array([1.0, 1.0]), "b": np.array([2.0, 0.0])}).tolist()
        [0.5, nan]
    """
    with np.errstate(all="ignore"):
        found = _computed(parsed, values)
        return np.where(np.isfinite(found), found, np.nan)


def _computed(node: exp.Expr, values: Mapping[str, Floats]) -> Floats:
    if isinstance(node, exp.Column):
        return values[node.name]
    if isinstance(node, exp.Cast):
        return np.float64(node.this.this) * np.ones(())
    if isinstance(node, exp.Neg):
        return -_computed(node.this, values)
    if isinstance(node, exp.Nullif):
        divisor = _computed(node.this, values)
        return np.where(divisor == 0, np.nan, divisor)
    if isinstance(node, exp.Binary):
        operator = _NUMERIC[type(node)]
        return np.asarray(operator(_computed(node.this, values), _computed(node.expression, values)))
    return _computed(node.this, values)


_NUMERIC: Mapping[type[exp.Binary], Callable[[Floats, Floats], Floats]] = {
    exp.Add: np.add,
    exp.Sub: np.subtract,
    exp.Mul: np.multiply,
    exp.Div: np.divide,
}
