"""The calls of the demo's log, written as other tools would have exported them.

A converter is one small function per format. What a format cannot carry stands beside it, in `Export.lacks`, and
`test_round_trip.py` asserts what follows from it. Of the log's mess, retries, late calls, wrong clocks, planted personal data, values
that do not fit and undeclared events are written in every format. Lines that are no calls (cut off, not JSON, not UTF-8, without any id
or time) are left out: no tool exports what it could not take in.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from headway_pipelines.demo.rows import EVENT_NAMES
from headway_pipelines.sources.snowplow import COLUMNS

Row = dict[str, Any]
Lack = Literal["crawlers", "accounts", "account traits", "traits", "arrival", "milliseconds"]
"""What an export may not carry: crawlers' events, accounts, what is said of accounts or people, when an event arrived, parts of
a second."""

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Call:
    """One line of the demo's Segment log.

    Attributes:
        kind: ``track``, ``page``, ``identify`` or ``group``.
        happened: By a corrected clock, as of the copy that arrived first: a retry is the same event.
        raw: The call as it is.
    """

    kind: str
    event: str
    id: str
    user: str | None
    device: str | None
    account: str | None
    happened: datetime
    client: datetime
    sent: datetime
    received: datetime
    properties: Row
    traits: Row
    page: Mapping[str, str]
    agent: str | None
    ip: str | None
    raw: Row = field(repr=False)

    @property
    def is_event(self) -> bool:
        return self.kind in ("track", "page")


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


def calls_of(raw: Path) -> list[Call]:
    """Reads the calls of a demo's log, in the order of their arrival."""
    lines = [line for path in raw.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).split(b"\n")]
    calls = sorted(filter(None, map(_call, lines)), key=lambda call: (call.received, call.id))
    first: dict[str, datetime] = {}
    for call in calls:
        first.setdefault(call.id, call.happened)
    return [Call(**{**vars(call), "happened": first[call.id]}) for call in calls]


def _call(line: bytes) -> Call | None:
    try:
        raw = json.loads(line)
        context, page = raw["context"], raw["context"].get("page", {})
        times = {name: _instant(raw[name]) for name in ("timestamp", "originalTimestamp", "sentAt", "receivedAt")}
    except (ValueError, TypeError):
        return None
    user, device = raw.get("userId"), raw.get("anonymousId")
    if not (user or device):
        return None
    return Call(
        kind=raw["type"],
        event="Page Viewed" if raw["type"] == "page" else raw.get("event", ""),
        id=raw["messageId"],
        user=user,
        device=device,
        account=context.get("groupId") or raw.get("groupId"),
        happened=times["timestamp"],
        client=times["originalTimestamp"],
        sent=times["sentAt"],
        received=times["receivedAt"],
        properties=raw.get("properties", {}),
        traits=raw.get("traits", {}),
        page=page,
        agent=context.get("userAgent"),
        ip=context.get("ip"),
        raw=raw,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def without_crawlers(calls: Iterable[Call]) -> Iterator[Call]:
    """Calls a tool takes in that turns crawlers away."""
    return (call for call in calls if not re.search("bot|crawl|spider", call.agent or "", re.IGNORECASE))


def snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


#: Names as tools write them that allow no blanks.
SNAKE_NAMES = {snake(name): name for name in EVENT_NAMES.values()}


# -- files ----------------------------------------------------------------------------------------------------------


def json_lines(convert: Callable[[Call], Iterable[Row]], *, crawlers: bool = True) -> Callable[[Path, Sequence[Call]], None]:
    """Writes JSON lines, a file a week of arrival, so that a retry may come in another file."""

    def write(raw: Path, calls: Sequence[Call]) -> None:
        for name, part in _weeks(calls if crawlers else list(without_crawlers(calls))):
            text = "".join(json.dumps(row, default=str) + "\n" for call in part for row in convert(call))
            (raw / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))

    return write


def _weeks(calls: Sequence[Call]) -> Iterator[tuple[str, list[Call]]]:
    weeks: dict[str, list[Call]] = {}
    for call in calls:
        weeks.setdefault(call.received.strftime("%G-W%V"), []).append(call)
    return iter(weeks.items())


