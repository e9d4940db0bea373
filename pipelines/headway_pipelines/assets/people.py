"""The event lake -> people."""

import dagster as dg

from headway_pipelines.assets.lake import event_lake
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.people.derive import derive_people


@dg.asset(
    group_name="people",
    deps=[event_lake],
    kinds={"parquet", "duckdb"},
    owners=["team:data"],
    pool="warehouse",
    description="Users and devices joined as product.yml says, and each person's first-touch channel.",
)
def people(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Derives people again where something is new."""
    with warehouse.opened() as (workspace, ledger):
        done = derive_people(workspace, ledger)
    return dg.MaterializeResult(
        metadata={
            "actors": done.actors,
            "dagster/row_count": done.people,
            "version": done.version,
            "mapping_changed": done.changed,
            "derived anew": done.anew or "no",
            **{name.replace("_", " "): number for name, number in done.counts().items()},
        }
    )
