"""Which questions the store answers, and how. Whatever is not known here word for word goes to SQL.

Each answer has the columns that the SQL of the insight has, so that everything after the counts is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from headway.periods import day_start_us, local_day
from headway.selectors import Event

if TYPE_CHECKING:
    from headway.insights.question import Question, Scope
    from headway.store.person_store import PersonStore

#: Options of every question that the store understands; any other must be left as it is by default.
COMMON = ("since", "until", "timezone", "week_start")


def is_plain(question: Question, scope: Scope, understood: Mapping[str, Iterable[Any] | None]) -> bool:
    """Says whether a question has no option that the store does not know.

    Args:
        question: The question.
        scope: The question applied to its log.
        understood: Options of the question and the values that the store knows; None stands for every value.

    Returns:
        False where SQL must answer.
    """
    if scope.unit != "person" or scope.where is not None or getattr(scope, "cohort", None) is not None:
        return False
    for name, default in _options(type(question)):
        allowed = understood.get(name, (default,))
        if allowed is None:
            continue
        value = getattr(question, name)
        if not any(value is each or value == each for each in allowed):
            return False
    return True


@cache
def _options(kind: type[Question]) -> tuple[tuple[str, Any], ...]:
    """Names and defaults of a question's options that are its own or that the store does not know."""
    return tuple(
        (field.name, field.default) for field in dataclasses.fields(kind) if field.name not in COMMON
    )


def codes_of(store: PersonStore, selector: Event) -> list[int] | None:
    """Finds the events that a selector matches.

    Args:
        store: The store.
        selector: A selector without a condition.

    Returns:
        Codes; None stands for any event.
    """
    return None if selector.names is None else store.codes(selector.names)


def whole_days(scope: Scope) -> bool:
    """Says whether the range begins and ends with whole local days, which is all that days can tell.

    Args:
        scope: The question applied to its log.

    Returns:
        False where an end cuts a day.
    """
    return all(
        us is None or day_start_us(local_day(us, scope.timezone), scope.timezone) == us
        for us in (scope.span.since_us, None if scope.span.until_us is None else scope.span.until_us + 1)
    )