def _without_nulls(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


# -- RudderStack ----------------------------------------------------------------------------------------------------


def rudder(call: Call) -> Iterator[Row]:
    """Segment's calls with RudderStack's own fields; without a user the id is an empty text; names of pages stay."""
    own = {"channel": "web" if call.device else "server", "rudderId": call.id, "request_ip": call.ip}
    context = {"sessionId": 1772442000, **call.raw["context"]} if call.device else call.raw["context"]
    yield {**call.raw, **own, "userId": call.user or "", "context": context}


# -- Amplitude ------------------------------------------------------------------------------------------------------


def amplitude(raw: Path, calls: Sequence[Call]) -> None:
    """A zip of gzipped files, one a day, and one with merged ids.

    An Amplitude id is a person's: a device has its own until a user is seen on it. What is said of a person stands on each of their
    events from then on. Events of servers get a device id that is made from the user's.
    """
    known = _AmplitudeIds()
    days: dict[str, list[Row]] = {}
    for call in without_crawlers(calls):
        days.setdefault(f"1_{call.received:%Y-%m-%d}_0#1", []).append(_amplitude(call, known))
    with zipfile.ZipFile(raw / "export.zip", "w") as archive:
        for name, rows in {**days, "merged": known.merged}.items():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            archive.writestr(f"1/{name}.json.gz", gzip.compress(text.encode(), 1, mtime=0))


@dataclass
class _AmplitudeIds:
    """Who carries which Amplitude id, and what was said of whom."""

    of: dict[str, int] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)
    merged: list[Row] = field(default_factory=list)
    traits: dict[str, Row] = field(default_factory=dict)

    def id(self, call: Call, device: str) -> int:
        before = self.of.get(device)
        if not call.user:
            return self.of.setdefault(device, len(self.of) + 1)
        own = self.of.get(call.user)
        free = before is not None and before not in self.users
        if own is None:
            own = before if free and before is not None else len(self.of) + 1
        elif free:
            self.merged.append({"amplitude_id": before, "merged_amplitude_id": own, "merge_time": _plain(call.received)})
        self.of[call.user] = self.of[device] = own
        self.users[own] = call.user
        return own


def _amplitude(call: Call, known: _AmplitudeIds) -> Row:
    device = call.device or f"{uuid5(NAMESPACE_URL, call.user or '')}R"
    if call.kind == "identify" and call.user:
        known.traits[call.user] = call.traits
    page = {
        "[Amplitude] Page Location": call.properties.get("url"),
        "[Amplitude] Page Title": call.properties.get("title"),
        "[Amplitude] Page Path": call.page.get("path"),
        "referrer": call.properties.get("referrer"),
    }
    names = {"page": "[Amplitude] Page Viewed", "identify": "$identify", "group": "$groupidentify"}
    return {
        "$insert_id": call.id,
        "amplitude_id": known.id(call, device),
        "device_id": device,
        "user_id": call.user,
        "event_type": names.get(call.kind, call.event),
        "event_time": _plain(call.happened),
        "client_event_time": _plain(call.client),
        "client_upload_time": _plain(call.sent),
        "server_received_time": _plain(call.received),
        "event_properties": page if call.kind == "page" else call.properties,
        "user_properties": {"$set": call.traits} if call.kind == "identify" else known.traits.get(call.user or "", {}),
        "groups": {"school": call.account} if call.account else {},
        "group_properties": {"$set": call.traits} if call.kind == "group" else {},
        "session_id": -1,
        "ip_address": call.ip,
        "uuid": str(uuid5(NAMESPACE_URL, f"{call.id} {call.received}")),
    }


