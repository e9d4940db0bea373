"""sources.yml: what it says becomes sources, and what is wrong in it is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.errors import DefinitionError
from headway_pipelines.sources.config import load_sources, parse_sources, source_of
from headway_pipelines.sources.shape import Reader
from headway_pipelines.workspace import Workspace

WHOLE = r"""
sources:
  web: {format: segment, files: ["web/**/*.json.gz"]}
  requests: {format: segment_wire, files: ["requests/*"]}
  orders:
    format: delimited
    files: ["cdnow/*"]
    separator: whitespace
    columns: [customer, date, quantity, amount]
    event: {value: "Order Completed"}
    user: customer
    time: {column: date, format: "%Y%m%d", timezone: UTC}
    properties: {amount: amount, quantity: quantity}
  mail:
    format: jsonl
    files: ["mail/**"]
    event: {column: kind, names: {open: Mail Opened}}
    device: to.hash
    account: customer
    id: id
    time: {column: at, format: ms}
    received: {column: got}
  warehouse:
    format: parquet
    files: ["*.parquet"]
    event: {value: Parcel Sent}
    user: customer.id
    time: {column: day}
  tabs: {format: delimited, files: ["t/*.tsv"], separator: "\t", event: {value: X}, user: u, time: {column: t}}
  site: {format: access_log, files: ["**/*.log*"]}
"""


def test_every_format() -> None:
    sources = parse_sources(WHOLE)
    assert [(s.name, s.format) for s in sources] == [
        ("web", "segment"),
        ("requests", "segment_wire"),
        ("orders", "delimited"),
        ("mail", "jsonl"),
        ("warehouse", "parquet"),
        ("tabs", "delimited"),
        ("site", "access_log"),
    ]
    readers = {s.name: s.reader for s in sources}
    columns = ("customer", "date", "quantity", "amount")
    assert readers["orders"] == Reader(
        "delimited", "whitespace", columns, ("customer", "date", "amount", "quantity")
    )
    assert readers["warehouse"] == Reader("parquet", required=("customer.id", "day"))
    assert readers["tabs"] == Reader("delimited", "\t", required=("u", "t"))
    assert readers["mail"] == readers["site"] == readers["web"] == Reader()


def test_the_first_matching_pattern_wins() -> None:
    sources = parse_sources(WHOLE)
    found = {
        "web/a.json.gz": "web",
        "web/2026/03/a.json.gz": "web",
        "web/a.json": None,
        "requests/a": "requests",
        "requests/a/b": None,
        "cdnow/x.log": "orders",
        "mail/a": "mail",
        "mail/a/b.log": "mail",
        "x.parquet": "warehouse",
        "a/x.parquet": None,
        "access.log": "site",
        "nginx/a/access.log.2.gz": "site",
    }
    for path, name in found.items():
        source = source_of(sources, path)
        assert (source and source.name) == name, path
    source = source_of(sources, Path("web") / "a.json.gz")
    assert source is not None and source.name == "web"


def test_without_a_file_everything_is_segment(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    (source,) = load_sources(workspace)
    assert source.format == "segment" and source_of((source,), "any/thing.gz") == source
    workspace.sources_file.write_text("sources:\n  a: {format: access_log}\n", encoding="utf-8")
    assert [s.name for s in load_sources(workspace)] == ["a"]


ORDERS = "sources:\n  orders:\n    format: {format}\n    event: {event}\n    user: {user}\n    time: {time}\n{more}"
GOOD = {
    "format": "delimited",
    "event": "{value: Order}",
    "user": "customer",
    "time": "{column: date}",
    "more": "",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"format": "delimted"},
            "2: sources.orders: unknown format 'delimted'; allowed: .* (did you mean 'delimited'?)",
        ),
        ({"event": "{}"}, "4: sources.orders.event: write either value"),
        ({"event": "{value: A, column: b}"}, "4: sources.orders.event: write either value"),
        ({"event": "{value: A, names: {b: C}}"}, "4: sources.orders.event: names: needs column"),
        ({"event": "{colum: b}"}, "4: sources.orders.event.colum: unknown key; .* (did you mean 'column'?)"),
        ({"user": "null"}, "2: sources.orders: has neither user nor device"),
        ({"user": "'a..b'"}, "2: sources.orders: 'a..b' cannot name a field"),
        (
            {"time": "{column: date, format: isoo}"},
            "6: sources.orders.time.format: unknown time format 'isoo'; .*",
        ),
        (
            {"time": "{column: date, format: '%Q'}"},
            "6: sources.orders.time.format: '%Q' is not a time pattern",
        ),
        (
            {"time": "{column: date, timezone: Europe/Berln}"},
            "6: .*unknown time zone 'Europe/Berln'; .*'Europe/Berlin'",
        ),
        ({"time": "{format: s}"}, "6: sources.orders.time.column: is missing"),
        ({"more": "    separator: ab\n"}, "7: sources.orders.separator: 'ab' is not a separator"),
        (
            {"more": "    columns: [customer, customer]\n"},
            "2: sources.orders: columns lists 'customer' twice",
        ),
        (
            {"more": "    columns: [customer, dat]\n"},
            "2: sources.orders: 'date' is not among the columns; .*'dat'",
        ),
        ({"more": "    files: []\n"}, "7: sources.orders.files: is empty"),
        (
            {"more": "    files: [/tmp/x]\n"},
            "7: sources.orders.files: '/tmp/x' is not a pattern of paths below raw/",
        ),
        (
            {"more": "    sepparator: x\n"},
            "7: sources.orders.sepparator: unknown key; .* (did you mean 'separator'?)",
        ),
    ],
)
def test_wrong_mappings_name_their_line(change: dict[str, str], message: str) -> None:
    text = ORDERS
    for name, value in (GOOD | change).items():
        text = text.replace("{" + name + "}", value)
    pattern = message.replace("(did", r"\(did").replace("?)", r"\?\)")
    with pytest.raises(DefinitionError, match="sources.yml:" + pattern) as caught:
        parse_sources(text)
    assert caught.value.__cause__ is None


def test_wrong_names() -> None:
    with pytest.raises(DefinitionError, match="'Web Site' is not a source name"):
        parse_sources("sources:\n  Web Site: {format: segment}\n")
    with pytest.raises(DefinitionError, match="sources: is empty"):
        parse_sources("sources: {}\n")
    with pytest.raises(DefinitionError, match="is not a site; write scheme and host"):
        parse_sources("sources:\n  s: {format: access_log, site: 'https://a.example/x'}\n")
