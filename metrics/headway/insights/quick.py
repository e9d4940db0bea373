"""Answers from the person store of a log, where it has one that knows the question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

if TYPE_CHECKING:
    import polars as pl

    from headway.insights.question import Question, Scope
    from headway.store import PersonStore


class Later(Mapping[str, "str | exp.Expr"]):
    """Relations that are written when they are first looked at: writing them takes longer than a quick answer does."""

    def __init__(self, write: Callable[[], Mapping[str, str | exp.Expr]]) -> None:
        self._write = write

    @cached_property
    def _written(self) -> Mapping[str, str | exp.Expr]:
        return self._write()

    def __getitem__(self, name: str) -> str | exp.Expr:
        return self._written[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def quick_counts(question: Question, scope: Scope) -> pl.DataFrame | None:
    """Counts without SQL, which remains the definition: both give the same rows.

    Args:
        question: The question.
        scope: The question applied to its log.

    Returns:
        What the insight's query returns, or None where the query must be asked.
    """
    store = scope.log.store
    if store is None:
        return None
    # Imported where it is needed: asking without a store should not load it.
    from headway.store.being_active import active_people, lifecycle, power_users, stickiness
    from headway.store.funnels import funnel
    from headway.store.retentions import retention

    answers: dict[str, Callable[[Any, Scope, PersonStore], pl.DataFrame | None]]
    answers = {
        "ActivePeople": active_people,
        "Funnel": funnel,
        "GrowthAccounting": lifecycle,
        "Lifecycle": lifecycle,
        "PowerUsers": power_users,
        "Retention": retention,
        "Stickiness": stickiness,
    }
    answer = answers.get(type(question).__name__)
    return None if answer is None else answer(question, scope, store)
