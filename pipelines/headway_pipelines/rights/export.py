"""`headway export-person`: everything the workspace holds of one person, for that person, and nothing of others."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import identifier, load
from headway.errors import InputError
from headway.models.plan import SUBJECTS, Column, TrackingPlan, load_plan
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.locking import workspace_lock
from headway_pipelines.people.properties import described_subjects, live_statements
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.rights.forget import look_up
from headway_pipelines.rights.subject import Subject
from headway_pipelines.warehouse.compute import attach_people, attach_sessions
from headway_pipelines.workspace import Workspace

#: Surrogates mean something inside this workspace only; those of others are none of the person's business.
_OTHERS_IDS = "an id kept as a random number; shown only where it is the person's own"
_BASE = {
    "event_id": "keyed hash that tells copies of an event apart",
    "actor": "which of the person's ids acted, as a random number",
    "event": "what happened",
    "occurred_at": "when, in UTC",
    "client_at": "when, by the device's own clock",
    "received_at": "when it arrived",
    "source": "which export it came from",
    "traffic": "whether it was taken for a person's, a bot's or the team's own",
}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: The file.
        rows: Rows by table.
        unknown: Places, from 1, of given ids that are not known.
    """

    path: Path
    rows: dict[str, int]
    unknown: tuple[int, ...]


def export_person(workspace: Workspace, ids: list[str], out: Path, *, kind: str | None = None) -> Exported:
    """Writes everything about one person into a zip archive of JSON lines, with a manifest that explains it.

    Args:
        workspace: The workspace.
        ids: Ids of one person, as the trackers wrote them.
        out: The archive; readable by its owner alone.
        kind: Which kind of id they are.

    Returns:
        What was written.

    Raises:
        InputError: No id is known, the ids are several people's, or the file is there already.
    """
    if out.exists():
        raise InputError(f"{out} is there already; name another file with --out, or remove it")
    with workspace_lock(workspace):
        ledger = Ledger(workspace.ledger_file)
        try:
            subject, _ = look_up(workspace, ledger, load_key(workspace, create=False), ids, kind=kind)
            if not subject.surrogates and not subject.windows:
                raise InputError("none of the ids is known; they are told apart by letter case, see --kind")
            if subject.people > 1:
                raise InputError(
                    f"the ids are those of {subject.people} people: an export is for one person, name one at a time"
                )
            plan = load_plan(workspace.plan_file)
            con = connect(temp_directory="")
            try:
                with guarded("collect what is known of a person"):
                    attach_people(con, workspace, ledger)
                    attach_sessions(con, workspace)
                    _attach(con, subject)
                    rows = _write(con, workspace, ledger, plan, out)
            finally:
                con.close()
        finally:
            ledger.close()
    return Exported(out, rows, subject.unknown)


def _attach(con: duckdb.DuckDBPyConnection, subject: Subject) -> None:
    ids = [*subject.surrogates, *(device for device, _, _ in subject.windows)]
    con.execute("CREATE TEMP TABLE mine AS SELECT DISTINCT unnest($ids)::UUID AS id", {"ids": ids})
    con.execute("CREATE TEMP TABLE own AS SELECT unnest($ids)::UUID AS id", {"ids": list(subject.surrogates)})
    con.execute("CREATE TEMP TABLE me AS SELECT DISTINCT person FROM actor_person WHERE actor IN (FROM own)")
    con.execute("CREATE TEMP TABLE windows (id UUID, from_us BIGINT, until_us BIGINT)")
    for device, low, high in subject.windows:
        con.execute("INSERT INTO windows VALUES ($1, $2, $3)", [str(UUID(device)), low, high])


