"""Histories of properties, derived again where something is new: the rest of each is taken as it was.

New is what files say that were not there before, and who somebody is: a statement belongs to who its actor was then.
All that was ever said of those people, before and now, is put together again; nothing else is read but actors.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from headway.engine.sql import load, with_inputs
from headway.models.plan import Subject, TrackingPlan
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.people.properties import (
    described_subjects,
    history_query,
    live_statements,
    statements_in,
)
from headway_pipelines.people.tables import read_table, table_file, write_table
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.people"


def attach_described(con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger) -> None:
    """Makes the temporary table `described(actor)`: users and devices of whom something is said.

    Args:
        con: A connection.
        workspace: The workspace.
        ledger: Its ledger.
    """
    said = statements_in(workspace, ledger.lake_files("person"))
    con.execute(f"CREATE OR REPLACE TEMP TABLE described AS SELECT DISTINCT subject AS actor FROM ({said})")


def write_histories(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, plan: TrackingPlan
) -> list[str]:
    """Writes `person_properties` and `account_properties`, where the plan declares any, from all that was said.

    Args:
        con: A connection with `actor_person`, `device_spans` and `strangers`.
        workspace: The workspace.
        ledger: Its ledger.
        plan: The tracking plan.

    Returns:
        Names of the tables written.
    """
    written = []
    for subject in described_subjects(plan):
        query = _history(subject, plan, live_statements(workspace, ledger, subject))
        name = f"{subject}_properties"
        write_table(con, workspace.people, name, query)
        written.append(name)
    return written


def renew_histories(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    plan: TrackingPlan,
    before: Iterable[str],
) -> list[str]:
    """Writes the same tables where something is new, from what stays of them and what was said of whom it touches.

    Args:
        con: A connection with `affected(actor)`, and with `people_before`, `spans_before` and `strangers_before` beside
            the `actor_person`, `device_spans` and `strangers` of now.
        workspace: The workspace.
        ledger: Its ledger.
        plan: The tracking plan.
        before: The files of statements that the tables there are were derived from.

    Returns:
        Names of the tables written.
    """
    known = set(before)
    live = {subject: list(ledger.lake_files(subject)) for subject in described_subjects(plan)}
    if not known <= {path for files in live.values() for path in files}:
        # Something was taken back, by an erasure or because it is too old.
        return write_histories(con, workspace, ledger, plan)
    written = []
    for subject, files in live.items():
        fresh = statements_in(workspace, [path for path in files if path not in known])
        con.execute(f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT DISTINCT subject AS actor FROM ({fresh})")
        for name, text in (("touched", "touched"), ("members", "members")):
            query = load(_HERE, f"history_{text}_{subject}.sql")
            con.execute(f"CREATE OR REPLACE TEMP TABLE history_{name} AS {query}")
        if con.execute("FROM history_touched LIMIT 1").fetchall():
            written.append(_renew(con, workspace, plan, subject, files))
    return written


def _renew(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    plan: TrackingPlan,
    subject: Subject,
    files: list[str],
) -> str:
    name = f"{subject}_properties"
    theirs = f"FROM ({statements_in(workspace, files)}) SEMI JOIN history_members ON actor = subject"
    again = _history(subject, plan, with_inputs(load(_HERE, "merged_statements.sql"), {"said": theirs}))
    con.execute(f"CREATE OR REPLACE TEMP TABLE again AS {again}")
    stay = (
        f"FROM {read_table(table_file(workspace.people, name))} ANTI JOIN history_touched USING ({subject})"
    )
    # A device that changed hands is a member of people who are not touched: what is known of those here is not all.
    write_table(
        con,
        workspace.people,
        name,
        f"{stay} UNION ALL FROM again SEMI JOIN history_touched USING ({subject})",
    )
    return name


def _history(subject: Subject, plan: TrackingPlan, statements: str) -> str:
    said = f"SELECT s.subject AS who, s.* FROM ({statements}) s"
    if subject == "person":
        said = with_inputs(load(_HERE, "said_of_people.sql"), {"statements": statements})
    return history_query(subject, plan.subject_columns(subject), f"({said})")
