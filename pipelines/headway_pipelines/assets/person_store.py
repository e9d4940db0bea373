"""People and events -> the person store."""

import dagster as dg

from headway_pipelines.assets.people import people
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.store import derive_store


@dg.asset(
    group_name="people",
    deps=[people],
    kinds={"numpy", "duckdb"},
    owners=["team:data"],
    pool="warehouse",
    description="Events ordered by person and time, for quick answers; brought up to date by what changed.",
)
def person_store(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Brings the store up to date."""
    with warehouse.opened() as (workspace, ledger):
        done = derive_store(workspace, ledger)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": done.rows, "rows_written": done.written, "parts": done.parts}
    )
