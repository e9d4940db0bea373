"""People who withdrew their consent, by the events the tracking plan declares for that."""

from __future__ import annotations

from collections.abc import Callable

from headway.engine import connect, guarded
from headway.errors import InputError
from headway.models.plan import load_plan
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import attach_lake
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.rights.forget import Forgotten, begin, finish, look_up
from headway_pipelines.rights.holds import refuse_held
from headway_pipelines.workspace import Workspace


def withdrawn(workspace: Workspace, ledger: Ledger) -> list[str]:
    """Lists who withdrew and is not erased yet.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Surrogates of 32 digits, of whoever sent such an event.
    """
    consent = load_plan(workspace.plan_file).consent
    if consent is None or consent.withdrawal is None:
        return []
    con = connect()
    try:
        with guarded("look for withdrawals"):
            attach_lake(con, workspace, ledger)
            rows = con.execute(
                "SELECT DISTINCT actor FROM lake WHERE list_contains($names, event) ORDER BY actor",
                {"names": list(consent.withdrawal.events)},
            ).fetchall()
    finally:
        con.close()
    return [actor.hex for (actor,) in rows]


def forget_withdrawn(
    workspace: Workspace,
    ledger: Ledger,
    *,
    rewrite_raw: bool = False,
    announce: Callable[[str], None] = lambda _: None,
) -> Forgotten:
    """Erases everybody who withdrew, all at once; who is under a legal hold, or not one person's device, is left.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        rewrite_raw: Whether lines of theirs are taken out of raw files.
        announce: Called with a short word about each step that starts.

    Returns:
        What was done; without a receipt where there was nobody to erase.
    """
    key = load_key(workspace, create=False)
    free = []
    for actor in withdrawn(workspace, ledger):
        try:
            subject, _ = look_up(workspace, ledger, key, (), seeds=[actor])
            refuse_held(workspace, key, subject.lookups)
        except InputError:
            continue
        free.append(actor)
    if not free:
        return Forgotten()
    erasure, _, _ = begin(
        workspace, ledger, key, (), seeds=free, rewrite_raw=rewrite_raw, reason="withdrawal"
    )
    assert erasure is not None
    return finish(workspace, ledger, key, erasure, (), announce)


def erases_at_once(workspace: Workspace) -> bool:
    """Whether the plan lets the run that reads a withdrawal erase the person."""
    consent = load_plan(workspace.plan_file).consent
    return consent is not None and consent.withdrawal is not None and consent.withdrawal.then == "erase"
