"""Breakdowns of what begins with an event: sessions and paths are of the group of their first event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from sqlglot import exp

from headway.engine import bind, load
from headway.insights.breakdown import COLUMN, By, by_words, columns_of, one_column, parts_of

_MOST_FIGURES = 30


def largest_alone(by: By | None, top: int, source: str, counted: exp.Expr) -> str:
    """Writes the query that makes one group of all but the largest.

    Args:
        by: What is broken down by.
        top: Number of groups to keep.
        source: Relation with the columns ``person`` and ``breakdown``.
        counted: Condition on the rows by whose people groups are ranked.

    Returns:
        The query.
    """
    return bind(
        load("headway.insights", "begun_top"),
        {"input": exp.to_table(source), "counted": counted, "values": parts_of(by), "top": top},
    )


def begun_words(by: By | None, top: int | None, first: str) -> str:
    """Says what something is broken down by.

    Args:
        by: What it is broken down by, or None.
        top: Number of groups kept, or None.
        first: What its first event is called.

    Returns:
        Words to go on with in a sentence; nothing without a breakdown.

    Examples:
        >>> begun_words("plan", None, "its first event")
        ', by plan on its first event'
    """
    return "" if by is None else f", {by_words(by, top)} on {first}"


def each_group(
    frame: pl.DataFrame, by: By | None, make: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Makes something of each group's rows.

    Args:
        frame: Rows with the columns of a breakdown.
        by: What is broken down by, or None.
        make: What to make of rows.

    Returns:
        All of it, with the columns of the breakdown first.
    """
    names = columns_of(by)
    if not names:
        return make(frame)
    parts = frame.partition_by(names, as_dict=True, maintain_order=True)
    made = [
        make(part).select(
            *(pl.lit(value).alias(name) for name, value in zip(names, key, strict=True)), pl.all()
        )
        for key, part in parts.items()
    ]
    empty = frame.clear().select(names).hstack(make(frame.clear()).clear())
    return pl.concat([empty, *made])


def figure_of_each(
    by: By | None, draw: Callable[..., Any], first: pl.DataFrame, *more: pl.DataFrame, rank: str
) -> Any:
    """Draws a figure of each group behind a menu, or of everything without a breakdown.

    Args:
        by: What is broken down by, or None.
        draw: Draws frames.
        first: The frame whose groups are drawn.
        *more: Further frames with the same breakdown.
        rank: Column of `first` by whose sum groups are ranked, where there are more than a menu should hold.

    Returns:
        A Plotly figure.
    """
    if by is None or first.is_empty():
        return draw(*(frame.drop(columns_of(by)) for frame in (first, *more)))
    from headway.charts.switched import switched

    joined = [one_column(frame, by) for frame in (first, *more)]
    name = joined[0][1] or COLUMN
    largest = joined[0][0].group_by(name).agg(pl.col(rank).sum()).sort([rank, name], descending=[True, False])
    shown: list[str] = largest[name].head(_MOST_FIGURES).to_list()
    figures = [
        draw(*(frame.filter(pl.col(name) == value).drop(name) for frame, _ in joined)) for value in shown
    ]
    return switched(shown, figures)
