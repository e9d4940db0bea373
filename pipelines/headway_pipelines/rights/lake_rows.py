"""Taking people out of the lake: files with rows of theirs are written anew without them, all others stay as they are.

Everything is prepared beside the live files and becomes live in one transaction of the ledger, so that a killed erasure
leaves the state before it. An id of an erased person in somebody else's row becomes null.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import identifier, literal, load, with_inputs
from headway.models.plan import SUBJECTS, TrackingPlan, load_plan
from headway.models.plan import Subject as Subjects
from headway_pipelines.lake.copies import CONTESTED
from headway_pipelines.lake.day_files import FORMAT
from headway_pipelines.lake.ledger import PROMOTED, Account, Ledger
from headway_pipelines.lake.promote import LINK_COLUMNS
from headway_pipelines.people.properties import STATEMENT_COLUMNS
from headway_pipelines.rights.subject import Subject
from headway_pipelines.sources.shape import ERASED
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_HERE = "headway_pipelines.rights"
_COMPACT = "(FORMAT parquet, COMPRESSION zstd)"

Files = dict[str, tuple[str, int]]
"""Path below the warehouse -> UTC day and rows, as `Ledger.swap_files` takes them."""


@dataclass(frozen=True)
class Without:
    """What a lake without some people consists of, before it becomes live.

    Attributes:
        added: Kind -> files written.
        removed: Kind -> files they take the place of.
        events: Events that go, by batch.
        nulled: Ids in other people's events that became null.
        links: Links that go.
        statements: Statements that go.
        days: UTC days that were written anew.
        entangled: Whether other people's rows may depend on what goes in a way that only reading all logs again tells.
    """

    added: dict[str, Files] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)
    events: dict[int, int] = field(default_factory=dict)
    nulled: int = 0
    links: int = 0
    statements: int = 0
    days: tuple[str, ...] = ()
    entangled: bool = False

    def counts(self) -> dict[str, int]:
        """Counts by name."""
        return {
            "events_removed": sum(self.events.values()),
            "ids_nulled_in_others_events": self.nulled,
            "links_removed": self.links,
            "statements_removed": self.statements,
            "days_rewritten": len(self.days),
            "files_rewritten": sum(map(len, self.removed.values())),
        }


def write_without(workspace: Workspace, ledger: Ledger, subject: Subject) -> Without:
    """Writes the files of the lake that hold anything of some people anew, without them.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        subject: Whose rows go.

    Returns:
        What was written, to be made live by `make_live`.
    """
    plan = load_plan(workspace.plan_file)
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        with guarded("take people out of the lake"):
            _attach(con, subject)
            events = _Events(con, workspace, ledger, plan)
            added, removed, batches, nulled = events.rewrite()
            links = _rewrite(con, workspace, ledger, "links", "links", _links_stay(), LINK_COLUMNS)
            parts = {"events": (added, removed), "links": links[:2]}
            said = 0
            for kind in SUBJECTS:
                stay = _statements_stay(plan, kind)
                files = _rewrite(con, workspace, ledger, kind, kind, stay, STATEMENT_COLUMNS)
                parts[kind] = files[:2]
                said += files[2]
            entangled = events.contested() or _log_outs_matter(con, workspace, ledger, subject)
    finally:
        con.close()
    live = ledger.lake_files("events")
    return Without(
        {kind: files for kind, (files, _) in parts.items()},
        {kind: gone for kind, (_, gone) in parts.items()},
        batches,
        nulled,
        links[2],
        said,
        tuple(sorted({live[path] for path in removed})),
        entangled,
    )


def make_live(ledger: Ledger, without: Without) -> None:
    """Puts written files in the place of those there are; part of a transaction.

    Args:
        ledger: The ledger.
        without: What was written.
    """
    for kind, files in without.added.items():
        ledger.swap_files(kind, files, without.removed[kind])
    for batch, rows in without.events.items():
        ledger.add_account(batch, Account(outcomes={"event": -rows, ERASED: rows}))
    # What waits for its verdict is read again, through a gate that knows the tombstones.
    ledger.forget_batches(b.batch for b in ledger.batches() if b.state not in (PROMOTED, "copy"))


def _attach(con: duckdb.DuckDBPyConnection, subject: Subject) -> None:
    con.execute("CREATE TABLE erased AS SELECT unnest($ids)::UUID AS id", {"ids": list(subject.surrogates)})
    con.execute("CREATE TABLE windows (id UUID, from_us BIGINT, until_us BIGINT)")
    for device, low, high in subject.windows:
        con.execute("INSERT INTO windows VALUES ($1, $2, $3)", [str(UUID(device)), low, high])


class _Events:
    """The event files that hold anything of the people."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, plan: TrackingPlan
    ) -> None:
        self._con, self._workspace = con, workspace
        self._live = ledger.lake_files("events")
        self._contested = list(ledger.lake_files(CONTESTED))
        self._ids = ["account", *(name for name, c in plan.columns().items() if c.domain is not None)]
        self._paths = {str(workspace.warehouse / path): path for path in self._live}
        named = " OR ".join(f"coalesce({identifier(name)} IN (FROM erased), FALSE)" for name in self._ids)
        self._touched = f'"is:own" OR {named}'
        con.execute("CREATE TABLE touched (file VARCHAR, event_id UUID, batch UINTEGER, own BOOLEAN)")
        if self._live:
            rows = self._rows(list(self._paths))
            con.execute(
                f'INSERT INTO touched SELECT "from:file", event_id, batch, "is:own" FROM ({rows}) WHERE {self._touched}'
            )

    def _rows(self, files: Sequence[str]) -> str:
        told = (
            'SELECT *, actor AS "is:who", occurred_at AS "is:when" FROM '
            f"read_parquet({_list(files)}, hive_partitioning = false, filename = 'from:file')"
        )
        return with_inputs(load(_HERE, "own_rows.sql"), {"rows_of": told})

    def rewrite(self) -> tuple[Files, list[str], dict[int, int], int]:
        """Writes each of them anew; returns new files, old ones, events that go by batch, and ids that become null."""
        added: Files = {}
        removed = []
        found = self._con.execute("SELECT DISTINCT file FROM touched ORDER BY file").fetchall()
        columns = ", ".join(
            f"CASE WHEN {name} NOT IN (FROM erased) THEN {name} END AS {name}"
            for name in map(identifier, self._ids)
        )
        for (file,) in found:
            path = self._paths[file]
            target = Path(file).with_name(f"{secrets.token_hex(6)}.parquet")
            query = (
                f'SELECT * EXCLUDE ("is:own", "is:who", "is:when", "from:file") REPLACE ({columns}) '
                f'FROM ({self._rows([file])}) WHERE NOT "is:own"'
            )
            rows = self._con.execute(f"COPY ({query}) TO {literal(str(target))} {FORMAT}").fetchall()[0][0]
            removed.append(path)
            if rows:
                sync_file(target)
                sync_folder(target.parent)
                added[target.relative_to(self._workspace.warehouse).as_posix()] = (
                    self._live[path],
                    int(rows),
                )
            else:
                target.unlink()
        batches = self._con.execute("SELECT batch, count(*) FROM touched WHERE own GROUP BY batch").fetchall()
        nulled = self._con.execute("SELECT count(*) FROM touched WHERE NOT own").fetchall()[0][0]
        return added, removed, dict(batches), int(nulled)

    def contested(self) -> bool:
        """Whether one of these events had copies that said something else: one of them might have to take its place."""
        if not self._contested:
            return False
        known = _list(str(self._workspace.warehouse / path) for path in self._contested)
        query = f"SELECT count(*) FROM touched SEMI JOIN read_parquet({known}) USING (event_id)"
        return bool(self._con.execute(query).fetchall()[0][0])


