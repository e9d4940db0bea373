"""The detector once more, over what is stored: texts and names of columns behind the gate.

The gate has judged every value already. What fires here came past it, by a fault of the gate or a plan that is too
wide, and stops the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import bind, identifier, literal, load
from headway.models.plan import SUBJECTS
from headway_pipelines.ledger import Ledger
from headway_pipelines.privacy.detect import PERSONAL, looks_personal
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.audit"
_SETTING = "text_checked"
_KINDS = ("events", *SUBJECTS)


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
    columns, values = 0, 0
    personal: dict[str, int] = {}
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        with guarded("look for personal data in stored texts"):
            for kind in _KINDS:
                files = [path for path in ledger.lake_files(kind) if path not in known]
                for name, found, fired in _texts(con, workspace, files):
                    columns, values = columns + 1, values + found
                    odd = looks_personal(name)
                    if odd or fired:
                        label = "(a column)" if odd else name
                        personal[label] = personal.get(label, 0) + max(fired, int(odd))
    finally:
        con.close()
    if remember and not personal:
        ledger.put_json(_SETTING, live)
    return StoredText(len(new), columns, values, personal)


def _texts(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, files: list[str]
) -> list[tuple[str, int, int]]:
    """Column of text, different values, those of them that look personal."""
    if not files:
        return []
    paths = ", ".join(literal(str(workspace.warehouse / path)) for path in files)
    stored = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    described = con.execute(f"DESCRIBE FROM {stored}").fetchall()
    text = bind(load(_HERE, "stored.sql"), {"personal": PERSONAL})
    out = []
    for name, kind, *_ in described:
        if kind == "VARCHAR" or looks_personal(name):
            query = text.replace("/* column */", identifier(name)).replace("/* stored */", stored)
            ((found, fired),) = con.execute(query).fetchall()
            out.append((str(name), int(found), int(fired)))
    return out
