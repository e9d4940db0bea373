"""Properties of people and accounts: dated statements from the gate, and the histories they add up to.

Statements are kept as they were made, by actor. Histories are derived after stitching, so that a merge of two actors
merges what was said of them, and nothing is written into events: a question joins the value as of each event.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import identifier, literal, load, with_inputs
from headway.models.plan import SUBJECTS, Column, Subject, TrackingPlan
from headway_pipelines.lake.ledger import Ledger
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

_HERE = "headway_pipelines.people"
MAX_STATEMENT_FILES = 8
"""With more files of statements about people, or about accounts, those are merged."""


def described_subjects(plan: TrackingPlan) -> list[Subject]:
    """Lists of whom a plan stores properties: of people, of accounts, of both or of neither."""
    return [subject for subject in SUBJECTS if plan.subject_columns(subject)]


def live_statements(workspace: Workspace, ledger: Ledger, subject: Subject) -> str:
    """Writes the SELECT over the live statements, each once.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        subject: About people or about accounts.

    Returns:
        The query text, with absolute paths.
    """
    files = ledger.lake_files(subject)
    said = statements_in(workspace, files)
    return said if len(files) < 2 else with_inputs(load(_HERE, "merged_statements.sql"), {"said": said})


def statements_in(workspace: Workspace, files: Iterable[str]) -> str:
    """Writes the SELECT over files of statements as they are: what several of them say alike is there as often.

    Args:
        workspace: The workspace.
        files: Paths below the warehouse.

    Returns:
        The query text, with absolute paths.
    """
    paths = [literal(str(workspace.warehouse / path)) for path in files]
    if not paths:
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in STATEMENT_COLUMNS.items())
        return f"SELECT {empty} LIMIT 0"
    return (
        f"SELECT {', '.join(STATEMENT_COLUMNS)} "
        f"FROM read_parquet([{', '.join(paths)}], hive_partitioning = false)"
    )


def write_statements(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, groups: Sequence[str], passed: Sequence[int]
) -> dict[str, dict[str, tuple[str, int]]]:
    """Writes what staged batches say of people and accounts into files beside those there are.

    Args:
        con: A connection.
        workspace: The workspace.
        groups: Staged groups of the batches.
        passed: The batches.

    Returns:
        Files to make live by subject, each as `Ledger.swap_files` takes them.
    """
    written: dict[str, dict[str, tuple[str, int]]] = {}
    for subject in SUBJECTS:
        staged = [p for g in groups if (p := workspace.staging / g / f"{subject}.parquet").exists()]
        if staged:
            paths = f"[{', '.join(literal(str(path)) for path in staged)}]"
            written[subject] = _write(
                con,
                workspace,
                subject,
                f"SELECT {', '.join(STATEMENT_COLUMNS)} FROM read_parquet({paths}) "
                f"WHERE batch IN {literal(list(passed))}",
            )
    return written


def merge_statements(
    workspace: Workspace, ledger: Ledger
) -> dict[str, tuple[dict[str, tuple[str, int]], list[str]]]:
    """Makes one file of many files of statements; a file that is larger by far than the others together stays.

    Done after histories were derived and not before: which statements are new is told from which files are.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        New and replaced files by subject, as `Ledger.swap_files` takes them; nothing where there are few.
    """
    merged: dict[str, tuple[dict[str, tuple[str, int]], list[str]]] = {}
    for subject in SUBJECTS:
        files = list(ledger.lake_files(subject))
        if len(files) <= MAX_STATEMENT_FILES:
            continue
        small = smaller_ones(workspace, files)
        con = connect(temp_directory=workspace.warehouse / "tmp")
        try:
            with guarded("merge files of statements"):
                merged[subject] = (_write(con, workspace, subject, statements_in(workspace, small)), small)
        finally:
            con.close()
    return merged


def smaller_ones(workspace: Workspace, files: Iterable[str]) -> list[str]:
    """Lists which of some files are worth merging: all but one that is larger by far than the others together.

    Args:
        workspace: The workspace.
        files: Paths below the warehouse.

    Returns:
        Paths, the smallest first.
    """
    sized = sorted(((workspace.warehouse / path).stat().st_size, path) for path in files)
    rest = sum(size for size, _ in sized[:-1])
    chosen = sized[:-1] if sized[-1][0] > 2 * rest else sized
    return [path for _, path in chosen]


def _write(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, subject: Subject, said: str
) -> dict[str, tuple[str, int]]:
    text = with_inputs(load(_HERE, "merged_statements.sql"), {"said": said})
    workspace.people.mkdir(parents=True, exist_ok=True)
    target = workspace.people / f"{subject}-{secrets.token_hex(6)}.parquet"
    con.execute(f"COPY ({text}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
    sync_file(target)
    sync_folder(target.parent)
    return {target.relative_to(workspace.warehouse).as_posix(): ("", 0)}


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


def latest_query(subject: Subject) -> str:
    """Writes the query of what is true of everybody last, over the history's table."""
    return f"FROM {subject}_properties QUALIFY row_number() OVER (PARTITION BY {subject} ORDER BY valid_from DESC) = 1"
