"""Commands about a person's rights: to be forgotten, to be told, and what stands against it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.console import Console

if TYPE_CHECKING:
    from headway_pipelines.rights.forget import Forgotten
    from headway_pipelines.workspace import Workspace

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="HEADWAY_WORKSPACE")
]
IdArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID...",
        help="Ids as the trackers wrote them; '-' reads them from standard input, one a line.",
    ),
]
KindOption = Annotated[
    str | None, typer.Option(help="Kind of the ids: user, device, account or a domain of the plan.")
]
OnlyOption = Annotated[bool, typer.Option("--only-this-id", help="Leave other ids of the same person alone.")]


class Reason(StrEnum):
    """Codes of reasons; see `headway_pipelines.rights.forget.Reason`."""

    request = "request"
    withdrawal = "withdrawal"
    objection = "objection"
    account_closed = "account-closed"
    no_longer_needed = "no-longer-needed"
    unlawful = "unlawful"
    legal_duty = "legal-duty"
    child = "child"


class HoldReason(StrEnum):
    """Codes of reasons to keep somebody; see `headway_pipelines.rights.holds.HoldReason`."""

    litigation = "litigation"
    investigation = "investigation"
    tax = "tax"
    regulator = "regulator"
    contract = "contract"


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module.

    Args:
        app: The command line.
    """
    app.command()(forget)
    app.command()(hold)
    app.command("export-person")(export_person)
    app.command()(key)


def forget(
    ids: IdArguments = None,
    workspace: WorkspaceOption = Path(),
    kind: KindOption = None,
    only: OnlyOption = False,
    rewrite_raw: Annotated[
        bool,
        typer.Option("--rewrite-raw", help="Take their lines out of raw files too, where that can be done."),
    ] = False,
    reason: Annotated[Reason, typer.Option(help="Why, as a code.")] = Reason.request,
    withdrawn: Annotated[
        bool, typer.Option("--withdrawn", help="Erase everybody who withdrew their consent.")
    ] = False,
) -> None:
    """Erase people from everything the workspace holds, for good, and prove it."""
    from headway_pipelines.rights.forget import REASONS
    from headway_pipelines.rights.forget import forget as forget_people
    from headway_pipelines.workspace import Workspace

    if withdrawn:
        _forget_withdrawn(Workspace.at(workspace), rewrite_raw)
        return
    named = _ids(ids)
    done = forget_people(
        Workspace.at(workspace),
        named,
        kind=kind,
        only=only,
        rewrite_raw=rewrite_raw,
        reason=REASONS[list(Reason).index(reason)],
        announce=_say,
    )
    _report(done, len(named))


def _forget_withdrawn(workspace: Workspace, rewrite_raw: bool) -> None:
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.locking import workspace_lock
    from headway_pipelines.rights.withdrawals import forget_withdrawn

    with workspace_lock(workspace):
        ledger = Ledger(workspace.ledger_file)
        try:
            done = forget_withdrawn(workspace, ledger, rewrite_raw=rewrite_raw, announce=_say)
        finally:
            ledger.close()
    if done.receipt is None:
        _say("nobody who may be erased has withdrawn their consent")
    _report(done, 0)


def export_person(
    ids: IdArguments = None,
    workspace: WorkspaceOption = Path(),
    out: Annotated[Path, typer.Option(help="The zip archive to write.")] = Path("person.zip"),
    kind: KindOption = None,
) -> None:
    """Write everything the workspace holds of one person into a file for that person."""
    from headway_pipelines.rights.export import export_person as export
    from headway_pipelines.workspace import Workspace

    done = export(Workspace.at(workspace), _ids(ids), out.expanduser().absolute(), kind=kind)
    for name, rows in done.rows.items():
        _say(f"{name:22}{rows:,}")
    _say(f"written  {done.path}")
    _say_unknown(done.unknown)
    if done.unknown:
        raise typer.Exit(1)


