"""From raw files to staged batches: what is new goes through the gate, group by group."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headway.errors import InputError
from headway.models.explain import listed
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.freshness import bot_lists
from headway_pipelines.lake.integrity import damaged_files
from headway_pipelines.lake.ledger import (
    BLOCKED,
    COPY,
    DAMAGED,
    PASSED,
    PROMOTED,
    READING,
    STAGED,
    UNFINISHED,
    Batch,
    Ledger,
)
from headway_pipelines.privacy.detect import safe_path
from headway_pipelines.privacy.gate import CleanBatch, Gate, RawFile
from headway_pipelines.privacy.keys import Key, load_key
from headway_pipelines.quality.judge import preload
from headway_pipelines.rights.carry_out import resume
from headway_pipelines.rights.limits import limits_in_force
from headway_pipelines.sources.config import load_sources, source_of
from headway_pipelines.sources.shape import Source
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

#: With so many compressed bytes to read, the quality suite is imported meanwhile.
_WORTH_PRELOADING = 32 << 20

#: Hidden files, folders and markers, and what lists the files of an export.
_MARKER = re.compile(r"(^|/)[._]|(^|[/_.-])manifest\.json$")

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True)
class Landed:
    """A file under ``raw/``.

    Attributes:
        path: Absolute path.
        relative: Path below ``raw/``, with forward slashes.
        size: Bytes.
        mtime_ns: Modification time, nanoseconds since 1970.
        source: How it is read; None when no source claims it.
        finished: Whether the export it is part of is complete, as far as its source asks for that.
    """

    path: Path
    relative: str
    size: int
    mtime_ns: int
    source: Source | None
    finished: bool = True


@dataclass(frozen=True)
class Ingested:
    """What one ingest did.

    Attributes:
        files: Files read through the gate.
        copies: Files whose content the same source had read before under another name.
        damaged: Files set aside because their compression is damaged.
        unclaimed: Files no source claims.
        unfinished: Files that wait for the file that says their export is complete.
        lines: Lines framed.
        events: Events staged.
    """

    files: int
    copies: int
    damaged: int
    unclaimed: int
    unfinished: int
    lines: int
    events: int


def landed(workspace: Workspace, only: Sequence[Path] = ()) -> list[Landed]:
    """Lists the files under ``raw/``, hidden ones, Hadoop-style markers and manifests apart.

    Args:
        workspace: The workspace.
        only: Files or folders below ``raw/`` to look at; empty means all of it.

    Returns:
        The files, sorted by path.

    Raises:
        InputError: A path does not exist or lies outside ``raw/``, or there is no file at all.
    """
    roots = [_below_raw(workspace, p) for p in only] or [workspace.raw]
    if not workspace.raw.is_dir():
        raise InputError(f"{workspace.raw} does not exist. Put the product's event logs there.")
    sources = load_sources(workspace)
    files: dict[str, Landed] = {}
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            relative = path.relative_to(workspace.raw).as_posix()
            if path.is_file() and not _MARKER.search(relative):
                stat, source = path.stat(), source_of(sources, relative)
                end = _awaited(source, path.name)
                if end is None:
                    files[relative] = Landed(path, relative, stat.st_size, stat.st_mtime_ns, source)
                elif not path.name.endswith(end):
                    done = _finished(path, end)
                    files[relative] = Landed(path, relative, stat.st_size, stat.st_mtime_ns, source, done)
    if not files:
        where = ", ".join(str(r) for r in roots)
        raise InputError(f"no event logs under {where}. Put the product's raw logs there, then run again.")
    return [files[name] for name in sorted(files)]


def _awaited(source: Source | None, name: str) -> str | None:
    """End of the name of the file that must be there before one is read; None where it may be read at once."""
    if source is None or (source.waits is not None and not re.fullmatch(source.waits, name)):
        return None
    return source.finished_by


def _finished(path: Path, end: str) -> bool:
    """Whether the file is there that its source waits for: same folder, same beginning of the name."""
    beginnings = (
        p.name.removesuffix(end).rstrip("_-.") for p in path.parent.iterdir() if p.name.endswith(end)
    )
    return any(path.name.startswith(beginning) for beginning in beginnings)


def _below_raw(workspace: Workspace, path: Path) -> Path:
    for candidate in (path.expanduser().absolute(), workspace.raw / path):
        if candidate.exists():
            if not candidate.is_relative_to(workspace.raw):
                raise InputError(
                    f"{path} is not below {workspace.raw}. Raw logs are read in place: move or link it there."
                )
            return candidate
    raise InputError(f"{path} does not exist, neither as given nor below {workspace.raw}")


def new_files(ledger: Ledger, key: Key, files: Iterable[Landed]) -> list[Landed]:
    """Picks the files that have not been read as they are now.

    Args:
        ledger: The ledger.
        key: The workspace's key.
        files: Landed files.

    Returns:
        Files that are new, changed, or were not finished last time.
    """
    known = ledger.current()
    return [
        f
        for f in files
        if f.source is not None
        and f.finished
        and not (
            (b := known.get(path_id(key, f.relative)))
            and b.state != READING
            and (b.size, b.mtime_ns) == (f.size, f.mtime_ns)
        )
    ]


def path_id(key: Key, relative: str) -> str:
    """The keyed hash under which a path is known: file names can be personal too."""
    return key.digest("path", relative)


def ingest(
    workspace: Workspace, ledger: Ledger, *, only: Sequence[Path] = (), progress: Progress | None = None
) -> Ingested:
    """Reads what is new under ``raw/`` through the gate into staging.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        only: Files or folders below ``raw/``; empty means all.
        progress: Called with bytes done and bytes in all.

    Returns:
        Counts of this ingest.

    Raises:
        InputError: Nothing to read, or the key or the definitions cannot be used.
    """
    plan = load_plan(workspace.plan_file)
    key = load_key(workspace)
    resume(workspace, ledger, key)
    files, every = landed(workspace, only), landed(workspace)
    restarted = _restart_under_new_key(workspace, ledger, key, every)
    present = {path_id(key, f.relative) for f in every}
    _repair(ledger, present)
    if _restart_where_needed(workspace, ledger, present) or restarted:
        files = every
    fresh = new_files(ledger, key, files)
    if _take_back(workspace, ledger, key, fresh, present):
        fresh = new_files(ledger, key, every)
    opened, copies = _open_batches(ledger, key, fresh)
    _sweep(workspace, ledger)
    done, total = 0, sum(f.size for f, _ in opened)
    lines = events = damaged = 0
    now = datetime.now(UTC).replace(tzinfo=None)
    vault, logout, limits = workspace.state / "vault", _logout_events(workspace), limits_in_force(workspace)
    with Gate(plan, key, vault, now=now, staging=workspace.staging, logout=logout, limits=limits) as gate:
        for source in dict.fromkeys(f.source for f, _ in opened):
            mine = [(f, n) for f, n in opened if f.source == source]
            sizes = {n: f.size for f, n in mine}
            assert source is not None
            for clean in gate.clean([RawFile(f.path, n) for f, n in mine], source):
                stage(workspace, ledger, clean)
                if total >= _WORTH_PRELOADING:
                    # Not earlier: it would hold up reading the first lines, for which everything waits.
                    preload()
                lines += sum(a.lines for a in clean.accounts.values())
                events += sum(a.events for a in clean.accounts.values())
                damaged += len(clean.damaged)
                done += sum(sizes[n] for n in (*clean.finished, *clean.damaged))
                if progress:
                    progress(done, total)
    unclaimed = sum(f.source is None for f in files)
    unfinished = sum(not f.finished for f in every)
    with ledger.transaction():
        ledger.put(UNFINISHED, str(unfinished))
    return Ingested(len(opened), copies, damaged, unclaimed, unfinished, lines, events)


def stage(workspace: Workspace, ledger: Ledger, clean: CleanBatch) -> None:
    """Writes a clean batch into staging; it counts only once the ledger says so.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        clean: What came out of the gate.
    """
    if not isinstance(clean, CleanBatch):
        raise TypeError("only what came out of the privacy gate can be staged")
    for file in clean.folder.glob("*.parquet"):
        sync_file(file)
    group = clean.folder.name.removeprefix(".")
    clean.folder.rename(workspace.staging / group)
    sync_folder(workspace.staging)
    with ledger.transaction():
        ledger.add_group(group, clean.accounts)
        for batch, account in clean.accounts.items():
            ledger.add_account(batch, account)
        ledger.move(clean.finished, STAGED)
        for batch, note in clean.damaged.items():
            ledger.move([batch], DAMAGED, note)


def _open_batches(ledger: Ledger, key: Key, files: Iterable[Landed]) -> tuple[list[tuple[Landed, int]], int]:
    """Gives every new file a batch; one whose source has read its content already only leaves a note."""
    opened: list[tuple[Landed, int]] = []
    known = ledger.current()
    # Another source makes other events of the same content.
    read = {(b.source, b.sha256) for b in ledger.batches() if b.state != DAMAGED}
    copies = 0
    with ledger.transaction():
        for file in files:
            assert file.source is not None
            checksum = _sha256(file.path)
            identity = path_id(key, file.relative)
            before = known.get(identity)
            if before and before.sha256 == checksum and before.state != READING:
                ledger.touch(before.batch, file.mtime_ns)
                continue
            if before and before.state in (BLOCKED, DAMAGED):
                ledger.forget_batches([before.batch])
            label = file.relative if safe_path(file.relative) else f"file#{identity[:8]}"
            state = COPY if (file.source.name, checksum) in read else READING
            copies += state == COPY
            read.add((file.source.name, checksum))
            batch = ledger.open_batch(
                Batch(0, identity, label, file.size, file.mtime_ns, checksum, file.source.name, state)
            )
            if state == READING:
                opened.append((file, batch))
    return opened, copies


def _repair(ledger: Ledger, present: set[str]) -> None:
    """Forgets what a killed run left half-done, and files set aside that somebody has removed."""
    with ledger.transaction():
        ledger.forget_batches(b.batch for b in ledger.batches(READING))
        ledger.forget_batches(b.batch for b in ledger.batches(BLOCKED, DAMAGED) if b.path_id not in present)


def _sweep(workspace: Workspace, ledger: Ledger) -> None:
    """Deletes staged groups that nobody waits for."""
    if workspace.staging.is_dir():
        waiting = ledger.waiting_groups()
        for folder in workspace.staging.iterdir():
            if folder.name not in waiting:
                shutil.rmtree(folder)


def _restart_where_needed(workspace: Workspace, ledger: Ledger, present: set[str]) -> bool:
    """Forgets everything read when the plan or the sources changed or the lake is damaged: it must equal a rebuild."""
    stamp = definitions_stamp(workspace)
    damaged = damaged_files(workspace, ledger)
    gone = [b for b in ledger.batches(PROMOTED) if b.path_id not in present]
    if ledger.get("definitions") == stamp and not damaged:
        # Newer lists of bots mark anew what can be read again; where raw logs are gone, the old marks stay.
        if ledger.get("bot_lists") == bot_lists() or gone:
            return False
    elif gone:
        days = sorted({day for day in damaged.values() if day})
        if damaged:
            why = f"{len(damaged)} files of the lake are gone or damaged ({listed(days) or 'what is known of people'})"
            remedy = "restore the warehouse folder from a backup"
        else:
            why, remedy = (
                "the tracking plan, sources.yml or the list of log-outs changed",
                "undo the change",
            )
        raise InputError(
            f"{why}, so all raw logs must be read again, but {len(gone)} files whose events are in the lake are no "
            f"longer under raw/ (for example {gone[0].label}). Put them back, or {remedy}."
        )
    start_over(workspace, ledger, stamp)
    return True


def _restart_under_new_key(workspace: Workspace, ledger: Ledger, key: Key, every: Iterable[Landed]) -> bool:
    """Forgets everything read under an older key: ids of events and paths are hashed with the one in use alone."""
    used = ledger.get("key")
    if used == key.id:
        return False
    older = next((each for each in key.ring[1:] if each.id == used), None)
    read = ledger.batches(PROMOTED)
    if older is not None:
        present = {path_id(older, f.relative) for f in every}
        gone = [b for b in read if b.path_id not in present]
        if gone:
            raise InputError(
                f"the key was rotated, so all raw logs must be read again, but {len(gone)} files whose events are in "
                f"the lake are no longer under raw/ (for example {gone[0].label}). Put them back, or take the newest "
                "key out of the key file."
            )
        start_over(workspace, ledger, definitions_stamp(workspace))
    with ledger.transaction():
        ledger.put("key", key.id)
    return older is not None


def start_over(workspace: Workspace, ledger: Ledger, stamp: str) -> None:
    """Forgets everything read, so that the next ingest reads all raw logs again.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        stamp: Fingerprint of the definitions under which that will be, see `definitions_stamp`.
    """
    with ledger.transaction():
        ledger.reset()
        ledger.put("definitions", stamp)
        ledger.put("bot_lists", bot_lists())
    shutil.rmtree(workspace.staging, ignore_errors=True)


def _take_back(
    workspace: Workspace, ledger: Ledger, key: Key, fresh: Iterable[Landed], present: set[str]
) -> bool:
    """Starts over when a file that may take back what it said was written anew; says whether it did.

    A lost event may have a copy elsewhere that was dropped, and a lost line may have said who a device is: only reading
    everything again tells. Where raw logs are gone that cannot be done, and the file adds to what it said.
    """
    known = ledger.current()
    written_anew = any(
        f.source is not None
        and f.source.replaces
        and (b := known.get(path_id(key, f.relative)))
        and b.state in (STAGED, PASSED, PROMOTED)
        and not _grew(f, b)
        for f in fresh
    )
    if not written_anew or any(b.path_id not in present for b in ledger.batches(PROMOTED)):
        return False
    start_over(workspace, ledger, definitions_stamp(workspace))
    return True


def _grew(file: Landed, before: Batch) -> bool:
    """Whether a file still begins with all it was before."""
    if file.size < before.size:
        return False
    digest, left = hashlib.sha256(), before.size
    with file.path.open("rb") as handle:
        while left and (chunk := handle.read(min(left, 1 << 20))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest() == before.sha256


def definitions_stamp(workspace: Workspace) -> str:
    """Fingerprint of what decides how raw logs become events and links: plan, sources, which events are log-outs.

    Args:
        workspace: The workspace.

    Returns:
        Hexadecimal digits.
    """
    plan = load_plan(workspace.plan_file)
    sources = [repr(s) for s in load_sources(workspace)]
    return hashlib.sha256(f"{plan.hash}:{sources}:{_logout_events(workspace)}".encode()).hexdigest()


def _logout_events(workspace: Workspace) -> list[str]:
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    return sorted(set(product.identity.logout))


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
