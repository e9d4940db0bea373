"""Raw logs -> privacy gate -> staged batches, and the verdict on them."""

import dagster as dg

from headway_pipelines.assets.previews import table
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.ingest import ingest
from headway_pipelines.progress import bytes_progress
from headway_pipelines.quality.batches import BATCH_RULES, judge_batches

raw_logs = dg.AssetSpec(
    "raw_logs",
    group_name="raw",
    description="Event logs as they landed under raw/. Read in place, never copied, never modified.",
    kinds={"file"},
    owners=["team:data"],
)


@dg.asset(
    group_name="ingest",
    deps=[raw_logs],
    kinds={"parquet", "python"},
    owners=["team:data"],
    pool="warehouse",
    description="New raw files after the privacy gate: declared events and typed properties, surrogates for ids.",
)
def staged_batches(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Reads what is new through the gate."""
    with warehouse.opened() as (workspace, ledger), bytes_progress("reading raw logs") as progress:
        done = ingest(workspace, ledger, only=warehouse.paths, progress=progress)
        outcomes = ledger.outcomes()
    rows = [(o["source"], o["outcome"], o["lines"]) for o in outcomes]
    return dg.MaterializeResult(
        metadata={
            "files": done.files,
            "lines": done.lines,
            "dagster/row_count": done.events,
            "damaged_files": done.damaged,
            "unfinished_files": done.unfinished,
            "lines by outcome": table(("source", "outcome", "lines"), rows),
        }
    )


@dg.asset_check(
    asset=staged_batches,
    blocking=True,
    pool="warehouse",
    description="Great Expectations judge a profile of every staged batch; only batches that pass are promoted.",
)
def batches_pass_quality(warehouse: WorkspaceResource) -> dg.AssetCheckResult:
    """Judges every staged batch."""
    with warehouse.opened() as (workspace, ledger):
        verdict = judge_batches(workspace, ledger)
        labels = {b.batch: b.label for b in ledger.batches()}
    rows = [(labels[b], ", ".join(names)) for b, names in verdict.blocked.items()]
    return dg.AssetCheckResult(
        passed=not verdict.blocked,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "rules": len(BATCH_RULES),
            "passed_batches": len(verdict.passed),
            "warned_batches": len(verdict.warned),
            "blocked": table(("file", "violates"), rows),
        },
    )
