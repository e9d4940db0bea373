"""The pipeline as Dagster assets. Bodies are short: each calls one function that can be tested alone."""

import dagster as dg

from headway_pipelines.assets.ingest import batches_pass_quality, raw_logs, staged_batches
from headway_pipelines.assets.lake import each_event_once, event_lake, stored_text_is_clean
from headway_pipelines.assets.metrics import metric_values, parts_add_up, values_are_sound
from headway_pipelines.assets.people import people
from headway_pipelines.assets.person_store import person_store
from headway_pipelines.assets.publish import bets_are_unchanged, explore_database, published_database, report
from headway_pipelines.assets.sessions import sessions
from headway_pipelines.assets.side_inputs import side_inputs

INGEST: list[dg.AssetsDefinition] = [staged_batches]
"""Assets that read raw logs; not partitioned, because one file may touch many days."""

DOWNSTREAM: list[dg.AssetsDefinition] = [
    event_lake,
    people,
    sessions,
    person_store,
    side_inputs,
    metric_values,
    published_database,
    explore_database,
    report,
]
"""Assets from the lake on; a run asks for the touched days."""

ASSETS: list[dg.AssetsDefinition | dg.AssetSpec] = [raw_logs, *INGEST, *DOWNSTREAM]
CHECKS: list[dg.AssetChecksDefinition] = [
    batches_pass_quality,
    each_event_once,
    stored_text_is_clean,
    values_are_sound,
    parts_add_up,
    bets_are_unchanged,
]

__all__ = ["ASSETS", "CHECKS", "DOWNSTREAM", "INGEST"]
