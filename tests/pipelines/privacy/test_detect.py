"""The detector on values written for documentation and tests, and on what must not be taken for one."""

from __future__ import annotations

import pytest

from headway.engine import connect
from headway_pipelines.privacy.detect import PERSONAL, looks_personal, safe_name, safe_path

PERSONAL_VALUES = [
    "grizelda@example.com",
    "GRIZELDA.QUUX+news@EXAMPLE.CO.UK",
    "grizelda%40example.com",
    "mailto:grizelda@example.com",
    "from grizelda@example.com to me",
    "user=grizelda@example.com&x=1",
    "zoë@example.com",
    "203.0.113.7",
    "[203.0.113.7]:443",
    "seen from 203.0.113.7.",
    "203.0.113.7.example.com",
    "2001:db8::1",
    "2001:db8:0:0:0:ff00:42:8329",
    "fe80::1ff:fe23:4567:890a",
    "00:00:5e:00:53:af",
    "00-00-5E-00-53-AF",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "378282246310005",
    "DE89370400440532013000",
    "+12025550143",
    "+1 (202) 555-0143",
    "+49 30 12345678",
    "(202) 555-0143",
    "202-555-0143",
    "202.555.0143",
    "078-05-1120",
    "eyJhbGciOiJIUzI1NiJ9.e30.abc",
]

#: Ordinary words of machines.
TRAPS = [
    "spring_sale",
    "utm-campaign-2026",
    "1.20",
    "10.4.2",
    "1.2.3.4.5",
    "v2.0.0-rc.1+build.7",
    "2026-03-02",
    "2026-03-02T09:00:00Z",
    "09:15:30",
    "12:30",
    "order-1042",
    "1042",
    "19.99",
    "-3.5e7",
    "#ff8800",
    "deadbeef",
    "de-DE",
    "text/html; charset=utf-8",
    "@media",
    "a::b",
    "std::vector",
    "Course Published",
    "google / cpc",
    "",
]


@pytest.mark.parametrize("value", PERSONAL_VALUES)
def test_personal_values_are_seen(value: str) -> None:
    assert looks_personal(value)


@pytest.mark.parametrize("value", TRAPS)
def test_ordinary_values_are_not(value: str) -> None:
    assert not looks_personal(value)


def test_known_false_alarms_err_on_the_safe_side() -> None:
    """What cannot be told apart by its form alone: a version of four numbers, milliseconds since 1970, a file name."""
    assert looks_personal("1.2.3.4")
    assert looks_personal("1767225600000")
    assert looks_personal("image@2x.png")


def test_the_database_sees_what_python_sees() -> None:
    """The gate runs the same pattern inside DuckDB, on another engine for regular expressions."""
    con = connect()
    try:
        for value in PERSONAL_VALUES + TRAPS:
            seen = con.execute("SELECT regexp_matches($v, $p)", {"v": value, "p": PERSONAL}).fetchall()[0][0]
            assert seen == looks_personal(value), value
    finally:
        con.close()


@pytest.mark.parametrize(
    "name",
    [
        "Course Published",
        "utm_source",
        "$referrer",
        "address.street",
        "orders/2026-03/a.csv",
        "n" * 39,
        "Key: Value",
    ],
)
def test_plain_names_may_be_shown(name: str) -> None:
    assert safe_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "grizelda@example.com",
        "grizelda%40example.com",
        "call_+12025550143",
        "ip 203.0.113.7",
        "Zoë",
        "name\nwith a second line",
        "trailing newline\n",
        "<b>bold</b>",
        "{}",
        "",
        " leading blank",
        "1starts_with_a_digit",
        "x" * 65,
        "a" * 40,
        "token_0123456789abcdef01234567",
        "sk-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCd",
        "d41d8cd98f00b204e9800998ecf8427e",
    ],
)
def test_names_that_may_carry_something_are_not_shown(name: str) -> None:
    assert not safe_name(name)


@pytest.mark.parametrize(
    "path",
    [
        "a.json",
        "2026-03-02/events-00.json.gz",
        "20260302/part-7.csv",
        "0.json",
        "web/2026/03/02/09.log",
        "1_first.json",
        "events-2026-03-01.json.gz",
        "2026-03-01_00#001.json.gz",
        "187520_2026-03-01_0#1.json.gz",
        "events_20260301.parquet",
        "events_20260301-20260302.csv",
        "20260301_123000.log",
        "2026-03-01-12-30-00-0001.json",
        "2026-03-01T12:30:00.123456Z.json",
        "2026-03-01_2026-03-31.csv",
        "2026/03/01/09/30/0001.json",
        "2026-03/0001.json",
        "part-00000-c000.snappy.parquet",
        "000000_0.gz",
        "events-000000000012.json.gz",
        "0001_0002.csv",
        "shop-1234/part-12.csv",
    ],
)
def test_usual_paths_may_be_shown(path: str) -> None:
    assert safe_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "grizelda@example.com.json",
        "users/grizelda@example.com/a.json",
        "2025550143.json",
        "12025550143/a.json",
        "202-555-0143.json",
        "customer_2025550143.json",
        "030-12345678.json",
        "030-20251231.json",
        "0171/2345678.json",
        "calls/0171 2345678.csv",
        "calls/(0171) 2345678.csv",
        "020_7946_0018.csv",
        "06.12.34.56.78.json",
        "user-08-9999-1234.json",
        "user1712345678.json",
        "5550143.json",
        "0049-171-2345678.json",
        "0171-2345678_2026-03-01.json",
        "2026-03-01_0171-2345678.json",
        "20260301-2345678.json",
        "2026-13-41.json",
        "078-05-1120.csv",
        "203.0.113.7/access.log",
        "203.0.113.7.csv",
        "web/logs-203.0.113.7.log.gz",
        "4111111111111111.json",
        "0123456789abcdef01234567.json",
        "a//b",
        "../a.json",
        "Zoë.json",
    ],
)
def test_paths_that_may_carry_something_are_not_shown(path: str) -> None:
    assert not safe_path(path)
