"""What an event is called on a path: its name or a property, under a new name or that of a group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from headway.errors import InputError
from headway.insights.question import Scope
from headway.selectors import Event

if TYPE_CHECKING:
    from headway.insights.paths import Paths

# Items or patterns by their text, or events by name and condition.
Member = str | Event
Group = Member | Sequence[Member]
_STAR = re.compile(r"(\*+)")


def check_anchor(name: str, value: object) -> tuple[str, ...] | None:
    """Checks an anchor of paths.

    Args:
        name: What it is called.
        value: What was given.

    Returns:
        Its items, or None.

    Raises:
        InputError: It is no item and no list of items.

    Examples:
        >>> check_anchor("start", "Home")
        ('Home',)
    """
    items = (value,) if isinstance(value, str) else value
    if items is None:
        return None
    if not isinstance(items, list | tuple) or not items or not all(isinstance(x, str) and x for x in items):
        raise InputError(f"{name} is an item (a name, or the name of a group), a list of items, or None")
    return tuple(items)


def check_groups(value: object, *, renames: bool = False) -> tuple[tuple[str, tuple[Member, ...]], ...]:
    """Brings groups into one form that can be compared and hashed.

    Args:
        value: A mapping from names to members, a list of patterns, or None.
        renames: Whether it maps single items to their new names.

    Returns:
        Pairs of a name and its members.

    Raises:
        InputError: It is none of these.

    Examples:
        >>> check_groups({"Shop": ["Cart", "Product*"]})
        (('Shop', ('Cart', 'Product*')),)
        >>> check_groups({"old": "new"}, renames=True)
        (('new', ('old',)),)
    """
    what = "rename" if renames else "groups"
    given: Any = value or ()
    if isinstance(given, Mapping):
        pairs = [(new, old) if renames else (old, new) for old, new in given.items()]
    elif isinstance(given, list | tuple):
        pairs = [(each, each) if isinstance(each, str) else tuple(each) for each in given]
    else:
        raise InputError(f"{what} is a mapping such as {{'Browse': ['Home', 'Product*']}}")
    found = []
    for name, members in pairs:
        several = members if isinstance(members, list | tuple) else (members,)
        if not isinstance(name, str) or not name or not several:
            raise InputError(f"{what} needs a name, and at least one item for it")
        if not all(isinstance(member, str | Event) and member for member in several):
            raise InputError(f"{what} holds items, patterns such as 'Product*', or Event(...)")
        found.append((name, tuple(several)))
    return tuple(found)


def is_one_of(column: str, items: Iterable[str], table: str | None = None) -> exp.Expr:
    """Builds the test whether a column is one of some items.

    Args:
        column: The column.
        items: The items.
        table: The relation it belongs to, where that must be said.

    Returns:
        A SQLGlot expression.
    """
    values = [exp.Literal.string(item) for item in items]
    return exp.In(this=exp.column(column, table=table), expressions=values)


def item_of(asked: Paths, scope: Scope) -> tuple[exp.Expr, list[exp.Expr]]:
    """Builds what an event is called on a path.

    Args:
        asked: The question.
        scope: Its options applied to a log.

    Returns:
        Text, null for events that are no items; and the conditions and columns it is made of.

    Raises:
        InputError: A property is unknown, an event never occurs, or an anchor is none of the items.
    """
    if asked.item is not None and asked.item not in scope.log.properties:
        raise InputError.unknown("property", asked.item, scope.log.properties)
    raw: exp.Expr = exp.column("event", quoted=True)
    if asked.item is not None:
        raw = exp.cast(exp.column(asked.item, quoted=True), "VARCHAR")
    pairs = [*_pairs(asked.groups), *_pairs(asked.rename)]
    tests = [(name, _takes(members, raw, asked, scope)) for name, members in pairs]
    label: exp.Expr = raw.copy()
    if tests:
        case = exp.Case()
        for name, test in tests:
            case = case.when(test, exp.Literal.string(name), copy=False)
        label = case.else_(raw.copy())
    used = [raw, *(test for _, test in tests)]
    _check_anchors(asked, scope, {name for name, _ in pairs})
    # An event without the property is no item, whatever group would take it.
    if asked.item is not None:
        label = exp.Case().when(raw.copy().is_(exp.null()).not_(), label)
    if asked.event is not None:
        among = scope.matches(asked.event)
        used.append(among)
        label = exp.Case().when(among, label)
    return label, used


def _pairs(groups: Any) -> list[tuple[str, tuple[Member, ...]]]:
    return list(groups or ())


def _takes(members: Iterable[Member], raw: exp.Expr, asked: Paths, scope: Scope) -> exp.Expr:
    return exp.or_(*(_takes_one(member, raw, asked, scope) for member in members))


def _takes_one(member: Member, raw: exp.Expr, asked: Paths, scope: Scope) -> exp.Expr:
    if isinstance(member, Event):
        return scope.matches(member)
    if "*" not in member:
        _check_name(member, asked, scope)
        return exp.EQ(this=raw.copy(), expression=exp.Literal.string(member))
    pattern = exp.Literal.string("(?s)" + _regular(member))
    return exp.Anonymous(this="regexp_full_match", expressions=[raw.copy(), pattern])


def _regular(pattern: str) -> str:
    """The pattern as a regular expression: ``*`` stays within a piece between slashes, ``**`` does not."""
    return "".join(
        (".*" if len(piece) > 1 else "[^/]*") if piece.startswith("*") else re.escape(piece)
        for piece in _STAR.split(pattern)
        if piece
    )


def _check_name(name: str, asked: Paths, scope: Scope) -> None:
    if asked.item is None and scope.log.names and name not in scope.log.names:
        raise InputError.unknown("event", name, scope.log.names)


def _check_anchors(asked: Paths, scope: Scope, labels: set[str]) -> None:
    known = {*scope.log.names, *labels}
    if asked.item is not None or not scope.log.names:
        return
    for anchor in [*(asked.start or ()), *(asked.end or ())]:
        if anchor not in known:
            raise InputError.unknown("item", anchor, known)
