"""Everything an audit says of a workspace, read from what is there: nothing is computed anew, nothing is changed.

Counts are not suppressed: an audit is for those who answer for the data. No value of a log is in it.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from headway.models.plan import load_plan
from headway.models.privacy_checks import private_metrics
from headway.models.product import Product, load_product
from headway_pipelines.audit.kept import Kept, kept_under
from headway_pipelines.audit.proving import last_proof
from headway_pipelines.audit.stored import files_passed, stored_text
from headway_pipelines.lake.ledger import LOOKS_LIKE, Ledger
from headway_pipelines.noise import TABLE as NOISY_CELLS
from headway_pipelines.noise import noise_ledger, spent_of
from headway_pipelines.privacy.keys import key_file
from headway_pipelines.publications import PublicationLedger
from headway_pipelines.warehouse.compute import code_version
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace


@dataclass(frozen=True)
class Zone:
    """One place where data lies.

    Attributes:
        name: Folder below the workspace.
        holds: What is in it.
        files: Number of files.
        size: Their bytes.
        open_to_others: Files that others on this machine may read.
    """

    name: str
    holds: str
    files: int
    size: int
    open_to_others: int


@dataclass(frozen=True)
class Published:
    """One published table.

    Attributes:
        table: Its name.
        cells: Its rows.
        hidden: Rows that are hidden, so that none speaks of few people.
        held: Rows that stay as they were published before, because a difference would speak of few people.
    """

    table: str
    cells: int
    hidden: int
    held: int


@dataclass(frozen=True)
class Audit:
    """What an audit says.

    Attributes:
        at: When it was made (UTC, ISO 8601).
        product: The product's name.
        plan: Summary of the tracking plan, SHA-256 in hexadecimal.
        code_version: Version of Headway.
        key: Which key pseudonyms were made with; never the key.
        run: When values were last computed, from which first to which last event; null where nothing ran.
        files: Raw files by state.
        lines: Source, state of the file, what became of the lines, how many.
        kept: What is kept: class, column, purpose, owner, retention.
        dropped: Event, property, reason, how many values.
        stored: Events, days and people in the warehouse.
        caught: What looked personal among the declared values that came in, and was dropped: type -> values.
        detector: What looking at stored texts once more found; without a new look, how many files passed the last one.
        published: Published tables.
        min_people: Smallest number of people that a published number may speak of.
        fewer_than_five: Who answers for fewer than five, and why.
        releases: Publications so far, the latest last: number, as of when, new or changed cells.
        zones: Where data lies.
        proof: The last proof that was made, see `headway_pipelines.audit.proving`; null where none was.
        rights: Receipts of erasures and other acts, without what names anybody.
        noise: Metrics published with noise: what their cells told of a person, and their budget (epsilon).
        guards: Guard -> whether it holds.
    """

    at: str
    product: str
    plan: str
    code_version: str
    key: Mapping[str, Any]
    run: Mapping[str, Any] | None
    files: Mapping[str, int]
    lines: tuple[Mapping[str, Any], ...]
    kept: tuple[Kept, ...]
    dropped: tuple[Mapping[str, Any], ...]
    stored: Mapping[str, int]
    caught: Mapping[str, int]
    detector: Mapping[str, Any]
    published: tuple[Published, ...]
    min_people: int
    fewer_than_five: str | None
    releases: tuple[Mapping[str, Any], ...]
    zones: tuple[Zone, ...]
    proof: Mapping[str, Any] | None
    rights: tuple[Mapping[str, Any], ...] = ()
    noise: tuple[Mapping[str, Any], ...] = ()
    guards: Mapping[str, bool] = field(default_factory=dict)


def audit_workspace(workspace: Workspace, *, look: bool = True) -> Audit:
    """Reads what a workspace says of itself.

    Args:
        workspace: The workspace; it need not have run yet.
        look: Whether all stored texts are looked at once more; runs have looked at each of them.

    Returns:
        The audit.

    Raises:
        DefinitionError: Plan or product file cannot be used.
        HeadwayError: The publication ledger is damaged.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    facts = _from_ledger(workspace, look=look) if workspace.ledger_file.exists() else _nothing_read()
    return Audit(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        product=product.name,
        plan=plan.hash,
        code_version=code_version(),
        key=_key(workspace),
        kept=kept_under(plan),
        proof=last_proof(workspace),
        rights=tuple(_receipts(workspace)),
        zones=tuple(_zones(workspace)),
        guards=_guards(workspace),
        releases=tuple(
            {"release": each.number, "at": each.at, "cells": sum(each.cells.values())}
            for each in PublicationLedger(workspace.publications).releases
        ),
        noise=tuple(_noise(workspace, product)),
        **_published(workspace, product),
        **facts,
    )


def _from_ledger(workspace: Workspace, *, look: bool) -> dict[str, Any]:
    ledger = Ledger(workspace.ledger_file)
    try:
        dropped = ledger.dropped()
        per_day = ledger.rows_per_day()
        return {
            "files": dict(Counter(batch.state for batch in ledger.batches())),
            "lines": tuple(dict(row) for row in ledger.outcomes()),
            "dropped": tuple(dict(row) for row in dropped),
            "caught": _caught(dropped),
            "stored": {"events": sum(per_day.values()), "days": len(per_day)} | _people(workspace),
            "detector": _detector(workspace, ledger) if look else {"files": len(files_passed(ledger))},
        }
    finally:
        ledger.close()


