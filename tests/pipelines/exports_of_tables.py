"""Converters of formats with columns: Google Analytics 4, Snowplow, tables of a warehouse."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import polars as pl
import pyarrow as pa
from calls import BERLIN, Call, Row, flat, milliseconds, snake, weeks, without_crawlers
from client_fields import ga4_defaults, segment_warehouse_defaults, snowplow_defaults
from pyarrow import parquet

from headway_pipelines.sources.snowplow import COLUMNS

# -- Google Analytics 4 ---------------------------------------------------------------------------------------------

_STREAMS = {"web": "1001", "server": "1002"}
_VALUE = pa.struct([("string_value", pa.string()), ("int_value", pa.int64()), ("double_value", pa.float64())])
_PARAMS = pa.list_(pa.struct([("key", pa.string()), ("value", _VALUE)]))
_GA4 = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("event_date", "event_name", "user_id", "user_pseudo_id", "stream_id", "platform")
        ),
        ("event_timestamp", pa.int64()),
        ("event_params", _PARAMS),
        ("user_properties", _PARAMS),
    ]
)


def ga4_rows(calls: Iterable[Call]) -> Iterator[tuple[str, list[Row]]]:
    """Rows by the day of the table.

    There is no event id, no time of arrival, no account, and no call that says who somebody is: a login is an event.
    What is known of a user stands on their events. Servers must name a browser: each user has one of the server's
    stream. `event_timestamp` counts microseconds, and copies are rows that are equal.
    """
    tables: dict[str, list[Row]] = {}
    for call in without_crawlers(calls):
        if call.kind == "group":
            continue
        own = flat(call.properties)
        if call.kind == "page":
            own = {
                "page_location": own.pop("url", None),
                "page_referrer": own.pop("referrer", None),
                "page_title": own.pop("title", None),
            } | own
        day = call.happened.astimezone(BERLIN).strftime("%Y%m%d")
        row = ga4_defaults(call) | {
            "event_date": day,
            "event_timestamp": milliseconds(call.happened) * 1000,
            "event_name": {"page": "page_view", "identify": "login"}.get(call.kind, snake(call.event)),
            "event_params": _params(own),
            "user_id": call.user,
            "user_pseudo_id": call.device or f"{uuid5(NAMESPACE_URL, call.user or '')}",
            "user_properties": _params(flat(call.known)),
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
        parquet.write_table(
            pa.Table.from_pylist(rows, _GA4), raw / f"events_{day}.parquet", compression="zstd"
        )


def _params(values: Row) -> list[Row]:
    kinds = {bool: "string_value", int: "int_value", float: "double_value"}
    return [
        {
            "key": name,
            "value": {kinds.get(type(v), "string_value"): v if type(v) in (int, float) else _text(v)},
        }
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


def snowplow(raw: Path, calls: Sequence[Call]) -> None:
    """Enriched events. There are no accounts and no calls that say who somebody is: a login is an event."""
    for name, part in weeks([call for call in calls if call.kind != "group"]):
        text = "".join("\t".join(_enriched(call)) + "\n" for call in part)
        (raw / f"{name}.tsv.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))


def _enriched(call: Call) -> list[str]:
    page = call.kind == "page"
    seen: Mapping[str, Any] = call.properties if page else call.page
    event = "login" if call.kind == "identify" else snake(call.event)
    schema = f"iglu:com.example/{event}/jsonschema/1-0-0"
    body = {"schema": schema, "data": call.properties}
    around = {
        "schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
        "data": {"id": call.id},
    }
    cells = snowplow_defaults(call) | {
        "app_id": "lectern",
        "platform": "web" if call.device else "srv",
        "collector_tstamp": _short(call.received),
        "dvce_created_tstamp": _short(call.client),
        "dvce_sent_tstamp": _short(call.sent),
        "derived_tstamp": _short(call.corrected),
        "event": "page_view" if page else "unstruct",
        "event_name": "page_view" if page else event,
        "event_id": call.id,
        "user_id": call.user,
        "domain_userid": call.device,
        "user_ipaddress": call.ip,
        "useragent": call.agent,
        **{f"page_{name}": seen.get(name) for name in ("url", "title", "referrer")},
        "contexts": _envelope("contexts", [around, *page_speed(call)]) if call.page else None,
        "unstruct_event": None if page else _envelope("unstruct_event", body),
    }
    return [re.sub(r"[\t\r\n]", " ", cells.get(column) or "") for column in COLUMNS]


def page_speed(call: Call) -> list[Row]:
    """What the demo says of a page beside its address: a view of a page has no fields of its own."""
    said = {name: call.properties[name] for name in ("load_ms", "failed") if name in call.properties}
    return (
        [{"schema": "iglu:com.example/page_speed/jsonschema/1-0-0", "data": said}]
        if said and call.kind == "page"
        else []
    )


def snowplow_table_csv(raw: Path, calls: Sequence[Call]) -> None:
    """The events table of a warehouse, whose contexts and events of one's own have a column each."""
    for name, rows in _snowplow_tables(calls):
        columns = list(dict.fromkeys(column for row in rows for column in row))
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, restval="")
        writer.writeheader()
        writer.writerows({column: _cell(value) for column, value in row.items()} for row in rows)
        (raw / f"{name}.csv.gz").write_bytes(gzip.compress(out.getvalue().encode(), 1, mtime=0))


