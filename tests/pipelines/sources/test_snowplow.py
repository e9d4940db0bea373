"""Snowplow's enriched events and tables of events: real ones and broken ones."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from headway.engine import connect
from headway.errors import DefinitionError
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.snowplow import COLUMNS, recognise, recognise_table, snowplow, snowplow_table

Run = Callable[..., Any]

PLAN = """
  Page Viewed: &view
    properties:
      session_id: {class: id, domain: session}
      page_view_id: {class: id, domain: page_view}
      url: {class: url, hosts: [snowplowanalytics.com], paths: ["/"]}
      is_spider: {class: bool, from: contexts.spiders_and_robots.spiderOrRobot}
  Page Pinged: *view
  link_click: *view
"""


def envelope(data: Any) -> str:
    return json.dumps({"schema": "iglu:com.snowplowanalytics.snowplow/any/jsonschema/1-0-0", "data": data})


def described(name: str, data: Any) -> dict[str, Any]:
    return {"schema": f"iglu:com.example.shop/{name}/jsonschema/1-0-0", "data": data}


GIVEN = {
    "event": "page_view",
    "event_id": "e1",
    "domain_userid": "d1",
    "collector_tstamp": "2026-03-02 10:00:10.000",
    "derived_tstamp": "2026-03-02 10:00:05.123",
    "etl_tstamp": "2026-03-02 10:01:00.000",
}


def line(**changes: Any) -> str:
    given = GIVEN | changes
    assert set(given) <= set(COLUMNS)
    return "\t".join(str(given.get(name, "")) for name in COLUMNS)


def read(
    tmp_path: Path, shape: Run, *lines: str, columns: str = "outcome, event", end: str = "\n"
) -> list[tuple[Any, ...]]:
    path = tmp_path / "enriched.tsv"
    path.write_bytes("".join(each + end for each in lines).encode())
    rows: list[tuple[Any, ...]] = shape(path, snowplow()).execute(f"SELECT {columns} FROM shape").fetchall()
    return rows


def test_an_event_has_131_columns() -> None:
    # Places as Snowplow documents them, counted from 0.
    places = {
        "etl_tstamp": 2, "collector_tstamp": 3, "dvce_created_tstamp": 4, "event": 5, "event_id": 6, "user_id": 12,
        "domain_userid": 15, "domain_sessionidx": 16, "network_userid": 17, "contexts": 52, "se_category": 53,
        "se_value": 57, "unstruct_event": 58, "dvce_sent_tstamp": 119, "derived_contexts": 122, "domain_sessionid": 123,
        "derived_tstamp": 124, "event_vendor": 125, "event_name": 126, "event_version": 128, "event_fingerprint": 129,
        "true_tstamp": 130,
    }  # fmt: skip
    assert len(COLUMNS) == len(set(COLUMNS)) == 131
    assert {name: COLUMNS.index(name) for name in places} == places


def test_every_kind_of_event(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        line(
            event_name="page_view",
            page_url="https://a.example/",
            page_title="Home",
            page_referrer="https://b.example/",
        ),
        line(event="page_ping", pp_yoffset_max=400),
        line(event="struct", event_name="event", se_category="video", se_action="play", se_value="2.5"),
        line(event="struct", event_name="event", se_category="video"),
        line(
            event="unstruct",
            event_name="product_viewed",
            unstruct_event=envelope(described("any", {"price": 2})),
        ),
        line(event="unstruct", unstruct_event=envelope(described("product_viewed", {}))),
        line(event="unstruct", event_name="screen_view", event_version="1-0-0"),
        line(event="transaction", event_name="transaction", tr_total="9.9"),
        line(event="transaction_item", ti_price="9.9"),
        line(event="ad_impression"),
        line(event=""),
        line(event="unstruct"),
        columns="outcome, event, properties",
    )
    assert rows == [
        (
            "event",
            "Page Viewed",
            {"url": "https://a.example/", "title": "Home", "referrer": "https://b.example/"},
        ),
        ("event", "Page Pinged", {"pp_yoffset_max": "400"}),
        ("event", "play", {"se_category": "video", "se_action": "play", "se_value": "2.5"}),
        ("event", "video", {"se_category": "video"}),
        ("event", "product_viewed", {"price": "2"}),
        ("event", "product_viewed", {}),
        ("event", "Screen Viewed", {"event_version": "1-0-0"}),
        ("event", "transaction", {"tr_total": "9.9"}),
        ("event", "transaction_item", {"ti_price": "9.9"}),
        ("unknown event type", None, {}),
        ("unknown event type", None, {}),
        ("event", None, {}),
    ]


def test_times(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        line(true_tstamp="2026-03-01 00:00:00.000", dvce_created_tstamp="2026-03-02 09:59:59.001"),
        line(),
        # Without the pipeline's own correction: the device was an hour slow.
        line(
            derived_tstamp="",
            dvce_created_tstamp="2026-03-02 09:00:00.000",
            dvce_sent_tstamp="2026-03-02 09:00:04.000",
        ),
        line(derived_tstamp="", dvce_created_tstamp="2026-03-02 09:00:00.000"),
        line(derived_tstamp="yesterday", collector_tstamp="", dvce_created_tstamp="2026-03-02 09:00:00.000"),
        line(derived_tstamp="", collector_tstamp="2026-13-02 09:00:00.000"),
        columns="occurred_at, client_at, received_at",
        end="\r\n",
    )
    second, nine, received = (
        dt.timedelta(seconds=1),
        dt.datetime(2026, 3, 2, 9),
        dt.datetime(2026, 3, 2, 10, 0, 10),
    )
    assert rows == [
        (dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 2, 9, 59, 59, 1000), received),
        (dt.datetime(2026, 3, 2, 10, 0, 5, 123000), None, received),
        (received - 4 * second, nine, received),
        (received, nine, received),
        (nine, nine, None),
        (None, None, None),
    ]


NOBODY = "00000000-0000-0000-0000-000000000000"


def test_who_acts(tmp_path: Path, shape: Run) -> None:
    session = envelope([described("client_session", {"userId": "phone", "sessionId": "s9"})])
    rows = read(
        tmp_path,
        shape,
        line(
            user_id="u1",
            network_userid="n1",
            domain_sessionid="s1",
            user_ipaddress="203.0.113.9",
            useragent="A 1",
        ),
        line(domain_userid=NOBODY, network_userid="n1"),
        line(domain_userid="", network_userid=NOBODY),
        line(domain_userid="", network_userid="n1", contexts=session),
        line(domain_userid="", network_userid="n1", derived_contexts=session),
        columns="user_raw, device_raw, properties['session_id'], address, user_agent",
    )
    assert rows == [
        ("u1", "d1", "s1", "203.0.113.9", "A 1"),
        ("", "n1", None, "", ""),
        ("", None, None, "", ""),
        ("", "phone", "s9", "", ""),
        ("", "phone", "s9", "", ""),
    ]


BROKEN = [
    (line()[:-1], "too few columns"),
    ("one\ttwo", "too few columns"),
    ('{"e": "pv"}', "too few columns"),
    (line() + "\t", "too many columns"),
    (line(page_title="a\tb"), "too many columns"),
    ("", "blank"),
    (" \t ", "blank"),
    ("\t" * 130, "unknown event type"),
    (line(event="unstruct", unstruct_event="{"), "malformed event data"),
    (line(event="unstruct", unstruct_event='"text"'), "unusable properties"),
    (line(event="unstruct", unstruct_event=envelope(described("x", [1]))), "unusable properties"),
    (line(contexts="{"), "malformed contexts"),
    (line(contexts="[]"), "malformed contexts"),
    (line(derived_contexts=envelope({"a": 1})), "malformed contexts"),
    (line(contexts=envelope([7, None, described("x", 7), {"schema": 7, "data": {}}])), "event"),
    # No quoting: a quote is a letter like any other.
    (line(page_title='"It is open'), "event"),
]


def test_broken_lines_are_counted(tmp_path: Path, shape: Run, clean: Run) -> None:
    rows = read(tmp_path, shape, *(text for text, _ in BROKEN), columns="outcome, properties['contexts']")
    assert rows == [(outcome, None) for _, outcome in BROKEN]
    result = clean(tmp_path / "enriched.tsv", snowplow(), "\n  Page Viewed: {}")
    assert result.outcomes == Counter(outcome for _, outcome in BROKEN)


def test_names_are_mapped_and_contexts_reached_by_a_path(tmp_path: Path, clean: Run) -> None:
    (source,) = parse_sources(
        "sources: {s: {format: snowplow, names: {product_viewed: Product Viewed, 'it''s': Page Viewed}}}"
    )
    contexts = envelope(
        [described("user", {"plan": "pro", "email": "ada@example.com"}), described("cart", {"items": 2})]
    )
    path = tmp_path / "enriched.tsv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(line(event="unstruct", event_name="product_viewed", contexts=contexts) + "\n")
        file.write(line(event="unstruct", event_name="it's", event_id="e2") + "\n")
    plan = """
  Product Viewed:
    properties:
      plan: {class: enum, values: [pro], from: contexts.user.plan}
      items: {class: integer, from: contexts.cart.items}
  Page Viewed: {}
