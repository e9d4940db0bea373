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
    posthog,
    posthog_parquet,
    rudder,
    seconds,
)
from exports_of_tables import ga4_jsonl, ga4_parquet, snowplow, warehouse_csv, warehouse_parquet

Lack = Literal[
    "crawlers",
    "identify",
    "accounts",
    "account traits",
    "traits",
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
        "posthog",
        {"format": "posthog", "account": "school"},
        json_lines(posthog),
        frozenset({"server clock"}),
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
        frozenset({"identify", "accounts", "account traits", "traits"}),
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
)
EXPORTS = {export.name: export for export in _ALL}
#: The most different ones; every change is tested on these, all of them are part of `make verify`.
QUICK = ("amplitude", "ga4", "mixpanel_ms", "posthog_parquet", "snowplow", "warehouse_csv")
