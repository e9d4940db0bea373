"""The Dagster code location: loads and merges, nothing else. The workspace comes from HEADWAY_WORKSPACE."""

import os
from pathlib import Path

import dagster as dg

from headway_pipelines.assets import ASSETS, CHECKS
from headway_pipelines.assets.resource import WorkspaceResource
from headway_pipelines.automation import headway_job, nightly, raw_folder

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    jobs=[headway_job],
    schedules=[nightly],
    sensors=[raw_folder],
    resources={
        "warehouse": WorkspaceResource(root=os.environ.get("HEADWAY_WORKSPACE", str(Path("demo").absolute())))
    },
    # Steps share one database file and use all cores anyway: a process per step only adds start-up time.
    executor=dg.in_process_executor,
)
