"""Properties of people and accounts beside those of events: ``person.plan`` as of the event, ``person_latest.plan``.

They lie in histories, one row per person and instant at which something changed, and are joined to the events once
per question, for the properties it uses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from headway.engine import bind, guarded, identifier, load
from headway.engine.sql import DIALECT, Replacement
from headway.errors import InputError
from headway.models.plan_checks import SUBJECTS, Subject

VALID_FROM = "valid_from"
_LATEST = "_latest"


@dataclass(frozen=True)
class History:
    """Dated properties of people or of accounts.

    Attributes:
        subject: Whose they are; also the name of the column that says of whom a row speaks.
        relation: Quoted name of the relation, on the connection of the events.
        columns: DuckDB type by property.
    """

    subject: Subject
    relation: str
    columns: Mapping[str, str]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, subject: Subject, relation: str) -> History:
        """Reads which properties a relation holds.

        Args:
            connection: Connection of the events.
            subject: Whose properties they are.
            relation: Quoted name of the relation.

        Returns:
            The history.

        Raises:
            InputError: The relation does not say of whom, or since when.
            EngineError: There is no such relation.
        """
        with guarded(f"read the columns of {relation}"):
            rows = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
        columns = {str(name): str(kind) for name, kind, *_ in rows}
        for name in (subject, VALID_FROM):
            if name not in columns:
                raise InputError(f"properties of {subject}s need a column {name!r}")
        own = (subject, VALID_FROM)
        return cls(subject, relation, {name: kind for name, kind in columns.items() if name not in own})

    @property
    def names(self) -> dict[str, str]:
        """DuckDB type by the name a question uses, such as ``person.plan`` and ``person_latest.plan``."""
        return {
            f"{self.subject}{suffix}.{name}": kind
            for suffix in ("", _LATEST)
            for name, kind in self.columns.items()
        }


def histories_of(connection: duckdb.DuckDBPyConnection) -> list[History]:
    """Finds the histories a connection knows under their usual names.

    Args:
        connection: The connection.

    Returns:
        Those of the relations ``person_properties`` and ``account_properties`` that exist.
    """
    with guarded("look for properties of people and accounts"):
        known = connection.execute(
            "SELECT DISTINCT table_name FROM duckdb_columns() "
            "WHERE table_name IN ('person_properties', 'account_properties')"
        ).fetchall()
    names = {name for (name,) in known}
    return [
        History.of(connection, subject, identifier(f"{subject}_properties"))
        for subject in SUBJECTS
        if f"{subject}_properties" in names
    ]


def with_properties(
    relation: str,
    histories: Iterable[History],
    names: Collection[str],
    *,
    keys: Mapping[str, str],
    utc: exp.Expr,
) -> tuple[dict[str, str], str]:
    """Writes the queries that join properties of people and accounts to events.

    Args:
        relation: Quoted name of the events.
        histories: What is known of their people and accounts.
        names: Names a question uses; those that are no property of people or accounts are passed over.
        keys: Column of the events by subject.
        utc: The event's instant, over the columns of the events.

    Returns:
        Queries by name, each on top of the one before, and the quoted name of what to read in place of the events.

    Examples:
        >>> plan = History("person", '"person_properties"', {"plan": "VARCHAR"})
        >>> instant = exp.column("occurred_at", quoted=True)
        >>> ctes, name = with_properties('"events"', [plan], ["amount"], keys={"person": "person"}, utc=instant)
        >>> ctes, name
        ({}, '"events"')
        >>> ctes, name = with_properties('"events"', [plan], ["person.plan"], keys={"person": "person"}, utc=instant)
        >>> name
        '"events with person"'
    """
    ctes: dict[str, str] = {}
    for history in histories:
        for suffix, text in (("", "as_of"), (_LATEST, "latest")):
            prefix = f"{history.subject}{suffix}"
            wanted = [name for name in history.columns if f"{prefix}.{name}" in names]
            if not wanted:
                continue
            parameters: dict[str, Replacement] = {
                "columns": [_renamed(name, f"{prefix}.{name}") for name in wanted],
                "relation": exp.to_table(relation, dialect=DIALECT),
                "history": exp.to_table(history.relation, dialect=DIALECT),
                "key": exp.column(keys[history.subject], table="events", quoted=True),
                "who": exp.column(history.subject, table="history", quoted=True),
            }
            if text == "as_of":
                parameters["utc"] = _of_events(utc)
            ctes[f"events with {prefix}"] = bind(load("headway", text), parameters)
            relation = identifier(f"events with {prefix}")
    return ctes, relation


def _renamed(name: str, shown: str) -> exp.Expr:
    return exp.alias_(exp.column(name, table="history", quoted=True), exp.to_identifier(shown, quoted=True))


def _of_events(tree: exp.Expr) -> exp.Expr:
    """Says of each column that it is the events': a property may have the same name."""
    named = tree.copy()
    for column in named.find_all(exp.Column):
        column.set("table", exp.to_identifier("events"))
    return named
