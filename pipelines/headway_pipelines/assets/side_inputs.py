"""Files under inputs/ -> typed tables for the metrics."""

import dagster as dg

from headway_pipelines.assets.previews import table
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.inputs import derive_inputs


@dg.asset(
    group_name="raw",
    kinds={"file", "parquet"},
    owners=["team:product"],
    pool="warehouse",
    description="Spend, rates, holidays, releases, incidents of inputs/*.csv: times, numbers and plain names only.",
)
def side_inputs(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Reads the side inputs anew."""
    with warehouse.opened() as (workspace, _):
        done = derive_inputs(workspace)
    rejected = [(name, reason, n) for (name, reason), n in done.rejected.items()]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(done.rows.values()),
            "rows": table(("input", "rows"), list(done.rows.items())),
            "rejected": table(("input", "reason", "rows"), rejected),
        }
    )
