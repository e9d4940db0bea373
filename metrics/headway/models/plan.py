"""The tracking plan: the allowlist of events and properties, with a privacy class for each property.

What the plan does not declare is never stored. Each property has one class (there is no class for arbitrary
strings), and the plan says which lake column, of which type, each property fills.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictStr, field_validator, model_validator

from headway.errors import InputError
from headway.models.consent import Consent
from headway.models.durations import Retention, parse_retention
from headway.models.limits import Limits
from headway.models.plan_checks import (
    RESERVED_COLUMNS,
    RESERVED_PROPERTY_COLUMNS,
    SUBJECTS,
    Subject,
    problems,
)
from headway.models.properties import (
    SQL_TYPES,
    EnumProperty,
    IdProperty,
    Property,
    UrlProperty,
    snake_case,
)
from headway.models.traffic import TrafficRules
from headway.models.yaml_file import Definition, parse_document, read_text, validate


@dataclass(frozen=True)
class Column:
    """One column that the plan adds to the lake.

    Attributes:
        name: Column name in snake_case.
        sql_type: DuckDB type.
        privacy_class: Class of the property that fills it; a query parameter of a url is a ``token``.
        values: Allowed values of an enum, united over all events; empty for other classes.
        domain: Pseudonym domain of an id; None for other classes.
        fold_case: Whether an enum is compared case-insensitively.
    """

    name: str
    sql_type: str
    privacy_class: str
    values: tuple[str, ...] = ()
    domain: str | None = None
    fold_case: bool = False


@dataclass(frozen=True)
class PropertyField:
    """One property of one event, resolved.

    Attributes:
        name: Key in the plan.
        source: Dotted path in the raw event; a bare name is looked up among the event's properties.
        spec: The property's class with its limits.
        column: Column that stores the value; None when the class is never stored.
        query: Column of each listed query parameter of a url, by parameter name.
    """

    name: str
    source: str
    spec: Property
    column: Column | None
    query: Mapping[str, Column]

    def columns(self) -> tuple[Column, ...]:
        """Returns every column this property fills."""
        return ((self.column,) if self.column else ()) + tuple(self.query.values())


@dataclass(frozen=True)
class Terms:
    """Why an event is kept, who answers for it and how long it stays."""

    purpose: str
    owner: str
    retention: Retention


class PlanTerms(Definition):
    """Terms as written in the file; an event's own terms override the defaults."""

    purpose: StrictStr | None = Field(default=None, min_length=1)
    owner: StrictStr | None = Field(default=None, min_length=1)
    retention: StrictStr | None = None

    @field_validator("retention")
    @classmethod
    def _retention_is_a_period(cls, retention: str | None) -> str | None:
        if retention is not None:
            _as_value_error(parse_retention, retention)
        return retention


class EventPlan(PlanTerms):
    """One declared event."""

    description: StrictStr = ""
    properties: dict[StrictStr, Property] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_an_event_without_properties(cls, data: object) -> object:
        return {} if data is None else data

    def fields(self) -> tuple[PropertyField, ...]:
        """Returns the event's properties, resolved, in the order of the plan."""
        return tuple(_field(name, spec) for name, spec in self.properties.items())


