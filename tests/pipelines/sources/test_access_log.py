"""Access log lines one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway.errors import DefinitionError
from headway_pipelines.sources.access_log import access_log
from headway_pipelines.sources.config import parse_sources

Run = Callable[..., Any]

COMMON = '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a?email=x HTTP/1.1" 200 512'


def read(
    tmp_path: Path, shape: Run, *lines: str, site: str | None = None, paths: tuple[str, ...] = ()
) -> list[tuple[Any, ...]]:
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    con = shape(path, access_log(site=site, paths=paths))
    query = "SELECT outcome, occurred_at, device_raw, properties FROM shape ORDER BY line"
    rows: list[tuple[Any, ...]] = con.execute(query).fetchall()
    return rows


def test_common_and_combined(tmp_path: Path, shape: Run) -> None:
    combined = COMMON + ' "https://www.example.org/x?q=1" "Agent \\"quoted\\" 1.0"'
    common, full, dashes = read(tmp_path, shape, COMMON, combined, COMMON.replace("512", "-") + ' "-" "-"')
    base = {"method": "GET", "path": "/a", "status": "200", "bytes": "512"}
    assert common[0] == "event" and common[3] == base
    assert common[1] == dt.datetime(2015, 5, 17, 10, 5, 3)
    assert common[2].split("\x1f") == ["203.0.113.9", "", "2015-05-17"]
    extra = {"referrer": "https://www.example.org/x?q=1", "user_agent": 'Agent \\"quoted\\" 1.0'}
    assert full[3] == base | extra
    assert dashes[3] == {"method": "GET", "path": "/a", "status": "200"}


def test_the_offset_counts_and_the_day_is_utc(tmp_path: Path, shape: Run) -> None:
    late = COMMON.replace("10:05:03 +0000", "23:30:00 -0400")
    (row,) = read(tmp_path, shape, late)
    assert row[1] == dt.datetime(2015, 5, 18, 3, 30)
    assert row[2].endswith("\x1f2015-05-18")


def test_the_actor_is_address_agent_and_day(tmp_path: Path, shape: Run) -> None:
    agent = ' "-" "One"'
    lines = [
        COMMON + agent,
        COMMON.replace("/a", "/b").replace("10:05", "11:05") + agent,
        COMMON.replace("17/May", "18/May") + agent,
        COMMON.replace(".9 ", ".10 ") + agent,
        COMMON + ' "-" "Two"',
        COMMON.replace("- - [", "- grizelda [") + agent,
    ]
    devices = [row[2] for row in read(tmp_path, shape, *lines)]
    assert devices[0] == devices[1] == devices[5] and len(set(devices)) == 4
    assert not any("grizelda" in device for device in devices)


def test_requests_that_are_odd(tmp_path: Path, shape: Run) -> None:
    def asked(request: str) -> str:
        return COMMON.replace("GET /a?email=x HTTP/1.1", request)

    rows = read(
        tmp_path,
        shape,
        asked("GET http://proxy.example/x/y?z HTTP/1.0"),
        asked("OPTIONS * HTTP/1.1"),
        asked("GET /old"),
        asked("\\x16\\x03\\x01"),
        asked("-"),
        asked("get /a#b HTTP/1.1"),
        site="https://shop.example",
    )
    assert [row[0] for row in rows] == ["event"] * 6
    found = [tuple(row[3].get(name) for name in ("method", "path", "url")) for row in rows]
    assert found == [
        ("GET", "/x/y", "https://shop.example/x/y?z"),
        ("OPTIONS", "*", "https://shop.example*"),
        ("GET", "/old", "https://shop.example/old"),
        (None, None, None),
        (None, None, None),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        COMMON + ' "-" "agent without an end',
        COMMON[:-1].rsplit(" ", 1)[0],
        COMMON.replace("[17", "17"),
        COMMON.replace("17/May/2015:10:05:03", "2015-05-17 10:05:03"),
        "shop.example:443 " + COMMON,
        COMMON + " extra",
        '{"json": true}',
    ],
)
def test_what_is_no_access_log_line(tmp_path: Path, shape: Run, line: str) -> None:
    (row,) = read(tmp_path, shape, line)
    assert row[0] == "not an access log line"


def test_accepted_variants(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        COMMON.replace("- - [", "- ada lovelace ["),
        COMMON.replace("203.0.113.9", "2001:db8::1"),
        COMMON + ' "-" "agent" "198.51.100.7" 0.004',
        COMMON + "\r",
        "",
    )
    assert [row[0] for row in rows] == ["event"] * 4 + ["blank"]
    assert "198.51" not in repr(rows) and "ada" not in repr(rows)


def test_path_templates(tmp_path: Path, shape: Run) -> None:
    paths = ("/", "/p/new", "/p/*", "/course/*/lesson/*", "/a.b/*", "/it's")
    wanted = {
        "/": "/",
        "/p/new": "/p/new",
        "/p/7": "/p/*",
        "/p/7/?email=ada@example.com": "/p/*",
        "/p/": None,
        "/p": None,
        "/p/7/reviews": None,
        "/course/ada%20l/lesson/2": "/course/*/lesson/*",
        "/course//lesson/2": None,
        "/a.b/1": "/a.b/*",
        "/aXb/1": None,
        "/it's": "/it's",
        "/other": None,
        "*": None,
    }
    lines = [COMMON.replace("/a?email=x", asked) for asked in wanted]
    rows = read(tmp_path, shape, *lines, paths=paths)
    assert [row[3].get("path_template") for row in rows] == list(wanted.values())


@pytest.mark.parametrize("path", ["p/*", "", "/p/*.html", "/p?x", "/p /", "https://a.example/p"])
def test_what_is_no_template(path: str) -> None:
    with pytest.raises(DefinitionError, match="is not a template of paths; start with /"):
        parse_sources(f"sources: {{s: {{format: access_log, paths: ['{path}']}}}}")


def test_ids_in_paths_never_become_values(tmp_path: Path, clean: Run) -> None:
    (source,) = parse_sources("sources: {s: {format: access_log, paths: ['/course/*/lesson/*']}}")
    path = tmp_path / "access.log"
    path.write_text(
        COMMON.replace("/a", "/course/grizelda-fixture/lesson/2") + "\n" + COMMON + "\n", encoding="utf-8"
    )
    plan = """
  Page Requested:
    properties:
      path: {class: text}
      path_template: {class: enum, values: ["/course/*/lesson/*"]}
"""
    result = clean(path, source, plan)
    assert result.rows("SELECT path_template FROM events ORDER BY line") == [("/course/*/lesson/*",), (None,)]
    assert result.dropped[("Page Requested", "path", "free text")] == 2
    assert "grizelda" not in result.stored()
