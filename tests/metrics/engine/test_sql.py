"""Query texts: what is bound is data, what was written stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from headway.engine import bind, connect, identifier, literal, load, sql, with_inputs
from headway.errors import InputError

ROOT = Path(__file__).resolve().parents[3] / "metrics" / "headway"


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    connection = connect()
    yield connection
    connection.close()


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.dates(),
    st.datetimes(),
)


@settings(max_examples=150, deadline=None)
@given(value=scalars)
def test_a_literal_evaluates_to_its_value(con: DuckDBPyConnection, value: object) -> None:
    got = con.execute(f"SELECT {literal(value)}").fetchall()  # type: ignore[arg-type]
    assert len(got) == 1
    # DuckDB reads a short decimal as DECIMAL; as a number it is the same.
    assert (float(got[0][0]) if isinstance(value, float) else got[0][0]) == value


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
)
def test_an_identifier_names_exactly_its_column(con: DuckDBPyConnection, name: str) -> None:
    assert con.sql(f"SELECT 1 AS {identifier(name)}").columns == [name]


def test_values_that_have_no_literal() -> None:
    values: list[Any] = [
        float("nan"),
        float("inf"),
        [],
        "a\x00b",
        b"x",
        datetime.now().astimezone(),
        {"a": 1},
    ]
    for value in values:
        with pytest.raises(InputError):
            literal(value)
    for name in ("", "a\x00"):
        with pytest.raises(InputError):
            identifier(name)


def test_lists_and_dates() -> None:
    assert literal(["a'b", 2]) == "('a''b', 2)"
    assert literal(date(2026, 3, 29)) == "CAST('2026-03-29' AS DATE)"
    assert literal(datetime(2026, 3, 29, 1, 2, 3, 4)) == "CAST('2026-03-29 01:02:03.000004' AS TIMESTAMP)"


def test_bind_leaves_strings_names_and_comments_alone() -> None:
    text = """-- $a stays
