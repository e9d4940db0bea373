"""Mixpanel: the raw event export, and the rows of its JSON pipelines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, StrictStr, field_validator

from headway.engine import bind, literal, load, with_inputs
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import BEGINNING, FileSet, Source
from headway_pipelines.sources.times import in_zone, iso, known_timezone, since_1970

Unit = Literal["s", "ms", "auto"]

_HERE = "headway_pipelines.sources"
_READ = (
    "time distinct_id $user_id $device_id $insert_id $distinct_id_before_identity mp_processing_time_ms ip "
    "alias $distinct_ids $identified_id $anon_id $anon_distinct_id $current_url $referrer current_page_title"
)

#: The properties of an event that mean something to Mixpanel; all of them, by name, go through the gate.
PROPERTIES = dict.fromkeys(_READ.split(), "VARCHAR")
_ROW = "event_name user_id distinct_id device_id resolved_distinct_id insert_id time"
_EVERY = ("**/*",)


def mixpanel(
    name: str = "mixpanel",
    files: tuple[str, ...] = _EVERY,
    *,
    timezone: str = "UTC",
    unit: Unit = "auto",
    account: str | None = None,
) -> Source:
    """Describes the raw event export: one ``{"event": ..., "properties": {...}}`` a line.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        timezone: IANA zone of `time`: UTC, or the project's zone where the project is older than 2023.
        unit: Unit of `time`; ``auto`` tells seconds from milliseconds by the size of each number.
        account: Event property with the id of the customer account (Mixpanel's group key).

    Returns:
        The source.

    Examples:
        >>> mixpanel(timezone="Europe/Berlin").format
        'mixpanel'
    """
    time = in_zone(since_1970("p.time", unit), timezone)
    careful, hasty = (
        mixpanel_query(load(_HERE, "mixpanel.sql"), {"event": "VARCHAR"}, time, account, hasty=each)
        for each in (False, True)
    )
    return Source(name, "mixpanel", careful, hasty_sql=hasty, files=files)


def mixpanel_pipeline(
    name: str = "mixpanel_pipeline",
    files: tuple[str, ...] = _EVERY,
    *,
    timezone: str = "UTC",
    unit: Unit = "auto",
    account: str | None = None,
) -> Source:
    """Describes rows of the JSON pipelines as JSON lines: events, user profiles and identity mappings.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        timezone: IANA zone of a `time` without offset.
        unit: Unit of a `time` that is a number.
        account: Event property with the id of the customer account (Mixpanel's group key).

    Returns:
        The source.

    Examples:
        >>> mixpanel_pipeline().format
        'mixpanel_pipeline'
    """
    number, text = in_zone(since_1970("j.time", unit), timezone), iso("j.time", timezone)
    time = f"CASE WHEN TRY_CAST(j.time AS DOUBLE) IS NOT NULL THEN {number} ELSE {text} END"
    row = dict.fromkeys(_ROW.split(), "VARCHAR")
    query = mixpanel_query(load(_HERE, "mixpanel_pipeline.sql"), row, time, account, beginning=BEGINNING)
    return Source(name, "mixpanel_pipeline", query, files=files)


def mixpanel_query(
    calls: str, event: Mapping[str, str], time: str, account: str | None, **more: bool | datetime
) -> str:
    """Writes the SELECT over ``frames`` from the query of the calls.

    Args:
        calls: Query of the input `calls` of mixpanel_events.sql, with slots.
        event: What is read of each event beside its properties: field -> type.
        time: Expression of the instant.
        account: Event property with the account's id.
        more: Further parameters of the query of the calls.

    Returns:
        The SELECT.
    """
    group = f"texts[list_position(names, {literal(account)})]" if account else "NULL::VARCHAR"
    # A group key may hold a list; the first group counts.
    first = (
        f"CASE WHEN starts_with({group}, '[') THEN TRY(json_extract_string({group}, '$[0]')) ELSE {group} END"
    )
    slots = {"time": time, "account": first if account else group}
    bound = bind(calls, {"event": json.dumps({**event, "properties": PROPERTIES}), **more})
    filled = re.sub(r"/\* ([a-z]+) \*/(?= AS | END| ELSE)", lambda found: slots[found[1]], bound)
    return with_inputs(load(_HERE, "mixpanel_events.sql"), {"calls": filled})


class MixpanelOptions(FileSet):
    """What the sources of Mixpanel state.

    Attributes:
        timezone: IANA zone of times that carry none.
        unit: Unit of times that are numbers.
        account: Event property with the id of the customer account.
    """

    timezone: StrictStr = "UTC"
    unit: Unit = "auto"
    account: StrictStr | None = Field(default=None, min_length=1)

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        return known_timezone(name)


class MixpanelSource(MixpanelOptions):
    """Mixpanel's raw event export, see `mixpanel`."""

    format: Literal["mixpanel"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return mixpanel(name, self.files, timezone=self.timezone, unit=self.unit, account=self.account)


class MixpanelPipelineSource(MixpanelOptions):
    """Rows of Mixpanel's JSON pipelines, see `mixpanel_pipeline`."""

    format: Literal["mixpanel_pipeline"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return mixpanel_pipeline(
            name, self.files, timezone=self.timezone, unit=self.unit, account=self.account
        )


def recognise(sample: Sample) -> str | None:
    """Knows the raw export by what every event of it carries.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> line = {"event": "Signed Up", "properties": {"time": 1772442000, "distinct_id": "u1"}}
        >>> recognise(Sample("a.json", ("...",), (line,)))
        'lines have event and properties with time and distinct_id, as in the raw export of Mixpanel'
    """

    def holds(line: Mapping[str, Any]) -> bool:
        properties = line.get("properties")
        return set(line) == {"event", "properties"} and (
            isinstance(properties, dict) and {"time", "distinct_id"} <= set(properties)
        )

    if sample.share(holds) > 0.5:
        return "lines have event and properties with time and distinct_id, as in the raw export of Mixpanel"
    return None


def recognise_pipeline(sample: Sample) -> str | None:
    """Knows rows of the JSON pipelines by their columns.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> line = {"distinct_id": "d1", "resolved_distinct_id": "u1"}
        >>> recognise_pipeline(Sample("a.json", ("...",), (line,)))
        'lines have distinct_id and resolved_distinct_id, as in the identity mappings of a Mixpanel pipeline'
    """
    if sample.share(lambda line: {"event_name", "distinct_id", "insert_id", "properties"} <= set(line)) > 0.5:
        return "lines have event_name, distinct_id, insert_id and properties, as in a Mixpanel pipeline"
    if sample.share(lambda line: {"distinct_id", "resolved_distinct_id"} <= set(line)) > 0.5:
        return "lines have distinct_id and resolved_distinct_id, as in the identity mappings of a Mixpanel pipeline"
    if sample.share(lambda line: set(line) == {"distinct_id", "properties"}) > 0.5:
        return "lines have distinct_id and properties only, as in the user profiles of a Mixpanel pipeline"
    return None
