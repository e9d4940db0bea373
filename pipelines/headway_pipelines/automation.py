"""When the assets run: one job, a schedule and a sensor that ask for the same two kinds of run.

A run over new raw files judges them and stops there; a second one promotes what passed and asks for exactly the days
it touches, as one range.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from headway.errors import HeadwayError
from headway_pipelines.assets import ASSETS, DOWNSTREAM, INGEST
from headway_pipelines.assets.lake import event_lake
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.freshness import definitions
from headway_pipelines.ingest import landed, new_files
from headway_pipelines.lake.ledger import PASSED, Ledger
from headway_pipelines.lake.promote import pending_days
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.rights.journal import is_due
from headway_pipelines.warehouse.compute import DEFINED

headway_job = dg.define_asset_job(
    "headway",
    selection=dg.AssetSelection.assets(*(a for a in ASSETS if isinstance(a, dg.AssetsDefinition))),
    description="Raw logs in, AARRR and HEART out.",
)

#: What a changed definition or side input concerns; the lake stays as it is.
_MEASURE = [asset for asset in DOWNSTREAM if asset is not event_lake]

RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def range_tags(days: list[str]) -> dict[str, str]:
    """Tags that ask for the touched days as one range.

    Args:
        days: ISO dates, sorted.

    Returns:
        Run tags.
    """
    return dict(zip(RANGE_TAGS, (days[0], days[-1]), strict=True))


def due_runs(warehouse: WorkspaceResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """What should run now.

    Args:
        warehouse: The workspace.

    Yields:
        A run that promotes what passed, reads what is new or measures by changed definitions, or why there is none.
        The key of a run names exactly what it would work on: a sensor does not repeat one that failed until
        something changes.
    """
    try:
        workspace = warehouse.workspace
        ledger = Ledger(workspace.ledger_file)
        try:
            days = pending_days(workspace, ledger)
            passed = [b.batch for b in ledger.batches(PASSED)]
            files = new_files(ledger, load_key(workspace), landed(workspace))
            measured, defined = ledger.get(DEFINED), definitions(workspace)
            old = sorted(ledger.rows_per_day()) if is_due(ledger) else []
        finally:
            ledger.close()
    except HeadwayError as error:
        yield dg.SkipReason(str(error))
        return
    if days:
        yield dg.RunRequest(
            run_key=_run_key("promote", passed), asset_selection=_keys(DOWNSTREAM), tags=range_tags(days)
        )
    elif files:
        state = [(f.relative, f.size, f.mtime_ns) for f in files]
        yield dg.RunRequest(run_key=_run_key("ingest", state), asset_selection=_keys(INGEST))
    elif measured not in (None, defined):
        yield dg.RunRequest(run_key=_run_key("measure", defined), asset_selection=_keys(_MEASURE))
    elif old:
        yield dg.RunRequest(
            run_key=_run_key("retention", datetime.now(UTC).date()),
            asset_selection=_keys(DOWNSTREAM),
            tags=range_tags(old),
        )
    else:
        yield dg.SkipReason("nothing new under raw/, no definition or side input changed")


def _run_key(kind: str, work: object) -> str:
    return f"{kind}-{hashlib.sha256(repr(work).encode()).hexdigest()[:16]}"


def _keys(assets: list[dg.AssetsDefinition]) -> list[dg.AssetKey]:
    return [key for asset in assets for key in asset.keys]


@dg.sensor(
    job=headway_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs when files land under raw/, batches passed, or a definition or side input changed.",
)
def raw_folder(warehouse: WorkspaceResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Asks for whatever is due, once."""
    yield from due_runs(warehouse)


@dg.schedule(
    job=headway_job,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 02:00 UTC.",
)
def nightly(warehouse: WorkspaceResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Asks for whatever is due, again even if it failed before."""
    for due in due_runs(warehouse):
        yield due if isinstance(due, dg.SkipReason) else due._replace(run_key=None)