def _noise(workspace: Workspace, product: Product) -> Iterator[Mapping[str, Any]]:
    spent = spent_of(noise_ledger(workspace).cells(NOISY_CELLS))
    private = private_metrics(product)
    for name in sorted({*spent.ever, *private}):
        yield {
            "metric": name,
            "spent_in_one_month": round(spent.most(name), 9),
            "budget_of_a_month": float(private[name].budget) if name in private else None,
            "spent_ever": round(spent.ever.get(name, 0.0), 9),
        }
    if spent.ever:
        months = {month for _, month in spent.months}
        yield {
            "metric": "all of them",
            "spent_in_one_month": round(max(spent.of_all(month) for month in months), 9),
            "budget_of_a_month": product.publishing.privacy_budget,
            "spent_ever": round(sum(spent.ever.values()), 9),
        }


def _detector(workspace: Workspace, ledger: Ledger) -> dict[str, Any]:
    texts = stored_text(workspace, ledger, everything=True, remember=False)
    return {
        "files": texts.files,
        "columns": texts.columns,
        "values": texts.values,
        "looks_personal": dict(texts.personal),
    }


def _caught(dropped: list[dict[str, Any]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in dropped:
        if row["reason"].startswith(LOOKS_LIKE):
            counts[row["reason"].removeprefix(LOOKS_LIKE)] += row["n_values"]
    return dict(sorted(counts.items()))


def _nothing_read() -> dict[str, Any]:
    return {
        "files": {},
        "lines": (),
        "dropped": (),
        "stored": {"events": 0, "days": 0, "people": 0},
        "caught": {},
        "detector": {"files": 0, "columns": 0, "values": 0, "looks_personal": {}},
    }


def _people(workspace: Workspace) -> dict[str, int]:
    if not workspace.metrics_db.exists():
        return {"people": 0}
    return {"people": int(tables_of(workspace.metrics_db)["run_info"]["people"][0])}


def _key(workspace: Workspace) -> dict[str, Any]:
    stamp, path = workspace.state / "vault" / "key-id", key_file(workspace)
    return {
        "id": stamp.read_text(encoding="ascii").strip() if stamp.exists() else None,
        "found": path.exists(),
        "outside_the_workspace": workspace.root not in path.absolute().parents,
        "for_its_owner_alone": path.exists() and not _open_to_others(path),
    }


def _published(workspace: Workspace, product: Product) -> dict[str, Any]:
    rules = {
        "min_people": product.publishing.min_people,
        "fewer_than_five": product.publishing.fewer_than_five,
    }
    if not workspace.published_db.exists():
        return {**rules, "published": (), "run": None}
    tables = tables_of(workspace.published_db)
    info = tables["run_info"].row(0, named=True)
    names = ("as_of", "first_event_at", "last_event_at", "code_version", "plan_hash")
    found = [
        Published(name, frame.height, int(frame["suppressed"].sum()), _held(frame))
        for name, frame in tables.items()
        if "suppressed" in frame.columns
    ]
    return {
        **rules,
        "published": tuple(found),
        "run": {name: _text(info.get(name)) for name in names},
    }


def _held(frame: pl.DataFrame) -> int:
    return frame["held_since"].count() if "held_since" in frame.columns else 0


def _text(value: object) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)


def _zones(workspace: Workspace) -> Iterator[Zone]:
    places = (
        (workspace.raw, "logs as they landed, personal data included"),
        (workspace.inputs, "side inputs"),
        (workspace.state, "pseudonyms, receipts, what was published"),
        (workspace.warehouse, "pseudonymised events and people, internal numbers"),
        (workspace.published_db.parent, "numbers of enough people"),
        (workspace.report, "the same as pages"),
    )
    for folder, holds in places:
        files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
        size = sum(path.stat().st_size for path in files)
        yield Zone(folder.name, holds, len(files), size, sum(map(_open_to_others, files)))


def _open_to_others(path: Path) -> bool:
    return os.name != "nt" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _receipts(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Receipts as far as they can be read: what they count and when, no lists."""
    for path in sorted((workspace.state / "receipts").glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            yield {"receipt": path.name, "cannot_be_read": True}
            continue
        proof = content.get("proof") if isinstance(content, dict) else None
        told = {
            name: value
            for name, value in (content.items() if isinstance(content, dict) else ())
            if isinstance(value, int | float | bool) or name.endswith("_at")
        }
        if isinstance(proof, dict):
            told["files_with_hits"] = len(proof.get("files_with_hits") or ())
        yield {"receipt": path.name} | told


def _guards(workspace: Workspace) -> dict[str, bool]:
    """What can be told from the workspace's files: settings that may have been changed by hand."""
    settings = workspace.dagster_home / "dagster.yaml"
    text = settings.read_text(encoding="utf-8") if settings.exists() else None
    spilled = workspace.warehouse / "tmp"
    ours = [p for folder in (workspace.state, workspace.warehouse) for p in folder.rglob("*") if p.is_file()]
    return {
        "what steps print is not kept": text is None or "NoOpComputeLogManager" in text,
        "telemetry is off": text is None or "telemetry:\n  enabled: false" in text,
        "nothing is pickled": not [p for p in ours if p.suffix in (".pickle", ".pkl")],
        "nothing spilled is left": not spilled.exists() or not any(spilled.iterdir()),
        "state and warehouse are their owner's alone": not any(map(_open_to_others, ours)),
    }


__all__ = ["Audit", "Published", "Zone", "audit_workspace"]
