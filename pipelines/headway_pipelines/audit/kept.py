"""What the tracking plan lets through: class, column, purpose, owner and retention of every property."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headway.models.plan import SUBJECTS, PropertyField, TrackingPlan

_AS = {
    "id": "random pseudonym of domain {domain}",
    "url": "host and template of the path; userinfo, fragment and other parameters are cut",
    "token": "as it is, where it has the declared form and nothing in it looks personal",
    "enum": "one of {values} declared values",
    "number": "a number within bounds",
    "integer": "a whole number within bounds",
    "bool": "yes or no",
    "timestamp": "an instant",
    "sensitive": "nothing: dropped and counted",
    "text": "nothing: dropped and counted",
}


@dataclass(frozen=True)
class Kept:
    """One property, as the plan declares it.

    Attributes:
        of: Name of the event, or ``(person)`` or ``(account)``.
        property: Its name in the plan.
        privacy_class: Its class.
        columns: Columns that it fills; none where nothing is kept.
        kept_as: What is kept of it, in words.
        purpose: Why.
        owner: Who answers for it.
        retention: For how long.
    """

    of: str
    property: str
    privacy_class: str
    columns: tuple[str, ...]
    kept_as: str
    purpose: str
    owner: str
    retention: str


def kept_under(plan: TrackingPlan) -> tuple[Kept, ...]:
    """Lists every declared property with its terms.

    Args:
        plan: The tracking plan.

    Returns:
        One item per property of an event, then those of people and accounts.

    Examples:
        >>> from headway.models.plan import parse_plan
        >>> plan = parse_plan('''
        ... version: 1
        ... product: shop
        ... defaults: {purpose: analytics, owner: data, retention: 25 months}
        ... events:
        ...   Paid: {properties: {plan: {class: enum, values: [free, pro]}}}
        ... ''')
        >>> [(each.of, each.property, each.kept_as, each.retention) for each in kept_under(plan)]
        [('Paid', 'plan', 'one of 2 declared values', '25 months')]
    """
    return tuple(_events(plan)) + tuple(_subjects(plan))


def _events(plan: TrackingPlan) -> Iterator[Kept]:
    for name, event in plan.events.items():
        terms = plan.terms(name)
        retention = _period(terms.retention.count, terms.retention.unit)
        fields = event.fields()
        if not fields:
            yield Kept(
                name,
                "",
                "",
                (),
                "that it happened, when, and who did it",
                terms.purpose,
                terms.owner,
                retention,
            )
        yield from (_kept(name, each, terms.purpose, terms.owner, retention) for each in fields)


def _subjects(plan: TrackingPlan) -> Iterator[Kept]:
    shared = plan.defaults
    terms = (shared.purpose or "", shared.owner or "", shared.retention or "")
    for subject in SUBJECTS:
        yield from (_kept(f"({subject})", each, *terms) for each in plan.subject_fields(subject))


def _kept(of: str, field: PropertyField, purpose: str, owner: str, retention: str) -> Kept:
    class_ = field.spec.class_
    domain = field.column.domain if field.column else None
    values = len(field.column.values) if field.column else 0
    words = _AS.get(class_, "as its class says").format(domain=domain, values=values)
    columns = tuple(column.name for column in field.columns())
    return Kept(of, field.name, class_, columns, words, purpose, owner, retention)


def _period(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
