"""Keeping the store equal to the lake and its people, by what changed.

A run reads the lake files that are new, and adds their rows as a part of its own. Rows of persons whose actors changed
hands are taken out of the parts they are in (those persons are dead there) and added anew with the others. Small parts
are merged into the one that is written, so that there are only ever a few, each larger than those after it: a day costs
by what came in, and over time each row is written a few times. A day that was written anew in the lake is read anew,
and the parts with rows of it are written without them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
from sqlglot import exp

from headway.engine import connect, guarded
from headway.engine.sql import bind, literal, load
from headway.kernels import Offsets, utc_offsets
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway.periods import EPOCH
from headway.store import ANY, Part, PersonStore
from headway.store.files import FORMAT, MANIFEST, manifest_text, read_manifest, read_store
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.store.numbering import Numbers, number
from headway_pipelines.store.rows import Rows, fetched, of_persons, write_rows
from headway_pipelines.workspace import Workspace, write_atomically

_HERE = "headway_pipelines.store"
#: A part with fewer rows than so many times what is put on top of it is merged with that.
MERGED_BELOW = 4
#: Persons that went leave their numbers behind. When so many are spare, and half of all, all begin anew.
_SPARE_NUMBERS = 10_000


@dataclass(frozen=True)
class Stored:
    """What was done.

    Attributes:
        rows: Rows there are, those that no longer count included.
        written: Rows written by this run.
        parts: Parts there are.
    """

    rows: int
    written: int
    parts: int


@dataclass(frozen=True)
class _Wanted:
    """What the store should be made from."""

    version: str
    files: dict[str, str]
    timezone: str
    behaviours: list[str | None]


def store_version(workspace: Workspace, ledger: Ledger) -> str:
    """Names what a store is made from; a store with another version is out of date.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        A fingerprint.
    """
    return _wanted(workspace, ledger).version


def derive_store(workspace: Workspace, ledger: Ledger) -> Stored:
    """Brings the store up to date; it is made anew where there is none or it is damaged.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Counts.
    """
    wanted = _wanted(workspace, ledger)
    manifest, store = _earlier(workspace)
    if manifest["version"] != wanted.version:
        manifest, written = _updated(workspace, wanted, manifest, store)
        write_atomically(workspace.store / MANIFEST, manifest_text(workspace.store, manifest))
    else:
        written = 0
    return Stored(sum(part["rows"] for part in manifest["parts"]), written, len(manifest["parts"]))


def sweep_store(workspace: Workspace) -> int:
    """Deletes what the store does not consist of any more. Called after publishing, when readers see the new one.

    Args:
        workspace: The workspace.

    Returns:
        Number of files and folders deleted.
    """
    manifest = read_manifest(workspace.store)
    if manifest is None:
        return 0
    kept = {MANIFEST, manifest["numbers"]}
    kept |= {part[name] for part in manifest["parts"] for name in ("folder", "dead")}
    dead = [path for path in workspace.store.iterdir() if path.name not in kept]
    for path in dead:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return len(dead)


def _wanted(workspace: Workspace, ledger: Ledger) -> _Wanted:
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    files = dict(sorted(ledger.lake_files("events").items()))
    behaviours: list[str | None] = [None, *sorted(_declared(product))]
    spans = workspace.people / "device_spans.parquet"
    people = [
        ledger.get("people_version"),
        hashlib.sha256(spans.read_bytes()).hexdigest() if spans.exists() else None,
    ]
    content = json.dumps([FORMAT, files, people, product.timezone, behaviours])
    return _Wanted(hashlib.sha256(content.encode()).hexdigest()[:32], files, product.timezone, behaviours)


def _declared(product: Product) -> set[str]:
    selectors = [product.activity]
    selectors += [each for metric in product.metrics.values() for each in metric.selectors().values()]
    selectors += [step for funnel in product.funnels.values() for step in funnel.steps]
    selectors += [each for asked in product.retentions.values() for each in (asked.start, asked.returning)]
    return {name for selector in selectors for name in selector.event}


def _earlier(workspace: Workspace) -> tuple[dict[str, Any], PersonStore]:
    """Opens the store there is; where there is none, or it is damaged, an empty one."""
    manifest = read_manifest(workspace.store)
    if manifest is not None and manifest["people"] <= 2 * manifest["living"] + _SPARE_NUMBERS:
        try:
            store = read_store(workspace.store, manifest)
            if all(
                len(part) == told["rows"] for part, told in zip(store.parts, manifest["parts"], strict=True)
            ):
                return manifest, store
        except (OSError, ValueError):
            pass
    empty = {"version": "", "timezone": "UTC", "behaviours": [], "names": [], "people": 0, "actors": 0}
    return empty | {"numbers": None, "files": {}, "parts": []}, PersonStore((), (), 0, "UTC", frozenset())


def _updated(
    workspace: Workspace, wanted: _Wanted, manifest: dict[str, Any], store: PersonStore
) -> tuple[dict[str, Any], int]:
    workspace.store.mkdir(parents=True, exist_ok=True)
    gone = set(manifest["files"]) - set(wanted.files)
    dropped = sorted({manifest["files"][path] for path in gone})
    read = [p for p, day in wanted.files.items() if p not in manifest["files"] or day in dropped]
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        with guarded("order events by person"):
            _attach(con, workspace)
            numbers = number(con, workspace, manifest)
            names = _names(con, workspace, manifest["names"], wanted, read)
            days = np.array([(date.fromisoformat(day) - EPOCH).days for day in dropped], np.int64)
            new = _new_rows(con, workspace, read)
            moved = _moved_rows(con, store, numbers.changed, days)
    finally:
        con.close()
    anew = wanted.timezone != manifest["timezone"] or wanted.behaviours != manifest["behaviours"]
    parts = [
        _with_dead(part, told, numbers.changed)
        for part, told in zip(store.parts, manifest["parts"], strict=True)
    ]
    merged = _to_merge(parts, days, len(new) + len(moved), everything=anew)
    sources = [new, moved, *(Rows.of_part(part, days) for part, _ in merged)]
    kept = [
        _told(workspace, part, told) for part, told in parts if not any(told is each for _, each in merged)
    ]
    written = 0
    if any(map(len, sources)):
        part = _write(workspace, wanted, sources, numbers, names, [told for _, told in parts])
        written = part["rows"]
        kept += [part] if written else []
    return {
        "format": FORMAT,
        "version": wanted.version,
        "timezone": wanted.timezone,
        "behaviours": wanted.behaviours,
        "names": names,
        "people": numbers.people,
        "living": numbers.living,
        "actors": numbers.actors,
        "numbers": numbers.file,
        "files": wanted.files,
        "parts": kept,
    }, written


def _attach(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    for name in ("actor_person", "device_spans"):
        path = literal(str(workspace.people / f"{name}.parquet"))
        con.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({path})")


def _names(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, known: list[str], wanted: _Wanted, read: list[str]
) -> list[str]:
    """Makes the table `names`; names keep their codes, new ones follow."""
    found = {name for name in wanted.behaviours if name is not None}
    if read:
        paths = {"files": [str(workspace.warehouse / path) for path in read]}
        query = "SELECT DISTINCT event FROM read_parquet($files, hive_partitioning = false)"
        found |= {name for (name,) in con.execute(query, paths).fetchall()}
    names = [*known, *sorted(found - set(known))]
    con.execute("CREATE TEMP TABLE names (name VARCHAR, code USMALLINT)")
    con.execute(
        "INSERT INTO names SELECT unnest($names::VARCHAR[]), unnest(range(len($names)))", {"names": names}
    )
    return names


def _new_rows(con: duckdb.DuckDBPyConnection, workspace: Workspace, read: list[str]) -> Rows:
    paths = [str(workspace.warehouse / path) for path in read]
    count = "SELECT count(*) FROM read_parquet($files, hive_partitioning = false)"
    most = int(con.execute(count, {"files": paths}).fetchall()[0][0]) if paths else 0
    return fetched(con, bind(load(_HERE, "new_rows.sql"), {"files": exp.convert(paths)}), most)


def _moved_rows(
    con: duckdb.DuckDBPyConnection,
    store: PersonStore,
    persons: npt.NDArray[np.uint32],
    dropped: npt.NDArray[np.int64],
) -> Rows:
    """Takes the rows of persons out of the parts and asks whose they are now."""
    found: dict[str, list[npt.NDArray[Any]]] = {"us": [], "code": [], "actor": []}
    for part in store.parts if len(persons) else ():
        rows = of_persons(part, persons)
        rows = rows[~np.isin(part.us.take(rows) // MICROSECONDS_PER_DAY, dropped)]
        for name, values in found.items():
            values.append(getattr(part, name).take(rows).astype(np.int64))
    columns = {name: np.concatenate([np.zeros(0, np.int64), *values]) for name, values in found.items()}
    con.register("moved", pl.DataFrame(columns).to_arrow())
    return fetched(con, load(_HERE, "moved_rows.sql"), len(columns["us"]))


def _with_dead(
    part: Part, told: dict[str, Any], persons: npt.NDArray[np.uint32]
) -> tuple[Part, dict[str, Any]]:
    """Marks persons as dead in a part, those that have rows there."""
    place = np.searchsorted(part.person, persons)
    here = persons[part.person.take(place, mode="clip") == persons] if len(part) else persons[:0]
    dead = np.union1d(part.dead, here).astype(np.uint32)
    return Part(part.person, part.us, part.code, part.actor, part.activity, dead), told


def _to_merge(
    parts: list[tuple[Part, dict[str, Any]]],
    dropped: npt.NDArray[np.int64],
    rows: int,
    *,
    everything: bool,
) -> list[tuple[Part, dict[str, Any]]]:
    """Chooses the parts that are written anew together with the new rows."""
    merged = []
    for part, told in sorted(parts, key=lambda each: len(each[0])):
        outdated = bool(np.isin(dropped, told["days"]).any())
        mostly_dead = 4 * _dead_rows(part) > len(part)
        if everything or outdated or mostly_dead or (rows and len(part) < MERGED_BELOW * rows):
            merged.append((part, told))
            rows += len(part)
    return merged


def _dead_rows(part: Part) -> int:
    low, high = (np.searchsorted(part.person, part.dead, side=side) for side in ("left", "right"))
    return int((high - low).sum())


def _told(workspace: Workspace, part: Part, told: dict[str, Any]) -> dict[str, Any]:
    """Says of a part that stays who is dead in it now."""
    if not len(part.dead):
        return told
    name = f"dead-{secrets.token_hex(6)}.npy"
    np.save(workspace.store / name, part.dead, allow_pickle=False)
    return {**told, "dead": name}


def _write(
    workspace: Workspace,
    wanted: _Wanted,
    sources: list[Rows],
    numbers: Numbers,
    names: list[str],
    told: list[dict[str, Any]],
) -> dict[str, Any]:
    behaviours = [ANY if name is None else names.index(name) for name in wanted.behaviours]
    part = write_rows(
        workspace.store,
        sources,
        numbers.people,
        names=len(names),
        behaviours=behaviours,
        offsets=_offsets(sources, wanted.timezone),
    )
    days = [source.days() for source in sources]
    return {**part, "days": np.unique(np.concatenate(days)).tolist()}


def _offsets(sources: list[Rows], timezone: str) -> Offsets:
    ends = [(int(us.min()), int(us.max())) for us in (source.columns["us"] for source in sources) if len(us)]
    return utc_offsets(timezone, min(low for low, _ in ends), max(high for _, high in ends))
