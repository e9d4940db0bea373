"""Converters of formats with one JSON object an event: RudderStack, Amplitude, Mixpanel, PostHog, CloudEvents."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa
from calls import (
    BERLIN,
    UTC,
    Call,
    Row,
    json_lines,
    milliseconds,
    snake,
    weeks,
    without_crawlers,
    without_nulls,
)
from client_fields import amplitude_defaults, mixpanel_defaults, posthog_defaults
from pyarrow import parquet

# -- RudderStack ----------------------------------------------------------------------------------------------------


def rudder(call: Call) -> Iterator[Row]:
    """Segment's calls with RudderStack's own fields; without a user the id is an empty text; names of pages stay."""
    own = {"channel": "web" if call.device else "server", "rudderId": call.id, "request_ip": call.ip}
    context = {"sessionId": 1772442000, **call.raw["context"]} if call.device else call.raw["context"]
    yield {**call.raw, **own, "userId": call.user or "", "context": context}


# -- Amplitude ------------------------------------------------------------------------------------------------------


def amplitude(raw: Path, calls: Sequence[Call]) -> None:
    """A zip of gzipped files, one a day, and one with merged ids.

    An Amplitude id is a person's: a device has its own until a user is seen on it. What is said of a person stands on
    each of their events from then on. Events of servers get a device id that is made from the user's.
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

    def id(self, call: Call, device: str) -> int:
        before = self.of.get(device)
        if not call.user:
            return self.of.setdefault(device, len(self.of) + 1)
        own = self.of.get(call.user)
        free = before is not None and before not in self.users
        if own is None:
            own = before if free and before is not None else len(self.of) + 1
        elif free:
            self.merged.append(
                {"amplitude_id": before, "merged_amplitude_id": own, "merge_time": _plain(call.received)}
            )
        self.of[call.user] = self.of[device] = own
        self.users[own] = call.user
        return own


def _amplitude(call: Call, known: _AmplitudeIds) -> Row:
    device = call.device or f"{uuid5(NAMESPACE_URL, call.user or '')}R"
    return (
        amplitude_defaults(call)
        | amplitude_event(call, device)
        | {
            "$insert_id": call.id,
            "amplitude_id": known.id(call, device),
            "event_time": _plain(call.corrected),
            "client_event_time": _plain(call.client),
            "client_upload_time": _plain(call.sent),
            "server_received_time": _plain(call.received),
            "ip_address": call.ip,
            "uuid": str(uuid5(NAMESPACE_URL, f"{call.id} {call.received}")),
        }
    )


def amplitude_event(call: Call, device: str | None) -> Row:
    """What an event says in an export and in a request alike."""
    page = {
        **{name: value for name, value in call.properties.items() if name not in ("url", "title")},
        "[Amplitude] Page Location": call.properties.get("url"),
        "[Amplitude] Page Title": call.properties.get("title"),
        "[Amplitude] Page Path": call.page.get("path"),
        "referrer": call.properties.get("referrer"),
    }
    names = {"page": "[Amplitude] Page Viewed", "identify": "$identify", "group": "$groupidentify"}
    return {
        "device_id": device,
        "user_id": call.user,
        "event_type": names.get(call.kind, call.event),
        "event_properties": page if call.kind == "page" else call.properties,
        "user_properties": {"$set": call.traits} if call.kind == "identify" else call.known,
        "groups": {"school": call.account} if call.account else {},
        "group_properties": {"$set": call.traits} if call.kind == "group" else {},
        "session_id": -1,
    }


def _plain(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


# -- Mixpanel -------------------------------------------------------------------------------------------------------


def mixpanel(time: Callable[[datetime], int]) -> Callable[[Call], Iterator[Row]]:
    """The raw event export, ids merged the simplified way; what is said of people is in profiles, not here.

    There is one time, which is the event's own: a retry carries it, too. That is how Mixpanel knows copies.
    """

    def convert(call: Call) -> Iterator[Row]:
        return mixpanel_event(
            call,
            {"time": time(call.happened), "mp_processing_time_ms": milliseconds(call.received)},
        )

    return convert


def mixpanel_event(call: Call, times: Row) -> Iterator[Row]:
    """What an event says in an export and in a request alike. There are no calls about accounts."""
    names = {"page": "$mp_web_page_view", "identify": "$identify"}
    if call.kind == "group":
        return
    own = dict(call.properties)
    if call.kind == "page":
        own = {
            "$current_url": own.pop("url", None),
            "$referrer": own.pop("referrer", None),
            "current_page_title": own.pop("title", None),
        } | own
    ids = {"$user_id": call.user, "$device_id": call.device, "school": call.account}
    if call.kind == "identify":
        ids |= {"$identified_id": call.user, "$anon_id": call.device}
    fixed = {"distinct_id": call.user or f"$device:{call.device}", "$insert_id": call.id}
    said = mixpanel_defaults(call) | without_nulls(times | ids | own)
    yield {"event": names.get(call.kind, call.event), "properties": fixed | said}


def mixpanel_pipeline(raw: Path, calls: Sequence[Call]) -> None:
    """Rows of the JSON pipelines: events, and beside them everybody's profile and what a device's id resolves to.

    What stands in a column is not among the properties, which some warehouses write as a text. A profile is what was
    said last, without a time. Of a device that several people share an identity table can only name one: it is left
    out, because what its one line would say is not what the events say.
    """
    taken_in = list(without_crawlers(calls))
    columns = {
        "$user_id": "user_id",
        "$device_id": "device_id",
        "$insert_id": "insert_id",
        "distinct_id": "distinct_id",
    }
    for name, part in weeks(taken_in):
        rows = []
        for call in part:
            for row in mixpanel_event(call, {"mp_processing_time_ms": milliseconds(call.received)}):
                own = row["properties"]
                lifted = {column: own.pop(name, None) for name, column in columns.items()}
                at = call.happened.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                rows.append(
                    {"event_name": row["event"], "time": at, **without_nulls(lifted)}
                    | {"properties": json.dumps(own) if call.user else own}
                )
        _packed_lines(raw / f"mp_master_event-{name}.jsonl.gz", rows)
    _packed_lines(
        raw / "mp_people_data.jsonl.gz",
        [
            {"distinct_id": user, "properties": known}
            for user, known in {
                call.user: call.known for call in taken_in if call.user and call.known
            }.items()
        ],
    )
    users: dict[str, set[str]] = {}
    for call in taken_in:
        if call.device and call.user:
            users.setdefault(call.device, set()).add(call.user)
    _packed_lines(
        raw / "mp_identity_mappings_data.jsonl.gz",
        [
            {"distinct_id": f"$device:{device}", "resolved_distinct_id": each}
            for device, (each, *others) in users.items()
            if not others
        ],
    )


def _packed_lines(path: Path, rows: Sequence[Row]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), 1, mtime=0))


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def berlin_milliseconds(at: datetime) -> int:
    """Milliseconds of the clock on the wall in Berlin, as projects made before 2023 export them."""
    return milliseconds(at.astimezone(BERLIN).replace(tzinfo=UTC))


