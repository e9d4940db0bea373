"""The detector once more, over what is stored: texts and names of columns behind the gate.

The gate has judged every value already. What fires here came past it, by a fault of the gate or a plan that is too
wide, and stops the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import duckdb
import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import identifier, literal, load
from headway.models.plan import SUBJECTS, Column, Subject, TrackingPlan, load_plan
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.privacy.detect import looks_personal
from headway_pipelines.privacy.second_line import kinds_of
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.audit"
_SETTING = "text_checked"
_KINDS = ("events", *SUBJECTS)
#: Statements about people and accounts hold the values of all properties in one column.
_PROPERTY, _VALUE = "property", "value"


@dataclass(frozen=True)
class StoredText:
    """What looking at stored texts found.

    Attributes:
        files: Files that were looked at.
        columns: Columns of text in them.
        values: Different values, summed over columns.
        personal: Column -> different values that look personal; columns whose name looks personal are called
            ``(a column)``.
    """

    files: int
    columns: int
    values: int
    personal: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Whether nothing looks personal."""
        return not self.personal


def stored_text(
    workspace: Workspace, ledger: Ledger, *, everything: bool = False, remember: bool = True
) -> StoredText:
    """Runs the detector over the columns of text of the event lake and of what is known of people and accounts.

    Files that were found clean before are not looked at again: they never change.

    Args:
        workspace: The workspace.
        ledger: Its ledger; remembers which files were found clean.
        everything: Whether to look at all files.
        remember: Whether to note which files are clean.

    Returns:
        Counts; never a value.

    Raises:
        EngineError: A file cannot be read.
    """
    live = [path for kind in _KINDS for path in ledger.lake_files(kind)]
    known = set() if everything else set(ledger.get_json(_SETTING) or ())
    new = [path for path in live if path not in known]
    plan = load_plan(workspace.plan_file) if new else None
    columns, values = 0, 0
    personal: Counter[str] = Counter()
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        with guarded("look for personal data in stored texts"):
            for kind in _KINDS:
                files = [path for path in ledger.lake_files(kind) if path not in known]
                for column, texts in _texts(con, workspace, files, _declared(plan, kind)):
                    columns, values = columns + 1, values + len(texts)
                    odd = looks_personal(column.name)
                    if fired := max(kinds_of(texts, column).count(), int(odd)):
                        personal["(a column)" if odd else column.name] += fired
    finally:
        con.close()
    if remember and not personal:
        ledger.put_json(_SETTING, live)
    return StoredText(len(new), columns, values, dict(personal))


def files_passed(ledger: Ledger) -> list[str]:
    """Lists the stored files in which nothing looked personal when runs looked at them.

    Args:
        ledger: The ledger.

    Returns:
        Paths below the warehouse, of those that are live.
    """
    known = set(ledger.get_json(_SETTING) or ())
    return [path for kind in _KINDS for path in ledger.lake_files(kind) if path in known]


def _declared(plan: TrackingPlan | None, kind: str) -> Mapping[str, Column]:
    """Columns of the plan that are stored in files of this kind."""
    if plan is None:
        return {}
    return plan.columns() if kind == "events" else plan.subject_columns(cast(Subject, kind))


def _texts(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, files: list[str], declared: Mapping[str, Column]
) -> Iterator[tuple[Column, pl.Series]]:
    """Columns of text, each with its different values."""
    if not files:
        return
    paths = ", ".join(literal(str(workspace.warehouse / path)) for path in files)
    stored = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    columns = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE FROM {stored}").fetchall()}
    for name, kind in columns.items():
        if kind == "VARCHAR" or looks_personal(name):
            by = _PROPERTY if name == _VALUE and _PROPERTY in columns else "NULL"
            query = load(_HERE, "stored.sql").replace("/* column */", identifier(name))
            found = con.sql(query.replace("/* stored */", stored).replace("/* property */", by)).pl()
            for (prop,), values in found.group_by("property", maintain_order=True):
                column = declared.get(prop or name, Column(prop or name, "VARCHAR", ""))
                if column.sql_type == "VARCHAR":
                    yield column, values["value"]
