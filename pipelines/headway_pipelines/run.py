"""`headway run`: the same Dagster assets as the job, in this process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from headway.errors import DefinitionError, EngineError, HeadwayError, InputError
from headway_pipelines.faults import InternalFault
from headway_pipelines.freshness import fingerprint, is_fresh, remember
from headway_pipelines.lake.ledger import BLOCKED, DAMAGED, UNFINISHED, Ledger
from headway_pipelines.locking import workspace_lock
from headway_pipelines.rights.journal import is_due, is_pending
from headway_pipelines.workspace import Workspace

if TYPE_CHECKING:
    import dagster as dg
    from dagster_shared.error import SerializableErrorInfo


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        nothing_new: Whether there was nothing to do.
        changed_days: UTC days whose events changed.
        blocked: Files held back by a quality check, with the rules they violate.
        damaged: Files set aside because their compression is damaged, with the place.
        problems: Checks that failed, besides those on batches.
        unfinished: Files that wait for the file that says their export is complete.
        people: How the people changed and what was not joined, by count; empty where they were not derived.
        copies: Copies of events that are stored once, of all that was read.
        new_copies: How many more of them than before the run.
        contested: Event ids whose copies do not say the same.
    """

    nothing_new: bool = False
    changed_days: tuple[str, ...] = ()
    blocked: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unfinished: int = 0
    people: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    new_copies: int = 0
    contested: int = 0


