"""Each privacy class, value by value: what becomes of the raw text is looked up in a table written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from headway.engine import connect
from headway.engine.sql import identifier
from headway.models.plan import parse_plan
from headway_pipelines.privacy.classes import (
    column_rules,
    declared_keys,
    typed_rows,
    value_of,
    violation_masks,
)
from headway_pipelines.privacy.second_line import SecondLine

PLAN = """
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  E:
    properties:
"""


def stored(declaration: str, *raw: str | None) -> list[dict[str, Any]]:
    """What a plan with one property called ``p`` stores of raw values, by column."""
    rules, urls = column_rules(parse_plan(f"{PLAN}      p: {declaration}\n"))
    con = connect()
    try:
        con.execute(
            "CREATE TABLE judged (n INTEGER, event VARCHAR, outcome VARCHAR, properties MAP(VARCHAR, VARCHAR), "
            "property_names VARCHAR[], property_texts VARCHAR[])"
        )
        for n, value in enumerate(raw):
            con.execute("INSERT INTO judged VALUES (?, 'E', 'event', MAP {'p': ?}, NULL, NULL)", [n, value])
        for table in urls:
            con.execute(f"CREATE TABLE {table.name} AS {table.query()}")
        columns = ", ".join(f"{rule.typed_name} AS {identifier(rule.name)}" for rule in rules)
        joins = " ".join(table.join() for table in urls)
        second_line = SecondLine("event", rules, urls, "judged")
        second_line.look(con)
        rows = typed_rows(rules, "n, event", f"judged {joins}", second_line.tables)
        found = con.execute(f"SELECT {columns} FROM ({rows}) ORDER BY n")
        names = [d[0] for d in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    finally:
        con.close()


def one(declaration: str, raw: str | None) -> Any:
    [row] = stored(declaration, raw)
    return row["p"]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("free", "free"),
        ("Free", None),
        ("free ", None),
        ("freee", None),
        ("", None),
        (None, None),
        ("pro'; --", None),
    ],
)
def test_enum(raw: str | None, value: str | None) -> None:
    assert one("{class: enum, values: [free, pro]}", raw) == value


@pytest.mark.parametrize(
    ("raw", "value"), [("FREE", "free"), ("Pro", "Pro"), ("pro", "Pro"), ("other", None)]
)
def test_enum_without_case(raw: str, value: str | None) -> None:
    assert one("{class: enum, values: [free, Pro], case: fold}", raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("12.5", 12.5),
        ("0", 0.0),
        ("1e2", 100.0),
        ("100", 100.0),
        ("100.0001", None),
        ("-0.1", None),
        ("1e400", None),
        ("inf", None),
        ("nan", None),
        ("12,5", None),
        ("0x10", None),
        ("12.5 EUR", None),
        ("٤٢", None),
        ("grizelda@example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_number(raw: str | None, value: float | None) -> None:
    assert one("{class: number, min: 0, max: 100}", raw) == value


def test_number_without_bounds_is_finite() -> None:
    assert [r["p"] for r in stored("{class: number}", "-1e300", "1e309", "-inf", "nan")] == [
        -1e300,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("7", 7),
        ("7.0", 7),
        ("7.5", None),
        ("-1", None),
        ("101", None),
        ("9223372036854775808", None),
        ("1e1", 10),
        ("true", None),
        ("4111111111111111", None),
    ],
)
def test_integer(raw: str, value: int | None) -> None:
    assert one("{class: integer, min: 0, max: 100}", raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [("true", True), ("False", False), ("1", True), ("0", False), ("yes", None), ("2", None), ("", None)],
)
def test_bool(raw: str, value: bool | None) -> None:
    assert one("{class: bool}", raw) is value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("2026-03-02T11:00:00+02:00", "2026-03-02 09:00:00"),
        ("2026-03-02T09:00:00Z", "2026-03-02 09:00:00"),
        ("2026-03-02 09:00:00.123456", "2026-03-02 09:00:00.123456"),
        ("2026-03-02", "2026-03-02 00:00:00"),
        ("tomorrow", None),
        ("2026-02-30", None),
        ("1767225600", None),
    ],
)
def test_timestamp(raw: str, value: str | None) -> None:
    found = one("{class: timestamp}", raw)
    assert (None if found is None else str(found)) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("ab-12", "ab-12"),
        ("ab-12 ", None),
        ("9ab-12", None),
        ("ab-12\n", None),
        ("ab-12\nab-12", None),
        ("a" * 62 + "-1", "a" * 62 + "-1"),
        ("a" * 63 + "-1", None),
        ("ab-4111111111111111", None),  # fits the pattern, looks like a card
    ],
)
def test_token(raw: str, value: str | None) -> None:
    assert one('{class: token, pattern: "[a-z]+-[0-9]+"}', raw) == value


def test_token_alternatives_are_anchored_as_a_whole() -> None:
    found = stored('{class: token, pattern: "ab|cd"}', "ab", "cd", "abx", "xcd")
    assert [r["p"] for r in found] == ["ab", "cd", None, None]


def test_ids_are_trimmed_and_handed_to_the_vault() -> None:
    rules, _ = column_rules(parse_plan(f"{PLAN}      p: {{class: id, domain: order}}\n"))
    assert [(rule.name, rule.sql_type, rule.domain) for rule in rules] == [("p", "UUID", "order")]
    assert [r["p"] for r in stored("{class: id, domain: order}", " o-1 ", "  ", "")] == ["o-1", None, None]


URL = '{class: url, hosts: [shop.example.com], paths: ["/", "/p/*", "/a/b"], query: [utm_source]}'


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("https://shop.example.com", "shop.example.com/"),
        ("https://shop.example.com/", "shop.example.com/"),
        ("http://SHOP.example.com:8080/p/42", "shop.example.com/p/*"),
        ("https://shop.example.com/p/42/", "shop.example.com/p/*"),
        ("https://shop.example.com/p/grizelda@example.com?q=1#x", "shop.example.com/p/*"),
        ("https://shop.example.com/p/42/reviews", "shop.example.com/…"),
        ("https://shop.example.com/P/42", "shop.example.com/…"),
        ("https://shop.example.com/a/b", "shop.example.com/a/b"),
        ("https://shop.example.com/a.b", "shop.example.com/…"),
        ("https://shop.example.com//p/42", "shop.example.com/…"),
        ("https://shop.example.com/grizelda-quux", "shop.example.com/…"),
        ("https://grizelda:secret@shop.example.com/", "shop.example.com/"),
        ("https://shop.example.com@evil.example.org/", None),
        ("https://shop.example.com.evil.example.org/", None),
        ("https://evil.example.org/?x=https://shop.example.com/", None),
        ("https://evil.example.org#https://shop.example.com/", None),
        ("javascript:alert('shop.example.com')", None),
        ("//shop.example.com/", None),
        ("/p/42", None),
        ("shop.example.com/p/42", None),
        ("grizelda@example.com", None),
        ("", None),
    ],
)
def test_url(raw: str, value: str | None) -> None:
    assert one(URL, raw) == value


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("?utm_source=news", "news"),
        ("?x=1&utm_source=spring_sale-2&y", "spring_sale-2"),
        ("?utm_source=spring+sale", "spring+sale"),
        ("?utm_source=first&utm_source=second", "first"),
        ("?utm_source=", None),
        # a device, and something encoded: labels are short words
        ("?utm_source=042733bd-15ae-5f39-bc04-1673f60d9742", None),
        ("?utm_source=eGJvcm4gMTkyMy0wMi0yMiAoYWFiZGQp", None),
        ("?my_utm_source=news", None),
        ("#?utm_source=news", None),
        ("?utm_source=grizelda%40example.com", None),
        ("?utm_source=grizelda@example.com", None),
        ("?utm_source=Grizelda%20Quux", None),
        ("?utm_source=%2B12025550143", None),
        ("?utm_source=203.0.113.7", None),
        ("?utm_source=%ff", None),
        ("?utm_source=%3Cscript%3E", None),
        ("?utm_source=" + "a" * 65, None),
    ],
)
def test_query_parameters(query: str, value: str | None) -> None:
    [row] = stored(URL, f"https://shop.example.com/{query}")
    assert row["utm_source"] == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("https://www.google.com/search?q=grizelda+quux", "www.google.com"),
        ("http://GRIZELDA:pw@Blog.Example.org:81/x", "blog.example.org"),
        ("https://203.0.113.7/", None),
        ("https://localhost/", None),
        ("https://[2001:db8::1]/", None),
        ("android-app://com.example.mail/", "com.example.mail"),
        ("https://grizelda.quux@example.com/", "example.com"),
        ("https://a..b.com/", None),
        ("not an address", None),
    ],
)
def test_host_only(raw: str, value: str | None) -> None:
    assert one("{class: url, keep: host}", raw) == value


def test_texts_and_sensitive_values_have_no_column() -> None:
    for class_ in ("text", "sensitive"):
        plan = parse_plan(f"{PLAN}      p: {{class: {class_}}}\n      q: {{class: bool}}\n")
        assert [rule.name for rule in column_rules(plan)[0]] == ["q"]
        assert declared_keys(plan)[("E", "p")] == class_


def test_every_misfit_sets_its_own_bit() -> None:
    """More columns than one word has bits."""
    names = [f"p{i}" for i in range(130)]
    declared = "".join(f"      {name}: {{class: bool}}\n" for name in names)
    rules, _ = column_rules(parse_plan(PLAN + declared))
    masks = violation_masks(rules)
    assert len(masks) == 3
    con = connect()
    try:
        for misfit in (0, 61, 62, 123, 124, 129):
            given = ", ".join(
                f"{'NULL' if i == misfit else 'TRUE'} AS {r.typed_name}" for i, r in enumerate(rules)
            )
            raw = ", ".join(f"'x' AS {r.raw_name}" for r in rules)
            words = con.execute(f"SELECT {', '.join(masks)} FROM (SELECT {given}, {raw})").fetchall()[0]
            found = [i for i in range(130) if words[i // 62] >> (i % 62) & 1]
            assert found == [misfit]
    finally:
        con.close()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("p", "plain"),
        ("properties.p", "plain"),
        ("nested.a.b", "deep"),
        ("nested.c", None),
        ("quote's", "kept"),
        ("gone", None),
    ],
)
def test_where_values_are_looked_up(source: str, value: str | None) -> None:
    con = connect()
    try:
        properties = {"p": "plain", "nested": '{"a": {"b": "deep"}}', "quote's": "kept", "empty": ""}
        con.execute(
            "CREATE TABLE t (properties MAP(VARCHAR, VARCHAR), property_names VARCHAR[], property_texts VARCHAR[])"
        )
        con.execute("INSERT INTO t (properties) VALUES (?)", [properties])
        con.execute("INSERT INTO t SELECT NULL, map_keys(properties), map_values(properties) FROM t")
        assert con.execute(f"SELECT {value_of(source)} FROM t").fetchall() == [(value,)] * 2
        assert con.execute(f"SELECT {value_of('empty')} FROM t").fetchall() == [(None,)] * 2
    finally:
        con.close()
