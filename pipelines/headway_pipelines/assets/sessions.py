"""People and events -> sessions."""

import dagster as dg

from headway_pipelines.assets.people import people
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.people.sessions import derive_sessions


@dg.asset(
    group_name="people",
    deps=[people],
    kinds={"parquet", "duckdb"},
    owners=["team:data"],
    pool="warehouse",
    description="Visits of people by the product's rules, and those set apart because nobody visits like that.",
)
def sessions(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Derives the sessions of whoever changed."""
    with warehouse.opened() as (workspace, ledger):
        done = derive_sessions(workspace, ledger)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": done.sessions,
            "set_apart": done.set_apart,
            "derived_anew": done.anew or "no",
        }
    )