def run(
    workspace: Workspace, paths: Sequence[Path] = (), *, announce: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Ingests what is new, recomputes what it touches, publishes.

    Args:
        workspace: The workspace.
        paths: Files or folders below ``raw/`` to look at; empty means all.
        announce: Called with a short word about each step that starts.

    Returns:
        What was done.

    Raises:
        HeadwayError: Something cannot be used; the previous state is intact.
    """
    with workspace_lock(workspace):
        if paths:
            from headway_pipelines.ingest import landed

            landed(workspace, paths)
        seen = fingerprint(workspace)
        ledger = Ledger(workspace.ledger_file)
        try:
            unfinished = is_pending(workspace)
            if not unfinished and not is_due(ledger) and is_fresh(workspace, ledger, seen):
                return Outcome(
                    True, (), _noted(ledger, BLOCKED), _noted(ledger, DAMAGED), unfinished=_waiting(ledger)
                )
            outcome = _materialize(workspace, ledger, paths, announce, seen)
            if unfinished:
                conclude_erasure(workspace, ledger, announce)
            erase_withdrawn(workspace, ledger, announce)
            return outcome
        finally:
            ledger.close()


def conclude_erasure(workspace: Workspace, ledger: Ledger, announce: Callable[[str], None]) -> None:
    """Proves and receipts an erasure that a killed run left unfinished; its rows went when raw logs were read."""
    from headway_pipelines.rights.forget import conclude

    announce("finishing an erasure that was interrupted")
    conclude(workspace, ledger)


def erase_withdrawn(workspace: Workspace, ledger: Ledger, announce: Callable[[str], None]) -> None:
    """Erases whoever withdrew their consent, or says how many did, as the tracking plan has it."""
    from headway_pipelines.rights.withdrawals import erases_at_once, forget_withdrawn, withdrawn

    ids = len(withdrawn(workspace, ledger))
    if ids and erases_at_once(workspace):
        announce(f"consent was withdrawn under {ids} ids")
        forget_withdrawn(workspace, ledger, announce=announce)
    elif ids:
        announce(f"consent was withdrawn under {ids} ids: headway forget --withdrawn")


def recompute(
    workspace: Workspace,
    ledger: Ledger,
    days: Sequence[str],
    *,
    announce: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Computes again what follows from the lake, and publishes; no raw log is read.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        days: UTC days whose events changed; empty means all.
        announce: Called with a short word about each step that starts.

    Returns:
        What was done.

    Raises:
        HeadwayError: Something cannot be used.
    """
    return _materialize(workspace, ledger, (), announce, None, days)


def _noted(ledger: Ledger, state: str) -> dict[str, str]:
    return {b.label: b.note for b in ledger.batches(state)}


def _waiting(ledger: Ledger) -> int:
    return int(ledger.get(UNFINISHED) or 0)


def run_again(
    workspace: Workspace, ledger: Ledger, *, announce: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Reads what is new, although nothing may have landed, and computes everything again.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        announce: Called with a short word about each step that starts.

    Returns:
        What was done.
    """
    return _materialize(workspace, ledger, (), announce, fingerprint(workspace))


def _materialize(
    workspace: Workspace,
    ledger: Ledger,
    paths: Sequence[Path],
    announce: Callable[[str], None],
    seen: str | None,
    changed: Sequence[str] = (),
) -> Outcome:
    """Runs the assets; without `seen` those from the lake on, for the days that changed."""
    from headway.models.experiments import load_experiments
    from headway.models.plan import load_plan
    from headway.models.product import load_product
    from headway_pipelines.ingest import landed
    from headway_pipelines.inputs import read_inputs
    from headway_pipelines.lake.copies import copies_left_out
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.strategy.personal import strategy_of

    # Definitions, paths or a key that cannot be used must be told before anything is done.
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    strategy_of(workspace.root, product, plan)
    load_experiments(workspace.product_file, plan, product)
    read_inputs(workspace.inputs, product)
    if seen is not None:
        landed(workspace, paths)
    load_key(workspace)
    dagster_environment(workspace)
    import dagster as dg

    # The assets use features that Dagster still calls beta or preview; the tests watch over them.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    from headway_pipelines.assets import ASSETS, CHECKS, DOWNSTREAM, INGEST
    from headway_pipelines.assets.resource import WorkspaceResource
    from headway_pipelines.automation import range_tags
    from headway_pipelines.lake.promote import pending_days

    resources = {"warehouse": WorkspaceResource(root=str(workspace.root), only=[str(p) for p in paths])}
    everything = cast("list[dg.AssetsDefinition]", [*ASSETS, *CHECKS])
    problems: list[str] = []
    before, _ = copies_left_out(ledger)
    with dg.DagsterInstance.get() as instance:

        def materialize(selection: list[dg.AssetsDefinition], tags: dict[str, str]) -> bool:
            result = dg.materialize(
                everything,
                instance=instance,
                resources=resources,
                selection=selection,
                tags=tags,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
            problems.extend(_failures(result))
            return bool(result.success)

        if seen is not None:
            announce("reading raw logs through the privacy gate")
            materialize(INGEST, {})
        days = pending_days(workspace, ledger) if seen is not None else list(changed)
        announce("promoting, stitching people, computing metrics, publishing")
        if materialize(DOWNSTREAM, range_tags(days or _all_days(ledger))) and not paths and seen:
            remember(ledger, seen)
    others = tuple(p for p in problems if p != "batches_pass_quality")
    copies, contested = copies_left_out(ledger)
    return Outcome(
        False,
        tuple(days),
        _noted(ledger, BLOCKED),
        _noted(ledger, DAMAGED),
        others,
        _waiting(ledger),
        ledger.get_json("identity") or {},
        copies,
        max(0, copies - before),
        contested,
    )


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """Checks that failed. A step that failed ends the run with its own, value-free message."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None and error.cls_name in (
                "DagsterExecutionInterruptedError",
                "KeyboardInterrupt",
            ):
                raise KeyboardInterrupt
            # A blocking check ends its step too; the verdicts below say which.
            if error is None or error.cls_name != "DagsterAssetCheckFailedError":
                raise _raised(error)
    return [e.check_name for e in result.get_asset_check_evaluations() if not e.passed]


def _raised(error: SerializableErrorInfo | None) -> HeadwayError:
    """Makes the exception again that a step raised; anything but our own may hold data and is not quoted."""
    kinds = {kind.__name__: kind for kind in (HeadwayError, InputError, DefinitionError, EngineError)}
    if error is None or error.cls_name not in (*kinds, InternalFault.__name__):
        return InternalFault(f"a step failed with {error.cls_name if error else 'an unknown error'}")
    text = error.message.split(": ", 1)[-1].strip()
    return kinds.get(error.cls_name or "", InternalFault)(text)


def _all_days(ledger: Ledger) -> list[str]:
    return sorted(ledger.rows_per_day()) or ["1990-01-01"]


def dagster_environment(workspace: Workspace) -> None:
    """Points Dagster at the workspace's own instance folder, with telemetry off.

    Args:
        workspace: The workspace.
    """
    from importlib import resources

    workspace.dagster_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = workspace.dagster_home / "dagster.yaml"
    packaged = resources.files("headway_pipelines").joinpath("dagster.yaml").read_text(encoding="utf-8")
    if not settings.exists():
        settings.write_text(packaged, encoding="utf-8")
    elif "compute_logs:" not in (known := settings.read_text(encoding="utf-8")):
        # Written by an earlier version: what steps print may hold data, and is not kept any more.
        section = packaged[packaged.index("compute_logs:") : packaged.index("nux:")]
        settings.write_text(f"{known.rstrip()}\n{section}", encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(workspace.dagster_home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    os.environ["HEADWAY_WORKSPACE"] = str(workspace.root)
