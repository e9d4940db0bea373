"""Properties of people and accounts: dated statements from the gate, and the histories they add up to.

Statements are kept as they were made, by actor. Histories are derived after stitching, so that a merge of two actors
merges what was said of them, and nothing is written into events: a question joins the value as of each event.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import duckdb

from headway.engine.sql import identifier, literal, load, with_inputs
from headway.models.plan import SUBJECTS, Column, Subject, TrackingPlan
from headway_pipelines.ledger import Ledger
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

STATEMENT_COLUMNS = {
    "subject": "UUID",
    "property": "VARCHAR",
    "value": "VARCHAR",
    "by_minute": "BOOLEAN",
    "valid_from": "TIMESTAMP",
    "received_at": "TIMESTAMP",
}
"""Columns of the statements; `by_minute`: the time is an end of its minute and not of its day.

A value is the text of what the gate typed; the histories have typed columns."""

_HERE = "headway_pipelines"


def described_subjects(plan: TrackingPlan) -> list[Subject]:
    """Lists of whom a plan stores properties: of people, of accounts, of both or of neither."""
    return [subject for subject in SUBJECTS if plan.subject_columns(subject)]


def live_statements(workspace: Workspace, ledger: Ledger, subject: Subject) -> str:
    """Writes the SELECT over the live statements.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        subject: About people or about accounts.

    Returns:
        The query text, with absolute paths.
    """
    files = [str(workspace.warehouse / path) for path in ledger.lake_files(subject)]
    if not files:
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in STATEMENT_COLUMNS.items())
        return f"SELECT {empty} LIMIT 0"
    paths = f"[{', '.join(map(literal, files))}]"
    return f"SELECT {', '.join(STATEMENT_COLUMNS)} FROM read_parquet({paths}, hive_partitioning = false)"


def write_statements(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    groups: Sequence[str],
    passed: Sequence[int],
) -> dict[str, dict[str, tuple[str, int]]]:
    """Writes what staged batches say of people and accounts, together with what was known, into new files.

    Args:
        con: A connection.
        workspace: The workspace.
        ledger: Its ledger.
        groups: Staged groups of the batches.
        passed: The batches.

    Returns:
        Files to make live by subject, each as `Ledger.swap_files` takes them.
    """
    written: dict[str, dict[str, tuple[str, int]]] = {}
    for subject in SUBJECTS:
        staged = [p for g in groups if (p := workspace.staging / g / f"{subject}.parquet").exists()]
        if not staged:
            continue
        paths = f"[{', '.join(literal(str(path)) for path in staged)}]"
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW statements AS {live_statements(workspace, ledger, subject)}"
        )
        con.execute(f"CREATE OR REPLACE TEMP VIEW staged_statements AS FROM read_parquet({paths})")
        text = load(_HERE, "merged_statements.sql").replace("/* passed */", literal(list(passed)))
        workspace.people.mkdir(parents=True, exist_ok=True)
        target = workspace.people / f"{subject}-{secrets.token_hex(6)}.parquet"
        con.execute(f"COPY ({text}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
        sync_file(target)
        sync_folder(target.parent)
        written[subject] = {target.relative_to(workspace.warehouse).as_posix(): ("", 0)}
    return written


def history_query(subject: Subject, columns: Mapping[str, Column], said: str) -> str:
    """Writes the query of a history from statements.

    Args:
        subject: Of people or of accounts; also the name of the first column.
        columns: What the plan stores of them.
        said: Relation with who, property, value, valid_from and received_at.

    Returns:
        Query text: who, valid_from and one typed column a property, with every value as of that instant.
    """
    pivoted = ", ".join(
        f"any_value(value) FILTER (property = {literal(name)}) AS {identifier(name)}" for name in columns
    )
    filled = ", ".join(
        f"CAST(last_value({identifier(name)} IGNORE NULLS) OVER so_far AS {column.sql_type}) AS {identifier(name)}"
        for name, column in columns.items()
    )
    text = (
        load(_HERE, "property_history.sql").replace("/* pivoted */", pivoted).replace("/* filled */", filled)
    )
    return text.replace("/* who */", identifier(subject)).replace("FROM said", f"FROM {said}")


def attach_described(con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger) -> None:
    """Makes the temporary table `described(actor)`: users and devices of whom something is said.

    Args:
        con: A connection.
        workspace: The workspace.
        ledger: Its ledger.
    """
    statements = live_statements(workspace, ledger, "person")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE described AS SELECT DISTINCT subject AS actor FROM ({statements})"
    )


def create_histories(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, plan: TrackingPlan
) -> list[str]:
    """Makes the temporary tables `person_properties` and `account_properties`, where the plan declares any.

    Args:
        con: A connection with `actor_person`, `device_spans` and `strangers`.
        workspace: The workspace.
        ledger: Its ledger.
        plan: The tracking plan.

    Returns:
        Names of the tables made.
    """
    made = []
    for subject in described_subjects(plan):
        said = f"SELECT s.subject AS who, s.* FROM ({live_statements(workspace, ledger, subject)}) s"
        if subject == "person":
            statements = {"statements": live_statements(workspace, ledger, subject)}
            said = with_inputs(load(_HERE, "said_of_people.sql"), statements)
        name = f"{subject}_properties"
        query = history_query(subject, plan.subject_columns(subject), f"({said})")
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        made.append(name)
    return made


def latest_query(subject: Subject) -> str:
    """Writes the query of what is true of everybody last, over the history's table."""
    return f"FROM {subject}_properties QUALIFY row_number() OVER (PARTITION BY {subject} ORDER BY valid_from DESC) = 1"