def _queries(workspace: Workspace, ledger: Ledger, plan: TrackingPlan) -> dict[str, str]:
    """Name of a table -> the person's rows of it. What is derived goes by person; what was logged by who did it."""
    theirs = (
        "({who} IN (FROM own) OR EXISTS (FROM windows w WHERE w.id = {who} "
        "AND epoch_us({when}) > coalesce(w.from_us, -9223372036854775808) "
        "AND epoch_us({when}) <= coalesce(w.until_us, 9223372036854775807)))"
    )
    ids = [name for name, column in plan.columns().items() if column.domain is not None]
    hidden = "".join(f", CASE WHEN {n} IN (FROM own) THEN {n} END AS {n}" for n in map(identifier, ids))
    dropped = ", ".join(map(identifier, ("account", "line", "batch", *ids)))
    queries = {
        "events": f"SELECT * EXCLUDE ({dropped}){hidden} FROM lake "
        f"WHERE {theirs.format(who='actor', when='occurred_at')} ORDER BY occurred_at, event_id",
        "ids": load("headway_pipelines.rights", "ids_of_person.sql"),
        "people": "FROM people WHERE person IN (FROM own) OR person IN (FROM me)",
        "sessions": "FROM sessions WHERE person IN (FROM me) ORDER BY ALL",
    }
    if "person" in described_subjects(plan):
        said = live_statements(workspace, ledger, "person")
        mine = theirs.format(who="subject", when="valid_from")
        queries["said_of_the_person"] = (
            f"SELECT * EXCLUDE (by_minute) FROM ({said}) WHERE {mine} ORDER BY ALL"
        )
        queries["properties_over_time"] = "FROM person_properties WHERE person IN (FROM me) ORDER BY ALL"
    return queries


def _write(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, plan: TrackingPlan, out: Path
) -> dict[str, int]:
    counts: dict[str, int] = {}
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with (
            os.fdopen(descriptor, "wb") as handle,
            zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, query in _queries(workspace, ledger, plan).items():
                rows = 0
                with archive.open(f"{name}.jsonl", "w") as raw, TextIOWrapper(raw, "utf-8") as text:
                    for row in _rows(con, query):
                        text.write(json.dumps(row, ensure_ascii=False) + "\n")
                        rows += 1
                counts[name] = rows
            manifest = json.dumps(_manifest(plan, counts), indent=2, ensure_ascii=False)
            archive.writestr("manifest.json", manifest + "\n")
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return counts


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    while batch := found.fetchmany(10_000):
        for row in batch:
            yield {name: _json(value) for name, value in zip(names, row, strict=True) if value is not None}


def _json(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


def _manifest(plan: TrackingPlan, counts: dict[str, int]) -> dict[str, Any]:
    """What every file and field is, in which class it is kept and for what."""
    properties = {name: _explained(column) for name, column in plan.columns().items()}
    subjects = {
        subject: {name: _explained(column) for name, column in plan.subject_columns(subject).items()}
        for subject in SUBJECTS
    }
    terms = {name: plan.terms(name) for name in plan.events}
    return {
        "product": plan.product,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": plan.hash,
        "files": {f"{name}.jsonl": rows for name, rows in counts.items()},
        "fields": dict(_BASE),
        "properties_of_events": properties,
        "properties_of_the_person": subjects["person"],
        "events": {
            name: {
                "purpose": each.purpose,
                "kept_for": f"{each.retention.count} {each.retention.unit}s",
                "description": plan.events[name].description,
            }
            for name, each in terms.items()
        },
        "tables": {
            "events": "what the person did",
            "ids": "the ids under which the person is known, as random numbers, and when they were seen together",
            "people": "what was derived: first seen, first channel",
            "sessions": "visits, derived from events",
            "said_of_the_person": "properties as they were sent, with dates",
            "properties_over_time": "properties as they are used: every value as of its date",
        },
        "not_here": "raw logs, which are the controller's to search, and numbers about groups of people",
    }


def _explained(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"class": column.privacy_class, "type": column.sql_type}
    if column.domain is not None:
        told["note"] = _OTHERS_IDS
    if column.values:
        told["values"] = list(column.values)
    return told
