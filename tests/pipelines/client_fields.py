"""What clients and tools add to every event by themselves: browser, screen, place, library, first referrer.

Exports are mostly made of it. The simulator's log says little of it, so it is made up here, always the same for a
device: by the public lists of each tool's default properties. None of it is declared in the demo's tracking plan.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from calls import Call, Row, milliseconds, without_nulls

_SCREENS = ((1920, 1080), (1440, 900), (390, 844), (412, 915), (1536, 864))
_PLACES = (
    ("DE", "Germany", "BE", "Land Berlin", "Berlin", "Europe/Berlin"),
    ("FR", "France", "IDF", "Île-de-France", "Paris", "Europe/Paris"),
    ("GB", "United Kingdom", "ENG", "England", "Leeds", "Europe/London"),
    ("PL", "Poland", "14", "Mazowieckie", "Warsaw", "Europe/Warsaw"),
)
_SYSTEMS = (
    (r"iPhone OS ([\d_]+)", "iOS", "Mobile"),
    (r"iPad; CPU OS ([\d_]+)", "iOS", "Tablet"),
    (r"Android (\d+)", "Android", "Mobile"),
    (r"Windows NT ([\d.]+)", "Windows", "Desktop"),
    (r"Mac OS X ([\d_]+)", "Mac OS X", "Desktop"),
    (r"(X11); Linux", "Linux", "Desktop"),
)
_BROWSERS = ((r"Chrome/(\d+)", "Chrome"), (r"Firefox/(\d+)", "Firefox"), (r"Version/(\d+)", "Safari"))


@dataclass(frozen=True)
class Client:
    """A browser, as tools see it."""

    system: str
    system_version: str
    kind: str
    browser: str
    browser_version: int
    width: int
    height: int
    country_code: str
    country: str
    region_code: str
    region: str
    city: str
    timezone: str
    session: str


@cache
def _client(agent: str, device: str) -> Client:
    number = zlib.crc32(device.encode())
    system, version, kind = "Other", "1", "Desktop"
    for pattern, name, form in _SYSTEMS:
        if found := re.search(pattern, agent):
            system, version, kind = name, found[1].replace("_", "."), form
            break
    browser, major = "Other", 1
    for pattern, name in _BROWSERS:
        if found := re.search(pattern, agent):
            browser, major = name, int(found[1])
            break
    width, height = _SCREENS[number % len(_SCREENS)]
    place = _PLACES[number // 7 % len(_PLACES)]
    session = f"{number:08x}-5e55-4a10-8a5e-{number % 2**16:04x}{number:08x}"
    return Client(system, version, kind, browser, major, width, height, *place, session)


def client_of(call: Call) -> Client | None:
    """The browser of a call; None where a server made it."""
    return _client(call.agent or "", call.device) if call.device else None


def address_of(call: Call) -> Mapping[str, str]:
    """Scheme, host, path and query of the page."""
    parts = urlsplit(call.page.get("url") or "https://learn.example.com/")
    return {"scheme": parts.scheme, "host": parts.netloc, "path": parts.path or "/", "query": parts.query}


def mixpanel_defaults(call: Call) -> Row:
    """Default properties of Mixpanel's web library and its servers."""
    client = client_of(call)
    if client is None:
        return {"mp_lib": "node", "$lib_version": "0.24.0", "$mp_api_endpoint": "api-eu.mixpanel.com"}
    return without_nulls(
        {
            "$browser": client.browser,
            "$browser_version": client.browser_version,
            "$os": client.system,
            "$screen_height": client.height,
            "$screen_width": client.width,
            "$city": client.city,
            "$region": client.region,
            "mp_country_code": client.country_code,
            "$current_url": call.page.get("url") if call.kind != "page" else None,
            "$initial_referrer": "$direct",
            "$initial_referring_domain": "$direct",
            "$lib_version": "2.83.0",
            "mp_lib": "web",
            "mp_sent_by_lib_version": "2.83.0",
            "$mp_api_endpoint": "api-eu.mixpanel.com",
            "$mp_api_timestamp_ms": milliseconds(call.received),
        }
    )


def posthog_defaults(call: Call) -> Row:
    """Properties that PostHog's web library and its servers add."""
    client = client_of(call)
    if client is None:
        return {"$lib": "posthog-node", "$lib_version": "5.70.0", "$geoip_disable": True}
    address = address_of(call)
    return without_nulls(
        {
            "$os": client.system,
            "$os_version": client.system_version,
            "$browser": client.browser,
            "$browser_version": client.browser_version,
            "$browser_language": "en-GB",
            "$browser_language_prefix": "en",
            "$device_type": client.kind,
            "$timezone": client.timezone,
            "$timezone_offset": -60,
            "$host": address["host"],
            "$pathname": address["path"],
            "$current_url": call.page.get("url") if call.kind != "page" else None,
            "$screen_height": client.height,
            "$screen_width": client.width,
            "$viewport_height": client.height - 120,
            "$viewport_width": client.width,
            "$lib": "web",
            "$lib_version": "1.449.2",
            "$insert_id": call.id[-16:],
            "$sdk_dist_channel": "cdn",
            "$configured_session_timeout_ms": 1800000,
            "$session_id": client.session,
            "$window_id": client.session[::-1],
            "$pageview_id": call.id,
            "$initial_person_info": {"r": "$direct", "u": "https://learn.example.com/"},
            "$geoip_city_name": client.city,
            "$geoip_country_name": client.country,
            "$geoip_country_code": client.country_code,
            "$geoip_continent_name": "Europe",
            "$geoip_subdivision_1_code": client.region_code,
            "$geoip_subdivision_1_name": client.region,
            "$geoip_time_zone": client.timezone,
        }
    )