"""
    result = clean(path, source, plan)
    assert result.rows("SELECT event, plan, items FROM events ORDER BY line") == [
        ("Product Viewed", "pro", 2),
        ("Page Viewed", None, None),
    ]
    assert "ada@" not in result.stored()


# The tables.

WEB = "snowplow_web/source/snowplow_web_events.csv"
SHOP = "snowplow_ecommerce/source/snowplow_ecommerce_events.csv.gz"


def test_a_table_of_web_events(data: Path, clean: Run) -> None:
    result = clean(data / WEB, snowplow_table(), PLAN)
    with (data / WEB).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert result.lines == 160 and sum(result.outcomes.values()) == 160
    assert result.outcomes == {"event": 68, "undeclared event": 92}
    # Copies share an id, and the earliest that arrived is the one the lake keeps.
    kept: dict[str, str] = {}
    names = {"page_view": "Page Viewed", "page_ping": "Page Pinged", "link_click": "link_click"}
    for row in rows:
        if row["event_name"] in names:
            kept[row["event_id"]] = min(kept.get(row["event_id"], "9"), row["collector_tstamp"])
    first = result.rows("SELECT min(received_at) FROM events GROUP BY event_id ORDER BY 1")
    assert [moment for (moment,) in first] == sorted(map(dt.datetime.fromisoformat, kept.values()))
    assert result.rows("SELECT count(DISTINCT event_id) FROM events WHERE event = 'Page Viewed'") == [(49,)]
    assert (
        result.rows("SELECT is_spider, count(DISTINCT event_id) FROM events GROUP BY 1 ORDER BY 1")[0][0]
        is False
    )
    stored = result.stored()
    assert not [
        text for row in rows for text in (row["domain_userid"], row["user_id"]) if text and text in stored
    ]


def test_a_table_of_web_events_before_the_gate(data: Path, shape: Run) -> None:
    con = shape(data / WEB, snowplow_table())
    counts = "count(*), count(DISTINCT message_id), count(DISTINCT properties['session_id'])"
    assert con.execute(f"SELECT {counts} FROM shape WHERE outcome = 'event'").fetchall() == [(160, 157, 46)]
    names = "SELECT event, count(*) FROM shape GROUP BY 1"
    assert dict(con.execute(names).fetchall()) == {
        "Page Viewed": 50, "cmp_visible": 33, "consent_preferences": 32, "snplow_cookies": 16, "link_click": 10,
        "Page Pinged": 8, "login": 6, "data_structures_workflow": 4, "object_click": 1,
    }  # fmt: skip
    consent = "SELECT count(properties['basisForProcessing']) FROM shape WHERE event = 'consent_preferences'"
    snake = consent.replace("basisForProcessing", "basis_for_processing")
    assert con.execute(consent).fetchall()[0][0] + con.execute(snake).fetchall()[0][0] == 32


def expected(data: Path, name: str) -> list[dict[str, str]]:
    path = data / "snowplow_ecommerce" / "expected" / f"snowplow_ecommerce_{name}_expected.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ACTION = """
  snowplow_ecommerce_action:
    properties:
      app_id: {class: enum, values: [ecom-accel, DemoID]}
      action: {class: enum, values: [transaction, checkout_step, add_to_cart, remove_from_cart], from: type}
      session_id: {class: id, domain: session}
      order_id: {class: id, domain: order, from: contexts.transaction.transaction_id}
      revenue: {class: number, from: contexts.transaction.revenue}
      currency: {class: enum, values: [EUR, USD], from: contexts.transaction.currency}
      step: {class: integer, from: contexts.checkout_step.step}
