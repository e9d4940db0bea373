"""Answers from the person store of a log, where it has one that knows the question."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.insights.question import Question, Scope
    from headway.store import PersonStore


def quick_counts(question: Question, scope: Scope) -> Any:
    """Counts without SQL, which remains the definition: both give the same rows.

    Args:
        question: The question.
        scope: The question applied to its log.

    Returns:
        What the insight's query returns (of a funnel its columns alone), or None where the query must be asked.
    """
    store = scope.log.store
    if store is None:
        return None
    # Imported where it is needed: asking without a store should not load it.
    from headway.store.being_active import active_people, lifecycle, power_users, stickiness
    from headway.store.funnels import funnel
    from headway.store.retentions import retention

    answers: dict[str, Callable[[Any, Scope, PersonStore], Any]]
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
