"""Metric values -> what people open: the published database, the team's database, the report."""

import dagster as dg

from headway_pipelines.assets.metrics import metric_values
from headway_pipelines.assets.person_store import person_store
from headway_pipelines.assets.previews import scorecard, table
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.lake.promote import collect_garbage
from headway_pipelines.publishing.publish import publish, publish_explore, published_tables
from headway_pipelines.report import write_report
from headway_pipelines.rights.retention import sweep_limits
from headway_pipelines.store import sweep_store


@dg.asset(
    group_name="publish",
    deps=[metric_values],
    kinds={"duckdb"},
    owners=["team:product"],
    pool="warehouse",
    description="Only cells that passed suppression, every table and column commented; shareable.",
)
def published_database(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Replaces the published database."""
    with warehouse.opened() as (workspace, _):
        hidden = publish(workspace)
        values = published_tables(workspace.published_db)["metric_values"]
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(workspace.published_db)),
            "latest complete week": scorecard(values),
            "suppressed cells": table(("table", "cells"), list(hidden.items())),
        }
    )


@dg.asset_check(
    asset=published_database,
    pool="warehouse",
    description="The ledger of bets and what was measured for kata are what Headway wrote.",
)
def bets_are_unchanged(warehouse: WorkspaceResource) -> dg.AssetCheckResult:
    """Tells of files that somebody rewrote; nothing else waits for them to be mended."""
    with warehouse.opened() as (workspace, _):
        found = published_tables(workspace.published_db).get("strategy_problems")
    rows = [] if found is None else list(found.iter_rows())
    return dg.AssetCheckResult(
        passed=not rows, metadata={"problems": table(("file", "problem"), [(f, p) for f, p in rows])}
    )


@dg.asset(
    group_name="publish",
    deps=[metric_values, person_store],
    kinds={"duckdb"},
    owners=["team:data"],
    pool="warehouse",
    description="Views over pseudonymous events and people for analysts of the team; unsuppressed.",
)
def explore_database(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Replaces the team's database, then deletes files nobody can reach any more."""
    with warehouse.opened() as (workspace, ledger):
        publish_explore(workspace, ledger)
        deleted = collect_garbage(workspace, ledger) + sweep_store(workspace)
        old = sweep_limits(workspace, ledger)
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(str(workspace.explore_db)), "files_deleted": deleted, **old}
    )


@dg.asset(
    group_name="publish",
    deps=[published_database],
    kinds={"plotly"},
    owners=["team:product"],
    pool="warehouse",
    description="The report: where we are against target, what changed, how sure we are. Opens offline.",
)
def report(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Writes the report from the published database alone."""
    with warehouse.opened() as (workspace, _):
        index = write_report(workspace)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(index))})
