"""Breakdowns of questions about people's periods: each group is a question of its own.

What a person is (new, back, active on so many days) follows from all the events that count. Broken down, it follows
from the group's events alone, so that the question is asked once per group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.breakdown import COLUMN, OTHER, By, as_by, by_words, told_apart
from headway.insights.question import Group, Question, Scope
from headway.insights.result import Result
from headway.log import EventLog
from headway.selectors import Event, Selector

_PACKAGE = "headway.insights"
_MOST_GROUPS = 100

R = TypeVar("R", bound=Result)


@dataclass(frozen=True, kw_only=True)
class Grouped(Question):
    """Options of questions that are asked once per group.

    Attributes:
        by: Property or cohort to break down by, a list of these, or None. Each group is the question asked of the
            events with that value, so that a person may be in several.
        top: Number of groups to keep, those with most people in the range; the others become ``"(other)"``.
    """

    #: Whether what lies before the range counts.
    looks_back: ClassVar[bool] = False

    by: By | None = None
    top: int | None = None

    def check_by(self) -> None:
        """Checks the breakdown; every question of this kind calls it when it is made.

        Raises:
            InputError: `by` or `top` cannot be used.
        """
        object.__setattr__(self, "by", as_by(self.by, self.top))

    def by_sentence(self) -> str:
        """Says what the question is broken down by, to follow its own sentence; nothing without a breakdown."""
        if self.by is None:
            return ""
        return f" One such question for each group of events, {by_words(self.by, self.top)}."


def one_by_one(
    question: Grouped, log: EventLog, ask: Callable[[Any, EventLog], R], *, counted: Selector | None
) -> R:
    """Asks a question once per group.

    Args:
        question: The question, with a breakdown.
        log: The log.
        ask: Asks such a question of a log.
        counted: Events by whose people groups are ranked; groups without any are left out.

    Returns:
        One result: its frame has a column per item of the breakdown first, ``groups`` holds each group's own result.

    Raises:
        InputError: Something to break down by is unknown, or makes too many groups.
    """
    scope = Scope.of(question, log)
    plain = replace(question, by=None, top=None)
    values = _values(question, scope, Event(None) if counted is None else counted)
    kept = None if question.top is None else tuple(value for value in values if value != OTHER)
    by: By = () if question.by is None else question.by
    parts = {value: ask(replace(plain, only=Group(by, value, kept)), log) for value in values}
    # Without any group the answer has no rows, but still its columns.
    whole = ask(plain, log)
    scope.breakdown(question.by, whole.frame.columns)
    frames = [part.frame.with_columns(pl.lit(value).alias(COLUMN)) for value, part in parts.items()]
    empty = whole.frame.clear().with_columns(pl.lit("").alias(COLUMN)).clear()
    frame = told_apart(pl.concat([empty, *frames]), question.by, COLUMN)
    sql = "\nUNION ALL\n".join(f"(\n{_answer(value, part.sql)}\n)" for value, part in parts.items())
    return replace(whole, frame=frame, sql=sql or whole.sql, insight=question, groups=parts)


def group_labels(groups: Mapping[str, Result], by: By | None) -> list[str]:
    """Names groups for a chart, in order."""
    listed = pl.DataFrame({"touch": list(groups)}, schema={"touch": pl.String})
    told = told_apart(listed.with_row_index("place"), by).sort("place").drop("place")
    return [" · ".join(row) for row in told.rows()]


def _values(question: Grouped, scope: Scope, counted: Selector) -> list[str]:
    test = scope.matches(counted)
    # Before anything is asked: an unknown name must not look like a group.
    scope.breakdown(question.by, ())
    ev = scope.events([test], by=question.by, top=question.top, counted=test, ever=question.looks_back)
    text = bind(load(_PACKAGE, "grouped_groups"), {"counted": test})
    values: list[str] = scope.log.sql(with_inputs(text, {"ev": ev}))[COLUMN].to_list()
    if len(values) > _MOST_GROUPS:
        raise InputError(
            f"this breakdown makes {len(values)} groups, and at most {_MOST_GROUPS} can be asked one by one: "
            "keep the largest with top="
        )
    return values


def _answer(value: str, sql: str) -> str:
    return with_inputs(
        bind(load(_PACKAGE, "grouped_answer"), {"value": exp.Literal.string(value)}), {"answer": sql}
    )
