"""Staged batches that passed -> the event lake."""

import dagster as dg

from headway_pipelines.assets.ingest import staged_batches
from headway_pipelines.assets.previews import bars, table
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.audit.stored import stored_text
from headway_pipelines.lake.promote import promote, repeated_events
from headway_pipelines.privacy.judging import ANCIENT
from headway_pipelines.rights.retention import expire

#: From the earliest instant the gate accepts to tomorrow, so that every event has its day.
event_days = dg.DailyPartitionsDefinition(
    start_date=ANCIENT.strftime("%Y-%m-%d"), timezone="UTC", end_offset=2
)


@dg.asset(
    group_name="lake",
    deps=[staged_batches],
    partitions_def=event_days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    kinds={"parquet", "duckdb"},
    owners=["team:data"],
    pool="warehouse",
    description="One folder a UTC day, immutable Parquet files, each event once.",
)
def event_lake(context: dg.AssetExecutionContext, warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Promotes every batch that passed; the partitions asked for are the days it touches."""
    with warehouse.opened() as (workspace, ledger):
        days = promote(workspace, ledger)
        gone = expire(workspace, ledger)
        rows = ledger.rows_per_day()
    context.log.info(f"{len(days)} days changed")
    return dg.MaterializeResult(
        metadata={
            "changed_days": len({*days, *gone.days}),
            "expired_events": gone.events,
            "dagster/row_count": sum(rows.values()),
            "events per day": bars(rows),
            "changed": table(("day", "events now"), list(days.items())),
        }
    )


@dg.asset_check(
    asset=event_lake, blocking=True, pool="warehouse", description="No event id occurs twice in the lake."
)
def each_event_once(warehouse: WorkspaceResource) -> dg.AssetCheckResult:
    """Counts repeated event ids."""
    with warehouse.opened() as (workspace, ledger):
        repeated = repeated_events(workspace, ledger)
    return dg.AssetCheckResult(passed=repeated == 0, metadata={"repeated_events": repeated})


@dg.asset_check(
    asset=event_lake,
    blocking=True,
    pool="warehouse",
    description="The detector finds nothing personal in texts and column names of the lake.",
)
def stored_text_is_clean(warehouse: WorkspaceResource) -> dg.AssetCheckResult:
    """Looks at what is new in the lake once more."""
    with warehouse.opened() as (workspace, ledger):
        found = stored_text(workspace, ledger)
    rows = list(found.personal.items())
    return dg.AssetCheckResult(
        passed=found.clean,
        metadata={
            "files": found.files,
            "columns": found.columns,
            "values": found.values,
            "looks personal": table(("column", "values"), rows),
        },
    )
