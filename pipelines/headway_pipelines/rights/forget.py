"""`headway forget`: a person goes from everything the workspace holds, and stays gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID

from headway.engine import connect
from headway.errors import InputError
from headway.models.plan import load_plan
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import collect_garbage
from headway_pipelines.locking import workspace_lock
from headway_pipelines.privacy.keys import Key, load_key
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.tombstones import normalised
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.rights.carry_out import carry_out, now, sweep
from headway_pipelines.rights.holds import refuse_held
from headway_pipelines.rights.journal import (
    Erasure,
    next_number,
    read_journal,
    write_journal,
    write_receipt,
)
from headway_pipelines.rights.subject import Subject, find_subject
from headway_pipelines.store import sweep_store
from headway_pipelines.workspace import Workspace

Reason = Literal[
    "request",
    "withdrawal",
    "objection",
    "account-closed",
    "no-longer-needed",
    "unlawful",
    "legal-duty",
    "child",
]
"""Why somebody is erased, as a code: a free text would be one more place for personal data."""

REASONS: tuple[Reason, ...] = get_args(Reason)
#: Shorter texts are found everywhere by accident.
_SHORTEST = 8


@dataclass(frozen=True)
class Forgotten:
    """What an erasure did.

    Attributes:
        receipt: The receipt; None where there was nothing to erase.
        people: How many people went.
        counts: What was counted in the lake.
        raw: Raw files that hold them, as `from_raw_files` tells them.
        unknown: Places, from 1, of the given ids that are not known.
        already: How many of the given ids were erased before.
        found: Files in which the proof found something, relative to the workspace; empty where it found nothing.
    """

    receipt: Path | None = None
    people: int = 0
    counts: Mapping[str, Any] | None = None
    raw: tuple[Mapping[str, Any], ...] = ()
    unknown: tuple[int, ...] = ()
    already: int = 0
    found: tuple[str, ...] = ()


def forget(
    workspace: Workspace,
    ids: Sequence[str],
    *,
    kind: str | None = None,
    only: bool = False,
    rewrite_raw: bool = False,
    reason: Reason = "request",
    announce: Callable[[str], None] = lambda _: None,
) -> Forgotten:
    """Erases people from everything but the raw logs, and from those too where that is asked for.

    Args:
        workspace: The workspace.
        ids: Ids of the people, as the trackers wrote them.
        kind: Which kind of id they are: ``user``, ``device``, ``account`` or a domain of the plan; None finds out.
        only: Whether the other ids of the same person stay.
        rewrite_raw: Whether lines of theirs are taken out of raw files.
        reason: Why.
        announce: Called with a short word about each step that starts.

    Returns:
        What was done.

    Raises:
        InputError: No id can be used, or the person is under a legal hold.
    """
    with workspace_lock(workspace):
        key = load_key(workspace, create=False)
        ledger = Ledger(workspace.ledger_file)
        try:
            pending = read_journal(workspace)
            if pending is not None:
                announce("finishing an erasure that was interrupted")
                finish(workspace, ledger, key, pending, (), announce)
            announce("looking up who is meant")
            begun = begin(
                workspace, ledger, key, ids, kind=kind, only=only, rewrite_raw=rewrite_raw, reason=reason
            )
            erasure, unknown, already = begun
            if erasure is None:
                return Forgotten(unknown=unknown, already=already)
            done = finish(workspace, ledger, key, erasure, ids, announce)
            return replace(done, unknown=unknown, already=already)
        finally:
            ledger.close()


def begin(
    workspace: Workspace,
    ledger: Ledger,
    key: Key,
    ids: Sequence[str],
    *,
    kind: str | None = None,
    only: bool = False,
    rewrite_raw: bool = False,
    reason: Reason = "request",
    seeds: Sequence[str] = (),
) -> tuple[Erasure | None, tuple[int, ...], int]:
    """Finds who is meant and writes the journal: from here on a killed erasure is finished by the next run.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        key: The workspace's key.
        ids: Ids of the people.
        kind: Which kind of id they are.
        only: Whether the other ids of the same person stay.
        rewrite_raw: Whether lines of theirs are taken out of raw files.
        reason: Why.
        seeds: Surrogates of further people.

    Returns:
        The erasure (None where no id is known), places of unknown ids, and how many were erased before.

    Raises:
        InputError: No id can be used, or the person is under a legal hold.
    """
    subject, already = look_up(workspace, ledger, key, ids, kind=kind, only=only, seeds=seeds)
    if not subject.surrogates:
        return None, subject.unknown, already
    refuse_held(workspace, key, subject.lookups)
    erasure = Erasure(
        next_number(workspace),
        now().isoformat(timespec="seconds") + "Z",
        reason,
        key.id,
        subject.people,
        rewrite_raw,
        subject.surrogates,
        subject.lookups,
        subject.windows,
    )
    write_journal(workspace, erasure)
    return erasure, subject.unknown, already


def look_up(
    workspace: Workspace,
    ledger: Ledger,
    key: Key,
    ids: Sequence[str],
    *,
    kind: str | None = None,
    only: bool = False,
    seeds: Sequence[str] = (),
) -> tuple[Subject, int]:
    """Finds who is meant.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        key: The workspace's key.
        ids: Ids as the trackers wrote them.
        kind: Which kind of id they are.
        only: Whether other ids of the same person are left out.
        seeds: Surrogates of further people.

    Returns:
        The subject, with what is unknown, and how many of the ids were erased before.

    Raises:
        InputError: There is no id, one is empty, or what is meant is not clear.
    """
    import polars as pl

    if not (ids or seeds) or not all(text.strip() for text in ids):
        raise InputError("name at least one id; none of them may be empty")
    plan = load_plan(workspace.plan_file)
    con = connect(temp_directory="")
    try:
        vault = Vault(workspace.state / "vault", key, con)
        subject = find_subject(
            con, workspace, ledger, vault, plan, ids, kind=kind, only=only, seeds=seeds, now=now()
        )
        places = pl.DataFrame(
            {"raw": [ids[place - 1] for place in subject.unknown]}, schema={"raw": pl.String}
        )
        domains = pl.DataFrame({"domain": [kind] if kind else ["user", "device"]})
        marked = vault.tombstones.marked(places.join(domains, how="cross"))
        erased = set(marked["raw"])
    finally:
        con.close()
    unknown = tuple(place for place in subject.unknown if ids[place - 1] not in erased)
    return Subject(subject.surrogates, subject.lookups, subject.windows, subject.people, unknown), len(erased)


def finish(
    workspace: Workspace,
    ledger: Ledger,
    key: Key,
    erasure: Erasure,
    ids: Sequence[str],
    announce: Callable[[str], None],
) -> Forgotten:
    """Carries an erasure out, computes again what follows, and proves it.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        key: The workspace's key.
        erasure: The erasure, as the journal has it.
        ids: The ids that were named.
        announce: Called with a short word about each step that starts.

    Returns:
        What was done.
    """
    from headway_pipelines.run import recompute, run_again

    announce("erasing, and looking through raw logs")
    erasure = carry_out(workspace, ledger, key, erasure)
    lake = erasure.done["lake"]
    if lake["read_again"] and any(path.is_file() for path in workspace.raw.rglob("*")):
        run_again(workspace, ledger, announce=announce)
    else:
        recompute(workspace, ledger, lake["days"], announce=announce)
    announce("looking for what is left, byte by byte")
    return conclude(workspace, ledger, ids)


def conclude(workspace: Workspace, ledger: Ledger, ids: Sequence[str] = ()) -> Forgotten:
    """Proves an erasure after everything was computed again, and writes its receipt.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        ids: The ids that were named, where they are still known: they are looked for too.

    Returns:
        What was done.
    """
    erasure = read_journal(workspace)
    assert erasure is not None
    collect_garbage(workspace, ledger)
    sweep_store(workspace)
    sweep(workspace, ledger)
    searched = _searched(workspace, ledger, erasure)
    texts = [normalised_text(text) for text in ids]
    values = [
        *(text for text in texts if len(text) >= _SHORTEST),
        *(str(UUID(surrogate)) for surrogate in erasure.surrogates),
        *erasure.surrogates,
        *(lookup for _, lookup in erasure.lookups),
    ]
    hits = scan(searched, list(dict.fromkeys(values)))
    found = tuple(sorted({hit.path.relative_to(workspace.root).as_posix() for hit in hits}))
    # On which days somebody was active says something of them: the receipt has counts and checksums alone.
    lake = {
        name: told for name, told in erasure.done["lake"].items() if name not in ("days", "files_written")
    }
    lake["sha256_of_files_written"] = sorted(erasure.done["lake"]["files_written"].values())
    raw = erasure.done["raw"]
    told = {
        "tombstones": erasure.done["tombstones"],
        "vault_rows": erasure.done["vault_rows"],
        "lake": lake,
        "raw": raw,
        "raw_rewritten": erasure.rewrite_raw,
        "proof": {
            "values": len(values),
            "files": len(searched),
            "files_with_hits": list(found),
        },
        "plan": load_plan(workspace.plan_file).hash,
    }
    receipt = write_receipt(workspace, erasure, told)
    return Forgotten(receipt, erasure.people, lake, tuple(raw), (), 0, found)


def normalised_text(text: str) -> str:
    """One identifier in the form in which it is hashed."""
    import polars as pl

    return str(pl.select(normalised(pl.lit(text))).item())


def _searched(workspace: Workspace, ledger: Ledger, erasure: Erasure) -> list[Path]:
    """Everything written but raw logs, the journal, and files of the lake that were not touched.

    Those were searched, column by column, when it was found that they need not be touched.
    """
    untouched = {
        workspace.warehouse / path
        for path in ledger.lake_files("events")
        if path not in erasure.done["lake"]["files_written"]
    }
    roots = [workspace.state, workspace.warehouse, workspace.published_db.parent, workspace.report]
    kept = {*untouched, workspace.state / "erasure.json"}
    return [
        path
        for root in roots
        if root.exists()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path not in kept
    ]
