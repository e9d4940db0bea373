"""Which events a question is about: names, lists of names, and conditions on properties.

A condition is parsed by SQLGlot, checked against a short list of allowed constructs and rebuilt from scratch,
so that what reaches the database was written here and never pasted.

A property may be missing. Every condition is then still true or false, never unknown: "not equal" is true,
every other comparison is false, and ``NOT`` turns one into the other (``NOT IN`` and ``NOT LIKE`` are true).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from headway.engine.sql import DIALECT
from headway.errors import InputError

_MAX_LENGTH = 10_000
_COMPARISONS: tuple[type[exp.Binary], ...] = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_ALLOWED = (
    "a condition may use =, <>, <, <=, >, >=, in (...), like, is null, between, and, or, not, parentheses, "
    "property names, numbers, true, false and 'text'"
)
_OTHER_SUBJECTS = ("person", "person_latest", "account", "account_latest")


@dataclass(frozen=True)
class Event:
    """Events by name and by a condition on their properties.

    Attributes:
        event: A name, several names (any of them), or None for any event.
        where: A condition over event properties such as ``"amount > 10 and plan in ('pro', 'team')"``,
            or None. ``person.plan`` and ``account.plan`` are what was true of the event's person or account when
            it happened, ``person_latest.plan`` and ``account_latest.plan`` what was last known of them.
        optional: As a step of a funnel: the step is counted and may be skipped.
        first_time: As a step of a funnel, what happened before the range included: ``"event"`` takes only the first
            event of that name ever, which must match; ``"matching"`` only the first event ever that matches.

    Raises:
        InputError: A name is empty or not text, or an option is unknown.

    Examples:
        >>> Event(["Lesson Watched", "Course Enrolled"]).label
        'Lesson Watched or Course Enrolled'
        >>> Event("Payment", where="amount > 10").label
        'Payment where amount > 10'
    """

    event: str | Sequence[str] | None
    where: str | None = None
    optional: bool = False
    first_time: Literal["event", "matching"] | None = None

    def __post_init__(self) -> None:
        names = (self.event,) if isinstance(self.event, str) else self.event
        if names is not None:
            if not isinstance(names, list | tuple) or not names:
                raise InputError("an event is a name, a list with at least one name, or None for any event")
            if not all(isinstance(name, str) and name for name in names):
                raise InputError("an event name must be a text that is not empty")
            if not isinstance(self.event, str):
                object.__setattr__(self, "event", tuple(dict.fromkeys(names)))
        if self.where is not None and not isinstance(self.where, str):
            raise InputError("a where condition must be a text")
        if not isinstance(self.optional, bool):
            raise InputError(f"optional must be True or False, not a {type(self.optional).__name__}")
        if self.first_time not in (None, "event", "matching"):
            raise InputError.unknown("first_time", str(self.first_time), ["event", "matching"])

    @property
    def names(self) -> tuple[str, ...] | None:
        """The event names, or None for any event."""
        return (self.event,) if isinstance(self.event, str) else tuple(self.event) if self.event else None

    @property
    def label(self) -> str:
        """A short name for charts and tables."""
        name = " or ".join(self.names) if self.names else "any event"
        told = f"{name} where {self.where}" if self.where else name
        return f"{told}, first time" if self.first_time else told


Selector = str | Sequence[str] | Event


def as_event(selector: Selector) -> Event:
    """Turns any form of selector into an `Event`.

    Args:
        selector: A name, a list of names, or an `Event`.

    Returns:
        The selector as an `Event`.

    Raises:
        InputError: It is none of these.

    Examples:
        >>> as_event(["a", "b"]).names
        ('a', 'b')
    """
    if isinstance(selector, Event):
        return selector
    if isinstance(selector, str | list | tuple):
        return Event(selector)
    raise InputError(
        f"an event must be a name, a list of names or Event(...), not a {type(selector).__name__}"
    )


def condition(selector: Selector, columns: Collection[str]) -> exp.Expr:
    r"""Builds the test whether a row of events matches a selector.

    Args:
        selector: A name, a list of names, or an `Event`.
        columns: Names of the property columns a condition may use.

    Returns:
        A SQLGlot expression over the column ``event`` and the properties. It is never null as long as
        ``event`` is not.

    Raises:
        InputError: The condition cannot be used, see `parse_where`.

    Examples:
        >>> condition(Event(["a", "b"], where="score <> 1"), ["score"]).sql("duckdb")
        '"event" IN (\'a\', \'b\') AND ("score" <> 1 OR "score" IS NULL)'
    """
    event = as_event(selector)
    tests: list[exp.Expr] = []
    if event.names is not None:
        column = exp.column("event", quoted=True)
        names = [exp.Literal.string(name) for name in event.names]
        tests.append(exp.EQ(this=column, expression=names[0]) if len(names) == 1 else _in(column, names))
    if event.where is not None:
        tests.append(parse_where(event.where, columns))
    return _all(tests) if tests else exp.true()


def parse_where(text: str, columns: Collection[str]) -> exp.Expr:
    """Parses a condition over properties into an expression that is true or false for every row.

    Args:
        text: Comparisons, ``in``, ``like``, ``is [not] null``, ``between``, ``and``/``or``/``not``,
            parentheses, property names, numbers, ``true``/``false`` and quoted text; nothing else.
        columns: Names of the properties that may be used.

    Returns:
        A SQLGlot expression in which missing properties are spelled out; safe under ``NOT``.

    Raises:
        InputError: The text uses anything else, or a property that is not in `columns`.

    Examples:
        >>> parse_where("amount > 10", ["amount"]).sql("duckdb")
        '("amount" > 10 AND NOT "amount" IS NULL)'
        >>> parse_where("amout > 10", ["amount"])
        Traceback (most recent call last):
            ...
        headway.errors.InputError: unknown property 'amout'. Did you mean 'amount'? Available: 'amount'.
        >>> parse_where("lower(plan) = 'pro'", ["plan"])
        Traceback (most recent call last):
            ...
        headway.errors.InputError: cannot use lower(...) in a condition: a condition may use =, ...
    """
    if not isinstance(text, str):
        raise InputError(f"a condition is a text such as \"plan = 'pro'\", not a {type(text).__name__}")
    if len(text) > _MAX_LENGTH:
        raise InputError(f"a condition may have at most {_MAX_LENGTH} characters")
    try:
        tokens = sqlglot.tokenize(text, read=DIALECT)
        if any(token.token_type is TokenType.SEMICOLON for token in tokens):
            raise InputError(f"a condition cannot hold a semicolon: {_ALLOWED}")
        if any(token.comments for token in tokens):
            raise InputError(f"a condition cannot hold a comment: {_ALLOWED}")
        parsed = sqlglot.parse_one(text, read=DIALECT, into=exp.Condition)
        return _boolean(parsed, frozenset(columns))
    except (ParseError, TokenError):
        raise InputError(
            f"cannot read the condition {text!r}: {_ALLOWED}; "
            "a property whose name is an SQL word goes in double quotes"
        ) from None
    except RecursionError:
        raise InputError("the condition is nested too deeply") from None


def names_of(expressions: Iterable[exp.Expr]) -> list[str]:
    """Lists the columns that expressions read.

    Args:
        expressions: SQLGlot expressions, for example from `condition`.

    Returns:
        Column names in alphabetical order.

    Examples:
        >>> names_of([condition(Event("a", where="x = 1 or y = 2"), ["x", "y"])])
        ['event', 'x', 'y']
    """
    return sorted({column.name for tree in expressions for column in tree.find_all(exp.Column)})


def _boolean(node: exp.Expr, columns: frozenset[str]) -> exp.Expr:
    if isinstance(node, exp.Paren):
        return _boolean(_only(node, "this").this, columns)
    if isinstance(node, exp.And | exp.Or):
        _only(node, "this", "expression")
        sides = [_boolean(node.this, columns), _boolean(node.expression, columns)]
        return _all(sides) if isinstance(node, exp.And) else _any(sides)
    if isinstance(node, exp.Not):
        return _negated(_boolean(_only(node, "this").this, columns))
    return _comparison(node, columns)


def _comparison(node: exp.Expr, columns: frozenset[str]) -> exp.Expr:
    if isinstance(node, _COMPARISONS):
        _only(node, "this", "expression")
        sides = [_value(node.this, columns), _value(node.expression, columns)]
        test: exp.Expr = type(node)(this=sides[0], expression=sides[1])
        return _or_missing(test, sides) if isinstance(node, exp.NEQ) else _and_present(test, sides)
    if isinstance(node, exp.Is):
        if not isinstance(_only(node, "this", "expression").expression, exp.Null):
            raise InputError(f"'is' goes with null only; compare with = true or = false: {_ALLOWED}")
        return exp.Is(this=_property(node.this, columns), expression=exp.Null())
    if isinstance(node, exp.In):
        column = _property(_only(node, "this", "expressions").this, columns)
        values = [_value(value, frozenset()) for value in node.expressions]
        if not values:
            raise InputError("'in' needs a list with at least one value")
        return _and_present(_in(column, values), [column])
    if isinstance(node, exp.Like):
        column = _property(_only(node, "this", "expression", "negate").this, columns)
        like = exp.Like(this=column, expression=_value(node.expression, frozenset()))
        test = _and_present(like, [column])
        # SQLGlot reads NOT LIKE as a flag of the comparison, but NOT IN and NOT BETWEEN as a NOT around it.
        return _negated(test) if node.args.get("negate") else test
    if isinstance(node, exp.Between):
        column = _property(_only(node, "this", "low", "high").this, columns)
        low, high = (_value(node.args[end], frozenset()) for end in ("low", "high"))
        return _and_present(exp.Between(this=column, low=low, high=high), [column])
    if isinstance(node, exp.Column | exp.Literal | exp.Boolean):
        raise InputError(f"{node.sql(DIALECT)} alone is not a condition: compare it, for example with = true")
    raise _unusable(node)


def _value(node: exp.Expr, columns: frozenset[str]) -> exp.Expr:
    if isinstance(node, exp.Paren):
        return _value(_only(node, "this").this, columns)
    if isinstance(node, exp.Literal):
        return exp.Literal.string(node.this) if node.is_string else exp.Literal.number(node.this)
    if isinstance(node, exp.Boolean):
        return exp.true() if node.this else exp.false()
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return exp.Neg(this=exp.Literal.number(node.this.this))
    if isinstance(node, exp.Null):
        raise InputError("nothing equals null: write 'is null' or 'is not null'")
    if isinstance(node, exp.Column):
        if not columns:
            raise InputError("'in', 'like' and 'between' compare a property with values, not with a property")
        return _property(node, columns)
    raise _unusable(node)


def _property(node: exp.Expr, columns: frozenset[str]) -> exp.Column:
    if isinstance(node, exp.Paren):
        return _property(_only(node, "this").this, columns)
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        raise InputError("'in', 'like', 'between' and 'is null' need a property name on their left")
    if node.table in _OTHER_SUBJECTS and not node.db:
        return _dated_property(node, columns)
    if node.table:
        raise InputError(f"write the property name alone: {node.name!r} instead of {node.sql(DIALECT)!r}")
    if node.name not in columns:
        error = InputError.unknown("property", node.name, columns)
        # a name on the left of a comparison is meant as a property; one on its right may be a text
        if "Did you mean" in str(error) or node.arg_key == "this":
            raise error
        raise InputError(f"{error} A text goes in single quotes.")
    return exp.column(node.name, quoted=True)


def _dated_property(node: exp.Column, columns: frozenset[str]) -> exp.Column:
    name = f"{node.table}.{node.name}"
    known = [each for each in columns if each.startswith(f"{node.table}.")]
    if not known:
        subject = node.table.removesuffix("_latest")
        raise InputError(
            f"{name!r} is not known here: no {subject} properties are. Declare them under {subject}_properties in "
            "the tracking plan, or use a property of the event"
        )
    if name not in known:
        raise InputError.unknown("property", name, known)
    return exp.column(name, quoted=True)


def _only(node: exp.Expr, *names: str) -> exp.Expr:
    if any(value and name not in names for name, value in node.args.items()):
        raise _unusable(node)
    return node


def _unusable(node: exp.Expr) -> InputError:
    if isinstance(node, exp.Anonymous):
        what = f"{node.name}(...)"
    elif isinstance(node, exp.Func):
        what = f"{node.sql_name().lower()}(...)"
    else:
        what = f"{type(node).__name__.upper()}"
    return InputError(f"cannot use {what} in a condition: {_ALLOWED}")


def _in(column: exp.Column, values: Sequence[exp.Expr]) -> exp.In:
    return exp.In(this=column.copy(), expressions=list(values))


def _missing(sides: Iterable[exp.Expr]) -> list[exp.Expr]:
    return [exp.Is(this=side.copy(), expression=exp.Null()) for side in sides if isinstance(side, exp.Column)]


def _and_present(test: exp.Expr, sides: Sequence[exp.Expr]) -> exp.Expr:
    tests = [test, *(exp.Not(this=missing) for missing in _missing(sides))]
    return exp.Paren(this=_all(tests)) if len(tests) > 1 else test


def _or_missing(test: exp.Expr, sides: Sequence[exp.Expr]) -> exp.Expr:
    tests = [test, *_missing(sides)]
    return exp.Paren(this=_any(tests)) if len(tests) > 1 else test


def _negated(test: exp.Expr) -> exp.Expr:
    return exp.Not(this=test if isinstance(test, exp.Paren) else exp.Paren(this=test))


def _all(tests: Sequence[exp.Expr]) -> exp.Expr:
    return exp.and_(*tests, copy=False)


def _any(tests: Sequence[exp.Expr]) -> exp.Expr:
    return exp.or_(*tests, copy=False)