def _links_stay() -> str:
    named = " OR ".join(
        f"coalesce({name} IN (FROM erased), FALSE)" for name in ("device", "other", "person_actor")
    )
    return f'SELECT *, {named} AS "is:own" FROM rows_of'


def _statements_stay(plan: TrackingPlan, subject: Subjects) -> str:
    ids = [name for name, column in plan.subject_columns(subject).items() if column.domain is not None]
    named = f"property IN {literal(ids or [''])} AND value IN (SELECT id::VARCHAR FROM erased)"
    rows = 'SELECT *, subject AS "is:who", valid_from AS "is:when" FROM rows_of'
    own = with_inputs(load(_HERE, "own_rows.sql").replace("FROM rows_of", "FROM told"), {"told": rows})
    return f'SELECT * EXCLUDE ("is:own"), "is:own" OR coalesce({named}, FALSE) AS "is:own" FROM ({own})'


def _rewrite(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    kind: str,
    name: str,
    marking: str,
    columns: Mapping[str, str],
) -> tuple[Files, list[str], int]:
    """Writes each file of a kind with such rows anew; returns new files, old ones and the number of rows that go."""
    added: Files = {}
    removed, gone = [], 0
    names = ", ".join(map(identifier, columns))
    for path in ledger.lake_files(kind):
        file = literal(str(workspace.warehouse / path))
        told = f"SELECT {names} FROM read_parquet({file}, hive_partitioning = false)"
        rows = with_inputs(marking, {"rows_of": told})
        own = int(con.execute(f'SELECT count(*) FROM ({rows}) WHERE "is:own"').fetchall()[0][0])
        if not own:
            continue
        target = workspace.people / f"{name}-{secrets.token_hex(6)}.parquet"
        con.execute(
            f'COPY (SELECT {names} FROM ({rows}) WHERE NOT "is:own") TO {literal(str(target))} {_COMPACT}'
        )
        sync_file(target)
        sync_folder(target.parent)
        added[target.relative_to(workspace.warehouse).as_posix()] = ("", 0)
        removed.append(path)
        gone += own
    return added, removed, gone


def _log_outs_matter(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, subject: Subject
) -> bool:
    """Whether a shared device changed hands by log-outs: those of others may then be told from what goes."""
    files = [str(workspace.warehouse / path) for path in ledger.lake_files("links")]
    if not subject.windows or not files:
        return False
    query = (
        f"SELECT count(*) FROM read_parquet({_list(files)}, hive_partitioning = false) "
        "WHERE logout_at IS NOT NULL AND device IN (SELECT id FROM windows)"
    )
    return bool(con.execute(query).fetchall()[0][0])


def _list(files: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, files))}]"
