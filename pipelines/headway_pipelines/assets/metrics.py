"""People and events -> metric values."""

import dagster as dg

from headway.frameworks.identities import broken_identities, identities
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.assets.previews import table
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.assets.sessions import sessions
from headway_pipelines.assets.side_inputs import side_inputs
from headway_pipelines.quality.values import judge_values
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of


@dg.asset(
    group_name="metrics",
    deps=[sessions, side_inputs],
    kinds={"duckdb", "sql"},
    owners=["team:product"],
    pool="warehouse",
    description="Each declared metric with its interval, by period and segment; funnels, retention, experiments.",
)
def metric_values(warehouse: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Computes everything the product file asks for."""
    with warehouse.opened() as (workspace, ledger):
        done = compute(workspace, ledger)
    return dg.MaterializeResult(
        metadata={
            "metrics": done.metrics,
            "dagster/row_count": done.values,
            "people": done.people,
            "events": done.events,
            "computed_anew": done.anew,
        }
    )


@dg.asset_check(
    asset=metric_values,
    blocking=True,
    pool="warehouse",
    description="Great Expectations judge every metric value: bounds, intervals, completeness.",
)
def values_are_sound(warehouse: WorkspaceResource) -> dg.AssetCheckResult:
    """Judges the metric values row by row."""
    with warehouse.opened() as (workspace, _):
        violated = judge_values(tables_of(workspace.metrics_db)["metric_values"])
    return dg.AssetCheckResult(
        passed=not violated, metadata={"violated": table(("rule",), [(name,) for name in violated])}
    )


@dg.asset_check(
    asset=metric_values,
    blocking=True,
    pool="warehouse",
    description="Parts that are declared as metrics of their own add up: revenue bridge, life cycle, attempts.",
)
def parts_add_up(warehouse: WorkspaceResource) -> dg.AssetCheckResult:
    """Adds up what must come out in every cell."""
    with warehouse.opened() as (workspace, _):
        product = load_product(workspace.product_file, load_plan(workspace.plan_file))
        broken = broken_identities(product, tables_of(workspace.metrics_db)["metric_values"])
    return dg.AssetCheckResult(
        passed=not broken,
        metadata={
            "identities": len(identities(product)),
            "broken": table(("what does not add up",), [(text,) for text in broken]),
        },
    )
