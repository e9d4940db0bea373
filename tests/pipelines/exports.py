"""The calls of the demo's log, written as other tools would have exported them.

A converter is one small function per format. What a format cannot carry stands beside it, in `Export.lacks`, and
``test_round_trip.py`` asserts what follows from it. Of the log's mess, retries, late calls, wrong clocks, crawlers,
planted personal data, values that do not fit and undeclared events are written in every format that has a place for
them. Lines that are no calls (cut off, not JSON, not UTF-8, without any id or time) are left out: no tool exports what
it could not take in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from calls import SIGNED_IN, SNAKE_NAMES, Call, Row, json_lines
from exports_of_events import (
    amplitude,
    berlin_milliseconds,
    cloudevents,
    mixpanel,
    mixpanel_pipeline,
    posthog,
    posthog_parquet,
    posthog_with_persons,
    rudder,
    seconds,
)
from exports_of_requests import (
    amplitude_wire,
    mixpanel_wire,
    posthog_wire,
    rudder_wire,
    segment_wire,
    snowplow_wire,
)
from exports_of_tables import (
    ga4_jsonl,
    ga4_parquet,
    own_csv,
    own_parquet,
    own_rows,
    page_speed,
    snowplow,
    snowplow_table_csv,
    snowplow_table_parquet,
    warehouse_csv,
    warehouse_parquet,
)

Lack = Literal[
    "crawlers",
    "identify",
    "accounts",
    "account traits",
    "traits",
    "history of traits",
    "arrival",
    "client clock",
    "server clock",
    "sending",
    "milliseconds",
]
"""What an export may not carry.