SELECT $a, '$a', "$a", $$ $a $$ /* $a */ WHERE é = '🙂' AND x = $b_2 -- $a"""
    bound = bind(text, {"a": "1; DROP TABLE x --", "b_2": 5})
    assert bound == text.replace("SELECT $a", "SELECT '1; DROP TABLE x --'").replace("= $b_2", "= 5")


def test_bind_does_not_look_into_what_it_bound() -> None:
    assert bind("SELECT $a, $b", {"a": "$b", "b": 1}) == "SELECT '$b', 1"
    assert bind("SELECT $ a", {}) == "SELECT $ a"


def test_bind_wants_exactly_the_placeholders() -> None:
    with pytest.raises(InputError, match=r"unknown query parameter 'within'\. Did you mean 'witin'\?"):
        bind("SELECT $within", {"witin": 1})
    with pytest.raises(InputError, match="the query has no parameter 'b', 'c'"):
        bind("SELECT $a -- $b", {"a": 1, "b": 2, "c": 3})
    with pytest.raises(InputError, match="unclosed"):
        bind("SELECT '$a", {"a": 1})


def test_bind_takes_expressions_and_lists_of_columns() -> None:
    text = bind(
        "SELECT\n  $columns\nFROM $table",
        {"columns": [exp.column("a"), exp.true()], "table": exp.to_table("t")},
    )
    assert text == "SELECT\n  a,\n  TRUE\nFROM t"


BODIES = {
    "-- Header.\nSELECT * FROM ev -- end": "-- Header.\nWITH ",
    "-- Header.\n\nWITH RECURSIVE b AS (SELECT 1 /* kept */) SELECT * FROM ev, b;": "-- Header.\n\nWITH RECURSIVE ",
    "with b as (select 1) -- why\nselect * from ev": "WITH ",
}


@pytest.mark.parametrize("body", BODIES)
def test_inputs_come_first_and_the_text_stays(body: str) -> None:
    text = with_inputs(
        body, {"raw": "SELECT 'a\n  b' AS us -- note", "ev": sqlglot.parse_one("SELECT us FROM raw")}
    )
    assert text.startswith(BODIES[body])
    rest = body.split("WITH RECURSIVE ")[-1].split("with ")[-1].split("Header.\n")[-1]
    assert text.endswith(rest.rstrip(";"))
    con = connect()
    assert con.execute(text).fetchall()[0][0] == "a\n  b"
    con.close()


def test_inputs_must_be_single_statements() -> None:
    for text, ctes in (
        ("SELECT 1; SELECT 2", {}),
        ("-- nothing", {}),
        ("SELECT 1", {"a": "SELECT 1; DROP TABLE x"}),
    ):
        with pytest.raises(InputError, match="exactly one query"):
            with_inputs(text, ctes)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\n"])
def test_line_ends_inside_values_of_inputs_stay(con: DuckDBPyConnection, mark: str) -> None:
    inner = with_inputs("SELECT * FROM a", {"a": f"SELECT {literal('x' + mark + 'y')} AS v"})
    assert con.sql(with_inputs("SELECT v FROM b", {"b": inner})).fetchall() == [(f"x{mark}y",)]


def test_a_cte_cannot_break_out_of_its_parentheses() -> None:
    text = with_inputs('SELECT count(*) FROM "a""b"', {'a"b': "SELECT 1 -- )"})
    con = connect()
    assert con.execute(text).fetchall() == [(1,)]
    con.close()


def test_load_names_what_exists() -> None:
    assert load("headway.insights", "funnel") == load("headway.insights", "funnel.sql")
    with pytest.raises(InputError, match=r"unknown query 'funel.sql'\. Did you mean 'funnel.sql'\?"):
        load("headway.insights", "funel")


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.sql")), ids=lambda file: file.stem)
def test_every_query_file_says_its_grain_and_inputs(file: Path) -> None:
    lines = file.read_text().splitlines()
    header = " ".join(line for line in lines if line.startswith("--")).lower()
    assert lines[0].startswith("--")
    assert all(word in header for word in ("grain:", "input")), file.name


SHAPED = (
    "SELECT 1",
    "-- A header.\nSELECT a\nFROM b",
    "WITH a AS (\n  SELECT 1\n)\nSELECT * FROM a",
    "with recursive a as (select 1) select * from a",
    "SELECT 'two\nlines' AS a",
    'SELECT 1 AS "it\'s\none name"',
    'SELECT \'o\'\'brien\', "say ""hi"""',
    "SELECT '-- no comment; no end' AS a",
    "  SELECT 1 ;\n",
    "SELECT $$dollars;'$$ AS a",
    "SELECT 1 /* a comment;\nof two lines */ + 1",
)
"""Queries whose strings, names and comments hold what elsewhere ends a query, begins a comment or ends a line."""


@pytest.mark.parametrize("text", SHAPED)
@pytest.mark.parametrize("inner", SHAPED)
def test_what_was_put_together_is_known_as_it_would_be_read_again(text: str, inner: str) -> None:
    made = with_inputs(text, {"x": inner, "y": exp.select(exp.Literal.string("a\nb"))})
    assert sql._shape(made) == sql._shape_of(made)
    assert sql._shape(inner) == sql._shape_of(inner)
    again = with_inputs("SELECT * FROM z", {"z": made})
    sql._SHAPES.clear()
    assert with_inputs("SELECT * FROM z", {"z": made}) == again


@pytest.mark.parametrize("value", ["plain", "two\nlines", "a;b", "-- x", exp.column("c\nd", quoted=True), 7])
def test_what_was_filled_in_is_known_as_it_would_be_read_again(value: sql.Replacement) -> None:
    for template in (
        "-- A header.\nSELECT $a AS a",
        "WITH b AS (SELECT $a AS a)\nSELECT * FROM b",
        "SELECT $a ;",
    ):
        bound = bind(template, {"a": value})
        assert sql._shape(bound) == sql._shape_of(bound)


def test_a_query_may_end_in_an_empty_string() -> None:
    """At the very end of a text the tokenizer would take one for a string that is not closed."""
    bound = bind("SELECT $name AS name WHERE $name <> ''\n", {"name": "a"})
    assert with_inputs(bound, {"one": "SELECT 1 AS n"}).endswith("WHERE 'a' <> ''")