class TrackingPlan(Definition):
    """The whole plan.

    Attributes:
        version: Version of the grammar, 1.
        product: The product's short name.
        defaults: Purpose, owner and retention of events that do not state their own.
        events: Declared events by name.
        traffic: How bots and the team's own traffic are told from people.
        person_properties: What may be stored of people, from traits; their terms are the defaults.
        account_properties: The same of accounts.
        limits: How long things may stay where; whether the retention of events is enforced.
        consent: Which purposes need consent, and what says that it was given; without it none is asked for.
    """

    version: Literal[1]
    product: StrictStr = Field(min_length=1)
    defaults: PlanTerms = PlanTerms()
    events: dict[StrictStr, EventPlan]
    traffic: TrafficRules = TrafficRules()
    person_properties: dict[StrictStr, Property] = Field(default_factory=dict)
    account_properties: dict[StrictStr, Property] = Field(default_factory=dict)
    consent: Consent | None = None
    limits: Limits | None = None

    @field_validator("events")
    @classmethod
    def _some_events(cls, events: dict[str, EventPlan]) -> dict[str, EventPlan]:
        if not events:
            raise ValueError("is empty; declare at least one event")
        return events

    def columns(self) -> Mapping[str, Column]:
        """Returns the lake columns of all events, united and sorted by name.

        Returns:
            Column by name; enum values of all events are united, in the order of the plan.
        """
        return self._columns

    @cached_property
    def _columns(self) -> dict[str, Column]:
        united: dict[str, Column] = {}
        for event in self.events.values():
            for field in event.fields():
                for column in field.columns():
                    united[column.name] = _unite(united.get(column.name), column)
        return dict(sorted(united.items()))

    def subject_fields(self, subject: Subject) -> tuple[PropertyField, ...]:
        """Returns the properties of people or of accounts, resolved, in the order of the plan.

        Args:
            subject: ``"person"`` or ``"account"``.

        Returns:
            The properties; empty where the plan declares none.
        """
        declared = self.person_properties if subject == "person" else self.account_properties
        return tuple(_field(name, spec) for name, spec in declared.items())

    def subject_columns(self, subject: Subject) -> Mapping[str, Column]:
        """Returns the columns that the properties of people or of accounts fill, sorted by name.

        Args:
            subject: ``"person"`` or ``"account"``.

        Returns:
            Column by name; empty where the plan declares none that is stored.
        """
        columns = (column for field in self.subject_fields(subject) for column in field.columns())
        return {column.name: column for column in sorted(columns, key=lambda each: each.name)}

    def dated_columns(self) -> Mapping[str, Column]:
        """Returns the properties of people and accounts under the names that conditions use.

        Returns:
            Column by name: ``person.x`` as of an event, ``person_latest.x`` as last known; the same of accounts.
        """
        return {
            f"{subject}{suffix}.{name}": replace(column, name=f"{subject}{suffix}.{name}")
            for subject in SUBJECTS
            for suffix in ("", "_latest")
            for name, column in self.subject_columns(subject).items()
        }

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the plan as canonical JSON: equal plans have equal hashes, comments do not count."""
        content = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        # How long something stays does not change what it is.
        content.pop("limits", None)
        for subject in SUBJECTS:
            # An empty section is the same plan as none.
            if not content[f"{subject}_properties"]:
                del content[f"{subject}_properties"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def event(self, name: str) -> EventPlan:
        """Returns one declared event.

        Args:
            name: The event's name.

        Returns:
            Its plan.

        Raises:
            InputError: The plan has no such event.
        """
        if name not in self.events:
            raise InputError.unknown("event", name, self.events)
        return self.events[name]

    def terms(self, event: str) -> Terms:
        """Returns purpose, owner and retention of an event, defaults applied.

        Args:
            event: The event's name.

        Returns:
            The terms.

        Raises:
            InputError: The plan has no such event.
        """
        own, shared = self.event(event), self.defaults
        return Terms(
            own.purpose or shared.purpose or "",
            own.owner or shared.owner or "",
            parse_retention(own.retention or shared.retention or ""),
        )


def parse_plan(text: str, name: str = "tracking_plan.yml") -> TrackingPlan:
    """Reads a tracking plan from YAML text.

    Args:
        text: The YAML text.
        name: File name to show in messages.

    Returns:
        The plan.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its line.

    Examples:
        >>> plan = parse_plan('''
        ... version: 1
        ... product: lectern
        ... defaults: {purpose: product_analytics, owner: data, retention: 25 months}
        ... events:
        ...   Course Published:
        ...     properties:
        ...       category: {class: enum, values: [art, business]}
        ...       price: {class: number, min: 0, max: 1000, unit: EUR}
        ... ''')
        >>> [(column.name, column.sql_type) for column in plan.columns().values()]
        [('category', 'VARCHAR'), ('price', 'DOUBLE')]
        >>> plan.terms("Course Published").retention
        Retention(count=25, unit='month')
    """
    return validate(parse_document(text, name), TrackingPlan, lambda plan: list(problems(plan)))


def load_plan(path: str | Path) -> TrackingPlan:
    """Reads a tracking plan from a file.

    Args:
        path: The YAML file.

    Returns:
        The plan.

    Raises:
        DefinitionError: The file is missing or wrong; the message lists every problem with its line.
    """
    return parse_plan(*read_text(path))


def _field(name: str, spec: Property) -> PropertyField:
    own = spec.column or snake_case(name)
    column: Column | None = None
    if isinstance(spec, EnumProperty):
        column = Column(own, "VARCHAR", "enum", values=spec.values, fold_case=spec.case == "fold")
    elif isinstance(spec, IdProperty):
        column = Column(own, "UUID", "id", domain=spec.domain)
    elif spec.class_ in SQL_TYPES:
        column = Column(own, SQL_TYPES[spec.class_], spec.class_)
    parameters = spec.query if isinstance(spec, UrlProperty) else ()
    query = {each: Column(snake_case(each), "VARCHAR", "token") for each in parameters}
    return PropertyField(name, spec.source or name, spec, column, query)


def _unite(known: Column | None, column: Column) -> Column:
    if known is None or not column.values:
        return known or column
    extra = tuple(value for value in column.values if value not in known.values)
    return Column(
        known.name, known.sql_type, known.privacy_class, known.values + extra, None, known.fold_case
    )


def _as_value_error(parse: Callable[[str], object], text: str) -> None:
    """Pydantic collects ValueErrors only."""
    try:
        parse(text)
    except InputError as error:
        raise ValueError(str(error)) from None


__all__ = [
    "RESERVED_COLUMNS",
    "RESERVED_PROPERTY_COLUMNS",
    "SUBJECTS",
    "Column",
    "EventPlan",
    "PropertyField",
    "Retention",
    "Subject",
    "Terms",
    "TrackingPlan",
    "load_plan",
    "parse_plan",
]
