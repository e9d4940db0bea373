"""Selectors: what is allowed, what a missing property means, and that nothing can be smuggled in."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.engine import connect
from headway.errors import InputError
from headway.selectors import Event, as_event, condition, names_of, parse_where

COLUMNS = ["a", "b", "s", "done", "select", "weird name"]


@cache
def con() -> DuckDBPyConnection:
    connection = connect()
    frame = pl.DataFrame(
        {
            "n": [0, 1, 2, 3],
            "a": [1, 2, None, -3],
            "b": [1, None, None, 5],
            "s": ["x", "it's", None, "x%;--é🙂"],
            "done": [True, False, None, True],
            "select": [1, 2, 3, 4],
            "weird name": [0, 0, 0, 1],
        }
    )
    connection.register("t", frame)
    return connection


def rows_where(text: str) -> list[int]:
    """Numbers of the rows a condition holds for; every row must be decided."""
    found = (
        con().execute(f"SELECT n, {parse_where(text, COLUMNS).sql('duckdb')} FROM t ORDER BY n").fetchall()
    )
    assert all(value in (True, False) for _, value in found), "a condition must never be unknown"
    return [n for n, value in found if value]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a = 1", [0]),
        ("a <> 1", [1, 2, 3]),
        ("a != 1", [1, 2, 3]),
        ("a > 0", [0, 1]),
        ("a >= 2 or a < -2.5", [1, 3]),
        ("not a = 1", [1, 2, 3]),
        ("not a <> 1", [0]),
        ("not (a = 1 and b = 1)", [1, 2, 3]),
        ("a in (1, 2)", [0, 1]),
        ("a not in (1, 2)", [2, 3]),
        ("s like 'x%'", [0, 3]),
        ("s not like 'x%'", [1, 2]),
        ("not s like 'x%'", [1, 2]),
        ("not s not like 'x%'", [0, 3]),
        ("s = 'it''s'", [1]),
        ("s = 'x%;--é🙂'", [3]),
        ("a is null", [2]),
        ("a is not null", [0, 1, 3]),
        ("a between -3 and 1", [0, 3]),
        ("not (a between -3 and 1)", [1, 2]),
        ("a = b", [0]),
        ("a <> b", [1, 2, 3]),
        ("1 = a", [0]),
        ("(a) = (1)", [0]),
        ("done = true", [0, 3]),
        ("done <> true", [1, 2]),
        ('"select" > 3 and "weird name" = 1', [3]),
        ("a = 1 or b = 5 and s = 'x'", [0]),
        ("s = 'x'' OR 1=1 --'", []),
        ("s = 'x; DROP TABLE t'", []),
        ("s in ('x', '')", [0]),
    ],
)
def test_conditions_decide_every_row(text: str, rows: list[int]) -> None:
    assert rows_where(text) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1; DROP TABLE events", "semicolon"),
        ("a = 1 -- and more", "comment"),
        ("a = 1 /* and more */", "comment"),
        ("lower(s) = 'x'", "cannot use lower(...)"),
        ("read_csv('/etc/passwd') = 1", "cannot use read_csv(...)"),
        ("a = (select 1)", "cannot use SUBQUERY"),
        ("a in (select a from t)", "cannot use IN"),
        ("exists (select 1)", "cannot use exists(...)"),
        ("a = (SELECT 1) OR 1 = 1", "cannot use SUBQUERY"),
        ("a::text = '1'", "cannot use cast(...)"),
        ("a + 1 = 2", "cannot use ADD"),
        ("a = 1 UNION SELECT 1", "cannot read the condition"),
        ("a = $x", "cannot use"),
        ("a = ?", "cannot use"),
        ("s ~ 'x'", "cannot use"),
        ("s ilike 'x'", "cannot use ILIKE"),
        ("s like 'x' escape '!'", "cannot use ESCAPE"),
        ("s like b", "compare a property with values"),
        ("a = null", "is null"),
        ("a in (1, null)", "is null"),
        ("a in ()", "at least one value"),
        ("a is true", "'is' goes with null only"),
        ("a", "alone is not a condition"),
        ("true", "alone is not a condition"),
        ("1 < a < 3", "cannot use LT"),
        ("case when a = 1 then true end", "cannot use"),
        ("a = E'x'", "cannot use"),
        ("a = 'x' 'y'", "cannot use"),
        ("", "cannot read the condition"),
        ("a = 'x", "cannot read the condition"),
        ("a = ", "cannot read the condition"),
        ("person.plan = 'pro'", "'person.plan' is not known here: no person properties are"),
        ("account_latest.plan = 'pro'", "account_properties in the tracking plan"),
        ("x.person.plan = 'pro'", "write the property name alone"),
        ("events.a = 1", "write the property name alone"),
        ("aa = 1", "unknown property 'aa'. Did you mean 'a'?"),
        ("event = 'x'", "unknown property 'event'"),
        ("(" * 5000 + "a = 1" + ")" * 5000, "at most 10000 characters"),
        ("(" * 4000 + "a = 1" + ")" * 4000, "nested too deeply"),
        ("s <> 'ａ' AND “a” = 1", "unknown property '“a”'"),
    ],
)
def test_everything_else_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_where(text, COLUMNS)
    assert message.lower() in str(caught.value).lower()


atoms = st.sampled_from(
    [
        "a = 1",
        "a <> 1",
        "a in (1, 2)",
        "a not in (2)",
        "s like 'x%'",
        "s not like 'x%'",
        "b is null",
        "a < b",
        "b >= 1",
    ]
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, st.sampled_from(["and", "or"]), inner)
    return st.one_of(inner.map("not ({})".format), pair.map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"))


@settings(max_examples=60, deadline=None)
@given(text=st.recursive(atoms, _compound, max_leaves=6))
def test_not_is_the_opposite(text: str) -> None:
    every = {0, 1, 2, 3}
    assert set(rows_where(f"not ({text})")) == every - set(rows_where(text))


@settings(max_examples=60, deadline=None)
@given(value=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30))
def test_a_quoted_text_is_only_ever_a_text(value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    tree = parse_where(f"s = {quoted}", COLUMNS)
    con().register("two", pl.DataFrame({"s": [value, value + "!"]}))
    assert con().execute(f"SELECT s FROM two WHERE {tree.sql('duckdb')}").fetchall() == [(value,)]


pieces = [*"ab s='\";-/*()<>!,.%$?é", "select ", " or ", "null", "a = 1", "not ", " in (1)", " like "]


@settings(max_examples=200, deadline=None)
@given(text=st.lists(st.sampled_from(pieces), max_size=14).map("".join))
def test_no_text_does_anything_but_parse_or_fail(text: str) -> None:
    try:
        tree = parse_where(text, COLUMNS)
    except InputError:
        return
    assert set(names_of([tree])) <= set(COLUMNS)


def test_names_and_hostile_names() -> None:
    name = "x' OR '1'='1"
    assert condition(name, []).sql("duckdb") == "\"event\" = 'x'' OR ''1''=''1'"
    assert condition(["a", name], []).sql("duckdb") == "\"event\" IN ('a', 'x'' OR ''1''=''1')"
    assert condition(Event(None), []).sql("duckdb") == "TRUE"
    assert condition(Event(None, where="a = 1"), ["a"]).sql("duckdb") == '("a" = 1 AND NOT "a" IS NULL)'


def test_events_are_values() -> None:
    assert Event(["a", "b", "a"]) == Event(("a", "b"))
    assert len({as_event("a"), Event("a"), as_event(Event("a"))}) == 1
    assert Event("a").names == Event(["a"]).names == ("a",)
    assert Event(None).names is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Event(""),
        lambda: Event([]),
        lambda: Event(["a", ""]),
        lambda: Event(["a", 1]),  # type: ignore[list-item]
        lambda: Event({"a": 1}),  # type: ignore[arg-type]
        lambda: Event("a", optional="no"),  # type: ignore[arg-type]
        lambda: Event("a", where=1),  # type: ignore[arg-type]
        lambda: as_event(3),  # type: ignore[arg-type]
        lambda: as_event(None),  # type: ignore[arg-type]
    ],
)
def test_wrong_events_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(InputError):
        make()


def test_a_condition_that_is_no_text_is_named() -> None:
    with pytest.raises(InputError, match=r"a condition is a text such as .* not a int"):
        parse_where(5, ["a"])  # type: ignore[arg-type]


def test_a_text_without_quotes_is_told_how_to_be_written() -> None:
    with pytest.raises(InputError, match=r"unknown property 'teacher'.* A text goes in single quotes"):
        parse_where("role = teacher", ["role"])