"""


def bare_tables(data: Path, folder: Path) -> Path:
    """The tables of contexts, and the events without any, as Redshift exports them; joined as docs/sources.md says."""
    for path in (data / SHOP).parent.glob("com_*"):
        (folder / path.name).symlink_to(path)
    docs = Path(__file__).parents[3] / "docs" / "sources.md"
    (recipe,) = re.findall(
        r"```text\n(CREATE MACRO cells.*?)```", docs.read_text(encoding="utf-8"), re.DOTALL
    )
    kept = "COLUMNS(lambda c: NOT starts_with(c, 'contexts_') AND NOT starts_with(c, 'unstruct_'))"
    bare = f"SELECT {kept} FROM read_csv('{data / SHOP}', all_varchar = true)"
    con = connect()
    try:
        con.execute(f"COPY ({bare}) TO 'events.csv.gz'")
        con.execute(recipe)
    finally:
        con.close()
    return folder / "events.parquet"


@pytest.mark.parametrize("apart", [False, True])
def test_a_table_of_shop_events(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean: Run, apart: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    result = clean(bare_tables(data, tmp_path) if apart else data / SHOP, snowplow_table(), ACTION)
    assert result.outcomes == {"event": 834}
    assert result.rows("SELECT count(DISTINCT event_id) FROM events") == [(834,)]
    # One event is of an app the expected tables leave out.
    sessions = "SELECT count(DISTINCT session_id) FROM events WHERE app_id IS NOT NULL"
    assert result.rows(sessions) == [(len(expected(data, "sessions")),)] == [(63,)]
    # An order that was sent twice under two event ids is one transaction.
    orders = "SELECT DISTINCT order_id, currency, revenue FROM events WHERE action = 'transaction'"
    totals = f"SELECT currency, count(*), round(sum(revenue), 2) FROM ({orders}) GROUP BY 1 ORDER BY 1"
    assert result.rows(totals) == [("EUR", 13, 1_234_863.89), ("USD", 1, 231_231.0)]
    steps = (
        "SELECT step, count(*) FROM events WHERE action = 'checkout_step' AND app_id IS NOT NULL GROUP BY 1"
    )
    # Step 4 is the order itself: 14 transactions complete the 52 interactions.
    assert dict(result.rows(steps)) == {1: 19, 2: 18, 3: 1}
    assert 19 + 18 + 1 + 14 == len(expected(data, "checkout_interactions")) == 52
    carts = "SELECT action, count(*) FROM events WHERE action LIKE '%_cart' GROUP BY 1 ORDER BY 1"
    assert result.rows(carts) == [("add_to_cart", 38), ("remove_from_cart", 15)]
    # An order is an interaction with its cart too: it empties it.
    assert 38 + 15 + 14 == len(expected(data, "cart_interactions")) == 67


@pytest.mark.parametrize("apart", [False, True])
def test_products_of_a_shop_event_are_numbered(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: Run, apart: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    con = shape(bare_tables(data, tmp_path) if apart else data / SHOP, snowplow_table())
    interactions = expected(data, "product_interactions")
    con.execute("CREATE TABLE wanted (id VARCHAR)")
    con.executemany(
        "INSERT INTO wanted VALUES (?)", [[each] for each in {row["event_id"] for row in interactions}]
    )
    keys = (
        "list_filter(json_keys(properties['contexts']), lambda k: regexp_full_match(k, 'product(:[0-9]+)?'))"
    )
    query = f"SELECT sum(len({keys})) FROM shape JOIN wanted ON id = message_id"
    assert con.execute(query).fetchall() == [(len(interactions),)] == [(928,)]


HEADER = ("event", "event_id", "collector_tstamp", "domain_userid", "event_name")


def table(tmp_path: Path, columns: Iterable[str], *rows: Iterable[str]) -> Path:
    path = tmp_path / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(columns), *map(list, rows)])
    return path


def test_cells_of_tables_that_are_broken(tmp_path: Path, shape: Run) -> None:
    own, context = "unstruct_event_com_example_x_1_0_0", "contexts_com_example_plan_1"
    start = ("unstruct", "e1", "2026-03-02 10:00:10", "d1", "x")
    path = table(
        tmp_path,
        (*HEADER, own, context),
        (*start, '{"a": 1}', '{"name": "pro"}'),
        (*start, '[{"a": 1}]', "[]"),
        (*start, "{", ""),
        (*start, "7", ""),
        (*start, "[]", '[{"name": "pro"}, 7, null]'),
        (*start, "", "["),
        (*start, "", "7"),
        ("pv", *start[1:], "", ""),
    )
    query = "SELECT outcome, properties FROM shape ORDER BY line"
    plan = {"plan": {"name": "pro"}}
    rows = shape(path, snowplow_table(vendors=("com.example",))).execute(query).fetchall()
    assert [(outcome, {k: json.loads(v) for k, v in found.items()}) for outcome, found in rows] == [
        ("event", {"a": 1, "contexts": plan}),
        ("event", {"a": 1}),
        ("malformed event data", {}),
        ("unusable properties", {}),
        ("event", {"contexts": plan}),
        ("malformed contexts", {}),
        ("malformed contexts", {}),
        ("unknown event type", {}),
    ]
    # Where the vendor is not known, it stays part of the context's name.
    ((_, found), *_) = shape(path, snowplow_table()).execute(query).fetchall()
    assert json.loads(found["contexts"]) == {"com_example_plan": {"name": "pro"}}


def test_a_table_as_parquet(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "part-0.parquet"
    when = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
    rows = {
        "event": ["page_view"],
        "event_id": ["e1"],
        "collector_tstamp": pa.array([when], pa.timestamp("us", "UTC")),
        "derived_tstamp": pa.array([when.replace(tzinfo=None)], pa.timestamp("us")),
        "domain_userid": ["d1"],
        "contexts_com_snowplowanalytics_snowplow_web_page_1": [[{"id": "view-1"}]],
        "page_url": ["https://snowplowanalytics.com/"],
    }
    parquet.write_table(pa.table(rows), path)
    result = clean(path, snowplow_table(), PLAN)
    found = "SELECT occurred_at, received_at, url, page_view_id IS NOT NULL FROM events"
    moment = when.replace(tzinfo=None)
    assert result.rows(found) == [(moment, moment, "snowplowanalytics.com/", True)]


def test_a_table_without_its_columns_is_set_aside(tmp_path: Path, clean: Run) -> None:
    result = clean(table(tmp_path, ("event", "user"), ("page_view", "ada")), snowplow_table(), PLAN)
    assert "no column 'event_id', 'collector_tstamp', 'domain_userid'" in result.damaged[1]


def test_recognition() -> None:
    assert "131 columns" in (recognise(Sample("a", (line(), line()))) or "")
    assert recognise(Sample("a", (line(), "x"))) is None
    assert recognise(Sample("a", (line(collector_tstamp="soon"),))) is None
    assert recognise(Sample("a")) is None
    assert "dvce_created_tstamp" in (recognise_table(Sample("a", columns=COLUMNS)) or "")
    assert recognise_table(Sample("a", columns=("event_id", "user_id"))) is None


def test_wrong_vendors() -> None:
    with pytest.raises(DefinitionError, match="is not a vendor"):
        parse_sources("sources: {s: {format: snowplow_table, vendors: ['(']}}")
