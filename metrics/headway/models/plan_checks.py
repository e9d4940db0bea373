"""Checks of a tracking plan against itself: terms, column names, and columns that several events fill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from headway.models.properties import valid_column
from headway.models.traffic import BROWSER_FAMILY
from headway.models.yaml_file import Problem

if TYPE_CHECKING:
    from headway.models.plan import Column, EventPlan, TrackingPlan

RESERVED_COLUMNS = frozenset(
    {"event_id", "actor", "account", "event", "occurred_at", "client_at", "received_at"}
    | {"line", "batch", "source", "traffic", "person", "file_row_number"}
)
"""Columns the lake itself has, or has while its files are read; a property may not take their names."""

RESERVED_PROPERTY_COLUMNS = frozenset({"person", "account", "valid_from"})
"""Columns the histories of people and accounts have themselves."""

Subject = Literal["person", "account"]
SUBJECTS: tuple[Subject, ...] = ("person", "account")
"""Who has properties besides events."""


def problems(plan: TrackingPlan) -> Iterator[Problem]:
    """Lists everything in a plan that contradicts itself.

    Args:
        plan: A plan whose shape is right.

    Yields:
        One problem each, with its place in the file.
    """
    yield from _event_column_problems(plan)
    for subject in SUBJECTS:
        yield from _subject_problems(plan, subject)
    yield from _consent_problems(plan)


def _consent_problems(plan: TrackingPlan) -> Iterator[Problem]:
    consent = plan.consent
    if consent is None:
        return
    known = {*consent.purposes, *consent.exempt}
    places: list[tuple[tuple[str, ...], str | None]] = [(("defaults",), plan.defaults.purpose)]
    places += [(("events", name), event.purpose) for name, event in plan.events.items()]
    for at, purpose in places:
        if purpose is not None and purpose not in known:
            yield Problem(
                at,
                f"purpose {purpose!r} is in neither consent.purposes nor consent.exempt; say whether it needs consent",
            )
    for index, name in enumerate(consent.withdrawal.events if consent.withdrawal else ()):
        if name not in plan.events:
            yield Problem(
                ("consent", "withdrawal", "events", index), f"{name!r} is not among events; declare it there"
            )


def _event_column_problems(plan: TrackingPlan) -> Iterator[Problem]:
    first: dict[str, tuple[str, str, Column]] = {}
    for event_name, event in plan.events.items():
        yield from _event_problems(plan, event_name, event)
        here: dict[str, str] = {}
        for field in event.fields():
            at = ("events", event_name, "properties", field.name)
            if field.source == BROWSER_FAMILY and field.spec.class_ in ("id", "url"):
                yield Problem(at, f"{BROWSER_FAMILY} is a word; make it an enum or a token")
            for column in field.columns():
                if not valid_column(column.name):
                    yield Problem(at, f"cannot become the column {column.name!r}; give it column: a_name")
                elif column.name in RESERVED_COLUMNS:
                    yield Problem(
                        at, f"the lake has its own column {column.name!r}; give it column: another_name"
                    )
                elif column.name in here:
                    yield Problem(
                        at,
                        f"fills the column {column.name!r}, which {here[column.name]!r} fills already",
                    )
                else:
                    here[column.name] = field.name
                    known = first.setdefault(column.name, (event_name, field.name, column))
                    difference = _difference(known[2], column)
                    if difference:
                        yield Problem(
                            at,
                            f"the column {column.name!r} is {difference[1]} here and {difference[0]} in "
                            f"{known[0]}.{known[1]}; make them equal or give one its own column: name",
                        )


def _event_problems(plan: TrackingPlan, name: str, event: EventPlan) -> Iterator[Problem]:
    if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= 100:
        yield Problem(
            ("events", name), "an event name has 1 to 100 printable characters and no space at its ends"
        )
    for term in ("purpose", "owner", "retention"):
        if getattr(event, term) is None and getattr(plan.defaults, term) is None:
            yield Problem(("events", name), f"has no {term}; state it here or for all events under defaults")


def _subject_problems(plan: TrackingPlan, subject: Subject) -> Iterator[Problem]:
    section = f"{subject}_properties"
    fields, filled = plan.subject_fields(subject), dict[str, str]()
    for term in ("purpose", "owner", "retention") if fields else ():
        if getattr(plan.defaults, term) is None:
            yield Problem((section,), f"properties of {subject}s have no {term}; state it under defaults")
    for field in fields:
        if field.source == BROWSER_FAMILY:
            yield Problem(
                (section, field.name), f"{BROWSER_FAMILY} is known of events only; declare it there"
            )
        for column in field.columns():
            message = None
            if not valid_column(column.name):
                message = f"cannot become the column {column.name!r}; give it column: a_name"
            elif column.name in RESERVED_PROPERTY_COLUMNS:
                message = f"the history has its own column {column.name!r}; give it column: another_name"
            elif column.name in filled:
                message = f"fills the column {column.name!r}, which {filled[column.name]!r} fills already"
            if message:
                yield Problem((section, field.name), message)
            filled.setdefault(column.name, field.name)


def _difference(known: Column, column: Column) -> tuple[str, str] | None:
    if known.privacy_class != column.privacy_class:
        return f"class {known.privacy_class}", f"class {column.privacy_class}"
    if known.domain != column.domain:
        return f"an id of domain {known.domain}", f"an id of domain {column.domain}"
    if known.fold_case != column.fold_case:
        states = {True: "an enum with case: fold", False: "an enum without case: fold"}
        return states[known.fold_case], states[column.fold_case]
    return None