def ga4_defaults(call: Call) -> Row:
    """Columns of the export beside the event's own; what is empty is written, too."""
    client = client_of(call)
    if client is None:
        return {"privacy_info": None, "device": None, "geo": None, "traffic_source": None, "items": []}
    return {
        "event_previous_timestamp": None,
        "event_value_in_usd": None,
        "event_bundle_sequence_id": zlib.crc32(call.id.encode()),
        "event_server_timestamp_offset": None,
        "privacy_info": {"analytics_storage": "Yes", "ads_storage": "Yes", "uses_transient_token": "No"},
        "user_first_touch_timestamp": milliseconds(call.happened) * 1000,
        "user_ltv": {"revenue": 0.0, "currency": "EUR"},
        "device": {
            "category": client.kind.lower(),
            "mobile_brand_name": None,
            "mobile_model_name": None,
            "mobile_marketing_name": None,
            "mobile_os_hardware_model": None,
            "operating_system": client.system,
            "operating_system_version": client.system_version,
            "vendor_id": None,
            "advertising_id": None,
            "language": "en-gb",
            "is_limited_ad_tracking": "No",
            "time_zone_offset_seconds": None,
            "browser": None,
            "browser_version": None,
            "web_info": {
                "browser": client.browser,
                "browser_version": f"{client.browser_version}.0.0.0",
                "hostname": address_of(call)["host"],
            },
        },
        "geo": {
            "city": client.city,
            "country": client.country,
            "continent": "Europe",
            "region": client.region,
            "sub_continent": "Western Europe",
            "metro": "(not set)",
        },
        "app_info": None,
        "traffic_source": {"name": "(direct)", "medium": "(none)", "source": "(direct)"},
        "ecommerce": None,
        "items": [],
        "is_active_user": True,
    }


def snowplow_defaults(call: Call) -> Row:
    """Fields that the tracker, the collector and the enrichments fill."""
    client = client_of(call)
    pipeline = {
        "etl_tstamp": call.received.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        "name_tracker": "lectern",
        "v_collector": "ssc-3.5.0-kinesis",
        "v_etl": "snowplow-enrich-kinesis-5.1.0-common-5.1.0",
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        "event_fingerprint": f"{zlib.crc32(call.id.encode()):032x}",
    }
    if client is None:
        return {**pipeline, "v_tracker": "node-4.8.0"}
    address = address_of(call)
    return {
        **pipeline,
        "v_tracker": "js-4.8.0",
        "domain_sessionidx": "3",
        "domain_sessionid": client.session,
        "network_userid": client.session[::-1],
        "geo_country": client.country_code,
        "geo_region": client.region_code,
        "geo_city": client.city,
        "geo_region_name": client.region,
        "geo_timezone": client.timezone,
        "page_urlscheme": address["scheme"],
        "page_urlhost": address["host"],
        "page_urlport": "443",
        "page_urlpath": address["path"],
        "page_urlquery": address["query"],
        "br_name": f"{client.browser} {client.browser_version}",
        "br_family": client.browser,
        "br_version": f"{client.browser_version}.0.0.0",
        "br_type": "Browser",
        "br_renderengine": "WEBKIT",
        "br_lang": "en-GB",
        "br_cookies": "1",
        "br_colordepth": "24",
        "br_viewwidth": str(client.width),
        "br_viewheight": str(client.height - 120),
        "os_name": client.system,
        "os_family": client.system,
        "os_manufacturer": "Other",
        "os_timezone": client.timezone,
        "dvce_type": client.kind,
        "dvce_ismobile": str(int(client.kind != "Desktop")),
        "dvce_screenwidth": str(client.width),
        "dvce_screenheight": str(client.height),
        "doc_charset": "UTF-8",
        "doc_width": str(client.width),
        "doc_height": "3200",
    }


def segment_warehouse_defaults(call: Call) -> Row:
    """Columns that Segment's libraries and its loader add to every table."""
    client = client_of(call)
    loaded = {"uuid_ts": call.received.isoformat(), "context_library_version": "3.1.0"}
    if client is None:
        return {**loaded, "context_library_name": "@segment/analytics-node"}
    return {
        **loaded,
        "context_library_name": "analytics.js",
        "context_locale": "en-GB",
        "context_timezone": client.timezone,
        "context_page_search": address_of(call)["query"],
        "context_user_agent_data_mobile": client.kind != "Desktop",
        "context_user_agent_data_platform": client.system,
    }


def amplitude_defaults(call: Call) -> Row:
    """Fields of every event of an export that are no question of the product."""
    client = client_of(call)
    fixed: Row = {
        "app": 123456,
        "amplitude_attribution_ids": None,
        "amplitude_event_type": None,
        "data": {"path": "/2/httpapi"},
        "event_id": zlib.crc32(call.id.encode()),
        "is_attribution_event": None,
        "paying": None,
        "processed_time": None,
        "sample_rate": None,
        "server_upload_time": call.received.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "start_version": None,
        "version_name": None,
        "library": "amplitude-ts/2.9.0" if client else "amplitude-node-ts/1.3.0",
    }
    if client is None:
        return fixed
    return fixed | {
        "city": client.city,
        "country": client.country,
        "region": client.region,
        "dma": None,
        "location_lat": None,
        "location_lng": None,
        "device_brand": None,
        "device_carrier": None,
        "device_family": client.system,
        "device_type": client.kind,
        "language": "English",
        "os_name": client.browser,
        "os_version": str(client.browser_version),
        "platform": "Web",
    }