def snowplow_table_parquet(raw: Path, calls: Sequence[Call]) -> None:
    """The same with times as times."""
    for name, rows in _snowplow_tables(calls):
        columns = dict.fromkeys(column for row in rows for column in row)
        texts = [{column: _cell(row.get(column)) for column in columns} for row in rows]
        table = pl.DataFrame(texts, dict.fromkeys(columns, pl.String), orient="row")
        times = table.select(pl.col("^.*_tstamp$").str.to_datetime(time_unit="us"))
        table.with_columns(times).write_parquet(raw / f"{name}.parquet")


def _snowplow_tables(calls: Sequence[Call]) -> Iterator[tuple[str, list[Row]]]:
    for name, part in weeks([call for call in calls if call.kind != "group"]):
        yield name, [_loaded(call) for call in part]


def _loaded(call: Call) -> Row:
    """A row of the table: some loaders write a context as a list, and an event's own data as a list of one."""
    cells = dict(zip(COLUMNS, _enriched(call), strict=True))
    for column in ("contexts", "unstruct_event", "derived_contexts"):
        del cells[column]
    row: Row = {
        column: cell for column, cell in cells.items() if cell or column in ("event", "domain_userid")
    }
    if call.kind == "page":
        row["contexts_com_snowplowanalytics_snowplow_web_page_1"] = [{"id": call.id}]
        for each in page_speed(call):
            row["contexts_com_example_page_speed_1_0_0"] = [each["data"]]
    else:
        row[f"unstruct_event_com_example_{cells['event_name']}_1"] = call.properties
    return row


def _cell(value: Any) -> str | None:
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _envelope(kind: str, data: Any) -> str:
    return json.dumps(
        {"schema": f"iglu:com.snowplowanalytics.snowplow/{kind}/jsonschema/1-0-0", "data": data}
    )


def _short(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


# -- anybody's own files -------------------------------------------------------------------------------------------


def own_rows(call: Call) -> Iterator[Row]:
    """A row as a team's own log may have it: events only, a login among them, with what it says of somebody."""
    if call.kind == "group":
        return
    yield {
        "kind": "login" if call.kind == "identify" else snake(call.event),
        "id": call.id,
        "at": milliseconds(call.happened),
        "arrived": _short(call.received),
        "person": call.user,
        "browser": call.device,
        "school": call.account,
        "agent": call.agent,
        **({f"said_{name}": value for name, value in flat(call.traits).items()}),
        **flat(call.properties),
    }


def own_csv(raw: Path, calls: Sequence[Call]) -> None:
    """Separated by semicolons, with a header."""
    rows = [row for call in calls for row in own_rows(call)]
    (raw / "log.csv").write_text(_as_csv(rows, delimiter=";"), encoding="utf-8")


def own_parquet(raw: Path, calls: Sequence[Call]) -> None:
    """In typed columns."""
    rows = [row for call in calls for row in own_rows(call)]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _typed([row.get(name) for row in rows]) for name in names}
    pl.DataFrame(columns).write_parquet(raw / "log.parquet")


def _as_csv(rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> str:
    """Rows of several kinds as one table: what a row lacks is empty, what is no text is JSON."""
    out = io.StringIO()
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(out, list(names), delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(
        {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in row.items()
            if value is not None
        }
        for row in rows
    )
    return out.getvalue()


# -- tables of a warehouse ------------------------------------------------------------------------------------------


def warehouse_csv(raw: Path, calls: Sequence[Call]) -> None:
    """A table per event, and pages, identifies and groups."""
    for table, rows in _tables(calls).items():
        (raw / f"{table}.csv").write_text(_as_csv(rows), encoding="utf-8")


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
        "timestamp": _zoned(call.corrected),
        "original_timestamp": _zoned(call.client),
        "sent_at": _zoned(call.sent),
        "received_at": _zoned(call.received),
        **segment_warehouse_defaults(call),
        "context_ip": call.ip,
        "context_user_agent": call.agent,
        **page,
        **flat(call.properties if call.is_event else call.traits),
    }


def _zoned(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