def _plain(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


# -- Mixpanel -------------------------------------------------------------------------------------------------------


def mixpanel(time: Callable[[datetime], int]) -> Callable[[Call], Iterator[Row]]:
    """The raw event export, with the simplified way of merging ids: what is said of people and accounts is in profiles, not here."""

    def convert(call: Call) -> Iterator[Row]:
        names = {"page": "$mp_web_page_view", "identify": "$identify"}
        if call.kind == "group":
            return
        own = dict(call.properties)
        if call.kind == "page":
            own = {"$current_url": own.pop("url", None), "$referrer": own.pop("referrer", None), "current_page_title": own.pop("title", None)} | own
        ids = {"$user_id": call.user, "$device_id": call.device, "school": call.account}
        if call.kind == "identify":
            ids |= {"$identified_id": call.user, "$anon_id": call.device}
        fixed = {
            "time": time(call.happened),
            "distinct_id": call.user or f"$device:{call.device}",
            "$insert_id": call.id,
            "mp_processing_time_ms": _ms(call.received),
        }
        yield {"event": names.get(call.kind, call.event), "properties": fixed | _without_nulls(ids | own)}

    return convert


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _berlin_ms(at: datetime) -> int:
    """Milliseconds of the clock on the wall in Berlin, as projects made before 2023 export them."""
    return _ms(at.astimezone(BERLIN).replace(tzinfo=UTC))


# -- PostHog --------------------------------------------------------------------------------------------------------


def posthog(call: Call) -> Iterator[Row]:
    """A row of a batch export. The anonymous id of a browser is its distinct id until somebody signs in."""
    own: Row = dict(call.properties)
    event = {"page": "$pageview", "identify": "$identify", "group": "$groupidentify"}.get(call.kind, call.event)
    if call.kind == "page":
        own = {"$current_url": own.pop("url", None), "$referrer": own.pop("referrer", None) or "$direct"} | own
    if call.kind == "identify":
        own = {"$set": call.traits, "$anon_distinct_id": call.device}
    if call.kind == "group":
        own = {"$group_type": "school", "$group_key": call.account, "$group_set": call.traits}
    around: Row = {"$ip": call.ip, "$raw_user_agent": call.agent, "$device_id": call.device, "$user_id": call.user}
    if call.device:
        around["$is_identified"] = call.user is not None
    if call.account:
        around["$groups"] = {"school": call.account}
    yield {
        "uuid": call.id,
        "event": event,
        "distinct_id": call.user or call.device,
        "timestamp": call.happened.isoformat(),
        "created_at": call.received.isoformat(),
        "properties": _without_nulls(around) | own,
        "person_id": str(uuid5(NAMESPACE_URL, call.user or call.device or "")),
    }


def posthog_parquet(raw: Path, calls: Sequence[Call]) -> None:
    """The same in columns: JSON as text, times as times."""
    for name, part in _weeks(calls):
        rows = [row for call in part for row in posthog(call)]
        for row in rows:
            row["properties"] = json.dumps(row["properties"])
            row["timestamp"], row["created_at"] = map(datetime.fromisoformat, (row["timestamp"], row["created_at"]))
        parquet.write_table(pa.Table.from_pylist(rows), raw / f"{name}.parquet", compression="zstd")


# -- Google Analytics 4 ---------------------------------------------------------------------------------------------

_STREAMS = {"web": "1001", "server": "1002"}
_VALUE = pa.struct([("string_value", pa.string()), ("int_value", pa.int64()), ("double_value", pa.float64())])
_PARAMS = pa.list_(pa.struct([("key", pa.string()), ("value", _VALUE)]))
_GA4 = pa.schema(
    [
        *((name, pa.string()) for name in ("event_date", "event_name", "user_id", "user_pseudo_id", "stream_id", "platform")),
        ("event_timestamp", pa.int64()),
        ("event_params", _PARAMS),
        ("user_properties", _PARAMS),
    ]
)


def ga4_rows(calls: Iterable[Call]) -> Iterator[tuple[str, list[Row]]]:
    """Rows by the day of the table.

    There is no event id, no time of arrival, no account, and no call that says who somebody is: a browser is a user's as soon as an event
    carries both. What is known of a user stands on their events. Servers must name a browser: each user has one of the server's stream.
    """
    tables: dict[str, list[Row]] = {}
    traits: dict[str, Row] = {}
    for call in without_crawlers(calls):
        if call.kind == "identify" and call.user:
            traits[call.user] = _flat(call.traits)
        if not call.is_event:
            continue
        own = _flat(call.properties)
        if call.kind == "page":
            own = {"page_location": own.pop("url", None), "page_referrer": own.pop("referrer", None), "page_title": own.pop("title", None)} | own
        day = call.happened.astimezone(BERLIN).strftime("%Y%m%d")
        row = {
            "event_date": day,
            "event_timestamp": _ms(call.happened) * 1000,
            "event_name": "page_view" if call.kind == "page" else snake(call.event),
            "event_params": _params(own),
            "user_id": call.user,
            "user_pseudo_id": call.device or f"{uuid5(NAMESPACE_URL, call.user or '')}",
            "user_properties": _params(traits.get(call.user or "", {})),
            "stream_id": _STREAMS["web" if call.device else "server"],
            "platform": "WEB",
        }
        tables.setdefault(day, []).append(row)
    return iter(tables.items())


def ga4_jsonl(raw: Path, calls: Sequence[Call]) -> None:
    """As BigQuery writes JSON: whole numbers as texts."""
    for day, rows in ga4_rows(calls):
        text = "".join(json.dumps(_texts(row)) + "\n" for row in rows)
        (raw / f"events_{day}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))


def ga4_parquet(raw: Path, calls: Sequence[Call]) -> None:
    """With nested lists."""
    for day, rows in ga4_rows(calls):
        parquet.write_table(pa.Table.from_pylist(rows, _GA4), raw / f"events_{day}.parquet", compression="zstd")


def _flat(values: Mapping[str, Any]) -> Row:
    """Nested names joined by underscores."""
    flat: Row = {}
    for name, value in values.items():
        inner = value if isinstance(value, dict) else None
        flat |= {f"{snake(name)}_{snake(k)}": v for k, v in inner.items()} if inner is not None else {snake(name): value}
    return flat


def _params(values: Row) -> list[Row]:
    kinds = {bool: "string_value", int: "int_value", float: "double_value"}
    return [
        {"key": name, "value": {kinds.get(type(v), "string_value"): v if type(v) in (int, float) else _text(v)}}
        for name, v in values.items()
        if v not in (None, "")
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return str(value) if type(value) is int else value


# -- Snowplow -------------------------------------------------------------------------------------------------------

_ZERO = timedelta(0)


def snowplow(raw: Path, calls: Sequence[Call]) -> None:
    """Enriched events. There are no accounts and no calls that say who somebody is, so both stay unsaid."""
    for name, part in _weeks([call for call in calls if call.is_event]):
        text = "".join("\t".join(_enriched(call)) + "\n" for call in part)
        (raw / f"{name}.tsv.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))


def _enriched(call: Call) -> list[str]:
    page = call.kind == "page"
    schema = f"iglu:com.example/{snake(call.event)}/jsonschema/1-0-0"
    body = {"schema": schema, "data": call.properties}
    around = {"schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0", "data": {"id": call.id}}
    cells = {
        "app_id": "lectern",
        "platform": "web" if call.device else "srv",
        "collector_tstamp": _short(call.received),
        "dvce_created_tstamp": _short(call.client),
        "dvce_sent_tstamp": _short(call.sent),
        "derived_tstamp": _short(call.happened),
        "event": "page_view" if page else "unstruct",
        "event_name": "page_view" if page else snake(call.event),
        "event_id": call.id,
        "user_id": call.user,
        "domain_userid": call.device,
        "user_ipaddress": call.ip,
        "useragent": call.agent,
        "page_url": call.page.get("url"),
        "page_title": call.page.get("title"),
        "page_referrer": call.page.get("referrer"),
        "contexts": _envelope("contexts", [around]) if call.page else None,
        "unstruct_event": None if page else _envelope("unstruct_event", body),
    }
    return [re.sub(r"[\t\r\n]", " ", cells.get(column) or "") for column in COLUMNS]


def _envelope(kind: str, data: Any) -> str:
    return json.dumps({"schema": f"iglu:com.snowplowanalytics.snowplow/{kind}/jsonschema/1-0-0", "data": data})


def _short(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


# -- tables of a warehouse ------------------------------------------------------------------------------------------


def warehouse_csv(raw: Path, calls: Sequence[Call]) -> None:
    """A table per event, and pages, identifies and groups."""
    for table, rows in _tables(calls).items():
        out = io.StringIO()
        writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows({name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items() if value is not None} for row in rows)
        (raw / f"{table}.csv").write_text(out.getvalue(), encoding="utf-8")


def warehouse_parquet(raw: Path, calls: Sequence[Call]) -> None:
    """The same in typed columns. A column has one type: a value of another is not loaded, as in any warehouse."""
    for table, rows in _tables(calls).items():
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: _typed([row.get(name) for row in rows]) for name in names}
        pl.DataFrame(columns).write_parquet(raw / f"{table}.parquet")


def _typed(values: list[Any]) -> pl.Series:
    given = [type(value) for value in values if value is not None]
    kind = max(set(given), key=given.count) if given else str
    if kind in (list, dict):
        return pl.Series([None if value is None else json.dumps(value) for value in values], dtype=pl.String)
    return pl.Series([value if type(value) is kind else None for value in values])


def _tables(calls: Iterable[Call]) -> dict[str, list[Row]]:
    names = {"page": "pages", "identify": "identifies", "group": "groups"}
    tables: dict[str, list[Row]] = {}
    for call in calls:
        tables.setdefault(names.get(call.kind, snake(call.event)), []).append(_warehouse_row(call))
    return tables


def _warehouse_row(call: Call) -> Row:
    named = {"event": snake(call.event), "event_text": call.event} if call.kind == "track" else {}
    group = {"group_id": call.account} if call.kind == "group" else {"context_group_id": call.account}
    page = {f"context_page_{name}": call.page.get(name) for name in ("url", "path", "referrer", "title")}
    return {
        "id": call.id,
        "anonymous_id": call.device,
        "user_id": call.user,
        **named,
        **group,
        "timestamp": _zoned(call.happened),
        "original_timestamp": _zoned(call.client),
        "sent_at": _zoned(call.sent),
        "received_at": _zoned(call.received),
        "context_ip": call.ip,
        "context_user_agent": call.agent,
        **page,
        **_flat(call.properties if call.is_event else call.traits),
    }


def _zoned(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


# -- CloudEvents ----------------------------------------------------------------------------------------------------


def cloudevents(call: Call) -> Iterator[Row]:
    """Events as a bus carries them; names of extensions are lower-case letters. Calls about people are no events."""
    if not call.is_event:
        return
    yield _without_nulls(
        {
            "specversion": "1.0",
            "id": call.id,
            "source": "/lectern/web" if call.device else "/lectern/backend",
            "type": f"com.example.{snake(call.event)}",
            "time": call.happened.isoformat(),
            "recordedtime": call.received.isoformat(),
            "subject": call.user,
            "anonymousid": call.device,
            "accountid": call.account,
            "datacontenttype": "application/json",
            "data": call.properties,
        }
    )


# -- all of them ----------------------------------------------------------------------------------------------------

EXPORTS = {
    export.name: export
    for export in (
        Export("rudder", {"format": "rudder"}, json_lines(rudder)),
        Export("amplitude", {"format": "amplitude"}, amplitude, frozenset({"crawlers"})),
        Export(
            "mixpanel",
            {"format": "mixpanel", "account": "school"},
            json_lines(mixpanel(_seconds), crawlers=False),
            frozenset({"crawlers", "traits", "account traits", "milliseconds"}),
        ),
        Export(
            "mixpanel_ms",
            {"format": "mixpanel", "account": "school", "timezone": "Europe/Berlin"},
            json_lines(mixpanel(_berlin_ms), crawlers=False),
            frozenset({"crawlers", "traits", "account traits"}),
        ),
        Export("posthog", {"format": "posthog", "account": "school"}, json_lines(posthog)),
        Export("posthog_parquet", {"format": "posthog_parquet", "account": "school"}, posthog_parquet),
        Export(
            "ga4",
            {"format": "ga4", "names": SNAKE_NAMES},
            ga4_jsonl,
            frozenset({"crawlers", "accounts", "account traits", "arrival"}),
            {"from: address.country": "from: address_country"},
        ),
        Export(
            "ga4_parquet",
            {"format": "ga4_parquet", "names": SNAKE_NAMES},
            ga4_parquet,
            frozenset({"crawlers", "accounts", "account traits", "arrival"}),
            {"from: address.country": "from: address_country"},
        ),
        Export(
            "snowplow",
            {"format": "snowplow", "names": SNAKE_NAMES},
            snowplow,
            frozenset({"accounts", "account traits", "traits"}),
        ),
        Export(
            "warehouse_csv",
            {"format": "segment_warehouse"},
            warehouse_csv,
            plan={"from: address.country": "from: address_country"},
        ),
        Export(
            "warehouse_parquet",
            {"format": "segment_warehouse"},
            warehouse_parquet,
            plan={"from: address.country": "from: address_country"},
        ),
        Export(
            "cloudevents",
            {
                "format": "cloudevents",
                "event": {"column": "type", "names": {f"com.example.{old}": new for old, new in SNAKE_NAMES.items()}},
                "user": "subject",
                "device": "anonymousid",
                "account": "accountid",
            },
            json_lines(cloudevents, crawlers=False),
            frozenset({"crawlers", "traits", "account traits"}),
        ),
    )
}
