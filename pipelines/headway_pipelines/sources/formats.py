"""The formats that ``sources.yml`` can name, and how ``headway init`` knows those that need no mapping."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from headway_pipelines.sources import (
    access_log,
    amplitude,
    cloudevents,
    ga4,
    mapped,
    mixpanel,
    posthog,
    rudder,
    segment,
    segment_warehouse,
    snowplow,
)
from headway_pipelines.sources.sample import Recogniser
from headway_pipelines.sources.shape import FileSet
from headway_pipelines.sources.wire import amplitude as amplitude_wire
from headway_pipelines.sources.wire import mixpanel as mixpanel_wire
from headway_pipelines.sources.wire import plausible as plausible_wire
from headway_pipelines.sources.wire import posthog as posthog_wire
from headway_pipelines.sources.wire import rudder as rudder_wire
from headway_pipelines.sources.wire import segment as segment_wire
from headway_pipelines.sources.wire import snowplow as snowplow_wire

AnySource = Annotated[
    access_log.AccessLogSource
    | amplitude.AmplitudeSource
    | amplitude_wire.AmplitudeWireSource
    | cloudevents.CloudEventsSource
    | ga4.Ga4Source
    | ga4.Ga4ParquetSource
    | mapped.DelimitedSource
    | mapped.JsonlSource
    | mapped.ParquetSource
    | mixpanel.MixpanelSource
    | mixpanel.MixpanelPipelineSource
    | mixpanel_wire.MixpanelWireSource
    | plausible_wire.PlausibleWireSource
    | posthog.PosthogSource
    | posthog.PosthogParquetSource
    | posthog_wire.PosthogWireSource
    | rudder.RudderSource
    | rudder_wire.RudderWireSource
    | segment.SegmentSource
    | segment_warehouse.SegmentWarehouseSource
    | segment_wire.SegmentWireSource
    | snowplow.SnowplowSource
    | snowplow.SnowplowTableSource
    | snowplow_wire.SnowplowWireSource,
    Field(discriminator="format"),
]

RECOGNISERS: dict[str, Recogniser] = {
    "amplitude_wire": amplitude_wire.recognise,
    "mixpanel_wire": mixpanel_wire.recognise,
    "posthog_wire": posthog_wire.recognise,
    "snowplow_wire": snowplow_wire.recognise,
    "rudder_wire": rudder_wire.recognise,
    "plausible_wire": plausible_wire.recognise,
    "segment_wire": segment_wire.recognise,
    "amplitude": amplitude.recognise,
    "mixpanel": mixpanel.recognise,
    "mixpanel_pipeline": mixpanel.recognise_pipeline,
    "posthog": posthog.recognise,
    "posthog_parquet": posthog.recognise_parquet,
    "ga4": ga4.recognise,
    "ga4_parquet": ga4.recognise_parquet,
    "cloudevents": cloudevents.recognise,
    "snowplow": snowplow.recognise,
    "snowplow_table": snowplow.recognise_table,
    "segment_warehouse": segment_warehouse.recognise,
    "rudder": rudder.recognise,
    "segment": segment.recognise,
    "access_log": access_log.recognise,
}
"""Format -> how ``headway init`` knows it, for the formats that need no mapping; the most specific first."""


def formats() -> tuple[str, ...]:
    """Lists the formats that `sources.yml` can name, in alphabetical order.

    Examples:
        >>> {"segment", "jsonl"} <= set(formats())
        True
    """
    return tuple(sorted(_models()))


def plain_formats() -> tuple[str, ...]:
    """Lists the formats that need no mapping: naming them is enough.

    Examples:
        >>> "segment" in plain_formats(), "jsonl" in plain_formats()
        (True, False)
    """
    return tuple(sorted(name for name, model in _models().items() if not _needs(model)))


def _needs(model: type[FileSet]) -> bool:
    return any(field.is_required() for name, field in model.model_fields.items() if name != "format")


def _models() -> dict[str, type[FileSet]]:
    union, _ = get_args(AnySource)
    return {get_args(model.model_fields["format"].annotation)[0]: model for model in get_args(union)}