def hold(
    ids: IdArguments = None,
    workspace: WorkspaceOption = Path(),
    kind: KindOption = None,
    release: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
    reason: Annotated[HoldReason, typer.Option(help="Why, as a code.")] = HoldReason.litigation,
) -> None:
    """Keep people from being erased while a law asks for it."""
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.locking import workspace_lock
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.rights import holds
    from headway_pipelines.rights.forget import look_up
    from headway_pipelines.workspace import Workspace

    ready = Workspace.at(workspace)
    with workspace_lock(ready):
        key = load_key(ready, create=False)
        ledger = Ledger(ready.ledger_file)
        try:
            subject, _ = look_up(ready, ledger, key, _ids(ids), kind=kind)
        finally:
            ledger.close()
        if release:
            ended = holds.release(ready, key, subject.lookups)
            _say(f"{ended} ids are no longer held")
        else:
            codes = get_args(holds.HoldReason)
            fresh = holds.hold(ready, key, subject.lookups, codes[list(HoldReason).index(reason)])
            _say(f"{fresh} ids are held: {reason.value}")
    _say_unknown(subject.unknown)


def key(
    workspace: WorkspaceOption = Path(),
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Put a new key in front of the one in use.")
    ] = False,
    retire: Annotated[bool, typer.Option("--retire", help="Forget the older keys.")] = False,
) -> None:
    """Show which keys are live by their ids; put a new one in front, or forget the older ones."""
    from headway.errors import InputError
    from headway_pipelines.privacy.keys import key_file, load_key
    from headway_pipelines.rights.rotate import retire_keys, rotate_key
    from headway_pipelines.workspace import Workspace

    if rotate and retire:
        raise InputError(
            "--rotate and --retire are two steps; between them 'headway run' reads all logs again"
        )
    ready = Workspace.at(workspace)
    if rotate:
        rotate_key(ready)
        _say("a new key is in use; the next 'headway run' reads all logs again. Back the key file up now.")
    elif retire:
        retire_keys(ready)
        _say("older keys are forgotten")
    live = load_key(ready, create=False)
    _say(f"in use  {live.id}")
    for older in live.ring[1:]:
        _say(f"older   {older.id}")
    _say(f"file    {key_file(ready)}")


def _ids(given: list[str] | None) -> list[str]:
    """The ids; standard input keeps them out of the shell's history and of the list of processes."""
    if given == ["-"]:
        return [line.strip() for line in sys.stdin if line.strip()]
    return given or []


def _report(done: Forgotten, named: int) -> None:
    if done.already:
        _say(f"{done.already} of the ids {'was' if done.already == 1 else 'were'} erased before")
    if done.receipt is not None and done.counts is not None:
        people = f"{done.people} {'person' if done.people == 1 else 'people'}" if done.people else "the ids"
        _say(
            f"erased {people}: {done.counts['events_removed']:,} events on {done.counts['days_rewritten']:,} days, "
            f"{done.counts['links_removed']:,} links, {done.counts['statements_removed']:,} statements"
        )
        for entry in done.raw:
            left = f"; left: {entry['left']}" if entry["left"] else ""
            more = f", {entry['named']:,} more name them" if entry["named"] else ""
            gone = f", {entry['emptied']:,} taken out" if entry["emptied"] else ""
            _say(f"raw   {entry['file']}: {entry['lines']:,} lines{more}{gone}{left}")
        _say(f"receipt  {done.receipt}")
    _say_unknown(done.unknown)
    for path in done.found:
        _err.print(f"still found in {path}", markup=False)
    if done.found or 0 < len(done.unknown) < named:
        raise typer.Exit(1)
    if done.unknown and len(done.unknown) == named:
        raise typer.Exit(2)


def _say_unknown(places: tuple[int, ...]) -> None:
    if places:
        which = ", ".join(map(str, places))
        _err.print(
            f"not known: id {which} of those given. Ids are told apart by letter case; see --kind for other kinds.",
            markup=False,
        )


def _say(text: str) -> None:
    _out.print(text, markup=False)
