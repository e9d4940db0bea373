"""The channel of a person's first touch."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headway.engine import connect
from headway.errors import InputError
from headway.frameworks import first_touch_channels
from headway.models.product import Product

RULES = [
    {"name": "paid", "where": "utm_medium in ('cpc', 'ppc')"},
    {"name": "email", "where": "utm_medium = 'email'"},
    {"name": "organic", "where": "referrer like '%search%' or utm_medium = 'cpc'"},
]

Row = tuple[int, int, int, int, str | None, str | None]


def product(rules: list[dict[str, str]] = RULES) -> Product:
    return Product.model_validate(
        {"name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "A", "channels": rules}
    )


def database(rows: list[Row]) -> duckdb.DuckDBPyConnection:
    con = connect()
    con.execute(
        "CREATE TABLE events (person UUID, occurred_at TIMESTAMP, line UINTEGER, event_id UUID, utm_medium VARCHAR, "
        "referrer VARCHAR)"
    )
    for person, us, line, tie, medium, referrer in rows:
        con.execute(
            "INSERT INTO events VALUES (?, make_timestamp(?), ?, ?, ?, ?)",
            [str(UUID(int=person)), us, line, str(UUID(int=tie)), medium, referrer],
        )
    return con


def channels(rows: list[Row], rules: list[dict[str, str]] = RULES) -> dict[int, tuple[datetime, str]]:
    con = database(rows)
    try:
        found = first_touch_channels(con, product(rules)).fetchall()
        return {person.int: (seen, channel) for person, seen, channel in found}
    finally:
        con.close()


def test_by_hand() -> None:
    found = channels(
        [
            (1, 5, 0, 1, None, None),  # carries nothing: not a touch
            (1, 6, 0, 2, None, "search.example"),
            (1, 7, 0, 3, "cpc", None),  # too late
            (2, 5, 0, 1, "cpc", "search.example"),  # the first rule wins
            (3, 5, 0, 1, None, None),
            (4, 5, 0, 1, "social", None),  # a touch that no rule knows
            (4, 6, 0, 2, "email", None),
            (5, 5, 2, 1, "email", None),  # same instant: the lower line is first
            (5, 5, 1, 2, "cpc", None),
            (6, 5, 1, 2, "email", None),  # same line: the lower id is first
            (6, 5, 1, 1, "cpc", None),
        ]
    )
    assert {person: channel for person, (_, channel) in found.items()} == {
        1: "organic", 2: "paid", 3: "direct", 4: "direct", 5: "paid", 6: "paid",
    }  # fmt: skip
    assert found[1][0] == datetime(1970, 1, 1, 0, 0, 0, 5)


def test_without_rules_everybody_is_direct() -> None:
    assert channels([(1, 5, 0, 1, "cpc", None)], []) == {1: (datetime(1970, 1, 1, 0, 0, 0, 5), "direct")}


def test_a_rule_over_a_missing_column_is_named() -> None:
    con = database([])
    with pytest.raises(InputError, match="unknown property 'utm_source'"):
        first_touch_channels(con, product([{"name": "paid", "where": "utm_source = 'x'"}]))


@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.integers(0, 3),
            st.integers(0, 1),
            st.integers(1, 10**6),
            st.sampled_from([None, None, "cpc", "email", "social"]),
            st.sampled_from([None, None, "search.example", "forum.example"]),
        ),
        max_size=40,
        unique_by=lambda row: row[3],
    )
)
def test_equals_a_naive_loop(rows: list[Row]) -> None:
    expected = {}
    for person in {row[0] for row in rows}:
        own = sorted((row for row in rows if row[0] == person), key=lambda row: row[1:4])
        channel = "direct"
        for _, _, _, _, medium, referrer in own:
            if medium is not None or referrer is not None:
                if medium in ("cpc", "ppc"):
                    channel = "paid"
                elif medium == "email":
                    channel = "email"
                elif referrer is not None and "search" in referrer:
                    channel = "organic"
                break
        expected[person] = (datetime(1970, 1, 1, 0, 0, 0, own[0][1]), channel)
    assert channels(rows) == expected
