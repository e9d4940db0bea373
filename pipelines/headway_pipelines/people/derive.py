"""People, derived from the lake and its links alone, with what changed.

The mapping is a table of its own that is joined when events are read, so that a merge never rewrites history. How it
comes about is in `headway_pipelines.identity`. Its version is a fingerprint of its content. A run derives again who
hangs together with something new (`people_part`); when everybody is derived anew, the reason is told (`basis`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import duckdb

from headway.engine import connect, guarded
from headway.errors import EngineError
from headway.models.plan import TrackingPlan, load_plan
from headway.models.product import Product, load_product
from headway_pipelines.identity import Change, Found, attach_actors, compare, map_people
from headway_pipelines.identity.actors import forget_lists
from headway_pipelines.lake.integrity import whole
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import attach_lake, merge_links
from headway_pipelines.people import basis as reasons
from headway_pipelines.people.basis import Basis, Live, marks_of, read_basis, stamps_of, why_anew, write_basis
from headway_pipelines.people.histories import attach_described, renew_histories, write_histories
from headway_pipelines.people.part import Anew, Derived, derive_part, fingerprint
from headway_pipelines.people.properties import described_subjects, merge_statements
from headway_pipelines.people.tables import (
    ACTORS,
    STRANGERS,
    TABLES,
    create_people,
    read_table,
    readable,
    swap_tables,
    table_file,
    write_table,
)
from headway_pipelines.workspace import Workspace

__all__ = ["TABLES", "Stitched", "derive_people"]


@dataclass(frozen=True)
class Stitched:
    """What stitching found.

    Attributes:
        mode: How users and devices were joined.
        actors: Users and devices that did something.
        version: Fingerprint of the mapping.
        changed: Whether it differs from the mapping before.
        change: How the people differ from those of the run before.
        found: What was set aside instead of being joined.
        again: Users and devices of which people were derived in this run.
        anew: Why everybody was derived anew; empty where only what is new and what it touches was.
    """

    mode: str
    actors: int
    version: str
    changed: bool
    change: Change
    found: Found
    again: int
    anew: str

    @property
    def people(self) -> int:
        """People there are."""
        return self.change.after

    def counts(self) -> dict[str, int]:
        """Every count by name; none of them says anything about one person."""
        return self.change.counts() | asdict(self.found) | {"derived_again": self.again}


@dataclass(frozen=True)
class _Job:
    """What is derived from what."""

    workspace: Workspace
    ledger: Ledger
    plan: TrackingPlan
    product: Product
    live: Live
    basis: Basis | None


def derive_people(workspace: Workspace, ledger: Ledger) -> Stitched:
    """Brings the tables `actor_person`, `device_spans` and `people`, and the histories of properties, up to date.

    They are those that deriving everything from the lake gives; a killed run leaves the ones before, or tables that the
    next run finds not to be the ones it knows.

    Args:
        workspace: The workspace.
        ledger: Its ledger, which also keeps the account of this run's change as the setting ``identity``.

    Returns:
        Counts and the mapping's version.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    basis, live = read_basis(ledger), Live.of(ledger)
    stamps = stamps_of(product, plan)
    anew = why_anew(basis, stamps, live, workspace.people)
    job = _Job(workspace, ledger, plan, product, live, basis)
    if basis is not None and not anew and basis.live == live:
        derived = _unchanged(basis)
    else:
        derived, anew = _derive(job, anew)
    done = Stitched(
        product.identity.mode,
        derived.actors,
        derived.version,
        ledger.get("people_version") != derived.version,
        derived.change,
        derived.found,
        derived.again,
        anew,
    )
    _commit(job, stamps, done, derived)
    forget_lists(workspace, ledger)
    return done


def _unchanged(basis: Basis) -> Derived:
    change = Change(basis.people, basis.people)
    return Derived(basis.pairs, basis.stretches, basis.actors, change, basis.found, 0, ())


