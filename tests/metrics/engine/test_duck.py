"""Connections that share a database."""

from __future__ import annotations

import time

import pytest

from headway.engine import connect, connect_again


def test_a_second_connection_has_headways_time_zone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        con = connect()
        again = connect_again(con)
        for each in (con, again):
            assert each.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
            assert each.execute("SELECT current_setting('disabled_optimizers')").fetchall() == [
                ("window_self_join",)
            ]
            assert each.execute("SELECT (TIMESTAMPTZ '2026-03-01 00:00:00+00')::VARCHAR").fetchall() == [
                ("2026-03-01 00:00:00+00",)
            ]
        again.close()
        con.close()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_tables_are_shared_and_temporary_ones_are_not() -> None:
    con = connect()
    con.execute("CREATE TABLE days AS SELECT 1 AS day")
    con.execute("CREATE TEMP TABLE own AS SELECT 1 AS day")
    again = connect_again(con)
    assert again.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall() == [("days",)]
    again.close()
    con.close()
