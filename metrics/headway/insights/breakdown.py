"""Breakdowns: what `by` and `top` mean, for every question that takes them.

The group of an event is one text, in the column ``breakdown`` of relation ``ev``. Several items make one combined
group, told apart again in the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl
from sqlglot import exp

from headway.errors import InputError
from headway.insights.cohorts import Cohort

NONE = "(none)"
OTHER = "(other)"
COLUMN = "breakdown"
IN, OUT = "in", "not in"

Item = str | Cohort
By = Item | Sequence[Item]
_MOST_GROUPS = 10_000


def as_by(by: By | None, top: int | None = None) -> By | None:
    """Checks what to break down by, and makes it a value that can be hashed.

    Args:
        by: A property, a cohort, a list of these, or None.
        top: Number of groups to keep, or None.

    Returns:
        The same, a list as a tuple.

    Raises:
        InputError: It is none of these, or names something twice, or `top` is no number of groups.

    Examples:
        >>> as_by(["plan", "channel"])
        ('plan', 'channel')
    """
    if top is not None and (
        isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= _MOST_GROUPS
    ):
        raise InputError(f"top must be a whole number from 1 to {_MOST_GROUPS}")
    if top is not None and by is None:
        raise InputError("top says how many groups of a breakdown to keep: give by as well")
    if by is None or isinstance(by, str | Cohort):
        return by
    if not isinstance(by, list | tuple) or not by or not all(isinstance(item, str | Cohort) for item in by):
        raise InputError("by must be the name of a property, a cohort, or a list of these")
    names = columns_of(by)
    if len(set(names)) < len(names):
        raise InputError("by names something twice; cohorts are told apart by .named(...)")
    return tuple(by)


def items_of(by: By | None) -> tuple[Item, ...]:
    """Lists what a breakdown is made of."""
    if by is None:
        return ()
    return (by,) if isinstance(by, str | Cohort) else tuple(by)


def columns_of(by: By | None) -> list[str]:
    """Names the columns of a breakdown in the result.

    Args:
        by: What to break down by.

    Returns:
        One name an item: the property, or the label of the cohort.

    Examples:
        >>> from headway.insights.cohorts import Did
        >>> columns_of(["plan", Did("Payment").named("payers")])
        ['plan', 'payers']
    """
    return [item.label if isinstance(item, Cohort) else item for item in items_of(by)]


def by_words(by: By | None, top: int | None = None) -> str:
    """Says what a question is broken down by.

    Args:
        by: What to break down by, or None.
        top: Number of groups kept, or None.

    Returns:
        Words to go on with in a sentence; nothing without a breakdown.

    Examples:
        >>> by_words(["plan", "channel"], 5)
        'by plan and channel (the 5 groups with most people, the rest as (other))'
    """
    if by is None:
        return ""
    split = f"by {' and '.join(columns_of(by))}"
    if top is None:
        return split
    largest = "the group" if top == 1 else f"the {top} groups"
    return f"{split} ({largest} with most people, the rest as {OTHER})"


def group_of(values: Iterable[exp.Expr]) -> exp.Expr:
    """Builds the group of an event from the values it is made of.

    Args:
        values: Texts, never null.

    Returns:
        One text: the value itself, or a JSON list of several, from which they can be told apart again whatever they
        hold.
    """
    texts = list(values)
    several = exp.Anonymous(this="json_array", expressions=texts)
    return texts[0] if len(texts) == 1 else exp.cast(several, "VARCHAR")


def parts_of(by: By | None) -> list[exp.Expr]:
    """Builds the values a group was made of, from the column ``breakdown``."""
    group, count = exp.column(COLUMN), len(items_of(by))
    if count < 2:
        return [group]
    return [
        exp.Anonymous(this="json_extract_string", expressions=[group.copy(), exp.Literal.string(f"$[{i}]")])
        for i in range(count)
    ]


def told_apart(frame: pl.DataFrame, by: By | None, column: str = "touch") -> pl.DataFrame:
    """Puts the breakdown's own columns in place of the group.

    Args:
        frame: Rows with the group.
        by: What was broken down by; None takes the group away where there is one.
        column: The group's column.

    Returns:
        The frame, one column an item first, sorted by them; rows of equal groups keep their order.
    """
    if by is None:
        return frame.drop(column, strict=False)
    names, group = columns_of(by), pl.col(column)
    if len(names) > 1:
        several = pl.when(group == OTHER).then(None).otherwise(group).str.json_decode(pl.List(pl.String))
        values = [several.list.get(i).fill_null(OTHER).alias(name) for i, name in enumerate(names)]
    else:
        values = [group.alias(names[0])]
    rest = [name for name in frame.columns if name != column]
    return frame.select(*values, *rest).sort(names, maintain_order=True)


def one_column(frame: pl.DataFrame, by: By | None) -> tuple[pl.DataFrame, str | None]:
    """Joins the columns of a breakdown for a chart.

    Args:
        frame: A result with one column an item.
        by: What was broken down by.

    Returns:
        The frame with one column for the group, and its name; None without a breakdown.
    """
    names = columns_of(by)
    if len(names) < 2:
        return frame, names[0] if names else None
    name = " · ".join(names)
    group = pl.concat_str(names, separator=" · ").alias(name)
    return frame.select(group, pl.exclude(names)), name