def _derive(job: _Job, anew: str) -> tuple[Derived, str]:
    """Derives a part, or everybody where a part cannot be or must not be; with the reason."""
    if not anew:
        try:
            return _with_lake(job, anew=False), ""
        except Anew as reason:
            anew = str(reason)
        except EngineError:
            # damage inside a file shows only when it is read
            if readable(table_file(job.workspace.people, name) for name in (*TABLES, ACTORS, STRANGERS)):
                raise
            anew = reasons.UNREADABLE
    shutil.rmtree(job.workspace.people / "changes", ignore_errors=True)
    if anew in (reasons.FIRST, reasons.VERSION, reasons.UNREADABLE):
        forget_lists(job.workspace, job.ledger, all_of_them=True)
    return _with_lake(job, anew=True), anew


def _with_lake(job: _Job, *, anew: bool) -> Derived:
    con = connect(temp_directory=job.workspace.warehouse / "tmp")
    try:
        attach_lake(con, job.workspace, job.ledger)
        with guarded("join actors into people"):
            if anew or job.basis is None:
                derived = _derive_everybody(con, job)
            else:
                derived = derive_part(con, job.workspace, job.ledger, job.product, job.basis, job.live)
            return _write_histories(con, job, derived, anew=anew)
    finally:
        con.close()


def _derive_everybody(con: duckdb.DuckDBPyConnection, job: _Job) -> Derived:
    workspace, folder = job.workspace, job.workspace.people
    attach_actors(con, workspace, job.ledger)
    attach_described(con, workspace, job.ledger)
    found = map_people(con, job.product.identity)
    _attach_earlier(con, workspace)
    change = compare(con)
    pairs, stretches, actors = fingerprint(con, "mapping", "spans")
    derived = Derived(pairs, stretches, actors, change, found, actors, (*TABLES, ACTORS, STRANGERS))
    con.execute(
        "CREATE TEMP TABLE actor_person AS SELECT *, $version AS version FROM mapping ORDER BY actor",
        {"version": derived.version},
    )
    con.execute("CREATE TEMP VIEW device_spans AS FROM spans")
    create_people(con, job.product)
    for name in derived.written:
        write_table(con, folder, name, f"FROM {name}")
    return derived


def _attach_earlier(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Makes the table `earlier`: the mapping of the run before, empty where there was none or it cannot be read."""
    path = table_file(workspace.people, "actor_person")
    con.execute("CREATE TEMP TABLE earlier AS SELECT actor, person FROM mapping LIMIT 0")
    if whole(path):
        try:
            con.execute(f"INSERT INTO earlier SELECT actor, person FROM {read_table(path)}")
        except duckdb.InterruptException:
            raise
        except duckdb.Error:
            return


def _write_histories(con: duckdb.DuckDBPyConnection, job: _Job, derived: Derived, *, anew: bool) -> Derived:
    """Writes the histories of properties: all of them, or where what was said or who is who changed."""
    if anew or job.basis is None:
        more = write_histories(con, job.workspace, job.ledger, job.plan)
    else:
        known = job.basis.live.statements
        more = renew_histories(con, job.workspace, job.ledger, job.plan, known)
    return replace(derived, written=(*derived.written, *more))


def _commit(job: _Job, stamps: Mapping[str, str], done: Stitched, derived: Derived) -> None:
    """Puts the written tables in their place and notes what they stand on."""
    folder, ledger, number = job.workspace.people, job.ledger, job.basis.number if job.basis else 0
    if derived.written:
        swap_tables(folder, derived.written)
        number += 1
    names = (
        *TABLES,
        ACTORS,
        STRANGERS,
        *(f"{subject}_properties" for subject in described_subjects(job.plan)),
    )
    marks = marks_of(folder, (f"{name}.parquet" for name in names))
    merged = {"links": merge_links(job.workspace, ledger), **merge_statements(job.workspace, ledger)}
    with ledger.transaction():
        for kind, (files, replaced) in merged.items():
            ledger.swap_files(kind, files, replaced)
        live = Live.of(ledger)
        found = (done.actors, done.people, done.found)
        write_basis(ledger, Basis(number, stamps, live, marks, derived.pairs, derived.stretches, *found))
        ledger.put("people_version", done.version)
        ledger.put_json("identity", {"mode": done.mode, **done.counts(), "derived_anew": done.anew})