# -- PostHog --------------------------------------------------------------------------------------------------------


def posthog(call: Call) -> Iterator[Row]:
    """A row of a batch export. The anonymous id of a browser is its distinct id until somebody signs in."""
    own: Row = dict(call.properties)
    event = {"page": "$pageview", "identify": "$identify", "group": "$groupidentify"}.get(
        call.kind, call.event
    )
    if call.kind == "page":
        own = {
            "$current_url": own.pop("url", None),
            "$referrer": own.pop("referrer", None) or "$direct",
        } | own
    if call.kind == "identify":
        own = {"$set": call.traits, "$anon_distinct_id": call.device}
    if call.kind == "group":
        own = {"$group_type": "school", "$group_key": call.account, "$group_set": call.traits}
    around: Row = {
        "$ip": call.ip,
        "$raw_user_agent": call.agent,
        "$device_id": call.device,
        "$user_id": call.user,
    }
    if call.device:
        around["$is_identified"] = call.user is not None
        around["$time"] = call.client.timestamp()
    if call.account:
        around["$groups"] = {"school": call.account}
    yield {
        "uuid": call.id,
        "event": event,
        "distinct_id": call.user or call.device,
        "timestamp": call.corrected.isoformat(),
        "created_at": call.received.isoformat(),
        "properties": posthog_defaults(call) | without_nulls(around) | own,
        "person_properties": call.known,
        "person_id": str(uuid5(NAMESPACE_URL, call.user or call.device or "")),
    }


def posthog_with_persons(raw: Path, calls: Sequence[Call]) -> None:
    """Events that say nothing of their person, beside rows of the persons model.

    A row for each id, with what is known now. A browser's id is the person's who identified first on it; no other row
    can name it.
    """
    events = json_lines(lambda call: ({**row, "person_properties": None} for row in posthog(call)))
    events(raw, [replace(call, traits={}) if call.kind == "identify" else call for call in calls])
    known = {call.user: call.known for call in calls if call.user}
    owners: dict[str, str] = {user: user for user in known}
    for call in calls:
        if call.device:
            owners.setdefault(call.device, call.device)
            if call.user and owners[call.device] == call.device:
                owners[call.device] = call.user
    rows = [
        {
            "team_id": 1,
            "distinct_id": each,
            "person_id": str(uuid5(NAMESPACE_URL, owner)),
            "properties": known.get(owner, {}),
            "person_distinct_id_version": 0,
            "person_version": 0,
            "created_at": None,
            "is_deleted": False,
        }
        for each, owner in owners.items()
    ]
    _packed_lines(raw / "persons.jsonl.gz", rows)


def posthog_parquet(raw: Path, calls: Sequence[Call]) -> None:
    """The same in columns: JSON as text, times as times."""
    for name, part in weeks(calls):
        rows = [row for call in part for row in posthog(call)]
        for row in rows:
            for column in ("properties", "person_properties"):
                row[column] = json.dumps(row[column])
            row["timestamp"], row["created_at"] = map(
                datetime.fromisoformat, (row["timestamp"], row["created_at"])
            )
        parquet.write_table(pa.Table.from_pylist(rows), raw / f"{name}.parquet", compression="zstd")


# -- CloudEvents ----------------------------------------------------------------------------------------------------


def cloudevents(call: Call) -> Iterator[Row]:
    """Events as a bus carries them; names of extensions are lower-case letters. A login is an event."""
    if call.kind == "group":
        return
    yield without_nulls(
        {
            "specversion": "1.0",
            "id": call.id,
            "source": "/lectern/web" if call.device else "/lectern/backend",
            "type": f"com.example.{'login' if call.kind == 'identify' else snake(call.event)}",
            "time": call.happened.isoformat(),
            "recordedtime": call.received.isoformat(),
            "subject": call.user,
            "anonymousid": call.device,
            "accountid": call.account,
            "useragent": call.agent,
            "datacontenttype": "application/json",
            "data": call.properties,
        }
    )