* crawlers: their events; the tool turns them away by their user agent
* identify: calls that say who somebody is; products send an event instead, here `SIGNED_IN`, and the plan declares it
* accounts: of whom an event is, besides a person
* account traits, traits: what is said of accounts and of people
* history of traits: what was said last of people is all that is said, without a time
* arrival: when an event arrived
* client clock: what the client's clock said; there is one time, corrected
* server clock: the same of servers, and copies are each corrected anew: by time nothing is said of what they say
* sending: what corrects the clock anew for each copy; copies carry one time, as the format knows them by it
* milliseconds: parts of a second are cut off
"""


@dataclass(frozen=True)
class Export:
    """One format.

    Attributes:
        name: What the test calls it.
        options: The source in ``sources.yml``.
        write: Writes the calls below ``raw/``.
        lacks: What the format does not carry.
        plan: Text of the tracking plan -> text for this format.
    """

    name: str
    options: Row
    write: Callable[[Path, Sequence[Call]], None]
    lacks: frozenset[Lack] = frozenset()
    plan: Mapping[str, str] = field(default_factory=dict)


_FLAT = {"from: address.country": "from: address_country"}
_LOGIN = {"person_properties:": f"  {SIGNED_IN}: {{description: Somebody signed in.}}\nperson_properties:"}
_SNOWPLOW_PAGE = {
    f"{name}: {{class": f"{name}: {{from: contexts.page_speed.{name}, class" for name in ("load_ms", "failed")
}
_MIXPANEL = frozenset[Lack]({"crawlers", "traits", "account traits", "client clock", "sending"})
_GA4_LACKS = frozenset[Lack](
    {"crawlers", "identify", "accounts", "account traits", "arrival", "client clock", "sending"}
)
_SNOWPLOW = frozenset[Lack]({"identify", "accounts", "account traits", "traits"})
_OWN = frozenset[Lack]({"identify", "account traits", "client clock", "sending"})
_OWN_FIELDS: Row = {
    "event": {"column": "kind", "names": SNAKE_NAMES | {"page_viewed": "Page Viewed"}},
    "id": "id",
    "time": {"column": "at", "format": "ms"},
    "received": {"column": "arrived"},
    "user": "person",
    "device": "browser",
    "account": "school",
    "user_agent": "agent",
    "traits": {name: f"said_{name}" for name in ("role", "address_country")},
}
_BUS: Row = {
    "event": {"column": "type", "names": {f"com.example.{old}": new for old, new in SNAKE_NAMES.items()}},
    "user": "subject",
    "device": "anonymousid",
    "account": "accountid",
    "user_agent": "useragent",
}

_ALL = (
    Export("rudder", {"format": "rudder"}, json_lines(rudder)),
    Export("amplitude", {"format": "amplitude"}, amplitude, frozenset({"crawlers"})),
    Export(
        "mixpanel",
        {"format": "mixpanel", "account": "school"},
        json_lines(mixpanel(seconds), crawlers=False),
        _MIXPANEL | {"milliseconds"},
    ),
    Export(
        "mixpanel_ms",
        {"format": "mixpanel", "account": "school", "timezone": "Europe/Berlin"},
        json_lines(mixpanel(berlin_milliseconds), crawlers=False),
        _MIXPANEL,
    ),
    Export(
        "mixpanel_pipeline",
        {"format": "mixpanel_pipeline", "account": "school"},
        mixpanel_pipeline,
        _MIXPANEL - {"traits"} | {"history of traits"},
    ),
    Export(
        "posthog",
        {"format": "posthog", "account": "school"},
        json_lines(posthog),
        frozenset({"server clock"}),
    ),
    Export(
        "posthog_persons",
        {"format": "posthog", "account": "school"},
        posthog_with_persons,
        frozenset({"server clock", "history of traits"}),
    ),
    Export(
        "posthog_parquet",
        {"format": "posthog_parquet", "account": "school"},
        posthog_parquet,
        frozenset({"server clock"}),
    ),
    Export("ga4", {"format": "ga4", "names": SNAKE_NAMES}, ga4_jsonl, _GA4_LACKS, _FLAT | _LOGIN),
    Export(
        "ga4_parquet",
        {"format": "ga4_parquet", "names": SNAKE_NAMES},
        ga4_parquet,
        _GA4_LACKS,
        _FLAT | _LOGIN,
    ),
    Export(
        "snowplow",
        {"format": "snowplow", "names": SNAKE_NAMES},
        snowplow,
        _SNOWPLOW,
        _LOGIN | _SNOWPLOW_PAGE,
    ),
    Export(
        "snowplow_table",
        {"format": "snowplow_table", "names": SNAKE_NAMES, "vendors": ["com.example"]},
        snowplow_table_csv,
        _SNOWPLOW,
        _LOGIN | _SNOWPLOW_PAGE,
    ),
    Export(
        "snowplow_table_parquet",
        {"format": "snowplow_table", "names": SNAKE_NAMES, "vendors": ["com.example"]},
        snowplow_table_parquet,
        _SNOWPLOW,
        _LOGIN | _SNOWPLOW_PAGE,
    ),
    Export("warehouse_csv", {"format": "segment_warehouse"}, warehouse_csv, plan=_FLAT),
    Export("warehouse_parquet", {"format": "segment_warehouse"}, warehouse_parquet, plan=_FLAT),
    Export(
        "cloudevents",
        {"format": "cloudevents"} | _BUS,
        json_lines(cloudevents),
        frozenset({"identify", "traits", "account traits", "client clock", "sending"}),
        _LOGIN,
    ),
    Export("jsonl", {"format": "jsonl"} | _OWN_FIELDS, json_lines(own_rows), _OWN, _FLAT | _LOGIN),
    Export(
        "delimited",
        {"format": "delimited", "separator": ";"} | _OWN_FIELDS,
        own_csv,
        _OWN,
        _FLAT | _LOGIN,
    ),
    Export("parquet", {"format": "parquet"} | _OWN_FIELDS, own_parquet, _OWN, _FLAT | _LOGIN),
    Export("segment_wire", {"format": "segment_wire"}, json_lines(segment_wire)),
    Export("rudder_wire", {"format": "rudder_wire"}, json_lines(rudder_wire)),
    Export("amplitude_wire", {"format": "amplitude_wire"}, json_lines(amplitude_wire)),
    Export("mixpanel_wire", {"format": "mixpanel_wire", "account": "school"}, json_lines(mixpanel_wire)),
    Export("posthog_wire", {"format": "posthog_wire", "account": "school"}, json_lines(posthog_wire)),
    Export(
        "snowplow_wire",
        {"format": "snowplow_wire", "names": SNAKE_NAMES},
        json_lines(snowplow_wire(page_speed)),
        _SNOWPLOW,
        _LOGIN | _SNOWPLOW_PAGE,
    ),
)
EXPORTS = {export.name: export for export in _ALL}
#: The most different ones; every change is tested on these, all of them are part of `make verify`.
QUICK = (
    "amplitude",
    "ga4",
    "mixpanel_ms",
    "mixpanel_pipeline",
    "posthog_parquet",
    "snowplow",
    "snowplow_table",
    "warehouse_csv",
)
#: Formats in which the calls cannot be written, and why.
KNOWS_NOBODY = {
    "access_log": "a line has an address and a path: no user, no device, no name of an event, no id, no properties",
    "plausible_wire": "a request has a name and a site: no user, no device that lasts longer than a day, no id",
}
